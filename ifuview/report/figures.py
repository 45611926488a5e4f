"""Figures of the model drawn into axes: curves with errors, lines, ranges, maps, with a legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ifuview.model.figure import (
    DASHED,
    DIAMOND,
    DOT,
    DOTTED,
    ON_LIGHT,
    RAMP_ON_LIGHT,
    RING,
    SOLID,
    SQUARE,
    STAR,
    Along,
    Cloud,
    Color,
    ColorMap,
    Curve,
    Figure,
    readable,
)
from ifuview.report.words import PALE, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

Place = Literal["best", "upper right", "upper left", "lower right"]  # of a legend
# Okabe and Ito's colors, told apart by all kinds of color vision
BLACK = "#000000"
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = ON_LIGHT
ROLES = {"text": BLACK, "faint": "#888888", "bad": "#B03A2E"}
STROKES = {SOLID: "-", DASHED: "--", DOTTED: ":"}
FILLED = (DOT, STAR, SQUARE, DIAMOND)
POINTS = 0.8  # of a page for a px of a screen
DOT_SIZE = 3.0  # points; of thousands
RAMP = "viridis"
PALE_WIDTH, PALE_ALPHA = 0.6, 0.35
BAND_ALPHA, SPAN_ALPHA = 0.2, 0.18
FEWEST = 0.5  # of a logarithmic axis of counts
NOTE = 11.0  # points
ROW = 0.075  # height of a line of notes in parts of the axes
DIVERGING = "RdBu_r"  # told apart by all kinds of color vision
MATPLOTLIB_MAPS = {"grey": "gray", "heat": "afmhot", "rainbow": "turbo", "sls": "nipy_spectral", "cool": "cool",
                   "diverging": DIVERGING}  # fmt: skip
MISSING = "#b5b5b5"  # in a map


def draw_figure(
    axes: Axes, figure: Figure, *, size: float | None = None, columns: int = 3, place: Place = "best"
) -> None:
    """Draw a figure.

    Parameters
    ----------
    axes : Axes
    figure : Figure
    size : float, points, optional
        Of title and labels; ticks and legend are a little smaller. Default: those of the style.
    columns : int
        Of the legend.
    place : str
        Of the legend, as matplotlib names it.
    """
    smaller = None if size is None else size - 1
    label(axes, figure.title, figure.x.label, figure.y.label, size)
    if smaller is not None:
        axes.tick_params(labelsize=smaller)
    if figure.empty or not (figure.curves or figure.map or figure.points):
        nothing(axes, figure.empty or "not measured")
        return
    if figure.map is not None:
        draw_map(axes, figure.map, smaller)
    if figure.points is not None:
        _points(axes, figure.points)
    for curve in figure.curves:
        _curve(axes, curve)
    for one in figure.words:
        axes.text(one.x, one.y, plain(one.text), color=ink(one.color), ha="right", va="bottom", fontsize=smaller)
    for rule in figure.rules:
        line = axes.axvline if rule.vertical else axes.axhline
        line(rule.at, color=ink(rule.color), linestyle=STROKES[rule.stroke], linewidth=1, label=_name(rule.label))
    for span in figure.spans:
        shade = axes.axvspan if span.vertical else axes.axhspan
        shade(span.low, span.high, color=ink(span.color), alpha=SPAN_ALPHA, linewidth=0, label=_name(span.label))
    _ranges(axes, figure)
    for row, (color, words) in enumerate(figure.notes):
        x, side = (0.02, "left") if figure.x.log else (0.98, "right")
        axes.text(x, 0.93 - ROW * row, plain(words), transform=axes.transAxes, color=ink(color), ha=side, va="center",
                  fontsize=smaller or NOTE)  # fmt: skip
    told = {plain(words) for _, words in figure.notes}
    found = [(one, name) for one, name in zip(*axes.get_legend_handles_labels()) if name not in told]
    if found:
        axes.legend(*zip(*found), ncols=columns, loc=place, fontsize=smaller)


def ink(color: Color) -> str:
    """A color of a figure on white paper."""
    if isinstance(color, Along):
        import matplotlib
        from matplotlib.colors import to_hex

        low, high = RAMP_ON_LIGHT
        return to_hex(matplotlib.colormaps[RAMP](low + color.place * (high - low)))
    if isinstance(color, int):
        return ON_LIGHT[color % len(ON_LIGHT)]
    return ROLES.get(color) or readable(color)


def label(axes: Axes, title: str, x: str, y: str, size: float | None = None) -> None:
    """Title and axis labels."""
    axes.set_title(plain(title), fontsize=size)
    axes.set_xlabel(plain(x), fontsize=size)
    axes.set_ylabel(plain(y), fontsize=size)


def nothing(axes: Axes, reason: str) -> None:
    """Say why there is nothing to see."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, plain(reason), transform=axes.transAxes, ha="center", va="center", color=PALE)


