"""Sums over voxels as they are stored, compiled. Cubes are (wave, y, x): a plane is contiguous, a spectrum is not.

Single-precision numbers are read as their bits, in the byte order of the file, so that a mapped cube is not copied.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ifuview.model.checks import Array

FLUX, VARIANCE, COUNT = range(3)  # columns of sums
FAST = {"reassoc", "contract", "arcp", "nsz"}  # sums may be reordered; NaN and infinity stay what they are
HUGE = np.float32(3.4e38)


@njit(inline="always", error_model="numpy")
def number(bits: Any, swap: bool) -> Any:
    """The number that four bytes are."""
    if swap:
        bits = (bits >> 24) | ((bits >> 8) & np.uint32(0xFF00)) | ((bits << 8) & np.uint32(0xFF0000)) | (bits << 24)
    return np.uint32(bits).view(np.float32)


@njit(inline="always", error_model="numpy")
def variance(stored: Any, power: int) -> Any:
    """Variance of what is stored: an inverse variance (power 1), a variance (-1) or a sigma (-2)."""
    if power == 1:
        return np.float32(1.0) / stored
    return stored if power == -1 else stored * stored


@njit(inline="always", error_model="numpy")
def is_known(value: Any, bad: bool) -> Any:
    """Whether a value can be used."""
    return abs(value) < HUGE and not bad


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def add_runs(
    flux: Array, swap: bool, error: Array, error_swap: bool, power: int, mask: Array, runs: Array, sums: Array
) -> None:
    """Add runs of spaxels (y, x0, x1, sign) to `sums` (nwave, 3); an empty error or mask is none."""
    for k in range(flux.shape[0]):
        total, noise, count = 0.0, 0.0, 0.0
        for r in range(runs.shape[0]):
            y, x0, x1, sign = runs[r, 0], runs[r, 1], runs[r, 2], float(runs[r, 3])
            part, dirt, known = 0.0, 0.0, 0.0
            for x in range(x0, x1):
                value = number(flux[k, y, x], swap)
                good = is_known(value, mask.size > 0 and mask[k, y, x] != 0)
                own: Any = np.float32(0.0)
                if error.size:
                    stored = number(error[k, y, x], error_swap)
                    good = good and stored > 0 and stored < HUGE
                    own = variance(stored, power)
                part += value if good else 0.0
                dirt += own if good else 0.0
                known += 1.0 if good else 0.0
            total += sign * part
            noise += sign * dirt
            count += sign * known
        sums[k, FLUX] += total
        sums[k, VARIANCE] += noise
        sums[k, COUNT] += count


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def add_planes(
    flux: Array, swap: bool, error: Array, error_swap: bool, power: int, mask: Array, top: int, bottom: int,
    sign: float, sums: Array,
) -> None:  # fmt: skip
    """Add all planes, times `sign` (1 or -1), to rows top..bottom-1 of `sums` (3, ny, nx)."""
    for k in range(flux.shape[0]):
        for y in range(top, bottom):
            for x in range(flux.shape[2]):
                value = number(flux[k, y, x], swap)
                good = is_known(value, mask.size > 0 and mask[k, y, x] != 0)
                if error.size:
                    stored = number(error[k, y, x], error_swap)
                    good = good and stored > 0 and stored < HUGE
                    sums[VARIANCE, y, x] += sign * variance(stored, power) if good else 0.0
                sums[FLUX, y, x] += sign * value if good else 0.0
                sums[COUNT, y, x] += sign if good else 0.0


BINS, FEW = 512, 24  # of a histogram that the median is looked for in; values that are sorted


@njit(cache=True, nogil=True, error_model="numpy")
def middle(values: Array, n: int, counts: Array) -> float:
    """Median of the first n values, which are put into another order; several times faster than a partition.

    The values are counted in equal steps; those of the step that holds the median are counted anew, until a few are
    left to sort.
    """
    first, second, below = (n - 1) // 2, n // 2, 0
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
        apart = below + seen + counts[b] <= second  # the two in the middle are in different steps
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


@njit(cache=True, nogil=True, error_model="numpy")
def medians(
    flux: Array, swap: bool, error: Array, error_swap: bool, power: int, mask: Array, runs: Array, sums: Array
) -> None:
    """Median of the spaxels of runs in `sums` (nwave, 3), its variance for noise about one level, and their number.

    The variance is pi/2 n / (sum 1/sigma)^2, that of a median of Gaussian values with sigmas of their own.
    """
    size = 0
    for r in range(runs.shape[0]):
        size += runs[r, 2] - runs[r, 1]
    values, counts = np.empty(size, np.float32), np.empty(BINS, np.int64)
    for k in range(flux.shape[0]):
        n, weight = 0, 0.0
        for r in range(runs.shape[0]):
            y = runs[r, 0]
            for x in range(runs[r, 1], runs[r, 2]):
                value = number(flux[k, y, x], swap)
                good = is_known(value, mask.size > 0 and mask[k, y, x] != 0)
                if error.size:
                    stored = number(error[k, y, x], error_swap)
                    good = good and stored > 0 and stored < HUGE
                    if good:
                        weight += 1.0 / np.sqrt(variance(stored, power))
                if good:
                    values[n] = value
                    n += 1
        sums[k, COUNT] = n
        sums[k, FLUX] = middle(values, n, counts) if n else np.nan
        sums[k, VARIANCE] = 0.5 * np.pi * n / weight**2 if weight > 0 else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def plane_medians(
    flux: Array, swap: bool, error: Array, error_swap: bool, power: int, mask: Array, top: int, bottom: int,
    sums: Array,
) -> None:  # fmt: skip
    """Median over all planes in rows top..bottom-1 of `sums` (3, ny, nx), as `medians` does it for spaxels."""
    depth, nx = flux.shape[0], flux.shape[2]
    values, counts = np.empty((nx, depth), np.float32), np.empty(BINS, np.int64)
    number_of, weight = np.empty(nx, np.int64), np.empty(nx)
    for y in range(top, bottom):
        number_of[:], weight[:] = 0, 0.0
        for k in range(depth):
            for x in range(nx):
                value = number(flux[k, y, x], swap)
                good = is_known(value, mask.size > 0 and mask[k, y, x] != 0)
                if error.size:
                    stored = number(error[k, y, x], error_swap)
                    good = good and stored > 0 and stored < HUGE
                    if good:
                        weight[x] += 1.0 / np.sqrt(variance(stored, power))
                if good:
                    values[x, number_of[x]] = value
                    number_of[x] += 1
        for x in range(nx):
            n = number_of[x]
            sums[COUNT, y, x] = n
            sums[FLUX, y, x] = middle(values[x], n, counts) if n else np.nan
            sums[VARIANCE, y, x] = 0.5 * np.pi * n / weight[x] ** 2 if weight[x] > 0 else np.nan


NPOWER = 5  # of (wavelength - middle), 0 to 4


@njit(cache=True, nogil=True, error_model="numpy")
def add_moments(
    flux: Array, swap: bool, error: Array, error_swap: bool, power: int, mask: Array, along: Array, width: Array,
    level: Array, slope: Array, top: int, bottom: int, light: Array, noise: Array, count: Array,
) -> None:  # fmt: skip
    """Sums over planes of flux above a continuum times `width` (3, ny, nx), and of variances (5, ny, nx).

    Each times the powers of `along` (n,); the continuum is `level` + `slope` along.
    """
    for k in range(flux.shape[0]):
        step, wide = along[k], width[k]
        for y in range(top, bottom):
            for x in range(flux.shape[2]):
                value = number(flux[k, y, x], swap)
                if not is_known(value, mask.size > 0 and mask[k, y, x] != 0):
                    continue
                own = 0.0
                if error.size:
                    stored = number(error[k, y, x], error_swap)
                    if not (stored > 0 and stored < HUGE):
                        continue
                    own = float(variance(stored, power))
                above = (value - level[y, x] - slope[y, x] * step) * wide
                factor, own = 1.0, own * wide * wide
                for n in range(NPOWER):
                    if n < 3:
                        light[n, y, x] += above * factor
                    noise[n, y, x] += own * factor
                    factor *= step
                count[y, x] += 1
