"""Triage dock: the first bad product of each camera, worst first; a click goes there, blinks and shows the evidence."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QBrush, QColor
from PyQt6.QtWidgets import (
    QFileDialog,
    QSplitter,
    QTreeWidgetItem,
    QWidget,
)

from ifuview.app import intents as want
from ifuview.app.session import Layout
from ifuview.app.views import triage as pure
from ifuview.app.views.triage import TriageView
from ifuview.gui.docks._findings_tree import findings_tree
from ifuview.gui.docks._plot import Plot
from ifuview.gui.docks._widgets import FlowLayout, Pages, button, column, combo, is_dark, labelled, quiet_label
from ifuview.gui.docks.base import Dock

HEADS = ("Finding", "First in", "Amount")
SIGNS = {"bad": "✘", "known": "▲", "info": "i"}
INK = {"bad": ("#A83F00", "#FF9A5C")}  # text of new findings (light, dark)
SCOPES = (("This exposure", "exposure"), ("This camera", "camera"), ("All that is open", "night"))
SIZES = [140, 200]  # of list and evidence, screen px
PLOT_HEIGHT = 130  # screen px at least
READY = "Press Triage."
NOTHING = "Nothing was found."


class TriageDock(Dock):
    """Draws views/triage; emits Triage, ShowFinding, ExportTriage."""

    key: ClassVar[str] = "triage"
    title: ClassVar[str] = "Triage"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: TriageView | None = None
        self._shown: object = None
        content = QWidget()
        self.headline = quiet_label()
        column(content, self._build_buttons(), self.headline, self._build_body(), margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Triage")
        self.draw(None)

    def _build_buttons(self) -> FlowLayout:
        self.run = button("Triage", "Name the first bad product of each camera")
        self.run.clicked.connect(lambda: self.intent.emit(want.Triage(self.scope.currentData())))
        self.scope = combo(SCOPES, "What is looked at")
        self.still = button("Stop blinking", "Show one product again")
        self.still.clicked.connect(lambda: self.intent.emit(want.SetLayout(Layout.SINGLE)))
        self.export = button("Report...", "Write triage.json, triage.html and pictures into a folder")
        self.export.clicked.connect(self._export)
        bar = FlowLayout()
        for widget in (self.run, labelled("of", self.scope), self.still, self.export):
            bar.addWidget(widget)
        return bar

    def _build_body(self) -> QWidget:
        self.tree = findings_tree("Findings of the triage, worst first", HEADS, self._go, self._explain)
        self.text = quiet_label()
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.plot = Plot("Evidence of the finding", "Wavelength (Å)", "Sky-subtracted")
        self.plot.setMinimumHeight(PLOT_HEIGHT)
        self.span = self.plot.region("faint", 40)
        self.lines = [self.plot.curve("faint", 1), *(self.plot.curve(k, 1.5) for k in range(pure.MOST_CURVES))]
        lower = QWidget()
        column(lower, self.text, self.plot, margin=0)
        self.parts = QSplitter(Qt.Orientation.Vertical)
        self.parts.addWidget(self.tree)
        self.parts.addWidget(lower)
        self.parts.setChildrenCollapsible(False)
        self.parts.setSizes(SIZES)
        return self.parts

    def draw(self, view: TriageView | None) -> None:
        """Show the findings, or how to get them."""
        self._view = view
        if view is None:
            self.pages.show_hint(pure.HINT)
            return
        self.pages.show_content()
        self.run.setEnabled(view.can_run)
        self.still.setEnabled(view.blinking)
        self.export.setEnabled(view.done)
        self.headline.setText(view.headline if view.done else READY)
        if view.state is not self._shown:
            self._shown = view.state
            self._fill(view)

    def _fill(self, view: TriageView) -> None:
        """List the findings anew."""
        dark = is_dark(self.palette())
        self.tree.clear()
        for row in view.rows:
            item = QTreeWidgetItem([f"{SIGNS[row.mark]} {row.name}", row.step, row.amount])
            item.setToolTip(0, row.finding.text)
            if row.mark in INK:
                item.setForeground(0, QBrush(QColor(INK[row.mark][dark])))
            self.tree.addTopLevelItem(item)
        self._explain(-1)

    def _explain(self, number: int) -> None:
        """Words and spectra of one finding."""
        view = self._view
        if view is None or not 0 <= number < len(view.rows):
            self.text.setText(NOTHING if view is not None and view.done and not view.rows else "")
            self.plot.setVisible(False)
            return
        self.text.setText(pure.explanation(view, number))
        self.text.setToolTip(pure.evidence(view, number))
        curves = pure.curves(view, number)
        self.plot.setVisible(bool(curves))
        if not curves:
            return
        finding = view.rows[number].finding
        first = 0 if curves[0].label == "other fibers" else 1
        for at, item in enumerate(self.lines):
            known = 0 <= at - first < len(curves)
            item.setData(*((curves[at - first].x, curves[at - first].y) if known else ([], [])))
        self.plot.set_heading(", ".join(c.label for c in curves))
        low, high = finding.wave_range or (float(curves[0].x[0]), float(curves[0].x[-1]))
        self.span.setVisible(finding.wave_range is not None)
        self.span.setRegion((low, high))
        margin = 0.5 * (high - low) if finding.wave_range is not None else 0.0
        self.plot.show_x(max(low - margin, float(curves[0].x[0])), min(high + margin, float(curves[0].x[-1])))
        self.plot.show_y(min(float(c.y.min()) for c in curves), max(float(c.y.max()) for c in curves))

    def _go(self, number: int) -> None:
        if self._view is not None and 0 <= number < len(self._view.rows):
            self.intent.emit(want.ShowFinding(number))

    def _export(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for the triage")
        if folder:
            self.intent.emit(want.ExportTriage(folder))
