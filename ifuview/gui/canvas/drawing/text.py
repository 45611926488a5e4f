"""Small text that is readable on any image."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF
from PyQt6.QtGui import QColor, QPainter

SHADOW = QColor(0, 0, 0, 190)
LABEL_BACK = QColor(0, 0, 0, 205)


def write_text(p: QPainter, at: QPointF, text: str, color: QColor, *, back: bool = False) -> None:
    """Write small text that is readable on any image."""
    if back:
        box = QRectF(p.fontMetrics().boundingRect(text)).translated(at)
        p.fillRect(box.adjusted(-2, 0, 2, 0), LABEL_BACK)
    else:
        p.setPen(SHADOW)
        p.drawText(at + QPointF(1, 1), text)
    p.setPen(color)
    p.drawText(at, text)
