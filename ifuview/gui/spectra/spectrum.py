"""Spectrum dock: the selected fiber in this and the other frames, and what a dragged range measures."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import ClassVar

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QSpinBox, QWidget

from ifuview.app import intents as want
from ifuview.app.frames.views.text import number
from ifuview.app.spectra.views import flux, linemarks
from ifuview.app.spectra.views import spectrum as pure
from ifuview.app.spectra.views.spectrum import SpectrumHover, SpectrumView
from ifuview.app.spectra.views.spectrum_shown import (
    AlongAxis,
    color_key,
    identity,
    preview_figure,
    range_text,
    readout,
    same_fibers,
    shown,
    spectrum_figure,
    under,
)
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._figure_items import key_of
from ifuview.gui.parts._widgets import (
    Elided,
    FlowLayout,
    Pages,
    button,
    column,
    combo,
    labelled,
    plain_numbers,
    quiet_label,
)
from ifuview.gui.parts._window import WindowSpan
from ifuview.gui.parts.base import Dock
from ifuview.gui.spectra._line_bar import LineBar
from ifuview.model.figure import DOTTED, Color, Curve, Figure, Rule
from ifuview.model.inspection import FiberSpectrum

MAX_BIN = 64
NAME_WIDTH = 34  # screen px that the name of a line takes
SKY_MARKS, REST_MARKS = (4, 0.96), (1, 0.88)  # color and height of the names
READOUT_WIDTH = 280  # screen px; fixed, so that nothing jumps while the pointer moves
ROOM, WHOLE_ROOM = 0.27, 0.62  # of the window: with the first spectrum, with a file that is one


class SpectrumDock(Dock):
    """Draws views/spectrum; emits PickPoint, SetExtraction, ChooseSpectra, SetWindow and ShowArm."""

    key: ClassVar[str] = "spectrum"
    title: ClassVar[str] = "Spectrum"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._given: SpectrumView | None = None  # of the session
        self._view: SpectrumView | None = None  # the same with the fibers that were turned to
        self._drawn: tuple[FiberSpectrum, ...] = ()
        self._preview_along: tuple[bool, int, int] | None = None  # what the preview's plot spans
        content = QWidget()
        self.plot = FigurePlot("Spectrum", headed=False)
        self.readout = Elided()
        self.readout.setFixedWidth(READOUT_WIDTH)
        self.measured = quiet_label()
        self.measured.hide()
        self.legend = quiet_label()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        column(content, self.plot, margin=0)
        self.pages = Pages(content)
        self._base = Figure()  # without lines, pointer and preview
        self._preview: tuple[Curve, ...] = ()
        self._pointer: tuple[Rule, ...] = ()
        self._lines: tuple[Rule, ...] = ()
        self._title, self._key = "", tuple[tuple[Color, str], ...]()
        self.plot.styled(self.legend, lambda _ink: self._say_title(), add=False)
        self.line_bar = LineBar()
        self.line_bar.chose.connect(lambda text: self.intent.emit(want.ChooseSpectra(text)))
        self.line_bar.gathered.connect(lambda how: self.intent.emit(want.SetGather(how)))
        self.line_bar.turned.connect(self._turn)
        self.line_bar.relined.connect(self._mark_lines)
        self.line_bar.reframed.connect(lambda: self._redraw(fit=True))
        self.switches = QWidget()
        self.switches.setLayout(self._build_bar())
        column(self, self.switches, self.line_bar, self.legend, self.measured, self.pages)
        self._build_items()
        self.setAccessibleName("Spectrum")
        self.draw(None)

    def _build_bar(self) -> FlowLayout:
        """The row of switches."""
        self.axis_box = combo((("Wavelength", True), ("Pixel", False)), "Horizontal axis")
        self.method_box = combo((("Optimal", "optimal"), ("Boxcar", "boxcar")), "How the spectrum is extracted")
        self.method_box.activated.connect(
            lambda _i: self.intent.emit(want.SetExtraction(str(self.method_box.currentData())))
        )
        self.bin_box = QSpinBox()
        self.bin_box.setRange(1, MAX_BIN)
        self.bin_box.setSuffix(" px")
        plain_numbers(self.bin_box, "Samples averaged into one")
        self.errors_on = button("Errors", "Show the error band (1 σ)", check=True)
        self.errors_on.setChecked(True)
        self.lines_on = button("Sky lines", "Mark known sky lines", check=True)
        self.scale_on = button("Same level", "Bring the other frames to the level of this one", check=True)
        self.measure_on = button("Measure", "Drag a range to measure it", check=True)
        self.full = button("Show all", "Show the whole spectrum (double click)")
        self.axis_box.currentIndexChanged.connect(lambda _i: self._redraw(fit=True))
        self.bin_box.valueChanged.connect(lambda _n: self._redraw())
        for switch in (self.errors_on, self.scale_on):
            switch.toggled.connect(lambda _on: self._redraw())
        self.lines_on.toggled.connect(lambda _on: self._mark_lines())
        self.measure_on.toggled.connect(self._start_measuring)
        self.full.clicked.connect(lambda: self._fit())
        self._by_hand = False  # the range is the user's own
        self.plot.plotItem.vb.sigRangeChangedManually.connect(lambda *_: setattr(self, "_by_hand", True))
        span = self.window_span = WindowSpan(self.plot)
        span.moved.connect(lambda window: self.intent.emit(want.SetWindow(window)))
        span.mapped.connect(lambda how: self.intent.emit(want.MapRange(how)))
        span.arms.clicked.connect(lambda: self.intent.emit(want.ShowArms()))
        bar, first = FlowLayout(), (self.axis_box, self.method_box, labelled("Rebin", self.bin_box), self.errors_on)
        then = (self.lines_on, self.scale_on, self.measure_on, span.button, span.images, span.arms, self.full)
        for part in (*first, *then, self.readout):
            bar.addWidget(part)
        return bar

    def _turn(self, pages: int) -> None:
        """Draw other fibers of the selection."""
        view = self._view
        if view is not None and view.group:
            count = self.line_bar.count_box.value()
            self._view = pure.page(view, view.start + pages * count, count)
            self._title = self._view.title
            self.line_bar.show_pager(self._view)
            self._redraw(fit=True)

    @property
    def stretch(self) -> float:
        """Observed wavelength over what the axis shows."""
        return self.line_bar.stretch if self.by_wave else 1.0

    @property
    def _axis(self) -> AlongAxis:
        """How the horizontal axis runs."""
        redshift = number(self.line_bar.redshift.value()) if self.stretch != 1.0 else ""
        return AlongAxis(self.by_wave, self.stretch, self._medium, redshift)

    def _build_items(self) -> None:
        """The range to measure, a handle; made once."""
        self.span = pg.LinearRegionItem(movable=True)
        self.span.setAcceptHoverEvents(True)
        self.span.setZValue(10)
        self.span.hide()
        self.plot.styled(self.span, lambda ink: self.span.setBrush(ink.brush(2, 45)), add=False)
        self.plot.addItem(self.span, ignoreBounds=True)
        self.span.sigRegionChanged.connect(self._measure)
        self.plot.plotItem.vb.sigXRangeChanged.connect(lambda *_: self._mark_lines())
        self.plot.clicked.connect(self._pick)
        self.plot.pointed.connect(self._point)
        self.plot.left.connect(lambda: self.readout.setText(""))

    @property
    def by_wave(self) -> bool:
        """Whether the horizontal axis is wavelength."""
        known = bool(self._drawn) and self._drawn[0].wave is not None
        return bool(self.axis_box.currentData()) and known

    def draw(self, view: SpectrumView | None) -> None:
        """Show the spectra of the view, or how to get them."""
        if view is not None and view.pending and self._drawn:
            return  # what a hand drew a moment ago stays until it is there
        given, self._given = self._given, view
        if view is not None and given is not None and self._view is not None and pure.same_but_window(given, view):
            self._view = replace(self._view, window=view.window)
            self.window_span.show(view.window)
            return
        old, self._view = self._view, view
        changed = identity(old) != identity(view)
        self.switches.setVisible(view is not None and bool(view.spectra))  # without, there is nothing to switch
        if view is None or not view.spectra:
            self._drawn, self._preview_along = (), None
            self._base, self._preview, self._pointer = Figure(), (), ()
            self._show_title("")
            self.measured.hide()
            self.line_bar.show_view(view or SpectrumView(-1), changed=False)
            self.pages.show_hint("Open an image to see spectra." if view is None else view.hint)
            return
        self._preview, self._preview_along = (), None
        self.pages.show_content()
        if old is None or not old.spectra:
            self.needs_room.emit(WHOLE_ROOM if view.whole else ROOM)
        self._title = view.title if not view.hint else f"{view.title} – {view.hint}"
        start = old.start if old is not None and same_fibers(old, view) else 0
        count = self.line_bar.count_box.value()
        if view.group and (start or count != pure.STACKED):
            view = self._view = pure.page(view, start, count)
            self._title = view.title
        self.line_bar.show_view(view, changed=changed)
        self.scale_on.setVisible(len(view.spectra) > 1)
        self.method_box.setVisible(bool(view.extraction))
        self.method_box.setCurrentIndex(max(0, self.method_box.findData(view.extraction)))
        self._redraw(fit=changed)
        away = bool(self._drawn) and flux.mostly_outside(self._drawn[0], *self.plot.plotItem.vb.viewRange()[1])
        if not changed and (away or not self._by_hand):
            self.plot.fit_y()

    def hover(self, view: SpectrumHover | None) -> None:
        """Mark the position of the pointer; preview the row under it while nothing is selected."""
        if view is None:
            self._pointer = ()
            self._show()
            return
        if view.preview is not None and (self._view is None or not self._view.spectra):
            self._show_preview(view.preview)
        elif view.preview is not None and (view.preview.wave is not None or not self.by_wave):
            self._preview = (Curve(self._axis.places(view.preview), view.preview.flux, "faint"),)
        where, stretch = (view.wave, self.stretch) if self._axis_is_wave(view) else (view.pixel, 1.0)
        self._pointer = () if where is None else (Rule(where / stretch, stroke=DOTTED),)
        self._show()

    def _axis_is_wave(self, view: SpectrumHover) -> bool:
        """Whether the plot on show runs along wavelength."""
        if self._drawn:
            return self.by_wave
        return bool(self.axis_box.currentData()) and view.wave is not None

    def _show_preview(self, spectrum: FiberSpectrum) -> None:
        """The spectrum under the pointer before anything is clicked."""
        self.pages.show_content()
        by_wave = bool(self.axis_box.currentData()) and spectrum.wave is not None
        self._base = preview_figure(spectrum, AlongAxis(by_wave, medium=self._medium))
        x = self._base.x.range or (0.0, 0.0)
        along = (by_wave, round(x[0]), round(x[1]))
        fresh, self._preview_along = along != self._preview_along, along
        self._show_title(f"Under the pointer: {spectrum.fiber_id}")
        self._show(fit=fresh)
        self.plot.fit_y()

    def _show(self, *, fit: bool = False) -> None:
        """The spectra with what lies over them; what did not change is not drawn again."""
        base = self._base
        rules = (*self._lines, *self._pointer)
        self.plot.show_figure(replace(base, curves=(*base.curves, *self._preview), rules=rules), fit=fit)

    def _show_title(self, title: str, key: tuple[tuple[Color, str], ...] = ()) -> None:
        """What is shown, and the name of each curve."""
        self._title, self._key = title, key
        self._say_title()

    def _say_title(self) -> None:
        """The line above the plot."""
        key = key_of(self._key, self.plot.ink)
        self.legend.setText(f"{escape(self._title)}&nbsp; {key}" if key else escape(self._title))
        self.legend.setVisible(bool(self._title))

    def _redraw(self, *, fit: bool = False) -> None:
        """Draw the spectra with the switches as they are."""
        view = self._view
        if view is None or not view.spectra:
            return
        distance = self.line_bar.stack_box.value()
        self._drawn, names = shown(view, self.bin_box.value(), distance, same_level=self.scale_on.isChecked())
        self.window_span.stretch = self.stretch
        self.window_span.allow(self.by_wave, view.maps, view.more_arms)
        self.window_span.show(view.window)
        self._base = spectrum_figure(
            view, self._drawn, names, self._axis, errors=self.errors_on.isChecked(), stacked=distance > 0
        )
        self._show_title(self._title, color_key(names, view.group, self._drawn))
        if fit:
            self._by_hand = False
        self._show(fit=fit)
        self._mark_lines()
        self._measure()

    @property
    def _medium(self) -> str:
        """Air or vacuum, "" unknown."""
        return "" if self._view is None else self._view.medium

    def _fit(self) -> None:
        """Show the whole spectrum, without letting a few extreme samples set the scale."""
        self._by_hand = False
        if self._drawn:
            self.plot.show_all()

    def _mark_lines(self) -> None:
        """The strongest sky lines in view and those of the chosen list, when the axis is wavelength."""
        lo, hi = self.plot.plotItem.vb.viewRange()[0]
        s, z, list_name = self.stretch, self.line_bar.redshift.value(), self.line_bar.line_list
        span, room = (lo * s, hi * s), (hi - lo) * NAME_WIDTH / max(self.plot.width(), 1)
        sky = self.lines_on.isChecked() and self.by_wave
        lines = linemarks.sky_lines(*span, medium=self._medium) if sky else ()
        own = linemarks.rest_lines(list_name, *span, z, self._medium) if list_name and self.by_wave else ()
        marks = (*linemarks.rules(lines, s, room, *SKY_MARKS), *linemarks.rules(own, s, room, *REST_MARKS))
        if marks != self._lines:
            self._lines = marks
            self._show()
        if self.lines_on.isChecked() and not lines and self._drawn:
            why = "No sky lines are known in this range." if self.by_wave else "Sky lines need a wavelength axis."
            self.readout.setText(why)

    def _start_measuring(self, on: bool) -> None:
        """Put the range in the middle of what is in view."""
        self.span.setVisible(on)
        self.measured.setVisible(on)
        if on:
            lo, hi = self.plot.plotItem.vb.viewRange()[0]
            self.span.setRegion((lo + 0.45 * (hi - lo), lo + 0.55 * (hi - lo)))
        self._measure()

    def _measure(self) -> None:
        """Say what the range holds."""
        on = self.measure_on.isChecked() and bool(self._drawn)
        self.measured.setVisible(on)
        if not on:
            return
        lo, hi = (edge * self.stretch for edge in self.span.getRegion())
        self.measured.setText(range_text(self._drawn, lo, hi, by_wave=self.by_wave))

    def _point(self, x: float, y: float) -> None:
        """Read the spectrum off at the pointer."""
        if not self._drawn or self._view is None:
            return
        wave = x * self.stretch
        spectrum = under(self._drawn, wave, wave, by_wave=self.by_wave)
        self.readout.setText(readout(spectrum, int(np.argmin(np.abs(self._axis.places(spectrum) - x)))))

    def _pick(self, x: float, _y: float) -> None:
        """Bring the canvas to the clicked sample; where it lies in another arm or frame, that is shown."""
        if self._view is None or not self._drawn or self.measure_on.isChecked():
            return
        wave = x * self.stretch
        owner = pure.owner(self._drawn, wave) if self.by_wave else None
        if owner is not None:
            self.intent.emit(want.ShowArm(owner.label, owner.arm, wave))
            return
        if self._view.lead is not None:
            self.intent.emit(want.SetPlane(*pure.plane_at(self._view, wave, self.by_wave)))
            return
        point = pure.native_point(self._view, pure.pixel_of(self._view, x * self.stretch, self.by_wave))
        if point is not None:
            self.intent.emit(want.PickPoint(self._view.key, *point))
