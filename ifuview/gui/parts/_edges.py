"""What stands at the edges of a plot: the numbers of its axes, and arrows for what lies beyond its range.

The numbers never cover each other nor the label, and two of them are never the same: they have the digits that tell
them apart, and in a logarithm decades, then 2 and 5, as far as there is room. A robust range hides nothing: where a
curve leaves the view, an arrow says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPolygonF

from ifuview.model.checks import Array
from ifuview.model.frames.units import raised

if TYPE_CHECKING:
    from pyqtgraph import AxisItem

AXIS_WIDTH = 58.0  # screen px of a vertical axis at least: most have it, and plots below each other line up
LABEL_SHARE = 0.8  # of the height of the box of a label, that the label takes
GAP = 10.0  # screen px between two numbers
ROOM = {"bottom": 46.0, "left": 17.0}  # screen px that the number of a tick needs
DECADE, HALF, MINOR = 1.0, 0.3, 0.1  # levels of ticks, as the axis tells them apart
TINY, HUGE = 1e-3, 1e4  # numbers between them are written in full in a logarithm
MILLION = 1e6  # numbers from there on have a power of ten
MOST_DIGITS = 15  # of a float
POWERS = 3  # of ten, by which ticks are moved apart at most
SAME = 1e-9  # of a decade
SIZE = 7.0  # screen px, width and height of an arrow
ABOVE_ALL = 40  # of the items of a plot


class LineAxis(pg.AxisItem):
    """A vertical axis as wide as its numbers and its label need, and as the axes in line with it need."""

    # axes of the plots in line with its own, which is among them
    in_line: Callable[[], Iterable[LineAxis]] | None = None

    def needed(self) -> float:
        """The width of numbers and label, screen px."""
        label = self.label.boundingRect().height() * LABEL_SHARE if self.label.isVisible() else 0.0
        return max(float(self.textWidth + self.style["tickTextOffset"][0] + label), AXIS_WIDTH)

    def _updateWidth(self) -> None:
        if self.in_line is None:
            super()._updateWidth()
            return
        axes = [self, *self.in_line()]
        width = max(axis.needed() for axis in axes)
        for axis in axes:
            if axis.minimumWidth() != width:
                axis.setMaximumWidth(width)
                axis.setMinimumWidth(width)
                axis.picture = None
                axis.update()


def few_ticks(axis: AxisItem, side: str) -> None:
    """Let an axis have fewer numbers where it is so short that they would lie on each other."""
    spacing = axis.tickSpacing

    def few(low: float, high: float, size: float) -> list[tuple[float, float]]:
        found: list[tuple[float, float]] = spacing(low, high, size)
        step = found[0][0] if found else 0.0
        room = ROOM[side]
        if step and side == "bottom":
            metrics = QFontMetricsF(axis.style["tickFont"] or QFont())
            widest = max(map(metrics.horizontalAdvance, numbers_of((low, high), step, max(abs(low), abs(high)))))
            room = max(room, widest + GAP)
        numbers = max(size / room, 1.0)
        if not step or abs(high - low) / step < numbers:
            return found
        wider = [step * factor * 10.0**power for power in range(POWERS) for factor in (1.0, 2.0, 5.0)]
        some = [w for w in wider if math.floor(high / w) >= math.ceil(low / w)] or wider[:1]  # not without a number
        return [(next((w for w in some if abs(high - low) / w < numbers), some[-1]), 0.0)]

    axis.tickSpacing = few


def log_ticks(axis: AxisItem, side: str, is_log: Callable[[], bool]) -> None:
    """Let an axis in decimal logarithms number its decades and no more than there is room for; others as they need."""
    values = axis.tickValues

    def ticks(low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        return levels(low, high, size, ROOM[side]) if is_log() else values(low, high, size)

    def texts(places: list[float], scale: float, spacing: float) -> list[str]:
        if not is_log():
            return numbers_of(places, spacing, max(map(abs, axis.range)))
        return [word(place) if spacing != MINOR else "" for place in places]

    axis.tickValues, axis.tickStrings = ticks, texts


def numbers_of(places: Iterable[float], spacing: float, largest: float) -> list[str]:
    """Numbers `spacing` apart with the digits that tell them apart: in full, or all with the power of `largest`."""
    digits = _digits(-math.log10(spacing))
    if not 0.0 < largest < math.inf or TINY <= largest < MILLION:
        return [f"{0.0 if abs(place) < SAME * spacing else place:.{digits}f}" for place in places]
    power = math.floor(math.log10(largest) + SAME)
    digits = _digits(power - math.log10(spacing))
    each = ((place, place / 10.0**power) for place in places)
    return [f"{value:.{digits}f}e{power}" if abs(place) > SAME * spacing else "0" for place, value in each]


def _digits(wanted: float) -> int:
    """Whole digits after the point."""
    return min(max(math.ceil(wanted - SAME), 0), MOST_DIGITS)


def levels(low: float, high: float, size: float, room: float) -> list[tuple[float, list[float]]]:
    """Levels of ticks between two logarithms on `size` px; only those of MINOR bear no number."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high and size > 0):
        return []
    decade = size / (high - low)
    every = max(math.ceil(room / decade), 1)
    first, last = math.floor(low), math.ceil(high)
    whole = [float(n) for n in range(first, last + 1) if low <= n <= high]
    named = [n for n in whole if round(n) % every == 0]
    marks = {m: [n + math.log10(m) for n in range(first, last + 1)] for m in range(2, 10)}
    inside = {m: [v for v in row if low <= v <= high] for m, row in marks.items()}
    halves: list[float] = []
    if decade * math.log10(2) >= room:  # from 1 to 2 and from 5 to 10; from 2 to 5 is wider
        halves = sorted(inside[2] + inside[5])
    elif decade * math.log10(3) >= room:
        halves = inside[3]
    if not named and not halves and every == 1:  # less than a decade, and no round number in it
        halves = [min((v for row in inside.values() for v in row), default=low)]
    rest = sorted(v for row in inside.values() for v in row if v not in halves) if decade > room / 3 else []
    return [(DECADE, named), (HALF, halves), (MINOR, rest + [n for n in whole if n not in named])]


