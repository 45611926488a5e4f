"""Cut dock: the values along a line of any angle."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import QSignalBlocker
from PyQt6.QtWidgets import QHBoxLayout, QSpinBox, QWidget

from ifuview.app.frames.measuring.intents import SetCutWidth
from ifuview.app.frames.views.cut import HINT, CutView
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._widgets import Pages, column, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import PlainLabel

WIDEST = 999  # px


class CutDock(Dock):
    """Draws views/cut; emits SetCutWidth."""

    key: ClassVar[str] = "cut"
    title: ClassVar[str] = "Cut"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = quiet_label()
        self.width_box = QSpinBox()
        self.width_box.setRange(1, WIDEST)
        self.width_box.setSuffix(" px wide")
        self.width_box.setAccessibleName("Pixels across the line that are averaged")
        self.width_box.valueChanged.connect(lambda width: self.intent.emit(SetCutWidth(width)))
        self.plot = FigurePlot("Values along the line", headed=False)
        self.pages = Pages(self.plot)
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.text, 1)
        row.addWidget(PlainLabel(""))
        row.addWidget(self.width_box)
        column(self, bar, self.pages)
        self.setAccessibleName(self.title)
        self.draw(None)

    def draw(self, view: CutView | None) -> None:
        """Show the cut."""
        if view is None:
            self.text.setText("")
            self.pages.show_hint(HINT)
            return
        with QSignalBlocker(self.width_box):
            self.width_box.setValue(view.width)
        self.text.setText(view.text)
        if view.figure.empty:
            self.pages.show_hint(view.figure.empty)
            return
        self.pages.show_content()
        self.plot.show_figure(view.figure)
