"""One pair of axes with what is drawn in them, as plain values: docks and reports draw the same figure.

A color is a role ("text", "faint", "bad"), a number of the series of colors that can be told apart, a place on a ramp,
or the color of a region (its name or #rrggbb); who draws makes it readable on the paper. What a hand moves (a range
that is measured, limits of a histogram) is no part of a figure: it is a handle of its dock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ifuview.model.checks import Array

Range = tuple[float, float]
SOLID, DASHED, DOTTED, NONE = "solid", "dashed", "dotted", ""  # strokes
DOT, CROSS, PLUS, DOWN, STAR, SQUARE, DIAMOND, RING = "o", "x", "+", "v", "*", "s", "d", "ring"  # symbols
UNSURE = 5.0  # times the usual error: points that do not decide about a range
CENTRAL = (1.0, 99.0)  # percent of the points inside a robust range
# from Okabe & Ito (2008), moved apart until any two differ by 0.08 (OKLab) for a deuteranope and a protanope, too; the
# order puts what stands out on the background first
ON_LIGHT = ("#1d6ca1", "#D55E00", "#039861", "#CC79A7", "#ea940a", "#32aee8")
ON_DARK = ("#5896eb", "#f7a113", "#2bb981", "#e9b2c9", "#fcec32", "#dc7a0f")

RAMP_ON_LIGHT, RAMP_ON_DARK = (0.0, 0.82), (0.25, 1.0)  # part of the ramp that can be seen on the paper
CONTRAST = 3.0  # least ratio of a curve to the paper (WCAG 2, graphics)
MIDDLE = 0.18  # relative luminance that is as far from black as from white
STEP = 0.08  # of the way to black or white
NAMED = {
    "white": "#ffffff", "black": "#000000", "red": "#ff0000", "green": "#00ff00", "blue": "#0000ff",
    "cyan": "#00ffff", "magenta": "#ff00ff", "yellow": "#ffff00",
}  # fmt: skip


class Along(NamedTuple):
    """A color by its place on a ramp: 0 its dark end, 1 its light one, as far as both can be seen on the paper."""

    place: float


Color = str | int | Along


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis.

    Parameters
    ----------
    label : str
        With the unit.
    range : (low, high) or None
        What is in view at first; None: all of the data.
    log : bool
        Logarithmic; values are given as they are.
    mirror : bool
        Rises to the left.
    """

    label: str = ""
    range: Range | None = None
    log: bool = False
    mirror: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A line, points, or both, with errors; NaN breaks a line.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Of steps the corners: see `stairs`.
    color : Color
    label : str
        In the legend; "" for none.
    stroke : str
        SOLID, DASHED, DOTTED or NONE.
    symbol : str
        DOT, CROSS, PLUS, DOWN, STAR, SQUARE, DIAMOND, RING or "" for none.
    width, size : float
        Of line and symbols, screen px or points.
    error, error_x : ndarray or None
        Error bars; a NaN has none.
    low, high : ndarray or None
        A band at `x`.
    pale : bool
        Thin and pale behind the others.
    """

    x: Array
    y: Array
    color: Color = "text"
    label: str = ""
    stroke: str = SOLID
    symbol: str = ""
    width: float = 1.0
    size: float = 5.0
    error: Array | None = None
    error_x: Array | None = None
    low: Array | None = None
    high: Array | None = None
    pale: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line through the whole figure; its words stand at `height`, in parts of the figure, if that is set."""

    at: float
    vertical: bool = True
    color: Color = "faint"
    stroke: str = DASHED
    label: str = ""
    height: float | None = None


@dataclass(frozen=True, slots=True)
class Shade:
    """A shaded range through the whole figure."""

    low: float
    high: float
    vertical: bool = True
    color: Color = "faint"
    label: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """A text that ends at a place, left out where it would cover another."""

    x: float
    y: float
    text: str
    color: Color = "text"


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """Thousands of dots, each in a color of its own.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    color : ndarray, shape (n,)
        0xRRGGBB.
    known : ndarray of bool, shape (n,)
        The others are small and "faint".
    """

    x: Array
    y: Array
    color: Array
    known: Array


