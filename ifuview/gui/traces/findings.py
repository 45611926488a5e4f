"""Trace problems dock: what is wrong with the traces, worst first; a click goes there and shows the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PyQt6.QtCore import QEvent, Qt, QTimer
from PyQt6.QtGui import QBrush, QColor, QHideEvent
from PyQt6.QtWidgets import (
    QFileDialog,
    QSplitter,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ifuview.app import intents as want
from ifuview.app.traces.views import findings as pure
from ifuview.app.traces.views.findings import FindingsView
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._findings_tree import FindingsTree
from ifuview.gui.parts._widgets import FlowLayout, Pages, bold, button, column, combo, is_dark, labelled, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import plain
from ifuview.gui.traces.trace_quality import BANNER
from ifuview.model.verdict import VERDICT_INK, Verdict, as_state

if TYPE_CHECKING:
    from ifuview.gui.dialogs.doctor_limits import DoctorLimitsDialog
    from ifuview.model.traces.doctor import TraceDiagnosis

WORDS = {
    Verdict.PASS: "✔ Clean",
    Verdict.WARN: "▲ Look",
    Verdict.FAIL: "✘ Wrong",
    Verdict.NOT_MEASURED: "? Not judged",
}
INK = {verdict: VERDICT_INK[as_state(verdict)] for verdict in (Verdict.FAIL, Verdict.WARN)}  # of the rows
SIZES = [120, 220]  # of list and evidence, screen px
HEADS = ("Problem", "Amount", "Sigma")
TRACE_FILES = "Traces (*.fits *.ecsv *.csv *.json);;All files (*)"
PLOT_HEIGHT = 90  # screen px of the evidence at least


class FindingsDock(Dock):
    """Draws views/findings; emits what a click on a finding and the buttons ask for."""

    key: ClassVar[str] = "findings"
    title: ClassVar[str] = "Trace problems"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: FindingsView | None = None
        self._shown: tuple[TraceDiagnosis | None, bool] | None = None
        self._limits: DoctorLimitsDialog | None = None
        self._blink = QTimer(self)
        self._blink.timeout.connect(self._flip)
        self.hint = quiet_label(center=True)
        self.body = self._build_body()
        content = QWidget()
        column(content, self._build_buttons(), self.hint, self.body, margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Trace problems")
        self.draw(None)

    def _build_buttons(self) -> FlowLayout:
        """All that can be done."""
        self.diagnose = button("Diagnose", "Measure all fibers and find out which traces are wrong (Ctrl+D)")
        self.diagnose.clicked.connect(lambda: self.intent.emit(want.Diagnose()))
        self.blink = button("Blink", "Blink between the given and the corrected traces", check=True)
        self.blink.toggled.connect(self._set_blink)
        self.apply = button("Apply", "Use the corrected traces in this frame; can be undone")
        self.apply.clicked.connect(lambda: self.intent.emit(want.ApplyCorrection()))
        self.undo = button("Undo", "Go back to the traces of this frame before the correction")
        self.undo.clicked.connect(lambda: self.intent.emit(want.UndoTraces()))
        self.save = button("Save...", "Save the corrected traces in the form of the file they came from")
        self.save.clicked.connect(self._save)
        self.export = button("Report...", "Write the report (HTML, PDF, pictures) into a folder")
        self.export.clicked.connect(self._export)
        self.limits = button("Limits...", "From where on a problem counts")
        self.limits.clicked.connect(self._edit_limits)
        self.color_by = combo(((pure.BLOCK, pure.BLOCK),), "Color of the traces on the image")
        self.color_by.setSizeAdjustPolicy(self.color_by.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.color_by.setMinimumContentsLength(12)
        self.color_by.activated.connect(
            lambda _i: self.intent.emit(want.SetOverlay("color_by", self.color_by.currentData()))
        )
        bar = FlowLayout()
        for widget in (self.diagnose, self.blink, self.apply, self.undo, self.save, self.export, self.limits):
            bar.addWidget(widget)
        bar.addWidget(labelled("Color", self.color_by))
        return bar

    def _build_body(self) -> QWidget:
        """Verdict, list, evidence."""
        self.banner = QWidget()
        self.banner.setObjectName("banner")
        self.banner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.word = bold(quiet_label())
        self.sentence = quiet_label()
        words = QVBoxLayout(self.banner)
        words.setContentsMargins(8, 5, 8, 5)
        words.setSpacing(1)
        words.addWidget(self.word)
        words.addWidget(self.sentence)
        self.tree = FindingsTree("Trace problems, worst first", HEADS)
        self.tree.chosen.connect(self._go)
        self.tree.proof.connect(self._go)
        self.text = quiet_label()
        self.plot = FigurePlot("Evidence of the problem")
        self.plot.setMinimumHeight(PLOT_HEIGHT)
        self.plot.hide()
        lower = QWidget()
        box = QVBoxLayout(lower)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addWidget(self.text)
        box.addWidget(self.plot, 1)
        self.parts = QSplitter(Qt.Orientation.Vertical)
        self.parts.addWidget(self.tree)
        self.parts.addWidget(lower)
        self.parts.setChildrenCollapsible(False)
        self.parts.setSizes(SIZES)
        out = QWidget()
        column(out, self.banner, self.parts, margin=0)
        return out

    # drawing

    def draw(self, view: FindingsView | None) -> None:
        """Show the findings, or how to get them."""
        self._view = view
        if view is None:
            self._stop_blink()
            self.pages.show_hint(pure.NO_IMAGE)
            return
        known = view.verdict is not None
        if view.empty:
            self._stop_blink()
            self.pages.show_hint(view.hint)
            return
        self.pages.show_content()
        self.hint.setText(view.hint)
        self.hint.setVisible(bool(view.hint))
        self.body.setVisible(known)
        self.diagnose.setEnabled(view.can_diagnose)
        self.apply.setEnabled(known and view.changed and not view.corrected)
        self.undo.setEnabled(view.undo)
        for widget in (self.save, self.export):
            widget.setEnabled(known)
        self.blink.setEnabled(known and view.changed)
        if not self.blink.isEnabled():
            self._stop_blink()
        self._fill_colors(view)
        shown = (view.diagnosis, view.corrected)
        if known and shown != self._shown:
            self._fill(view)
        self._shown = shown
        if known:
            self.tree.mark(view.shown)
            self._explain(view.shown)

    def _fill(self, view: FindingsView) -> None:
        """The list anew."""
        items = []
        for row in view.rows:
            item = QTreeWidgetItem([f"{row.sign}  {row.name}", row.amount, row.sigma])
            item.setToolTip(0, plain(row.finding.text))
            for i in (1, 2):
                item.setTextAlignment(i, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            items.append(item)
        self.tree.fill(items)
        self._color()
        if view.verdict is not None:
            self.word.setText(f"Corrected (it was: {WORDS[view.verdict]})" if view.corrected else WORDS[view.verdict])
        self.sentence.setText(view.sentence)
        self.sentence.setToolTip(plain(view.advice))
        if self._limits is not None:
            self._limits.show_count(self._count(view))

    def _count(self, view: FindingsView) -> str:
        """How much is found, for the form of the limits."""
        each = [row.finding.group for row in view.rows]
        shared, single = each.count("mode"), each.count("fiber")
        return (
            f"{shared} shared pattern{'' if shared == 1 else 's'}, "
            f"{single} problem{'' if single == 1 else 's'} of single fibers; {view.sentence}"
        )

    def _color(self) -> None:
        """Rows and banner in the colors of their verdicts; the signs say the same."""
        view = self._view
        if view is None or view.verdict is None:
            return
        dark = is_dark(self.palette())
        for number, row in enumerate(view.rows[: self.tree.topLevelItemCount()]):
            item = self.tree.topLevelItem(number)
            if item is None:
                continue
            if view.corrected:
                item.setForeground(0, self.palette().placeholderText())
            elif row.finding.verdict in INK:
                item.setForeground(0, QBrush(QColor(INK[row.finding.verdict][dark])))
        shade = BANNER[Verdict.NOT_MEASURED if view.corrected else view.verdict][dark]
        self.banner.setStyleSheet(f"#banner {{ background: {shade}; border-radius: 4px; }}")

    def _fill_colors(self, view: FindingsView) -> None:
        """What the traces can be colored by."""
        self.color_by.blockSignals(True)
        if [self.color_by.itemData(i) for i in range(self.color_by.count())] != list(view.colors):
            self.color_by.clear()
            for name in view.colors:
                self.color_by.addItem(name.replace("_", " "), name)
        self.color_by.setCurrentIndex(max(0, self.color_by.findData(view.color_by)))
        self.color_by.blockSignals(False)

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange and getattr(self, "tree", None) is not None:
            self._color()

    # what the user does

    def _explain(self, number: int) -> None:
        """Words and evidence of a finding."""
        view = self._view
        known = view is not None and 0 <= number < len(view.rows)
        text = view.rows[number].finding.text if view is not None and known else ""
        if view is not None and view.corrected and text:
            text = pure.BEFORE + text
        if view is not None and not view.rows and view.verdict is not None:
            text = "Nothing was found."
        self.text.setText(text[:1].upper() + text[1:])
        figure = pure.evidence(view, number) if view is not None and known else None
        self.plot.setVisible(figure is not None)
        if figure is not None:
            self.plot.show_figure(figure)

    def _go(self, number: int) -> None:
        """Move the canvas to a finding and select its fibers."""
        view = self._view
        if view is None or not 0 <= number < len(view.rows):
            return
        self.intent.emit(want.ShowTraceFinding(number))

    def _set_blink(self, on: bool) -> None:
        if on and self._view is not None:
            self._blink.start(max(self._view.blink_ms, 100))
        else:
            self._blink.stop()
            if self._view is not None and self._view.alternate:
                self.intent.emit(want.SetOverlay("alternate", False))

    def _stop_blink(self) -> None:
        self.blink.setChecked(False)

    def _flip(self) -> None:
        if self._view is not None:
            self.intent.emit(want.SetOverlay("alternate", not self._view.alternate))

    def hideEvent(self, event: QHideEvent | None) -> None:
        self._stop_blink()
        super().hideEvent(event)

    def _save(self) -> None:
        name = "" if self._view is None else self._view.save_name
        path = QFileDialog.getSaveFileName(self, "Save corrected traces", name, TRACE_FILES)[0]
        if path:
            self.intent.emit(want.SaveTraces(path))

    def _export(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Export the report of the diagnosis into a folder")
        if folder:
            self.intent.emit(want.ExportDiagnosis(folder))

    def _edit_limits(self) -> None:
        from ifuview.gui.dialogs.doctor_limits import DoctorLimitsDialog

        if self._limits is None:
            self._limits = DoctorLimitsDialog(None if self._view is None else self._view.limits, self)
            self._limits.changed.connect(lambda limits: self.intent.emit(want.SetThresholds(limits)))
        if self._view is not None and self._view.verdict is not None:
            self._limits.show_count(self._count(self._view))
        self._limits.show()
        self._limits.raise_()
