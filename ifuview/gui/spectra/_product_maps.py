"""Beside the focal plane: the same fibers in other products, and a range of wavelengths that is typed."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QWidget

from ifuview.app.spectra.views import focal_plane as pure
from ifuview.app.spectra.views.focal_plane import FocalPlaneView
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._widgets import button, plain_numbers
from ifuview.gui.plain import PlainLabel

MOST_WAVE = 1e6  # Angstrom
BOX_WIDTH = 84  # screen px


class ProductMaps(QWidget):
    """A map of each other product that is open, without axes: they are those of the focal plane beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.button = button("Side by side", "The other open products of this exposure beside it", check=True)
        self.button.setChecked(True)
        self.maps: list[FigurePlot] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self.hide()

    def draw(self, view: FocalPlaneView | None, sigmas: float) -> None:
        """Show the products beside a view, with the same number of scatters; None: nothing."""
        others = () if view is None else pure.beside(view)
        self.button.setVisible(bool(others))
        shown = others if self.button.isChecked() else ()
        while len(self.maps) < len(shown):
            self.maps.append(FigurePlot("Focal plane of another product"))
            for axis in ("left", "bottom"):
                self.maps[-1].plotItem.hideAxis(axis)
            self._row.addWidget(self.maps[-1])
        for plot, other in zip(self.maps, shown):
            shades = pure.shades(other, pure.WINDOW, sigmas)
            reach = "" if shades is None else f", \u00b1 {shades.hi:.3g}"
            plot.show_figure(replace(pure.places_figure(other, shades), title=f"{other.title}{reach}"))
        for number, plot in enumerate(self.maps):
            plot.setVisible(number < len(shown))
        self.setVisible(bool(shown))


class TypedRange(QWidget):
    """Two numbers between which the light is taken; emits `moved` when one was typed."""

    moved = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.low, self.high = QDoubleSpinBox(), QDoubleSpinBox()
        for spin, tip in ((self.low, "From this wavelength"), (self.high, "To this wavelength")):
            spin.setRange(0.0, MOST_WAVE)
            spin.setDecimals(1)
            spin.setFixedWidth(BOX_WIDTH)
            spin.setKeyboardTracking(False)
            plain_numbers(spin, tip)
            spin.valueChanged.connect(lambda _v: self._changed())
            row.addWidget(spin)
        row.insertWidget(1, PlainLabel("to"))
        row.addWidget(PlainLabel("\u00c5"))

    def show_range(self, window: tuple[float, float] | None) -> None:
        """Show the range as it is."""
        for spin, value in zip((self.low, self.high), window or (0.0, 0.0)):
            spin.blockSignals(True)
            spin.setValue(value)
            spin.blockSignals(False)

    def _changed(self) -> None:
        if self.high.value() > self.low.value() > 0:
            self.moved.emit((self.low.value(), self.high.value()))
