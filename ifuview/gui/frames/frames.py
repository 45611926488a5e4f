"""Frames dock: the list of frames, single / tile / blink, locks, match, difference and ratio, planes of a cube."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QHideEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QMenu,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ifuview.app.frames.views.frames import Axis, FramesView
from ifuview.app.intents import CloseSlot, Combine, Match, MoveSlot, Reload, SelectSlot, SetLayout, SetLock, SetPlane
from ifuview.app.session import Layout
from ifuview.gui.frames._frame_list import FrameList
from ifuview.gui.parts._widgets import FlowLayout, Pages, button, check, column, plain_numbers, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import PlainLabel, plain

LAYOUTS = ((Layout.SINGLE, "Single"), (Layout.TILE, "Tile"), (Layout.BLINK, "Blink"))
LOCKS = (
    ("view", "View"),
    ("sky", "Sky"),
    ("limits", "Limits"),
    ("colors", "Colors"),
    ("crosshair", "Crosshair"),
    ("plane", "Plane"),
)
MATCHES = (("view", "View"), ("sky", "Sky"), ("limits", "Limits"), ("colors", "Colors"), ("plane", "Plane"))
BLINK_RANGE = (16, 10_000)  # ms
PLAY_MS = 80  # between two planes


class FramesDock(Dock):
    """Draws views/frames; emits intents about frames, layout, locks and planes."""

    key: ClassVar[str] = "frames"
    title: ClassVar[str] = "Frames"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: FramesView | None = None
        self.list = FrameList()
        self.list.chosen.connect(lambda key: self.intent.emit(SelectSlot(key)))
        self.list.closed.connect(lambda key: self.intent.emit(CloseSlot(key)))
        self.list.moved.connect(lambda key, place: self.intent.emit(MoveSlot(key, place)))
        self.list.itemSelectionChanged.connect(self._name_pair)
        self.pages = Pages(self.list)
        self.planes = QWidget()
        self._plane_rows: list[PlaneRow] = []
        self._plane_box = QVBoxLayout(self.planes)
        self._plane_box.setContentsMargins(0, 0, 0, 0)
        box = column(self, self._build_layouts(), self._build_locks(), self._build_pair(), self.planes, self.pages)
        box.setStretchFactor(self.pages, 1)
        self.setAccessibleName("Frames")
        self.draw(None)

    def _build_layouts(self) -> FlowLayout:
        """Single, tile, blink and the blink interval."""
        bar = FlowLayout(gap=3)
        self.layout_group = QButtonGroup(self)
        self.layout_buttons: dict[Layout, QToolButton] = {}
        for layout, text in LAYOUTS:
            one = button(text, f"{text} frames" if layout is not Layout.SINGLE else "One frame at a time", check=True)
            one.clicked.connect(lambda _on, layout=layout: self.intent.emit(SetLayout(layout, self.interval.value())))
            self.layout_group.addButton(one)
            self.layout_buttons[layout] = one
            bar.addWidget(one)
        self.interval = QSpinBox()
        self.interval.setRange(*BLINK_RANGE)
        self.interval.setSingleStep(50)
        self.interval.setSuffix(" ms")
        plain_numbers(self.interval, "Time that each frame is shown while blinking")
        self.interval.valueChanged.connect(self._set_interval)
        bar.addWidget(self.interval)
        return bar

    def _build_locks(self) -> FlowLayout:
        """What follows the current frame, always or once."""
        bar = FlowLayout(gap=4)
        bar.addWidget(PlainLabel("Lock:"))
        self.locks = {what: check(text, f"All frames follow the {what} of the current one") for what, text in LOCKS}
        for what, box in self.locks.items():
            box.clicked.connect(lambda on, what=what: self.intent.emit(SetLock(what, on)))
            bar.addWidget(box)
        self.match = button("Match", "Copy from the current frame to all others, once")
        menu = QMenu(self.match)
        for what, text in MATCHES:
            menu.addAction(text, lambda what=what: self.intent.emit(Match(what)))
        self.match.setMenu(menu)
        self.match.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        bar.addWidget(self.match)
        return bar

    def _build_pair(self) -> FlowLayout:
        """Reload, and a new frame made from two."""
        bar = FlowLayout(gap=3)
        self.difference = button("Difference", "New frame: difference of two frames")
        self.ratio = button("Ratio", "New frame: ratio of two frames")
        self.reload = button("Reload", "Read the file of the current frame again")
        self.difference.clicked.connect(lambda: self._combine("difference"))
        self.ratio.clicked.connect(lambda: self._combine("ratio"))
        self.reload.clicked.connect(self._reload)
        for one in (self.difference, self.ratio, self.reload):
            bar.addWidget(one)
        return bar

    def draw(self, view: FramesView | None) -> None:
        """Show the frames and the switches as they are."""
        self._view = view
        empty = view is None or not view.rows
        for part in (*self.layout_buttons.values(), *self.locks.values(), self.interval, self.match, self.reload):
            part.setEnabled(not empty)
        if view is not None:
            self.interval.blockSignals(True)
            self.interval.setValue(view.blink_ms)
            self.interval.blockSignals(False)
        if view is None or not view.rows:
            self.list.clear()
            self.pages.show_hint("Open a file, or drop one on the window.")
            self._draw_planes(())
            self._name_pair()
            return
        self.pages.show_content()
        self.list.draw(view)
        self.layout_buttons[view.layout].setChecked(True)
        for what, box in self.locks.items():
            box.setChecked(getattr(view.locks, what))
        self._draw_planes(view.axes)
        self._name_pair()

    def blinked(self, key: int | None) -> None:
        """Mark the frame that is on the canvas just now."""
        self.list.mark(key)

    def pair(self) -> tuple[int, int] | None:
        """The two selected frames, or the current and the previous one."""
        view = self._view
        if view is None:
            return None
        chosen = self.list.selected_keys()
        if len(chosen) == 2:
            first = view.current if view.current in chosen else chosen[0]
            return first, chosen[1] if chosen[0] == first else chosen[0]
        keys = [row.key for row in view.rows]
        current, previous = view.current, view.previous
        if current is None or previous is None or current == previous or not {current, previous} <= set(keys):
            return None
        return current, previous

    def _name_pair(self) -> None:
        """Say in the tips which frames would be combined."""
        pair = self.pair()
        for one, sign, word in ((self.difference, "−", "difference"), (self.ratio, "/", "ratio")):
            one.setEnabled(pair is not None)
            if pair is None or self._view is None:
                one.setToolTip(plain(f"Select two frames (Ctrl-click) for their {word}"))
                continue
            names = {row.key: row.title for row in self._view.rows}
            one.setToolTip(plain(f"New frame: {names.get(pair[0], '')} {sign} {names.get(pair[1], '')}"))

    def _combine(self, how: str) -> None:
        """Ask for a new frame made from two."""
        pair = self.pair()
        if pair is not None:
            self.intent.emit(Combine(*pair, how))

    def _reload(self) -> None:
        """Read the selected frames again."""
        for key in self.list.selected_keys():
            self.intent.emit(Reload(key))

    def _set_interval(self, ms: int) -> None:
        """A new blink interval; the layout stays."""
        if self._view is not None:
            self.intent.emit(SetLayout(self._view.layout, ms))

    def _draw_planes(self, axes: tuple[Axis, ...]) -> None:
        """One slider for each leading axis of a cube."""
        while len(self._plane_rows) < len(axes):
            row = PlaneRow()
            row.slider.valueChanged.connect(self._set_plane)
            self._plane_box.addWidget(row)
            self._plane_rows.append(row)
        for i, row in enumerate(self._plane_rows):
            row.setVisible(i < len(axes))
            if i < len(axes):
                row.draw(axes[i].size, axes[i].index, axes[i].text)
            else:
                row.play.setChecked(False)
        self.planes.setVisible(bool(axes))

    def _set_plane(self, _index: int) -> None:
        """The user moved a plane slider."""
        view = self._view
        if view is not None and view.current is not None:
            rows = self._plane_rows[: len(view.axes)]
            self.intent.emit(SetPlane(view.current, tuple(row.slider.value() for row in rows)))


class PlaneRow(QWidget):
    """Slider over the planes of one axis, with a play button."""

    def __init__(self) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Plane of the cube")
        self.play = button("▶", "Play the planes", check=True)
        self.play.toggled.connect(self._toggle)
        self.text = quiet_label()
        self._timer = QTimer(self)
        self._timer.setInterval(PLAY_MS)
        self._timer.timeout.connect(self._step)
        line = QHBoxLayout()
        line.addWidget(self.play)
        line.addWidget(self.slider, 1)
        column(self, self.text, line, margin=0)

    def draw(self, size: int, index: int, text: str) -> None:
        """Show where the axis stands."""
        self.slider.blockSignals(True)
        self.slider.setRange(0, size - 1)
        self.slider.setPageStep(max(1, size // 20))
        self.slider.setValue(index)
        self.slider.blockSignals(False)
        self.text.setText(text)
        self.setVisible(size > 1)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Nobody sees it: stop playing."""
        self.play.setChecked(False)
        super().hideEvent(event)

    def _toggle(self, on: bool) -> None:
        """Start or stop."""
        self.play.setText("❚❚" if on else "▶")
        (self._timer.start if on else self._timer.stop)()

    def _step(self) -> None:
        """The next plane, after the last the first."""
        last = self.slider.maximum()
        self.slider.setValue(0 if self.slider.value() >= last else self.slider.value() + 1)
