"""Triage dock: the first bad product of each camera, worst first; a click goes there, blinks and shows the evidence."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import (
    QFileDialog,
    QFrame,
    QScrollArea,
    QSplitter,
    QTreeWidgetItem,
    QWidget,
)

from ifuview.app import intents as want
from ifuview.app.night.views import triage as pure
from ifuview.app.night.views.problem_list import TriageView
from ifuview.app.session import Layout
from ifuview.gui.parts._findings_tree import NUMBER, STATE, EvidencePanel, FindingsTree
from ifuview.gui.parts._widgets import FlowLayout, Pages, button, column, combo, labelled, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import plain
from ifuview.model.verdict import VerdictState

HEADS = ("Problem",)
INDENT = "\u2003 "  # as wide as a sign
SIGNS = {"bad": "✘", "known": "▲", "info": "i"}
SIZES = [230, 120, 260]  # of list, words and evidence, screen px
PLOT_HEIGHT = 170  # screen px at least
READY = "Press Triage."


class TriageDock(Dock):
    """Draws views/triage; emits Triage, ShowFinding, ExportTriage."""

    key: ClassVar[str] = "triage"
    title: ClassVar[str] = "Problems"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: TriageView | None = None
        self._shown: object = None
        self._moved = False
        content = QWidget()
        self.headline = quiet_label()
        column(content, self._build_buttons(), self.headline, self._build_body(), margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Problems")
        self.draw(None)

    def _build_buttons(self) -> FlowLayout:
        self.run = button("Triage", "Name the first bad product of each camera")
        self.run.clicked.connect(lambda: self.intent.emit(want.Triage(self.scope.currentData())))
        self.scope = combo((), "What is looked at")
        self.still = button("Stop blinking", "Show one product again")
        self.still.clicked.connect(lambda: self.intent.emit(want.SetLayout(Layout.SINGLE)))
        self.export = button("Report...", "Write triage.json, triage.html and pictures into a folder")
        self.export.clicked.connect(self._export)
        bar = FlowLayout()
        self.scope_part = labelled("of", self.scope)
        for widget in (self.run, self.scope_part, self.still, self.export):
            bar.addWidget(widget)
        return bar

    def _build_body(self) -> QWidget:
        self.tree = FindingsTree("Problems by cause, worst first", HEADS)
        self.tree.chosen.connect(self._go)
        self.tree.proof.connect(lambda number: self._go(number, blink=True))
        self.tree.setRootIsDecorated(True)
        self.tree.setHeaderHidden(True)  # two lines each, so that the step is not cut in a narrow dock
        self.tree.setUniformRowHeights(False)
        self.tree.setAlternatingRowColors(True)
        self.text = quiet_label()
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.evidence = EvidencePanel("Evidence of the finding", PLOT_HEIGHT)
        self.plot, self.legend = self.evidence.plot, self.evidence.legend
        words = QScrollArea()  # whole words also where the dock is low
        words.setWidget(self.text)
        words.setWidgetResizable(True)
        words.setFrameShape(QFrame.Shape.NoFrame)
        words.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.parts = QSplitter(Qt.Orientation.Vertical)
        self.parts.addWidget(self.tree)
        self.parts.addWidget(words)
        self.parts.addWidget(self.evidence)
        self.parts.setChildrenCollapsible(False)
        self.parts.setSizes(SIZES)
        self.parts.splitterMoved.connect(self._keep)
        return self.parts

    def draw(self, view: TriageView | None) -> None:
        """Show the findings, or how to get them."""
        self._view = view
        if view is None:
            self.pages.show_hint(pure.HINT)
            return
        self.pages.show_content()
        self.run.setEnabled(view.can_run)
        self._name_scopes(view.scopes)
        self.export.setEnabled(view.can_export)
        for part in (self.run, self.scope_part, self.export):
            part.setVisible(view.can_run)  # of products, not of raw amplifiers
        self.still.setVisible(view.can_run and view.blinking)
        self.headline.setText(view.headline if view.done else READY)
        if view.content != self._shown:
            self._shown = view.content
            self._fill(view)
        self.tree.mark(view.shown)
        self._explain(view.shown)
        self._share()

    def _name_scopes(self, scopes: tuple[tuple[str, str], ...]) -> None:
        """What can be looked at now; the choice of the user stays."""
        if scopes == tuple((self.scope.itemText(n), self.scope.itemData(n)) for n in range(self.scope.count())):
            return
        chosen = self.scope.currentData()
        self.scope.clear()
        for words, scope in scopes:
            self.scope.addItem(words, scope)
        self.scope.setCurrentIndex(max(0, self.scope.findData(chosen)))

    def _keep(self) -> None:
        """The user has shared the room."""
        self._moved = True

    def _share(self) -> None:
        """The list and the words as high as they need, the evidence the rest, until the user moves them."""
        if self._moved or not self.parts.isVisible():
            return
        line = self.fontMetrics().height() + 2
        members = sum(item.childCount() * item.isExpanded() for item in self.tree.causes())
        causes = self.tree.topLevelItemCount()
        listed = causes * (2 * line) + (members + 1) * line if causes else 0
        said = self.text.heightForWidth(self.parts.width()) + self.fontMetrics().height()
        room = self.parts.height() - 2 * self.parts.handleWidth()
        least = max(self.evidence.minimumHeight(), PLOT_HEIGHT)
        words = min(said, (room - least) // 2)
        listed = min(listed, room - least - words)
        self.parts.setSizes([listed, words, room - listed - words])

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._share()

    def _fill(self, view: TriageView) -> None:
        """List the findings anew."""
        causes = []
        for group in view.groups:
            cause = self._item(view, group[0], view.lines[group])
            for number in group if len(group) > 1 else ():
                cause.addChild(self._item(view, number))
            causes.append(cause)
        self.tree.fill(causes)

    def _item(self, view: TriageView, number: int, line: str = "") -> QTreeWidgetItem:
        """A cause with the line of all its findings below its name, or one of these."""
        row = view.rows[number]
        words = f"{row.name}\n{INDENT}{line}" if line else row.alone
        item = QTreeWidgetItem([f"{SIGNS[row.mark]} {words}"])
        item.setData(0, NUMBER, number)
        item.setToolTip(0, plain(row.text))
        if row.mark == "bad":
            item.setData(0, STATE, VerdictState.WRONG)
        return item

    def _explain(self, number: int) -> None:
        """Words and spectra of one finding."""
        view = self._view
        if view is None or not 0 <= number < len(view.rows):
            empty = view is not None and not view.rows
            self.tree.setVisible(not empty)  # no empty table
            said = view is not None and view.done and empty
            self.text.setText("" if not said else view.asked)
            self.evidence.show_figure(pure.evidence_figure(view, -1) if said else None)
            return
        self.tree.show()
        self.text.setText(pure.explanation(view, number))
        self.text.setToolTip(plain(pure.evidence(view, number)))
        self.evidence.show_figure(pure.evidence_figure(view, number))

    def _go(self, number: int, *, blink: bool = False) -> None:
        if self._view is not None and 0 <= number < len(self._view.rows):
            go = self._view.rows[number].go
            self.intent.emit(want.ShowFinding(go.number, blink) if isinstance(go, want.ShowFinding) else go)

    def _export(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for the triage")
        if folder:
            self.intent.emit(want.ExportTriage(folder))
