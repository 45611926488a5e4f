"""Step dock: a step of the reduction with its figures, what it comes to, and what if it were made otherwise."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHeaderView, QSizePolicy, QTabWidget, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from ifuview.app.intents import CompareStep, ShowStep, TakeBack, TryParams
from ifuview.app.night.views.step import StepView
from ifuview.gui.night._param_form import ParamForm
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._widgets import FlowLayout, Pages, bold, button, column, combo, quiet_label, scrolled
from ifuview.gui.parts.base import Dock
from ifuview.model.figure import Figure
from ifuview.model.verdict import VERDICT_SIGNS

HINT = "Reduce a raw exposure (Ctrl+Shift+J): its steps are shown here, and can be made otherwise."
NO_PLOTS = "The picture is all that this step has to show."
COLUMNS = ("Number", "Before", "Now", "Change")
PLOT_HEIGHT = 190  # screen px


class StepDock(Dock):
    """Draws views/step; emits TryParams, TakeBack, CompareStep, ShowStep."""

    key: ClassVar[str] = "step"
    title: ClassVar[str] = "Step"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: StepView | None = None
        self._step = ""
        self.plots: list[FigurePlot] = []
        self.step = combo((), "Step")
        self.step.activated.connect(lambda _i: self.intent.emit(ShowStep(str(self.step.currentData()))))
        self.text = quiet_label()
        self.form = ParamForm()
        self.form.changed.connect(self._try)
        self.back = button("Take back", "The parameters of before the last change")
        self.back.clicked.connect(lambda: self.intent.emit(TakeBack()))
        self.blink = button("Blink", "Blink the picture of the step before and after the change")
        self.blink.clicked.connect(lambda: self.intent.emit(CompareStep("blink")))
        self.difference = button("Difference", "The picture after the change minus that before")
        self.difference.clicked.connect(lambda: self.intent.emit(CompareStep("difference")))
        self.change = bold(quiet_label())
        self.numbers = self._build_numbers()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._build_plots(), "Plots")
        self.tabs.addTab(self.numbers, "Numbers")
        content, actions = QWidget(), FlowLayout()
        for widget in (self.step, self.back, self.blink, self.difference):
            actions.addWidget(widget)
        for label in (self.text, self.change):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Maximum)
        column(content, actions, self.text, self.form, self.change, self.tabs, margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Step of the reduction")
        self.draw(None)

    def _build_numbers(self) -> QTreeWidget:
        out = QTreeWidget()
        out.setHeaderLabels(COLUMNS)
        out.setRootIsDecorated(False)
        out.setAccessibleName("Numbers before the last change and now")
        header = out.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        return out

    def _build_plots(self) -> QWidget:
        inside = QWidget()
        self.column = QVBoxLayout(inside)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.no_plots = quiet_label(NO_PLOTS, center=True)
        self.column.addWidget(self.no_plots)
        return scrolled(inside)

    def draw(self, view: StepView | None) -> None:
        """Show a step; its figures follow by `answer`."""
        self._view = view
        if view is None:
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        titles = [(self.step.itemData(i), self.step.itemText(i)) for i in range(self.step.count())]
        if titles != list(view.steps):
            self.step.clear()
            for name, title in view.steps:
                self.step.addItem(title, name)
        self.step.setCurrentIndex(self.step.findData(view.step))
        self.text.setText(f"{VERDICT_SIGNS[view.state]} {view.text}")
        self.form.draw(view.form)
        self.form.setVisible(bool(view.form))
        self.change.setText(view.change)
        self.change.setVisible(bool(view.change))
        self.back.setEnabled(view.can_compare)
        for widget in (self.blink, self.difference):
            widget.setEnabled(view.can_compare)
        self._draw_numbers(view)

    def _draw_numbers(self, view: StepView) -> None:
        self.numbers.clear()
        for row in view.numbers:
            item = QTreeWidgetItem([row.name, row.before, row.now, row.change])
            for place in (1, 2, 3):
                item.setTextAlignment(place, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter))
                if row.change:
                    font = item.font(place)
                    font.setBold(True)
                    item.setFont(place, font)
            self.numbers.addTopLevelItem(item)
        for place in (1, 3):
            self.numbers.setColumnHidden(place, not any(row.before for row in view.numbers))

    def answer(self, value: tuple[Figure, ...]) -> None:
        """Show the figures of the step."""
        while len(self.plots) < len(value):
            plot = FigurePlot(f"Figure {len(self.plots) + 1} of the step")
            plot.setMinimumHeight(PLOT_HEIGHT)
            plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
            self.column.addWidget(plot)
            self.plots.append(plot)
        self.no_plots.setVisible(not value)
        same = self._view is not None and self._view.step == self._step
        self._step = "" if self._view is None else self._view.step
        for plot, figure in zip(self.plots, value, strict=False):
            fit = not (same and plot.figure is not None and plot.figure.title == figure.title)
            plot.show_figure(figure, fit=fit)
            plot.show()
        for plot in self.plots[len(value) :]:
            plot.hide()

    def _try(self, name: str, value: object) -> None:
        """Another value of a parameter was given."""
        if self._view is not None:
            self.intent.emit(TryParams(self._view.step, ((name, value),)))
