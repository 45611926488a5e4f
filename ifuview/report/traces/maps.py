"""Drawings of a diagnosis over fiber and column: residual map, shift along the wavelength, correlation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import DOT, NONE, SOLID, ColorMap, Curve, Figure, Rule, Scale, padded, robust
from ifuview.model.traces.doctor import TraceDiagnosis
from ifuview.report.figures import BLACK, SKY, VERMILION, draw_figure
from ifuview.report.traces.doctor_report import DoctorReport
from ifuview.report.traces.plots import COLUMN, FIBER, ZERO

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Page

CENTRAL = 98.0  # percent of the map that is inside the color scale
SMALLEST = 0.01  # px; half range of the color scale at least
PER_MEDIAN = 1.2533  # error of a median over that of a mean, Gaussian: sqrt(pi / 2)
FEW_BLOCKS = 12  # each with its number below it
MAX_BLOCKS = 24
PROFILES = "viridis"
MOST_CELLS = 800  # of the correlation heat map along each side; more are thinned out
UNSURE = 5.0  # times the usual error: values with more are left out of medians
ELSEWHERE = ("swapped", "merged", "index_shift", "lost", "dead")


def draw_residual(figure: Page, report: DoctorReport) -> bool:
    """Offset, and what is left of it without the modes; fibers with problems are marked at the side."""
    found = report.diagnosis
    if not np.isfinite(found.offset).any():
        return False
    left, right = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.06, right=0.91, top=0.93, bottom=0.09, wspace=0.24)
    marked = np.array(sorted({p.fiber for p in found.problems}), float)
    edges = np.flatnonzero(np.diff(found.block)) + 0.5
    rules = tuple(Rule(float(e), vertical=False, color=4, stroke=SOLID) for e in edges if edges.size <= 2 * MAX_BLOCKS)
    edge = found.column[-1] + 0.25 * _width(found)
    problems = Curve(np.full(marked.size, edge), marked, 1, "problem", NONE, DOT)
    for axes, values, title, y, curves, lines in (
        (left, found.offset, "light minus given trace", FIBER, (), rules),
        (right, found.residual, "without the shared patterns", "", (problems,) if marked.size else (), ()),
    ):
        bound = _bound(values[_near(found)])
        shown = ColorMap(values, _extent(found), (-bound, bound), "diverging", "px (positive: the light lies higher)")
        draw_figure(axes, Figure(title, Scale(COLUMN), Scale(y), curves, lines, map=shown), place="upper right")
    return True


def draw_wavelength(figure: Page, report: DoctorReport) -> bool:
    """Median offset of all fibers and of each block along the wavelength, and the median width."""
    found = report.diagnosis
    if not np.isfinite(found.offset).any():
        return False
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    figure.subplots_adjust(left=0.085, right=0.87, top=0.93, bottom=0.09, hspace=0.08)
    x, label = _abscissa(found)
    fine = np.ones(found.nfiber, bool)
    fine[[p.fiber for p in found.problems]] = False
    blocks = np.unique(found.block)
    curves, span = [], padded(np.nanmin(x), np.nanmax(x), 0.02)
    for color, block in zip(_shades(len(blocks)), blocks if 1 < len(blocks) <= MAX_BLOCKS else ()):
        middle, _ = _median(found.offset, found.offset_err, (found.block == block) & fine)
        curves.append(Curve(x, middle, color, f"block {block}"))
    middle, error = _median(found.offset, found.offset_err, fine)
    curves.append(Curve(x, middle, "text", "all fibers", SOLID, DOT, width=2, size=4, error=error))
    every = replace(curves[-1], y=np.concatenate([curve.y for curve in curves]), error=None)
    y = Scale("light minus trace (px)", robust((every,), 0.15, keep=(0.0,), least=0.3 * SMALLEST))
    title = "median shift along the wavelength (fibers with problems left out)"
    draw_figure(top, Figure(title, Scale("", span), y, tuple(curves), (ZERO,)))
    top.legend(loc="upper left", bbox_to_anchor=(1.005, 1.0), fontsize=7.5, ncols=1, borderaxespad=0)
    width, error = _median(found.width, found.width_err, fine)
    curve = Curve(x, width, 0, "", SOLID, DOT, size=4, error=error)
    draw_figure(bottom, Figure("", Scale(label, span), Scale("width (px)"), (curve,)))
    return True


def draw_correlation(figure: Page, report: DoctorReport) -> bool:
    """Heat map, eigenvalues with the edge, correlation against the distance, signs by block."""
    common = report.diagnosis.correlation
    if common is None:
        return False
    grid = figure.add_gridspec(3, 2, left=0.07, right=0.975, top=0.93, bottom=0.085, width_ratios=(1.6, 1),
                               hspace=0.55, wspace=0.42)  # fmt: skip
    axes = figure.add_subplot(grid[:, 0])
    number = len(common.matrix)
    step = -(-number // MOST_CELLS)
    extent = -0.5, number - 0.5, -0.5, number - 0.5
    shown = ColorMap(common.matrix[::step, ::step], extent, (-1.0, 1.0), "diverging", "correlation coefficient")
    draw_figure(axes, Figure("correlation of the residuals", Scale(FIBER), Scale(FIBER), map=shown))
    rank = np.arange(1.0, len(common.eigenvalues) + 1)
    curve = Curve(rank, common.eigenvalues, 0, "", SOLID, DOT, size=4)
    edge = Rule(common.edge, vertical=False, color=1, label=f"noise stays below {common.edge:.2f}")
    title = f"{common.above} eigenvalue{'s' if common.above != 1 else ''} above the noise"
    values = Figure(title, Scale("number", padded(1, rank.size, 0.03)), Scale("eigenvalue"), (curve,), (edge,))
    draw_figure(figure.add_subplot(grid[0, 1]), values, size=10)
    curve = Curve(common.distance, common.r, 0, "", NONE, DOT, size=4, error=common.r_err)
    x = Scale("distance (fibers)", padded(np.min(common.distance), np.max(common.distance), 0.05))
    r = Figure("by distance on the slit", x, Scale("correlation"), (curve,), (ZERO,))
    draw_figure(figure.add_subplot(grid[1, 1]), r, size=10)
    sign = figure.add_subplot(grid[2, 1])
    odd = np.nan_to_num(np.asarray(common.p_value, float), nan=1.0) < 0.001
    sign.bar(common.block, np.asarray(common.sign) - 0.5, bottom=0.5, color=np.where(odd, VERMILION, SKY))
    sign.axhline(0.5, color=BLACK, lw=0.8)
    if len(common.block) < FEW_BLOCKS:
        sign.set_xticks(common.block)
    else:
        sign.locator_params(axis="x", integer=True)
    sign.set(xlabel="block", ylabel="share positive", ylim=(-0.02, 1.02))
    sign.set_title("signs by block (red: chance below 0.1 %)", fontsize=10)
    return True


def _shades(count: int) -> list[str]:
    """Colors that rise with the number of the block."""
    import matplotlib
    from matplotlib.colors import to_hex

    return [to_hex(color) for color in matplotlib.colormaps[PROFILES](np.linspace(0, 0.92, max(count, 1)))]


def _near(found: TraceDiagnosis) -> Array:
    """Fibers whose trace lies on their own light; the others would spoil the color scale."""
    out = np.ones(found.nfiber, bool)
    out[[p.fiber for p in found.problems if p.kind in ELSEWHERE]] = False
    return out if out.any() else ~out


def _bound(values: Array) -> float:
    """Half range of the color scale."""
    good = np.abs(values[np.isfinite(values)])
    return max(float(np.percentile(good, CENTRAL)) if good.size else SMALLEST, SMALLEST)


def _width(found: TraceDiagnosis) -> float:
    """Width of a column bin, px."""
    return float(np.median(np.diff(found.column))) if len(found.column) > 1 else 1.0


def _extent(found: TraceDiagnosis) -> tuple[float, float, float, float]:
    """Edges of the map."""
    half = _width(found) / 2
    return float(found.column[0] - half), float(found.column[-1] + half), -0.5, found.nfiber - 0.5


def _abscissa(found: TraceDiagnosis) -> tuple[Array, str]:
    """Median wavelength of the bins, else the column."""
    if found.wave is not None and np.isfinite(found.wave).any():
        some = np.isfinite(found.wave).any(axis=0)
        wave = np.full(found.column.size, np.nan)
        wave[some] = np.nanmedian(found.wave[:, some], axis=0)
        return wave, "wavelength (Å)"
    return found.column, COLUMN


def _median(values: Array, errors: Array, rows: Array) -> tuple[Array, Array]:
    """Median over fibers at each bin and its error from the scatter."""
    sure = np.isfinite(values) & np.isfinite(errors)
    usual = float(np.median(errors[sure])) if sure.any() else 0.0
    part = np.where(sure & (errors <= UNSURE * usual), values, np.nan)[rows]
    count = np.isfinite(part).sum(axis=0)
    middle, spread = np.full(part.shape[1], np.nan), np.full(part.shape[1], np.nan)
    some = count > 0
    if some.any():
        middle[some] = np.nanmedian(part[:, some], axis=0)
        scatter = 1.4826 * np.nanmedian(np.abs(part[:, some] - middle[some]), axis=0)
        spread[some] = PER_MEDIAN * scatter / np.sqrt(count[some])
    return middle, spread
