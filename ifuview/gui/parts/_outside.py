"""Arrows at the edge of a plot for what lies beyond it: a robust range hides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPolygonF

from ifuview.model.checks import Array

SIZE = 7.0  # screen px, width and height of an arrow
ABOVE_ALL = 40  # of the items of a plot


class Drawn(NamedTuple):
    """A curve in the units of the axes, and its color."""

    x: Array
    y: Array
    color: QColor


class Arrow(NamedTuple):
    """One arrow: where along the plot, and whether it points up."""

    x: float
    up: bool
    color: QColor


class OutsideItem(pg.GraphicsObject):
    """Draws an arrow where a curve is above or below the view, one for each few screen pixels."""

    def __init__(self, curves: Callable[[], Sequence[Drawn]]) -> None:
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

    def arrows(self) -> list[Arrow]:
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
                out += [Arrow(left + (column + 0.5) * step, up, color) for column in columns.tolist()]
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
