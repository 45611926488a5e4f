"""Sky of another exposure or detector of the same kind, for fields in which no fiber sees sky alone.

The spectrum that was found there is evaluated at the fibers' own wavelengths here and brought to the brightness of
this exposure, with a plane over the field where the light asks for one: from fibers that see sky, if there are any,
else from the sky's lines in all fibers, of which sources with a continuum know nothing. Structure that a source's own
spectrum has in common with the sky grows with the source's light, and is told from the sky by that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MEDIAN_ERROR, robust_sigma
from ifuview.engine.spectra.sky.fibers import even_weight
from ifuview.engine.spectra.sky.spline import CommonSpectra, Samples
from ifuview.engine.spectra.sky.surface import SkySurface, factors, fit_surface
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SkyModel
from ifuview.model.reduction.spectra import FiberSpectra

SURE = 0.1  # error of the factor above which the lines do not tell it
LIT = 5.0  # times its error, that the light of a source differs between fibers where it is seen
CLIP, ROUNDS = 4.0, 5  # sigma
AGREES = 3.0  # sigma


@dataclass(frozen=True, slots=True, eq=False)
class BorrowedSky:
    """A sky from elsewhere.

    Parameters
    ----------
    sky : SkyModel
    factor, error : float
        Brightness here over there.
    surface : SkySurface
        Of the brightness over the field.
    """

    sky: SkyModel
    factor: float
    error: float
    surface: SkySurface


def borrow_sky(
    spectra: FiberSpectra, other: CommonSpectra, *, sky_fibers: Array | None = None,
    place: tuple[Array, Array] | None = None,
) -> BorrowedSky:  # fmt: skip
    """Take the sky of another exposure.

    Parameters
    ----------
    spectra : FiberSpectra
        As for `separate`, in the unit of the other exposure.
    other : CommonSpectra
        Of the other exposure; its first term is the sky.
    sky_fibers : ndarray of bool, shape (nfiber,), optional
        That see sky only. Default: none do, and the lines of the sky tell its brightness.
    place : (ndarray, ndarray), shape (nfiber,), arcsec, optional
        Of the fibers: a plane over the field is followed where it is significant.

    Raises
    ------
    FitError
        Neither fibers nor lines tell how bright the sky is.
    """
    model, variance, weight = _elsewhere(spectra, other)
    factor, error = factors(spectra.flux, weight, model, lines_only=sky_fibers is None)
    known = np.isfinite(factor) & (True if sky_fibers is None else np.asarray(sky_fibers, bool))
    if not known.any():
        raise FitError("no usable fiber tells how bright the sky is")
    if sky_fibers is None:
        factor = _without_source(factor, error, factors(spectra.flux, weight, model)[0], known, place)
    return _brought(model, variance, factor, error, known, sky_fibers is not None, place)


def borrow_for_empty(
    spectra: FiberSpectra, other: CommonSpectra, by_lines: BorrowedSky, *, place: tuple[Array, Array] | None = None
) -> BorrowedSky:
    """The same where no source is seen: all light is sky, unless it is more than the sky's lines say.

    Parameters
    ----------
    spectra, other, place
        As for `borrow_sky`.
    by_lines : BorrowedSky
        What that found.
    """
    model, variance, weight = _elsewhere(spectra, other)
    factor, error = factors(spectra.flux, weight, model)
    found = _brought(model, variance, factor, error, np.isfinite(factor), True, place)
    agrees = abs(found.factor - by_lines.factor) < AGREES * np.hypot(found.error, by_lines.error)
    return found if agrees else by_lines


def _elsewhere(
    spectra: FiberSpectra, other: CommonSpectra
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The other sky as these fibers would see it, its variance, and weights of the samples."""
    wave = np.ascontiguousarray(np.broadcast_to(spectra.wave, spectra.flux.shape))
    share = np.zeros((other.coeff.shape[1], *wave.shape), np.float32)
    share[0] = 1.0
    model, variance = other.evaluate(Samples(wave, share, np.zeros(wave.shape, np.float32)))
    return model, variance, even_weight(spectra.variance, spectra.usable() & (spectra.variance > 0))


def _without_source(
    factor: Array, error: Array, whole: Array, known: Array, place: tuple[Array, Array] | None
) -> NDArray[np.float64]:
    """Factors of the lines without what grows with the light of a source: `whole`, of all light, above them.

    All as they are where that light is the same in all fibers, or not seen.
    """
    light = whole - factor
    terms = np.ones((factor.size, 1)) if place is None else np.stack([np.ones(factor.size), *place], axis=1)
    known = known & np.isfinite(light) & (error > 0)
    if known.sum() < 3 * (terms.shape[1] + 1):
        return np.asarray(factor)
    along = np.linalg.lstsq(terms[known], light[known], rcond=None)[0]
    if not robust_sigma((light - terms @ along)[known]) > LIT * float(np.median(error[known])):
        return np.asarray(factor)
    design = np.column_stack([terms, light])
    for _ in range(ROUNDS):
        by = 1 / error[known]
        found = np.linalg.lstsq(design[known] * by[:, None], factor[known] * by, rcond=None)[0]
        pull = np.abs(factor - design @ found) / error
        new = known & (pull < CLIP * max(robust_sigma(pull[known], 0.0), 1.0))
        if (new == known).all():
            break
        known = new
    return np.asarray(factor - found[-1] * light)


def _brought(
    model: Array, variance: Array, factor: Array, error: Array, known: Array, fibers: bool,
    place: tuple[Array, Array] | None,
) -> BorrowedSky:  # fmt: skip
    """The other sky as bright as factors of the fibers in `known` say; whether those see sky only, in words."""
    surface, terms = SkySurface(np.ones(factor.size), np.ones(factor.size), 0, 0.0), 1
    if place is not None:
        surface = fit_surface(*place, factor, error, known, single=False)
        terms = 1 + 2 * surface.degree
    even = factor / surface.value
    level = float(np.median(even[known]))
    spread = max(robust_sigma(even[known], level), float(np.median(error[known])))
    wrong = MEDIAN_ERROR * spread / float(np.sqrt(known.sum()))
    if not (level > 0 and wrong < SURE * level):
        raise FitError(f"the brightness of the sky is not known: factor {level:.2f} +- {wrong:.2f}")
    told = f"{int(known.sum())} fibers" if fibers else "its lines"
    note = f"sky of another exposure, {level:.3f} +- {wrong:.3f} times as bright by {told}"
    if surface.degree:
        note += f", with a gradient of {100 * np.ptp(surface.value):.1f} % over the field"
    bright = level * surface.value[:, None].astype(np.float32)
    total = variance * bright**2 + terms * (wrong * model) ** 2
    seen = known if fibers else np.zeros(factor.size, bool)
    sky = SkyModel(
        model * bright, total, seen, np.ones(factor.size, np.float32), "another exposure", (note,)
    )  # fmt: skip
    return BorrowedSky(sky, level, wrong, surface)
