"""Lenslets dock: the field of both heads to scale, a circle that is dragged over it, spectra of all channels inside."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QDoubleSpinBox, QWidget

from ifuview.app.intents import Note, PlaceAperture, SelectFiber, SetWindow, TryParams
from ifuview.app.night.reduction.state import FieldPlace
from ifuview.app.night.views.lenslets import LensletsAnswer, LensletsView, at, sky_from
from ifuview.gui.night._lenslet_map import LensletMap
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._widgets import FlowLayout, Pages, button, column, combo, labelled, plain_numbers
from ifuview.gui.parts._window import WindowSpan
from ifuview.gui.parts.base import Dock
from ifuview.model.figure import Figure

HINT = "Reduce a raw exposure (Ctrl+Shift+J): its field of lenslets is shown here."
PERIOD_MS = 40  # a drag is told at most this often
USUAL_RADIUS, RING = 1.5, (1.4, 2.0)  # arcsec; of the radius, where a new ring lies
FIGURES = (("Spectrum", "spectra"), ("Place of the source", "places"))


class LensletsDock(Dock):
    """Draws views/lenslets; emits PlaceAperture, SelectFiber, SetWindow, TryParams."""

    key: ClassVar[str] = "lenslets"
    title: ClassVar[str] = "Lenslets"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: LensletsView | None = None
        self._answer: LensletsAnswer | None = None
        self._wish: FieldPlace | None = None
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(PERIOD_MS)
        self._later.timeout.connect(self._tell)
        self.maps: list[LensletMap] = []
        self._build_choices()
        self.plot = FigurePlot("Spectra of all channels within the circle")
        self.window_span = WindowSpan(self.plot)
        self.window_span.moved.connect(lambda window: self.intent.emit(SetWindow(window)))
        content, maps = QWidget(), QWidget()
        self.column = QBoxLayout(QBoxLayout.Direction.TopToBottom, maps)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(2)
        self.both = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.both.addWidget(maps, 2)
        self.both.addWidget(self.plot, 4)
        top = FlowLayout()
        for part in (
            self.figure,
            self.window_span.button,
            self.lasso,
            self.circle_part,
            self.ring,
            self.use,
            self.again,
        ):
            top.addWidget(part)
        box = column(content, top, margin=0)
        box.addLayout(self.both, 1)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Lenslets")
        self.draw(None)

    def _build_choices(self) -> None:
        self.figure = combo(FIGURES, "What is plotted")
        self.figure.activated.connect(lambda _i: self._plot(fit=True))
        self.lasso = button("Sky fibers", "Draw around lenslets: the sky is made from them", check=True)
        self.lasso.toggled.connect(self._switch_lasso)
        self.radius = QDoubleSpinBox()
        self.radius.setRange(0.0, 12.0)
        self.radius.setSingleStep(0.1)
        self.radius.setSuffix("\u2033")
        plain_numbers(self.radius, "Radius of the circle, arcsec; 0: one lenslet")
        self.radius.valueChanged.connect(lambda value: self._ask(radius=value))
        self.circle_part = labelled("Circle", self.radius)
        self.ring = button("Ring", "Take off the background of a ring about the circle; drag its edges", check=True)
        self.ring.clicked.connect(self._switch_ring)
        self.use = button("Use for the source", "Extract the source of the channel on the canvas within this circle")
        self.use.clicked.connect(self._use)
        self.again = button("By its profile", "Extract the source by its profile, and put the circle about it")
        self.again.clicked.connect(self._by_profile)

    def draw(self, view: LensletsView | None) -> None:
        """Show the heads and the circle; light and spectra follow by `answer`."""
        self._view = view
        if view is None:
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        while len(self.maps) < len(view.heads):
            self._add_map()
        for one, head in zip(self.maps, view.heads, strict=False):
            one.draw(head)
            one.show()
        for one in self.maps[len(view.heads) :]:
            one.hide()
        for box, value in ((self.radius, view.place.radius),):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        self.ring.setChecked(view.place.outer > view.place.inner)
        self.window_span.show(view.window)

    def _add_map(self) -> None:
        """One more head."""
        one = LensletMap(f"Lenslets of head {len(self.maps) + 1}")
        number = len(self.maps)
        one.lasso.switch(self.lasso.isChecked())
        one.placed.connect(lambda place: self._dragged(number, place))
        one.picked.connect(lambda x, y: self._picked(number, x, y))
        one.taken.connect(lambda fibers: self._taken(number, fibers))
        self.column.addWidget(one, 1)
        self.maps.append(one)

    def answer(self, value: LensletsAnswer) -> None:
        """Color the lenslets, draw the figure."""
        first = self._answer is None or len(self._answer.spectra.curves) != len(value.spectra.curves)
        self._answer = value
        for one, light in zip(self.maps, value.heads, strict=False):
            one.color(light)
        self._plot(fit=first)

    def _plot(self, *, fit: bool) -> None:
        """The chosen figure; along wavelength what is in view stays."""
        value = self._answer
        if value is None:
            return
        figure: Figure = value.spectra if self.figure.currentData() == "spectra" else value.places
        self.plot.show_figure(figure, fit=fit)
        if not fit:
            self.plot.fit_y()

    # asking

    def _ask(self, **changes: float) -> None:
        """Another circle."""
        view = self._view
        if view is not None:
            self._emit(replace(view.place, **changes))

    def _emit(self, place: FieldPlace) -> None:
        self.intent.emit(PlaceAperture(place.x, place.y, place.radius, place.inner, place.outer))

    def _dragged(self, number: int, place: FieldPlace) -> None:
        """The circle is dragged in a head: its place there, seen from the head on the canvas."""
        view = self._view
        if view is None:
            return
        head = view.heads[number]
        self.maps[number].head = replace(head, place=place)
        self.maps[number].draw(replace(head, place=place))
        self._wish = replace(place, x=place.x - head.shift[0], y=place.y - head.shift[1])
        if not self._later.isActive():
            self._later.start()

    def _tell(self) -> None:
        wish, self._wish = self._wish, None
        if wish is not None:
            self._emit(wish)

    def _picked(self, number: int, x: float, y: float) -> None:
        """A lenslet was clicked: its spectra, and its row on the canvas."""
        view = self._view
        if view is None:
            return
        head = view.heads[number]
        fiber = at(head, x, y)
        if fiber is None:
            return
        there = float(head.x[fiber]) - head.shift[0], float(head.y[fiber]) - head.shift[1]
        self._emit(FieldPlace(*there))
        if head.current:
            self.intent.emit(SelectFiber(fiber))

    def _taken(self, number: int, fibers: tuple[int, ...]) -> None:
        """Lenslets were drawn around: the sky is made from them."""
        view = self._view
        if view is None:
            return
        if not view.heads[number].current:
            self.intent.emit(Note("info", "draw in the field of the channel on the canvas: its sky is made again"))
            return
        self.intent.emit(sky_from(fibers))
        self.lasso.setChecked(False)

    def _switch_lasso(self, on: bool) -> None:
        for one in self.maps:
            one.lasso.switch(on)

    def _switch_ring(self, on: bool) -> None:
        radius = self.radius.value() or USUAL_RADIUS
        inner, outer = (RING[0] * radius, RING[1] * radius) if on else (0.0, 0.0)
        self._ask(radius=radius, inner=inner, outer=outer)

    def _use(self) -> None:
        """The source is what lies in the circle."""
        view = self._view
        if view is not None:
            place = view.place
            radius = place.radius or float(view.heads[0].cell[:, 0].max())
            values = (
                ("x", place.x),
                ("y", place.y),
                ("radius", radius),
                ("inner", place.inner),
                ("outer", place.outer),
            )
            self.intent.emit(TryParams("spectrum", values))

    def _by_profile(self) -> None:
        """As the source was found."""
        nothing = float("nan")
        zero = (("radius", 0.0), ("inner", 0.0), ("outer", 0.0))
        self.intent.emit(TryParams("spectrum", (("x", nothing), ("y", nothing), *zero)))
        view = self._view
        head = None if view is None else next((one for one in view.heads if one.current), None)
        if head is not None and head.source is not None:
            self._emit(FieldPlace(*head.source, USUAL_RADIUS))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        wide = self.width() > 1.2 * self.height()
        direction = QBoxLayout.Direction
        self.both.setDirection(direction.LeftToRight if wide else direction.TopToBottom)
        self.column.setDirection(direction.TopToBottom if wide else direction.LeftToRight)
