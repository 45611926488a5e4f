"""De-blended optimal extraction: all fibers of a column solved together, with the exact variance of each flux.

Least squares of pixel-integrated Gaussian profiles with given centers and widths (Horne 1986, for many fibers at
once). As only next neighbors overlap, the normal matrix is tridiagonal; pivots from both ends give the diagonal of
its inverse. Weights are to come from a model of the variance, never from the noise of the data itself: that biases
the flux by a fraction of a sigma.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.cores import spread
from ifuview.engine.traces.gaussian import advance, pixel_factor, start_series
from ifuview.model.checks import Array

HALF_ROWS = 7  # rows on each side of a fiber; second neighbors must not overlap
TILE = 128  # columns solved together
TILE_DRIFT = 1.2  # px, most that a trace may move from the middle of a tile to its ends
MIN_TILE = 8
ITERATIONS = 2  # rounds of model variance and solution
ABSENT = -1e6  # row of a fiber without a center
TINY = 1e-30
F: Any = np.float32  # kernels work in single precision


def joint_extract(
    image: Array, ivar: Array, center: Array, sigma: Array, *, ctx: JobContext = SILENT
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the de-blended flux of every fiber in every column and its exact variance.

    Parameters
    ----------
    image : ndarray of float32, shape (nrow, ncol)
    ivar : ndarray of float32, shape (nrow, ncol)
        Inverse variance from a model (`model_ivar`), 0 where the pixel is not to be used.
    center, sigma : ndarray, shape (nfiber, ncol), px
        In any order; NaN where a fiber has no trace.

    Returns
    -------
    flux, variance : ndarray of float32, shape (nfiber, ncol)
        NaN and inf where nothing is known. Neighbors' covariance is in the variance.
    """
    image, ivar = np.ascontiguousarray(image, np.float32), np.ascontiguousarray(ivar, np.float32)
    order, center32, sigma32 = _prepared(center, sigma)
    flux, variance = np.empty(center.shape, np.float32), np.empty(center.shape, np.float32)
    ncol = center.shape[1]
    tile = tile_width(center32)
    whole = np.isfinite(image.sum()) or np.isfinite(image).all()  # the sum is quick, and finite in all but odd cases
    clean = image if whole else np.where(np.isfinite(image), image, 0)
    weight = ivar if clean is image else np.where(np.isfinite(image), ivar, 0)

    def columns(x: int) -> None:
        _extract_tile(clean, weight, center32, sigma32, x, min(x + tile, ncol), flux, variance)

    spread(columns, range(0, ncol, tile), ctx=ctx, text="Optimal extraction")
    if np.array_equal(order, np.arange(order.size)):
        return flux, variance
    back = np.argsort(order)
    return flux[back], variance[back]


