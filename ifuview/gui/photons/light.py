"""Light dock: the light of the crosshair's pixel and of every box and circle of a photon list, side by side."""

from __future__ import annotations

import time
from html import escape
from typing import ClassVar

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QWidget

from ifuview.app.intents import CountLight, DrawRegions, SetLight
from ifuview.app.photons.light import RESOLUTION_BINS
from ifuview.app.photons.views import light as pure
from ifuview.app.photons.views import light_text
from ifuview.app.photons.views.light import LightPart, LightView
from ifuview.gui.parts._figure_items import readable
from ifuview.gui.parts._panes import Panes
from ifuview.gui.parts._widgets import (
    Elided,
    FlowLayout,
    Pages,
    button,
    check,
    column,
    combo,
    labelled,
    plain_numbers,
    quiet_label,
)
from ifuview.gui.parts.base import Dock
from ifuview.gui.photons._light_plot import LightPlot

WIDTHS = (*(m * 10.0**e for e in range(4) for m in (1, 2, 5)), 10_000.0)  # ms
BINS = (
    ("Bins of the file", 0), ("Half resolution elements", RESOLUTION_BINS), ("20 bins", 20), ("40 bins", 40),
    ("80 bins", 80),
)  # fmt: skip
REST_MS = 150  # between two redraws of the plots (40 ms) while a slider is dragged


