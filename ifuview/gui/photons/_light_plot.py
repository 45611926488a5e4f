"""One plot of the light dock: curves of several selections in their colors, with its own switches above."""

from __future__ import annotations

from dataclasses import replace

import pyqtgraph as pg
from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QGuiApplication, QShowEvent
from PyQt6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from ifuview.app.photons.views import light as pure
from ifuview.app.photons.views import light_lines, light_text
from ifuview.app.photons.views.light import How, LightPart, LightView
from ifuview.app.photons.views.light_figure import figure
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._widgets import Elided, button, combo
from ifuview.model.figure import Figure, Range

HOWS = (("per second", How.RATE), ("per s and unit", How.DENSITY), ("counts", How.COUNTS))
LOGARITHMIC = (LightPart.INTERVALS,)  # at first


def whole_ticks(axis: pg.AxisItem) -> None:
    """Ticks of an axis of counts stand at whole numbers."""
    spacing = axis.tickSpacing

    def whole(low: float, high: float, size: float) -> list[tuple[float, float]]:
        return [(step, offset) for step, offset in spacing(low, high, size) if step >= 1] or [(1, 0)]

    axis.tickSpacing = whole


class LightPlot(QWidget):
    """Draws one part of views/light; `pointed` says what is under the mouse, "" when it goes."""

    pointed = pyqtSignal(str)

    def __init__(self, part: LightPart) -> None:
        super().__init__()
        self.part = part
        self._view: LightView | None = None
        self._late = False  # it was hidden when its view came
        self._span: tuple[float, float] | None = None  # of the data
        self._zoom: tuple[float, float] | None = None  # of the light curves in view
        self.plot = FigurePlot(pure.TITLES[part], headed=False)
        if part is LightPart.HISTOGRAM:
            whole_ticks(self.plot.getAxis("bottom"))
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(1)
        box.addLayout(self._build_bar())
        box.addWidget(self.plot, 1)
        if part is LightPart.CURVE:
            self.plot.plotItem.vb.sigXRangeChanged.connect(lambda *_: self._zoomed())
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
        if self.part is not LightPart.SPECTRUM:
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
        """Draw everything with the switches as they are."""
        if self._view is not None:
            self._fit()

    def _made(self) -> Figure:
        """The figure with the switches as they are."""
        assert self._view is not None
        span = self._zoom if self._span is not None else None
        made = figure(self._view, self.part, self.spectrum_how, span, log=self.is_log)
        typed = self._typed_range()
        return made if typed is None else replace(made, y=replace(made.y, range=typed))

    def _zoomed(self) -> None:
        """Another part of the light curves is in view: more or fewer bins make one step."""
        low, high = self.plot.plotItem.vb.viewRange()[0]
        if self._view is None or not self._view.found or self._zoom == (low, high):
            return
        self._zoom = (low, high)
        self.plot.show_figure(self._made(), fit=False)
        self._name()

    def _name(self) -> None:
        """The name of the plot, and what its steps are."""
        known = self._view is not None and self.part is LightPart.CURVE
        more = light_lines.means_text(self._view, self._zoom) if known else ""
        name = pure.TITLES[self.part]
        self.name.setText(f"{name}: {more}" if more else name)

    def _fit(self) -> None:
        """Show all of the data if its horizontal range is another, and its vertical range or the one typed."""
        if self._view is None:
            return
        made = self._made()
        fresh = made.x.range is not None and made.x.range != self._span
        self._span = made.x.range or self._span
        self.plot.show_figure(made, fit=fresh)
        if not fresh:
            self.plot.fit_y()
        self._name()

    def _typed_range(self) -> Range | None:
        """The range of the line edit; None if there is none or it makes no sense."""
        low, colon, high = self.range.text().partition(":")
        try:
            found = (float(low), float(high)) if colon else None
        except ValueError:
            return None
        return found if found is not None and found[0] < found[1] and (found[0] > 0 or not self.is_log) else None

    def _point(self, x: float, _y: float) -> None:
        """Say what the bin under the mouse holds."""
        if self._view is not None:
            at = 10**x if self.part is LightPart.INTERVALS else x
            self.pointed.emit(light_text.readout(self._view, self.part, at, self.spectrum_how))

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
