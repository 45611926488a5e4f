"""Carry the peaks of one cross-section along the dispersion axis, column bin by column bin."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.model.checks import Array

REACH = 3  # px, search about the expected row
MAX_JUMP = 1.5  # px, a peak farther from the expected row is not believed
SLOPE_MEMORY, PULL = 0.8, 0.6  # smoothing of the slope; share of the measured deviation that is followed


def follow_peaks(binned: Array, start: Array, first: int) -> NDArray[np.float32]:
    """Return the coarse path of every fiber, shape (nfiber, nbin), px.

    A three-pixel parabola at the brightest pixel near the row that the slope so far predicts; good to about 0.1 px,
    enough to start a fit.

    Parameters
    ----------
    binned : ndarray of float32, shape (nrow, nbin)
    start : ndarray, shape (nfiber,), px
        Rows in bin `first`.
    first : int
        Bin to start in; both directions are followed.
    """
    out = np.empty((start.size, binned.shape[1]), np.float32)
    _follow(np.ascontiguousarray(binned.T), start.astype(np.float64), first, out)
    return out


@njit(cache=True, nogil=True)
def _follow(columns: Array, start: Array, first: int, out: Array) -> None:
    nbin = columns.shape[0]
    for k in range(start.size):
        for direction in (1, -1):
            row, slope = start[k], 0.0
            b = first
            while 0 <= b < nbin:
                expected = row + slope
                found = _peak_near(columns[b], expected)
                if b == first:
                    row = found
                else:
                    slope = SLOPE_MEMORY * slope + (1 - SLOPE_MEMORY) * (found - row)
                    row = expected + PULL * (found - expected)
                out[k, b] = row
                b += direction


@njit(cache=True, nogil=True)
def _peak_near(column: Array, expected: float) -> float:
    """Parabola about the brightest pixel near a row; the row itself if there is no peak."""
    n = column.size
    middle = math.floor(expected + 0.5)
    best, height = -1, -np.inf
    for r in range(max(middle - REACH, 1), min(middle + REACH, n - 2) + 1):
        if column[r] > height:
            best, height = r, column[r]
    if best < 0:
        return expected
    below, above = column[best - 1], column[best + 1]
    curvature = below - 2 * height + above
    if not curvature < 0:
        return expected
    found = best + 0.5 * (below - above) / curvature
    return found if abs(found - expected) <= MAX_JUMP else expected
