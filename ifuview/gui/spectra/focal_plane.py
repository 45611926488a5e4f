"""Focal plane dock: the fibers of all open cameras, colored by role, a column or light; click and lasso select."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication, QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QDoubleSpinBox, QWidget

from ifuview.app.frames.views.text import number
from ifuview.app.intents import SelectFiber, SelectSlot, SetWindow, ShowAllCameras
from ifuview.app.spectra.views import focal_plane as pure
from ifuview.app.spectra.views.focal_plane import FocalPlaneView
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._figure_items import paint
from ifuview.gui.parts._lasso import Lasso
from ifuview.gui.parts._plot import Ink
from ifuview.gui.parts._widgets import (
    FlowLayout,
    Pages,
    Ramp,
    button,
    column,
    combo,
    labelled,
    plain_numbers,
    quiet_label,
)
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import PlainLabel
from ifuview.gui.spectra._product_maps import ProductMaps, TypedRange
from ifuview.model.checks import Array
from ifuview.model.figure import CROSS, DIAMOND, DOT, SQUARE, STAR, Figure

MARKS = {DOT: "●", SQUARE: "■", STAR: "★", CROSS: "✕", DIAMOND: "◆"}  # of symbols, in words
REACH = 14  # screen px from a fiber within which a click selects it
HINT = "The focal plane is shown when the file says where its fibers sit."
NO_WINDOW = "Turn on Window in the spectrum or sky fibers dock and drag a range of wavelengths."


class FocalPlaneDock(Dock):
    """Draws views/focal_plane; emits SelectFiber and SelectSlot."""

    key: ClassVar[str] = "focal"
    title: ClassVar[str] = "Focal plane"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._given: FocalPlaneView | None = None  # of the session
        self._view: FocalPlaneView | None = None  # of the chosen place
        self._build_choices()
        self.info = quiet_label()
        self.info.setMinimumHeight(2 * self.info.fontMetrics().lineSpacing())  # so that the map stays where it is
        self.note = quiet_label()
        self.key_line = PlainLabel()
        self.key_line.setTextFormat(Qt.TextFormat.RichText)
        self.key_line.setWordWrap(True)
        self.bar = Ramp()
        self._build_plot()
        content = QWidget()
        top = FlowLayout()
        for part in (self.place, labelled("Color", self.color_by), self.reach_part):
            top.addWidget(part)
        for switch in (self.range, self.lasso_on, self.every, self.side.button, self.copy):
            top.addWidget(switch)
        self.maps = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.maps.addWidget(self.side, 2)
        self.maps.addWidget(self.plot, 1)
        column(content, top, self.key_line, self.bar, self.note, self.info, self.maps, margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Focal plane")
        self.draw(None)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """In a high panel the maps of other products stand in a row above."""
        super().resizeEvent(event)
        down = self.height() > self.width()
        self.maps.setDirection(QBoxLayout.Direction.TopToBottom if down else QBoxLayout.Direction.LeftToRight)
        for part, stretch in ((self.side, 1 if down else 2), (self.plot, 2 if down else 1)):
            self.maps.setStretchFactor(part, stretch)

    def _build_choices(self) -> None:
        """What is shown, in which color."""
        self.place = combo((), "Whose fibers")
        self.color_by = combo(((pure.ROLE, pure.ROLE),), "Color of the fibers")
        for box in (self.place, self.color_by):
            box.setSizeAdjustPolicy(box.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(14)
        self.reach = QDoubleSpinBox()
        self.reach.setRange(0.5, 100.0)
        self.reach.setDecimals(1)
        self.reach.setValue(pure.SIGMAS)
        self.reach.setSuffix(" σ")
        plain_numbers(self.reach, "Robust scatters that the colors reach to both sides")
        self.reach_part = labelled("±", self.reach)
        self.lasso_on = button("Lasso", "Drag around fibers to select them", check=True)
        self.copy = button("Copy names", "Copy the numbers of the selected fibers")
        self.place.currentIndexChanged.connect(lambda _i: self._placed())
        self.color_by.currentIndexChanged.connect(lambda _i: self._paint())
        self.color_by.currentIndexChanged.connect(lambda _i: self._say_current())
        self.reach.valueChanged.connect(lambda _v: self._paint())
        self.copy.clicked.connect(self._copy)
        self.range = TypedRange()
        self.range.moved.connect(lambda window: self.intent.emit(SetWindow(window)))
        self.side = ProductMaps()
        self.side.button.toggled.connect(lambda _on: self._paint())
        self.every = button("All cameras", "Open this product of all cameras of the arm that has the window")
        self.every.clicked.connect(lambda: self.intent.emit(ShowAllCameras()))

    def _build_plot(self) -> None:
        """The places, with a lasso over them."""
        self._base = Figure()
        self.plot = FigurePlot("Focal plane", headed=False)
        self.plot.styled(self.key_line, self._key, add=False)
        self.lasso = Lasso(self.plot)
        self.lasso_on.toggled.connect(self.lasso.switch)
        self.lasso.drawn.connect(self._lassoed)
        self.plot.clicked.connect(self._click)
        self.plot.pointed.connect(self._point)
        self.plot.left.connect(self._say_current)

    def draw(self, view: FocalPlaneView | None) -> None:
        """Show the fibers, ring the selected ones."""
        self._given = view
        if view is None:
            self._view = None
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        names = [self.place.itemText(i) for i in range(self.place.count())]
        if names != list(view.places):
            kept = self.place.currentText()
            self.place.blockSignals(True)
            self.place.clear()
            self.place.addItems(view.places)
            self.place.setCurrentIndex(max(0, self.place.findText(kept)))
            self.place.blockSignals(False)
        self.place.setVisible(len(view.places) > 1)
        self._placed()

    def _placed(self) -> None:
        """Show the fibers of the chosen place."""
        if self._given is None:
            return
        old, view = self._view, pure.of_place(self._given, self.place.currentText())
        self._view = view
        if old is None or old.choices != view.choices:
            self._fill_choices(view)
        fresh = old is None or not _same(old.field.source, view.field.source)
        if view.window is not None and (old is None or old.window is None) and pure.WINDOW in view.choices:
            self.color_by.setCurrentIndex(self.color_by.findData(pure.WINDOW))  # who asks for a window wants to see it
        self.range.show_range(view.window)
        self.range.setVisible(pure.WINDOW in view.choices)
        if fresh or old is None or old.window != view.window:
            self._paint()
        self._ring()
        if fresh:
            self.plot.plotItem.vb.autoRange()
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
        name = self.color_by.currentData() or pure.ROLE
        shades = pure.shades(view, name, self.reach.value())
        self.bar.setVisible(shades is not None)
        self.key_line.setVisible(shades is None)
        self.reach_part.setVisible(name == pure.WINDOW)
        self.note.setVisible(name == pure.WINDOW)
        if name == pure.WINDOW:
            self.note.setText(NO_WINDOW if shades is None else shades.note)
        if shades is not None:
            self.bar.show_range(shades.ramp, number(shades.lo), number(shades.hi))
        self.side.draw(view if name == pure.WINDOW and view.window is not None else None, self.reach.value())
        self._base = pure.places_figure(view, shades)
        self._key(self.plot.ink)
        self._ring()

    def _key(self, ink: Ink) -> None:
        """What the symbols of the roles mean."""
        named = [(curve, MARKS[curve.symbol]) for curve in self._base.curves if curve.label]
        self.key_line.setText("&ensp; ".join(
            f'<span style="color:{paint(curve.color, ink).name()}">{mark}</span>&nbsp;{curve.label}'
            for curve, mark in named
        ))  # fmt: skip

    def _ring(self) -> None:
        """Ring the selected fibers."""
        if self._view is not None:
            self.plot.show_figure(pure.ringed(self._base, self._view), fit=False)

    def _say_current(self) -> None:
        """Name the selected fiber."""
        view = self._view
        if view is not None and view.fiber is not None:
            more = f"; {len(view.fibers)} selected" if len(view.fibers) > 1 else ""
            self.info.setText(pure.describe(view, view.fiber, self.color_by.currentData()) + more)
        else:
            self.info.setText("Click a fiber to select it.")

    def _at(self, x: float, y: float) -> int | None:
        """The fiber under the mouse."""
        view = self._view
        point = None if view is None else pure.nearest(view, x, y)
        if view is None or point is None:
            return None
        px, py = self.plot.plotItem.vb.viewPixelSize()
        away = np.hypot((view.x[point] - x) / px, (view.y[point] - y) / py)
        return point if away <= REACH else None

    def _point(self, x: float, y: float) -> None:
        """Name the fiber under the mouse."""
        point = self._at(x, y)
        if point is not None and self._view is not None:
            self.info.setText(pure.describe(self._view, point, self.color_by.currentData()))
        else:
            self._say_current()

    def _click(self, x: float, y: float) -> None:
        """Select the fiber under the mouse."""
        point = self._at(x, y)
        if point is not None:
            self._select(np.array([point]))

    def _lassoed(self, polygon: Array) -> None:
        """Select the fibers inside a line."""
        if self._view is not None:
            points = pure.lassoed(self._view, polygon)
            if points.size:
                self._select(points)

    def _select(self, points: Array) -> None:
        """Select fibers everywhere, in all frames that have one; if the current one has none, another is shown."""
        view = self._view
        wanted = None if view is None else pure.target(view, points)
        if view is None or wanted is None:
            self.info.setText("These fibers are in no open frame.")
            return
        found, nowhere = wanted
        key, rows = next(iter(found.items()))
        elsewhere = tuple((k, r) for k, r in found.items() if k != key)
        if key != view.session.current:
            self.intent.emit(SelectSlot(key))
        self.intent.emit(SelectFiber(rows[0], rows if len(rows) > 1 or elsewhere else (), elsewhere))
        if nowhere:
            self.info.setText(f"{points.size - nowhere} fibers selected; {nowhere} more are in no open frame.")

    def _copy(self) -> None:
        """Put the names of the selected fibers on the clipboard."""
        view, clipboard = self._view, QGuiApplication.clipboard()
        if view is not None and clipboard is not None:
            points = view.fibers or (() if view.fiber is None else (view.fiber,))
            clipboard.setText(",".join(view.ids[p] for p in points))


def _same(a: tuple[object, ...], b: tuple[object, ...]) -> bool:
    """Whether two fields were made from the same objects."""
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))
