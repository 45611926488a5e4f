"""Gain of an amplifier from the noise of its photons, for one whose headers do not tell it.

The variance of counts (ADU) rises with their level by one over the gain (Janesick, Photon Transfer, 2007). What is no
noise is taken off: differences of two exposures have no response of pixels in them, and their second difference along
the dispersion nothing smooth, so that traces and light may change from one to the other. A single exposure still holds
its lines and the response of its pixels, whose variance rises with the square of the level and is fitted with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.model.checks import Array

SMOOTH = 15  # px along the dispersion, that tell the level of a pixel
SECOND = 6.0  # variance of a second difference over that of a pixel
BINS, BRIGHTEST = 24, 0.98  # of the levels, and share of the pixels that are looked at
CLIP, ROUNDS = 4.5, 4  # sigma: particles are left out
LEAST = 200  # px of a bin
SURE = 5.0  # sigma of the rise with the level
UNSURE, UNSURE_ALONE = 0.01, 0.03  # of the gain, that is not known beside what the fit says; of a single exposure


def photon_gain(frames: Sequence[Array]) -> tuple[float, float]:
    """Return the gain (electrons per ADU) that the photon noise of an amplifier tells, and its error.

    Parameters
    ----------
    frames : sequence of ndarray, shape (nrow, ncol), ADU
        Exposures of one amplifier with the level of the overscan taken off, dispersion along rows; best of like light.
        One is enough, two or more tell it better.

    Returns
    -------
    (float, float)
        NaN where the noise does not rise with the level: no light, or nothing was read.
    """
    pairs = list(pairwise(frames)) if len(frames) > 1 else [(one, None) for one in frames]
    rises = np.array([_rise(one, two) for one, two in pairs]).reshape(-1, 2)
    rises = rises[np.isfinite(rises).all(axis=1)]
    if not len(rises):
        return float("nan"), float("nan")
    rise, error = float(np.mean(rises[:, 0])), float(np.mean(rises[:, 1]))
    error = max(error, float(np.std(rises[:, 0])))
    if not rise > SURE * error:
        return float("nan"), float("nan")
    return 1 / rise, float(np.hypot(error / rise, UNSURE if len(frames) > 1 else UNSURE_ALONE)) / rise


def _rise(one: Array, two: Array | None) -> tuple[float, float]:
    """Rise of the variance with the level (ADU), and its error; NaN where it cannot be told."""
    level, noise = _smooth(one), one
    if two is not None:
        other = _smooth(two)
        bright = other > np.median(other)
        by = float(np.median(level[bright] / other[bright])) if bright.any() and np.median(other[bright]) > 0 else 1.0
        level, noise = level + np.float32(by**2) * other, one - np.float32(by) * two
    bent = noise[:, :-2] - 2 * noise[:, 1:-1] + noise[:, 2:]
    level = level[:, 1:-1]
    edge = np.quantile(level, np.linspace(0, BRIGHTEST, BINS + 1))
    which = np.searchsorted(edge, level, side="right") - 1
    found = [_variance(bent[which == n], level[which == n]) for n in range(BINS)]
    known = np.array([row for row in found if row[2] > LEAST])
    if len(known) < BINS // 2:
        return float("nan"), float("nan")
    at, value, count = known.T
    error = value * np.sqrt(4 / count)  # neighbors share noise
    terms = [at, np.ones_like(at), at**2]
    matrix = np.stack(terms if two is None else terms[:2], axis=1) / error[:, None]
    covariance = np.linalg.pinv(matrix.T @ matrix)
    fit = covariance @ matrix.T @ (value / error)
    excess = float(np.sum((matrix @ fit - value / error) ** 2)) / (len(at) - len(fit))
    return float(fit[0]), float(np.sqrt(covariance[0, 0] * max(excess, 1.0)))


def _smooth(image: Array) -> NDArray[np.float32]:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(np.asarray(image, np.float32), SMOOTH, axis=1))


def _variance(bent: Array, level: Array) -> tuple[float, float, float]:
    """Level, variance of a pixel without outliers, and count of some second differences."""
    if bent.size <= LEAST:
        return 0.0, 0.0, 0.0
    sigma = MAD_TO_SIGMA * float(np.median(np.abs(bent))) + 1.0  # ADU: counts are whole numbers
    kept = bent
    for _ in range(ROUNDS):
        kept = bent[np.abs(bent) < CLIP * sigma]
        sigma = float(np.sqrt(np.mean(kept**2, dtype=np.float64))) if kept.size else 0.0
    return float(level.mean(dtype=np.float64)), sigma**2 / SECOND, float(kept.size)
