"""What pixels of one brightness tell about each other: how likely each part f of speckle light is before its own data.

The data of one pixel hardly tell f = 0.8 from 1, as contrast rises no more there; an estimate from them alone that is
right at 1 could never scatter, and is too small. Pixels of one exposure and about the same brightness are the same part
of the same star, or nearly: their f lie about a middle, by a spread, but for a few of any f (companions, sky). All of
them together tell the middle and the spread (hierarchical Bayes; Gelman et al. 2013, chapter 5), and so their mean f.

No pixel is drawn to the others by that: each keeps its own f and scatters as it does. What is held for likely before
the data speak, (1 - f)^tilt, is tilted for all pixels of a brightness alike, until the mean of their f is the one that
they tell together. Where the data of a pixel know f, the tilt changes nothing.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.engine.photons.statistics.posterior import (
    FACTOR,
    FINE,
    HIGH,
    IC,
    IS,
    LOW,
    RATE,
    TILT,
    UNLIKELY,
    prior_of,
    write_parts,
)
from ifuview.model.checks import Array

TOGETHER = 300  # pixels
OTHERS = 0.01  # of the pixels are of any f
AT = np.linspace(0, 1, 101)  # f, and the middle
SPREADS = (0.01, 0.03, 0.06, 0.12, 0.25, 0.5)  # 1 sigma of f about the middle
FAINT = 0.002  # of the chance of a middle; 1 is possible
TILTS = -0.98, 1.0
HALVINGS = 9  # of the range of tilts


def settle_together(found: Array, told: Array, likely: Array) -> None:
    """Write the intensities of all pixels by what those of the same brightness tell together.

    Parameters
    ----------
    found : ndarray, float64, shape (>= 9, n)
        As of `posterior.fit_outcomes`; columns of pixels that are told of are changed.
    told : ndarray, float64, shape (n, 8)
        What `posterior.fit_outcomes` says of each, NaN where nothing.
    likely : ndarray, float64, shape (n, FINE)
        ln L of the steps of f.
    """
    rows = np.flatnonzero(np.isfinite(told[:, RATE]))
    rows = rows[np.argsort(told[rows, RATE], kind="stable")]
    for group in np.array_split(rows, max(len(rows) // TOGETHER, 1)) if len(rows) else ():
        factor = float(told[group, FACTOR].mean())
        wanted = _mean(told[group], likely[group] / factor)
        own = found[:, group].T.copy()
        low, high = TILTS
        for _ in range(HALVINGS):
            tilt = 0.5 * (low + high)
            low, high = (tilt, high) if settle(told[group], likely[group], tilt, own) > wanted else (low, tilt)
        settle(told[group], likely[group], 0.5 * (low + high), own)
        found[:, group] = own.T


def _mean(told: Array, log: Array) -> float:
    """Mean f that pixels tell together, from ln L (n, FINE) of each."""
    low, high = told[:, LOW, None], told[:, HIGH, None]
    parts = low + (high - low) * np.linspace(0, 1, FINE)
    top = log.max(axis=1)
    chance = np.exp([np.interp(AT, x, y, left=-UNLIKELY, right=-UNLIKELY) for x, y in zip(parts, log - top[:, None])])
    width = np.where((AT > 0) & (AT < 1), 1.0, 0.5)
    middle, spread = (a.ravel() for a in np.meshgrid(AT, SPREADS))
    shapes = np.exp(-0.5 * ((AT - middle[:, None]) / spread[:, None]) ** 2) * width
    alone = prior_of(AT, TILT)
    shapes = (1 - OTHERS) * shapes / shapes.sum(axis=1, keepdims=True) + OTHERS * alone / alone.sum()
    together = np.log(chance @ shapes.T).sum(axis=0) + np.log(np.interp(middle, AT, alone) + FAINT)
    weight = np.exp(together - together.max())
    each = chance * (weight @ shapes)
    return float(((each @ AT) / each.sum(axis=1)).mean())


@njit(cache=True, nogil=True)
def settle(told: Array, likely: Array, tilt: float, found: Array) -> float:
    """Write the intensities of pixels under a prior; return their mean f."""
    total = 0.0
    for i in range(len(told)):
        write_parts(told[i], likely[i], told[i, FACTOR], tilt, found[i])
        total += found[i, IS] / (found[i, IS] + found[i, IC])
    return total / len(told)
