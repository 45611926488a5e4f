"""Corrected traces: the given ones without what is significantly wrong, and nothing else.

Modes are taken out as modes; a fiber with a problem of its own gets a smooth curve through its measured centers; a
scatter of single fibers that stands out of noise and misfit is taken out in the share that is signal (empirical Bayes).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.traces.doctor.patterns.equations import own_scatter
from ifuview.engine.traces.doctor.patterns.light import running_median
from ifuview.engine.traces.doctor.patterns.shapes import MEMBERS
from ifuview.model.checks import Array

WINDOW = 1.5  # bins, width of the kernel of the local parabola
JITTER_MIN = 0.01  # px; a smaller scatter of single fibers is left alone
JITTER_SIGMA = 6.0
LEVEL_TOO = 3.0  # model floors
JITTER_NEIGHBORS = 6  # fibers on each side that a fiber's mean is compared with
FEWEST = 4  # fibers that tell of a scatter
REMEASURED = ("offset", "kink", "lost", "swapped", "merged", "index_shift")
FEW_BINS = 4


def smooth_curve(value: Array, error: Array) -> NDArray[np.float64]:
    """Return curves through measured bins: a weighted parabola about each; constant beyond the measured ones.

    Parameters
    ----------
    value, error : (..., nbin), px
        NaN where not measured; a row without any measured bin becomes zero.
    """
    shape = value.shape
    out = np.zeros((value.size // shape[-1], shape[-1]))
    _parabolas(np.ascontiguousarray(value, np.float64).reshape(out.shape),
               np.ascontiguousarray(error, np.float64).reshape(out.shape), out)  # fmt: skip
    return out.reshape(shape)


@njit(cache=True, nogil=True, error_model="numpy")
def _parabolas(value: Array, error: Array, out: Array) -> None:
    """Local parabolas of every row; their order falls where too few bins are measured."""
    nrow, n = value.shape
    for k in range(nrow):
        first, last, count = n, -1, 0
        for i in range(n):
            if math.isfinite(value[k, i]) and math.isfinite(error[k, i]) and error[k, i] > 0:
                first, last, count = min(first, i), i, count + 1
        if count == 0:
            continue
        for i in range(first, last + 1):
            reach = WINDOW
            while True:
                s0 = s1 = s2 = s3 = s4 = t0 = t1 = t2 = 0.0
                near = 0
                for j in range(first, last + 1):
                    if not (math.isfinite(value[k, j]) and math.isfinite(error[k, j]) and error[k, j] > 0):
                        continue
                    d = (j - i) / reach
                    if abs(d) > 4:
                        continue
                    near += abs(d) < 2
                    w = math.exp(-0.5 * d * d) / error[k, j] ** 2
                    s0 += w
                    s1 += w * d
                    s2 += w * d * d
                    s3 += w * d**3
                    s4 += w * d**4
                    t0 += w * value[k, j]
                    t1 += w * d * value[k, j]
                    t2 += w * d * d * value[k, j]
                if near >= min(FEW_BINS, count) or reach > n:
                    break
                reach *= 1.5
            det = s0 * (s2 * s4 - s3 * s3) - s1 * (s1 * s4 - s2 * s3) + s2 * (s1 * s3 - s2 * s2)
            if count >= FEW_BINS and det > 1e-9 * s0 * s2 * s4:
                out[k, i] = (t0 * (s2 * s4 - s3 * s3) - s1 * (t1 * s4 - t2 * s3) + s2 * (t1 * s3 - t2 * s2)) / det
            else:
                out[k, i] = t0 / s0
        for i in range(first):
            out[k, i] = out[k, first]
        for i in range(last + 1, n):
            out[k, i] = out[k, last]


def between(column: Array, curve: Array, ncol: int) -> NDArray[np.float64]:
    """A curve at all columns from its values at the bins: cubic, and constant beyond the outermost bins."""
    if column.size < FEW_BINS:
        return np.interp(np.arange(ncol), column, curve)
    from scipy.interpolate import PchipInterpolator

    x = np.clip(np.arange(ncol), column[0], column[-1])
    out: NDArray[np.float64] = PchipInterpolator(column, curve)(x)
    return out


def jitter(
    mean: Array, error: Array, usable: Array, block: Array, floor: float
) -> tuple[NDArray[np.float64], float, float]:
    """Return what single fibers are off by themselves, its rms beyond the noise and the error of that.

    Parameters
    ----------
    mean, error : (nfiber,), px
        Mean residual of each fiber.
    usable : bool (nfiber,)
    block : (nfiber,)
    floor : float, px
        Model floor: what neighbors share is taken out too if the scatter is much larger.

    Returns
    -------
    correction : (nfiber,), px
        Zero for all unless the rms exceeds JITTER_MIN.
    """
    none = np.zeros(mean.size)
    if usable.sum() < FEWEST:
        return none, float("nan"), float("nan")
    own = np.where(usable, mean, np.nan)
    level = np.zeros(mean.size)
    for b in np.unique(block):
        rows = np.flatnonzero(block == b)
        level[rows] = running_median(own[rows, None], JITTER_NEIGHBORS)[:, 0]
    own = own - level
    known = np.isfinite(own) & np.isfinite(error)
    if known.sum() < FEWEST:
        return none, float("nan"), float("nan")
    weight = np.where(known, 1 / np.where(known, error, 1) ** 2, 0)
    excess, excess_err = own_scatter(np.where(known, mean, 0)[:, None], weight[:, None], block)
    rms = float(np.sqrt(excess))
    noise = float(np.median(error[known]))
    rms_err = excess_err / (2 * rms) if rms > 0 else noise / np.sqrt(2 * known.sum())
    uncertain = excess_err / excess if excess > 0 else 1.0  # of the scatter by noise alone, too: few fibers tell little
    if rms < JITTER_MIN or excess < noise**2 * max(1.0, JITTER_SIGMA * uncertain):
        return none, rms, rms_err
    share = excess / (excess + np.where(known, error, 0) ** 2)
    floor = float(np.sqrt(max(floor**2 - excess / MEMBERS, 0.0)))  # the scatter moves the means of clusters too
    whole = own + (level if rms > LEVEL_TOO * floor else 0.0)
    return np.where(known, share * np.nan_to_num(whole), 0.0), rms, rms_err
