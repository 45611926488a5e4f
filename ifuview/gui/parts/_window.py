"""A range of wavelengths that is dragged on a spectrum and colors the focal plane."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtWidgets import QMenu, QToolButton
from pyqtgraph.GraphicsScene.mouseEvents import MouseDragEvent

from ifuview.app.spectra.state import HOWS
from ifuview.gui.parts._plot import Plot
from ifuview.gui.parts._widgets import button

START = (0.45, 0.55)  # of the plot, where a new window stands
ALPHA = 45


class WindowSpan(QObject):
    """The range and its switch; emits `moved((lo, hi))` in Angstrom while it is dragged, `moved(None)` when off."""

    moved = pyqtSignal(object)
    mapped = pyqtSignal(str)  # which image of the range is wanted

    def __init__(self, plot: Plot) -> None:
        super().__init__(plot)
        self.plot, self.stretch = plot, 1.0  # plot units times stretch are Angstrom
        self.button = button(
            "Window",
            "Color the focal plane by the light in a range: drag a new one, or move it and its edges",
            check=True,
        )
        self.images = button("Image", "New frames with an image of the range; they follow it while it is dragged")
        menu = QMenu(self.images)
        for how, text in HOWS.items():
            menu.addAction(text, lambda how=how: self.mapped.emit(how))
        self.images.setMenu(menu)
        self.images.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.images.hide()
        self.arms = button("All arms", "Open this product of the other arms: the spectrum through all of them")
        self.arms.hide()
        self.region = pg.LinearRegionItem(movable=True)
        self.region.setZValue(9)
        self.region.hide()
        plot.styled(self.region, lambda ink: self.region.setBrush(ink.brush(1, ALPHA)), add=False)
        plot.addItem(self.region, ignoreBounds=True)
        self.region.sigRegionChanged.connect(self._tell)
        self.button.toggled.connect(self._switch)
        self._pan = plot.plotItem.vb.mouseDragEvent
        plot.plotItem.vb.mouseDragEvent = self._drag

    def _drag(self, event: MouseDragEvent, axis: int | None = None) -> None:
        """While the switch is on, a left drag over the plot makes a new range; the middle button moves the plot."""
        on = self.button.isChecked() and self.region.isVisible()
        if not on or axis is not None or event.button() != Qt.MouseButton.LeftButton:
            self._pan(event, axis)
            return
        event.accept()
        box = self.plot.plotItem.vb
        edges = [box.mapSceneToView(at).x() for at in (event.buttonDownScenePos(), event.scenePos())]
        if max(edges) > min(edges):
            self.region.setRegion((min(edges), max(edges)))

    def show(self, window: tuple[float, float] | None) -> None:
        """Show a window of the session without reporting it back."""
        if window is None or not self.button.isChecked():
            return
        place = tuple(edge / self.stretch for edge in window)
        if place != tuple(self.region.getRegion()):
            self.region.blockSignals(True)
            self.region.setRegion(place)
            self.region.blockSignals(False)

    def allow(self, on: bool, images: bool = False, arms: bool = False) -> None:
        """Whether the axis is wavelength, so that a range means something; whether it has images, and more arms."""
        self.button.setEnabled(on)
        self.images.setVisible(images)
        self.arms.setVisible(arms)
        self.images.setEnabled(on and self.button.isChecked())
        self.region.setVisible(on and self.button.isChecked())

    def _switch(self, on: bool) -> None:
        """The switch was pressed."""
        self.region.setVisible(on)
        self.images.setEnabled(on)
        if not on:
            self.moved.emit(None)
            return
        lo, hi = self.plot.plotItem.vb.viewRange()[0]
        first, last = self.region.getRegion()
        if not lo < first < last < hi:
            self.region.blockSignals(True)
            self.region.setRegion(tuple(lo + part * (hi - lo) for part in START))
            self.region.blockSignals(False)
        self._tell()

    def _tell(self) -> None:
        """Report where the range is."""
        if self.button.isChecked():
            lo, hi = self.region.getRegion()
            self.moved.emit((float(lo) * self.stretch, float(hi) * self.stretch))