def extract(
    image: Array,
    center: Array,
    sigma: Array,
    readnoise: float,
    *,
    gain: float = 1.0,
    good: Array | None = None,
    iterations: int = ITERATIONS,
    ctx: JobContext = SILENT,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Extract with weights from the model's own variance, found in a few rounds; see `joint_extract`.

    Parameters
    ----------
    image : ndarray, shape (nrow, ncol)
    readnoise : float, electron
    gain : float
        Electrons per count.
    good : ndarray of bool, shape (nrow, ncol), optional
        Pixels to use.
    iterations : int
        Rounds of model variance after the first, which has uniform weights.
    """
    floor = F((readnoise / gain) ** 2)
    used = np.ones(image.shape, bool) if good is None else good
    ivar = np.where(used, F(1) / floor, F(0)).astype(np.float32)
    for turn in range(iterations + 1):
        part = ctx.part(turn / (iterations + 1), (turn + 1) / (iterations + 1))
        flux, variance = joint_extract(image, ivar, center, sigma, ctx=part)
        if turn < iterations:
            ivar = model_ivar(image.shape[0], center, sigma, flux, readnoise, gain=gain, ctx=part)
            if good is not None:
                ivar *= good
    return flux, variance


def model_ivar(
    nrow: int,
    center: Array,
    sigma: Array,
    flux: Array,
    readnoise: float,
    *,
    gain: float = 1.0,
    ctx: JobContext = SILENT,
) -> NDArray[np.float32]:
    """Return 1 / (readnoise^2 / gain^2 + model / gain), shape (nrow, ncol), from fluxes (negative ones count as 0)."""
    _, center32, sigma32 = _prepared(center, sigma, keep_order=True)
    ncol = center32.shape[1]
    light = np.nan_to_num(np.maximum(flux, 0)).astype(np.float32)
    out = np.zeros((nrow, ncol), np.float32)
    tile = tile_width(center32)

    def columns(x: int) -> None:
        _model_tile(center32, sigma32, light, x, min(x + tile, ncol), out)

    spread(columns, range(0, ncol, tile), ctx=ctx, text="Variance model")
    out *= F(1 / gain)
    out += F((readnoise / gain) ** 2)
    return np.reciprocal(out, out=out)


def tile_width(center: Array) -> int:
    """Columns of a tile in which no trace moves more than `TILE_DRIFT` from the middle."""
    step = np.abs(np.diff(center[:, ::MIN_TILE], axis=1))
    step = step[step < HALF_ROWS * MIN_TILE]
    slope = float(step.max()) / MIN_TILE if step.size else 0.0
    if slope * TILE / 2 <= TILE_DRIFT:
        return TILE
    return max(MIN_TILE, int(2 * TILE_DRIFT / slope))


def _prepared(
    center: Array, sigma: Array, keep_order: bool = False
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
    """Fibers in rising order of center, in single precision, absent ones far outside the image."""
    known = np.isfinite(center) & np.isfinite(sigma) & (sigma > 0)
    if known.all():
        clean, width = center, sigma
    else:
        clean, width = np.where(known, center, ABSENT), np.where(known, sigma, 1.0)
    order = np.arange(center.shape[0])
    if not keep_order:
        order = np.argsort(np.where(known, center, -np.inf).max(axis=1), kind="stable")
    if np.array_equal(order, np.arange(order.size)):
        return order, np.ascontiguousarray(clean, np.float32), np.ascontiguousarray(width, np.float32)
    return order, np.ascontiguousarray(clean[order], np.float32), np.ascontiguousarray(width[order], np.float32)


@njit(fastmath=True, cache=True, nogil=True)
def _middle(center: Array) -> int:
    """Row nearest to the mean center of a tile; -1 if a part of the tile has no center."""
    total = 0.0
    for x in range(center.size):
        if center[x] < -1e5:
            return -1
        total += center[x]
    row = math.floor(total / center.size + 0.5)
    return row if row >= 0 else -1


@njit(fastmath=True, cache=True, nogil=True)
def _add_row(
    value: Array, s: Array, offset: Array, row: float, image: Array, ivar: Array, diag: Array, rhs: Array, light: Array
) -> None:
    """One image row of one fiber: profile, its share of the normal equations."""
    for x in range(value.size):
        p = value[x] * pixel_factor(row - offset[x], s[x])
        w = p * ivar[x]
        diag[x] += w * p
        rhs[x] += w * image[x]
        light[x] = p


@njit(fastmath=True, cache=True, nogil=True)
def _add_overlap(off: Array, light: Array, other: Array, ivar: Array) -> None:
    for x in range(off.size):
        off[x] += light[x] * other[x] * ivar[x]


@njit(fastmath=True, cache=True, nogil=True)
def _extract_tile(
    image: Array, ivar: Array, center: Array, sigma: Array, x0: int, x1: int, flux: Array, variance: Array
) -> None:
    """Normal equations and solution of columns x0..x1-1."""
    nfiber, nrow, n = center.shape[0], image.shape[0], x1 - x0
    width = 2 * HALF_ROWS + 1
    light = np.zeros((2, width, n), np.float32)
    offset, s, fall = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.float32)
    above, below = np.empty(n, np.float32), np.empty(n, np.float32)
    up, down = np.empty(n, np.float32), np.empty(n, np.float32)
    diag, off = np.zeros((nfiber, n), np.float32), np.zeros((nfiber, n), np.float32)
    rhs = np.zeros((nfiber, n), np.float32)
    before = -1_000
    for k in range(nfiber):
        middle = _middle(center[k, x0:x1])
        now, last = light[k & 1], light[1 - (k & 1)]
        if middle < 0:
            before = -1_000
            continue
        for x in range(n):
            offset[x] = center[k, x0 + x] - F(middle)
        start_series(offset, sigma[k, x0:x1], s, above, up, down, fall)
        below[:] = above
        for j in range(HALF_ROWS + 1):
            if j > 0:
                advance(above, up, fall)
                advance(below, down, fall)
            r = middle + j
            if 0 <= r < nrow:
                _add_row(above, s, offset, F(j), image[r, x0:x1], ivar[r, x0:x1], diag[k], rhs[k], now[HALF_ROWS + j])
            r = middle - j
            if j > 0 and 0 <= r < nrow:
                _add_row(below, s, offset, F(-j), image[r, x0:x1], ivar[r, x0:x1], diag[k], rhs[k], now[HALF_ROWS - j])
        shift = middle - before
        for j in range(width - shift):
            r = middle - HALF_ROWS + j
            if j + shift >= 0 and 0 <= r < nrow:
                _add_overlap(off[k - 1], now[j], last[j + shift], ivar[r, x0:x1])
        before = middle
    _solve_tile(diag, off, rhs, flux[:, x0:x1], variance[:, x0:x1])


@njit(cache=True, nogil=True, error_model="numpy")
def _solve_tile(diag: Array, off: Array, rhs: Array, flux: Array, variance: Array) -> None:
    """Tridiagonal systems of all columns of a tile; the inverse's diagonal from forward and backward pivots."""
    nfiber, n = diag.shape
    pivot = np.empty((nfiber, n), np.float32)
    for x in range(n):
        diag[0, x] += F(TINY)
        pivot[0, x] = diag[0, x]
    for k in range(1, nfiber):
        for x in range(n):
            ratio = off[k - 1, x] / pivot[k - 1, x]
            diag[k, x] += F(TINY)
            pivot[k, x] = max(diag[k, x] - off[k - 1, x] * ratio, F(1e-6) * diag[k, x])
            rhs[k, x] -= ratio * rhs[k - 1, x]
    back = diag[nfiber - 1].copy()
    for k in range(nfiber - 1, -1, -1):
        for x in range(n):
            if k == nfiber - 1:
                value = rhs[k, x] / pivot[k, x]
            else:
                back[x] = max(diag[k, x] - off[k, x] * off[k, x] / back[x], F(1e-6) * diag[k, x])
                value = (rhs[k, x] - off[k, x] * flux[k + 1, x]) / pivot[k, x]
            flux[k, x] = value
            variance[k, x] = F(1) / max(pivot[k, x] + back[x] - diag[k, x], F(1e-6) * diag[k, x])
    for k in range(nfiber):
        for x in range(n):
            if diag[k, x] <= F(2 * TINY):
                flux[k, x], variance[k, x] = F(np.nan), F(np.inf)


@njit(fastmath=True, cache=True, nogil=True)
def _model_tile(center: Array, sigma: Array, flux: Array, x0: int, x1: int, out: Array) -> None:
    """Add the light of all fibers to columns x0..x1-1."""
    nrow, n = out.shape[0], x1 - x0
    offset, s, fall = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.float32)
    above, below = np.empty(n, np.float32), np.empty(n, np.float32)
    up, down = np.empty(n, np.float32), np.empty(n, np.float32)
    for k in range(center.shape[0]):
        middle = _middle(center[k, x0:x1])
        if middle < 0:
            continue
        for x in range(n):
            offset[x] = center[k, x0 + x] - F(middle)
        start_series(offset, sigma[k, x0:x1], s, above, up, down, fall)
        for x in range(n):
            above[x] *= flux[k, x0 + x]
        below[:] = above
        for j in range(HALF_ROWS + 1):
            if j > 0:
                advance(above, up, fall)
                advance(below, down, fall)
            if 0 <= middle + j < nrow:
                _add_light(above, s, offset, F(j), out[middle + j, x0:x1])
            if j > 0 and 0 <= middle - j < nrow:
                _add_light(below, s, offset, F(-j), out[middle - j, x0:x1])


@njit(fastmath=True, cache=True, nogil=True)
def _add_light(value: Array, s: Array, offset: Array, row: float, out: Array) -> None:
    for x in range(value.size):
        out[x] += value[x] * pixel_factor(row - offset[x], s[x])
