"""Smoothing of the pixels in view: separable boxcar and Gaussian by plain numpy, NaN-aware."""

from __future__ import annotations

import numpy as np

from ifuview.app.frames.look import Smooth
from ifuview.model.checks import Array
from ifuview.model.pixels import Floats

GAUSS_REACH = 3.0  # half width of the Gaussian kernel, sigma
MAX_REACH = 64  # px


def kernel(smooth: Smooth, radius: float) -> Floats:
    """Return the normalized one-dimensional kernel: half width (boxcar) or sigma (Gaussian) is `radius` px."""
    if smooth is Smooth.NONE or radius <= 0:
        return np.ones(1, np.float32)
    if smooth is Smooth.BOXCAR:
        reach = min(max(round(radius), 1), MAX_REACH)
        weights = np.ones(2 * reach + 1)
    else:
        reach = min(max(int(np.ceil(GAUSS_REACH * radius)), 1), MAX_REACH)
        weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def smoothed(values: Floats, kernel_x: Array, kernel_y: Array) -> Floats:
    """Return `values` convolved along both axes; NaN and the outside carry no weight, NaN stays NaN."""
    bad = np.isnan(values)
    clean = np.where(bad, np.float32(0), values)
    total = _along(_along(clean, kernel_y, 0), kernel_x, 1)
    if bad.any():
        weight = _along(_along((~bad).astype(np.float32), kernel_y, 0), kernel_x, 1)
    else:
        ones = [np.ones((n, 1), np.float32) for n in values.shape]
        weight = _along(ones[0], kernel_y, 0) * _along(ones[1], kernel_x, 0).T
    with np.errstate(divide="ignore", invalid="ignore"):
        out = total / weight
    out[bad] = np.nan
    return out


def _along(values: Floats, weights: Array, axis: int) -> Floats:
    """Convolve with a symmetric kernel along one axis, zero outside."""
    reach = len(weights) // 2
    if reach == 0:
        return values
    out = values * weights[reach]
    part = np.empty_like(out)
    moved, source, scratch = (a if axis == 0 else a.T for a in (out, values, part))
    n = moved.shape[0]
    for k in range(1, min(reach, n - 1) + 1):
        for to, take in ((slice(k, n), slice(0, n - k)), (slice(0, n - k), slice(k, n))):
            np.multiply(source[take], weights[reach + k], out=scratch[to])
            moved[to] += scratch[to]
    return out
