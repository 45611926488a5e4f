"""Sum of an aperture of fixed width about the trace, with the fractions of the edge pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.model.checks import Array

STRIDE = 32  # columns compared at once
FIBER_CHUNK = 32  # fibers between two checkpoints


def boxcar(
    image: Array, center: Array, half_width: float, *, variance: Array | None = None, ctx: JobContext = SILENT
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Sum the rows center - half_width .. center + half_width of every column.

    Parameters
    ----------
    image : ndarray of float32, shape (nrow, ncol)
    center : ndarray, shape (nfiber, ncol), px
    half_width : float, px
        Any positive number; the pixels at both edges count by the fraction inside.
    variance : ndarray, shape (nrow, ncol), optional
        Of the pixels.

    Returns
    -------
    flux : ndarray of float32, shape (nfiber, ncol)
        NaN where the aperture leaves the image or there is no center.
    variance : ndarray of float32 or None
        Exact: the squares of the fractions times the variances.
    """
    image = np.ascontiguousarray(image, np.float32)
    center = np.ascontiguousarray(center, np.float32)
    flux = np.empty(center.shape, np.float32)
    var = None if variance is None else np.empty(center.shape, np.float32)
    pixel = None if variance is None else np.ascontiguousarray(variance, np.float32)
    half: Any = np.float32(half_width)
    for k in range(0, center.shape[0], FIBER_CHUNK):
        ctx.checkpoint(k / center.shape[0], "Boxcar extraction")
        rows = slice(k, k + FIBER_CHUNK)
        _sum_fibers(image, center[rows], half, False, flux[rows])
        if var is not None and pixel is not None:
            _sum_fibers(pixel, center[rows], half, True, var[rows])
    return flux, var


@njit(cache=True, nogil=True, fastmath=True)
def _sum_fibers(image: Array, center: Array, half: Any, squared: bool, out: Array) -> None:
    """Runs of columns with the same edge pixels are summed row by row, so that every row is read in order."""
    nrow = image.shape[0]
    nfiber, ncol = center.shape
    for k in range(nfiber):
        x = 0
        while x < ncol:
            c = center[k, x]
            if not (c - half >= -0.5 and c + half <= nrow - 0.5):
                out[k, x] = np.nan
                x += 1
                continue
            lo, hi = math.floor(c - half + 0.5), min(math.floor(c + half + 0.5), nrow - 1)
            stop = _same_until(center[k], half, np.float32(lo), np.float32(hi), x + 1)
            _sum_run(image, center[k], half, squared, lo, hi, x, stop, out[k])
            x = stop


@njit(cache=True, nogil=True, fastmath=True)
def _sum_run(
    image: Array, center: Array, half: Any, squared: bool, lo: int, hi: int, x: int, stop: int, out: Array
) -> None:
    """Sum columns x..stop-1 of rows lo..hi, the first and last by fractions."""
    base = np.float32(lo + 0.5) + half
    top = half - np.float32(hi - 0.5)
    bottom_row, top_row = image[lo], image[hi]
    for i in range(x, stop):
        below, above = base - center[i], center[i] + top
        if lo == hi:
            below, above = np.float32(2) * half, np.float32(0)
        if squared:
            below, above = below * below, above * above
        out[i] = below * bottom_row[i] + above * top_row[i]
    row = lo + 1
    while row + 1 < hi:  # two rows at once: half the passes over the sums
        line, next_line = image[row], image[row + 1]
        for i in range(x, stop):
            out[i] += line[i] + next_line[i]
        row += 2
    if row < hi:
        line = image[row]
        for i in range(x, stop):
            out[i] += line[i]


@njit(cache=True, nogil=True, fastmath=True)
def _same_until(center: Array, half: Any, lo: Any, hi: Any, start: int) -> int:
    """First column from `start` on whose aperture has other edge pixels than lo and hi."""
    one, down, up = np.float32(1), np.float32(0.5) - half, np.float32(0.5) + half
    stop = start
    while stop + STRIDE <= center.size:
        other = 0
        for i in range(stop, stop + STRIDE):
            a, b = center[i] + down - lo, center[i] + up - hi
            other += not ((a >= 0) & (a < one) & (b >= 0) & (b < one))
        if other:
            break
        stop += STRIDE
    while stop < center.size:
        a, b = center[stop] + down - lo, center[stop] + up - hi
        if not ((a >= 0) & (a < one) & (b >= 0) & (b < one)):
            break
        stop += 1
    return stop
