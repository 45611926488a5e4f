"""IFUs dock: the fiber heads on the focal plane, every amplifier colored by what is known of it; a click goes there."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHBoxLayout, QWidget

from ifuview.app.frames.views.text import number as as_text
from ifuview.app.intents import ShowProduct
from ifuview.app.night.views import heads as pure
from ifuview.app.night.views.heads import STATES, HeadsView
from ifuview.gui.night._focal_map import FocalMap
from ifuview.gui.parts._widgets import FlowLayout, Pages, Ramp, button, column, combo, labelled, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import PlainLabel
from ifuview.model.night.raw import AMPLIFIERS, DETECTOR, HEAD
from ifuview.model.verdict import VERDICT_COLORS, VERDICT_SIGNS, VerdictState

HINT = "Open a raw night of many fiber heads: each is shown here in its place on the focal plane."
SHOWN_STATES = (VerdictState.WRONG, VerdictState.LOOK, VerdictState.CLEAN, VerdictState.NOT_JUDGED)


class HeadsDock(Dock):
    """Draws views/heads; emits ShowProduct."""

    key: ClassVar[str] = "heads"
    title: ClassVar[str] = "IFUs"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: HeadsView | None = None
        self.color_by = combo((), "Color of the amplifiers")
        self.color_by.activated.connect(lambda _i: self._paint())
        self.every = button("All amplifiers", "The whole exposure on the canvas, every amplifier in its place")
        self.every.clicked.connect(self._show_all)
        self.whole = button("Whole IFU", "All amplifiers of the IFU on the canvas, one above the other")
        self.whole.clicked.connect(self._show_whole)
        self.info = quiet_label()
        self.ramp = Ramp()
        self.key_line = PlainLabel()
        self.key_line.setTextFormat(Qt.TextFormat.RichText)  # of our own words alone
        self.key_line.setWordWrap(True)
        self.map = FocalMap()
        self.map.clicked.connect(self._click)
        self.map.pointed.connect(self._point)
        self.map.left.connect(self._say)
        content, top, keys = QWidget(), FlowLayout(), QHBoxLayout()
        top.addWidget(labelled("Color", self.color_by))
        top.addWidget(self.whole)
        top.addWidget(self.every)
        keys.addWidget(self.key_line, 1)
        keys.addWidget(self.ramp, 1)
        box = column(content, top, keys, self.map, self.info, margin=0)
        box.setStretchFactor(self.map, 1)
        box.setStretchFactor(self.info, 0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("IFUs on the focal plane")
        self.draw(None)

    def draw(self, view: HeadsView | None) -> None:
        """Show the heads of an exposure."""
        self._view = view
        if view is None:
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        names = [self.color_by.itemText(n) for n in range(self.color_by.count())]
        wanted = [pure.label(one) for one in view.numbers]
        if names != wanted:
            kept = self.color_by.currentData()
            self.color_by.clear()
            for one in view.numbers:
                self.color_by.addItem(pure.label(one), one.name)
            self.color_by.setCurrentIndex(max(0, self.color_by.findData(kept)))
        self.map.draw(view)
        self._paint()
        self._say()

    def _paint(self) -> None:
        """Color the amplifiers, and say what the colors mean."""
        view = self._view
        if view is None:
            return
        number = view.number(str(self.color_by.currentData()))
        self.key_line.setVisible(number.states)
        self.ramp.setVisible(not number.states)
        if number.states:
            self.map.paint_states([STATES[int(v)] for v in number.values])
            self.key_line.setText("&ensp; ".join(
                f'<span style="color:{VERDICT_COLORS[one]}">{VERDICT_SIGNS[one]}</span>&nbsp;{one}'
                for one in SHOWN_STATES
            ))  # fmt: skip
        else:
            found = pure.shades(number)
            self.map.paint_values(found)
            self.ramp.show_range(found.ramp, as_text(found.low), as_text(found.high))
        self._say()

    def _say(self) -> None:
        view = self._view
        if view is not None:
            self.info.setText(pure.summary(view, str(self.color_by.currentData())))

    def _point(self, x: float, y: float) -> None:
        """What is under the mouse."""
        view = self._view
        words = "" if view is None else pure.about(view, x, y, str(self.color_by.currentData()))
        self.info.setText(words) if words else self._say()

    def _click(self, x: float, y: float) -> None:
        """An amplifier on the canvas, with the others of its detector, or of the whole head if such is shown."""
        view = self._view
        cell = None if view is None else pure.at(view, x, y)
        if view is not None and cell is not None:
            product = HEAD if view.whole else DETECTOR
            self.intent.emit(ShowProduct(view.expid, view.cells[cell].camera, product))

    def _show_whole(self) -> None:
        if self._view is not None:
            self.intent.emit(ShowProduct(self._view.expid, product=HEAD))

    def _show_all(self) -> None:
        if self._view is not None:
            self.intent.emit(ShowProduct(self._view.expid, product=AMPLIFIERS))
