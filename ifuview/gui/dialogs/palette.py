"""The command palette: type a few letters of any action and press Enter."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QAction, QKeyEvent
from PyQt6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget


def matches(query: str, text: str) -> bool:
    """Whether every word of the query is in the text."""
    low = text.lower()
    return all(word in low for word in query.lower().split())


def rank(query: str, text: str) -> tuple[bool, bool]:
    """What begins with the query, or holds it as it stands, comes before what holds its words."""
    low, wanted = text.lower(), query.lower().strip()
    return not low.startswith(wanted), wanted not in low


class CommandPalette(QDialog):
    """Lists the actions that match, (words, its menu, action); the chosen one is triggered after it has closed."""

    def __init__(self, actions: Iterable[tuple[str, str, QAction]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Command palette")
        self.resize(560, 420)
        self._actions = list(actions)
        self.chosen: QAction | None = None
        self.entry = QLineEdit()
        self.entry.setPlaceholderText("Type a command")
        self.entry.setAccessibleName("Command")
        self.list = QListWidget()
        self.list.setAccessibleName("Matching commands")
        layout = QVBoxLayout(self)
        layout.addWidget(self.entry)
        layout.addWidget(self.list)
        self.entry.textChanged.connect(self._filter)
        self.entry.returnPressed.connect(self._choose)
        self.list.itemActivated.connect(lambda _: self._choose())
        self.entry.installEventFilter(self)
        self._filter("")

    def _filter(self, query: str) -> None:
        self.list.clear()
        for text, menu, action in sorted(self._actions, key=lambda one: rank(query, one[0])):
            if matches(query, f"{text} {menu}") and action.isEnabled():
                keys = action.shortcut().toString()
                item = QListWidgetItem(f"{text}  \u00b7  {menu}" + f"    {keys}" * bool(keys))
                item.setData(Qt.ItemDataRole.UserRole, action)
                self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _choose(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.chosen = item.data(Qt.ItemDataRole.UserRole)
            self.accept()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Up and Down in the entry move in the list."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None and self.list.count():
                self.list.setCurrentRow((self.list.currentRow() + step) % self.list.count())
                return True
        return super().eventFilter(watched, event)
