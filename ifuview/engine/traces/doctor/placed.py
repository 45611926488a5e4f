"""By how much all traces together lie beside their light, where that is farther than the fit can see.

Light tells the part of a spacing; of whole spacings it tells little, since each trace then lies on the light of a
neighbor and only the ends of the slit are missed. There the fibers are known by their places: no slit is so regular
that the distances of its fibers fit those of other fibers as well as their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import median_along, robust_sigma
from ifuview.engine.traces.light.slots import spacing_of, typical
from ifuview.model.checks import Array

COLUMNS = 64  # that are looked at
REACH = 3.2  # spacings, on both sides
STEP = 0.5  # px
FAR = 0.25  # spacings; nearer light is found by the fit
BETTER = 1.04  # light there over light on the given traces: neighbors' light is as bright, but for the ends of blocks
WHOLE = 3  # spacings that places are compared at
MISSED = 0.4  # traces more that must lie on light there: the end of the slit, of a whole spacing
LIT = 0.5  # of the usual counts
MORE = 1.5  # traces more that need no places: one may be of a dead fiber at the end
CLOSER = 0.7  # scatter of the places there over that here
TOLD_BY, LINE_BY = 3, 8  # fibers that tell by their places, and so many beyond a line through them
FINE = 256  # columns in which places are measured, by the mean of the light ...
SIDE, SEEN, FARTHEST = 3, 1.5, 1.5  # px: rows on each side, width of the Gaussian that weights them, ...
PARTS = 16  # ... and of so many parts of the columns the median


@dataclass(frozen=True, slots=True, eq=False)
class _Light:
    """Counts of some columns about the traces."""

    few: Array
    path: Array
    known: NDArray[np.bool_]

    def at(self, shift: float) -> NDArray[np.float64]:
        """Counts on the traces moved by so many px, (nfiber, ncolumn); NaN outside."""
        rows = np.round(np.nan_to_num(self.path) + shift).astype(np.intp)
        inside = self.known & (rows >= 0) & (rows < self.few.shape[1])
        values = self.few[np.arange(self.few.shape[0])[None], np.clip(rows, 0, self.few.shape[1] - 1)]
        return np.where(inside, values, np.nan)

    def mean(self, shift: float) -> NDArray[np.float64]:
        """Mean counts on each of the traces moved by so many px, (nfiber,)."""
        return np.asarray(np.nansum(self.at(shift), axis=1) / np.maximum(self.known.sum(axis=1), 1))

    def lit(self, shift: float, usual: float) -> float:
        """Number of traces that lie on light, moved by so many px: a step beside the peak is a loss of no trace."""
        return float((self.mean(shift) > LIT * usual).sum())

    def scatter(self, shift: float) -> float:
        """Scatter of the light about the moved traces beyond a shift, a scale and a rotation of all, px."""
        row = np.round(self.path + shift) - (self.path + shift)
        steps = np.arange(-SIDE, SIDE + 1)
        light = np.stack([self.at(shift + d) for d in steps])
        weight = np.where(np.isfinite(light).all(axis=0), np.exp(-0.5 * ((row + steps[:, None, None]) / SEEN) ** 2), 0)
        light = np.where(weight > 0, light * weight, 0)
        start = np.unique(np.linspace(0, row.shape[1], PARTS + 1).astype(int))[:-1]
        whole = np.add.reduceat(light.sum(axis=0), start, axis=1)
        pull = np.add.reduceat((light * (row + steps[:, None, None])).sum(axis=0), start, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            off = np.where(whole > 0, pull / whole, np.nan)
        off = median_along(np.where(np.abs(off) < FARTHEST, off, np.nan))  # a cosmic ray is in one part
        told = np.isfinite(off)
        if told.sum() < TOLD_BY:
            return np.nan
        place = median_along(self.path)[told]
        degree = 1 if told.sum() >= LINE_BY else 0
        rest = off[told] - np.median(off[told])
        for _ in range(2):  # without fibers that are off by themselves
            near = np.abs(rest) <= 3 * max(robust_sigma(rest), 1e-6)
            line = np.polynomial.polynomial.polyfit(place[near], off[told][near], degree)
            rest = off[told] - np.polynomial.polynomial.polyval(place, line)
        return float(robust_sigma(rest))


def common_shift(columns: Array, good: Array, center: Array) -> float:
    """Return the shift that brings all traces onto their light, px; 0 where they lie on it or near.

    Parameters
    ----------
    columns : float32 (ncol, nrow); good : uint8 (ncol, nrow)
    center : (nfiber, ncol), px
    """
    spacing = spacing_of(typical(center))
    if not np.isfinite(spacing):
        return 0.0
    seen = _light(columns, good, center, COLUMNS)
    shifts = np.arange(-REACH * spacing, REACH * spacing + STEP, STEP)
    shifts -= shifts[np.abs(shifts).argmin()]
    light = np.array([seen.mean(d) for d in shifts])
    usual = float(np.median(light, axis=1).max())
    if usual <= 0:
        return 0.0
    lit = np.clip(light / usual, 0, 1).sum(axis=1)  # traces on light
    window = max(FAR * spacing, STEP)
    given, best = _brightest(shifts, lit, 0.0, window), float(shifts[int(lit.argmax())])
    gain = lit.max() - lit[shifts == given][0]
    whole = abs(best / spacing - round(best / spacing)) < FAR
    if abs(best) <= window or lit.max() <= BETTER * (lit.max() - gain) or (whole and gain < MORE):
        best = given
    fine = _light(columns, good, center, FINE)
    enough = fine.lit(best, usual) + MISSED
    others = [_brightest(shifts, lit, best + k * spacing, window) for k in range(-WHOLE, WHOLE + 1) if k]
    others = [there for there in others if there == given or fine.lit(there, usual) >= enough]
    least = CLOSER * fine.scatter(best) if others else 0.0
    for there in others:
        scatter = fine.scatter(there)
        if scatter < least:
            best, least = there, scatter
    return 0.0 if abs(best) <= window else best


def _brightest(shifts: Array, lit: Array, near: float, window: float) -> float:
    """The shift with the most light within a window."""
    return float(shifts[np.where(np.abs(shifts - near) <= window, lit, -1).argmax()])


def _light(columns: Array, good: Array, center: Array, number: int) -> _Light:
    """The light of so many columns."""
    ncol = columns.shape[0]
    at = np.unique(np.round(np.linspace(0, ncol - 1, min(ncol, number))).astype(np.intp))
    few = np.where((good[at] & 1) > 0, columns[at], 0)
    return _Light(few - np.percentile(few, 10), center[:, at], np.isfinite(center[:, at]))
