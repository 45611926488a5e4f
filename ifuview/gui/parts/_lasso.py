"""A line drawn by hand around points of a plot."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QObject, Qt, pyqtSignal
from pyqtgraph.GraphicsScene.mouseEvents import MouseDragEvent

from ifuview.gui.parts._plot import Plot


class Lasso(QObject):
    """Draws the line while the left button is down and it is on; emits `drawn(polygon)` in data coordinates."""

    drawn = pyqtSignal(object)

    def __init__(self, plot: Plot) -> None:
        super().__init__(plot)
        self.plot, self.on = plot, False
        self._points: list[tuple[float, float]] = []
        self.line = pg.PlotDataItem()
        plot.styled(self.line, lambda ink: self.line.setPen(ink.pen("bad", 1.5)), add=False)
        plot.addItem(self.line, ignoreBounds=True)
        self._pan = plot.plotItem.vb.mouseDragEvent
        plot.plotItem.vb.mouseDragEvent = self._drag

    def switch(self, on: bool) -> None:
        """Whether dragging draws instead of moving the plot."""
        self.on = on
        self.plot.setCursor(Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor)

    def _drag(self, event: MouseDragEvent, axis: int | None = None) -> None:
        """The mouse moves with a button down."""
        if not self.on or event.button() != Qt.MouseButton.LeftButton:
            self._pan(event, axis)
            return
        event.accept()
        box = self.plot.plotItem.vb
        if event.isStart():
            start = box.mapSceneToView(event.buttonDownScenePos())
            self._points = [(start.x(), start.y())]
        place = box.mapSceneToView(event.scenePos())
        self._points.append((place.x(), place.y()))
        if event.isFinish():
            polygon, self._points = np.array(self._points), []
            self.line.setData([], [])
            self.drawn.emit(polygon)
        else:
            line = np.array(self._points)
            self.line.setData(line[:, 0], line[:, 1])
