"""Single figures for notebooks: traces over an image, and one trace looked at closely."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ifuview.files import put
from ifuview.model.checks import Array
from ifuview.model.fibers import BLOCKS
from ifuview.model.traces.findings import fiber_words
from ifuview.report.figures import BLACK, BLUE, GREEN, ORANGE, VERMILION
from ifuview.report.page import as_png
from ifuview.report.traces.doctor_report import style
from ifuview.report.traces.image import reduced

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Figure
    from matplotlib.patches import Rectangle

SIZE = (13.0, 8.0)  # inch
MOST_PIXELS = 1200  # of the reduced image along each axis
POINTS = 256  # of a drawn line
MOST_LABELS = 24  # at each end
LINES, THIN, THICK = 60.0, 0.4, 1.2  # width of a line: of so many fibers together, at least, at most; points
ZOOMS = ((0.04, 0.1), (0.5, 0.5), (0.96, 0.9))  # of the fibers, of the columns
ZOOM = (40, 240)  # rows and columns of a zoom panel
PERCENT = (1.0, 99.5)
SECTION_ROWS = 12  # px on each side of a trace
LEAST_MPX = 1.0  # of the scale of a trace that is its own smooth curve
LABEL = MappingProxyType({"fc": "white", "ec": "none", "pad": 0.5, "alpha": 0.75})  # box behind the name of a fiber


def current_figure() -> Figure:
    """The current figure of pyplot if it is empty, else a new one that becomes current."""
    import matplotlib.pyplot as plt

    figure = plt.gcf()
    if figure.axes:
        figure = plt.figure()
    figure.set_size_inches(*SIZE)
    return figure


def written(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    put(path, as_png(figure))


def traces_on_image(
    figure: Figure, image: Array, center: Array, names: tuple[str, ...], block: Array, title: str
) -> None:
    """Draw traces (nfiber, ncol) over an image (nrow, ncol): colored by block, named at both ends, with zooms."""
    with style():
        grid = figure.add_gridspec(3, 2, width_ratios=(3, 1), left=0.06, right=0.985, top=0.92, bottom=0.08,
                                   wspace=0.16, hspace=0.35)  # fmt: skip
        whole = figure.add_subplot(grid[:, 0])
        step = (max(1, image.shape[0] // MOST_PIXELS), max(1, image.shape[1] // MOST_PIXELS))
        small = reduced(np.asarray(image, np.float32), step)
        _picture(whole, small, (-0.5, small.shape[1] * step[1] - 0.5, -0.5, small.shape[0] * step[0] - 0.5))
        column = np.unique(np.linspace(0, center.shape[1] - 1, POINTS).round().astype(int))
        thick = min(max(LINES / len(names), THIN), THICK)
        for number in np.unique(block):
            lines = center[np.ix_(block == number, column)].T
            whole.plot(column, lines, color=BLOCKS[number % len(BLOCKS)], lw=thick, alpha=0.8)
        _names(whole, center, names)
        nrow, ncol = image.shape
        whole.set(xlim=(-0.5, ncol - 0.5), ylim=(-0.5, nrow - 0.5))  # labels and boxes ask for more
        whole.set(xlabel="column along dispersion (px)", ylabel="row across fibers (px)")
        number = np.unique(block).size
        parts = f" in {number} blocks, a color each" if number > 1 else ""
        whole.set_title(f"{len(names)} {'fiber' if len(names) == 1 else 'fibers'}{parts}")
        for panel, (fiber, along) in enumerate(ZOOMS):
            place = _zoom(figure.add_subplot(grid[panel, 1]), image, center, names, block, fiber, along)
            if place is not None:
                whole.add_patch(_box(place))
                whole.annotate(str(panel + 1), place[:2], color=VERMILION, weight="bold", fontsize=12)
        figure.suptitle(title, fontsize=14, weight="bold", x=0.06, ha="left")


def _picture(axes: Axes, pixels: Array, extent: tuple[float, float, float, float]) -> None:
    """An image in gray with robust limits."""
    known = pixels[np.isfinite(pixels)]
    low, high = np.percentile(known, PERCENT) if known.size else (0.0, 1.0)
    axes.imshow(pixels, origin="lower", aspect="auto", cmap="gray", vmin=low, vmax=max(high, low + 1e-9), extent=extent)
    axes.grid(False)


def _names(axes: Axes, center: Array, names: tuple[str, ...]) -> None:
    """Fiber names at both ends, as many as fit."""
    for row in np.unique(np.linspace(0, len(names) - 1, min(len(names), MOST_LABELS)).round().astype(int)):
        known = np.flatnonzero(np.isfinite(center[row]))
        if known.size:
            for end, side in ((known[0], "left"), (known[-1], "right")):
                axes.annotate(
                    names[row], (end, center[row, end]), fontsize=7, ha=side, va="center", color=BLACK, bbox=dict(LABEL)
                )


def _box(place: tuple[float, float, float, float]) -> Rectangle:
    """The outline of a zoom panel."""
    from matplotlib.patches import Rectangle

    x, y, width, height = place
    return Rectangle((x, y), width, height, fill=False, ec=VERMILION, lw=1.2)


def _zoom(
    axes: Axes, image: Array, center: Array, names: tuple[str, ...], block: Array, fiber: float, along: float
) -> tuple[float, float, float, float] | None:
    """A part of the image in full resolution with every trace in it; returns x, y, width, height."""
    nrow, ncol = image.shape[0], center.shape[1]
    column = int(along * (ncol - 1))
    known = np.flatnonzero(np.isfinite(center[:, column]))
    if not known.size:
        axes.text(0.5, 0.5, "no trace reaches here", ha="center", transform=axes.transAxes)
        return None
    middle = center[known[int(fiber * (known.size - 1))], column]
    height, width = min(ZOOM[0], nrow), min(ZOOM[1], ncol)
    y = int(np.clip(middle - height / 2, 0, nrow - height))
    x = int(np.clip(column - width / 2, 0, ncol - width))
    extent = (x - 0.5, x + width - 0.5, y - 0.5, y + height - 0.5)
    _picture(axes, np.asarray(image[y : y + height, x : x + width]), extent)
    at = np.arange(x, x + width)
    for row in known:
        line = center[row, at]
        if np.nanmin(line, initial=np.inf) < y + height and np.nanmax(line, initial=-np.inf) > y:
            axes.plot(at, line, color=BLOCKS[block[row] % len(BLOCKS)], lw=1.2)
            if np.isfinite(line[0]) and y <= line[0] < y + height:
                axes.annotate(names[row], (x, line[0]), fontsize=7, color=BLACK, va="center", bbox=dict(LABEL))
    axes.set(xlim=(x - 0.5, x + width - 0.5), ylim=(y - 0.5, y + height - 0.5))
    axes.set_title(f"{ZOOMS.index((fiber, along)) + 1}: columns {x} to {x + width}", fontsize=9)
    return x, y, width, height


@dataclass(frozen=True, slots=True, eq=False)
class OneTrace:
    """One trace looked at closely.

    Parameters
    ----------
    name : str
    image : ndarray, shape (nrow, ncol)
    center, smooth, curvature : ndarray, shape (ncol,), px
        The trace, its smooth curve, and its second derivative (px per 1000 px squared); NaN beyond the trace.
    column, offset, offset_err : ndarray, shape (nbin,), px
        Light minus trace.
    sections : tuple of int
        Columns of the cross-sections.
    wave : ndarray, shape (ncol,), Angstrom, or None
    flux, flux_err : ndarray, shape (ncol,)
    words : str
        What was found.
    """

    name: str
    image: Array
    center: Array
    smooth: Array
    curvature: Array
    column: Array
    offset: Array
    offset_err: Array
    sections: tuple[int, ...]
    wave: Array | None
    flux: Array
    flux_err: Array
    words: str


def one_trace(figure: Figure, one: OneTrace, title: str = "") -> None:
    """Draw overlay, cross-sections, offsets, smoothness and spectrum of one fiber."""
    with style():
        grid = figure.add_gridspec(3, 6, left=0.065, right=0.985, top=0.88, bottom=0.075, wspace=0.75, hspace=0.42)
        _overlay(figure.add_subplot(grid[0, :]), one)
        for place, column in enumerate(one.sections[:3]):
            _section(figure.add_subplot(grid[1, place]), one, column)
        _offset(figure.add_subplot(grid[1, 3:]), one)
        below = figure.add_gridspec(3, 2, left=0.065, right=0.985, top=0.88, bottom=0.075, wspace=0.36, hspace=0.42)
        _smooth(figure.add_subplot(below[2, 0]), one)
        _spectrum(figure.add_subplot(below[2, 1]), one)
        figure.suptitle(title or fiber_words(one.name, "Fiber"), fontsize=14, weight="bold", x=0.065, ha="left")
        figure.text(0.065, 0.925, one.words, fontsize=10, va="center")


def _overlay(axes: Axes, one: OneTrace) -> None:
    """The strip of the image along the trace."""
    known = one.center[np.isfinite(one.center)]
    low = int(max(np.floor(known.min()) - SECTION_ROWS, 0))
    high = int(min(np.ceil(known.max()) + SECTION_ROWS, one.image.shape[0] - 1)) + 1
    step = (1, max(1, one.image.shape[1] // MOST_PIXELS))
    strip = reduced(np.asarray(one.image[low:high], np.float32), step)
    _picture(axes, strip, (-0.5, strip.shape[1] * step[1] - 0.5, low - 0.5, high - 0.5))
    axes.plot(np.arange(one.center.size), one.center, color=ORANGE, lw=1.2, label="trace")
    for column in one.sections:
        axes.axvline(column, color=BLUE, lw=0.8, ls=":")
    axes.set(ylabel="row (px)", title="overlay; dotted: cross-sections")
    axes.set_xlim(-0.5, one.center.size - 0.5)


def _section(axes: Axes, one: OneTrace, column: int) -> None:
    """Counts across the trace at one place, the median of some columns."""
    center = one.center[column]
    low, high = int(max(center - SECTION_ROWS, 0)), int(min(center + SECTION_ROWS + 1, one.image.shape[0]))
    rows = np.arange(low, high)
    part = one.image[low:high, max(column - 4, 0) : column + 5]
    axes.step(rows, np.nanmedian(part, axis=1), where="mid", color=BLACK, lw=1)
    axes.axvline(center, color=ORANGE, lw=1.4)
    near = int(np.abs(one.column - column).argmin())
    if np.isfinite(one.offset[near]):
        axes.axvline(center + one.offset[near], color=BLUE, lw=1.2, ls="--")
    wave = np.nan if one.wave is None else one.wave[column]
    where = f"{wave:.0f} Å" if np.isfinite(wave) else f"column {column}"
    axes.set_title(f"section at {where}", fontsize=9)
    axes.set_xlabel("row (px)", fontsize=8.5)


def _offset(axes: Axes, one: OneTrace) -> None:
    """Light minus trace with errors."""
    axes.axhline(0, color=ORANGE, lw=1.2)
    axes.errorbar(one.column, one.offset, yerr=one.offset_err, fmt="o", ms=3, lw=1, color=BLACK)
    axes.set(title="light minus trace", xlabel="column (px)", ylabel="px")
    if not np.isfinite(one.offset).any():
        axes.text(0.5, 0.5, "not measured: no light in this fiber", transform=axes.transAxes, ha="center")


def _smooth(axes: Axes, one: OneTrace) -> None:
    """What is left of the trace after a smooth curve, and how it bends."""
    column = np.arange(one.center.size)
    left = 1e3 * (one.center - one.smooth)
    reach = max(float(np.nanmax(np.abs(left), initial=0.0)) * 1.1, LEAST_MPX)
    axes.plot(column, left, color=BLACK, lw=0.9)
    axes.set(title="smoothness and curvature", xlabel="column (px)", ylabel="trace minus curve (mpx)")
    axes.set_ylim(-reach, reach)
    twin = axes.twinx()
    twin.plot(column, one.curvature, color=GREEN, lw=1)
    twin.set_ylabel("curvature (px / 1000² px²)", color=GREEN, fontsize=8.5)
    twin.grid(False)


def _spectrum(axes: Axes, one: OneTrace) -> None:
    """The extracted spectrum with its errors."""
    known = one.wave is not None and np.isfinite(one.wave).any()
    along = one.wave if known and one.wave is not None else np.arange(one.flux.size)
    axes.fill_between(along, one.flux - one.flux_err, one.flux + one.flux_err, color=BLUE, alpha=0.3, lw=0)
    axes.plot(along, one.flux, color=BLACK, lw=0.7)
    axes.set(title="extracted spectrum", xlabel="wavelength (Å)" if known else "column (px)", ylabel="counts")
