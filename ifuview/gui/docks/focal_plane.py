"""Focal plane dock: the fibers where they sit, colored by role or by a number; a click selects one."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QBrush, QColor, QImage, QPixmap
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ifuview.app.intents import SelectFiber
from ifuview.app.views import focal_plane as pure
from ifuview.app.views.focal_plane import FocalPlaneView, Shades
from ifuview.app.views.text import number
from ifuview.gui.docks._plot import Ink, Plot
from ifuview.gui.docks._widgets import FlowLayout, Pages, column, combo, labelled, quiet_label
from ifuview.gui.docks.base import Dock
from ifuview.model.fibers import FiberRole

SYMBOLS: dict[FiberRole, tuple[str, str | int, str]] = {
    FiberRole.SCIENCE: ("o", 0, "●"),
    FiberRole.SKY: ("s", 4, "■"),
    FiberRole.STANDARD: ("star", 1, "★"),
    FiberRole.DEAD: ("x", "bad", "✕"),
    FiberRole.UNASSIGNED: ("d", "faint", "◆"),
}
SIZE = 7  # screen px
REACH = 14  # screen px from a fiber within which a click selects it
HINT = "The focal plane is shown when the file says where its fibers sit."


class FocalPlaneDock(Dock):
    """Draws views/focal_plane; emits SelectFiber."""

    key: ClassVar[str] = "focal"
    title: ClassVar[str] = "Focal plane"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: FocalPlaneView | None = None
        self.color_by = combo(((pure.ROLE, pure.ROLE),), "Color of the fibers")
        self.color_by.setSizeAdjustPolicy(self.color_by.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.color_by.setMinimumContentsLength(14)
        self.color_by.currentIndexChanged.connect(lambda _i: self._paint())
        self.info = quiet_label()
        self.key_line = QLabel()
        self.key_line.setTextFormat(Qt.TextFormat.RichText)
        self.key_line.setWordWrap(True)
        self.bar = self._build_bar()
        self.plot = Plot("Focal plane", "", "")
        self.plot.plotItem.vb.setAspectLocked(True)
        self.points = pg.ScatterPlotItem(size=SIZE, pxMode=True)
        self.plot.styled(self.points, lambda _ink: self._paint())
        self.ring = pg.ScatterPlotItem(size=SIZE + 9, symbol="o", pxMode=True, brush=None)
        self.plot.styled(self.ring, self._style_ring)
        self.plot.clicked.connect(self._click)
        self.plot.pointed.connect(self._point)
        self.plot.left.connect(self._say_current)
        content = QWidget()
        top = FlowLayout()
        top.addWidget(labelled("Color", self.color_by))
        column(content, top, self.key_line, self.bar, self.info, self.plot, margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Focal plane")
        self.draw(None)

    def _build_bar(self) -> QWidget:
        """The ramp with its range."""
        out = QWidget()
        row = QHBoxLayout(out)
        row.setContentsMargins(0, 0, 0, 0)
        self.low, self.ramp, self.high = QLabel(), QLabel(), QLabel()
        self.ramp.setScaledContents(True)
        self.ramp.setFixedHeight(12)
        self.ramp.setMinimumWidth(40)
        self.ramp.setAccessibleName("Color ramp")
        row.addWidget(self.low)
        row.addWidget(self.ramp, 1)
        row.addWidget(self.high)
        return out

    def draw(self, view: FocalPlaneView | None) -> None:
        """Show the fibers, ring the selected ones."""
        old = self._view
        self._view = view
        if view is None:
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        if old is None or old.choices != view.choices:
            self._fill_choices(view)
        if old is None or old.source is not view.source or old.numbers != view.numbers:
            self.plot.set_labels(view.xlabel, view.ylabel)
            self.plot.plotItem.vb.invertX(view.mirror)
            self.plot.plotItem.vb.setAspectLocked(True, ratio=1.0 / view.stretch)
            self._paint()
            self.plot.plotItem.vb.autoRange()
        self._ring()
        self._say_current()

    def _fill_choices(self, view: FocalPlaneView) -> None:
        """What the fibers can be colored by; the choice stays if it is still there."""
        chosen = self.color_by.currentData()
        self.color_by.blockSignals(True)
        self.color_by.clear()
        for name in view.choices:
            self.color_by.addItem(name, name)
        self.color_by.setCurrentIndex(max(0, self.color_by.findData(chosen)))
        self.color_by.blockSignals(False)

    def _paint(self) -> None:
        """Color the fibers."""
        view = self._view
        if view is None:
            return
        shades = pure.shades(view, self.color_by.currentData() or pure.ROLE)
        self.bar.setVisible(shades is not None)
        self.key_line.setVisible(shades is None)
        if shades is None:
            self._paint_roles(view, self.plot.ink)
        else:
            self._paint_shades(view, shades, self.plot.ink)

    def _paint_roles(self, view: FocalPlaneView, ink: Ink) -> None:
        """Color and symbol say the role."""
        brushes = {role: QBrush(ink.color(color)) for role, (_, color, _) in SYMBOLS.items()}
        pens = {role: ink.pen(color) for role, (_, color, _) in SYMBOLS.items()}
        self.points.setData(
            x=view.x,
            y=view.y,
            symbol=[SYMBOLS[role][0] for role in view.roles],
            brush=[brushes[role] for role in view.roles],
            pen=[pens[role] for role in view.roles],
        )
        keys = [
            f'<span style="color:{ink.color(color).name()}">{mark}</span>&nbsp;{role.value}'
            for role, (_, color, mark) in SYMBOLS.items()
            if role in view.roles
        ]
        self.key_line.setText("&ensp; ".join(keys))

    def _paint_shades(self, view: FocalPlaneView, shades: Shades, ink: Ink) -> None:
        """Color says a number; crosses where it is unknown."""
        brushes = [QBrush(QColor(int(rgb))) for rgb in shades.ramp] + [QBrush(ink.color("faint"))]
        pen = ink.pen("faint")
        self.points.setData(
            x=view.x,
            y=view.y,
            symbol=["o" if i >= 0 else "x" for i in shades.index],
            brush=[brushes[i] for i in shades.index],
            pen=[pen] * view.x.size,
        )
        self.low.setText(number(shades.lo))
        self.high.setText(number(shades.hi))
        row = np.ascontiguousarray(shades.ramp.astype(np.uint32) | 0xFF000000)
        image = QImage(row.tobytes(), row.size, 1, QImage.Format.Format_RGB32)
        self.ramp.setPixmap(QPixmap.fromImage(image))

    def _style_ring(self, ink: Ink) -> None:
        """The ring around what is selected."""
        self.ring.setPen(ink.pen("text", 2))

    def _ring(self) -> None:
        """Ring the selected fibers."""
        view = self._view
        if view is None:
            return
        rows = [f for f in {*view.fibers, view.fiber} if f is not None and 0 <= f < view.x.size]
        self.ring.setData(x=view.x[rows], y=view.y[rows])

    def _say_current(self) -> None:
        """Name the selected fiber."""
        view = self._view
        known = view is not None and view.fiber is not None and 0 <= view.fiber < view.x.size
        if view is not None and known and view.fiber is not None:
            self.info.setText(pure.describe(view, view.fiber, self.color_by.currentData()))
        else:
            self.info.setText("Click a fiber to select it.")

    def _at(self, x: float, y: float) -> int | None:
        """The fiber under the mouse."""
        view = self._view
        row = None if view is None else pure.nearest(view, x, y)
        if view is None or row is None:
            return None
        px, py = self.plot.plotItem.vb.viewPixelSize()
        away = np.hypot((view.x[row] - x) / px, (view.y[row] - y) / py)
        return row if away <= REACH else None

    def _point(self, x: float, y: float) -> None:
        """Name the fiber under the mouse."""
        row = self._at(x, y)
        if row is not None and self._view is not None:
            self.info.setText(pure.describe(self._view, row, self.color_by.currentData()))
        else:
            self._say_current()

    def _click(self, x: float, y: float) -> None:
        """Select the fiber under the mouse."""
        row = self._at(x, y)
        if row is not None:
            self.intent.emit(SelectFiber(row))
