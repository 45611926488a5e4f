"""Messages dock: what happened, newest first; details are folded away."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import QModelIndex, QRect, QSize, Qt
from PyQt6.QtGui import QAction, QFontDatabase, QGuiApplication, QKeySequence, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from ifuview.app.frames.views.messages import MessageRow, MessagesView, as_text
from ifuview.app.session import Level
from ifuview.gui.parts._widgets import FlowLayout, Pages, button, check, column
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import plain

ICONS = {
    Level.INFO: QStyle.StandardPixmap.SP_MessageBoxInformation,
    Level.WARNING: QStyle.StandardPixmap.SP_MessageBoxWarning,
    Level.ERROR: QStyle.StandardPixmap.SP_MessageBoxCritical,
}
ICON_WIDTH = 34  # screen px of the icon with its margins
WRAP = Qt.TextFlag.TextWordWrap
ROLE = Qt.ItemDataRole.UserRole


class WrapDelegate(QStyledItemDelegate):
    """Rows as high as their text needs in the width of the tree."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        hint = super().sizeHint(option, index)
        tree = self.parent()
        if not isinstance(tree, QTreeWidget) or index.parent().isValid():
            return hint
        viewport = tree.viewport()
        width = (300 if viewport is None else viewport.width()) - tree.indentation() - ICON_WIDTH
        text = str(index.data())
        box = option.fontMetrics.boundingRect(QRect(0, 0, max(width, 40), 10_000), int(WRAP), text)
        return QSize(max(width, 40), max(hint.height() if not text else 0, box.height() + 6))


class MessageTree(QTreeWidget):
    """Lays its rows out anew when its width changes."""

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()


class MessagesDock(Dock):
    """Draws views/messages; emits nothing."""

    key: ClassVar[str] = "messages"
    title: ClassVar[str] = "Messages"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: MessagesView | None = None
        self.tree = MessageTree()
        self.tree.setItemDelegate(WrapDelegate(self.tree))
        self.tree.setColumnCount(1)
        self.tree.setHeaderHidden(True)
        self.tree.setWordWrap(True)
        self.tree.setAccessibleName("Messages, newest first")
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        copy = QAction("Copy message", self.tree)
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy)
        self.tree.addAction(copy)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.copy_button = button("Copy", "Copy the selected messages with their details, or all of them")
        self.copy_button.clicked.connect(self.copy)
        self.only = check("Only problems", "Hide messages that are neither warnings nor errors")
        self.only.toggled.connect(lambda _on: self.draw(self._view))
        bar = FlowLayout()
        bar.addWidget(self.copy_button)
        bar.addWidget(self.only)
        self.pages = Pages(self.tree)
        column(self, bar, self.pages)
        self.setAccessibleName("Messages")
        self.draw(None)

    def draw(self, view: MessagesView | None) -> None:
        """List the messages."""
        self._view = view
        rows = () if view is None else view.rows
        if self.only.isChecked():
            rows = tuple(row for row in rows if row.level is not Level.INFO)
        self.copy_button.setEnabled(bool(rows))
        self.tree.clear()
        if not rows:
            self.pages.show_hint("No problems." if self.only.isChecked() else "Nothing to tell yet.")
            return
        self.pages.show_content()
        for row in rows:
            self.tree.addTopLevelItem(self._item(row))

    def _item(self, row: MessageRow) -> QTreeWidgetItem:
        """One message, its detail below it."""
        item = QTreeWidgetItem([f"{row.clock}  {row.text}".strip()])
        item.setData(0, ROLE, row)
        item.setToolTip(0, plain(f"{row.level.value.capitalize()}: {row.text}"))
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, f"{row.level.value}: {row.text}")
        style = self.style()
        if style is not None:
            item.setIcon(0, style.standardIcon(ICONS[row.level]))
        if row.detail:
            detail = QTreeWidgetItem([row.detail])
            detail.setData(0, ROLE, row)
            detail.setFont(0, QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
            item.addChild(detail)
        return item

    def copy(self) -> None:
        """Put the selected messages, or all, on the clipboard."""
        view, clipboard = self._view, QGuiApplication.clipboard()
        if view is None or clipboard is None:
            return
        chosen = {id(item.data(0, ROLE)) for item in self.tree.selectedItems()}
        rows = tuple(row for row in view.rows if id(row) in chosen) if chosen else view.rows
        clipboard.setText(as_text(rows))
