"""The loops over photons: counts per resonator, and per resonator and bin, in one pass over the rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ifuview.model.checks import Array

CELLS_PER_BIN = 8  # of the table that finds bins; walks of less than one bin on average
MOST_CELLS = 1 << 16


class BinTable(NamedTuple):
    """Bins of any widths with a table from evenly spaced cells to the first bin that a value in the cell can be in."""

    edges: Array
    first: Array
    scale: float


def bin_table(edges: Array) -> BinTable:
    """Return the table of half-open bins for the kernels below.

    The cell before the one that a value falls into decides where the walk begins, so that rounding cannot start it
    too late: bins are exact.
    """
    edges = np.ascontiguousarray(edges, dtype=np.float64)
    cells = min(MOST_CELLS, max(64, CELLS_PER_BIN * (len(edges) - 1)))
    scale = cells / (edges[-1] - edges[0])
    left = edges[0] + (np.arange(cells) - 1) / scale
    first = np.clip(np.searchsorted(edges, left, side="right") - 1, 0, len(edges) - 2)
    return BinTable(edges, first.astype(np.int32), scale)


@njit(cache=True, nogil=True, inline="always")
def _bin(value: float, edges: Array, first: Array, scale: float) -> int:
    """Bin of a value within the edges."""
    b = first[min(int((value - edges[0]) * scale), len(first) - 1)]
    while value >= edges[b + 1]:
        b += 1
    return b


@njit(cache=True, nogil=True, inline="always")
def _passes(column: Array, i: int, low: float, high: float) -> bool:
    """Whether a value is in [low, high); NaN is not, and all of an empty column are."""
    return len(column) == 0 or bool(low <= np.float64(column[i]) < high)


@njit(cache=True, nogil=True)
def count_time(resonator: Array, time: Array, first: int, last: int, counts: Array) -> int:
    """Count photons with first <= time < last; return the latest time that counted, or -1."""
    latest = np.int64(-1)
    for i in range(len(resonator)):
        t = np.int64(time[i])
        if t >= first and t < last:
            counts[resonator[i]] += 1
            latest = max(latest, t)
    return int(latest)


@njit(cache=True, nogil=True)
def count_cut(
    resonator: Array, time: Array, value: Array, first: int, last: int, low: float, high: float, counts: Array
) -> int:
    """Count photons in a time range and a range of values; return the latest time that counted, or -1."""
    latest = np.int64(-1)
    for i in range(len(resonator)):
        t, v = np.int64(time[i]), np.float64(value[i])
        if t >= first and t < last and v >= low and v < high:
            counts[resonator[i]] += 1
            latest = max(latest, t)
    return int(latest)


@njit(cache=True, nogil=True)
def sum_cut(
    resonator: Array, time: Array, value: Array, weight: Array, first: int, last: int, low: float, high: float,
    counts: Array, sums: Array, squares: Array,
) -> int:  # fmt: skip
    """As `count_cut`, and add up weights and their squares; an empty `value` passes."""
    latest = np.int64(-1)
    for i in range(len(resonator)):
        t = np.int64(time[i])
        if t < first or t >= last or not _passes(value, i, low, high):
            continue
        r, w = resonator[i], np.float64(weight[i])
        counts[r] += 1
        sums[r] += w
        squares[r] += w * w
        latest = max(latest, t)
    return int(latest)


@njit(cache=True, nogil=True)
def count_bins(
    resonator: Array, key: Array, other: Array, low: float, high: float,
    edges: Array, first: Array, scale: float, counts: Array,
) -> None:  # fmt: skip
    """Count photons per resonator and bin of `key`, whose `other` column is in [low, high); empty `other` passes.

    `counts` is (nresonator + 1, nbin): the rows of one resonator stay together in the cache.
    """
    bottom, top = edges[0], edges[-1]
    for i in range(len(resonator)):
        k = np.float64(key[i])
        if k >= bottom and k < top:
            if not _passes(other, i, low, high):
                continue
            counts[resonator[i], _bin(k, edges, first, scale)] += 1


@njit(cache=True, nogil=True)
def sum_bins(
    resonator: Array, key: Array, other: Array, weight: Array, low: float, high: float,
    edges: Array, first: Array, scale: float, counts: Array, sums: Array, squares: Array,
) -> None:  # fmt: skip
    """As `count_bins`, with the sums of the weights and of their squares."""
    bottom, top = edges[0], edges[-1]
    for i in range(len(resonator)):
        k = np.float64(key[i])
        if k >= bottom and k < top:
            if not _passes(other, i, low, high):
                continue
            b, w = _bin(k, edges, first, scale), np.float64(weight[i])
            counts[resonator[i], b] += 1
            sums[resonator[i], b] += w
            squares[resonator[i], b] += w * w


@njit(cache=True, nogil=True)
def sum_chosen(
    resonator: Array, key: Array, other: Array, weight: Array, low: float, high: float,
    edges: Array, first: Array, scale: float, factor: Array, sums: Array, squares: Array,
) -> None:  # fmt: skip
    """Add up the photons of the resonators whose `factor` is not 0, times that factor, per bin of `key`.

    `factor` is (nresonator + 1,); empty `other` passes, empty `weight` is 1.
    """
    bottom, top = edges[0], edges[-1]
    weighted = len(weight) > 0
    for i in range(len(resonator)):
        f = factor[resonator[i]]
        if f == 0.0:
            continue
        k = np.float64(key[i])
        if k >= bottom and k < top:
            if not _passes(other, i, low, high):
                continue
            if weighted:
                f *= np.float64(weight[i])
            b = _bin(k, edges, first, scale)
            sums[b] += f
            squares[b] += f * f


@njit(cache=True, nogil=True)
def choose(resonator: Array, wanted: Array, rows: Array) -> int:
    """Write the rows of the wanted resonators (bool, (nresonator + 1,)); return how many there are."""
    size = 0
    for i in range(len(resonator)):
        if wanted[resonator[i]]:
            rows[size] = i
            size += 1
    return size
