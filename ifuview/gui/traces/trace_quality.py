"""Trace quality dock: the verdict in words, and offset, width, flux, spacing and chi2 against the column."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QStyle, QVBoxLayout, QWidget

from ifuview.app.traces.views.trace_quality import Panel, TraceQualityView
from ifuview.gui.parts._plot import Plot, set_errors, show_bottom
from ifuview.gui.parts._widgets import FlowLayout, Pages, bold, check, column, is_dark, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.model.inspection import Verdict

NAMES = ("Offset", "Width", "Flux", "Spacing", "χ²")
SHOWN_AT_FIRST = ("Offset", "Width", "Flux")
SYMBOLS = ("●", "▼")  # as the marks of the first and second series
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


class PanelPlot(Plot):
    """One small plot of the trace quality against the column."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} of the trace against the column", "", name)
        self.band = self.region("text", 22, vertical=False)
        self.reference = self.line("faint", vertical=False)
        self.bars = [self.errors(0), self.errors(1)]
        self.marks = [self.points(0, 5, "o"), self.points(1, 6, "t")]
        self.setMinimumHeight(84)

    def show_panel(self, column_px: Any, panel: Panel) -> None:
        """Draw the points with their errors, reference line and noise band."""
        keys = [f"{s.name} {mark}" for s, mark in zip(panel.series, SYMBOLS, strict=False)]
        self.set_heading(f"{panel.label}: {', '.join(keys)}" if len(keys) > 1 else panel.label)
        for i, (bar, mark) in enumerate(zip(self.bars, self.marks, strict=True)):
            if i >= len(panel.series):
                bar.hide()
                mark.setData([], [])
                continue
            series = panel.series[i]
            good = np.isfinite(series.y)
            mark.setData(column_px[good], series.y[good])
            set_errors(bar, column_px, series.y, series.error)
        self.reference.setVisible(panel.line is not None)
        if panel.line is not None:
            self.reference.setValue(panel.line)
        half = float("nan") if panel.line is None or panel.band is None else panel.band
        self.band.setVisible(math.isfinite(half))
        if panel.line is not None and math.isfinite(half):
            self.band.setRegion((panel.line - half, panel.line + half))
        self._fit(panel)

    def _fit(self, panel: Panel) -> None:
        """Vertical range that holds nearly all points and the reference line."""
        parts = [s.y[np.isfinite(s.y)] for s in panel.series]
        values = np.concatenate(parts)
        if values.size == 0:
            return
        lo, hi = np.percentile(values, (1, 99))
        for s in panel.series:
            if s.error is not None and np.isfinite(s.error).any():
                reach = float(np.nanmedian(np.where(np.isfinite(s.error), s.error, np.nan)))
                lo, hi = lo - 2 * reach, hi + 2 * reach
        if panel.line is not None:
            lo, hi = min(lo, panel.line - (panel.band or 0)), max(hi, panel.line + (panel.band or 0))
        margin = 0.08 * (hi - lo) or 1.0
        self.show_y(lo - margin, hi + margin)


class TraceQualityDock(Dock):
    """Draws views/trace_quality; emits nothing."""

    key: ClassVar[str] = "quality"
    title: ClassVar[str] = "Trace quality"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: TraceQualityView | None = None
        self.plots: dict[str, PanelPlot] = {}
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
        self.icon = QLabel()
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

    def changeEvent(self, event: Any) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange and getattr(self, "_view", None) is not None:
            self._color_banner(self._view.quality.verdict if self._view and self._view.quality else None)

    def _color_banner(self, verdict: Verdict | None) -> None:
        """Background of the banner; the word and the icon say the same."""
        if verdict is not None:
            shade = BANNER[verdict][is_dark(self.palette())]
            self.banner.setStyleSheet(f"#banner {{ background: {shade}; border-radius: 4px; }}")

    def _show_panels(self) -> None:
        """Draw the chosen panels; a plot is built when it is first chosen and then only hidden."""
        view = self._view
        if view is None or view.column is None:
            return
        chosen = [p for p in view.panels if self.boxes[p.name].isChecked()]
        for panel in chosen:
            if panel.name not in self.plots:
                self._add_plot(panel.name)
        for name, plot in self.plots.items():
            plot.setVisible(name in {p.name for p in chosen})
        for panel in chosen:
            plot = self.plots[panel.name]
            last = panel is chosen[-1]
            plot.set_labels(view.along if last else "", "")
            show_bottom(plot, last)
            plot.show_panel(view.column, panel)
            if panel is chosen[0] and view.column.size:
                plot.show_x(float(view.column[0]) - 20, float(view.column[-1]) + 20)

    def _add_plot(self, name: str) -> None:
        """Build one plot and put it where it belongs in the stack."""
        plot = PanelPlot(name)
        if self.plots:
            plot.setXLink(next(iter(self.plots.values())))
        place = sum(NAMES.index(other) < NAMES.index(name) for other in self.plots)
        self.plots[name] = plot
        self.stack.insertWidget(place, plot, 1)
