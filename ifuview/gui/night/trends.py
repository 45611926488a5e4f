"""Trends dock: a number of many exposures, what is usual and what is not; a click goes to the exposure."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QFileDialog, QHeaderView, QLineEdit, QSplitter, QTreeWidget, QTreeWidgetItem, QWidget

from ifuview.app.intents import OpenTrends, ShowExposureOf
from ifuview.app.night.views import trends as pure
from ifuview.app.night.views.trends import TrendsView
from ifuview.app.preferences import data_folder
from ifuview.gui.parts._findings_tree import EvidencePanel
from ifuview.gui.parts._widgets import FlowLayout, Pages, button, column, combo, labelled, quiet_label
from ifuview.gui.parts.base import Dock

HINT = (
    "Numbers of many exposures: open what a reduction, the health of amplifiers (*_qa.json), a triage or a batch "
    "(triage.json, metrics.json) has written."
)
HEADS = ("Of", "Farthest", "In", "Off", "")
PLOT_HEIGHT = 120  # screen px
FILTER_WIDTH = 110
SIZES = [500, 300]


class TrendsDock(Dock):
    """Draws views/trends; emits OpenTrends, ShowExposureOf."""

    key: ClassVar[str] = "trends"
    title: ClassVar[str] = "Trends"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: TrendsView | None = None
        self.quantity = combo((), "What is followed")
        self.quantity.activated.connect(lambda _i: self._fill())
        self.words = QLineEdit()
        self.words.setPlaceholderText("Only: 047 LL")
        self.words.setAccessibleName("Only amplifiers, cameras or fibers of this name")
        self.words.setClearButtonEnabled(True)
        self.words.setMaximumWidth(FILTER_WIDTH)
        self.words.textChanged.connect(lambda _t: self._fill())
        self.files, self.folder = (
            button(text, "Add the numbers of what was written elsewhere") for text in ("Add files...", "Add folder...")
        )
        self.files.clicked.connect(self._add_files)
        self.folder.clicked.connect(self._add_folder)
        self.summary = quiet_label()
        self.panel = EvidencePanel("Trend", PLOT_HEIGHT)
        self.panel.plot.clicked.connect(self._click)
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(HEADS)
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setAccessibleName("What is not usual")
        header = self.tree.header()
        if header is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.tree.currentItemChanged.connect(lambda item, _old: self._draw_figure(item))
        self.tree.itemClicked.connect(self._go)
        content, top = QWidget(), FlowLayout()
        for part in (labelled("Number", self.quantity), self.words, self.files, self.folder):
            top.addWidget(part)
        self.halves = QSplitter(Qt.Orientation.Horizontal)
        self.halves.setChildrenCollapsible(False)
        self.halves.addWidget(self.panel)
        self.halves.addWidget(self.tree)
        self.halves.setSizes(SIZES)
        column(content, top, self.summary, self.halves, margin=0).setStretch(2, 1)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Trends")
        self.draw(None)

    def draw(self, view: TrendsView | None) -> None:
        """Show what is known."""
        self._view = view
        if view is None:
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        self.summary.setText(view.summary)
        kept = self.quantity.currentData()
        self.quantity.clear()
        for one in view.table.quantities:
            if view.table.rows(one.name).size:
                self.quantity.addItem(pure.label(one), one.name)
        self.quantity.setCurrentIndex(max(0, self.quantity.findData(kept)))
        self._fill()

    def _name(self) -> str:
        return str(self.quantity.currentData())

    def _fill(self) -> None:
        """List what is not usual, and draw."""
        view = self._view
        if view is None or self.quantity.currentData() is None:
            return
        name = self._name()
        self.tree.blockSignals(True)
        self.tree.clear()
        for place in pure.places(view, name, self.words.text()):
            item = QTreeWidgetItem(list(pure.line(place)))
            item.setData(0, Qt.ItemDataRole.UserRole, place)
            self.tree.addTopLevelItem(item)
        self.tree.blockSignals(False)
        self._draw_figure(None)

    def _draw_figure(self, item: QTreeWidgetItem | None) -> None:
        if self._view is not None:
            chosen = "" if item is None else item.data(0, Qt.ItemDataRole.UserRole).name
            self.panel.show_figure(pure.figure(self._view, self._name(), self.words.text(), chosen))

    def _go(self, item: QTreeWidgetItem) -> None:
        place = item.data(0, Qt.ItemDataRole.UserRole)
        self.intent.emit(ShowExposureOf(place.night, place.exposure, place.name))

    def _click(self, x: float, _y: float) -> None:
        """The exposure under the mouse."""
        view, item = self._view, self.tree.currentItem()
        found = None if view is None else pure.exposure_at(view, self._name(), self.words.text(), x)
        if found is not None:
            name = "" if item is None else item.data(0, Qt.ItemDataRole.UserRole).name
            self.intent.emit(ShowExposureOf(*found, name))

    def _add_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Numbers of exposures", data_folder(), "JSON (*.json)")
        if paths:
            self.intent.emit(OpenTrends(tuple(paths)))

    def _add_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder with numbers of exposures", data_folder())
        if folder:
            self.intent.emit(OpenTrends((folder,)))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        wide = self.width() > 1.2 * self.height()
        self.halves.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)
