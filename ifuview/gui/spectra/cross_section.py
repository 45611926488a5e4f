"""Cross-section dock: counts across the fibers, live under the cursor and fitted at the last click."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QSpinBox, QVBoxLayout, QWidget

from ifuview.app.intents import SetSectionColumns
from ifuview.app.spectra.views.cross_section import CrossSectionHover, CrossSectionView, steps
from ifuview.gui.parts._plot import Ink, Plot, set_errors, show_bottom
from ifuview.gui.parts._widgets import FlowLayout, Pages, button, column, labelled, plain_numbers, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.model.inspection import CrossSection

COMPONENTS = 7  # fitted fibers that are drawn
MAX_COLUMNS = 999


class CrossSectionDock(Dock):
    """Draws views/cross_section; emits SetSectionColumns."""

    key: ClassVar[str] = "section"
    title: ClassVar[str] = "Cross-section"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: CrossSectionView | None = None
        self.columns = QSpinBox()
        self.columns.setRange(1, MAX_COLUMNS)
        plain_numbers(self.columns, "Columns of the running median")
        self.columns.valueChanged.connect(lambda n: self.intent.emit(SetSectionColumns(n)))
        self.hold = button("Hold", "Keep the fitted cross-section; off: follow the pointer", check=True)
        self.hold.toggled.connect(lambda _on: self._show())
        self.info = quiet_label()
        bar = FlowLayout()
        bar.addWidget(labelled("Columns", self.columns))
        bar.addWidget(self.hold)
        content = QWidget()
        self._build_plots(content)
        self.pages = Pages(content)
        column(self, bar, self.info, self.pages)
        self.setAccessibleName("Cross-section")
        self.draw(None)

    def _build_plots(self, content: QWidget) -> None:
        """The counts above, their residuals below."""
        self.plot = Plot("Counts across the fibers", "", "Counts")
        self.residual_plot = Plot("Residual of the profile fit in sigma", "", "Residual (σ)")
        self.residual_plot.setXLink(self.plot)
        self.residual_plot.setFixedHeight(110)
        self.aperture = self.plot.region("text", 18)
        self.fills = [self._fill(i) for i in range(COMPONENTS)]
        self.ghost = self.plot.curve("faint", stepMode="center")
        self.data = self.plot.curve("text", stepMode="center")
        self.bars = self.plot.errors("faint")
        self.model = self.plot.curve(1, 2, connect="finite")
        self.masked = self.plot.points("bad", 8, "x")
        self.trace = self.plot.line(0, style=Qt.PenStyle.DashLine)
        self.pointer = self.plot.line("faint", style=Qt.PenStyle.DotLine)
        self.sigma_band = self.residual_plot.region("text", 25, vertical=False)
        self.sigma_band.setRegion((-1, 1))
        self.sigma_band.show()
        self.residual = self.residual_plot.points("text", 4)
        self.residual_line = self.residual_plot.curve("faint", connect="finite")
        box = QVBoxLayout(content)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.plot, 1)
        box.addWidget(self.residual_plot)

    def _fill(self, index: int) -> pg.PlotCurveItem:
        """One fitted fiber, filled down to zero."""
        item = pg.PlotCurveItem(fillLevel=0.0)

        def style(ink: Ink) -> None:
            item.setPen(ink.pen(index))
            item.setBrush(ink.brush(index, 60))

        return self.plot.styled(item, style)

    def draw(self, view: CrossSectionView | None) -> None:
        """Show the fitted section of the last click, or how to get one."""
        before = self._view.section if self._view is not None else None
        self._view = view
        if view is not None and view.columns != self.columns.value():
            self.columns.blockSignals(True)
            self.columns.setValue(view.columns)
            self.columns.blockSignals(False)
        section = view.section if view is not None else None
        self.hold.setEnabled(section is not None)
        if section is not before:
            self.hold.blockSignals(True)
            self.hold.setChecked(section is not None)
            self.hold.blockSignals(False)
        self._show()

    def hover(self, view: CrossSectionHover | None) -> None:
        """Follow the pointer: the whole plot, or a thin line while a section is held."""
        if view is None:
            self.ghost.setData([], [])
            self.pointer.hide()
            if not self.hold.isChecked():
                self._show()
            return
        self.pointer.setValue(view.cursor)
        if self.hold.isChecked():
            self.ghost.setData(steps(view.position), view.counts)
            return
        self.pointer.show()
        self.pages.show_content()
        self._clear_fit()
        self.plot.set_labels(view.xlabel, view.ylabel)
        self.info.setText(view.text)
        self.data.setData(steps(view.position), view.counts)
        self.plot.plotItem.vb.enableAutoRange(axis="y")
        self._mark_trace(view.trace)
        self.plot.show_x(view.position[0] - 0.5, view.position[-1] + 0.5)

    def _show(self) -> None:
        """Draw the held section, the hint, or an empty plot that waits for the pointer."""
        view = self._view
        self.ghost.setData([], [])
        self.pointer.hide()
        if view is None or view.section is None or not self.hold.isChecked():
            self._clear_fit()
            self.data.setData([], [])
            self._mark_trace(float("nan"))
            self.info.setText("")
            hint = "Open an image to see its cross-section." if view is None else view.hint
            if view is not None and view.section is not None:
                hint = "Move the pointer over the image, or press Hold to see the fit again."
            self.pages.show_hint(hint)
            return
        self.pages.show_content()
        self.info.setText(f"{view.title}\n{view.summary}".strip())
        self.plot.set_labels("" if view.residual is not None else view.xlabel, view.ylabel)
        self._draw_section(view, view.section)
        if view.yrange is not None:
            self.plot.show_y(*view.yrange)
        self._draw_residual(view)

    def _draw_section(self, view: CrossSectionView, section: CrossSection) -> None:
        """Data, model, components, trace and aperture."""
        self.data.setData(steps(section.position), section.counts)
        set_errors(self.bars, section.position, section.counts, section.error)
        self.masked.setData(section.position[section.masked], section.counts[section.masked])
        if view.model is None:
            self.model.setData([], [])
        else:
            self.model.setData(section.position, view.model)
        near = sorted(section.components, key=lambda c: abs(c.center - section.trace))[:COMPONENTS]
        for i, fill in enumerate(self.fills):
            fill.setVisible(i < len(near))
            if i < len(near):
                fill.setData(section.position, np.asarray(near[i].model, dtype=float))
        lo, hi = section.aperture
        known = bool(np.isfinite(lo) and np.isfinite(hi))
        if known:
            self.aperture.setRegion((lo, hi))
        self.aperture.setVisible(known)
        self._mark_trace(section.trace)
        self.plot.show_x(section.position[0] - 0.5, section.position[-1] + 0.5)

    def _draw_residual(self, view: CrossSectionView) -> None:
        """The residual panel; hidden without a model."""
        shown = view.residual is not None and view.section is not None
        self.residual_plot.setVisible(shown)
        show_bottom(self.plot, not shown)
        if view.residual is None or view.section is None:
            return
        good = np.isfinite(view.residual)
        self.residual_plot.set_labels(view.xlabel, "Residual (σ)")
        self.residual_line.setData(view.section.position, view.residual)
        self.residual.setData(view.section.position[good], view.residual[good])
        reach = max(3.5, 1.5 * float(np.percentile(np.abs(view.residual[good]), 95))) if good.any() else 3.5
        self.residual_plot.show_y(-reach, reach)

    def _clear_fit(self) -> None:
        """Take away what belongs to a fitted section."""
        self.residual_plot.hide()
        show_bottom(self.plot, True)
        self.model.setData([], [])
        self.masked.setData([], [])
        self.bars.hide()
        self.aperture.hide()
        for fill in self.fills:
            fill.hide()

    def _mark_trace(self, position: float) -> None:
        """Line at the position of the trace."""
        self.trace.setVisible(bool(np.isfinite(position)))
        if np.isfinite(position):
            self.trace.setValue(position)
