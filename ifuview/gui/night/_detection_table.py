"""The table of detections: sorts and filters by the arrays of its view, writes a cell when it is seen."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QAbstractTableModel, QEvent, QModelIndex, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QResizeEvent
from PyQt6.QtWidgets import QAbstractItemView, QTableView

from ifuview.app.night.views import detections as pure
from ifuview.app.night.views.detections import COLUMNS, DetectionsView
from ifuview.model.night.detections import Judgment

NOWHERE = QModelIndex()
KEYS = {
    Qt.Key.Key_R: Judgment.REAL,
    Qt.Key.Key_F: Judgment.FALSE,
    Qt.Key.Key_U: Judgment.UNSURE,
}
UNDO = Qt.Key.Key_Backspace
WIDEST = {  # what a column has to show
    "": "\u2714 false", "slot": "047", "wave": "5500.0", "sn": "100.0", "flux": "1000.0", "kind": "continuum",
    "fwhm": "10.0", "chi2": "10.00", "x": "\u221220.0", "y": "\u221220.0", "ra": "359.99999", "dec": "\u221220.00000",
}  # fmt: skip
MARGIN, DOUBTS_WIDTH = 10, 60  # screen px: beside the words of a cell, of the last column at least


class DetectionModel(QAbstractTableModel):
    """Rows are detections in the order and choice of the user."""

    def __init__(self) -> None:
        super().__init__()
        self.view: DetectionsView | None = None
        self.order = np.empty(0, np.intp)
        self._sort = (-1, False)
        self.choice, self.least, self.slot = "all", 0.0, ""

    def set_view(self, view: DetectionsView | None) -> None:
        """Show other detections, or what else was said of them; rows stay where they are until the next sorting."""
        old, self.view = self.view, view
        if view is None or old is None or old.table is not view.table:
            self.beginResetModel()
            self._arrange()
            self.endResetModel()
        elif old.said is not view.said and self.order.size:
            self.dataChanged.emit(self.index(0, 0), self.index(self.order.size - 1, 0))

    def choose(self, choice: str, least: float, slot: str) -> None:
        """Show only some rows."""
        self.beginResetModel()
        self.choice, self.least, self.slot = choice, least, slot
        self._arrange()
        self.endResetModel()

    def source(self, row: int) -> int:
        """Detection of a shown row."""
        return int(self.order[row])

    def place_of(self, detection: int) -> int:
        """Shown row of a detection, -1 if it is not shown."""
        found = np.flatnonzero(self.order == detection)
        return int(found[0]) if found.size else -1

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else int(self.order.size)

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if self.view is None or not index.isValid():
            return None
        column, row = COLUMNS[index.column()], self.source(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return pure.cell(self.view, row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return pure.about(self.view, row) or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.numeric else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.layoutAboutToBeChanged.emit()
        self._sort = (column, order == Qt.SortOrder.DescendingOrder)
        before = self.persistentIndexList()
        own = [self.source(index.row()) for index in before]
        self._arrange()
        place = {} if len(before) == 0 else {one: self.place_of(one) for one in set(own)}
        after = [self.index(place[one], i.column()) if place[one] >= 0 else NOWHERE for one, i in zip(own, before)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _arrange(self) -> None:
        view = self.view
        self.order = np.empty(0, np.intp)
        if view is not None:
            self.order = pure.order(view, *self._sort, self.choice, self.least, self.slot)


class DetectionList(QTableView):
    """Draws a DetectionModel; emits `chosen(detection)`, `judged(Judgment)` and `undone()` by keys."""

    chosen = pyqtSignal(int)
    judged = pyqtSignal(object)
    undone = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.rows = DetectionModel()
        self.setModel(self.rows)
        self.setAccessibleName("Detections")
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        head, across = self.verticalHeader(), self.horizontalHeader()
        assert head is not None and across is not None
        head.hide()
        head.setDefaultSectionSize(self.fontMetrics().height() + 6)
        across.setStretchLastSection(True)
        across.setMinimumSectionSize(24)
        self._width = [
            max(map(self._needed, (WIDEST[one.name], *one.title.split("\n")))) for one in COLUMNS[:-1]
        ]  # fmt: skip
        for place, width in enumerate((*self._width, DOUBTS_WIDTH)):
            self.setColumnWidth(place, width)
        selection = self.selectionModel()
        assert selection is not None
        selection.currentRowChanged.connect(self._moved)

    def _needed(self, words: str) -> int:
        return self.fontMetrics().horizontalAdvance(words) + MARGIN

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """As many columns as fit beside each other."""
        viewport = self.viewport()
        if viewport is not None:
            room = viewport.width() - DOUBTS_WIDTH
            for place in range(len(COLUMNS) - 1):
                room -= self._width[place]
                self.setColumnHidden(place, place >= pure.NEEDED and room < 0)
        super().resizeEvent(event)

    def show_row(self, detection: int) -> None:
        """Mark a detection without telling of it."""
        place = self.rows.place_of(detection)
        if place >= 0 and self.currentIndex().row() != place:
            self.blockSignals(True)
            self.setCurrentIndex(self.rows.index(place, 0))
            self.blockSignals(False)

    def step(self) -> None:
        """The next row."""
        place = self.currentIndex().row() + 1
        if place < self.rows.rowCount():
            self.setCurrentIndex(self.rows.index(place, 0))

    def _moved(self, now: QModelIndex, _before: QModelIndex) -> None:
        if now.isValid():
            self.chosen.emit(self.rows.source(now.row()))

    def event(self, event: QEvent | None) -> bool:
        """The keys of the list are its own while it has the focus."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._own(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and self._own(event):
            if event.key() in KEYS:
                self.judged.emit(KEYS[Qt.Key(event.key())])
            else:
                self.undone.emit()
            return
        super().keyPressEvent(event)

    def _own(self, event: QKeyEvent) -> bool:
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        return plain and (event.key() in KEYS or event.key() == UNDO)
