"""Speckle dock: how the maps are made, what they say at the crosshair, and the autocorrelation there."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QDoubleSpinBox, QFileDialog, QSizePolicy, QWidget

from ifuview.app.intents import Lucky, SaveSpeckle, Speckle
from ifuview.app.photons.views.speckle import METHODS, USUAL_MS, DecayView, SpeckleView
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._widgets import (
    FlowLayout,
    Pages,
    button,
    check,
    column,
    combo,
    labelled,
    plain_numbers,
    quiet_label,
    scrolled,
)
from ifuview.gui.parts.base import Dock

HINT = "Open a photon list to see its speckle statistics."
IP_CHOICES = (("where it pays", "auto"), ("always fitted", "free"), ("given", "given"))
WIDE = 620  # px; wider docks have form and plot side by side


class SpeckleDock(Dock):
    """Draws views/speckle; emits Speckle, Lucky, SaveSpeckle."""

    key: ClassVar[str] = "speckle"
    title: ClassVar[str] = "Speckle"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        content = QWidget()
        self.box = QBoxLayout(QBoxLayout.Direction.TopToBottom, content)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.form = scrolled(self._build_form())
        self.box.addWidget(self.form, 2)
        self.box.addWidget(self._build_plot(), 3)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Speckle")
        self.draw(None)

    def _build_form(self) -> QWidget:
        """Choices, buttons, and the numbers of the pixel."""
        self.method = combo(METHODS, "What the statistics are made from")
        self.method.activated.connect(self._usual_width)
        self.width_ms = _number("Time bin, or the longest gap between photons that is used in full", 0.1, 10_000.0)
        self.width_ms.setSuffix(" ms")
        self.width_ms.setValue(USUAL_MS["binned"])
        self.ip = combo(IP_CHOICES, "Incoherent light Ip: fitted where it makes the fit better, always, or given")
        self.ip.activated.connect(lambda _i: self.rate.setVisible(self.ip.currentData() == "given"))
        self.rate = _number("Incoherent light, photons per second and pixel", 0.0, 1e5)
        self.rate.setSuffix(" ct/s")
        self.rate.hide()
        self.snr = check("S/N", "Open the signal-to-noise maps too")
        self.run = button("Make maps", "Fit Ic, Is and Ip in every pixel; they open as frames to blink")
        self.run.clicked.connect(self._make)
        self.lucky = button("Lucky image", "Image of the sharpest moments of the star at the crosshair")
        self.lucky.clicked.connect(lambda: self.intent.emit(Lucky()))
        self.save = button("Save maps...", "Write the maps made last as FITS")
        self.save.clicked.connect(self._save)
        choices, actions = FlowLayout(), FlowLayout()
        for widget in (
            labelled("From", self.method),
            labelled("bin", self.width_ms),
            labelled("Ip", self.ip),
            self.rate,
        ):
            choices.addWidget(widget)
        for widget in (self.run, self.snr, self.lucky, self.save):
            actions.addWidget(widget)
        self.made, self.numbers = quiet_label(), quiet_label()
        out = QWidget()
        column(out, choices, actions, self.made, self.numbers, QWidget(), margin=0)
        return out

    def _build_plot(self) -> QWidget:
        """Autocorrelation with its exponential."""
        self.place = quiet_label()
        self.plot = FigurePlot("Autocorrelation of the light of the pixel", headed=False)
        self.plot.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored
        )  # the form has its height first
        out = QWidget()
        column(out, self.place, self.plot, margin=0)
        return out

    # drawing

    def draw(self, view: SpeckleView | None) -> None:
        """Show the numbers; the plot follows by `answer`."""
        if view is None:
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        self.made.setText(f"{view.title}: {view.made or 'no maps yet'}")
        self.numbers.setText("   ".join(f"{name} {text}".strip() for name, text in view.numbers))
        self.numbers.setVisible(bool(view.numbers))
        self.save.setEnabled(bool(view.made))
        self.lucky.setEnabled(view.has_pixel)
        self.place.setText(view.place)
        if not view.has_pixel:
            self.answer(DecayView(view.place))

    def answer(self, value: DecayView) -> None:
        """Show an autocorrelation."""
        self.place.setText(value.text)
        self.plot.setVisible(value.figure is not None)  # no empty axes
        if value.figure is not None:
            self.plot.show_figure(value.figure)

    # asking

    def _usual_width(self, _index: int) -> None:
        """Each method has a width of its own."""
        self.width_ms.setValue(USUAL_MS[self.method.currentData()])

    def _make(self) -> None:
        """Ask for the maps."""
        ip = self.ip.currentData()
        chosen = self.rate.value() if ip == "given" else ip
        width = 1e-3 * self.width_ms.value()
        self.intent.emit(Speckle(self.method.currentData(), width, chosen, self.snr.isChecked()))

    def _save(self) -> None:
        """Ask for a name."""
        path = QFileDialog.getSaveFileName(self, "Save speckle maps", "speckle.fits", "FITS (*.fits)")[0]
        if path:
            self.intent.emit(SaveSpeckle(path))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        wide = self.width() > WIDE
        self.box.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)


def _number(name: str, low: float, high: float) -> QDoubleSpinBox:
    """A number box that shrinks with the dock."""
    box = QDoubleSpinBox()
    plain_numbers(box, name)
    box.setRange(low, high)
    box.setDecimals(1)
    return box