def word(place: float) -> str:
    """A logarithm as its number: 0.02, 500, 3·10⁻⁵."""
    power = math.floor(place + SAME)
    digit, value = round(10 ** (place - power)), 10.0**place
    if TINY * (1 - SAME) <= value <= HUGE * (1 + SAME):
        return f"{digit * 10.0**power:g}" if value < HUGE / 2 or digit * 10**power == HUGE else f"{value:.0f}"
    ten = f"10{raised(power)}"
    return ten if digit == 1 else f"{digit}·{ten}"


class DrawnCurve(NamedTuple):
    """A curve in the units of the axes, and its color."""

    x: Array
    y: Array
    color: QColor


class EdgeArrow(NamedTuple):
    """One arrow: where along the plot, and whether it points up."""

    x: float
    up: bool
    color: QColor


class OutsideItem(pg.GraphicsObject):
    """Draws an arrow where a curve is above or below the view, one for each few screen pixels."""

    def __init__(self, curves: Callable[[], Sequence[DrawnCurve]]) -> None:
        super().__init__()
        self._curves = curves
        self.setZValue(ABOVE_ALL)

    def boundingRect(self) -> QRectF:
        view = self.viewRect()
        return QRectF() if view is None else view

    def dataBounds(self, axis: int, frac: float = 1.0, orthoRange: object = None) -> tuple[None, None]:
        """It follows the range and never sets it."""
        return None, None

    def viewRangeChanged(self) -> None:
        """Other parts are outside now."""
        self.prepareGeometryChange()
        self.update()

    def arrows(self) -> list[EdgeArrow]:
        """What lies beyond the view."""
        box = self.getViewBox()
        if box is None:
            return []
        (left, right), (low, high) = box.viewRange()
        step = SIZE * box.viewPixelSize()[0]
        out = []
        for x, y, color in self._curves():
            if x.size != y.size or not x.size:
                continue
            inside = (x >= left) & (x <= right)
            for up, beyond in ((True, y > high), (False, y < low)):
                columns = np.unique(np.floor((x[inside & beyond] - left) / step))
                out += [EdgeArrow(left + (column + 0.5) * step, up, color) for column in columns.tolist()]
        return out

    def paint(self, painter: QPainter, *_args: object) -> None:
        box = self.getViewBox()
        if box is None:
            return
        wide, tall = (SIZE * size for size in box.viewPixelSize())
        low, high = box.viewRange()[1]
        painter.setPen(Qt.PenStyle.NoPen)
        for x, up, color in self.arrows():
            tip, foot = (high, high - tall) if up else (low, low + tall)
            painter.setBrush(color)
            painter.drawPolygon(QPolygonF([QPointF(x, tip), QPointF(x - wide / 2, foot), QPointF(x + wide / 2, foot)]))
