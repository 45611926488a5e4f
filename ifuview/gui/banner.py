"""A strip between read-out and image for what went wrong; it pushes nothing away and goes at a click."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton

COLORS = "QFrame#banner { background: #8c2f2f; } QLabel { color: white; } QToolButton { color: white; border: none; }"


MOST = 4  # sentences at once


class Banner(QFrame):
    """Shows one sentence until it is closed or another comes."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.setStyleSheet(COLORS)
        self.setAccessibleName("What went wrong")
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        close = QToolButton()
        close.setText("\u2715")
        close.setAccessibleName("Close this message")
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 6, 5)
        row.addWidget(self.label, 1)
        row.addWidget(close)
        self.hide()

    def say(self, text: str) -> None:
        """Show a sentence, below those that were not closed yet."""
        before = self.label.text().split("\n") if self.isVisible() else []
        self.label.setText("\n".join([*(t for t in before if t != text), text][-MOST:]))
        self.show()
