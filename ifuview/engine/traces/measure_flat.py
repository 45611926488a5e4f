"""Centers, widths and fluxes of all fibers in binned columns: Gauss-Newton steps with every neighbor subtracted.

The profile is a pixel-integrated Gaussian, the weights come from the model's variance, and the error of a center is
that of the fit with free flux (and width): for the true width it is the Cramer-Rao bound.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.cores import spread
from ifuview.engine.traces.gaussian import advance, exp32, pixel_factor, start_series
from ifuview.model.checks import Array

FIT_ROWS = 4  # rows on each side that decide
MODEL_ROWS = 7  # rows on each side that a fiber's light is subtracted from
TILE = 64  # column bins worked on together: the model of a tile stays in the cache
MIN_SIGMA, MAX_SIGMA = 0.6, 4.0  # px
MAX_WIDTH_STEP, MAX_STEP = 0.3, 1.0  # px per round
NSUM = 9
FF, FY, YY, BF, BY, FS, YS, SS, BS = range(NSUM)
F: Any = np.float32  # kernels work in single precision
INV_SQRT_2PI = F(0.3989422804014327)


def refine(
    binned: Array,
    center: Array,
    sigma: Array,
    flux: Array,
    readnoise: float,
    width: int,
    *,
    fit_width: bool = False,
    ctx: JobContext = SILENT,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return center, sigma, flux and the error of the center after one step.

    Parameters
    ----------
    binned : ndarray of float32, shape (nrow, nbin), electron
        Means of `width` columns.
    center, sigma, flux : ndarray of float32, shape (nfiber, nbin)
        Start values.
    readnoise : float, electron
        Of one pixel.
    width : int
        Columns in a bin.
    fit_width : bool
        Let sigma vary.

    Returns
    -------
    center, sigma, flux, error : ndarray of float32, shape (nfiber, nbin)
        Error is inf where nothing can be measured; the start values then stand.
    """
    out = tuple(np.empty(center.shape, np.float32) for _ in range(4))
    nbin = binned.shape[1]

    def tile(b: int) -> None:
        _refine_tile(
            binned, center, sigma, flux, F(readnoise**2), F(1 / width), fit_width, b, min(b + TILE, nbin), *out
        )

    spread(tile, range(0, nbin, TILE), ctx=ctx, text="Measuring fiber centers")
    return out[0], out[1], out[2], out[3]


@njit(fastmath={"contract", "reassoc", "nsz", "arcp"}, cache=True, nogil=True, error_model="numpy")
def _refine_tile(
    binned: Array,
    center: Array,
    sigma: Array,
    flux: Array,
    floor: float,
    shrink: float,
    fit_width: bool,
    b0: int,
    b1: int,
    new_center: Array,
    new_sigma: Array,
    new_flux: Array,
    error: Array,
) -> None:
    """Model of all fibers in bins b0..b1-1, then one step of each fiber."""
    nfiber, n, nrow = center.shape[0], b1 - b0, binned.shape[0]
    width = 2 * MODEL_ROWS + 1
    model = np.zeros((nrow, n), np.float32)
    light = np.empty((nfiber, width, n), np.float32)
    middle = np.empty((nfiber, n), np.int32)
    offset, s, fall = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.float32)
    above, below = np.empty(n, np.float32), np.empty(n, np.float32)
    up, down = np.empty(n, np.float32), np.empty(n, np.float32)
    for k in range(nfiber):
        for x in range(n):
            row = math.floor(center[k, b0 + x] + F(0.5))
            middle[k, x] = min(max(row, MODEL_ROWS), nrow - 1 - MODEL_ROWS)
            offset[x] = min(max(center[k, b0 + x] - F(middle[k, x]), F(-MODEL_ROWS)), F(MODEL_ROWS))
        start_series(offset, sigma[k, b0:b1], s, above, up, down, fall)
        below[:] = above
        for j in range(MODEL_ROWS + 1):
            if j > 0:
                advance(above, up, fall)
                advance(below, down, fall)
                _store_row(below, s, offset, F(-j), light[k, MODEL_ROWS - j])
            _store_row(above, s, offset, F(j), light[k, MODEL_ROWS + j])
        for j in range(width):
            for x in range(n):
                model[middle[k, x] + j - MODEL_ROWS, x] += flux[k, b0 + x] * light[k, j, x]
    sums = np.empty((NSUM, n), np.float32)
    residual, weight = np.empty(n, np.float32), np.empty(n, np.float32)
    edge, ratio = np.empty(n, np.float32), np.empty(n, np.float32)
    for k in range(nfiber):
        for x in range(n):
            q = F(1) / (sigma[k, b0 + x] * sigma[k, b0 + x])
            offset[x] = min(max(center[k, b0 + x] - F(middle[k, x]), F(-MODEL_ROWS)), F(MODEL_ROWS))
            a = F(-FIT_ROWS) - F(0.5) - offset[x]
            edge[x] = INV_SQRT_2PI / sigma[k, b0 + x] * exp32(F(-0.5) * a * a * q)
            ratio[x] = exp32(-(a + F(0.5)) * q)
            fall[x] = exp32(-q)
        sums[:] = F(0)
        for j in range(-FIT_ROWS, FIT_ROWS + 1):
            for x in range(n):
                row = middle[k, x] + j
                weight[x] = model[row, x]
                residual[x] = binned[row, b0 + x] - model[row, x]
            _add_row(
                light[k, MODEL_ROWS + j], flux[k, b0:b1], sigma[k, b0:b1], offset, F(j), residual, weight, floor,
                edge, ratio, fall, fit_width, sums,
            )  # fmt: skip
        _step(
            sums, shrink, fit_width, center[k, b0:b1], sigma[k, b0:b1], flux[k, b0:b1],
            new_center[k, b0:b1], new_sigma[k, b0:b1], new_flux[k, b0:b1], error[k, b0:b1],
        )  # fmt: skip


