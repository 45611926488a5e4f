"""Medians over voxels as they are stored, compiled; exact, and quick where they lie near those of a moment ago.

Of a region or a range that is dragged most medians hardly move: one pass counts what lies below a narrow range about an
old one and keeps what lies in it, and only that is searched (a selection with a guessed pivot, as in Floyd and Rivest
1975). Where the median has left the range, all values are searched.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ifuview.engine.spectra.cubes.kernels import COUNT, FLUX, HUGE, VARIANCE, number, variance
from ifuview.model.checks import Array

HALF = 3  # column of sums beside FLUX, VARIANCE and COUNT: half of the range that the next median is looked for in
COLUMNS = 4
BINS, FEW = 512, 24  # of a histogram that the median is looked for in; values that are sorted
SHARE, SOME = 0.06, 8.0  # of the values, and how many more, that are wanted in the range
MOST_CHANGE = (1 / 16, 2.0)  # of the range at once


@njit(cache=True, nogil=True, error_model="numpy")
def middle(values: Array, n: int, first: int, second: int, counts: Array) -> float:
    """Mean of the values of two neighboring ranks, from 0, of the first n, which are put into another order.

    The values are counted in equal steps; those of the step that holds the ranks are counted anew, until a few are
    left to sort: several times faster than a partition.
    """
    below = 0
    low, high = values[0], values[0]
    for i in range(1, n):
        low, high = min(low, values[i]), max(high, values[i])
    while n > FEW and high > low:
        base, scale = float(low), (BINS - 1) / (float(high) - float(low))
        for b in range(BINS):
            counts[b] = 0
        for i in range(n):
            counts[int((values[i] - base) * scale)] += 1
        b, seen = 0, 0
        while below + seen + counts[b] <= first:
            seen += counts[b]
            b += 1
        apart = below + seen + counts[b] <= second  # the two are in different steps
        under, over, kept = low, high, 0
        low, high = high, low
        for i in range(n):
            value = values[i]
            step = int((value - base) * scale)
            if step == b:
                under = max(under, value) if kept else value
                low, high = min(low, value), max(high, value)
                values[kept] = value
                kept += 1
            elif step > b:
                over = min(over, value)
        if apart:
            return 0.5 * (float(under) + float(over))
        below, n = below + seen, kept
    if high == low:
        return float(low)
    for i in range(1, n):
        value, j = values[i], i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
    return 0.5 * (float(values[first - below]) + float(values[second - below]))


@njit(inline="always", error_model="numpy")
def bounds(near: float, half: float) -> Any:
    """Where a median is looked for: about an old one; everywhere without one."""
    if half > 0 and abs(near) < HUGE:
        return np.float32(near - half), np.float32(near + half)
    return -HUGE, HUGE


@njit(inline="always", error_model="numpy")
def found_in(values: Array, kept: int, below: int, n: int, counts: Array) -> Any:
    """The median of n values of which `kept` lie in the range and `below` under it; whether it lies there."""
    first, second = (n - 1) // 2, n // 2
    if below <= first and second < below + kept:
        return middle(values, kept, first - below, second - below, counts), True
    return np.nan, False


@njit(inline="always", error_model="numpy")
def next_half(half: float, values: Array, kept: int, n: int, everywhere: bool) -> float:
    """Half of the next range, so that about SHARE of the values lie in it; `values` are those that are `kept`."""
    if everywhere and half > 0:  # it had left the range
        return half * MOST_CHANGE[1]
    if everywhere:
        low, high = values[0], values[0]
        for i in range(1, kept):
            low, high = min(low, values[i]), max(high, values[i])
        return SHARE * (float(high) - float(low))
    return half * min(max((SHARE * n + SOME) / (kept + 1.0), MOST_CHANGE[0]), MOST_CHANGE[1])


@njit(inline="always", error_model="numpy")
def fill(
    flux: Array, swap: bool, error: Array, error_swap: bool, power: int, mask: Array, values: Array, sure: Array
) -> None:
    """Neighboring values, NaN for those that are not known, and 1 / sigma of each (0 without); loops as compilers like
    them: a branch in them costs five times the work."""
    for i in range(values.size):
        value = number(flux[i], swap)
        values[i] = value if abs(value) < HUGE else np.float32(np.nan)
    for i in range(mask.size):
        values[i] = values[i] if mask[i] == 0 else np.float32(np.nan)
    for i in range(error.size):
        stored = number(error[i], error_swap)
        known = stored > 0 and stored < HUGE and values[i] == values[i]
        values[i] = values[i] if known else np.float32(np.nan)
        sure[i] = 1 / np.sqrt(variance(stored, power)) if known else np.float32(0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def medians(
    flux: Array, swap: bool, error: Array, error_swap: bool, power: int, mask: Array, runs: Array, sums: Array
) -> None:
    """Median of the spaxels of runs in `sums` (nwave, 4), its variance for noise about one level, and their number.

    The variance is pi/2 n / (sum 1/sigma)^2, that of a median of Gaussian values with sigmas of their own. Old medians
    in FLUX and half ranges in HALF are where it is looked for first; NaN: they are not known.
    """
    size = 0
    for r in range(runs.shape[0]):
        size += runs[r, 2] - runs[r, 1]
    values, sure = np.empty(size, np.float32), np.zeros(size, np.float32)
    found, counts = np.empty(size + 1, np.float32), np.empty(BINS, np.int64)
    for k in range(flux.shape[0]):  # without errors or mask their rows have no length
        at = 0
        for r in range(runs.shape[0]):
            y, x0, x1 = runs[r, 0], runs[r, 1], runs[r, 2]
            own = slice(at, at + x1 - x0)
            bad = mask[k, y, x0:x1] if mask.size else mask[0, 0]
            noise = error[k, y, x0:x1] if error.size else error[0, 0]
            fill(flux[k, y, x0:x1], swap, noise, error_swap, power, bad, values[own], sure[own])
            at += x1 - x0
        low, high = bounds(sums[k, FLUX], sums[k, HALF])
        n, below, kept, weight = 0, 0, 0, 0.0
        for i in range(size):
            n += values[i] == values[i]
            below += values[i] < low
            weight += sure[i]
        for i in range(size):
            found[kept] = values[i]
            kept += (values[i] >= low) & (values[i] <= high)
        sums[k, COUNT] = n
        sums[k, VARIANCE] = 0.5 * np.pi * n / weight**2 if weight > 0 else np.nan
        if n == 0:
            sums[k, FLUX], sums[k, HALF] = np.nan, np.nan
            continue
        half = next_half(sums[k, HALF], found, kept, n, low == -HUGE)
        sums[k, FLUX], done = found_in(found, kept, below, n, counts)
        if not done:
            kept = 0
            for i in range(size):
                found[kept] = values[i]
                kept += values[i] == values[i]
            half = next_half(half, found, kept, n, True)
            sums[k, FLUX] = middle(found, n, (n - 1) // 2, n // 2, counts)
        sums[k, HALF] = half


@njit(cache=True, nogil=True, error_model="numpy")
def plane_medians(
    flux: Array, swap: bool, error: Array, error_swap: bool, power: int, mask: Array, top: int, bottom: int,
    every: int, sums: Array,
) -> None:  # fmt: skip
    """Median over every n-th plane in rows top..bottom-1 of `sums` (4, ny, nx), as `medians` does it for spaxels."""
    depth, nx = flux.shape[0], flux.shape[2]
    values, sure, counts = np.empty(nx, np.float32), np.zeros(nx, np.float32), np.empty(BINS, np.int64)
    found = np.empty((nx, depth + 1), np.float32)
    low, high, weight = np.empty(nx, np.float32), np.empty(nx, np.float32), np.empty(nx, np.float32)
    number_of, kept, below = np.empty(nx, np.int32), np.empty(nx, np.int32), np.empty(nx, np.int32)
    for y in range(top, bottom):
        number_of[:], kept[:], below[:], weight[:] = 0, 0, 0, 0.0
        for x in range(nx):
            low[x], high[x] = bounds(sums[FLUX, y, x], sums[HALF, y, x])
        for k in range(0, depth, every):
            bad, noise = mask[k, y] if mask.size else mask[0, 0], error[k, y] if error.size else error[0, 0]
            fill(flux[k, y], swap, noise, error_swap, power, bad, values, sure)
            for x in range(nx):
                number_of[x] += values[x] == values[x]
                below[x] += values[x] < low[x]
                weight[x] += sure[x]
            for x in range(nx):
                found[x, kept[x]] = values[x]
                kept[x] += (values[x] >= low[x]) & (values[x] <= high[x])
        for x in range(nx):
            n, own = number_of[x], found[x]
            sums[COUNT, y, x] = n
            sums[VARIANCE, y, x] = 0.5 * np.pi * n / float(weight[x]) ** 2 if weight[x] > 0 else np.nan
            if n == 0:
                sums[FLUX, y, x], sums[HALF, y, x] = np.nan, np.nan
                continue
            half = next_half(sums[HALF, y, x], own, kept[x], n, low[x] == -HUGE)
            sums[FLUX, y, x], done = found_in(own, kept[x], below[x], n, counts)
            if not done:
                m = 0
                for k in range(0, depth, every):
                    bad = mask[k, y, x : x + 1] if mask.size else mask[0, 0]
                    noise = error[k, y, x : x + 1] if error.size else error[0, 0]
                    one = own[m : m + 1]
                    fill(flux[k, y, x : x + 1], swap, noise, error_swap, power, bad, one, sure[x : x + 1])
                    m += one[0] == one[0]
                half = next_half(half, own, m, n, True)
                sums[FLUX, y, x] = middle(own, m, (n - 1) // 2, n // 2, counts)
            sums[HALF, y, x] = half