class WidthBox(QDoubleSpinBox):
    """A bin width in ms that goes through 1, 2, 5, 10 ..."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(WIDTHS[0], WIDTHS[-1])
        self.setDecimals(1)
        self.setSuffix(" ms")
        plain_numbers(self, "Width of the time bins")

    def stepBy(self, steps: int) -> None:
        value = self.value()
        for _ in range(abs(steps)):
            larger = [w for w in WIDTHS if w > value * 1.001]
            smaller = [w for w in WIDTHS if w < value * 0.999]
            value = (larger or WIDTHS[-1:])[0] if steps > 0 else (smaller or WIDTHS[:1])[-1]
        self.setValue(value)

    def textFromValue(self, v: float) -> str:
        return f"{v:g}"

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        return QAbstractSpinBox.StepEnabledFlag.StepUpEnabled | QAbstractSpinBox.StepEnabledFlag.StepDownEnabled


class LightDock(Dock):
    """Draws views/light; emits CountLight when what is selected is not counted yet, SetLight and DrawRegions."""

    key: ClassVar[str] = "light"
    title: ClassVar[str] = "Light"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: LightView | None = None
        self._drawn: LightView | None = None  # what the plots show
        self._since = 0.0
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._draw_plots)
        self.plots = {part: LightPlot(part) for part in LightPart}
        self.panes = Panes([(pure.TITLES[part], plot) for part, plot in self.plots.items()])
        self.legend = quiet_label()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.notes = quiet_label()
        content = QWidget()
        self.readout = Elided()
        box = column(content, self.legend, self.notes, self.panes, margin=0)
        box.addWidget(self.readout)
        self.pages = Pages(content)
        column(self, self._build_bar(), self.pages)
        for plot in self.plots.values():
            plot.pointed.connect(self.readout.setText)
        first = self.plots[LightPart.CURVE].plot
        first.styled(self.legend, lambda _ink: self._name(), add=False)
        self.setAccessibleName("Light")
        self.draw(None)

    def _build_bar(self) -> FlowLayout:
        """The row of switches."""
        self.box_on = button("Box", "Draw a box on the image (Shift+B); Esc ends it", check=True)
        self.circle_on = button("Circle", "Draw a circle on the image (Shift+C); Esc ends it", check=True)
        for switch, shape in ((self.box_on, "box"), (self.circle_on, "circle")):
            switch.clicked.connect(lambda on, shape=shape: self.intent.emit(DrawRegions(shape if on else "")))
        self.width_box = WidthBox()
        self.width_box.valueChanged.connect(lambda ms: self._set("width", round(ms / 1000, 7)))
        self.rate_box = combo((("per second", True), ("counts", False)), "What light curves are given in")
        self.rate_box.activated.connect(lambda _i: self._set("rate", bool(self.rate_box.currentData())))
        self.bins_box = combo(BINS, "Spectral bins")
        self.bins_box.activated.connect(lambda _i: self._set("bins", int(self.bins_box.currentData())))
        self.background_on = check("Background", "Subtract what the annulus around a circle predicts")
        self.background_on.clicked.connect(lambda on: self._set("background", bool(on)))
        self.inner, self.outer = QDoubleSpinBox(), QDoubleSpinBox()
        for box, name in ((self.inner, "inner"), (self.outer, "outer")):
            box.setRange(1.0, 20.0)
            box.setDecimals(1)
            box.setSingleStep(0.5)
            plain_numbers(box, f"{name.capitalize()} radius of the annulus, in radii of the circle")
            box.valueChanged.connect(lambda _v: self._set_ring())
        self.full = button("Show all", "Show everything in every plot (double click on one)")
        for plot in self.plots.values():
            self.full.clicked.connect(lambda _on=False, plot=plot: plot.fit())
        bar = FlowLayout()
        parts = (
            self.box_on, self.circle_on, labelled("Time bins", self.width_box), self.rate_box, self.bins_box,
            self.background_on, labelled("from", self.inner), labelled("to", self.outer), self.full,
        )  # fmt: skip
        for part in parts:
            bar.addWidget(part)
        return bar

    def _set(self, name: str, value: float | bool) -> None:
        """Another option, if it is another."""
        if self._view is not None and getattr(self._view.options, name) != value:
            self.intent.emit(SetLight(name, value))

    def _set_ring(self) -> None:
        """Radii of the annulus; the outer one stays the larger."""
        inner, outer = self.inner.value(), self.outer.value()
        if outer <= inner:
            outer = inner + self.outer.singleStep()
            self.outer.blockSignals(True)
            self.outer.setValue(outer)
            self.outer.blockSignals(False)
        self._set("outer", outer)
        self._set("inner", inner)

    def draw(self, view: LightView | None) -> None:
        """Show the light of the selections; ask for it where it is not known."""
        self._view = view
        if view is None:
            self.pages.show_hint(pure.OPEN_HINT)
            self._drawn = None
            return
        self._show_options(view)
        if view.hint:
            self.pages.show_hint(view.hint)
            self._drawn = None
        elif self._only_other_photons(view):
            if not self._rest.isActive():
                self._rest.start(max(0, round(REST_MS - 1000 * (time.monotonic() - self._since))))
        else:
            self._draw_plots()
        self.notes.setText(light_text.notes(view))
        self.notes.setVisible(bool(self.notes.text()))
        if view.stale:
            self.intent.emit(CountLight())

    def _only_other_photons(self, view: LightView) -> bool:
        """Whether the same is shown of other photons, as while a slider is dragged: then the image goes first."""
        old = self._drawn
        return old is not None and old.options == view.options and (
            [one.picked for one in old.found] == [one.picked for one in view.found]
        )  # fmt: skip

    def _draw_plots(self) -> None:
        """Draw everything for the view as it is now."""
        view = self._view
        if view is None or view.hint:
            return
        self._rest.stop()
        if self._drawn is None or self._drawn.found is not view.found:
            self._name()
            for plot in self.plots.values():
                plot.draw(view)
        self.pages.show_content()
        self._drawn, self._since = view, time.monotonic()

    def _show_options(self, view: LightView) -> None:
        """Bring the switches to what the session says."""
        options = view.options
        self.box_on.setChecked(view.drawing == "box")
        self.circle_on.setChecked(view.drawing == "circle")
        for box, value in (
            (self.width_box, 1000 * options.width),
            (self.inner, options.inner),
            (self.outer, options.outer),
        ):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        self.rate_box.setCurrentIndex(max(0, self.rate_box.findData(options.rate)))
        self.bins_box.setCurrentIndex(max(0, self.bins_box.findData(options.bins)))
        self.background_on.setChecked(options.background)
        for box in (self.inner, self.outer):
            box.setEnabled(options.background)
        photons = view.key is not None
        for widget in (self.width_box, self.rate_box, self.bins_box, self.background_on):
            widget.setEnabled(photons)

    def _name(self) -> None:
        """The selections in their colors, above the plots."""
        view = self._view
        if view is None:
            return
        paper = self.palette().window().color()
        keys = (
            f'<b style="color:{readable(one.picked.color, paper).name()}">▬</b>&nbsp;{escape(light_text.summary(one))}'
            for one in view.found
        )
        self.legend.setText("&nbsp;&nbsp; ".join(keys))
