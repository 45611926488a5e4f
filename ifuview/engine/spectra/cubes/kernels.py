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
STEP, DOWN, SECOND, THIRD = np.uint32(8), np.uint32(24), np.uint32(0xFF0000), np.uint32(0xFF00)  # of four bytes


@njit(inline="always", error_model="numpy")
def number(bits: Any, swap: bool) -> Any:
    """The number that four bytes are."""
    if swap:  # 32 bits all the way: literals would make 64 of them
        bits = (bits >> DOWN) | ((bits >> STEP) & THIRD) | ((bits << STEP) & SECOND) | (bits << DOWN)
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
