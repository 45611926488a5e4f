"""Are the sky lines of a fiber too strong, too weak, or displaced: the residual fitted with the model's own lines.

All strong lines of a fiber take part at once, with one factor and one shift: what is common to them is the sky model's
(or the wavelengths') doing, what keeps to one line is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.lines import SIDE
from ifuview.engine.night.stats import MEDIAN_ERROR, mad
from ifuview.model.checks import Array

HALF = 4  # px on both sides of a line that are fitted
LEAST_LINES = 3
AGREE = 0.8  # of the lines must have the sign of the change that they share
ERRORS = 8.0  # of the median over the fibers: a change that all of them share
SPREAD = 2.0  # scatter over its error; clean exposures have 0.9 to 1.2
OUTLYING, LEAST_FIBERS = 5.0, 10  # errors of a fiber, and so many fibers: a change that only some have
TINY = 1e-12  # keeps flat stretches solvable


@dataclass(frozen=True, slots=True, eq=False)
class LineFit:
    """One number per fiber, from all strong lines.

    Parameters
    ----------
    value, error : ndarray, shape (nfiber,)
        Part of the lines that stays, or Angstrom by which they are displaced.
    of_line : ndarray, shape (nfiber, nline)
        The same of each line by itself, NaN where it says nothing.
    """

    value: Array
    error: Array
    of_line: Array


def line_fits(residual: Array, model: Array, ivar: Array, at: Array, step: float) -> tuple[LineFit, LineFit]:
    """Factor and shift of the lines of each fiber.

    Parameters
    ----------
    residual, model : ndarray, shape (nfiber, nwave)
        Sky-subtracted flux, and the sky.
    ivar : ndarray, shape (nfiber, nwave)
    at : ndarray of int, shape (nline,)
        Pixels of the lines.
    step : float, Angstrom
        Of one pixel.
    """
    near = at[:, None] + np.arange(-HALF, HALF + 1)
    residual = np.nan_to_num(residual)  # ivar is 0 there
    rest, lines = _above_continuum(residual, at, near), _above_continuum(model, at, near)
    slope = np.gradient(model, axis=1)[:, near] / step
    weight = ivar[:, near]

    def total(values: Array) -> Array:
        return np.asarray((weight * values).sum(axis=2), np.float64)

    sums = [total(v) for v in (lines * lines, lines * slope, slope * slope, lines * rest, slope * rest)]
    factors, shifts, _, _ = _solved(*sums)
    factor, shift, factor_error, shift_error = _solved(*(s.sum(axis=1) for s in sums))
    return LineFit(factor, factor_error, factors), LineFit(shift, shift_error, shifts)


def _solved(aa: Array, ab: Array, bb: Array, ra: Array, rb: Array) -> tuple[Array, Array, Array, Array]:
    """Factor, shift and their errors from the sums; what is displaced to the red leaves minus the slope."""
    norm = aa * bb - ab * ab
    good = norm > TINY
    norm = np.where(good, norm, 1.0)
    factor, shift = (np.where(good, value / norm, np.nan) for value in (bb * ra - ab * rb, ab * ra - aa * rb))
    factor_error, shift_error = (np.where(good, np.sqrt(variance / norm), np.inf) for variance in (bb, aa))
    return factor, shift, factor_error, shift_error


def _above_continuum(values: Array, at: Array, near: Array) -> Array:
    """Pixels of the lines minus the continuum beside them, shape (nfiber, nline, npixel)."""
    side = at[:, None] + np.r_[-SIDE[1] + 1 : -SIDE[0] + 1, SIDE[0] : SIDE[1]]
    return np.asarray(values[:, near] - np.median(values[:, side], axis=2)[:, :, None])


def common(fit: LineFit, use: Array, least: float) -> tuple[float, float]:
    """(value, significance) that all fibers and most lines share; significance 0 where it is less than `least`."""
    use = use & np.isfinite(fit.of_line).all(axis=1)
    if np.count_nonzero(use) < LEAST_FIBERS:
        return 0.0, 0.0
    values = np.median(fit.of_line[use], axis=0)
    value = float(np.median(values))
    noise = MEDIAN_ERROR * mad(fit.of_line[use], axis=0) / np.sqrt(np.count_nonzero(use))
    error = MEDIAN_ERROR * max(float(np.median(noise)), float(mad(values)), TINY) / np.sqrt(values.size)
    agree = np.mean(np.sign(values) == np.sign(value)) >= AGREE
    significance = abs(value) / error
    return value, significance if agree and abs(value) > least and significance > ERRORS else 0.0


def followed(fit: LineFit, pattern: Array, use: Array) -> float:
    """How much of a pattern over the fibers, shape (nfiber,), a typical line has by itself: 1 all of it."""
    use = use & np.isfinite(fit.of_line).all(axis=1)
    shape = pattern[use] - pattern[use].mean()
    return float(np.median(shape @ fit.of_line[use]) / max(float(shape @ shape), TINY))


def outlying(fit: LineFit, use: Array, least: float) -> tuple[Array, float, float]:
    """(fibers, their typical deviation, significance) that differ from the others more than noise; none: empty."""
    use = use & np.isfinite(fit.value)
    none = np.zeros(0, int), 0.0, 0.0
    if np.count_nonzero(use) < LEAST_FIBERS:
        return none
    away = np.where(use, fit.value - np.median(fit.value[use]), 0.0)
    score = np.abs(away) / fit.error
    spread = float(mad((away / fit.error)[use]))
    limit = OUTLYING if spread < SPREAD else 0.5 * OUTLYING
    fibers = np.flatnonzero(use & (score > limit) & (np.abs(away) > least))
    if fibers.size < LEAST_FIBERS:
        return none
    typical = float(np.sqrt(np.mean(away[fibers] ** 2)))
    return fibers, typical, float(np.sqrt(np.mean(score[fibers] ** 2) * fibers.size))
