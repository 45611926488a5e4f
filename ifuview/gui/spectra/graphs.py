"""Row and column dock: the values along x and along y through the cursor."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QWidget

from ifuview.app.spectra.views import graphs as pure
from ifuview.app.spectra.views.graphs import GraphsView
from ifuview.gui.parts._plot import Plot
from ifuview.gui.parts._widgets import Pages, column, quiet_label
from ifuview.gui.parts.base import Dock

HINT = "Move the pointer over the image to see its row and its column."


class CutPlot(Plot):
    """One cut with a line at the cursor."""

    def __init__(self, name: str, x: str) -> None:
        super().__init__(name, x, "Value")
        self.curve_item = self.curve(0, connect="finite")
        self.curve_item.setDownsampling(auto=True, method="peak")
        self.curve_item.setClipToView(True)
        self.mark = self.line("faint", style=Qt.PenStyle.DotLine)
        self._span: tuple[float, float] | None = None

    def show_cut(self, x: np.ndarray, values: np.ndarray, at: int, label: str) -> None:
        """Draw the values; the horizontal range stays while the image does."""
        self.set_labels(self.getAxis("bottom").labelText, label)
        self.curve_item.setData(x, values)
        self.mark.setValue(at)
        self.mark.show()
        span = (float(x[0]), float(x[-1]))
        if span != self._span and span[1] > span[0]:
            self._span = span
            self.show_x(*span)
        near = np.flatnonzero(x == at)
        limits = pure.robust(values, float(values[near[0]]) if near.size else float("nan"))
        if limits is not None:
            self.show_y(*limits)


class GraphsDock(Dock):
    """Draws views/graphs; emits nothing."""

    key: ClassVar[str] = "graphs"
    title: ClassVar[str] = "Row and column"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = quiet_label()
        self.row_plot = CutPlot("Row through the cursor", "x (px)")
        self.column_plot = CutPlot("Column through the cursor", "y (px)")
        content = QWidget()
        self.box = QBoxLayout(QBoxLayout.Direction.TopToBottom, content)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.addWidget(self.row_plot, 1)
        self.box.addWidget(self.column_plot, 1)
        self.pages = Pages(content)
        column(self, self.text, self.pages)
        self.setAccessibleName("Row and column")
        self.draw(None)

    def draw(self, view: GraphsView | None) -> None:
        """Show the cuts through the crosshair."""
        if view is None:
            self.text.setText("")
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        self.text.setText(view.text)
        self.row_plot.show_cut(np.arange(view.row.size), view.row, view.x, view.label)
        self.column_plot.show_cut(view.column_y, view.column, view.y, view.label)

    def hover(self, view: GraphsView | None) -> None:
        """Show the cuts through the cursor."""
        if view is not None:
            self.draw(view)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        wide = self.width() > 2 * self.height()
        self.box.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
