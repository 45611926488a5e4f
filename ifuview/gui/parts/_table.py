"""Qt model over the arrays of views/fiber_table: sorts by argsort, filters by a mask, makes text cell by cell."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt

from ifuview.app.spectra.views import fiber_table as pure
from ifuview.app.spectra.views.fiber_table import FiberTableView

NOWHERE = QModelIndex()


class FiberModel(QAbstractTableModel):
    """Rows are fibers in the order and choice of the user; `source_row` gives the fiber."""

    def __init__(self) -> None:
        super().__init__()
        self.view: FiberTableView | None = None
        self.order = np.empty(0, dtype=np.intp)
        self._sort: tuple[int | None, bool] = (None, False)
        self._filter = ""

    def set_view(self, view: FiberTableView | None) -> None:
        """Show another table."""
        self.beginResetModel()
        old = self.view
        self.view = view
        names = [] if view is None else [c.name for c in view.columns]
        if old is None or names != [c.name for c in old.columns]:
            self._sort = (None, False)
        self._arrange()
        self.endResetModel()

    def set_filter(self, text: str) -> None:
        """Show only the rows that pass."""
        self.beginResetModel()
        self._filter = text
        self._arrange()
        self.endResetModel()

    def source_row(self, row: int) -> int:
        """Fiber of a shown row."""
        return int(self.order[row])

    def shown_rows(self, fibers: tuple[int, ...]) -> list[int]:
        """Shown rows of some fibers."""
        return [int(r) for r in np.flatnonzero(np.isin(self.order, fibers))]

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else int(self.order.size)

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:
        return 0 if parent.isValid() or self.view is None else len(self.view.columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if self.view is None or not index.isValid():
            return None
        column = self.view.columns[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return pure.cell(column, self.source_row(index.row()))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.numeric else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if self.view is None or orientation != Qt.Orientation.Horizontal or section >= len(self.view.columns):
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self.view.columns[section].name
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.layoutAboutToBeChanged.emit()
        self._sort = (column if column >= 0 else None, order == Qt.SortOrder.DescendingOrder)
        before = self.persistentIndexList()
        fibers = [self.source_row(i.row()) for i in before]
        self._arrange()
        place = {int(f): r for r, f in enumerate(self.order)}
        after = [self.index(place[f], i.column()) if f in place else NOWHERE for f, i in zip(fibers, before)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _arrange(self) -> None:
        """Make the order from the column to sort by and the filter."""
        if self.view is None:
            self.order = np.empty(0, dtype=np.intp)
            return
        mask = pure.matches(self.view, self._filter) if self._filter.strip() else None
        self.order = pure.order(self.view, *self._sort, mask)
