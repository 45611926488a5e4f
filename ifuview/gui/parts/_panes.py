"""Several plots side by side where there is room, as tabs where there is not."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QSize
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QGridLayout, QStackedWidget, QTabWidget, QWidget

LEAST = (250, 150)  # screen px of a plot beside others
WIDE = 2.0  # wanted ratio of width and height


def arrangement(size: tuple[int, int], count: int) -> tuple[int, int]:
    """Rows and columns that show `count` plots largest; (0, 0) where they would be too small."""
    best, shape = 0.0, (0, 0)
    for rows in range(1, count + 1):
        columns = -(-count // rows)
        width, height = size[0] / columns, size[1] / rows
        worth = min(width / WIDE, height)
        if width >= LEAST[0] and height >= LEAST[1] and worth > best and rows * columns - count < columns:
            best, shape = worth, (rows, columns)
    return shape


class Panes(QStackedWidget):
    """Shows its parts in a grid, or one at a time under tabs."""

    def __init__(self, parts: Sequence[tuple[str, QWidget]]) -> None:
        super().__init__()
        self.parts = tuple(parts)
        self.shape: tuple[int, int] | None = None
        self.grid_page = QWidget()
        self.grid = QGridLayout(self.grid_page)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setSpacing(4)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.addWidget(self.grid_page)
        self.addWidget(self.tabs)
        self._arrange((0, 0))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 90)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._arrange(arrangement((self.width(), self.height()), len(self.parts)))

    def _arrange(self, shape: tuple[int, int]) -> None:
        """Put the parts where they belong, if that is another place."""
        if shape == self.shape:
            return
        self.shape = shape
        rows, columns = shape
        for number, (name, part) in enumerate(self.parts):
            if columns:
                self.grid.addWidget(part, number // columns, number % columns)
                part.show()
            else:
                self.tabs.addTab(part, name)
        for place in range(4):
            self.grid.setRowStretch(place, int(place < rows))
            self.grid.setColumnStretch(place, int(place < columns))
        self.setCurrentWidget(self.grid_page if columns else self.tabs)
