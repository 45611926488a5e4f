"""A source put into spectra: its light, as each fiber would catch it, without noise of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.engine.spectra.field.lenslet import Lenslets, source_share
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SourceFit
from ifuview.model.reduction.spectra import FiberSpectra


def put_source(spectra: FiberSpectra, lenslets: Lenslets, source: SourceFit, wave: Array, flux: Array) -> FiberSpectra:
    """Return the spectra with a source added.

    Parameters
    ----------
    spectra : FiberSpectra
        On one grid.
    lenslets : Lenslets
        Dithers included.
    source : SourceFit
        Where it lies, how wide it is, how it is refracted.
    wave, flux : ndarray, shape (n,), Angstrom and the unit of the spectra
        All its light; none outside.
    """
    light = np.interp(spectra.wave, wave, flux, left=0.0, right=0.0)
    share = source_share(source, lenslets, np.asarray(spectra.wave))
    return replace(spectra, flux=spectra.flux + (share * light).astype(np.float32))
