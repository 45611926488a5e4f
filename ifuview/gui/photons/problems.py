"""Photon problems dock: what is wrong with a photon list by cause; a click marks its pixels and shows the evidence."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QScrollArea, QSplitter, QTreeWidgetItem, QWidget

from ifuview.app import intents as want
from ifuview.app.photons.views import problems as pure
from ifuview.app.photons.views.problems import ProblemRow, ProblemsView
from ifuview.gui.parts._findings_tree import STATE, EvidencePanel, FindingsTree
from ifuview.gui.parts._widgets import Pages, column, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import plain
from ifuview.model.verdict import VERDICT_SIGNS, VerdictState

HEADS = ("Problem",)
DOT, INDENT = " \u00b7 ", "\u2003 "  # between facts; as wide as a sign
SIZES = [160, 75, 185]  # of list, words and evidence, screen px
PLOT_HEIGHT = 150  # screen px at least
NOTHING = "Nothing was found."


class PhotonProblemsDock(Dock):
    """Draws views/problems; emits ShowProblem."""

    key: ClassVar[str] = "photon-problems"
    title: ClassVar[str] = "Photon problems"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: ProblemsView | None = None
        self._rows: tuple[ProblemRow, ...] = ()
        content = QWidget()
        self.headline = quiet_label()
        column(content, self._build_body(), margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName(self.title)
        self.draw(None)

    def _build_body(self) -> QWidget:
        self.tree = FindingsTree("Problems by cause, worst first", HEADS)
        self.tree.chosen.connect(self._go)
        self.tree.proof.connect(lambda number: self._go(number, blink=True))
        self.tree.setHeaderHidden(True)  # two lines each, so that nothing is cut in a narrow dock
        self.tree.setAlternatingRowColors(True)
        self.text = quiet_label()
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        told = QWidget()
        column(told, self.text, self.headline, margin=0)
        words = QScrollArea()  # whole words also where the dock is low
        words.setWidget(told)
        words.setWidgetResizable(True)
        words.setFrameShape(QFrame.Shape.NoFrame)
        words.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.evidence = EvidencePanel("Evidence of the problem", PLOT_HEIGHT)
        self.plot, self.legend = self.evidence.plot, self.evidence.legend
        self.parts = QSplitter(Qt.Orientation.Vertical)
        for part in (self.tree, words, self.evidence):
            self.parts.addWidget(part)
        self.parts.setChildrenCollapsible(False)
        self.parts.setSizes(SIZES)
        return self.parts

    def draw(self, view: object) -> None:
        """Show the problems, or why there are none."""
        self._view = view if isinstance(view, ProblemsView) else None
        if self._view is None or self._view.hint:
            self._rows = ()
            self.tree.fill(())
            self.pages.show_hint(pure.HINT if self._view is None else self._view.hint)
            return
        self.pages.show_content()
        self.headline.setText(self._view.headline)
        if self._view.rows != self._rows:
            self._rows = self._view.rows
            self._fill()
        self.tree.mark(max(self._view.problem, 0))
        self._explain(max(self._view.problem, 0))

    def _fill(self) -> None:
        """List the problems anew."""
        items = []
        for row in self._rows:
            line = DOT.join(filter(None, (row.step, row.amount, row.sigma)))
            item = QTreeWidgetItem([f"{VERDICT_SIGNS[row.state]} {row.name}\n{INDENT}{line}"])
            item.setToolTip(0, plain(row.finding.text))
            if row.state is VerdictState.WRONG:
                item.setData(0, STATE, row.state)
            items.append(item)
        self.tree.fill(items)

    def _explain(self, number: int) -> None:
        """Words and figure of one problem."""
        view = self._view
        there = view is not None and 0 <= number < len(view.rows)
        found = pure.evidence(view, number) if view is not None and there else None
        self.text.setText(pure.explanation(view, number) if view is not None and there else NOTHING)
        self.evidence.show_figure(found)

    def _go(self, number: int, *, blink: bool = False) -> None:
        if 0 <= number < len(self._rows):
            self.intent.emit(want.ShowProblem(number=number, blink=blink))