@dataclass(frozen=True, slots=True, eq=False)
class ColorMap:
    """Values (ny, nx) as colors; row 0 at the bottom.

    Parameters
    ----------
    values : ndarray
        NaN where nothing is known.
    extent : (x0, x1, y0, y1)
        Outer edges.
    limits : (low, high)
    ramp : str
        "grey", "viridis", ... or "diverging" about zero.
    label : str
        Of the color bar; "" for none.
    """

    values: Array
    extent: tuple[float, float, float, float]
    limits: Range
    ramp: str = "viridis"
    label: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """Axes with curves, lines, ranges or a map.

    Parameters
    ----------
    title : str
    x, y : Scale
    curves : tuple of Curve
        What lies behind comes first.
    rules : tuple of Rule
    spans : tuple of Shade
    map : ColorMap or None
    notes : tuple of (Color, str)
        Lines of text in a corner.
    empty : str
        Why there is nothing to see.
    words : tuple of Tag
    points : Cloud or None
        Behind the curves.
    stretch : float
        Length of a unit of y over that of x, where a figure shows places; 0: as large as there is room.
    """

    title: str = ""
    x: Scale = Scale()
    y: Scale = Scale()
    curves: tuple[Curve, ...] = ()
    rules: tuple[Rule, ...] = ()
    spans: tuple[Shade, ...] = ()
    map: ColorMap | None = None
    notes: tuple[tuple[Color, str], ...] = ()
    empty: str = ""
    words: tuple[Tag, ...] = ()
    points: Cloud | None = None
    stretch: float = 0.0


def spaced(levels: Iterable[float], room: float) -> list[int]:
    """Which of some words, each in need of `room`, can stand at their levels, from the lowest on."""
    out: list[int] = []
    known = list(levels)
    for number in sorted(range(len(known)), key=lambda n: known[n]):
        if not out or known[number] - known[out[-1]] >= room:
            out.append(number)
    return out


def stairs(edges: Array, values: Array) -> tuple[Array, Array]:
    """Corners of steps: values (n,) between edges (n + 1,)."""
    return np.repeat(edges, 2)[1:-1], np.repeat(np.asarray(values, float), 2)


def padded(low: float, high: float, share: float) -> Range:
    """A range with a margin of `share` of it on both sides."""
    low, high = float(low), float(high)
    margin = share * (high - low) or 1.0
    return low - margin, high + margin


def robust(
    curves: Iterable[Curve], share: float, *, keep: tuple[float, ...] = (), least: float = 1.0, bars: float = 0.0
) -> Range | None:
    """Vertical range of nearly all well-measured points of some curves.

    Parameters
    ----------
    curves : iterable of Curve
    share : float
        Margin in parts of the range.
    keep : tuple of float
        Values to keep in view.
    least : float
        Margin where all values are the same.
    bars : float
        Room for error bars, in units of the usual error.
    """
    parts, usual = [], [0.0]
    for curve in curves:
        good = np.isfinite(curve.y)
        if curve.error is not None:
            good &= np.isfinite(curve.error)
            usual.append(float(np.median(curve.error[good])) if good.any() else 0.0)
            good &= np.nan_to_num(curve.error) <= UNSURE * usual[-1]
        parts.append(np.asarray(curve.y, float)[good])
    joint = np.concatenate(parts) if parts else np.empty(0)
    if joint.size == 0:
        return None
    low, high = (float(v) for v in np.percentile(joint, CENTRAL))
    room = bars * max(usual)
    low, high = min(low - room, *keep, low), max(high + room, *keep, high)
    margin = share * (high - low) or least
    return low - margin, high + margin


def logarithmic(curve: Curve, *, x: bool = False, y: bool = False) -> Curve:
    """The curve in decimal logarithms; what is not above zero lies on the floor, half the smallest value."""
    if x:
        with np.errstate(divide="ignore", invalid="ignore"):
            curve = replace(curve, x=np.log10(curve.x))
    if not y:
        return curve
    above = curve.y[np.isfinite(curve.y) & (curve.y > 0)]
    floor = 0.5 * float(above.min()) if above.size else 0.5

    def log(values: Array | None) -> Array | None:
        return None if values is None else np.log10(np.where(np.isnan(values), np.nan, np.maximum(values, floor)))

    error = None
    if curve.error is not None:
        error = curve.error / np.where(curve.y > 0, curve.y, np.nan) / np.log(10)
    shown = np.log10(np.where(np.isnan(curve.y), np.nan, np.maximum(curve.y, floor)))
    return replace(curve, y=shown, error=error, low=log(curve.low), high=log(curve.high))


def rgb(name: str) -> tuple[int, int, int]:
    """Red, green and blue of a color of a region; that of ds9's green for a name that is not known."""
    text = NAMED.get(name.lower(), name).lstrip("#")
    try:
        return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)
    except ValueError:
        return 0, 255, 0


def readable(name: str, paper: tuple[int, int, int] = (255, 255, 255)) -> str:
    """The color of a region (#rrggbb) so that it stands out on a paper; its hue stays."""
    color = rgb(name)
    goal = 255 if _luminance(paper) < MIDDLE else 0
    while _contrast(color, paper) < CONTRAST:
        color = tuple(round(v + STEP * (goal - v)) for v in color)  # type: ignore[assignment]
    return "#" + "".join(f"{v:02x}" for v in color)


def _contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    """Ratio of the luminances of two colors."""
    low, high = sorted(_luminance(c) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: tuple[int, int, int]) -> float:
    """Relative luminance, sRGB."""
    parts = [v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in color]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
