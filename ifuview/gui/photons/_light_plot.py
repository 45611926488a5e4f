"""One plot of the light dock: curves of several selections in their colors, with its own switches above."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QColor, QGuiApplication, QPen, QResizeEvent, QShowEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from ifuview.app.photons.views import light as pure
from ifuview.app.photons.views import light_lines, light_text
from ifuview.app.photons.views.light import How, LightView, Part
from ifuview.app.photons.views.light_lines import Line
from ifuview.gui.parts._band import BandItem
from ifuview.gui.parts._log_axis import log_ticks
from ifuview.gui.parts._plot import Plot
from ifuview.gui.parts._widgets import Elided, button, combo
from ifuview.model import colors

FINE_ALPHA, BAND_ALPHA = 90, 55
STYLES = {"steps": Qt.PenStyle.SolidLine, "fine": Qt.PenStyle.SolidLine, "law": Qt.PenStyle.DashLine,
          "dots": Qt.PenStyle.DotLine}  # fmt: skip
HOWS = (("per second", How.RATE), ("per s and unit", How.DENSITY), ("counts", How.COUNTS))
LOGARITHMIC = (Part.INTERVALS,)  # at first


def readable(name: str, paper: QColor) -> QColor:
    """The color of a region so that it stands out on the paper of a plot."""
    other = name.lower() not in colors.NAMED and QColor.isValidColorName(
        name
    )  # names that Qt knows beyond those of ds9
    return QColor(colors.readable(QColor(name).name() if other else name, paper.getRgb()[:3]))


def whole_ticks(axis: Any) -> None:
    """Ticks of an axis of counts stand at whole numbers."""
    spacing = axis.tickSpacing

    def whole(low: float, high: float, size: float) -> Any:
        return [(step, offset) for step, offset in spacing(low, high, size) if step >= 1] or [(1, 0)]

    axis.tickSpacing = whole


class LightPlot(QWidget):
    """Draws one part of views/light; `pointed` says what is under the mouse, "" when it goes."""

    pointed = pyqtSignal(str)

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.part = part
        self._view: LightView | None = None
        self._late = False  # it was hidden when its view came
        self._lines: list[Any] = []
        self._bands: list[BandItem] = []
        self._bars: list[Any] = []
        self._span: tuple[float, float] | None = None  # of the data
        self._zoom: tuple[float, float] | None = None  # of the light curves in view
        self.plot = Plot(pure.TITLES[part])
        if part is Part.INTERVALS:
            log_ticks(self.plot.getAxis("bottom"), "bottom", lambda: True)
        if part is Part.HISTOGRAM:
            whole_ticks(self.plot.getAxis("bottom"))
        log_ticks(self.plot.getAxis("left"), "left", lambda: self.is_log)
        self.dead = self.plot.line("bad", style=Qt.PenStyle.DotLine)
        self.text = QLabel(self.plot)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.text.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.text.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(1)
        box.addLayout(self._build_bar())
        box.addWidget(self.plot, 1)
        if part is Part.CURVE:
            self.plot.plotItem.vb.sigXRangeChanged.connect(lambda *_: self._zoomed())
        self.plot.styled(self, lambda _ink: self._redraw(), add=False)
        self.plot.pointed.connect(self._point)
        self.plot.left.connect(lambda: self.pointed.emit(""))
        self.setAccessibleName(pure.TITLES[part])

    def _build_bar(self) -> QHBoxLayout:
        """Name and switches of this plot."""
        self.name = Elided(pure.TITLES[self.part])
        font = self.name.font()
        font.setBold(True)
        self.name.setFont(font)
        self.log_on = button("log", "Logarithmic vertical axis", check=True)
        self.log_on.setChecked(self.part in LOGARITHMIC)
        self.log_on.toggled.connect(lambda _on: self._redraw())
        self.how = combo(HOWS, "What the spectrum is given in")
        if self.part is not Part.SPECTRUM:
            self.how.hide()
        self.how.activated.connect(lambda _i: self._redraw())
        self.range = QLineEdit()
        self.range.setPlaceholderText("y auto")
        self.range.setMaximumWidth(76)
        self.range.setAccessibleName("Vertical range")
        self.range.setToolTip("Vertical range, as 0:500; empty follows the data (a double click on the plot, too)")
        self.range.editingFinished.connect(self._fit)
        self.copy = button("copy", "Copy the numbers of this plot")
        self.copy.clicked.connect(self.copy_numbers)
        bar = QHBoxLayout()
        bar.setContentsMargins(0, 0, 0, 0)
        bar.setSpacing(3)
        bar.addWidget(self.name, 1)
        for widget in (self.how, self.log_on, self.range, self.copy):
            bar.addWidget(widget)
        return bar

    @property
    def spectrum_how(self) -> How:
        """What the vertical axis of the spectrum is."""
        return How(self.how.currentData())

    @property
    def is_log(self) -> bool:
        """Whether the vertical axis is logarithmic."""
        return self.log_on.isChecked()

    def draw(self, view: LightView) -> None:
        """Show the curves of a view."""
        self._view, self._late = view, not self.isVisible()
        if not self._late:
            self._redraw()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        if self._late:
            self._late = False
            self._redraw()

    def _redraw(self) -> None:
        view = self._view
        if view is None:
            return
        how = self.spectrum_how
        x_label, y_label = light_lines.axis_labels(view, self.part, how)
        self.plot.set_labels(x_label, y_label)
        self.plot.getAxis("left").picture = None  # its ticks may be of the other kind
        self.plot.getAxis("left").update()
        lines = self._made()
        self._show(lines)
        self._show_dead_time(view)
        self._show_text(view)
        self._fit(lines)

    def _made(self, span: tuple[float, float] | None = None) -> tuple[Line, ...]:
        """The curves with the switches as they are."""
        assert self._view is not None
        span = span or (self._zoom if self._span is not None else None)
        lines = light_lines.lines(self._view, self.part, self.spectrum_how, span)
        return tuple(light_lines.logarithm(line) for line in lines) if self.is_log else lines

    def _zoomed(self) -> None:
        """Another part of the light curves is in view: more or fewer bins make one step."""
        low, high = self.plot.plotItem.vb.viewRange()[0]
        if self._view is None or not self._view.found or self._zoom == (low, high):
            return
        self._zoom = (low, high)
        self._show(self._made())
        self._name()

    def _name(self) -> None:
        """The name of the plot, and what its steps are."""
        more = (
            light_lines.means_text(self._view, self._zoom) if self._view is not None and self.part is Part.CURVE else ""
        )
        name = pure.TITLES[self.part]
        self.name.setText(f"{name}: {more}" if more else name)

    def _show(self, lines: tuple[Line, ...]) -> None:
        """Fill curves, bands and bars; those without a line are emptied."""
        self._make(len(lines))
        paper = self.plot.ink.paper
        for number, item in enumerate(self._lines):
            band, bars = self._bands[number], self._bars[number]
            line = lines[number] if number < len(lines) else None
            if line is None:
                item.setData([], [])
                band.setData([], [], [])
                bars.hide()
                continue
            color = readable(line.color, paper)
            pen = QPen(color, 1 if line.kind in ("fine", "dots") else 2 if line.kind == "steps" else 1.5)
            pen.setStyle(STYLES[line.kind])
            pen.setCosmetic(True)
            if line.kind == "fine":
                color = QColor(color)
                color.setAlpha(FINE_ALPHA)
                pen.setColor(color)
            item.setPen(pen)
            item.setZValue(-5 if line.kind == "fine" else 0)
            item.setData(line.x, line.y)
            self._fill_band(band, line, paper)
            self._fill_bars(bars, line, paper)

    def _fill_band(self, band: BandItem, line: Line, paper: QColor) -> None:
        """The error band of a line."""
        if line.low is None or line.high is None:
            band.setData([], [], [])
            return
        fill = readable(line.color, paper)
        fill.setAlpha(BAND_ALPHA)
        band.setBrush(pg.mkBrush(fill))
        band.setData(line.x, line.low, line.high)

    def _fill_bars(self, bars: Any, line: Line, paper: QColor) -> None:
        """The error bars of a line."""
        if line.bars is None:
            bars.hide()
            return
        x, y, error = line.bars
        good = np.isfinite(y) & np.isfinite(error)
        bars.setData(x=x[good], y=y[good], height=2 * error[good], pen=pg.mkPen(readable(line.color, paper)))
        bars.setVisible(bool(good.any()))

    def _make(self, count: int) -> None:
        """As many items as are needed."""
        while len(self._lines) < count:
            item = pg.PlotDataItem(connect="finite")
            item.setDownsampling(auto=True, method="peak")
            item.setClipToView(True)
            band, bars = BandItem(), pg.ErrorBarItem(x=np.empty(0), y=np.empty(0), height=np.empty(0), beam=0)
            for one in (band, item, bars):
                self.plot.addItem(one, ignoreBounds=True)
            self._lines.append(item)
            self._bands.append(band)
            self._bars.append(bars)

    def _show_dead_time(self, view: LightView) -> None:
        """A line at the dead time of the detector."""
        found = [t for t in light_lines.dead_times(view) if t > 0] if self.part is Part.INTERVALS else []
        self.dead.setVisible(bool(found))
        if found:
            self.dead.setValue(float(np.log10(found[0])))

    def _show_text(self, view: LightView) -> None:
        """Numbers in a corner of the plot, in the colors of the selections."""
        words = {Part.HISTOGRAM: light_text.law_text, Part.INTERVALS: light_text.interval_text}.get(self.part)
        rows = [(one.picked.color, words(one)) for one in view.found] if words is not None else []
        paper = self.plot.ink.paper
        html = [f'<span style="color:{readable(c, paper).name()}">{t}</span>' for c, t in rows if t]
        if html:
            html.append(f'<span style="color:{self.plot.ink.faint.name()}">{light_text.LAWS[self.part]}</span>')
        self.text.setText("<br>".join(html))
        self.text.setVisible(bool(html))
        back = QColor(paper)
        self.text.setStyleSheet(f"background: rgba({back.red()},{back.green()},{back.blue()},190); padding: 1px;")
        self._place_text()

    def _place_text(self) -> None:
        """The corner: at the right for histograms, which fall off there, at the left for intervals."""
        self.text.adjustSize()
        left = self.plot.getAxis("left").width()
        right = self.plot.width() - self.text.width() - 8
        self.text.move(int(left + 6 if self.part is Part.INTERVALS else max(right, left + 4)), 8)

    def _fit(self, lines: tuple[Line, ...] | None = None) -> None:
        """Show all of the data, or the vertical range that was typed."""
        view = self._view
        if view is None:
            return
        if lines is None:
            lines = self._made()
        x = light_lines.horizontal(view, self.part, lines)
        if x is not None and x != self._span:
            self._span = x
            self.plot.show_x(*x)
        y = self._typed_range() or light_lines.vertical(lines, log=self.is_log)
        if y is not None:
            self.plot.show_y(*y)
        self._name()

    def _typed_range(self) -> tuple[float, float] | None:
        """The range of the line edit; None if there is none or it makes no sense."""
        low, colon, high = self.range.text().partition(":")
        try:
            found = (float(low), float(high)) if colon else None
        except ValueError:
            return None
        if found is None or not found[0] < found[1]:
            return None
        if self.is_log:
            return (float(np.log10(found[0])), float(np.log10(found[1]))) if found[0] > 0 else None
        return found

    def _point(self, x: float, _y: float) -> None:
        """Say what the bin under the mouse holds."""
        if self._view is not None:
            self.pointed.emit(light_text.readout(self._view, self.part, x, self.spectrum_how))

    def copy_numbers(self) -> None:
        """Put the numbers on the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if self._view is not None and clipboard is not None:
            clipboard.setText(light_text.table(self._view, self.part, self.spectrum_how))
            self.pointed.emit(f"{pure.TITLES[self.part]} copied")

    def fit(self) -> None:
        """Show everything."""
        self._span = None
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._place_text()
