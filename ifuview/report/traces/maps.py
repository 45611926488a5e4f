"""Drawings of a diagnosis over fiber and column: residual map, shift along the wavelength, correlation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import ColorMap, Figure, Scale
from ifuview.model.traces.doctor import TraceDiagnosis
from ifuview.report.figures import BLACK, BLUE, ORANGE, SKY, VERMILION, draw_figure, ramp
from ifuview.report.traces.doctor_report import DoctorReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Page

CENTRAL = 98.0  # percent of the map that is inside the color scale
SMALLEST = 0.01  # px; half range of the color scale at least
PER_MEDIAN = 1.2533  # error of a median over that of a mean, Gaussian: sqrt(pi / 2)
FIBER = "fiber (row of the traces)"
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
    figure.subplots_adjust(left=0.07, right=0.985, top=0.93, bottom=0.2, wspace=0.07)
    for axes, values, title in (
        (left, found.offset, "light minus given trace"),
        (right, found.residual, "without the shared patterns"),
    ):
        bound = _bound(values[_near(found)])
        shown = axes.imshow(values, origin="lower", aspect="auto", cmap=ramp("diverging"), vmin=-bound, vmax=bound,
                            extent=_extent(found))  # fmt: skip
        axes.grid(False)
        axes.set_title(title)
        axes.set_xlabel("column along dispersion (px)")
        bar = figure.colorbar(shown, ax=axes, orientation="horizontal", pad=0.12, fraction=0.05, extend="both")
        bar.set_label("px (positive: the light lies at a larger row than the trace)", fontsize=9)
    left.set_ylabel("fiber (row of the traces)")
    marked = sorted({p.fiber for p in found.problems})
    if marked:
        edge = found.column[-1] + 0.5 * _width(found)
        right.plot(np.full(len(marked), edge), marked, "<", color=VERMILION, ms=5, clip_on=False, label="problem")
        right.legend(loc="upper right")
    _mark_blocks(left, found)
    return True


def draw_wavelength(figure: Page, report: DoctorReport) -> bool:
    """Median offset of all fibers and of each block along the wavelength, and the median width."""
    found = report.diagnosis
    if not np.isfinite(found.offset).any():
        return False
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    figure.subplots_adjust(left=0.085, right=0.87, top=0.93, bottom=0.09, hspace=0.08)
    x, label = _abscissa(found)
    problem = np.zeros(found.nfiber, bool)
    problem[[p.fiber for p in found.problems]] = True
    blocks = np.unique(found.block)
    colors = _shades(len(blocks))
    for number, block in enumerate(blocks if len(blocks) <= MAX_BLOCKS else ()):
        middle, _ = _median(found.offset, found.offset_err, (found.block == block) & ~problem)
        top.plot(x, middle, color=colors[number], lw=1.0, label=f"block {block}")
    middle, error = _median(found.offset, found.offset_err, ~problem)
    top.errorbar(x, middle, yerr=error, fmt="o-", color=BLACK, ms=3.5, lw=1.6, capsize=2, label="all fibers")
    top.axhline(0, color=BLACK, lw=0.8)
    _central_range(top)
    top.set_ylabel("light minus trace (px)")
    top.set_title("median shift along the wavelength (fibers with problems left out)")
    top.legend(loc="upper left", bbox_to_anchor=(1.005, 1.0), fontsize=7.5, ncols=1, borderaxespad=0)
    width, error = _median(found.width, found.width_err, ~problem)
    bottom.errorbar(x, width, yerr=error, fmt="s-", color=BLUE, ms=3, lw=1)
    bottom.set_ylabel("width (px)")
    bottom.set_xlabel(label)
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
    values = figure.add_subplot(grid[0, 1])
    values.plot(np.arange(1, len(common.eigenvalues) + 1), common.eigenvalues, "o-", color=BLUE, ms=3.5, lw=1)
    values.axhline(common.edge, color=VERMILION, ls="--", lw=1.2, label=f"noise stays below {common.edge:.2f}")
    values.set(xlabel="number", ylabel="eigenvalue")
    values.set_title(f"{common.above} eigenvalue{'s' if common.above != 1 else ''} above the noise", fontsize=10)
    values.legend()
    distance = figure.add_subplot(grid[1, 1])
    distance.errorbar(common.distance, common.r, yerr=common.r_err, fmt="o", color=BLUE, ms=3.5, lw=1)
    distance.axhline(0, color=BLACK, lw=0.8)
    distance.set(xlabel="distance (fibers)", ylabel="correlation")
    distance.set_title("by distance on the slit", fontsize=10)
    sign = figure.add_subplot(grid[2, 1])
    odd = np.nan_to_num(np.asarray(common.p_value, float), nan=1.0) < 0.001
    sign.bar(common.block, np.asarray(common.sign) - 0.5, bottom=0.5, color=np.where(odd, VERMILION, SKY))
    sign.axhline(0.5, color=BLACK, lw=0.8)
    sign.set(xlabel="block", ylabel="share positive", ylim=(-0.02, 1.02))
    sign.set_title("signs by block (red: chance below 0.1 %)", fontsize=10)
    return True


def _shades(count: int) -> Array:
    """Colors that rise with the number of the block."""
    import matplotlib

    return matplotlib.colormaps[PROFILES](np.linspace(0, 0.92, max(count, 1)))


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


def _mark_blocks(axes: Axes, found: TraceDiagnosis) -> None:
    """Ticks between the blocks."""
    edges = np.flatnonzero(np.diff(found.block)) + 0.5
    if 0 < len(edges) <= 2 * MAX_BLOCKS:
        axes.hlines(edges, *_extent(found)[:2], color=ORANGE, lw=0.4)


def _abscissa(found: TraceDiagnosis) -> tuple[Array, str]:
    """Median wavelength of the bins, else the column."""
    if found.wave is not None and np.isfinite(found.wave).any():
        with np.errstate(invalid="ignore"):
            return np.nanmedian(found.wave, axis=0), "wavelength (Å)"
    return found.column, "column along dispersion (px)"


def _central_range(axes: Axes) -> None:
    """Vertical range that holds nearly all points of the lines."""
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.get_lines()] or [np.zeros(1)])
    values = np.append(values[np.isfinite(values)], 0.0)
    low, high = np.percentile(values, (1, 99))
    margin = max(0.15 * (high - low), 0.3 * SMALLEST)
    axes.set_ylim(min(low, 0) - margin, max(high, 0) + margin)


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
