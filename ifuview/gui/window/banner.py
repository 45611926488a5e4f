"""A strip between read-out and image for what went wrong; it pushes nothing away and goes at a click."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QHideEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton

from ifuview.gui.plain import PlainLabel, plain

COLORS = "QFrame#banner { background: #8c2f2f; } QLabel { color: white; } QToolButton { color: white; border: none; }"
MORE = "  (and {} more: Window > Messages)"


class Banner(QFrame):
    """Shows the latest sentence until it is closed, another comes or something goes well; older ones are counted."""

    closed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._unread: list[str] = []
        self.setObjectName("banner")
        self.setStyleSheet(COLORS)
        self.setAccessibleName("What went wrong")
        self.label = PlainLabel()
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        close = QToolButton()
        close.setText("\u2715")
        close.setAccessibleName("Close this message")
        close.setToolTip("Close (Esc)")
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 6, 5)
        row.addWidget(self.label, 1)
        row.addWidget(close)
        self.hide()

    def say(self, text: str) -> None:
        """Show a sentence; those before it that were not closed are only counted."""
        self._unread = [*(t for t in self._unread if t != text), text] if self.isVisible() else [text]
        before = len(self._unread) - 1
        self.label.setText(text + (MORE.format(before) if before else ""))
        self.label.setToolTip(plain("\n".join(self._unread)))
        self.show()

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        if self.isHidden():  # and not only the window about it
            self.closed.emit()
