"""Row and column dock: the values along x and along y through the cursor."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QWidget

from ifuview.app.spectra.views.graphs import GraphsView
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._widgets import Pages, column, quiet_label
from ifuview.gui.parts.base import Dock

HINT = "Move the pointer over the image to see its row and its column."


class GraphsDock(Dock):
    """Draws views/graphs; emits nothing."""

    key: ClassVar[str] = "graphs"
    title: ClassVar[str] = "Row and column"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = quiet_label()
        self.row_plot = FigurePlot("Row through the cursor", headed=False)
        self.column_plot = FigurePlot("Column through the cursor", headed=False)
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
        for plot, figure in ((self.row_plot, view.row), (self.column_plot, view.column)):
            before = plot.figure
            plot.show_figure(figure, fit=before is None or before.x != figure.x)
            plot.fit_y()  # along the cut what is in view stays while the image does

    def hover(self, view: GraphsView | None) -> None:
        """Show the cuts through the cursor."""
        if view is not None:
            self.draw(view)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        wide = self.width() > 2 * self.height()
        self.box.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
