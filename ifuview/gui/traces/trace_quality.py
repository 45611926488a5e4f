"""Trace quality dock: the verdict in words, and offset, width, flux, spacing and chi2 against the column."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from PyQt6.QtCore import QEvent, Qt, QTimer
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QStyle, QVBoxLayout, QWidget

from ifuview.app.traces.views.trace_quality import TraceQualityView
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._plot import show_bottom
from ifuview.gui.parts._widgets import FlowLayout, Pages, bold, check, column, is_dark, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import PlainLabel
from ifuview.model.verdict import Verdict

NAMES = ("Offset", "Width", "Flux", "Spacing", "χ²")
SHOWN_AT_FIRST = ("Offset", "Width", "Flux")
PLOT_HEIGHT = 84  # screen px at least; plots that have no room wait until the panel is higher
ICONS = {
    Verdict.PASS: QStyle.StandardPixmap.SP_DialogApplyButton,
    Verdict.WARN: QStyle.StandardPixmap.SP_MessageBoxWarning,
    Verdict.FAIL: QStyle.StandardPixmap.SP_MessageBoxCritical,
    Verdict.NOT_MEASURED: QStyle.StandardPixmap.SP_MessageBoxQuestion,
}
# background of the banner (light, dark), from the Okabe-Ito green, orange and vermillion, thinned
BANNER = {
    Verdict.PASS: ("#D3EDE4", "#0E4334"),
    Verdict.WARN: ("#FBEBC8", "#574000"),
    Verdict.FAIL: ("#F8D9C8", "#5E2800"),
    Verdict.NOT_MEASURED: ("#E4E4E4", "#404040"),
}


class TraceQualityDock(Dock):
    """Draws views/trace_quality; emits nothing."""

    key: ClassVar[str] = "quality"
    title: ClassVar[str] = "Trace quality"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: TraceQualityView | None = None
        self.plots: dict[str, FigurePlot] = {}
        self.later = QTimer(self)
        self.later.setSingleShot(True)
        self.later.timeout.connect(self._show_panels)
        content = QWidget()
        bar = FlowLayout()
        self.boxes = {name: check(name, f"Show {name.lower()}", on=name in SHOWN_AT_FIRST) for name in NAMES}
        for box in self.boxes.values():
            box.toggled.connect(lambda _on: self._show_panels())
            bar.addWidget(box)
        self.numbers = quiet_label()
        self.stack = QVBoxLayout()
        self.stack.setSpacing(0)
        outer = QVBoxLayout(content)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._build_banner())
        outer.addWidget(self.numbers)
        outer.addLayout(bar)
        outer.addLayout(self.stack, 1)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Trace quality")
        for name in SHOWN_AT_FIRST:  # now, so that the first click need not wait for them
            self._add_plot(name)
        self.draw(None)

    def _build_banner(self) -> QWidget:
        """Icon, word and sentence of the verdict."""
        self.banner = QWidget()
        self.banner.setObjectName("banner")
        self.banner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.icon = PlainLabel()
        self.word = bold(quiet_label())
        self.text = quiet_label()
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self.word)
        words.addWidget(self.text)
        row = QHBoxLayout(self.banner)
        row.setContentsMargins(8, 6, 8, 6)
        row.addWidget(self.icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        return self.banner

    def draw(self, view: TraceQualityView | None) -> None:
        """Show the verdict and the panels, or how to get them."""
        self._view = view
        if view is None or view.quality is None:
            self.pages.show_hint("Open a detector image to check its traces." if view is None else view.hint)
            return
        self.pages.show_content()
        verdict = view.quality.verdict
        self.word.setText(f"{view.word}: {view.title}")
        self.text.setText(view.text)
        self.numbers.setText(view.numbers)
        self.numbers.setVisible(bool(view.numbers))
        style = self.style()
        if style is not None:
            self.icon.setPixmap(style.standardIcon(ICONS[verdict]).pixmap(20, 20))
        self._color_banner(verdict)
        self._show_panels()

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange and getattr(self, "_view", None) is not None:
            self._color_banner(self._view.quality.verdict if self._view and self._view.quality else None)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.later.start()  # the layout has its new size then

    def _color_banner(self, verdict: Verdict | None) -> None:
        """Background of the banner; the word and the icon say the same."""
        if verdict is not None:
            shade = BANNER[verdict][is_dark(self.palette())]
            self.banner.setStyleSheet(f"#banner {{ background: {shade}; border-radius: 4px; }}")

    def _show_panels(self) -> None:
        """Draw the chosen figures; a plot is built when it is first chosen and then only hidden."""
        view = self._view
        if view is None or not view.figures:
            return
        room = self.height() - self.stack.geometry().top()
        fit = max(1, room // PLOT_HEIGHT)  # what is squeezed into less cannot be read
        chosen = [name for name in view.figures if self.boxes[name].isChecked()][:fit]
        for name in chosen:
            if name not in self.plots:
                self._add_plot(name)
        for name, plot in self.plots.items():
            plot.setVisible(name in chosen)
        for name in chosen:
            figure, last = view.figures[name], name == chosen[-1]
            x = figure.x if last else replace(figure.x, label="")
            self.plots[name].show_figure(replace(figure, x=x, y=replace(figure.y, label="")))
            show_bottom(self.plots[name], last)

    def _add_plot(self, name: str) -> None:
        """Build one plot and put it where it belongs in the stack."""
        plot = FigurePlot(f"{name} of the trace against the column")
        plot.setMinimumHeight(PLOT_HEIGHT - 1)
        if self.plots:
            plot.setXLink(next(iter(self.plots.values())))
        place = sum(NAMES.index(other) < NAMES.index(name) for other in self.plots)
        self.plots[name] = plot
        self.stack.insertWidget(place, plot, 1)
