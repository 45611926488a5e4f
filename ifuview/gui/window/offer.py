"""A line between read-out and image that offers something; it pushes nothing away and goes with the answer."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy

from ifuview.gui.plain import PlainLabel

COLORS = "QFrame#offer { background: #2f5f8c; } QLabel { color: white; }"


class Offer(QFrame):
    """One sentence with two answers."""

    accepted = pyqtSignal()
    declined = pyqtSignal()

    def __init__(self, text: str, yes: str, no: str) -> None:
        super().__init__()
        self.setObjectName("offer")
        self.setStyleSheet(COLORS)
        self.setAccessibleName(text)
        self.label = PlainLabel()
        self.label.setText(text)
        self.label.setWordWrap(True)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.yes, self.no = QPushButton(yes), QPushButton(no)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 3, 6, 3)
        row.addWidget(self.label, 1)
        for button, answer in ((self.yes, self.accepted), (self.no, self.declined)):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(answer)
            button.clicked.connect(self.hide)
            row.addWidget(button)