@njit(fastmath=True, cache=True, nogil=True)
def _store_row(value: Array, s: Array, offset: Array, row: float, out: Array) -> None:
    for x in range(value.size):
        out[x] = value[x] * pixel_factor(row - offset[x], s[x])


@njit(fastmath={"contract", "reassoc", "nsz", "arcp"}, cache=True, nogil=True, error_model="numpy")
def _add_row(
    light: Array,
    flux: Array,
    sigma: Array,
    offset: Array,
    row: float,
    residual: Array,
    level: Array,
    floor: float,
    edge: Array,
    ratio: Array,
    fall: Array,
    fit_width: bool,
    sums: Array,
) -> None:
    """One row of one fiber: derivatives from the Gaussian at the pixel's two edges."""
    for x in range(light.size):
        upper = edge[x] * ratio[x]
        ratio[x] *= fall[x]
        w = F(1) / (floor + max(level[x], F(0)))
        p, f = light[x], flux[x]
        gy = f * (edge[x] - upper)
        wp, wg = w * p, w * gy
        sums[FF, x] += wp * p
        sums[FY, x] += wp * gy
        sums[YY, x] += wg * gy
        sums[BF, x] += wp * residual[x]
        sums[BY, x] += wg * residual[x]
        if fit_width:
            a = row - F(0.5) - offset[x]
            gs = f * (a * edge[x] - (a + F(1)) * upper) / sigma[x]
            sums[FS, x] += wp * gs
            sums[YS, x] += wg * gs
            sums[SS, x] += w * gs * gs
            sums[BS, x] += w * gs * residual[x]
        edge[x] = upper


@njit(cache=True, nogil=True, error_model="numpy")
def _step(
    sums: Array,
    shrink: float,
    fit_width: bool,
    center: Array,
    sigma: Array,
    flux: Array,
    new_center: Array,
    new_sigma: Array,
    new_flux: Array,
    error: Array,
) -> None:
    """Solve the 2 x 2 or 3 x 3 equations of each bin and take a bounded step."""
    for x in range(center.size):
        a, b, c, u, v = sums[FF, x], sums[FY, x], sums[YY, x], sums[BF, x], sums[BY, x]
        if fit_width:
            d, e, g, t = sums[FS, x], sums[YS, x], sums[SS, x], sums[BS, x]
            m00, m01, m02 = c * g - e * e, d * e - b * g, b * e - c * d
            m11, m12, m22 = a * g - d * d, b * d - a * e, a * c - b * b
            det = a * m00 + b * m01 + d * m02
            df = (m00 * u + m01 * v + m02 * t) / det
            dy = (m01 * u + m11 * v + m12 * t) / det
            ds = (m02 * u + m12 * v + m22 * t) / det
            square = m11 / det * shrink
        else:
            det = a * c - b * b
            df, dy, ds = (c * u - b * v) / det, (a * v - b * u) / det, F(0)
            square = a / det * shrink
        if square > 0 and math.isfinite(df) and math.isfinite(dy) and math.isfinite(ds):
            new_flux[x] = flux[x] + df
            new_center[x] = center[x] + min(max(dy, F(-MAX_STEP)), F(MAX_STEP))
            new_sigma[x] = sigma[x] + min(max(ds, F(-MAX_WIDTH_STEP)), F(MAX_WIDTH_STEP))
            new_sigma[x] = min(max(new_sigma[x], F(MIN_SIGMA)), F(MAX_SIGMA))
            error[x] = math.sqrt(square)
        else:
            new_flux[x], new_center[x], new_sigma[x], error[x] = flux[x], center[x], sigma[x], F(np.inf)
