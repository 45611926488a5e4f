"""The plots of a photon list on the report page: light curves, spectra, histograms and intervals of its selections."""

from __future__ import annotations

from typing import Any

import numpy as np

from ifuview.model.report import PlotCurve, PlotPanel, ReportInput
from ifuview.report.words import plain

LINES = {"solid": ("-", 1.6, 1.0), "dashed": ("--", 1.2, 1.0), "dotted": (":", 1.4, 1.0), "fine": ("-", 0.6, 0.35)}
BAND_ALPHA = 0.2
LOWEST = 0.5  # of a logarithmic axis of counts
ROW = 0.075  # height of a line of text in parts of the axes


def draw_plot(axes: Any, panel: PlotPanel) -> None:
    """One plot."""
    axes.set_title(plain(panel.title))
    axes.set_xlabel(plain(panel.xlabel))
    axes.set_ylabel(plain(panel.ylabel))
    if not panel.curves:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", va="center", color="#666666")
        axes.set_xticks([])
        axes.set_yticks([])
        return
    for curve in panel.curves:
        _draw_curve(axes, curve)
    if panel.log_x:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(_decade)
    if panel.log_y:
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(bottom=LOWEST)
        axes.yaxis.set_major_formatter(_decade)
    x = np.concatenate([curve.x for curve in panel.curves])
    if x.min() < x.max():
        axes.set_xlim(float(x.min()), float(x.max()))
    for row, (color, words) in enumerate(panel.text):
        left = panel.log_x
        axes.text(0.02 if left else 0.98, 0.93 - ROW * row, plain(words), transform=axes.transAxes, color=color,
                  ha="left" if left else "right", va="center", fontsize=11)  # fmt: skip


def _decade(value: float, _place: int | None = None) -> str:
    """A tick of a logarithmic axis; the page knows no formulas."""
    return f"{value:g}"


def _draw_curve(axes: Any, curve: PlotCurve) -> None:
    """A line with its errors."""
    style, width, alpha = LINES[curve.style]
    axes.plot(curve.x, curve.y, style, lw=width, alpha=alpha, color=curve.color)
    if curve.low is not None and curve.high is not None:
        axes.fill_between(curve.x, curve.low, curve.high, color=curve.color, alpha=BAND_ALPHA, lw=0)
    if curve.bars is not None:
        x, y, error = curve.bars
        axes.errorbar(x, y, error, fmt="none", ecolor=curve.color, lw=1)


def draw_selections(axes: Any, report: ReportInput) -> None:
    """What the plots show, each in its color; `axes` is blank, its units pixels."""
    from ifuview.report.words import paragraphs

    paragraphs(axes, "Selections", report.selections, report.notes)
