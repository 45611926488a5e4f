"""The traces on the whole image, reduced, and zoom panels of the worst places in full resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.traces.doctor import TraceDiagnosis
from ifuview.model.traces.findings import fiber_words
from ifuview.report.figures import BLACK, BLUE, ORANGE, SKY, VERMILION
from ifuview.report.traces.doctor_report import DoctorReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PIXELS = 600  # of the reduced image, about
DRAWN = 40  # traces at most that are drawn on the whole image, besides the ones with problems
VERTICES = 48
ZOOMS = 4
ZOOM_ROWS, ZOOM_COLUMNS = 36, 300  # px of a zoom panel at least
ELSEWHERE = 2.0  # px; a given trace farther from its light is named, in red
TITLE = 32  # characters that fit above a panel
PALER = 1.8  # upper limit of the image over its brightest light
WIDEST = 1200  # px; wider panels would show nothing
ROW_STEP = 6.0  # px of dispersion a pixel of a wide panel is averaged over, about


def draw(figure: Figure, report: DoctorReport) -> bool:
    """The image on the left, panels on the right."""
    image = report.image
    if image is None:
        return False
    grid = figure.add_gridspec(2, 4, left=0.065, right=0.985, top=0.93, bottom=0.085, wspace=0.34, hspace=0.3)
    whole = figure.add_subplot(grid[:, :2])
    limits = _whole(figure, whole, report, image)
    for number, (title, row, column, half) in enumerate(places(report)):
        axes = figure.add_subplot(grid[number // 2, 2 + number % 2])
        zoom(axes, report, row, column, half, limits)
        axes.set_title(title if len(title) <= TITLE else f"{title[: TITLE - 1]}…", fontsize=8.5)
        x, y = column - half, row - ZOOM_ROWS / 2
        whole.plot([x, x + 2 * half, x + 2 * half, x, x], [y, y, y + ZOOM_ROWS, y + ZOOM_ROWS, y], color=ORANGE, lw=1.4)
        whole.annotate(str(number + 1), (x, y + ZOOM_ROWS), color=ORANGE, weight="bold", fontsize=11)
    return True


def reduced(image: Array, step: tuple[int, int]) -> Array:
    """Mean over boxes of `step` pixels; what does not fill a box at the end is left out."""
    a, b = step
    rows, columns = image.shape[0] // a * a, image.shape[1] // b * b
    part = np.asarray(image[:rows, :columns], dtype=np.float32)
    part = np.add.reduceat(part, np.arange(0, columns, b), axis=1) if b > 1 else part
    part = np.add.reduceat(part, np.arange(0, rows, a), axis=0) if a > 1 else part
    return np.asarray(part / (a * b))


def _whole(figure: Figure, axes: Axes, report: DoctorReport, image: Array) -> tuple[float, float]:
    """The reduced image with some traces; returns limits for the zoom panels."""
    step = (max(1, image.shape[0] // PIXELS), max(1, image.shape[1] // PIXELS))
    small = reduced(image, step)
    good = small[np.isfinite(small)]
    low, high = np.percentile(good, (2, 99)) if good.size else (0.0, 1.0)
    extent = (-0.5, small.shape[1] * step[1] - 0.5, -0.5, small.shape[0] * step[0] - 0.5)
    axes.imshow(small, origin="lower", aspect="auto", cmap="gray_r", vmin=low, vmax=_top(low, high), extent=extent)
    axes.grid(False)
    found = report.diagnosis
    bad = sorted({p.fiber for p in found.problems})
    every = max(1, found.nfiber // DRAWN)
    _lines(axes, found, [row for row in range(0, found.nfiber, every) if row not in bad], SKY, 0.5)
    _lines(axes, found, bad[:: max(1, len(bad) // DRAWN)], VERMILION, 1.2 if len(bad) <= DRAWN else 0.7)
    axes.set(
        xlabel="column along dispersion (px)", ylabel="row across dispersion (px)", xlim=extent[:2], ylim=extent[2:]
    )
    note = f"one trace in {every}" if every > 1 else "all traces"
    axes.set_title(f"{note}; red: fibers with problems", fontsize=9)
    middle = np.asarray(image[:, image.shape[1] // 2 :: max(1, image.shape[1] // 64)], dtype=np.float32)
    middle = middle[np.isfinite(middle)]
    full = np.percentile(middle, (2, 99.7)) if middle.size else (0.0, 1.0)
    return float(full[0]), float(full[1])


def _top(low: float, high: float) -> float:
    """Upper limit that leaves the light gray enough to draw on."""
    return max(low + 1e-6, low + PALER * (high - low))


def _lines(axes: Axes, found: TraceDiagnosis, rows: list[int], color: str, width: float) -> None:
    """Given traces of some fibers as thin lines."""
    from matplotlib.collections import LineCollection

    traces = found.given or found.measured
    column = np.unique(np.linspace(0, traces.ncol - 1, VERTICES).round().astype(int))
    lines = [np.column_stack([column, traces.center[row, column]]) for row in rows]
    axes.add_collection(LineCollection(lines, colors=color, linewidths=width))


def places(report: DoctorReport) -> list[tuple[str, float, float, float]]:
    """Title, row, column and half width of the zoom panels: the worst findings, else the corners and the middle."""
    found = report.diagnosis
    center = found.corrected.center
    out: list[tuple[str, float, float, float]] = []
    for one in report.findings:
        if not one.fibers or len(out) == ZOOMS:
            continue
        lo, hi = one.x_range
        column, half = (lo + hi) / 2, min(max((hi - lo) / 2, ZOOM_COLUMNS / 2), WIDEST / 2)
        fiber = one.fibers[len(one.fibers) // 2] if one.group == "mode" else one.fibers[0]
        row = center[fiber, int(np.clip(column, 0, found.corrected.ncol - 1))]
        near = any(abs(row - r) < ZOOM_ROWS / 3 and abs(column - c) < half for _, r, c, _ in out)
        if np.isfinite(row) and not near:
            out.append((f"{len(out) + 1}: {one.title}", float(row), column, half))
    for fiber, share in ((0, 0.1), (-1, 0.1), (0, 0.9), (found.nfiber // 2, 0.5)):
        column = share * found.corrected.ncol
        row = center[fiber, int(column)]
        if len(out) < ZOOMS and np.isfinite(row):
            name = found.name(fiber)
            out.append((f"{len(out) + 1}: at {fiber_words(name)}", float(row), column, ZOOM_COLUMNS / 2))
    return out


def zoom(
    axes: Axes, report: DoctorReport, row: float, column: float, half: float, limits: tuple[float, float] | None
) -> None:
    """A crop of the image with given (dashed) and corrected (solid) traces."""
    image, found = report.image, report.diagnosis
    ncross, ndisp = found.corrected.ncol, found.corrected.ncol
    if image is not None:
        ncross, ndisp = image.shape
    half = min(half, ndisp / 2)
    c0 = int(np.clip(column - half, 0, max(ndisp - 2 * half, 0)))
    c1 = min(int(c0 + 2 * half), ndisp)
    r0 = int(np.clip(row - ZOOM_ROWS / 2, 0, max(ncross - ZOOM_ROWS, 0)))
    r1 = min(r0 + ZOOM_ROWS, ncross)
    if image is not None:
        crop = image[r0:r1, c0:c1]
        step = max(1, int((c1 - c0) / ZOOM_COLUMNS * ROW_STEP / 2)) if c1 - c0 > ZOOM_COLUMNS else 1
        crop = reduced(crop, (1, step))
        good = crop[np.isfinite(crop)]
        darkest, own = np.percentile(good, (2, 99.5)) if good.size else (0.0, 1.0)
        low = limits[0] if limits else darkest
        extent = (c0 - 0.5, c0 + crop.shape[1] * step - 0.5, r0 - 0.5, r1 - 0.5)
        axes.imshow(crop, origin="lower", aspect="auto", cmap="gray_r", vmin=low, vmax=_top(low, own), extent=extent)
    axes.grid(False)
    at = np.unique(np.linspace(c0, c1 - 1, 2 * VERTICES).round().astype(int))
    for traces, line, color in ((found.corrected, "-", BLUE), (found.given, "--", VERMILION)):
        if traces is None:
            continue
        inside = np.flatnonzero((np.nanmax(traces.center[:, at], axis=1, initial=-np.inf) > r0 - 1)
                                & (np.nanmin(traces.center[:, at], axis=1, initial=np.inf) < r1))  # fmt: skip
        for fiber in inside:
            axes.plot(at, traces.center[fiber, at], line, color=color, lw=1.2)
            if traces is found.corrected and np.isfinite(traces.center[fiber, at[0]]):
                _name(axes, found.name(int(fiber)), c0, traces.center[fiber, at[0]], BLACK, "left")
            elif abs(traces.center[fiber, at[-1]] - found.corrected.center[fiber, at[-1]]) > ELSEWHERE:
                _name(axes, found.name(int(fiber)), c1, traces.center[fiber, at[-1]], VERMILION, "right")
    axes.set_xlim(c0 - 0.5, c1 - 0.5)
    axes.set_ylim(r0 - 0.5, r1 - 0.5)
    axes.tick_params(labelsize=8)
    axes.set_xlabel("column (px)", fontsize=8.5)
    axes.set_ylabel("row (px)", fontsize=8.5)


def _name(axes: Axes, name: str, x: float, y: float, color: str, side: str) -> None:
    """Fiber id at the end of its trace."""
    axes.annotate(name, (x, y), color=color, fontsize=6.5, va="center", ha=side,
                  bbox={"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.75})  # fmt: skip
