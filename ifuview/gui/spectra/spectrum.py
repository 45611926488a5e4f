"""Spectrum dock: the selected fiber in this and the other frames, and what a dragged range measures."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import ClassVar

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPen
from PyQt6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLineEdit, QSlider, QSpinBox, QWidget

from ifuview.app.frames.views import stack
from ifuview.app.frames.views.text import axis, number, quantity
from ifuview.app.intents import ChooseSpectra, PickPoint, SetExtraction, SetWindow, ShowArm
from ifuview.app.spectra.views import best_fit, flux, linemarks
from ifuview.app.spectra.views import spectrum as pure
from ifuview.app.spectra.views.measure import measure, measurement_text
from ifuview.app.spectra.views.spectrum import SpectrumHover, SpectrumView
from ifuview.gui.parts._band import BandItem
from ifuview.gui.parts._plot import Ink, Plot
from ifuview.gui.parts._widgets import (
    Elided,
    FlowLayout,
    Pages,
    button,
    column,
    combo,
    is_dark,
    labelled,
    plain_numbers,
    quiet_label,
)
from ifuview.gui.parts._window import WindowSpan
from ifuview.gui.parts.base import Dock
from ifuview.model.checks import Array
from ifuview.model.inspection import FiberSpectrum

MAX_BIN = 64
HYPHEN = "\u2011"  # does not break the name of a frame
LABEL_WIDTH = 34  # screen px that the name of a sky line takes
MOSTLY = 0.5  # of the samples
READOUT_WIDTH = 280  # screen px; fixed, so that nothing jumps while the pointer moves
ANGSTROM, PIXEL = "Å", "px"
LISTS = (
    *(("No lines", ""), ("Galaxy, QSO", "galaxy")),
    *(("Star", "stellar"), ("Nebula", "nebular")),
)  # rest wavelengths in resources/linelists
MOST_NAMED = 12  # stacked fibers that are named above the plot; more are named at their curves alone
LEAST_GAP = 13  # screen px between the names of two curves
AXES = 60  # screen px that axis and label take of the height of the plot
MAX_REDSHIFT = 7.0
SLIDER_STEPS = 7000  # in log(1 + z)
STACK = 1.0  # typical ranges between stacked spectra at first


class SpectrumDock(Dock):
    """Draws views/spectrum; emits PickPoint, SetExtraction, ChooseSpectra, SetWindow and ShowArm."""

    key: ClassVar[str] = "spectrum"
    title: ClassVar[str] = "Spectrum"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._given: SpectrumView | None = None  # of the session
        self._view: SpectrumView | None = None  # the same with the fibers that were turned to
        self._drawn: tuple[FiberSpectrum, ...] = ()
        self._drawn_redshift: float | None = None
        self._preview_along: tuple[bool, int, int] | None = None  # what the preview's plot spans
        self._title = ""
        self._names: list[str] = []
        self._lines: list[pg.InfiniteLine] = []
        self._rest: list[pg.InfiniteLine] = []
        self._ink_of: list[int] = []  # color of each curve
        self._tags: list[pg.TextItem] = []  # names at the curves of a stack
        self._list_chosen = False  # the user chose a line list
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
        column(self, self._build_bar(), self._build_line_bar(), self.legend, self.measured, self.pages)
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
        self.window_span = WindowSpan(self.plot)
        self.window_span.moved.connect(lambda window: self.intent.emit(SetWindow(window)))
        for part in (self.scale_on, self.measure_on, self.window_span.button, self.full, self.readout):
            bar.addWidget(part)
        return bar

    def _build_line_bar(self) -> FlowLayout:
        """Which spectra; lines at a redshift; the rest frame; the distance of stacked spectra."""
        self.choice = QLineEdit()
        self.choice.setPlaceholderText("3000:3010,3050 or SPECTYPE=QSO, Z>4")
        self.choice.setAccessibleName("Choose spectra")
        self.choice.setToolTip(
            "Fiber numbers and ranges, a TARGETID, or terms like OBJTYPE=SKY, SPECTYPE=QSO, Z=4.3:4.4"
        )
        self.choice.returnPressed.connect(self._choose)
        self.list_box = combo(LISTS, "Lines to mark")
        self.redshift = QDoubleSpinBox()
        self.redshift.setRange(-0.01, MAX_REDSHIFT)
        self.redshift.setDecimals(4)
        self.redshift.setSingleStep(0.001)
        plain_numbers(self.redshift, "Redshift of the lines and of the rest frame")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, SLIDER_STEPS)
        self.slider.setMinimumWidth(60)
        self.slider.setAccessibleName("Redshift")
        self.slider.setToolTip("Redshift of the lines and of the rest frame")
        self.rest_on = button("Rest frame", "Divide the wavelengths by 1 + z", check=True)
        self.stack_box = QDoubleSpinBox()
        self.stack_box.setRange(0.0, 20.0)
        self.stack_box.setSingleStep(0.5)
        self.stack_box.setValue(STACK)
        plain_numbers(self.stack_box, "Distance of stacked spectra in typical ranges")
        self.stack_part = labelled("Stack", self.stack_box)
        self._build_pager()
        self.list_box.activated.connect(self._chose_list)
        self.list_box.currentIndexChanged.connect(lambda _i: self._mark_rest_lines())
        self.redshift.valueChanged.connect(self._redshifted)
        self.slider.valueChanged.connect(
            lambda n: self.redshift.setValue(linemarks.slider_redshift(n, SLIDER_STEPS, MAX_REDSHIFT))
        )
        self.rest_on.toggled.connect(lambda _on: self._redraw(fit=True))
        self.stack_box.valueChanged.connect(lambda _v: self._redraw(fit=True))
        bar = FlowLayout()
        for part in (labelled("Choose", self.choice), self.list_box, labelled("z", self.redshift), self.slider):
            bar.addWidget(part)
        for part in (self.rest_on, self.stack_part, self.pager):
            bar.addWidget(part)
        return bar

    def _build_pager(self) -> None:
        """How many of many selected fibers are drawn, and the next ones."""
        self.pager = QWidget()
        self.count_box = QSpinBox()
        self.count_box.setRange(2, pure.MOST_STACKED)
        self.count_box.setValue(pure.STACKED)
        plain_numbers(self.count_box, "Stacked spectra that are drawn at a time")
        self.before = button("◀", "The selected fibers before these")
        self.after = button("▶", "The next selected fibers")
        row = QHBoxLayout(self.pager)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        for part in (labelled("Fibers", self.count_box), self.before, self.after):
            row.addWidget(part)
        self.count_box.valueChanged.connect(lambda _n: self._turn(0))
        self.before.clicked.connect(lambda: self._turn(-1))
        self.after.clicked.connect(lambda: self._turn(1))

    def _turn(self, pages: int) -> None:
        """Draw other fibers of the selection."""
        view = self._view
        if view is not None and view.group:
            self._view = pure.page(view, view.start + pages * self.count_box.value(), self.count_box.value())
            self._title = self._view.title
            self._show_pager(self._view)
            self._redraw(fit=True)

    def _show_pager(self, view: SpectrumView) -> None:
        """Show the switches of a stack when there is something to turn."""
        self.stack_part.setVisible(bool(view.group))
        self.pager.setVisible(bool(view.group) and len(view.chosen) > pure.STACKED)
        shown = len(set(view.group))
        self.before.setEnabled(view.start > 0)
        self.after.setEnabled(view.start + shown < len(view.chosen))

    def _chose_list(self, _place: int) -> None:
        """The user wants this line list from now on."""
        self._list_chosen = True

    def _choose(self) -> None:
        """Select the spectra that are named."""
        if self.choice.text().strip():
            self.intent.emit(ChooseSpectra(self.choice.text()))

    def _redshifted(self, value: float) -> None:
        """Another redshift: the slider follows, lines and rest frame move."""
        self.slider.blockSignals(True)
        self.slider.setValue(linemarks.redshift_slider(value, SLIDER_STEPS, MAX_REDSHIFT))
        self.slider.blockSignals(False)
        if self.rest_on.isChecked():
            self._redraw(fit=True)
        else:
            self._mark_rest_lines()

    @property
    def stretch(self) -> float:
        """Observed wavelength over what the axis shows."""
        return 1.0 + self.redshift.value() if self.rest_on.isChecked() and self.by_wave else 1.0

    def _along(self, spectrum: FiberSpectrum) -> Array:
        """Places of the samples on the horizontal axis."""
        by_wave = self.by_wave and spectrum.wave is not None
        x = flux.abscissa(spectrum, by_wave)
        return x / self.stretch if by_wave else x

    def _build_items(self) -> None:
        """Curves, error band, marks; made once."""
        self.band = BandItem()
        self.plot.styled(self.band, lambda ink: self.band.setBrush(ink.brush(0, 60)))
        self.curves: list[pg.PlotDataItem] = []
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
        many = self._view is not None and len(set(self._view.group)) > MOST_NAMED
        names = (escape(name).replace("-", HYPHEN) for name in (() if many else self._names))
        inks = self._ink_of if len(self._ink_of) >= len(self._names) else range(len(self._names))
        told = dict.fromkeys(zip(inks, names))  # arms of one stacked fiber are told once
        keys = (f'<b style="color:{self._shade(i, ink).name()}">▬</b>&nbsp;{name}' for i, name in told)
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
        given, self._given = self._given, view
        if view is not None and given is not None and self._view is not None and pure.same_but_window(given, view):
            self._view = replace(self._view, window=view.window)
            self.window_span.show(view.window)
            return
        old, self._view = self._view, view
        changed = _identity(old) != _identity(view)
        if view is None or not view.spectra:
            self._drawn = ()
            self._set_title("", [])
            self.measured.hide()
            self._preview_along = None
            self.pages.show_hint("Open an image to see spectra." if view is None else view.hint)
            return
        self.preview.setData([], [])
        self._preview_along = None
        self.pages.show_content()
        self._title = view.title if not view.hint else f"{view.title} – {view.hint}"
        start = old.start if old is not None and _same_fibers(old, view) else 0
        if view.group and (start or self.count_box.value() != pure.STACKED):
            view = self._view = pure.page(view, start, self.count_box.value())
            self._title = view.title
        self._show_pager(view)
        if view.redshift is not None and not self._list_chosen:
            self.list_box.setCurrentIndex(max(0, self.list_box.findData(view.lines)))
        if view.redshift is not None and (changed or self._drawn_redshift != view.redshift):
            self.redshift.blockSignals(True)
            self.redshift.setValue(view.redshift)
            self.redshift.blockSignals(False)
            self.slider.blockSignals(True)
            self.slider.setValue(linemarks.redshift_slider(view.redshift, SLIDER_STEPS, MAX_REDSHIFT))
            self.slider.blockSignals(False)
        self._drawn_redshift = view.redshift
        self.scale_on.setVisible(len(view.spectra) > 1)
        self.method_box.setVisible(bool(view.extraction))
        self.method_box.setCurrentIndex(max(0, self.method_box.findData(view.extraction)))
        self._redraw(fit=changed)
        limits = None if changed or not self._off_view() else flux.robust_range(self._drawn)
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
        self._hide_curves(0)
        by_wave = bool(self.axis_box.currentData()) and spectrum.wave is not None
        x = flux.abscissa(spectrum, by_wave)
        along = (by_wave, round(float(x.min())), round(float(x.max())))
        fresh, self._preview_along = along != self._preview_along, along
        self.preview.setData(x, np.asarray(spectrum.flux, dtype=float))
        self._label(spectrum, by_wave)
        self._set_title(f"Under the pointer: {spectrum.fiber_id}", [])
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
        first = view.spectra[0]
        spectra, names = [], []
        for i, spectrum in enumerate(view.spectra):
            spectrum, how = flux.in_unit_of(spectrum, first)
            whole = spectrum.label != best_fit.LABEL  # a model is compared as it is
            if i and whole and self.scale_on.isChecked() and (spectrum.label != first.label or view.group):
                spectrum, factor = flux.scale_to(spectrum, first)
                how = f"{how} × {number(factor, 3)}".strip()
            spectra.append(flux.rebin(spectrum, self.bin_box.value()))
            name = spectrum.fiber_id if view.group else f"{spectrum.label or spectrum.method} {spectrum.arm}".strip()
            names.append(f"{name} {how}".strip())
        for i, offset in enumerate(stack.stack_offsets(tuple(spectra), view.group, self.stack_box.value())):
            if offset:
                spectra[i] = stack.raised(spectra[i], float(offset))
        self._ink_of = list(view.group) or list(range(len(spectra)))
        self._drawn = tuple(spectra)
        self.window_span.stretch = self.stretch
        self.window_span.allow(self.by_wave)
        self.window_span.show(view.window)
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
            self.curves.append(self._new_curve(len(self.curves)))
        for place, (curve, spectrum) in enumerate(zip(self.curves, self._drawn, strict=False)):
            curve.setPen(self._pen(place, self.plot.ink))
            curve.setData(self._along(spectrum), np.where(spectrum.masked, np.nan, spectrum.flux))
            curve.show()
            curve.setZValue(1 if spectrum.label == best_fit.LABEL else -place)
        self._set_title(self._title, names)
        self._tag_curves(names)
        self._hide_curves(len(names))
        first = self._drawn[0]
        bad = first.masked & np.isfinite(first.flux)
        self.masked.setData(self._along(first)[bad], np.asarray(first.flux)[bad])

    def _new_curve(self, number: int) -> pg.PlotDataItem:
        """One more curve, in the color that is its own at the time."""
        item = pg.PlotDataItem(connect="finite", stepMode=None)

        def style(ink: Ink) -> None:
            item.setPen(self._pen(number, ink))

        return self.plot.styled(item, style)

    def _pen(self, number: int, ink: Ink) -> QPen:
        """Pen of a curve."""
        pen = ink.pen("text")
        pen.setColor(self._shade(self._ink_of[number] if number < len(self._ink_of) else number, ink))
        return pen

    def _shade(self, number: int, ink: Ink) -> QColor:
        """Color of a spectrum or of a stacked fiber; where the colors of the series would repeat, those of a ramp."""
        count = len(set(self._ink_of))
        if count <= len(ink.series) or number >= count:
            return ink.color(number)
        return QColor(*stack.stack_colors(count, is_dark(self.palette()))[number])

    def _tag_curves(self, names: list[str]) -> None:
        """Name the fibers of a stack at the right end of their curves, as many as have room."""
        view = self._view
        group = view.group if view is not None else ()
        firsts = [i for i, fiber in enumerate(group) if i == 0 or fiber != group[i - 1]]
        levels = {i: stack.level_at_end(self._drawn[i]) for i in firsts} if self.stack_box.value() else {}
        limits = flux.robust_range(self._drawn)
        room = 0.0 if limits is None else LEAST_GAP * (limits[1] - limits[0]) / max(1, self.plot.height() - AXES)
        wanted = stack.spaced(levels, room) if len(firsts) > 1 else []
        while len(self._tags) < len(wanted):
            tag = pg.TextItem("", anchor=(1, 1))
            self.plot.addItem(tag, ignoreBounds=True)
            self._tags.append(tag)
        for tag, i in zip(self._tags, wanted, strict=False):
            last = max(float(np.nanmax(self._along(s))) for s, g in zip(self._drawn, group) if g == group[i])
            tag.setText(names[i].split(" ")[0], self._shade(group[i], self.plot.ink))
            tag.setPos(last, levels[i])
            tag.show()
        for tag in self._tags[len(wanted) :]:
            tag.hide()

    def _hide_curves(self, start: int) -> None:
        """Empty the curves from number `start` on."""
        for curve in self.curves[start:]:
            curve.setData([], [])
        if start == 0:
            for tag in self._tags:
                tag.hide()
            self.band.hide()
            self.masked.setData([], [])

    def _draw_band(self, spectrum: FiberSpectrum) -> None:
        """Error band of the first spectrum."""
        edges = flux.band(spectrum) if self.errors_on.isChecked() else None
        self.band.setVisible(edges is not None)
        if edges is not None:
            x = np.asarray(self._along(spectrum), dtype=float)
            self.band.setData(x, *edges)

    def _label(self, spectrum: FiberSpectrum, by_wave: bool) -> None:
        """Axis labels with units."""
        word = f"Wavelength at rest, z = {number(self.redshift.value())}" if self.stretch != 1.0 else "Wavelength"
        x = axis(word, ANGSTROM) if by_wave else axis("Dispersion pixel", PIXEL)
        self.plot.set_labels(x, axis("Flux", spectrum.unit))

    def _off_view(self) -> bool:
        """Whether the spectrum lies mostly above or below what the plot shows (a bright fiber after a dead one)."""
        if not self._drawn:
            return False
        lo, hi = self.plot.plotItem.vb.viewRange()[1]
        flux = self._drawn[0].flux
        known = flux[np.isfinite(flux)]
        return bool(known.size) and float(np.mean((known < lo) | (known > hi))) > MOSTLY

    def _fit(self) -> None:
        """Show the whole spectrum, without letting a few extreme samples set the scale."""
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
        if not self._lines and not self.lines_on.isChecked():
            return
        lo, hi = self.plot.plotItem.vb.viewRange()[0]
        s = self.stretch
        lines = linemarks.sky_lines(lo * s, hi * s) if self.lines_on.isChecked() and self.by_wave else ()
        self._put_marks(self._lines, lines, 4, 0.98)
        if self.lines_on.isChecked() and not lines and self._drawn:
            why = "No sky lines are known in this range." if self.by_wave else "Sky lines need a wavelength axis."
            self.readout.setText(why)

    def _mark_rest_lines(self) -> None:
        """The lines of the chosen list at the redshift."""
        name = str(self.list_box.currentData())
        if not name and not self._rest:
            return
        s = self.stretch
        lo, hi = self.plot.plotItem.vb.viewRange()[0]
        lines = linemarks.rest_lines(name, lo * s, hi * s, self.redshift.value()) if name and self.by_wave else ()
        self._put_marks(self._rest, lines, 1, 0.9)

    def _put_marks(
        self, marks: list[pg.InfiniteLine], lines: tuple[linemarks.LineMark, ...], color: int, height: float
    ) -> None:
        """Vertical marks at lines, with names where there is room; marks are made once."""
        lo, hi = self.plot.plotItem.vb.viewRange()[0]
        named = linemarks.spaced(lines, self.stretch * (hi - lo) * LABEL_WIDTH / max(self.plot.width(), 1))
        while len(marks) < len(lines):
            mark = self.plot.line(color, style=Qt.PenStyle.DotLine)
            mark.label = pg.InfLineLabel(mark, "", position=height, anchors=[(0, 0), (0, 0)])
            marks.append(mark)
        for i, mark in enumerate(marks):
            mark.setVisible(i < len(lines))
            if i < len(lines):
                mark.setValue(lines[i].wave / self.stretch)
                mark.label.setColor(self.plot.ink.faint)
                mark.label.setFormat(lines[i].label if i in named else "")

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
        found = measure(self._under(lo, hi), lo, hi, self.by_wave)
        unit = ANGSTROM if self.by_wave else PIXEL
        text = "no good samples" if found is None else measurement_text(found, self._drawn[0].unit, unit)
        self.measured.setText(f"{number(lo, 6)} to {quantity(hi, unit, 6)}: {text}")

    def _under(self, lo: float, hi: float) -> FiberSpectrum:
        """The first spectrum, or the arm of it that has most of a range (in Angstrom or pixels)."""
        first = self._drawn[0]
        if not first.arm or not self.by_wave:
            return first
        own = [s for s in self._drawn if s.label == first.label and s.fiber_id == first.fiber_id]
        return max(own, key=lambda s: min(hi, float(np.max(s.wave))) - max(lo, float(np.min(s.wave))))

    def _point(self, x: float, y: float) -> None:
        """Read the spectrum off at the pointer."""
        if not self._drawn or self._view is None:
            return
        first = self._under(x * self.stretch, x * self.stretch)
        at = self._along(first)
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


def _same_fibers(a: SpectrumView, b: SpectrumView) -> bool:
    """Whether two stacks are of the same fibers."""
    return [(s.key, row) for s, row in a.chosen] == [(s.key, row) for s, row in b.chosen]


def _identity(view: SpectrumView | None) -> tuple[object, ...]:
    """What decides whether the plot is brought back to its full range."""
    if view is None or not view.spectra:
        return ()
    first = view.spectra[0]
    return (first.label, first.unit, first.flux.size, first.wave is None, max(view.group, default=0))
