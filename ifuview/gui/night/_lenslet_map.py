"""The lenslets of one head to scale: a click chooses one, a drag moves or resizes the circle, a line takes many.

No figure of the model: nearly all of it is a handle, and its cells have the shape of lenslets.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPolygonF, QResizeEvent
from pyqtgraph.GraphicsScene.mouseEvents import MouseDragEvent

from ifuview.app.night.reduction.state import FieldPlace
from ifuview.app.night.views import lenslets as pure
from ifuview.app.night.views.lenslets import HeadMap, LensletColors
from ifuview.gui.parts._lasso import Lasso
from ifuview.gui.parts._plot import Ink, Plot
from ifuview.gui.plain import plain
from ifuview.model.checks import Array

UNKNOWN = 0x808080
SKY_SIZE = 0.22  # of a lenslet's size, of the dot of one that the sky is made from
REACH = 0.25  # arcsec about an edge that is taken hold of
LEAST = 0.1  # arcsec, of a radius
ACROSS = 73  # corners of a circle that is drawn


class Cells(pg.GraphicsObject):
    """Hexagons in colors."""

    def __init__(self) -> None:
        super().__init__()
        self._x = self._y = np.empty(0)
        self._cell = np.zeros((6, 2))
        self._color = np.empty(0, np.uint32)
        self._sky = np.empty(0, bool)
        self._ink = QColor("white")

    def setHead(self, head: HeadMap) -> None:
        """Show the lenslets of another head."""
        self.prepareGeometryChange()
        self._x, self._y, self._cell, self._sky = head.x, head.y, head.cell, head.sky
        if self._color.size != head.x.size:
            self._color = np.full(head.x.size, UNKNOWN, np.uint32)
        self.informViewBoundsChanged()
        self.update()

    def setColors(self, light: LensletColors) -> None:
        """Color them."""
        self._color = np.where(np.isfinite(light.value), light.color, UNKNOWN).astype(np.uint32)
        self.update()

    def colors(self) -> Array:
        """Of the lenslets, 0xRRGGBB."""
        return self._color

    def boundingRect(self) -> QRectF:
        if self._x.size == 0:
            return QRectF()
        half = np.abs(self._cell).max(axis=0)
        low = self._x.min() - half[0], self._y.min() - half[1]
        return QRectF(*low, np.ptp(self._x) + 2 * half[0], np.ptp(self._y) + 2 * half[1])

    def paint(self, painter: QPainter, *_args: object) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        dot = SKY_SIZE * float(np.abs(self._cell).max())
        for x, y, color in zip(self._x.tolist(), self._y.tolist(), self._color.tolist(), strict=False):
            painter.setBrush(QColor(color))
            painter.drawPolygon(QPolygonF([QPointF(x + dx, y + dy) for dx, dy in self._cell.tolist()]))
        painter.setBrush(QColor(255, 255, 255, 120))
        for x, y in zip(self._x[self._sky].tolist(), self._y[self._sky].tolist(), strict=True):
            painter.drawEllipse(QPointF(x, y), dot, dot)


class LensletMap(Plot):
    """Draws a HeadMap; emits `placed(FieldPlace)` while the circle is dragged, `taken(fibers)`, `chosen(fiber)`."""

    placed = pyqtSignal(object)
    taken = pyqtSignal(object)
    picked = pyqtSignal(float, float)

    def __init__(self, name: str) -> None:
        super().__init__(name, "", "", aligned=False)
        self.head: HeadMap | None = None
        self.light: LensletColors | None = None
        self.plotItem.vb.setAspectLocked(True)
        self.plotItem.vb.setDefaultPadding(0.02)
        for side in ("left", "bottom"):
            self.hideAxis(side)
        self.cells = Cells()
        self.addItem(self.cells)
        self.rings = [pg.PlotDataItem() for _ in range(3)]
        for number, ring in enumerate(self.rings):
            ring.setZValue(10)
            self.styled(ring, lambda ink, r=ring, n=number: self._style(r, n, ink))
        self.source = pg.ScatterPlotItem(size=11, symbol="+", pxMode=True)
        self.source.setZValue(11)
        self.styled(self.source, lambda ink: self.source.setPen(pg.mkPen("#ff3030", width=2)))
        self.lasso = Lasso(self)
        self.lasso.drawn.connect(self._lassoed)
        self._rest = self.plotItem.vb.mouseDragEvent
        self.plotItem.vb.mouseDragEvent = self._drag
        self._whole = QTimer(self)
        self._whole.setSingleShot(True)
        self._whole.setInterval(0)
        self._whole.timeout.connect(self.show_all)
        self._held = ""  # what is dragged: center, radius, inner, outer
        self._from = (0.0, 0.0)
        self.clicked.connect(self._click)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if self._ready and self.head is not None:
            self._whole.start()  # when the plot has its place

    def show_all(self) -> None:
        """The whole field."""
        self.plotItem.vb.setRange(self.cells.boundingRect(), padding=0.02)

    def _style(self, ring: pg.PlotDataItem, number: int, ink: Ink) -> None:
        style = Qt.PenStyle.SolidLine if number == 0 else Qt.PenStyle.DashLine
        ring.setPen(pg.mkPen("#ff3030", width=2 if number == 0 else 1.5, style=style))

    def draw(self, head: HeadMap) -> None:
        """Show a head; the whole of it the first time."""
        fresh = self.head is None or self.head.x is not head.x
        self.head = head
        self._say()
        self.cells.setHead(head)
        self._draw_place(head.place)
        self.source.setData(*([[v] for v in head.source] if head.source is not None else ([], [])))
        if fresh:
            self.show_all()

    def color(self, light: LensletColors) -> None:
        """Color the lenslets."""
        self.light = light
        self.cells.setColors(light)
        self._say()

    def _say(self) -> None:
        """Whose light it is."""
        words = ["" if self.light is None else self.light.note, "" if self.head is None else self.head.title]
        self.set_heading(words[0] or words[1])
        self.setToolTip(plain(" \u00b7 ".join(word for word in words if word)))

    def _draw_place(self, place: FieldPlace) -> None:
        angle = np.linspace(0, 2 * math.pi, ACROSS)
        cell = np.zeros((0, 2)) if self.head is None else np.concatenate([self.head.cell, self.head.cell[:1]])
        for ring, radius in zip(self.rings, (place.radius, place.inner, place.outer), strict=True):
            if radius > 0:
                ring.setData(place.x + radius * np.cos(angle), place.y + radius * np.sin(angle))
            else:
                ring.setData([], [])
        if place.radius <= 0 and self.head is not None:
            k = pure.at(self.head, place.x, place.y)
            if k is not None:
                self.rings[0].setData(self.head.x[k] + cell[:, 0], self.head.y[k] + cell[:, 1])

    def _click(self, x: float, y: float) -> None:
        """A lenslet was chosen."""
        if self.head is not None and not self.lasso.on and pure.at(self.head, x, y) is not None:
            self.picked.emit(x, y)

    def _lassoed(self, polygon: Array) -> None:
        """A line was drawn around lenslets."""
        if self.head is not None:
            fibers = pure.lassoed(self.head, polygon)
            if fibers:
                self.taken.emit(fibers)

    def _drag(self, event: MouseDragEvent, axis: int | None = None) -> None:
        """The left button moves the circle or its edges, unless a line is drawn; the middle one moves the map."""
        if self.lasso.on or self.head is None or event.button() != Qt.MouseButton.LeftButton:
            self._rest(event, axis)
            return
        event.accept()
        box = self.plotItem.vb
        place = self.head.place
        if event.isStart():
            start = box.mapSceneToView(event.buttonDownScenePos())
            self._held = self._hold(place, math.hypot(start.x() - place.x, start.y() - place.y))
            far = self._held == "center" and math.hypot(start.x() - place.x, start.y() - place.y) > place.radius
            self._from = (0.0, 0.0) if far else (start.x() - place.x, start.y() - place.y)
        at = box.mapSceneToView(event.scenePos())
        self.placed.emit(self._dragged(place, at.x(), at.y()))

    def _hold(self, place: FieldPlace, away: float) -> str:
        """What a drag takes hold of that begins so far from the center."""
        edges = {"radius": place.radius, "inner": place.inner, "outer": place.outer}
        near = {name: abs(away - radius) for name, radius in edges.items() if radius > 0}
        best = min(near, key=lambda name: near[name], default="center")
        return best if near and near[best] < REACH else "center"

    def _dragged(self, place: FieldPlace, x: float, y: float) -> FieldPlace:
        """The circle after a drag to a place."""
        if self._held == "center":
            return replace(place, x=x - self._from[0], y=y - self._from[1])
        away = max(math.hypot(x - place.x, y - place.y), LEAST)
        if self._held == "radius":
            return replace(place, radius=away)
        if self._held == "inner":
            return replace(place, inner=min(away, place.outer - LEAST))
        return replace(place, outer=max(away, place.inner + LEAST))
