"""Fit of a few neighboring fibers in a band of the image, all pixels of all columns, about given traces.

In every column the fluxes of all fibers are solved together (tridiagonal, weights from the model's variance), and the
residual gives the normal equations of a common offset and width change per fiber and column bin, with the free
flux of each column projected out. Nothing is binned before the fit, so that a tilted trace is not smeared and bright
sky lines count for what they are worth. Gauss-Newton steps are repeated by the caller.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ifuview.engine.traces.fluxes import solve_fluxes
from ifuview.model.checks import Array

HALF_ROWS = 7  # rows on each side of a fiber that its model covers
FIT_ROWS = 4  # rows on each side that decide about center and width
SQRT1_2 = math.sqrt(0.5)
INV_SQRT_2PI = 1 / math.sqrt(2 * math.pi)
APART = 1 - 1e-4  # overlaps are taken so much smaller: two traces on one fiber stay solvable and share its light
NTERM = 9  # accumulated sums per fiber and bin
YY, YS, SS, BY, BS, NOISE_YY, NOISE_SS, CHI2, NPIX = range(NTERM)


@njit(cache=True, nogil=True, error_model="numpy")
def fit_step(
    band: Array,
    good: Array,
    center: Array,
    sigma: Array,
    binned: Array,
    floor: float,
    per_count: float,
    flux: Array,
    variance: Array,
    sums: Array,
    model: Array,
) -> None:
    """Solve the fluxes of every column and add up the normal equations of center and width.

    Parameters
    ----------
    band : float32 (nrow, ncol); good : bool (nrow, ncol)
    center, sigma : float64 (nfiber, ncol), px
        Rows of the band, fibers in rising order; NaN: fiber absent.
    binned : intp (ncol,)
        Bin of each column.
    floor, per_count : float
        Variance of a pixel = floor + per_count * model.
    flux : float64 (nfiber, ncol)
        In: fluxes that the variance is made from. Out: solved fluxes.
    variance : float64 (nfiber, ncol), out
        Exact marginal variance of the fluxes, inf where not measured.
    sums : float64 (nfiber, nbin, NTERM), out
    model : float32 (nrow, ncol), out
    """
    nrow, ncol = band.shape
    nfiber = center.shape[0]
    width = 2 * HALF_ROWS + 1
    light = np.zeros((nfiber, width))
    slope = np.zeros((nfiber, width))
    spread = np.zeros((nfiber, width))
    first = np.zeros(nfiber, np.int64)
    weight = np.zeros(nrow)
    diag, off, rhs, down, up = np.zeros(nfiber), np.zeros(nfiber), np.zeros(nfiber), np.zeros(nfiber), np.zeros(nfiber)
    total = np.zeros(nrow)
    sums[:] = 0.0
    for x in range(ncol):
        total[:] = 0.0
        for k in range(nfiber):
            first[k] = -1_000_000
            if not math.isfinite(center[k, x]):
                continue
            first[k] = math.floor(center[k, x] + 0.5) - HALF_ROWS
            s = sigma[k, x]
            a = (first[k] - 0.5 - center[k, x]) / s
            ea, ga = math.erf(a * SQRT1_2), math.exp(-0.5 * a * a)
            for j in range(width):
                b = a + 1 / s
                eb, gb = math.erf(b * SQRT1_2), math.exp(-0.5 * b * b)
                light[k, j] = 0.5 * (eb - ea)
                slope[k, j] = INV_SQRT_2PI * (ga - gb) / s
                spread[k, j] = INV_SQRT_2PI * (a * ga - b * gb) / s
                r = first[k] + j
                if 0 <= r < nrow:
                    total[r] += max(flux[k, x], 0.0) * light[k, j]
                a, ea, ga = b, eb, gb
        for r in range(nrow):
            weight[r] = 1 / (floor + per_count * total[r]) if good[r, x] else 0.0
        _normal(band, x, weight, light, first, diag, off, rhs)
        solve_fluxes(diag, off, rhs, 1.0, down, up, flux[:, x], variance[:, x])
        total[:] = 0.0
        for k in range(nfiber):
            for j in range(width):
                r = first[k] + j
                if 0 <= r < nrow:
                    total[r] += flux[k, x] * light[k, j]
        for r in range(nrow):
            model[r, x] = total[r]
        for k in range(nfiber):
            if first[k] >= -width and variance[k, x] < np.inf:
                _accumulate(
                    band, x, weight, total, light[k], slope[k], spread[k], first[k], flux[k, x], sums[k, binned[x]]
                )


@njit(cache=True, nogil=True)
def _normal(
    band: Array, x: int, weight: Array, light: Array, first: Array, diag: Array, off: Array, rhs: Array
) -> None:
    """Normal equations of the fluxes of one column; only next neighbors overlap."""
    nrow = band.shape[0]
    nfiber, width = light.shape
    for k in range(nfiber):
        diag[k] = off[k] = rhs[k] = 0.0
        for j in range(width):
            r = first[k] + j
            if not 0 <= r < nrow or weight[r] == 0.0:
                continue
            w = weight[r] * light[k, j]
            diag[k] += w * light[k, j]
            rhs[k] += w * band[r, x]
            if k + 1 < nfiber:
                other = r - first[k + 1]
                if 0 <= other < width:
                    off[k] += APART * w * light[k + 1, other]


@njit(cache=True, nogil=True, error_model="numpy")
def _accumulate(
    band: Array,
    x: int,
    weight: Array,
    total: Array,
    light: Array,
    slope: Array,
    spread: Array,
    first: int,
    flux: float,
    out: Array,
) -> None:
    """Add one fiber's equations of one column, its flux projected out."""
    nrow = band.shape[0]
    a11 = a12 = a13 = a22 = a23 = a33 = b1 = b2 = b3 = chi2 = 0.0
    npix = 0
    for j in range(HALF_ROWS - FIT_ROWS, HALF_ROWS + FIT_ROWS + 1):
        r = first + j
        if not 0 <= r < nrow or weight[r] == 0.0:
            continue
        w, residual = weight[r], band[r, x] - total[r]
        a11 += w * light[j] * light[j]
        a12 += w * light[j] * slope[j]
        a13 += w * light[j] * spread[j]
        a22 += w * slope[j] * slope[j]
        a23 += w * slope[j] * spread[j]
        a33 += w * spread[j] * spread[j]
        b1 += w * light[j] * residual
        b2 += w * slope[j] * residual
        b3 += w * spread[j] * residual
        chi2 += w * residual * residual
        npix += 1
    if npix < FIT_ROWS or a11 <= 0:
        return
    a22 -= a12 * a12 / a11
    a23 -= a12 * a13 / a11
    a33 -= a13 * a13 / a11
    out[YY] += flux * flux * a22
    out[YS] += flux * flux * a23
    out[SS] += flux * flux * a33
    out[BY] += flux * (b2 - a12 * b1 / a11)
    out[BS] += flux * (b3 - a13 * b1 / a11)
    out[NOISE_YY] += a22 / a11  # what the noise of the flux adds to YY
    out[NOISE_SS] += a33 / a11
    out[CHI2] += chi2
    out[NPIX] += npix
