"""The plots of the docks: one look in light and dark, no stock context menus, curves that are made once and reused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import TypeVar

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike
from PyQt6.QtCore import QEvent, QPointF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor, QPalette, QPen, QResizeEvent
from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent

from ifuview.gui.parts._edges import LineAxis
from ifuview.gui.parts._widgets import is_dark
from ifuview.gui.plain import plain
from ifuview.model import figure

T = TypeVar("T")
BAD_LIGHT, BAD_DARK = "#B03A2E", "#FF7B6B"
SMALLEST = (80, 64)  # screen px
ROOM_BELOW = 44  # screen px of the horizontal axis with its label
DIRECT = Qt.FindChildOption.FindDirectChildrenOnly
HEADING_ROOM = 14  # px, beside a heading


@dataclass(frozen=True)
class Ink:
    """Colors for one palette."""

    paper: QColor
    text: QColor
    faint: QColor
    bad: QColor
    series: tuple[QColor, ...]
    dark: bool

    def color(self, name: str | int, alpha: int = 255) -> QColor:
        """A color by role name or number of the series."""
        base = self.series[name % len(self.series)] if isinstance(name, int) else getattr(self, name)
        out = QColor(base)
        out.setAlpha(alpha)
        return out

    def pen(self, name: str | int, width: float = 1, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
        """A cosmetic pen."""
        pen = QPen(self.color(name), width, style)
        pen.setCosmetic(True)
        return pen

    def brush(self, name: str | int, alpha: int = 70) -> QBrush:
        """A transparent fill."""
        return QBrush(self.color(name, alpha))


def ink_of(palette: QPalette) -> Ink:
    """Colors that can be told apart on the background of `palette`."""
    dark = is_dark(palette)
    text = palette.color(QPalette.ColorRole.Text)
    paper = palette.color(QPalette.ColorRole.Base)
    faint = QColor(*((2 * p + 3 * t) // 5 for p, t in zip(paper.getRgb()[:3], text.getRgb()[:3], strict=True)))
    names = figure.ON_DARK if dark else figure.ON_LIGHT
    return Ink(paper, text, faint, QColor(BAD_DARK if dark else BAD_LIGHT), tuple(QColor(n) for n in names), dark)


class Plot(pg.PlotWidget):
    """A plot that follows the palette; a double click shows everything.

    Emits `clicked(x, y)` in data coordinates and `pointed(x, y)` while the
    mouse is over it; `left()` when the mouse goes.
    """

    clicked = pyqtSignal(float, float)
    pointed = pyqtSignal(float, float)
    left = pyqtSignal()

    _ready = False  # events arrive while the base class is being built

    def __init__(self, name: str, x: str = "", y: str = "", *, aligned: bool = True) -> None:
        super().__init__(None, enableMenu=False, axisItems={"left": LineAxis("left")})
        self._styles: list[Callable[[Ink], object]] = []
        self._heading = self._label = ""
        self.ink = ink_of(self.palette())
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hideButtons()
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickLength=-4)
        if aligned:
            self.getAxis("left").in_line = self._in_line
            self.getAxis("left").setWidth()
        self.plotItem.setContentsMargins(0, 6, 4, 0)
        self.set_labels(x, y)
        self._ready = True
        self._restyle()
        self.getAxis("left").widthChanged.connect(self._draw_heading)
        self.scene().sigMouseClicked.connect(self._on_click)
        self.scene().sigMouseMoved.connect(self._on_move)

    def _in_line(self) -> Iterator[LineAxis]:
        """The vertical axes of the plots that stand in one widget with it."""
        parent = self.parentWidget()
        if parent is not None:
            axes = (plot.getAxis("left") for plot in parent.findChildren(Plot, options=DIRECT) if plot.isVisible())
            yield from (axis for axis in axes if axis.in_line is not None)

    def set_labels(self, x: str, y: str) -> None:
        """Axis labels, units included."""
        self._below, self._label = x, y
        for side, text in (("bottom", x), ("left", self._fitting_label())):
            axis, shown = self.getAxis(side), escape(text)  # pyqtgraph takes labels for HTML
            if axis.labelText != shown:
                axis.setLabel(shown)
                axis.showLabel(bool(text))
        self._draw_heading()

    def _fitting_label(self) -> str:
        """The vertical label; in a plot too low for it nothing, or its unit where another heading stands above."""
        room = self.height() - ROOM_BELOW - bool(self._heading) * self.fontMetrics().height()
        unit = self._label[self._label.rfind("(") + 1 : -1] if self._heading and self._label.endswith(")") else ""
        return next((t for t in (self._label, unit) if self.fontMetrics().horizontalAdvance(t) <= room), "")

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if self._ready:
            self.set_labels(self._below, self._label)

    def set_heading(self, text: str) -> None:
        """A line of text above the plot; without one, a plot too low for its vertical label has that there."""
        if self._heading != text:
            self._heading = text
            self.setToolTip(plain(text))
            self.set_labels(self._below, self._label)

    def _draw_heading(self) -> None:
        """The heading as far as there is room: a longer one would push the plot out of view."""
        heading = self._heading or ("" if self._fitting_label() else self._label)
        room = self.width() - self.getAxis("left").width() - HEADING_ROOM
        text = self.fontMetrics().elidedText(heading, Qt.TextElideMode.ElideRight, max(int(room), 0))
        size = f"{max(7, self.font().pointSize() - 1)}pt"
        self.plotItem.setTitle(escape(text) or None, color=self.ink.text, size=size, justify="left")
        if text:
            self.plotItem.layout.setRowFixedHeight(0, self.fontMetrics().height())  # half of what pyqtgraph takes

    def styled(self, item: T, style: Callable[[Ink], object], *, add: bool = True) -> T:
        """Add `item` and call `style` with the colors, now and whenever the palette changes."""
        if add:
            self.addItem(item)
        self._styles.append(style)
        style(self.ink)
        return item

    def region(self, color: str | int = "faint", alpha: int = 40, *, vertical: bool = True) -> pg.LinearRegionItem:
        """A hidden band that cannot be moved."""
        item = pg.LinearRegionItem(orientation="vertical" if vertical else "horizontal", movable=False)
        item.hide()
        item.setZValue(-10)

        def style(ink: Ink) -> None:
            item.setBrush(ink.brush(color, alpha))
            for edge in item.lines:
                edge.setPen(ink.pen(color, 1, Qt.PenStyle.DotLine))

        self.styled(item, style, add=False)
        self.addItem(item, ignoreBounds=True)
        return item

    def show_x(self, lo: float, hi: float) -> None:
        """Set the horizontal range; the vertical one follows the data."""
        self.plotItem.vb.setXRange(lo, hi, padding=0)

    def show_y(self, lo: float, hi: float) -> None:
        """Set the vertical range."""
        self.plotItem.vb.setYRange(lo, hi, padding=0)

    def show_all(self) -> None:
        """Bring all of the data into view."""
        self.plotItem.vb.autoRange()

    def minimumSizeHint(self) -> QSize:
        return QSize(*SMALLEST)

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and self._ready and event.type() == QEvent.Type.PaletteChange:
            self._restyle()

    def leaveEvent(self, event: QEvent | None) -> None:
        super().leaveEvent(event)
        self.left.emit()

    def _restyle(self) -> None:
        """Take the colors of the palette."""
        self.ink = ink_of(self.palette())
        self.setBackground(self.ink.paper)
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(self.ink.pen("faint"))
            axis.setTextPen(self.ink.pen("text"))
            axis.setStyle(tickFont=self.font())
            axis.label.setFont(self.font())
        self._draw_heading()
        for style in self._styles:
            style(self.ink)

    def _on_click(self, event: MouseClickEvent) -> None:
        """Report a click; show everything after a double click."""
        if event.button() != Qt.MouseButton.LeftButton or not self.plotItem.vb.sceneBoundingRect().contains(
            event.scenePos()
        ):
            return
        if event.double():
            self.show_all()
            return
        point = self.plotItem.vb.mapSceneToView(event.scenePos())
        self.clicked.emit(point.x(), point.y())

    def _on_move(self, position: QPointF) -> None:
        """Report where the mouse is."""
        if self.plotItem.vb.sceneBoundingRect().contains(position):
            point = self.plotItem.vb.mapSceneToView(position)
            self.pointed.emit(point.x(), point.y())


def set_errors(
    item: pg.ErrorBarItem, x: ArrayLike, y: ArrayLike, error: ArrayLike | None, side: ArrayLike | None = None
) -> None:
    """Fill error bars along y (and x, `side`) with the samples whose error is known; hide them when there is none."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    both = [np.full(x.shape, np.nan) if e is None else np.asarray(e, dtype=float) for e in (error, side)]
    good = np.isfinite(x) & np.isfinite(y) & np.isfinite(both).any(axis=0)
    height, width = (None if e is None else np.nan_to_num(2 * b[good]) for e, b in zip((error, side), both))
    item.setData(x=x[good], y=y[good], height=height, width=width)
    item.setVisible(bool(good.any()))


def show_bottom(plot: Plot, on: bool) -> None:
    """Show or hide numbers and label of the horizontal axis."""
    axis = plot.getAxis("bottom")
    axis.setStyle(showValues=on)
    axis.showLabel(on)
