"""What sky and sources leave, as a few spectra common to the sky fibers, added to the sky of fibers without source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.separation import Separation
from ifuview.engine.spectra.flux.rectify import rectify
from ifuview.engine.spectra.sky.components import find_components, fit_components
from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import FiberSpectra

LIT = 0.002  # of a source's light: fibers with more of it keep what they have


def with_components(spectra: FiberSpectra, found: Separation, grid: Array, count: int) -> Separation:
    """Return sky and sources with principal components of the residuals in the sky.

    Fibers with light of a source are left as they are: components would take part of it.

    Parameters
    ----------
    spectra : FiberSpectra
        That were told apart.
    found : Separation
    grid : ndarray, shape (nwave,), Angstrom
        Common wavelengths.
    count : int
        Of components.

    Raises
    ------
    FitError
        Too few sky fibers.
    """
    sky, wave = found.sky, np.broadcast_to(spectra.wave, spectra.flux.shape)
    flux = spectra.flux - sky.model - _light(found, wave, grid)
    left = rectify(replace(spectra, flux=flux, variance=spectra.variance + sky.variance), grid)
    weight = np.where(left.usable() & (left.variance > 0), 1 / np.where(left.variance > 0, left.variance, 1), 0)
    dark = ~(found.share.max(axis=(0, 2)) > LIT) if len(found.share) else np.ones(spectra.nfiber, bool)
    used = dark & (sky.fibers if sky.fibers.any() else True)
    components = find_components(left.flux[used], weight[used], count)
    light = fit_components(left.flux, np.where(dark[:, None], weight, 0), components)
    own = np.stack([np.interp(w, grid, one, left=0, right=0) for w, one in zip(wave, light)])
    share = ", ".join(f"{100 * part:.1f} %" for part in components.explained)
    note = f"{count} principal components of {int(used.sum())} fibers, with {share} of what was left"
    model = (sky.model + own).astype(np.float32)
    return replace(found, sky=replace(sky, model=model, notes=(*sky.notes, note)))


def _light(found: Separation, wave: Array, grid: Array) -> NDArray[np.float32]:
    """Light of the sources in each fiber, at its own wavelengths; that of a borrowed sky's exposure is not known."""
    out = np.zeros(wave.shape, np.float32)
    for number, share in enumerate(found.share, 1):
        if number < found.common.coeff.shape[1]:
            value = np.asarray(found.common.at(grid, number)[0], np.float64)
            out += share * np.interp(wave, grid, value).astype(np.float32)
    return out
