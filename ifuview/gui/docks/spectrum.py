"""Spectrum dock: the selected fiber in this and the other frames, and what a dragged range measures."""

from __future__ import annotations

from html import escape
from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QSpinBox, QWidget

from ifuview.app.intents import PickPoint, SetExtraction
from ifuview.app.views import linemarks
from ifuview.app.views import spectrum as pure
from ifuview.app.views.measure import measure, measurement_text
from ifuview.app.views.spectrum import SpectrumHover, SpectrumView
from ifuview.app.views.text import axis, number, quantity
from ifuview.gui.docks._band import BandItem
from ifuview.gui.docks._plot import Ink, Plot
from ifuview.gui.docks._widgets import (
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
from ifuview.gui.docks.base import Dock
from ifuview.model.inspection import FiberSpectrum

MAX_BIN = 64
HYPHEN = "\u2011"  # does not break the name of a frame
LABEL_WIDTH = 34  # screen px that the name of a sky line takes
READOUT_WIDTH = 280  # screen px; fixed, so that nothing jumps while the pointer moves
ANGSTROM, PIXEL = "Å", "px"


class SpectrumDock(Dock):
    """Draws views/spectrum; emits PickPoint and SetExtraction."""

    key: ClassVar[str] = "spectrum"
    title: ClassVar[str] = "Spectrum"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: SpectrumView | None = None
        self._drawn: tuple[FiberSpectrum, ...] = ()
        self._title = ""
        self._names: list[str] = []
        self._lines: list[Any] = []
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
        column(self, self._build_bar(), self.legend, self.measured, self.pages)
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
        bar = FlowLayout()
        for part in (self.axis_box, self.method_box, labelled("Rebin", self.bin_box), self.errors_on, self.lines_on):
            bar.addWidget(part)
        for part in (self.scale_on, self.measure_on, self.full, self.readout):
            bar.addWidget(part)
        return bar

    def _build_items(self) -> None:
        """Curves, error band, marks; made once."""
        self.band = BandItem()
        self.plot.styled(self.band, lambda ink: self.band.setBrush(ink.brush(0, 60)))
        self.curves: list[Any] = []
        self.preview = self.plot.curve("faint", connect="finite")
        self.masked = self.plot.points("bad", 5, "x")
        self.pointer = self.plot.line("faint", style=Qt.PenStyle.DotLine)
        self.span = pg.LinearRegionItem(movable=True)
        self.span.setAcceptHoverEvents(True)
        self.span.setZValue(10)
        self.span.hide()
        self.plot.styled(self.span, lambda ink: self.span.setBrush(ink.brush(2, 45)), add=False)
        self.plot.addItem(self.span, ignoreBounds=True)
        self.span.sigRegionChanged.connect(self._measure)
        self.plot.styled(self.legend, self._name_curves, add=False)
        self.plot.plotItem.vb.sigXRangeChanged.connect(lambda *_: self._mark_lines())
        self.plot.clicked.connect(self._pick)
        self.plot.pointed.connect(self._point)
        self.plot.left.connect(lambda: self.readout.setText(""))

    def _set_title(self, title: str, names: list[str]) -> None:
        """What is shown, and the name of each curve."""
        self._title, self._names = title, names
        self._name_curves(self.plot.ink)

    def _name_curves(self, ink: Ink) -> None:
        """Colors and names of the curves, above the plot."""
        names = (escape(name).replace("-", HYPHEN) for name in self._names)
        keys = (f'<b style="color:{ink.color(i).name()}">▬</b>&nbsp;{name}' for i, name in enumerate(names))
        title = escape(self._title)
        self.legend.setText(f"{title}&nbsp; {'&nbsp; '.join(keys)}" if len(self._names) > 1 else title)
        self.legend.setVisible(bool(title))

    @property
    def by_wave(self) -> bool:
        """Whether the horizontal axis is wavelength."""
        known = bool(self._drawn) and self._drawn[0].wave is not None
        return bool(self.axis_box.currentData()) and known

    def draw(self, view: SpectrumView | None) -> None:
        """Show the spectra of the view, or how to get them."""
        changed = _identity(self._view) != _identity(view)
        self._view = view
        if view is None or not view.spectra:
            self._drawn = ()
            self._set_title("", [])
            self.measured.hide()
            self.pages.show_hint("Open an image to see spectra." if view is None else view.hint)
            return
        self.preview.setData([], [])
        self.pages.show_content()
        self._title = view.title if not view.hint else f"{view.title} – {view.hint}"
        self.scale_on.setVisible(len(view.spectra) > 1)
        self.method_box.setVisible(bool(view.extraction))
        self.method_box.setCurrentIndex(max(0, self.method_box.findData(view.extraction)))
        self._redraw(fit=changed)

    def hover(self, view: SpectrumHover | None) -> None:
        """Mark the position of the pointer; preview the row under it while nothing is selected."""
        if view is None:
            self.pointer.hide()
            return
        if view.preview is not None and (self._view is None or not self._view.spectra or view.preview.wave is None):
            self._show_preview(view.preview)
        elif view.preview is not None:
            self.preview.setData(pure.abscissa(view.preview, self.by_wave), view.preview.flux)
        where = view.wave if self._axis_is_wave(view) else view.pixel
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
        fresh = self.pages.hint != ""
        self.pages.show_content()
        self._hide_curves(0)
        by_wave = bool(self.axis_box.currentData()) and spectrum.wave is not None
        x = pure.abscissa(spectrum, by_wave)
        self.preview.setData(x, np.asarray(spectrum.flux, dtype=float))
        self._label(spectrum, by_wave)
        self._set_title(f"Under the pointer: {spectrum.fiber_id}", [])
        if fresh:
            self.plot.show_x(float(x.min()), float(x.max()))
        limits = pure.robust_range((spectrum,))
        if limits is not None:
            self.plot.show_y(*limits)

    def _redraw(self, *, fit: bool = False) -> None:
        """Draw the spectra with the switches as they are."""
        view = self._view
        if view is None or not view.spectra:
            return
        first = view.spectra[0]
        spectra, names = [], []
        for i, spectrum in enumerate(view.spectra):
            spectrum, how = pure.in_unit_of(spectrum, first)
            if i and self.scale_on.isChecked():
                spectrum, factor = pure.scale_to(spectrum, first)
                how = f"{how} × {number(factor, 3)}".strip()
            spectra.append(pure.rebin(spectrum, self.bin_box.value()))
            names.append(f"{spectrum.label or spectrum.method} {how}".strip())
        self._drawn = tuple(spectra)
        self._draw_curves(names)
        self._draw_band(self._drawn[0])
        self._label(first, self.by_wave)
        if fit:
            self._fit()
        self._mark_lines()
        self._measure()

    def _draw_curves(self, names: list[str]) -> None:
        """One curve per frame, and marks on the masked samples of the first."""
        while len(self.curves) < len(names):
            self.curves.append(self.plot.curve(len(self.curves), connect="finite", stepMode=None))
        for curve, spectrum in zip(self.curves, self._drawn, strict=False):
            wave = self.by_wave and spectrum.wave is not None
            curve.setData(pure.abscissa(spectrum, wave), np.where(spectrum.masked, np.nan, spectrum.flux))
            curve.show()
            curve.setZValue(-self.curves.index(curve))
        self._set_title(self._title, names)
        self._hide_curves(len(names))
        first = self._drawn[0]
        bad = first.masked & np.isfinite(first.flux)
        self.masked.setData(pure.abscissa(first, self.by_wave)[bad], np.asarray(first.flux)[bad])

    def _hide_curves(self, start: int) -> None:
        """Empty the curves from number `start` on."""
        for curve in self.curves[start:]:
            curve.setData([], [])
        if start == 0:
            self.band.hide()
            self.masked.setData([], [])

    def _draw_band(self, spectrum: FiberSpectrum) -> None:
        """Error band of the first spectrum."""
        edges = pure.band(spectrum) if self.errors_on.isChecked() else None
        self.band.setVisible(edges is not None)
        if edges is not None:
            x = np.asarray(pure.abscissa(spectrum, self.by_wave), dtype=float)
            self.band.setData(x, *edges)

    def _label(self, spectrum: FiberSpectrum, by_wave: bool) -> None:
        """Axis labels with units."""
        x = axis("Wavelength", ANGSTROM) if by_wave else axis("Dispersion pixel", PIXEL)
        self.plot.set_labels(x, axis("Flux", spectrum.unit))

    def _fit(self) -> None:
        """Show the whole spectrum, without letting a few extreme samples set the scale."""
        if not self._drawn:
            return
        x = pure.abscissa(self._drawn[0], self.by_wave)
        self.plot.show_x(float(np.min(x)), float(np.max(x)))
        limits = pure.robust_range(self._drawn)
        if limits is not None:
            self.plot.show_y(*limits)

    def _mark_lines(self) -> None:
        """The strongest sky lines in view, when the axis is wavelength; names where there is room."""
        if not self._lines and not self.lines_on.isChecked():
            return
        lo, hi = self.plot.plotItem.vb.viewRange()[0]
        lines = linemarks.sky_lines(lo, hi) if self.lines_on.isChecked() and self.by_wave else ()
        named = linemarks.spaced(lines, (hi - lo) * LABEL_WIDTH / max(self.plot.width(), 1))
        while len(self._lines) < len(lines):
            mark = self.plot.line(4, style=Qt.PenStyle.DotLine)
            mark.label = pg.InfLineLabel(mark, "", position=0.98, anchors=[(0, 0), (0, 0)])
            self._lines.append(mark)
        for i, mark in enumerate(self._lines):
            mark.setVisible(i < len(lines))
            if i < len(lines):
                mark.setValue(lines[i].wave)
                mark.label.setColor(self.plot.ink.faint)
                mark.label.setFormat(lines[i].label if i in named else "")
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
        lo, hi = self.span.getRegion()
        found = measure(self._drawn[0], lo, hi, self.by_wave)
        unit = ANGSTROM if self.by_wave else PIXEL
        text = "no good samples" if found is None else measurement_text(found, self._drawn[0].unit, unit)
        self.measured.setText(f"{number(lo, 6)} to {quantity(hi, unit, 6)}: {text}")

    def _point(self, x: float, y: float) -> None:
        """Read the spectrum off at the pointer."""
        if not self._drawn or self._view is None:
            return
        first = self._drawn[0]
        at = pure.abscissa(first, self.by_wave)
        i = int(np.argmin(np.abs(at - x)))
        parts = [] if first.wave is None else [f"{first.wave[i]:.2f} {ANGSTROM}"]
        parts.append(f"pixel {number(float(first.pixel[i]), 6)}")
        error = None if first.error is None else float(first.error[i])
        value = number(float(first.flux[i]))
        parts.append(f"{value} ± {quantity(error, first.unit, 3)}" if error is not None else f"{value} {first.unit}")
        if first.masked[i]:
            parts.append("masked")
        self.readout.setText(", ".join(parts))

    def _pick(self, x: float, _y: float) -> None:
        """Bring the canvas to the clicked sample."""
        if self._view is None or not self._drawn or self.measure_on.isChecked():
            return
        point = pure.native_point(self._view, pure.pixel_of(self._view, x, self.by_wave))
        if point is not None:
            self.intent.emit(PickPoint(self._view.key, *point))


def _identity(view: SpectrumView | None) -> tuple[Any, ...]:
    """What decides whether the plot is brought back to its full range."""
    if view is None or not view.spectra:
        return ()
    first = view.spectra[0]
    return (first.label, first.unit, first.flux.size, first.wave is None)
