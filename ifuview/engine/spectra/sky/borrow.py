"""Sky of another exposure or detector of the same kind, for fields in which no fiber sees sky alone.

The spectrum that was found there is evaluated at the fibers' own wavelengths here and brought to the brightness of
this exposure by one factor: from fibers that see sky, if there are any, else from the sky's lines in all fibers, of
which sources with a continuum know nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.numeric.medians import MEDIAN_ERROR, robust_sigma
from ifuview.engine.spectra.sky.fibers import even_weight
from ifuview.engine.spectra.sky.spline import CommonSpectra, Samples
from ifuview.engine.spectra.sky.surface import factors
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SkyModel
from ifuview.model.reduction.spectra import FiberSpectra

SURE = 0.1  # error of the factor above which the lines do not tell it


@dataclass(frozen=True, slots=True, eq=False)
class BorrowedSky:
    """A sky from elsewhere.

    Parameters
    ----------
    sky : SkyModel
    factor, error : float
        Brightness here over there.
    """

    sky: SkyModel
    factor: float
    error: float


def borrow_sky(spectra: FiberSpectra, other: CommonSpectra, *, sky_fibers: Array | None = None) -> BorrowedSky:
    """Take the sky of another exposure.

    Parameters
    ----------
    spectra : FiberSpectra
        As for `separate`, in the unit of the other exposure.
    other : CommonSpectra
        Of the other exposure; its first term is the sky.
    sky_fibers : ndarray of bool, shape (nfiber,), optional
        That see sky only. Default: none do, and the lines of the sky tell its brightness.

    Raises
    ------
    FitError
        Neither fibers nor lines tell how bright the sky is.
    """
    wave = np.ascontiguousarray(np.broadcast_to(spectra.wave, spectra.flux.shape))
    share = np.zeros((other.coeff.shape[1], *wave.shape), np.float32)
    share[0] = 1.0
    model, variance = other.evaluate(Samples(wave, share, np.zeros(wave.shape, np.float32)))
    usable = spectra.usable() & (spectra.variance > 0)
    weight = even_weight(spectra.variance, usable)
    factor, error = factors(spectra.flux, weight, model, lines_only=sky_fibers is None)
    known = np.isfinite(factor) & (True if sky_fibers is None else np.asarray(sky_fibers, bool))
    if not known.any():
        raise FitError("no usable fiber tells how bright the sky is")
    level = float(np.median(factor[known]))
    spread = max(robust_sigma(factor[known], level), float(np.median(error[known])))
    wrong = MEDIAN_ERROR * spread / float(np.sqrt(known.sum()))
    if not (level > 0 and wrong < SURE * level):
        raise FitError(f"the brightness of the sky is not known: factor {level:.2f} +- {wrong:.2f}")
    told = "its lines" if sky_fibers is None else f"{int(known.sum())} fibers"
    note = f"sky of another exposure, {level:.3f} +- {wrong:.3f} times as bright by {told}"
    fibers = np.zeros(spectra.nfiber, bool) if sky_fibers is None else known
    total = variance * level**2 + (wrong * model) ** 2
    sky = SkyModel(model * level, total, fibers, np.ones(spectra.nfiber, np.float32), "another exposure", (note,))
    return BorrowedSky(sky, level, wrong)
