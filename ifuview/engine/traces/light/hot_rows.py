"""Rows of pixels along dispersion whose charge a fit took for the light of a fiber that seems to lie elsewhere.

Where the light of one fiber lies off while that of its neighbors does not, the fiber is fitted once more where its
neighbors say, with up to three rows of pixels left out. If that mends the fit wherever the rows cross the fiber, the
rows show charge of one sign, and the light beside them lies where it should, the rows are bad and the trace is not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ifuview.engine.numeric.medians import MAD_TO_SIGMA, median_along
from ifuview.engine.traces.light.light_fit import LightFit
from ifuview.model.checks import Array

SIDE = 12  # slots on each side that tell where the light of one should be
AWAY, BINS_AWAY = 0.08, 2  # px off there, in so many bins, is looked into
MEASURED = 0.9  # of the slots, in a bin in which one is not
MOST = 0.1  # of the slots: more are no matter of single rows
COLUMNS = 512  # that are looked at
REACH = 6  # rows on each side
WIDEST = 3  # rows that are bad together
RUNS = 3  # such bad rows on one fiber
RIDGE = 1e-9  # of the information, that keeps shapes outside of the strip at nothing
MISFIT = 0.05  # of the peak, of the profile
DARK = 0.05  # of the neighbors' light: such a fiber has none that rows could bend
LEAST = 2.0  # chi2 that a pixel left out must gain in each column, on average ...
TOTAL, SHORTEST = 400.0, 24  # ... in all, and px
ONE_SIGN = 0.8  # of the columns
MARGIN, ENDS = 16, 50  # px beyond both ends, and at least this part of the length
PARTS, AGREES = 4, 0.07  # of the length, in each of which the light beside the rows lies right; px


def hot_rows(columns: Array, good: Array, given: Array, fit: LightFit) -> list[tuple[int, int, int]]:
    """Rows that bend the light of a fiber, as (row, first column, last column).

    Parameters
    ----------
    columns : float32 (ncol, nrow); good : uint8 (ncol, nrow)
    given : (nslot, ncol), px
        Where the traces say; NaN where a slot has none.
    fit : LightFit
    """
    at = fit.column
    off = fit.center - np.array([np.interp(at, np.arange(row.size), row) for row in given])
    usual, width = _of_neighbors(off), _of_neighbors(fit.width)
    with np.errstate(invalid="ignore"):
        away = np.abs(off - usual) > AWAY + 3 * np.nan_to_num(fit.error)
    away |= ~np.isfinite(fit.center) & (np.isfinite(fit.center).mean(axis=0) > MEASURED)
    lit = np.nan_to_num(median_along(fit.flux)) > DARK * np.nan_to_num(median_along(_of_neighbors(fit.flux)))
    asked = np.flatnonzero((away.sum(axis=1) >= BINS_AWAY) & lit & np.isfinite(usual).any(axis=1))
    if asked.size > max(MOST * off.shape[0], 2):
        return []
    good = good.copy()
    out: list[tuple[int, int, int]] = []
    every = np.arange(columns.shape[0])
    path = {
        int(k): given[k] + _between(every, at, usual[k])
        for k in np.unique([asked - 1, asked, asked + 1])
        if 0 <= k < off.shape[0] and np.isfinite(usual[k]).any()
    }
    for k in asked.tolist():
        for _ in range(RUNS):
            found = _beside(columns, good, [path[j] for j in (k, k - 1, k + 1) if j in path],
                            _between(every, at, width[k]), fit.noise.floor, fit.noise.per_count)  # fmt: skip
            if found is None:
                break
            first_row, rows, first, last = found
            good[first : last + 1, first_row : first_row + rows] = 0
            out += [(row, first, last) for row in range(first_row, first_row + rows)]
    return out


def _of_neighbors(values: Array) -> Array:
    """Median of the slots on both sides, without the own, shape (nslot, nbin)."""
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(values, ((SIDE, SIDE), (0, 0)), constant_values=np.nan), 2 * SIDE + 1, axis=0
    )
    others = np.delete(around, SIDE, axis=2)
    return np.asarray(median_along(others.reshape(-1, 2 * SIDE)).reshape(values.shape))


def _between(x: Array, at: Array, values: Array) -> Array:
    known = np.isfinite(values)
    return np.interp(x, at[known], values[known]) if known.any() else np.full(x.size, np.nan)


def _beside(
    columns: Array, good: Array, paths: list[Array], width: Array, floor: float, per_count: float
) -> tuple[int, int, int, int] | None:
    """(first row, number of rows, first column, last column) that are bad beside the first of some paths."""
    known = np.flatnonzero(np.isfinite(paths[0]) & np.isfinite(width))
    x = known[:: max(1, known.size // COLUMNS)]
    if x.size < SHORTEST:
        return None
    rows = np.round(paths[0][x]).astype(np.intp)[:, None] + np.arange(-REACH, REACH + 1)
    inside = (rows >= 0) & (rows < columns.shape[1])
    at = np.clip(rows, 0, columns.shape[1] - 1)
    counts = columns[x[:, None], at].astype(np.float64)
    usable = inside & ((good[x[:, None], at] & 1) > 0) & np.isfinite(counts)
    shapes = [_pixels(rows, np.nan_to_num(path[x], nan=-1e6), width[x]) for path in paths]
    strip = _Strip(counts, usable, np.stack([*shapes, np.ones(rows.shape)], axis=2), floor, per_count)
    plain = strip.fit(usable)[1]
    best: tuple[float, int, int, slice] = (TOTAL, 0, 0, slice(0))
    for first in range(int(rows.min()), int(rows.max()) + 1):
        for number in range(1, WIDEST + 1):
            out = (rows >= first) & (rows < first + number) & usable
            if not out.any():
                continue
            gain = plain - strip.fit(usable & ~out)[1] - LEAST * out.sum(axis=1)
            total, where = _strongest(np.where(out.any(axis=1), gain, 0.0))
            if total > best[0]:
                best = (total, first, number, where)
    _, first, number, where = best
    if not number or not strip.innocent((rows >= first) & (rows < first + number), where):
        return None
    low, high = int(x[where][0]), int(x[where][-1])
    margin = max(MARGIN, (high - low) // ENDS)
    if high - low < SHORTEST:
        return None
    return first, number, max(low - margin, 0), min(high + margin, columns.shape[0] - 1)


def _pixels(rows: Array, center: Array, sigma: Array) -> Array:
    """Part of the light of a Gaussian that falls on each pixel."""
    edge = (rows - 0.5 - center[:, None]) / sigma[:, None]
    return np.asarray(ndtr(edge + 1 / sigma[:, None]) - ndtr(edge))


def _strongest(gain: Array) -> tuple[float, slice]:
    """The stretch with the largest sum, and that sum."""
    total = np.concatenate([[0.0], np.cumsum(gain)])
    lowest = np.minimum.accumulate(total)
    last = int(np.argmax(total - lowest))
    first = int(np.argmin(total[: last + 1]))
    return float(total[last] - total[first]), slice(first, last)


class _Strip:
    """Pixels about a path, and the light of the fiber, its neighbors and the background in each column."""

    def __init__(self, counts: Array, usable: Array, shapes: Array, floor: float, per_count: float) -> None:
        self.counts, self.usable, self.shapes = counts, usable, shapes
        self.noise = floor + per_count * np.maximum(counts, 0.0)

    def fit(self, use: Array, shapes: Array | None = None) -> tuple[Array, NDArray[np.float64]]:
        """Amounts of the shapes, (ncolumn, nshape), and chi2 of each column, of the pixels that are used."""
        shapes = self.shapes if shapes is None else shapes
        weight = np.where(use, 1 / self.noise, 0.0)
        normal = np.einsum("xri,xr,xrj->xij", shapes, weight, shapes)
        ridge = RIDGE * np.trace(normal, axis1=1, axis2=2) + 1e-30  # where nothing is used
        normal += ridge[:, None, None] * np.eye(shapes.shape[2])
        amounts = np.linalg.solve(normal, np.einsum("xri,xr->xi", shapes, weight * self.counts)[..., None])[..., 0]
        light = np.einsum("xri,xi->xr", shapes, amounts)
        rest = self.counts - light
        peak = np.abs(amounts[:, :1] * shapes[..., 0].max(axis=1, keepdims=True))
        misfit = MISFIT * np.maximum(peak, light)  # of the fiber, and of its neighbors where they are bright
        return amounts, np.sum(np.where(use, rest**2 / (self.noise + misfit**2), 0.0), axis=1)

    def innocent(self, bad: Array, where: slice) -> bool:
        """Whether rows show charge of one sign and the light beside them lies on the path, in all parts of it."""
        use = self.usable & ~bad
        amounts = self.fit(use)[0]
        charge = np.where(bad & self.usable, self.counts - np.einsum("xri,xi->xr", self.shapes, amounts), 0.0).sum(
            axis=1
        )
        charge = charge[where][(bad & self.usable)[where].any(axis=1)]
        if max(np.mean(charge > 0), np.mean(charge < 0)) < ONE_SIGN:
            return False
        slope = -np.gradient(self.shapes[..., 0], axis=1)
        amounts = self.fit(use, np.concatenate([self.shapes, slope[..., None]], axis=2))[0][where]
        lit = amounts[:, 0] > 0
        for part in np.array_split(amounts[lit, -1] / amounts[lit, 0], PARTS):
            error = (
                MAD_TO_SIGMA * np.median(np.abs(part - np.median(part))) / np.sqrt(max(part.size, 1))
                if part.size
                else 0
            )
            if part.size and abs(np.median(part)) > AGREES + 3 * error:
                return False
        return bool(lit.any())
