"""Incoherent light that the whole array sees (sky): what of the light of all pixels does not vary with their speckles.

The counts of a pixel vary by more than photon noise, by the square of its speckle light. Where that is the same part of
the star's light in most pixels, the excess variance is a (rate - Ip)^2 with the same a and Ip: the rate at which the
excess runs out is the Ip of all. It cannot be above the light of the darkest pixels, and it is drawn to 0 by what it
is uncertain (James & Stein 1961), as a few pixels of one brightness tell nothing about it.
"""

from __future__ import annotations

import numpy as np

from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.model.checks import Array

FEWEST_PIXELS = 50
FEWEST_PHOTONS = 100  # of a pixel; fewer have too noisy a rate
DARKEST = 5.0  # percent of the pixels with light
FEW_LIVES = 0.25  # relative scatter of the excess variance, which few speckles leave even where photons are many
STEPS = 101  # of Ip over 0 to the light of the darkest pixels
FAR = 3.0  # sigma beyond which a pixel does not count: companions, hot pixels
ROUNDS = 4  # of leaving out what is far off


def common_incoherent(rate: Array, excess: Array, live: float, width: float) -> float:
    """Return the incoherent light of every pixel, photons per second.

    Parameters
    ----------
    rate : ndarray, shape (npixel,), photons per second
    excess : ndarray, shape (npixel,), (photons per second)^2
        Variance of the rate in time bins, less that of photon noise.
    live : float, s
        Length of the record.
    width : float, s
        Of the time bins.
    """
    lit = rate * live >= FEWEST_PHOTONS
    if np.count_nonzero(lit) < FEWEST_PIXELS:
        return 0.0
    darkest = float(np.percentile(rate[rate > 0], DARKEST))
    rate, excess = rate[lit], excess[lit]
    sigma = np.sqrt(2 * rate**2 / (width * live) + (FEW_LIVES * rate**2) ** 2)
    sigma *= MAD_TO_SIGMA * np.median(np.abs(_off(rate, excess, sigma)))
    steps = np.linspace(0.0, darkest, STEPS)
    misfit = np.array([np.minimum(_off(np.clip(rate - ip, 0, None), excess, sigma) ** 2, FAR**2).sum() for ip in steps])
    chance = np.exp(-0.5 * (misfit - misfit.min()))
    chance /= chance.sum()
    mean = float(chance @ steps)
    variance = float(chance @ (steps - mean) ** 2)
    drawn = max(1 - variance / mean**2, 0.0) if mean > 0 else 0.0
    return drawn * mean


def _off(star: Array, excess: Array, sigma: Array) -> Array:
    """How many sigma the excess is off the best multiple of the star's light squared; pixels far off do not count."""
    shape, value = star**2 / sigma, excess / sigma
    near = np.ones(len(star), bool)
    for _ in range(ROUNDS):
        height = float(value[near] @ shape[near]) / max(float(shape[near] @ shape[near]), 1e-300)
        off = value - height * shape
        near = np.abs(off) < FAR
    return np.asarray(off)
