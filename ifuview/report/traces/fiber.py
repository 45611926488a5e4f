"""The page of one bad fiber: image around it, light minus trace, width and flux along the columns, and the words."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.figure import Scale
from ifuview.model.traces.doctor import Problem, TraceDiagnosis
from ifuview.model.traces.findings import fiber_words, findings
from ifuview.model.verdict import Verdict, as_state
from ifuview.report.figures import BLACK, GREEN, VERMILION, draw_figure
from ifuview.report.traces.doctor_report import DoctorReport
from ifuview.report.traces.evidence import offsets
from ifuview.report.traces.image import zoom
from ifuview.report.words import MARKS, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WRAP = 120  # characters


def worst_fibers(found: TraceDiagnosis, most: int) -> tuple[int, ...]:
    """Rows of the worst fibers, one of each group of alike ones first."""
    groups = [f.fibers for f in findings(found) if f.group == "fiber" and f.verdict is not Verdict.PASS]
    first = [fibers[0] for fibers in groups]
    rest = [fiber for fibers in groups for fiber in fibers[1:]]
    return tuple(dict.fromkeys((*first, *rest)))[:most]


def draw_fiber(figure: Figure, report: DoctorReport, row: int) -> None:
    """Draw the page."""
    found = report.diagnosis
    grid = figure.add_gridspec(
        3, 1, left=0.085, right=0.925, top=0.84, bottom=0.08, height_ratios=(1.7, 2, 1.1), hspace=0.12
    )
    problems = [p for p in found.problems if p.fiber == row]
    y = 0.965
    figure.text(0.02, y, plain(fiber_words(found.fiber_id[row], "Fiber")), size=13, weight="bold", va="top")
    for problem in problems[:3]:
        sign, _, color = MARKS[as_state(problem.verdict)]
        for line in textwrap.wrap(f"{sign} {plain(problem.text)}", WRAP)[:2]:
            y -= 0.033
            figure.text(0.02, y, line, size=10, color=color, va="top")
    column = _place(found, row, problems)
    image = figure.add_subplot(grid[0])
    center = found.corrected.center[row, int(column)]
    if not np.isfinite(center):
        center = np.nanmedian(found.corrected.center)
    zoom(image, report, float(center), found.corrected.ncol / 2, found.corrected.ncol / 2, None)
    image.set_title("given (red, dashed) and corrected (blue) traces on the image", fontsize=10)
    image.set_xlabel("")
    image.tick_params(labelbottom=False)
    _draw_offsets(figure.add_subplot(grid[1], sharex=image), found, row, problems)
    _flux(figure.add_subplot(grid[2], sharex=image), found, row)


def _place(found: TraceDiagnosis, row: int, problems: list[Problem]) -> float:
    """Column in the middle of the first problem."""
    low, high = problems[0].x_range if problems else (0.0, found.corrected.ncol - 1.0)
    return float(np.clip((low + high) / 2, 0, found.corrected.ncol - 1))


def _draw_offsets(axes: Axes, found: TraceDiagnosis, row: int, problems: list[Problem]) -> None:
    """Light minus trace along the columns that the image above shows."""
    figure = offsets(found, row, problems[0].x_range if problems else None)
    draw_figure(axes, replace(figure, title="", x=Scale("", axes.get_xlim())), columns=4)
    axes.set_ylabel("light minus trace (px)")
    axes.tick_params(labelbottom=False)
    if not np.isfinite(found.offset[row]).any():
        axes.text(0.5, 0.5, "not measured: no light in this fiber", transform=axes.transAxes, ha="center", size=11)


def _flux(axes: Axes, found: TraceDiagnosis, row: int) -> None:
    """Flux of the fiber with the median of its block, width on the other axis; no dock has two axes in one figure."""
    axes.errorbar(found.column, found.flux[row], yerr=found.flux_err[row], fmt=".", color=BLACK, ms=4, lw=0.8)
    same = found.block == found.block[row]
    with np.errstate(invalid="ignore"):
        known = np.where(np.isfinite(found.flux[same]), found.flux[same], np.nan)
        middle = np.nanmedian(known, axis=0) if np.isfinite(known).any(axis=0).all() else None
    if middle is not None:
        axes.plot(found.column, middle, color=GREEN, lw=1.2, ls="--")
    axes.set_ylabel("flux (per column)\ndashed: block", fontsize=8.5)
    axes.set_xlabel("column along dispersion (px)")
    twin = axes.twinx()
    twin.plot(found.column, found.width[row], "x", color=VERMILION, ms=4)
    twin.set_ylabel("width (px), crosses", color=VERMILION, fontsize=8.5)
    twin.grid(False)
