"""The fiber heads of the focal plane to scale, each cut into its amplifiers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt, QTimer
from PyQt6.QtGui import QBrush, QColor, QFont, QPainter, QPen, QResizeEvent

from ifuview.app.night.views.heads import CellColors, HeadsView
from ifuview.gui.parts._plot import Plot
from ifuview.model.verdict import VERDICT_COLORS, VerdictState

UNKNOWN = 0x80868C
RING = QColor("#ff2d95")  # around what is on the canvas, as in the list of exposures
READABLE = 22.0  # screen px of a head from where on its slot is written beside it
PLAIN = (VerdictState.CLEAN, VerdictState.WRONG, VerdictState.LOOK)  # states that are filled; others are hatched


class HeadCells(pg.GraphicsObject):
    """Amplifiers as rectangles, heads without data as outlines."""

    def __init__(self) -> None:
        super().__init__()
        self.view: HeadsView | None = None
        self.brushes: list[QBrush] = []
        self.ink = QColor("gray")
        self._rect = QRectF()

    def setView(self, view: HeadsView) -> None:
        """Show other heads."""
        self.prepareGeometryChange()
        self.view = view
        if view.heads:
            x, y = np.array([(head.x, head.y) for head in view.heads]).T
            half = view.size
            self._rect = QRectF(x.min() - half, y.min() - half, np.ptp(x) + 2 * half, np.ptp(y) + 2 * half)
        self.informViewBoundsChanged()
        self.update()

    def setBrushes(self, brushes: list[QBrush]) -> None:
        """Fill the cells."""
        self.brushes = brushes
        self.update()

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(self, painter: QPainter, *_args: object) -> None:
        view = self.view
        if view is None:
            return
        wide, high = view.cell
        scale = abs(painter.worldTransform().m11())
        for head in view.heads:
            if not head.there:
                painter.setPen(QPen(self.ink, 0, Qt.PenStyle.DotLine))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self._box(head.x, head.y))
        painter.setPen(QPen(self.ink, 0))
        for cell, brush in zip(view.cells, self.brushes, strict=False):
            own = QBrush(brush)
            own.setTransform(painter.worldTransform().inverted()[0])  # hatching of screen pixels
            painter.setBrush(own)
            painter.drawRect(QRectF(*view.corner(cell), wide, high))
        if view.chosen >= 0:
            head = view.heads[view.chosen]
            painter.setPen(_cosmetic(RING, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self._box(head.x, head.y))
            painter.setPen(_cosmetic(RING, 3))
            for column in {cell.column for cell in view.cells if cell.camera == view.camera}:
                left, low = head.x - view.size / 2 + column * wide, head.y - view.size / 2
                painter.drawRect(QRectF(left, low, wide, view.size))
        if scale * view.size >= READABLE:
            self._names(painter)

    def _box(self, x: float, y: float) -> QRectF:
        assert self.view is not None
        size = self.view.size
        return QRectF(x - size / 2, y - size / 2, size, size)

    def _names(self, painter: QPainter) -> None:
        """The slot of each head, upright, in letters that its width allows."""
        assert self.view is not None
        transform = painter.worldTransform()
        painter.save()
        painter.resetTransform()
        size = abs(transform.m11()) * self.view.size
        font = QFont(painter.font())
        font.setPixelSize(int(min(max(size / 3.2, 8), 14)))
        painter.setFont(font)
        for head in self.view.heads:
            middle = transform.map(QPointF(head.x, head.y))
            box = QRectF(middle.x() - size / 2, middle.y() - size / 2, size, size)
            painter.setPen(QColor("white") if head.there else self.ink)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, head.slot)
        painter.restore()


def _cosmetic(color: QColor, width: float) -> QPen:
    pen = QPen(color, width)
    pen.setCosmetic(True)
    return pen


class FocalMap(Plot):
    """Draws a HeadsView."""

    def __init__(self) -> None:
        super().__init__("Fiber heads on the focal plane", "", "", aligned=False)
        self.plotItem.vb.setAspectLocked(True)
        for side in ("left", "bottom"):
            self.hideAxis(side)
        self.cells = HeadCells()
        self.styled(self.cells, lambda ink: setattr(self.cells, "ink", ink.faint))
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self.show_all)

    def draw(self, view: HeadsView) -> None:
        """Show heads; all of them when they are others than before."""
        fresh = self.cells.view is None or self.cells.view.plane is not view.plane
        self.cells.setView(view)
        if fresh:
            self.show_all()

    def paint_states(self, states: Sequence[VerdictState]) -> None:
        """Color by verdicts; what was not judged is hatched."""
        made = {state: QBrush(QColor(VERDICT_COLORS[state])) for state in PLAIN}
        unknown = QBrush(self.ink.color("faint"), Qt.BrushStyle.BDiagPattern)
        self.cells.setBrushes([made.get(state, unknown) for state in states])

    def paint_values(self, found: CellColors) -> None:
        """Color by numbers; what is not known is hatched."""
        unknown = QBrush(self.ink.color("faint"), Qt.BrushStyle.BDiagPattern)
        self.cells.setBrushes([
            QBrush(QColor(int(color))) if known else unknown
            for color, known in zip(found.color, found.known, strict=True)
        ])  # fmt: skip

    def fit_later(self) -> None:
        """The whole focal plane once the plot has its place."""
        if self._ready and self.cells.view is not None:
            self._later.start()

    def show_all(self) -> None:
        """The whole focal plane."""
        self.plotItem.vb.setRange(self.cells.boundingRect(), padding=0.0)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.fit_later()
