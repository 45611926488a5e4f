"""What surrounds the pictures on the canvas: background and the titles of tiles."""

from __future__ import annotations

from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QColor, QPainter

BACKGROUND = QColor("#101214")
STRIP_COLOR, STRIP_CURRENT = QColor("#23272b"), QColor("#2f6fb0")
TEXT_COLOR = QColor("#e4e6e8")
STRIP_HEIGHT = 20  # logical px, title of a tile
MARGIN = 6


def fill_around(p: QPainter, rect: QRect, place: QRect) -> None:
    """Fill the part of `rect` that `place` does not cover."""
    if place.isEmpty():
        p.fillRect(rect, BACKGROUND)
        return
    right, below = place.x() + place.width(), place.y() + place.height()
    end_x, end_y = rect.x() + rect.width(), rect.y() + rect.height()
    for box in (
        QRect(rect.x(), rect.y(), rect.width(), place.y() - rect.y()),
        QRect(rect.x(), below, rect.width(), end_y - below),
        QRect(rect.x(), place.y(), place.x() - rect.x(), place.height()),
        QRect(right, place.y(), end_x - right, place.height()),
    ):
        if not box.isEmpty():
            p.fillRect(box, BACKGROUND)


def paint_strip(p: QPainter, title: str, rect: QRect, height: int, *, current: bool) -> None:
    """Paint the title of a tile above its image area `rect`."""
    strip = QRect(rect.x(), rect.y() - height, rect.width(), height)
    p.fillRect(strip, STRIP_CURRENT if current else STRIP_COLOR)
    p.setPen(TEXT_COLOR)
    text = p.fontMetrics().elidedText(title, Qt.TextElideMode.ElideMiddle, strip.width() - 2 * MARGIN)
    p.drawText(strip.adjusted(MARGIN, 0, -MARGIN, 0), Qt.AlignmentFlag.AlignVCenter, text)
