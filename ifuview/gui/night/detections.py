"""Detections dock: what was found blindly, each with its spectrum, its fibers and its place; judged by a key."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QDoubleSpinBox, QFileDialog, QLineEdit, QSplitter, QWidget

from ifuview.app.intents import JudgeDetection, SaveJudgments, ShowDetection, UndoJudgment
from ifuview.app.night.detections.evidence import DetectionEvidence
from ifuview.app.night.views import detections as pure
from ifuview.app.night.views.detections import DetectionsView
from ifuview.gui.night._detection_table import DetectionList
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._widgets import FlowLayout, Pages, button, column, combo, labelled, plain_numbers, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.model.night.detections import Judgment

HINT = "Open the file of a reduced observation: what was found blindly in it is listed here."
CHOOSE = "Click a detection; R real, F false, U unsure, Backspace takes the last judgment back."
NAMES = {Judgment.REAL: "Real (R)", Judgment.FALSE: "False (F)", Judgment.UNSURE: "Unsure (U)"}
SLOT_WIDTH = 60  # screen px
PLOT_WIDTH = 190  # screen px of a figure at least
SIZES = [330, 470]  # of the list and the figures, screen px


class DetectionsDock(Dock):
    """Draws views/detections; emits ShowDetection, JudgeDetection, UndoJudgment, SaveJudgments."""

    key: ClassVar[str] = "detections"
    title: ClassVar[str] = "Detections"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: DetectionsView | None = None
        self.list = DetectionList()
        self.list.chosen.connect(lambda row: self.intent.emit(ShowDetection(row)))
        self.list.judged.connect(self._judge)
        self.list.undone.connect(lambda: self.intent.emit(UndoJudgment()))
        self.summary, self.words = quiet_label(), quiet_label()
        self.words.setText(CHOOSE)
        self.plots = {
            "line": FigurePlot("Line with its fit"), "fibers": FigurePlot("Fibers in all exposures"),
            "place": FigurePlot("Place on the sky"), "spectrum": FigurePlot("Whole spectrum"),
        }  # fmt: skip
        figures, content = QWidget(), QWidget()
        self.flow = QBoxLayout(QBoxLayout.Direction.LeftToRight, figures)
        self.flow.setContentsMargins(0, 0, 0, 0)
        for plot in self.plots.values():
            self.flow.addWidget(plot, 1)
            plot.hide()
        below = QWidget()
        column(below, self.words, figures, margin=0).setStretch(1, 1)
        self.halves = QSplitter(Qt.Orientation.Horizontal)
        self.halves.setChildrenCollapsible(False)
        self.halves.addWidget(self.list)
        self.halves.addWidget(below)
        self.halves.setSizes(SIZES)
        column(content, self._build_top(), self.summary, self.halves, margin=0).setStretch(2, 1)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Detections")
        self.draw(None)

    def _build_top(self) -> FlowLayout:
        """Judging, saving, choosing rows."""
        top = FlowLayout()
        self.judging = {one: button(name, f"It is {one}; the next one follows") for one, name in NAMES.items()}
        for one, each in self.judging.items():
            each.clicked.connect(lambda _=False, one=one: self._judge(one))
            top.addWidget(each)
        self.back = button("Take back", "As it was before the last judgment (Backspace)")
        self.back.clicked.connect(lambda: self.intent.emit(UndoJudgment()))
        self.save = button("Save...", "Write what was judged as an ECSV table")
        self.save.clicked.connect(self._save)
        self.choice = combo(pure.CHOICES, "Which detections are listed")
        self.least = QDoubleSpinBox()
        self.least.setRange(0.0, 1000.0)
        self.least.setDecimals(1)
        plain_numbers(self.least, "Least signal to noise of those that are listed")
        self.slot = QLineEdit()
        self.slot.setPlaceholderText("IFU")
        self.slot.setAccessibleName("Only detections of this IFU")
        self.slot.setMaximumWidth(SLOT_WIDTH)
        self.choice.activated.connect(lambda _i: self._choose())
        self.least.valueChanged.connect(lambda _v: self._choose())
        self.slot.editingFinished.connect(self._choose)
        for part in (
            self.back,
            self.save,
            labelled("List", self.choice),
            labelled("S/N \u2265", self.least),
            self.slot,
        ):
            top.addWidget(part)
        return top

    def draw(self, view: DetectionsView | None) -> None:
        """List the detections; figures follow by `answer`."""
        old, self._view = self._view, view
        self.list.rows.set_view(view)
        if view is None:
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        self.summary.setText(view.summary)
        self.back.setEnabled(view.can_undo)
        self.save.setEnabled(bool(view.said) or view.can_undo)
        for each in self.judging.values():
            each.setEnabled(view.row >= 0)
        if old is None or old.table is not view.table:
            for plot in self.plots.values():
                plot.hide()
            self.words.setText(CHOOSE)
        self.list.show_row(view.row)

    def answer(self, value: DetectionEvidence) -> None:
        """Show what speaks for and against the detection that is looked at."""
        if self._view is None or value.row != self._view.row:
            return
        self.words.setText("\n".join(value.words))
        for name, plot in self.plots.items():
            plot.show()
            plot.show_figure(getattr(value, name))
        self._make_room()

    def _make_room(self) -> None:
        """The whole spectrum, which the spectrum dock has too, only where the close-ups keep their width."""
        few = self.halves.widget(1)
        shown = self.plots["line"].isVisible() and few is not None and few.width() > len(self.plots) * PLOT_WIDTH
        self.plots["spectrum"].setVisible(shown)

    def _judge(self, judgment: Judgment) -> None:
        """Say what it is, and go on."""
        view = self._view
        if view is None or view.row < 0:
            return
        again = view.said.get(view.row) is judgment
        self.intent.emit(JudgeDetection(judgment=str(judgment)))
        if not again:
            self.list.step()

    def _choose(self) -> None:
        self.list.rows.choose(str(self.choice.currentData()), self.least.value(), self.slot.text().strip())
        if self._view is not None:
            self.list.show_row(self._view.row)

    def _save(self) -> None:
        """Where the judgments go."""
        path, _ = QFileDialog.getSaveFileName(self, "Judgments", self._usual(), "ECSV tables (*.ecsv)")
        if path:
            self.intent.emit(SaveJudgments(path))

    def _usual(self) -> str:
        return "" if self._view is None else self._view.usual

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        wide = self.width() > 1.3 * self.height()
        self.halves.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)
        self._make_room()
