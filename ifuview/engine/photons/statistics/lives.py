"""How fast the speckles of an exposure change, and what of their contrast is left in a time bin or a gap.

A pattern that changes within a bin looks too smooth, two photons of a long gap do not see the same light. Both are
known from the counts themselves: where the light of a pixel is alike for a life t, exp(-dt / t), bins of width w = x t
have the variance 2 (x - 1 + exp(-x)) / x^2 of that of the light, and neighboring bins share (1 - exp(-x))^2 / x^2 of
it. The ratio of the two, over all pixels of the exposure, is the life of its speckles.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit

from ifuview.model.checks import Array

FEW_LIVES = 0.25  # relative scatter of the excess variance, which few speckles leave even where photons are many
CERTAIN = 5.0  # sigma of the variance of all pixels; of less no life is told
WIDTHS = np.geomspace(1e-4, 30.0, 600)  # of a bin, in lives


def change_rate(rate: Array, excess: Array, shared: Array, live: float, width: float) -> float:
    """Return one over the life of speckles, per second; 0 where they are not seen to change.

    Parameters
    ----------
    rate : ndarray, shape (npixel,), photons per second
    excess, shared : ndarray, shape (npixel,), (photons per second)^2
        Variance of the rate in time bins, less that of photon noise, and covariance of neighboring bins.
    live, width : float, s
        Length of the record, and of the bins.
    """
    lit = rate > 0
    if not lit.any():
        return 0.0
    rate, excess, shared = rate[lit], excess[lit], shared[lit]
    variance = 2 * rate**2 / (width * live) + (FEW_LIVES * rate**2) ** 2
    own, next_one = float((excess / variance * rate**2).sum()), float((shared / variance * rate**2).sum())
    if own < CERTAIN * np.sqrt(float((rate**4 / variance).sum())):
        return 0.0
    return float(np.interp(-next_one / own, -_fallen(), WIDTHS, left=0.0)) / width


@cache
def _fallen() -> Array:
    """Covariance of neighboring bins over the variance, at WIDTHS."""
    return np.array([_shared(x) / left_in_bin(x) for x in WIDTHS])


@njit(cache=True, nogil=True)
def left_in_bin(width: float) -> float:
    """Part of the contrast of the light that is left in bins of a width (in lives)."""
    return float(2 * (width + np.expm1(-width)) / width**2) if width > 1e-3 else 1 - width / 3


@njit(cache=True, nogil=True)
def left_in_gap(gap: float, photons: float) -> float:
    """Part of the contrast that the light at both ends of a gap (in lives) shares.

    Where a gap is as long as the usual one (`photons` of the mean rate in it are not few), it tells of the light within
    it too, which is half as far from either end.
    """
    return float(np.exp(-gap * (1 - 0.5 * min(photons, 1.0))))


@njit(cache=True, nogil=True)
def left_until(gap: float) -> float:
    """Part of the contrast that the light at the begin of a gap (in lives) shares with that within."""
    return float(-np.expm1(-gap) / gap) if gap > 1e-6 else 1.0


def _shared(width: float) -> float:
    """Part of the variance of the light that neighboring bins of a width (in lives) share."""
    return float((np.expm1(-width) / width) ** 2)
