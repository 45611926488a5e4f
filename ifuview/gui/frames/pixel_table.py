"""Pixel table dock: the values around the cursor; masked ones are colored and marked."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import QSizePolicy, QWidget

from ifuview.app.frames.views import pixel_table as pure
from ifuview.app.frames.views.pixel_table import LARGEST, PixelTableView
from ifuview.gui.parts._plot import ink_of
from ifuview.gui.parts._widgets import FlowLayout, Pages, column, combo, labelled, quiet_label
from ifuview.gui.parts.base import Dock

SIZES = tuple(range(3, LARGEST + 1, 2))
AT_FIRST = 7
SMALLEST_FONT = 5.0  # points
PAD = 4
HINT = "Move the pointer over the image to see the values around it."


class PixelGrid(QWidget):
    """Paints the values; the font shrinks until they fit."""

    def __init__(self) -> None:
        super().__init__()
        self.view: PixelTableView | None = None
        self.cells: list[list[str]] = []
        self.setAccessibleName("Values around the cursor")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(300, 220)

    def show_values(self, view: PixelTableView) -> None:
        """Paint other values."""
        self.view, self.cells = view, pure.cells(view.values)
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        palette = self.palette()
        painter.fillRect(self.rect(), palette.color(QPalette.ColorRole.Base))
        view = self.view
        if view is None:
            return
        n = len(self.cells)
        head = [str(view.x - n // 2 + i) for i in range(n)]
        side = [str(view.y + n // 2 - i) for i in range(n)]
        font, wide, side_wide, tall = self._fit(head, side)
        painter.setFont(font)
        small = palette.color(QPalette.ColorRole.PlaceholderText)
        for i in range(n):
            painter.setPen(small)
            x, y = side_wide + i * wide, (i + 1) * tall
            painter.drawText(QRect(x, 0, wide - PAD, tall), Qt.AlignmentFlag.AlignRight | VCENTER, head[i])
            painter.drawText(QRect(0, y, side_wide - PAD, tall), Qt.AlignmentFlag.AlignRight | VCENTER, side[i])
        for j, row in enumerate(self.cells):
            for i, text in enumerate(row):
                box = QRect(side_wide + i * wide, (j + 1) * tall, wide, tall)
                self._paint_cell(painter, view, box, (j, i), text)

    def _paint_cell(self, painter: QPainter, view: PixelTableView, box: QRect, at: tuple[int, int], text: str) -> None:
        """One value; masked ones have a color and a cross, the center a frame."""
        ink, palette = ink_of(self.palette()), self.palette()
        if not view.inside[at]:
            return
        masked = bool(view.masked[at])
        if masked:
            painter.fillRect(box, ink.color("bad", 60))
        painter.setPen(ink.bad if masked else palette.color(QPalette.ColorRole.Text))
        place = box.adjusted(0, 0, -PAD, 0)
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | VCENTER, f"✕{text}" if masked else text)
        if at == (len(self.cells) // 2,) * 2:
            painter.setPen(palette.color(QPalette.ColorRole.Highlight))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
            painter.drawRect(box.adjusted(1, 1, -2, -2))

    def _fit(self, head: list[str], side: list[str]) -> tuple[QFont, int, int, int]:
        """The largest font that fits, with the widths and the height of cells."""
        font = QFont(self.font())
        n = len(self.cells)
        mark = "✕" if self.view is not None and self.view.masked.any() else ""
        longest = max((text for row in self.cells for text in row), key=len, default="")
        while True:
            metrics = QFontMetrics(font)
            side_wide = max(metrics.horizontalAdvance(s) for s in side) + 2 * PAD
            need = max(metrics.horizontalAdvance(mark + longest), max(metrics.horizontalAdvance(h) for h in head)) + PAD
            wide = (self.width() - side_wide) // n
            tall = min(metrics.height() + 4, max(1, self.height() // (n + 1)))
            size = font.pointSizeF()
            if (need <= wide and metrics.height() <= tall + 2) or size <= SMALLEST_FONT:
                return font, max(wide, 1), side_wide, tall
            font.setPointSizeF(size - 0.5)


VCENTER = Qt.AlignmentFlag.AlignVCenter


class PixelTableDock(Dock):
    """Draws views/pixel_table; emits nothing."""

    key: ClassVar[str] = "pixels"
    title: ClassVar[str] = "Pixel table"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: PixelTableView | None = None
        self.size_box = combo(((f"{n} × {n}", n) for n in SIZES), "Size of the table in pixels")
        self.size_box.setCurrentIndex(SIZES.index(AT_FIRST))
        self.size_box.currentIndexChanged.connect(lambda _i: self.draw(self._view))
        self.text = quiet_label()
        self.grid = PixelGrid()
        bar = FlowLayout()
        bar.addWidget(labelled("Size", self.size_box))
        self.pages = Pages(self.grid)
        column(self, bar, self.text, self.pages)
        self.setAccessibleName("Pixel table")
        self.draw(None)

    def draw(self, view: PixelTableView | None) -> None:
        """Show the values about the crosshair."""
        self._view = view
        if view is None:
            self.text.setText("")
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        self.text.setText(view.text)
        self.grid.show_values(pure.crop(view, self.size_box.currentData()))

    def hover(self, view: PixelTableView | None) -> None:
        """Show the values about the cursor."""
        if view is not None:
            self.draw(view)
