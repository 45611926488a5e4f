"""How many lines of a given signal to noise are found: simulated ones are put into the data and looked for.

The signal to noise of a planted line is that of a filter which knows its place, wavelength and width and has the true
noise: that which the scatter of the data tells, with what stars have left. What such a filter would find above the
same threshold is given beside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.detect.doubts import usual_share
from ifuview.engine.spectra.detect.measure import LineFit, NearFibers, put
from ifuview.engine.spectra.detect.search import DetectParams, KnownSource, Search
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.reduction.detection import Completeness, FieldFibers, PointSpread

LOW, HIGH, BINS = 3.0, 12.0, 9  # signal to noise of what is planted
TOGETHER = 50  # lines in a field at once
APART, APART_WAVE = 7.0, 40.0  # arcsec, Angstrom: two lines are apart in one or the other
RIGHT, RIGHT_WAVE = 1.8, 5.0  # arcsec, Angstrom: found there, it is the line
WIDER = 1.08  # of an unresolved line, their width
INSIDE = 8.0  # Angstrom from the ends of the grid
TRIES = 200  # places tried for each line
COVERED = 0.6  # of what usable fibers catch in the middle of the field: where they catch less, no place is told


@dataclass(slots=True)
class PlantedLine:
    """A line that was put in: where, how bright, and how significant it is for a perfect filter."""

    theta: NDArray[np.float64]
    flux: float
    snr: float


def completeness(
    field: FieldFibers, seeing: PointSpread, grid: Array, known: tuple[KnownSource, ...] = (), *, count: int,
    seed: int = 0, params: DetectParams | None = None, ctx: JobContext = SILENT,
) -> Completeness:  # fmt: skip
    """Measure the share of simulated lines that are found.

    Parameters
    ----------
    field, seeing, grid, known, params
        As in `detect`.
    count : int
        Lines in all, put in some at a time, where usable fibers cover the field.
    seed : int

    Raises
    ------
    UsageError
        There is no place for lines: nothing is known of the field.
    """
    search = Search(field, seeing, np.asarray(grid, np.float64), params or DetectParams())
    search.prepare(known)
    rng = np.random.default_rng(seed)
    taken = [fit.theta for fit in search.copy().lines()]
    rows: list[tuple[float, ...]] = []
    for first in range(0, count, TOGETHER):
        ctx.checkpoint(first / count, "simulated lines")
        planted = _plant(search, taken, min(TOGETHER, count - first), rng)
        own = search.copy()
        for one in planted:
            put(own.light, LineFit(one.theta, one.flux, one.snr, np.zeros(0, np.intp)), one.flux)
        found = own.lines()
        rows += [_row(one, found) for one in planted]
    return binned(np.array(rows).reshape(-1, 8), search.significant)


def binned(lines: Array, threshold: float) -> Completeness:
    """Lines of one or more fields in bins of their signal to noise."""
    edge = np.linspace(LOW, HIGH, BINS + 1)
    which = np.clip(np.searchsorted(edge, lines[:, 4], side="right") - 1, 0, BINS - 1)
    planted = np.bincount(which, minlength=BINS)
    found = np.bincount(which, weights=lines[:, 5], minlength=BINS).astype(np.intp)
    chance = np.bincount(which, weights=ndtr(lines[:, 4] - threshold), minlength=BINS)
    return Completeness(edge[:-1], edge[1:], planted, found, chance / np.maximum(planted, 1), threshold, lines)


def _plant(search: Search, taken: list[Array], count: int, rng: np.random.Generator) -> list[PlantedLine]:
    """Lines at places of their own."""
    field, grid = search.field, search.grid
    sigma = WIDER * field.lsf
    out: list[PlantedLine] = []
    used = list(taken)
    for _ in range(TRIES * count):
        if len(out) == count:
            break
        theta = np.array([
            rng.uniform(field.x.min(), field.x.max()), rng.uniform(field.y.min(), field.y.max()),
            rng.uniform(grid[0] + INSIDE, grid[-1] - INSIDE), np.log(sigma),
        ])  # fmt: skip
        if any(np.hypot(*(theta[:2] - o[:2])) < APART and abs(theta[2] - o[2]) < APART_WAVE for o in used):
            continue
        around = NearFibers(search.light, theta[0], theta[1])
        each = around.sums(theta)[1]
        bottom = float(each.sum())
        if not bottom > 0 or around.share(theta)[each > 0].sum() < COVERED * usual_share(search.light):
            continue
        snr = rng.uniform(LOW, HIGH)
        used.append(theta)
        out.append(PlantedLine(theta, float(snr / np.sqrt(bottom)), float(snr)))
    if not out:
        raise UsageError("there is no place in the field for simulated lines")
    return out


def _row(one: PlantedLine, found: list[LineFit]) -> tuple[float, ...]:
    """What `Completeness.lines` has of a line."""
    near = [
        fit for fit in found
        if np.hypot(*(fit.theta[:2] - one.theta[:2])) < RIGHT and abs(fit.theta[2] - one.theta[2]) < RIGHT_WAVE
    ]  # fmt: skip
    best = max(near, key=lambda fit: fit.snr, default=None)
    told = (0.0, np.nan, np.nan) if best is None else (1.0, best.light[0], float(best.theta[2]))
    return (*(float(v) for v in one.theta[:3]), one.flux, one.snr, *told)
