"""The report as one PNG page, drawn by matplotlib without any window system."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ifuview.files import whole_file
from ifuview.model.frames.report import ReportInput
from ifuview.report import panels, words
from ifuview.report.figures import draw_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 2000  # px
HEIGHT = 2240  # px
DPI = 100
PNG_LEVEL = 4  # of compression; higher costs twice the time for a tenth of the size
PICTURE_DPI = 110  # of figures that are no whole page
STYLE: dict[str, object] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 12.0,
    "axes.titlesize": 14.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 12.0,
    "axes.linewidth": 1.0,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "legend.fontsize": 11.0,
    "legend.framealpha": 0.85,
    "text.parse_math": False,
    "axes.formatter.useoffset": False,
    "path.simplify": True,
}
# Parts of the page as (left, bottom, width, height) in fractions of it.
BOXES = {
    "header": (0.035, 0.955, 0.93, 0.035),
    "image": (0.06, 0.645, 0.52, 0.285),
    "colorbar": (0.588, 0.645, 0.009, 0.285),
    "colorbar alone": (0.588, 0.19, 0.009, 0.74),
    "image alone": (0.06, 0.19, 0.52, 0.74),
    "image wide": (0.06, 0.5, 0.868, 0.43),
    "colorbar wide": (0.938, 0.5, 0.009, 0.43),
    "verdicts wide": (0.06, 0.19, 0.905, 0.255),
    "verdicts": (0.655, 0.645, 0.315, 0.285),
    "beside": (0.06, 0.645, 0.25, 0.285),
    "verdicts alone": (0.655, 0.19, 0.315, 0.74),
    "section": (0.06, 0.435, 0.41, 0.155),
    "section alone": (0.06, 0.372, 0.41, 0.218),
    "evidence": (0.555, 0.372, 0.41, 0.218),
    "evidence alone": (0.06, 0.2, 0.905, 0.385),
    "residual": (0.06, 0.372, 0.41, 0.055),
    "offset": (0.555, 0.463, 0.41, 0.127),
    "width": (0.555, 0.372, 0.41, 0.075),
    "spectrum": (0.06, 0.19, 0.905, 0.135),
    "plot 1": (0.06, 0.425, 0.41, 0.165),
    "plot 2": (0.555, 0.425, 0.41, 0.165),
    "plot 3": (0.06, 0.195, 0.41, 0.165),
    "plot 4": (0.555, 0.195, 0.41, 0.165),
    "footer": (0.035, 0.012, 0.93, 0.135),
}
HIGH = 1.25  # height over width of an image that leaves room beside it
WIDE = 0.7  # of one that takes the whole width of a page that it has for itself
PLOTS = ("plot 1", "plot 2", "plot 3", "plot 4")


def write_png(report: ReportInput, path: str | os.PathLike[str]) -> None:
    """Write the page to a PNG file, 2000 px wide.

    Raises
    ------
    UsageError
        The file cannot be written; nothing is left behind then.
    """
    with style(), whole_file(path, "the report") as part:
        Path(part).write_bytes(as_png(draw(report), DPI, words.plain(report.title)))


def as_png(figure: Figure, dpi: float = PICTURE_DPI, title: str | None = None) -> bytes:
    """PNG of a figure."""
    buffer = io.BytesIO()
    known = {"Software": None} if title is None else {"Title": title}
    figure = words.legible(figure)
    figure.savefig(buffer, format="png", dpi=dpi, pil_kwargs={"compress_level": PNG_LEVEL}, metadata=known)
    return buffer.getvalue()


def draw(report: ReportInput) -> Figure:
    """Return the page as a matplotlib Figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
    words.draw_title(_blank(figure, "header"), report)
    found = report.inspection
    fiber = found is not None and bool(found.fiber_id)
    alone = not fiber and report.evidence is None and not report.plots
    kind = "" if not alone else " wide" if _shape(report) < WIDE else " alone"
    panels.draw_image(_axes(figure, f"image{kind}"), _axes(figure, f"colorbar{kind}"), report)
    beside = not alone and bool(report.selections) and _shape(report) > HIGH
    words.draw_verdicts(_blank(figure, f"verdicts{kind}"), report, selections=not beside)
    if beside:
        words.draw_selections(_blank(figure, "beside"), report)
    words.draw_facts(_blank(figure, "footer"), report)
    if report.plots:
        _draw_light(figure, report)
    elif fiber:
        _draw_fiber(figure, report)
    elif report.evidence is not None:
        draw_figure(_axes(figure, "evidence alone"), report.evidence)
    return figure


def _shape(report: ReportInput) -> float:
    """Height over width of the image; 1 where it fills the room that it gets."""
    ny, nx = report.image.data.shape if report.image is not None and report.image.square else (1, 1)
    return float(ny / nx)


def _draw_fiber(figure: Figure, report: ReportInput) -> None:
    """Below the image: the cross-section, what shows the verdict, and the spectrum of a fiber."""
    found = report.inspection
    measured = found is not None and found.quality is not None
    fits = found is not None and found.section is not None and found.section.model is not None
    section = _axes(figure, "section" if fits else "section alone")
    panels.draw_section(section, _axes(figure, "residual", sharex=section) if fits else None, found, report.axes)
    if measured:
        offset = _axes(figure, "offset")
        panels.draw_quality(offset, _axes(figure, "width", sharex=offset), found, report.axes)
    elif report.evidence is not None:
        draw_figure(_axes(figure, "evidence"), report.evidence)
    panels.draw_spectrum(_axes(figure, "spectrum"), found)


def _draw_light(figure: Figure, report: ReportInput) -> None:
    """Below the image of a photon list: the light of its selections."""
    for name, plot in zip(PLOTS, report.plots):
        draw_figure(_axes(figure, name), plot)


def _axes(figure: Figure, name: str, sharex: Axes | None = None) -> Axes:
    """Axes in one of the boxes, labeled so that tests find them."""
    return figure.add_axes(BOXES[name], label=name, sharex=sharex)


def _blank(figure: Figure, name: str) -> Axes:
    """Axes without a frame whose units are pixels of the page, y downwards; for text."""
    axes = _axes(figure, name)
    axes.set_axis_off()
    axes.set_xlim(0, BOXES[name][2] * WIDTH)
    axes.set_ylim(BOXES[name][3] * HEIGHT, 0)
    return axes


@contextmanager
def style(more: Mapping[str, object] = MappingProxyType({})) -> Iterator[None]:
    """Matplotlib's defaults with the style of reports and `more`, whatever the user's own matplotlibrc says."""
    import matplotlib

    wanted: dict[Any, Any] = {**dict(matplotlib.rcParamsDefault), **STYLE, **more}
    with matplotlib.rc_context({key: value for key, value in wanted.items() if not key.startswith("backend")}):
        yield
