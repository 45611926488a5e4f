"""The strip above the image that says what is under the cursor; painted by hand, so that a mouse move costs little."""

from __future__ import annotations

import re

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QFont, QFontDatabase, QFontMetrics, QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import QSizePolicy, QWidget

from ifuview.app.frames.views.readout import ReadoutView
from ifuview.model.frames.units import RAISED

RAISED_PARTS = re.compile(f"([{''.join(map(chr, RAISED.values()))}]+)")  # set wide in a font of one width
GAP = 18  # px between two fields
ROWS = 2
MARGIN = 6  # px
FIBERS_HINT = "Move over the image for values; click a fiber to inspect it"
PHOTONS_HINT = (
    "Move over the image for values; click a pixel to see its light, Shift+B or Shift+C draws a box or circle"
)


class ReadoutBar(QWidget):
    """Draws the fields of a ReadoutView in two rows; emits nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Read-out of the pixel under the cursor")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._view: ReadoutView | None = None
        self.frozen = False
        self._hint = FIBERS_HINT
        self._value_font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self._value_font.setPointSizeF(max(self.font().pointSizeF(), 8.0))
        self._label_font = QFont(self.font())
        self._values = QFontMetrics(self._value_font)
        self._labels = QFontMetrics(self._label_font)

    def sizeHint(self) -> QSize:
        """Two rows of text."""
        return QSize(400, ROWS * (self._values.height() + 2) + MARGIN)

    def draw(self, view: ReadoutView | None) -> None:
        """Show another pixel (nothing while frozen)."""
        if not self.frozen:
            self._view = view
            self.update()

    def set_photons(self, on: bool) -> None:
        """Say what a click does: in a photon list it is about pixels."""
        hint = PHOTONS_HINT if on else FIBERS_HINT
        if hint != self._hint:
            self._hint = hint
            self.update()

    def text(self) -> str:
        """All fields as one line, for the clipboard."""
        return "" if self._view is None else "  ".join(f"{name} {value}".strip() for name, value in self._view.fields)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Lay the fields out from the left; what does not fit in two rows is left out."""
        painter = QPainter(self)
        palette = self.palette()
        quiet = palette.color(QPalette.ColorRole.PlaceholderText)
        strong = palette.color(QPalette.ColorRole.WindowText)
        height = self._values.height() + 2
        if self._view is None or not self._view.fields:
            painter.setPen(quiet)
            room = self.rect().adjusted(MARGIN, 0, -MARGIN, 0)
            hint = self._labels.elidedText(self._hint, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, hint)
            return
        x, row = MARGIN, 0
        for name, value in self._view.fields:
            label = f"{name} " if name else ""
            parts = [(label, False), *((part, not i % 2) for i, part in enumerate(RAISED_PARTS.split(value)))]
            widths = [(self._values if fixed else self._labels).horizontalAdvance(part) for part, fixed in parts]
            wide = sum(widths)
            if x + wide > self.width() - MARGIN and x > MARGIN:
                row, x = row + 1, MARGIN
            if row >= ROWS:
                break
            y = MARGIN // 2 + row * height
            start = x
            for (part, fixed), width in zip(parts, widths):
                painter.setFont(self._value_font if fixed else self._label_font)
                painter.setPen(quiet if start == x and label else strong)
                painter.drawText(QRect(start, y, self.width() - start, height), Qt.AlignmentFlag.AlignVCenter, part)
                start += width
            x += wide + GAP
        if self.frozen:
            painter.setPen(palette.color(QPalette.ColorRole.Link))
            painter.drawText(
                self.rect().adjusted(0, 0, -MARGIN, 0),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                "frozen (f)",
            )
