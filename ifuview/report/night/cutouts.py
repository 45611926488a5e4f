"""One page of small pictures: exposures down, products across, the fiber and its trace marked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ifuview.files import whole_file
from ifuview.model.checks import Array
from ifuview.report.page import style
from ifuview.report.words import legible

CELL, MARGIN = 2.1, 1.1  # inches
DPI = 110
MOST_INCHES = 60.0
PERCENT = (2.0, 99.0)  # of the values between the limits of a picture


@dataclass(frozen=True, slots=True, eq=False)
class CutoutPanel:
    """One picture: names of its row and column, native pixels from (left, bottom), the place, and the trace."""

    row: str
    column: str
    pixels: Array
    left: int
    bottom: int
    at: tuple[float, float]
    trace: Array | None
    unit: str


def save_page(panels: tuple[CutoutPanel, ...], title: str, path: str) -> None:
    """Write PNG or PDF, by the suffix.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    from matplotlib.figure import Figure

    rows, columns = (list(dict.fromkeys(getattr(p, name) for p in panels)) for name in ("row", "column"))
    width, height = len(columns) * CELL + MARGIN, len(rows) * CELL + MARGIN
    scale = min(1.0, MOST_INCHES / max(width, height))
    with style(), whole_file(path, "the page") as part:
        figure = Figure(figsize=(max(width * scale, 5.0), height * scale), layout="constrained")
        figure.suptitle(title, fontweight="bold")
        axes = figure.subplots(len(rows), len(columns), squeeze=False)
        for axis in axes.flat:
            axis.set_axis_off()
        for panel in panels:
            _draw(axes[rows.index(panel.row)][columns.index(panel.column)], panel)
        for number, name in enumerate(columns):
            axes[0][number].set_title(name, fontsize=10)
        for number, name in enumerate(rows):
            axes[number][0].text(-0.08, 0.5, name, rotation=90, va="center", ha="right", fontsize=10,
                                 transform=axes[number][0].transAxes)  # fmt: skip
        legible(figure).savefig(Path(part), dpi=DPI * scale if path.lower().endswith(".png") else DPI)


def _draw(axis: object, panel: CutoutPanel) -> None:
    """A picture between its own limits."""
    ny, nx = panel.pixels.shape
    known = panel.pixels[np.isfinite(panel.pixels)]
    low, high = np.percentile(known, PERCENT) if known.size else (0.0, 1.0)
    extent = (panel.left - 0.5, panel.left + nx - 0.5, panel.bottom - 0.5, panel.bottom + ny - 0.5)
    axis.set_axis_on()  # type: ignore[attr-defined]
    axis.grid(False)  # type: ignore[attr-defined]
    axis.imshow(  # type: ignore[attr-defined]
        panel.pixels, origin="lower", extent=extent, vmin=low, vmax=max(high, low + 1e-12), cmap="gray",
        interpolation="nearest", aspect="equal",
    )  # fmt: skip
    if panel.trace is not None and len(panel.trace):
        axis.plot(*panel.trace.T, color="#ff9030", linewidth=1.0)  # type: ignore[attr-defined]
    else:
        axis.axhline(panel.at[1], color="#ff9030", linewidth=1.0)  # type: ignore[attr-defined]
    axis.plot(*panel.at, "+", color="#30c0ff", markersize=12, markeredgewidth=1.2)  # type: ignore[attr-defined]
    axis.set_xlim(extent[:2])  # type: ignore[attr-defined]
    axis.set_ylim(extent[2:])  # type: ignore[attr-defined]
    axis.tick_params(labelsize=6, length=2)  # type: ignore[attr-defined]
    axis.locator_params(nbins=3)  # type: ignore[attr-defined]