def ramp(name: str, missing: str = MISSING) -> Colormap:
    """A color ramp by the name it has in the window, with a color for what is missing."""
    import matplotlib

    known = matplotlib.colormaps
    name = MATPLOTLIB_MAPS.get(name, name)
    return known[name if name in known else "gray"].with_extremes(bad=missing)


def draw_map(axes: Axes, shown: ColorMap, size: float | None = None) -> None:
    """Values as colors, with a bar if they have a name."""
    low, high = shown.limits
    image = axes.imshow(
        shown.values, origin="lower", aspect="auto", interpolation="nearest", cmap=ramp(shown.ramp), vmin=low,
        vmax=max(high, low), extent=shown.extent,
    )  # fmt: skip
    axes.grid(False)
    if shown.label:
        bar = axes.figure.colorbar(image, ax=axes, pad=0.02, fraction=0.05, extend="both")
        bar.set_label(plain(shown.label), size=size)
        bar.ax.tick_params(labelsize=size)


def _name(text: str) -> str | None:
    return plain(text) if text else None


def _curve(axes: Axes, curve: Curve) -> None:
    """A line, points or both, with errors."""
    color, name = ink(curve.color), _name(curve.label)
    if curve.low is not None and curve.high is not None:
        axes.fill_between(curve.x, curve.low, curve.high, color=color, alpha=BAND_ALPHA, linewidth=0)
    if curve.stroke:
        width, alpha = (PALE_WIDTH, PALE_ALPHA) if curve.pale else (POINTS * curve.width, 1.0)
        axes.plot(curve.x, curve.y, STROKES[curve.stroke], linewidth=width, alpha=alpha, color=color, label=name)
        name = None
    if curve.error is not None or curve.error_x is not None:
        y, x = (None if e is None else np.nan_to_num(e) for e in (curve.error, curve.error_x))
        axes.errorbar(curve.x, curve.y, y, x, fmt="none", ecolor=PALE if color == BLACK else color, linewidth=1)
    if curve.symbol:
        face, symbol = color if curve.symbol in FILLED else "none", DOT if curve.symbol == RING else curve.symbol
        axes.plot(
            curve.x, curve.y, symbol, color=color, mfc=face, markersize=POINTS * curve.size, label=name, linestyle=""
        )


def _points(axes: Axes, points: Cloud) -> None:
    """Dots in colors of their own."""
    color = np.where(points.known, points.color, int(ROLES["faint"].lstrip("#"), 16))
    rgb = np.stack([color >> 16 & 255, color >> 8 & 255, color & 255], axis=-1) / 255
    axes.scatter(points.x, points.y, c=rgb, s=np.where(points.known, DOT_SIZE, 1.0) ** 2, linewidths=0)


def _ranges(axes: Axes, figure: Figure) -> None:
    """Kind and range of the axes; a figure that does not say shows the data from end to end."""
    if figure.x.log:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(decade)
    if figure.y.log:
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(bottom=FEWEST)
        axes.yaxis.set_major_formatter(decade)
    x = figure.x.range if figure.map is None else None
    if figure.curves and figure.map is None and x is None:
        values = np.concatenate([curve.x for curve in figure.curves])
        x = float(np.nanmin(values)), float(np.nanmax(values))
    if x is not None and x[0] < x[1]:
        axes.set_xlim(*x)
    if figure.stretch:
        axes.set_aspect(figure.stretch, adjustable="datalim")
    if figure.x.mirror:
        axes.invert_xaxis()
    if figure.y.range is not None:
        axes.set_ylim(*figure.y.range)


def decade(value: float, _place: float | None = None) -> str:
    """A tick of a logarithmic axis; the page knows no formulas."""
    return f"{value:g}".replace("-", "−")
