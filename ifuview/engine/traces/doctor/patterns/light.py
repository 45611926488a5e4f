"""Light of the fibers of an image: each against its neighbors, and a large part of them against the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.groups import TwoGroups, two_groups
from ifuview.engine.numeric.medians import median_along, robust_sigma
from ifuview.model.checks import Array

NEIGHBORS = 8  # fibers on each side for flux and width
MOST_DIM = 0.65  # of the fibers: more are the usual ones, and the others bright
FLAT_SCATTER = 0.2  # relative scatter of the fluxes above which they do not tell of throughput


def against_neighbors(value: Array, error: Array) -> tuple[Array, Array]:
    """Mean ratio of each fiber to the median of its neighbors, bin by bin, and its error."""
    n = value.shape[0]
    usual = running_median(value, NEIGHBORS)
    with np.errstate(invalid="ignore", divide="ignore"):
        noise = median_along(np.where(np.isfinite(error), error, np.nan).T)
        known = np.isfinite(value) & np.isfinite(error) & (usual > 5 * noise)
        ratio = np.where(known, value / usual, 0)
        weight = np.where(known, (usual / np.where(known, error, 1)) ** 2, 0)
    weight = np.where(np.isfinite(weight), weight, 0)
    total = weight.sum(axis=1)
    out, err = np.full(n, np.nan), np.full(n, np.nan)
    some = total > 0
    out[some] = (weight * ratio).sum(axis=1)[some] / total[some]
    err[some] = total[some] ** -0.5
    return out, err


def running_median(values: Array, half: int) -> NDArray[np.float64]:
    """Median over 2 half + 1 fibers, fewer at the ends, NaN ignored."""
    half = min(half, (values.shape[0] - 1) // 2)
    if half == 0:
        out: Array = np.array(values, np.float64)
        return out
    padded = np.pad(values, ((half, half), (0, 0)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0)
    sample = np.sort(windows, axis=-1)  # NaN last
    count = np.isfinite(sample).sum(axis=-1)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    take = np.take_along_axis
    high = np.minimum(high, sample.shape[-1] - 1)
    return (take(sample, low[..., None], -1)[..., 0] + take(sample, high[..., None], -1)[..., 0]) / 2


def dim_part(flux: Array, flux_err: Array) -> TwoGroups | None:
    """A large part of the fibers whose light is another part of that of the others; by logarithms of the fluxes.

    Among their neighbors they do not stand out. Neither kind may scatter by more than fibers of a flat do.
    """
    known = np.isfinite(flux) & np.isfinite(flux_err) & (flux_err > 0)
    weight = np.where(known, 1 / np.where(known, flux_err, 1) ** 2, 0)
    usual = np.where(known, flux, np.nan)
    usual = median_along(usual.T)  # of each bin, so that bins that few know do not count as dark or bright
    use = known & (usual > 0)
    total = np.where(use, weight * usual**2, 0).sum(axis=1)
    some = total > 0
    part = np.where(use, weight * usual * np.where(known, flux, 0), 0).sum(axis=1) / np.where(some, total, 1)
    lit = some & (part > 0)
    error = np.where(lit, np.where(some, total, 1) ** -0.5 / np.where(lit, part, 1), np.inf)
    logs = np.where(lit, np.log(np.where(lit, part, 1)), 0)
    groups = two_groups(logs, error, lit)
    if groups is None or groups.low.sum() > MOST_DIM * lit.sum():
        return None
    scatter = max(robust_sigma(logs[groups.low]), robust_sigma(logs[groups.high]))
    return groups if scatter < FLAT_SCATTER else None
