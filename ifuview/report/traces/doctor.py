"""The diagnosis of traces as files: one page to read, one to print, and the figures as pictures.

To add a figure, write a function `(figure, report) -> bool` and its line in FIGURES; to add a format, a module with a
function `(report, drawn, folder)` and its line in WRITERS. Every figure is drawn once for all formats.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.files import told
from ifuview.model.traces.findings import fiber_words
from ifuview.report.page import as_png
from ifuview.report.traces.doctor_report import DPI, SIZE, DoctorReport, Drawn, style
from ifuview.report.traces.fiber import draw_fiber, worst_fibers

WORST_FIBERS = 5
FORMATS = ("html", "pdf", "png")


@dataclass(frozen=True, slots=True)
class FigureEntry:
    """One figure: name of its file, title, what it shows in one sentence, and "module:function" that draws it."""

    name: str
    title: str
    caption: str
    draw: str


FIGURES: tuple[FigureEntry, ...] = (
    FigureEntry("traces_on_image", "Traces on the image",
                "Given traces (dashed) and corrected traces (solid) on the image; the panels show the worst places.",
                "traces.image:draw"),
    FigureEntry("residual_map", "Light minus trace",
                "Measured center minus given trace by fiber and column, before and after the patterns that all fibers "
                "share are taken away. Gray: not measured.", "traces.maps:draw_residual"),
    FigureEntry("modes", "Patterns that many fibers share",
                "Amplitude of each pattern with its error, and its significance against the limit.",
                "traces.plots:draw_modes"),
    FigureEntry("wavelength_shifts", "Shift along the wavelength",
                "Median over all fibers and over each block, with the error of the median.",
                "traces.maps:draw_wavelength"),
    FigureEntry("correlation", "What the residuals have in common",
                "Correlation of the residuals of every two fibers, its eigenvalues against the edge of pure noise, and "
                "its mean by distance on the slit.", "traces.maps:draw_correlation"),
    FigureEntry("spacing", "Spacing against the comb",
                "Distance to the next fiber as given and as measured, and the measured place in the comb of its block.",
                "traces.plots:draw_spacing"),
    FigureEntry("extraction_impact", "What it does to extracted spectra",
                "Share of flux that is lost, and share that comes in from the neighbors, with the given and with "
                "perfect traces.", "traces.plots:draw_impact"),
    FigureEntry("crosstalk", "Crosstalk of the extraction",
                "Share of the flux of the neighbors that each fiber's spectrum contains.",
                "traces.plots:draw_crosstalk"),
)  # fmt: skip

# format -> "module:function" (report, drawn figures, folder) -> names of the files written
WRITERS: dict[str, str] = {
    "png": "traces.pages:write_pngs",
    "pdf": "traces.pages:write_pdf",
    "html": "traces.html:write_html",
}


def write_doctor(
    report: DoctorReport,
    folder: str | os.PathLike[str],
    formats: Iterable[str] = FORMATS,
    ctx: JobContext = SILENT,
) -> tuple[str, ...]:
    """Write the report of a diagnosis into an existing folder; each file appears whole or not at all.

    Parameters
    ----------
    report : DoctorReport
    folder : str or path
    formats : iterable of str
        Of "html" (report.html), "pdf" (report.pdf), "png" (figures/*.png).
    ctx : JobContext

    Returns
    -------
    tuple of str
        Paths of the files, relative to `folder`.

    Raises
    ------
    UsageError
        Unknown format, or the folder cannot be written.
    """
    wanted = tuple(dict.fromkeys(formats))
    unknown = [name for name in wanted if name not in WRITERS]
    if unknown:
        raise UsageError(f"there is no report format {unknown[0]!r}", todo=f"choose of {', '.join(WRITERS)}")
    target = Path(folder)
    if not os.path.isdir(target) or not os.access(target, os.W_OK):
        raise UsageError("the report cannot be written there", str(folder), "choose another folder")
    if not wanted:
        return ()
    written: list[str] = []
    with style():
        drawn = draw_all(report, ctx.part(0.0, 0.7))
        for number, name in enumerate(wanted):
            ctx.checkpoint(0.7 + 0.3 * number / len(wanted), f"Writing {name}")
            with told(folder, "the report", "choose another folder"):
                written += _function(WRITERS[name])(report, drawn, target)
    return tuple(written)


def draw_all(report: DoctorReport, ctx: JobContext = SILENT) -> tuple[Drawn, ...]:
    """Draw all figures for which something was measured, and the pages of the worst fibers."""
    from matplotlib.figure import Figure

    out = []
    rows = worst_fibers(report.diagnosis, WORST_FIBERS)
    total = len(FIGURES) + len(rows)
    for number, entry in enumerate(FIGURES):
        ctx.checkpoint(number / total, f"Drawing: {entry.title}")
        figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
        if _function(entry.draw)(figure, report):
            out.append(Drawn(entry.name, entry.title, entry.caption, figure, as_png(figure)))
    for number, row in enumerate(rows):
        name = report.diagnosis.fiber_id[row]
        ctx.checkpoint((len(FIGURES) + number) / total, f"Drawing: fiber {name}")
        figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
        draw_fiber(figure, report, row)
        caption = "The image around the fiber, light minus trace, width and flux along the columns."
        out.append(
            Drawn(
                f"fiber_{safe(report.diagnosis.name(row))}", fiber_words(name, "Fiber"), caption, figure, as_png(figure)
            )
        )
    return tuple(out)


def safe(name: str) -> str:
    """A fiber id as part of a file name."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:40]


def _function(place: str) -> Callable[..., Any]:
    """The function that "module:function" of this package names."""
    module, name = place.split(":")
    return getattr(import_module(f"ifuview.report.{module}"), name)  # type: ignore[no-any-return]
