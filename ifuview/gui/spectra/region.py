"""Region dock: statistics, radial profile and pixels of the region that was double clicked."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QHBoxLayout, QHeaderView, QTableView, QWidget

from ifuview.app.spectra.views import region as pure
from ifuview.app.spectra.views.region import HEAD, RegionAnswer, RegionView
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._widgets import Pages, button, column, quiet_label
from ifuview.gui.parts.base import Dock

NOWHERE = QModelIndex()
PLOT = 120  # screen px at least
ROW_PAD = 4  # screen px of a row beside its text


class PixelRows(QAbstractTableModel):
    """Rows of text."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[tuple[str, ...], ...] = ()

    def put(self, rows: tuple[tuple[str, ...], ...]) -> None:
        """Show others."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(HEAD)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return self.rows[index.row()][index.column()] if role == Qt.ItemDataRole.DisplayRole else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        along = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return HEAD[section] if along else None


class RegionDock(Dock):
    """Draws views/region."""

    key: ClassVar[str] = "region"
    title: ClassVar[str] = "Region"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.said = quiet_label(selectable=True)
        self.name = quiet_label()
        self.plot = FigurePlot("Radial profile", headed=False)
        self.plot.setMinimumHeight(PLOT)
        self.rows = PixelRows()
        self.table = QTableView()
        self.table.setModel(self.rows)
        self.table.setAccessibleName("Pixels of the region")
        vertical, across = self.table.verticalHeader(), self.table.horizontalHeader()
        if vertical is not None and across is not None:
            vertical.hide()
            vertical.setDefaultSectionSize(self.fontMetrics().height() + ROW_PAD)
            across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.copy = button("Copy", "Put statistics and pixels on the clipboard, separated by tabs")
        self.copy.clicked.connect(self._copy)
        head = QHBoxLayout()
        head.addWidget(self.name, 1)
        head.addWidget(self.copy)
        content = QWidget()
        column(content, head, self.said, self.plot, self.table, margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName(self.title)
        self.draw(None)

    def draw(self, view: object) -> None:
        """Say which region it is; what is in it comes from the worker."""
        if not isinstance(view, RegionView) or view.hint:
            self.pages.show_hint(view.hint if isinstance(view, RegionView) else pure.HINT)
            return
        self.pages.show_content()
        self.name.setText(view.title)
        if view.held is not None:
            self.answer(view.held)

    def answer(self, value: RegionAnswer) -> None:
        """Show what was measured."""
        self.said.setText(value.text)
        self.plot.show_figure(value.figure)
        self.rows.put(value.rows)

    def _copy(self) -> None:
        """All of it as text."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            lines = (self.name.text(), self.said.text(), "\t".join(HEAD), *("\t".join(row) for row in self.rows.rows))
            clipboard.setText("\n".join(lines))
