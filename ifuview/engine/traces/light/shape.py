"""The cumulative Gaussian as a table, for profiles that are a Gaussian times a short series of Hermite polynomials.

Abscissa is the distance from the center in widths. Between nodes a cubic Hermite polynomial through values and slopes
is exact to 1e-7. The third and fourth Hermite terms make the profile skew and flat or peaked without moving the mean
of the light or its width.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.model.checks import Array

REACH = 8.0  # widths on each side that the table covers
PER_WIDTH = 16  # nodes per width
NODES = int(2 * REACH * PER_WIDTH) + 1


@cache
def gaussian_table() -> NDArray[np.float32]:
    """Return the cumulative Gaussian and its density at the nodes, shape (NODES, 2); one array for all, only read."""
    a = np.linspace(-REACH, REACH, NODES)
    density = np.exp(-0.5 * a * a) / math.sqrt(2 * math.pi)
    cumulative = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in a])
    return np.stack([cumulative, density], axis=1).astype(np.float32)


@njit(nogil=True, inline="always")
def look_up(table: Array, a: Any) -> Any:
    """Cumulative Gaussian and density at a distance of `a` widths from the center."""
    t = (a + np.float32(REACH)) * np.float32(PER_WIDTH)
    if t <= 0:
        return np.float32(0), np.float32(0)
    if t >= NODES - 1:
        return np.float32(1), np.float32(0)
    i = int(t)
    f = t - np.float32(i)
    h = np.float32(1 / PER_WIDTH)
    y0, d0, y1, d1 = table[i, 0], h * table[i, 1], table[i + 1, 0], h * table[i + 1, 1]
    c2 = np.float32(3) * (y1 - y0) - np.float32(2) * d0 - d1
    c3 = np.float32(2) * (y0 - y1) + d0 + d1
    value = y0 + f * (d0 + f * (c2 + f * c3))
    slope = (d0 + f * (np.float32(2) * c2 + f * np.float32(3) * c3)) * np.float32(PER_WIDTH)
    return value, slope


def profile(edge: Array, skewness: Array, kurtosis: Array) -> NDArray[np.float64]:
    """Share of the light between successive pixel edges, as the fit has it.

    Parameters
    ----------
    edge : (..., n + 1)
        Distance of the edges from the center, in widths.
    skewness, kurtosis : (...)

    Returns
    -------
    ndarray, shape (..., n)
    """
    table = gaussian_table().astype(np.float64)
    node = np.linspace(-REACH, REACH, NODES)
    at = np.clip(edge, -REACH, REACH)
    low = np.minimum(((at + REACH) * PER_WIDTH).astype(np.intp), NODES - 2)
    a = (at - node[low]) * PER_WIDTH
    slope = table[:, 1] / PER_WIDTH
    y0, d0, y1, d1 = table[low, 0], slope[low], table[low + 1, 0], slope[low + 1]
    c2, c3 = 3 * (y1 - y0) - 2 * d0 - d1, 2 * (y0 - y1) + d0 + d1
    value = y0 + a * (d0 + a * (c2 + a * c3))
    density = np.exp(-0.5 * at * at) / math.sqrt(2 * math.pi)
    skew, kurt = np.asarray(skewness)[..., None], np.asarray(kurtosis)[..., None]
    out: NDArray[np.float64] = np.diff(value - density * (skew * (at * at - 1) + kurt * at * (at * at - 3)), axis=-1)
    return out
