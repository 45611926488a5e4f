"""Sky fibers dock: all sky fibers of a frame in one plot, rebinned, with their median."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtWidgets import QLineEdit, QSpinBox, QWidget

from ifuview.app.intents import SelectFiber, SetWindow
from ifuview.app.spectra.views import sky as pure
from ifuview.app.spectra.views.sky import Bundle, SkyView
from ifuview.gui.parts._figure import FigurePlot
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
from ifuview.model.figure import Figure

FIRST_BIN, MAX_BIN = 10, 256  # px
HINT = "Open row-stacked spectra: their sky fibers are drawn here together."


class SkyDock(Dock):
    """Draws views/sky; emits SelectFiber and SetWindow."""

    key: ClassVar[str] = "sky"
    title: ClassVar[str] = "Sky fibers"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: SkyView | None = None
        self._found: Bundle | None = None
        content = QWidget()
        self._base = Figure()
        self.plot = FigurePlot("Sky fibers", headed=False)
        self.legend = quiet_label()
        self.readout = Elided()
        self.plot.clicked.connect(self._click)
        self.plot.pointed.connect(self._point)
        self.plot.left.connect(lambda: self.readout.setText(""))
        column(content, self._build_bar(), self.legend, self.plot, margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Sky fibers")
        self.draw(None)

    def _build_bar(self) -> FlowLayout:
        """The row of switches."""
        self.which = combo(((text, key) for key, text in pure.CHOICES), "Which fibers")
        self.which.currentIndexChanged.connect(lambda _i: self._choose())
        self.typed = QLineEdit()
        self.typed.setPlaceholderText("3000:3050,3120 or SPECTYPE=QSO, Z>4")
        self.typed.setAccessibleName("Fibers to draw")
        self.typed.setToolTip("Fiber numbers and ranges, or terms like OBJTYPE=SKY, SPECTYPE=QSO, Z>4")
        self.typed.hide()
        self.typed.editingFinished.connect(lambda: self._redraw(fit=True))
        self.bin_box = QSpinBox()
        self.bin_box.setRange(1, MAX_BIN)
        self.bin_box.setValue(FIRST_BIN)
        self.bin_box.setSuffix(" px")
        plain_numbers(self.bin_box, "Samples averaged into one")
        self.bin_box.valueChanged.connect(lambda _n: self._redraw())
        self.median_on = button("Median", "Show the median of the fibers", check=True)
        self.median_on.setChecked(True)
        self.median_on.toggled.connect(lambda _on: self._redraw())
        self.full = button("Show all", "Show the whole spectrum (double click)")
        self.full.clicked.connect(lambda: self.plot.show_all())
        bar = FlowLayout()
        for part in (self.which, self.typed, labelled("Rebin", self.bin_box), self.median_on):
            bar.addWidget(part)
        self.window_span = WindowSpan(self.plot)
        self.window_span.moved.connect(lambda window: self.intent.emit(SetWindow(window)))
        for part in (self.window_span.button, self.full, self.readout):
            bar.addWidget(part)
        return bar

    def draw(self, view: SkyView | None) -> None:
        """Show the fibers of the frame."""
        old, self._view = self._view, view
        if view is None:
            self._found = None
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        self.window_span.allow(view.slot.image.wave is not None)
        self.window_span.show(view.window)
        fresh = old is None or old.slot.image is not view.slot.image
        if fresh or self.which.currentData() in (pure.SELECTED, pure.TYPED):
            self._redraw(fit=fresh)
        else:
            self._mark()

    def _choose(self) -> None:
        """Another set of fibers."""
        self.typed.setVisible(self.which.currentData() == pure.TYPED)
        self._redraw(fit=True)

    def _redraw(self, *, fit: bool = False) -> None:
        """Draw with the switches as they are."""
        view = self._view
        if view is None:
            return
        which = str(self.which.currentData())
        found = pure.bundle(view, which, self.bin_box.value(), self.typed.text())
        self._found = found
        if found is None:
            self._base = Figure()
            self.plot.show_figure(self._base, fit=False)
            self.legend.setText(pure.rows_of(view, which, self.typed.text())[1])
            return
        self._base = pure.figure(found, median=self.median_on.isChecked())
        self.legend.setText(" – ".join(part for part in (found.title, found.note) if part))
        self._mark(fit=fit)

    def _mark(self, *, fit: bool = False) -> None:
        """Let the selected fiber stand out."""
        if self._view is not None and self._found is not None:
            self.plot.show_figure(pure.marked(self._base, self._found, self._view), fit=fit)

    def _point(self, x: float, y: float) -> None:
        """Name the spectrum under the mouse."""
        view, found = self._view, self._found
        number = None if found is None else pure.nearest(found, x, y)
        if view is not None and found is not None and number is not None:
            self.readout.setText(pure.describe(found, view, number, x))

    def _click(self, x: float, y: float) -> None:
        """Select the fiber whose spectrum is clicked."""
        found = self._found
        number = None if found is None else pure.nearest(found, x, y)
        if found is not None and number is not None:
            self.intent.emit(SelectFiber(int(found.rows[number])))
