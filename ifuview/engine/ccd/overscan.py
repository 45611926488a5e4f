"""Level and read noise of an amplifier from its overscan.

The level is Tukey's biweight (Beers, Flynn & Gebhardt 1990) of the whole overscan, or a straight line through the
biweights of its rows: single rows of some 60 pixels would each add noise of their own (0.3 electrons, 1.7 % of the
sky of a faint fiber). The columns next to the data are left out, as charge trails into them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MAD_TO_SIGMA, median_along
from ifuview.errors import FitError
from ifuview.model.checks import Array

TUNING = 6.0  # of the biweight of location, in median absolute deviations (Beers et al.)
EFFICIENCY = 1.02  # error of the biweight over that of the mean, for Gaussian noise
DROPPED = 2  # columns next to the data
CLIP = 5.0  # sigma, for the noise
ROUNDS = 3
QUANTUM = 1 / 12  # ADU^2, variance that counting in whole ADU adds
LINE_BINS = 16  # groups of rows that the line goes through


@dataclass(frozen=True, slots=True, eq=False)
class Overscan:
    """What the overscan says, in ADU.

    Parameters
    ----------
    level : ndarray of float32, shape (nrow, 1)
        To subtract from each row.
    error : float
        Of the mean level.
    noise, noise_error : float
        Rms of one pixel without that of counting in whole ADU, and its error.
    """

    level: Array
    error: float
    noise: float
    noise_error: float


def biweight(values: Array, tuning: float = TUNING) -> NDArray[np.float64]:
    """Tukey's biweight of location along the last axis; values that are not finite are left out, NaN where none is."""
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    filled = np.where(known, values, np.nan)
    empty = ~known.any(axis=-1, keepdims=True)
    filled = np.where(empty, 0.0, filled)
    middle = median_along(filled)[..., None]
    spread = median_along(np.abs(filled - middle))[..., None]
    u = np.where(known, (filled - middle) / np.where(spread > 0, tuning * spread, 1.0), 1.0)
    weight = np.where(np.abs(u) < 1, (1 - u**2) ** 2, 0.0)
    total = weight.sum(axis=-1, keepdims=True)
    shift = np.where(known, filled - middle, 0.0)
    found = middle + np.where(total > 0, (weight * shift).sum(axis=-1, keepdims=True) / np.maximum(total, 1e-30), 0.0)
    return np.asarray(np.where(empty, np.nan, found)[..., 0])


def read_overscan(counts: Array, *, by_row: bool = True, dropped: int = DROPPED) -> Overscan:
    """Return the level and the noise of an overscan.

    Parameters
    ----------
    counts : ndarray, shape (nrow, ncol), ADU
        The overscan alone, the column next to the data first.
    by_row : bool
        A straight line along the rows, else one number.
    dropped : int
        Columns left out at the side of the data.

    Raises
    ------
    FitError
        Nothing is left.
    """
    used = np.asarray(counts[:, dropped:], np.float32)
    if used.size == 0:
        raise FitError("there is no overscan", todo="say the level, or the columns of the overscan")
    level = float(biweight(used.ravel()))
    rows = np.full((used.shape[0], 1), level, np.float32)
    if by_row and used.shape[0] >= 2 * LINE_BINS:
        rows = _line(used)
    noise = _noise(used - rows)
    count = float(used.size)
    error = EFFICIENCY * np.hypot(noise, np.sqrt(QUANTUM)) / np.sqrt(count)
    return Overscan(rows, float(error), noise, noise / np.sqrt(2 * count))


def _line(used: Array) -> NDArray[np.float32]:
    """Straight line through the biweights of groups of rows."""
    groups = np.array_split(np.arange(used.shape[0]), LINE_BINS)
    middle = np.array([g.mean() for g in groups])
    value = np.array([float(biweight(used[g].ravel())) for g in groups])
    line = np.polynomial.Polynomial.fit(middle, value, 1)
    return np.asarray(line(np.arange(used.shape[0]))[:, None], np.float32)


def _noise(residual: Array) -> float:
    """Rms of clipped values, less what whole ADU add."""
    flat = residual.ravel()
    sigma = max(MAD_TO_SIGMA * float(np.median(np.abs(flat - np.median(flat)))), 1.0)
    for _ in range(ROUNDS):
        kept = flat[np.abs(flat) < CLIP * sigma]
        if kept.size < 2:
            return float("nan")
        sigma = max(float(kept.std(dtype=np.float64)), 0.3)
    variance = float(kept.var(dtype=np.float64, ddof=1))
    return float(np.sqrt(max(variance - QUANTUM, 0.0)))
