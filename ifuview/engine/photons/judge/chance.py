"""How sure a deviation is where light itself varies: logarithms of chances, and the sigma that they are."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.model.checks import Array

SCALE = np.linspace(0.0, 60.0, 6001)  # sigma
SURVIVAL = log_ndtr(-SCALE)
UPPER, UPPER_SIGMA = 95.0, 1.645  # percent of the bins below, and the sigma that they are


def sigma_of(log_chance: Array) -> Array:
    """Return the Gaussian sigma of logarithms of one-sided chances; at most the end of the scale."""
    return np.asarray(np.interp(-np.asarray(log_chance, float), -SURVIVAL, SCALE))


def log_none(expected: Array, modes: Array) -> Array:
    """Return the log of the chance of no photon where so many are expected of light with so many modes.

    Light that varies as a speckle does has (1 + n / M)^-M; M to infinity is steady light.
    """
    expected, modes = np.asarray(expected, float), np.asarray(modes, float)
    return np.asarray(-modes * np.log1p(expected / modes))


def excess(counts: Array, expected: Array) -> Array:
    """Return the variance beyond that of the counts over the square of the mean, 1 / modes, of each row.

    Its own error is added, so that light that varies is not taken for steady by luck. Bins with nothing expected do
    not count.
    """
    known = expected > 0
    number = np.maximum(known.sum(axis=-1), 2)
    square = np.where(known, expected**2, 0).sum(axis=-1)
    beyond = np.where(known, (counts - expected) ** 2 - expected, 0).sum(axis=-1)
    square = np.maximum(square, 1e-12)
    error = np.sqrt(2.0 * np.where(known, expected**2 + expected / 2, 0).sum(axis=-1)) / square
    return np.asarray(np.maximum(beyond / square, 0.0) + error + 1.0 / (number * 1e3))


def deviations(counts: Array, expected: Array, *, above: bool = False) -> Array:
    """Return how many sigma counts of a curve are off; the scatter of the curve itself counts where it is larger.

    Parameters
    ----------
    counts, expected : ndarray, shape (n,)
    above : bool
        The scatter is that of the brightest bins but the first few: light of speckles is seldom, but then far above.
    """
    known = expected > 0
    ratio = np.where(known, counts / np.where(known, expected, 1.0) - 1.0, 0.0)
    middle = float(np.median(ratio[known])) if known.any() else 0.0
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(ratio[known] - middle))) if known.any() else 0.0
    if above and known.any():
        scatter = max(scatter, (float(np.percentile(ratio[known], UPPER)) - middle) / UPPER_SIGMA)
    usual = float(np.median(1.0 / np.sqrt(expected[known]))) if known.any() else 0.0
    own = np.sqrt(max(scatter**2 - usual**2, 0.0))  # beyond the counting statistics
    noise = np.sqrt(np.where(known, expected, 1.0) + (own * expected) ** 2)
    return np.asarray(np.where(known, (counts - expected) / noise, 0.0))
