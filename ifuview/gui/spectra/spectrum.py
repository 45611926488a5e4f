"""Spectrum dock: the selected fiber in this and the other frames, and what a dragged range measures."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QSpinBox, QWidget

from ifuview.app.frames.views.text import axis, number, quantity
from ifuview.app.intents import ChooseSpectra, PickPoint, SetExtraction, SetWindow, ShowArm
from ifuview.app.spectra.views import flux, linemarks
from ifuview.app.spectra.views import spectrum as pure
from ifuview.app.spectra.views.measure import measure, measurement_text
from ifuview.app.spectra.views.spectrum import SpectrumHover, SpectrumView
from ifuview.app.spectra.views.spectrum_shown import ANGSTROM, identity, readout, same_fibers, shown, under
from ifuview.gui.parts._plot import Plot
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
from ifuview.gui.spectra._line_marks import LineMarks
from ifuview.gui.spectra._spectrum_curves import SpectrumCurves
from ifuview.model.checks import Array
from ifuview.model.inspection import FiberSpectrum

MAX_BIN = 64
READOUT_WIDTH = 280  # screen px; fixed, so that nothing jumps while the pointer moves
PIXEL = "px"
ROOM = 0.27  # of the window, with the first spectrum


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
        self.plot = Plot("Spectrum", "", "Flux")
        self.readout = Elided()
        self.readout.setFixedWidth(READOUT_WIDTH)
        self.measured = quiet_label()
        self.measured.hide()
        self.legend = quiet_label()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        column(content, self.plot, margin=0)
        self.pages = Pages(content)
        self.curves = SpectrumCurves(self.plot, self.legend)
        self.sky_marks, self.rest_marks = LineMarks(self.plot, 4, 0.98), LineMarks(self.plot, 1, 0.9)
        self.line_bar = LineBar()
        self.line_bar.chose.connect(lambda text: self.intent.emit(ChooseSpectra(text)))
        self.line_bar.turned.connect(self._turn)
        self.line_bar.relined.connect(self._mark_rest_lines)
        self.line_bar.reframed.connect(lambda: self._redraw(fit=True))
        column(self, self._build_bar(), self.line_bar, self.legend, self.measured, self.pages)
        self._build_items()
        self.setAccessibleName("Spectrum")
        self.draw(None)

    def _build_bar(self) -> FlowLayout:
        """The row of switches."""
        self.axis_box = combo((("Wavelength", True), ("Pixel", False)), "Horizontal axis")
        self.method_box = combo((("Optimal", "optimal"), ("Boxcar", "boxcar")), "How the spectrum is extracted")
        self.method_box.activated.connect(
            lambda _i: self.intent.emit(SetExtraction(str(self.method_box.currentData())))
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
        self.plot.plotItem.vb.sigRangeChangedManually.connect(self._moved_by_hand)
        bar = FlowLayout()
        for part in (self.axis_box, self.method_box, labelled("Rebin", self.bin_box), self.errors_on, self.lines_on):
            bar.addWidget(part)
        self.window_span = WindowSpan(self.plot)
        self.window_span.moved.connect(lambda window: self.intent.emit(SetWindow(window)))
        for part in (self.scale_on, self.measure_on, self.window_span.button, self.full, self.readout):
            bar.addWidget(part)
        return bar

    def _moved_by_hand(self) -> None:
        self._by_hand = True

    def _turn(self, pages: int) -> None:
        """Draw other fibers of the selection."""
        view = self._view
        if view is not None and view.group:
            count = self.line_bar.count_box.value()
            self._view = pure.page(view, view.start + pages * count, count)
            self.curves.title = self._view.title
            self.line_bar.show_pager(self._view)
            self._redraw(fit=True)

    @property
    def stretch(self) -> float:
        """Observed wavelength over what the axis shows."""
        return self.line_bar.stretch if self.by_wave else 1.0

    def _along(self, spectrum: FiberSpectrum) -> Array:
        """Places of the samples on the horizontal axis."""
        by_wave = self.by_wave and spectrum.wave is not None
        x = flux.abscissa(spectrum, by_wave)
        return x / self.stretch if by_wave else x

    def _build_items(self) -> None:
        """Preview, pointer, range to measure; made once."""
        self.preview = self.plot.curve("faint", connect="finite")
        self.pointer = self.plot.line("faint", style=Qt.PenStyle.DotLine)
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
        given, self._given = self._given, view
        if view is not None and given is not None and self._view is not None and pure.same_but_window(given, view):
            self._view = replace(self._view, window=view.window)
            self.window_span.show(view.window)
            return
        old, self._view = self._view, view
        changed = identity(old) != identity(view)
        if view is None or not view.spectra:
            self._drawn = ()
            self.curves.set_title("", [])
            self.measured.hide()
            self._preview_along = None
            self.pages.show_hint("Open an image to see spectra." if view is None else view.hint)
            return
        self.preview.setData([], [])
        self._preview_along = None
        self.pages.show_content()
        if old is None or not old.spectra:
            self.needs_room.emit(ROOM)
        self.curves.title = view.title if not view.hint else f"{view.title} – {view.hint}"
        start = old.start if old is not None and same_fibers(old, view) else 0
        count = self.line_bar.count_box.value()
        if view.group and (start or count != pure.STACKED):
            view = self._view = pure.page(view, start, count)
            self.curves.title = view.title
        self.line_bar.show_view(view, changed=changed)
        self.scale_on.setVisible(len(view.spectra) > 1)
        self.method_box.setVisible(bool(view.extraction))
        self.method_box.setCurrentIndex(max(0, self.method_box.findData(view.extraction)))
        self._redraw(fit=changed)
        away = bool(self._drawn) and flux.mostly_outside(self._drawn[0], *self.plot.plotItem.vb.viewRange()[1])
        limits = flux.robust_range(self._drawn) if not changed and (away or not self._by_hand) else None
        if limits is not None:
            self.plot.show_y(*limits)

    def hover(self, view: SpectrumHover | None) -> None:
        """Mark the position of the pointer; preview the row under it while nothing is selected."""
        if view is None:
            self.pointer.hide()
            return
        if view.preview is not None and (self._view is None or not self._view.spectra):
            self._show_preview(view.preview)
        elif view.preview is not None and (view.preview.wave is not None or not self.by_wave):
            self.preview.setData(self._along(view.preview), view.preview.flux)
        where = view.wave if self._axis_is_wave(view) else view.pixel
        if where is not None and self._axis_is_wave(view):
            where = where / self.stretch
        if where is not None:
            self.pointer.setValue(where)
        self.pointer.setVisible(where is not None)

    def _axis_is_wave(self, view: SpectrumHover) -> bool:
        """Whether the plot on show runs along wavelength."""
        if self._drawn:
            return self.by_wave
        return bool(self.axis_box.currentData()) and view.wave is not None

    def _show_preview(self, spectrum: FiberSpectrum) -> None:
        """The spectrum under the pointer before anything is clicked."""
        self.pages.show_content()
        self.curves.hide(0)
        by_wave = bool(self.axis_box.currentData()) and spectrum.wave is not None
        x = flux.abscissa(spectrum, by_wave)
        along = (by_wave, round(float(x.min())), round(float(x.max())))
        fresh, self._preview_along = along != self._preview_along, along
        self.preview.setData(x, np.asarray(spectrum.flux, dtype=float))
        self._label(spectrum, by_wave)
        self.curves.set_title(f"Under the pointer: {spectrum.fiber_id}", [])
        if fresh:
            self.plot.show_x(float(x.min()), float(x.max()))
        limits = flux.robust_range((spectrum,))
        if limits is not None:
            self.plot.show_y(*limits)

    def _redraw(self, *, fit: bool = False) -> None:
        """Draw the spectra with the switches as they are."""
        view = self._view
        if view is None or not view.spectra:
            return
        distance = self.line_bar.stack_box.value()
        self._drawn, names = shown(view, self.bin_box.value(), distance, same_level=self.scale_on.isChecked())
        self.window_span.stretch = self.stretch
        self.window_span.allow(self.by_wave)
        self.window_span.show(view.window)
        self.curves.draw(self._drawn, names, view.group, self._along, stacked=distance > 0)
        self.curves.draw_band(self._drawn[0], self._along, on=self.errors_on.isChecked())
        self._label(view.spectra[0], self.by_wave)
        if fit:
            self._fit()
        self._mark_lines()
        self._measure()

    @property
    def _medium(self) -> str:
        """Air or vacuum, "" unknown."""
        return "" if self._view is None else self._view.medium

    def _label(self, spectrum: FiberSpectrum, by_wave: bool) -> None:
        """Axis labels with units."""
        word = f"Wavelength in {self._medium}" if self._medium else "Wavelength"
        if self.stretch != 1.0:
            word += f" at rest, z = {number(self.line_bar.redshift.value())}"
        x = axis(word, ANGSTROM) if by_wave else axis("Dispersion pixel", PIXEL)
        self.plot.set_labels(x, axis("Flux", spectrum.unit))

    def _fit(self) -> None:
        """Show the whole spectrum, without letting a few extreme samples set the scale."""
        self._by_hand = False
        if not self._drawn:
            return
        every = [self._along(s) for s in self._drawn if not self._drawn[0].arm or s.label == self._drawn[0].label]
        every = every if self._drawn[0].arm else every[:1]
        self.plot.show_x(float(min(np.min(x) for x in every)), float(max(np.max(x) for x in every)))
        limits = flux.robust_range(self._drawn)
        if limits is not None:
            self.plot.show_y(*limits)

    def _mark_lines(self) -> None:
        """The strongest sky lines in view, when the axis is wavelength; names where there is room."""
        self._mark_rest_lines()
        if not self.sky_marks.marks and not self.lines_on.isChecked():
            return
        lo, hi = self.plot.plotItem.vb.viewRange()[0]
        s = self.stretch
        lines = (
            linemarks.sky_lines(lo * s, hi * s, medium=self._medium)
            if self.lines_on.isChecked() and self.by_wave
            else ()
        )
        self.sky_marks.show(lines, s)
        if self.lines_on.isChecked() and not lines and self._drawn:
            why = "No sky lines are known in this range." if self.by_wave else "Sky lines need a wavelength axis."
            self.readout.setText(why)

    def _mark_rest_lines(self) -> None:
        """The lines of the chosen list at the redshift."""
        name = self.line_bar.line_list
        if not name and not self.rest_marks.marks:
            return
        s = self.stretch
        lo, hi = self.plot.plotItem.vb.viewRange()[0]
        known, z = name and self.by_wave, self.line_bar.redshift.value()
        lines = linemarks.rest_lines(name, lo * s, hi * s, z, self._medium) if known else ()
        self.rest_marks.show(lines, s)

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
        lo, hi = self.span.getRegion()
        lo, hi = lo * self.stretch, hi * self.stretch
        found = measure(under(self._drawn, lo, hi, by_wave=self.by_wave), lo, hi, self.by_wave)
        unit = ANGSTROM if self.by_wave else PIXEL
        text = "no good samples" if found is None else measurement_text(found, self._drawn[0].unit, unit)
        self.measured.setText(f"{number(lo, 6)} to {quantity(hi, unit, 6)}: {text}")

    def _point(self, x: float, y: float) -> None:
        """Read the spectrum off at the pointer."""
        if not self._drawn or self._view is None:
            return
        wave = x * self.stretch
        spectrum = under(self._drawn, wave, wave, by_wave=self.by_wave)
        self.readout.setText(readout(spectrum, int(np.argmin(np.abs(self._along(spectrum) - x)))))

    def _pick(self, x: float, _y: float) -> None:
        """Bring the canvas to the clicked sample; where it lies in another arm or frame, that is shown."""
        if self._view is None or not self._drawn or self.measure_on.isChecked():
            return
        wave = x * self.stretch
        owner = pure.owner(self._drawn, wave) if self.by_wave else None
        if owner is not None:
            self.intent.emit(ShowArm(owner.label, owner.arm, wave))
            return
        point = pure.native_point(self._view, pure.pixel_of(self._view, x * self.stretch, self.by_wave))
        if point is not None:
            self.intent.emit(PickPoint(self._view.key, *point))
