"""Fiber table dock: one sortable, filtered row per fiber; the selection is that of the session."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import QItemSelection, QItemSelectionModel, Qt, QTimer
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QTableView, QWidget

from ifuview.app.intents import SelectFiber
from ifuview.app.spectra.views.fiber_table import FiberTableView
from ifuview.gui.parts._table import FiberModel
from ifuview.gui.parts._widgets import Pages, column, quiet_label
from ifuview.gui.parts.base import Dock

FILTER_DELAY_MS = 120  # after the last key
WIDTH_ROWS = 60  # rows that column widths are measured on
MAX_WIDTH = 180  # screen px of a column at first
HINT = "Fibers are listed when the file has a fiber map, traces or row-stacked spectra."


class FiberView(QTableView):
    """A table that copies its selection as tab-separated text."""

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
            return
        super().keyPressEvent(event)

    def copy(self) -> None:
        """Put the selected rows on the clipboard."""
        model, chosen, clipboard = self.model(), self.selectionModel(), QGuiApplication.clipboard()
        if model is None or chosen is None or clipboard is None:
            return
        columns = range(model.columnCount())
        head = [str(model.headerData(c, Qt.Orientation.Horizontal)) for c in columns]
        rows = sorted(i.row() for i in chosen.selectedRows())
        body = [[str(model.index(r, c).data()) for c in columns] for r in rows]
        clipboard.setText("\n".join("\t".join(line) for line in (head, *body)))


class FiberTableDock(Dock):
    """Draws views/fiber_table; emits SelectFiber."""

    key: ClassVar[str] = "fibers"
    title: ClassVar[str] = "Fiber table"
    noun = "fibers"  # what a row is

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: tuple[object, ...] | None = None
        self._drawing = False
        self.model = FiberModel()
        self.table = self._build_table()
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: sky, block>3, OBJTYPE=SKY")
        self.filter.setToolTip(
            "Any text, or column and value with one of = != < <= > >= ~ (contains); join with “and” or a comma"
        )
        self.filter.setAccessibleName("Filter of the fiber table")
        self.filter.setClearButtonEnabled(True)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FILTER_DELAY_MS)
        self._timer.timeout.connect(self._apply_filter)
        self.filter.textChanged.connect(lambda _t: self._timer.start())
        self.count = quiet_label()
        content = QWidget()
        column(content, self.filter, self.count, self.table, margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Fiber table")
        self.draw(None)

    def _build_table(self) -> FiberView:
        """The table widget."""
        table = FiberView()
        table.setModel(self.model)
        table.setAccessibleName("Fibers")
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setAlternatingRowColors(True)
        table.setWordWrap(False)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        rows, head = table.verticalHeader(), table.horizontalHeader()
        if rows is not None and head is not None:
            rows.hide()
            rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            rows.setDefaultSectionSize(table.fontMetrics().height() + 6)
            head.setSectionsMovable(True)
            head.setSortIndicatorClearable(True)
            head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            head.setHighlightSections(False)
        table.setSortingEnabled(True)
        chosen = table.selectionModel()
        if chosen is not None:
            chosen.selectionChanged.connect(self._on_selection)
        return table

    def draw(self, view: FiberTableView | None) -> None:
        """Show the table if it is another one, and select what the session has selected."""
        self._drawing = True
        if view is None:
            self._source = None
            self.model.set_view(None)
            self.pages.show_hint(HINT)
        else:
            self.pages.show_content()
            if not _same(self._source, view.source):
                self._source = view.source
                self.model.set_view(view)
                self._size_columns()
            self._say_count()
            self._select(view.fibers, view.fiber)
        self._drawing = False

    def _select(self, fibers: tuple[int, ...], fiber: int | None) -> None:
        """Select rows and bring the current one into view."""
        chosen = self.table.selectionModel()
        if chosen is None:
            return
        wanted = self.model.shown_rows(fibers)
        if wanted != sorted(i.row() for i in chosen.selectedRows()):
            selection = QItemSelection()
            last = self.model.columnCount() - 1
            for row in wanted:
                selection.select(self.model.index(row, 0), self.model.index(row, last))
            chosen.select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        place = self.model.shown_rows((fiber,)) if fiber is not None else []
        if place and chosen.currentIndex().row() != place[0]:
            index = self.model.index(place[0], max(0, self.table.columnAt(0)))
            chosen.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
            self.table.scrollTo(index)

    def _on_selection(self, *_args: object) -> None:
        """The user selected rows."""
        chosen = self.table.selectionModel()
        if self._drawing or chosen is None:
            return
        fibers = tuple(self.model.source_row(i.row()) for i in chosen.selectedRows())
        if not fibers:
            return
        row = chosen.currentIndex().row()
        current = self.model.source_row(row) if 0 <= row < self.model.rowCount() else fibers[-1]
        if current not in fibers:
            current = fibers[-1]
        self.intent.emit(SelectFiber(current, fibers if len(fibers) > 1 else ()))

    def _apply_filter(self) -> None:
        """Show the rows that pass, with the selection kept."""
        view = self.model.view
        if view is None:
            return
        chosen = self.table.selectionModel()
        kept = () if chosen is None else tuple(self.model.source_row(i.row()) for i in chosen.selectedRows())
        self._drawing = True
        self.model.set_filter(self.filter.text())
        self._select(kept, None)
        self._drawing = False
        self._say_count()

    def _say_count(self) -> None:
        """How many fibers are shown."""
        view = self.model.view
        total = 0 if view is None else view.nrow
        shown = self.model.rowCount()
        self.count.setText(f"{total} {self.noun}" if shown == total else f"{shown} of {total} {self.noun}")

    def _size_columns(self) -> None:
        """Widths from the first rows, so that 5000 rows cost nothing."""
        metrics = self.table.fontMetrics()
        rows = min(WIDTH_ROWS, self.model.rowCount())
        for c in range(self.model.columnCount()):
            words = [str(self.model.headerData(c, Qt.Orientation.Horizontal)) + "  ▲"]
            words += [str(self.model.index(r, c).data()) for r in range(rows)]
            self.table.setColumnWidth(c, min(MAX_WIDTH, max(metrics.horizontalAdvance(w) for w in words) + 14))


def _same(a: tuple[object, ...] | None, b: tuple[object, ...]) -> bool:
    """Whether two tables were made from the same objects."""
    return a is not None and len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))
