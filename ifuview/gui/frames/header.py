"""Header dock: every HDU of the file, its cards with a search box, and the way to show another HDU."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QGuiApplication, QKeySequence
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from ifuview.app.frames.views import header as pure
from ifuview.app.frames.views.header import HeaderView
from ifuview.app.intents import ChooseImage
from ifuview.gui.parts._widgets import FlowLayout, Pages, button, column, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import plain

ROLE = Qt.ItemDataRole.UserRole


class HeaderDock(Dock):
    """Draws views/header; emits ChooseImage."""

    key: ClassVar[str] = "header"
    title: ClassVar[str] = "Header"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: HeaderView | None = None
        self.name = quiet_label()
        self.hdus = _tree(("HDU", "Shape", "Type", "Unit"), "Extensions of the file")
        self.hdus.currentItemChanged.connect(lambda _new, _old: self._show_cards())
        self.hdus.itemDoubleClicked.connect(lambda _item, _column: self._choose(new=False))
        self.show_button = button("Show this HDU", "Show the selected HDU in the current frame")
        self.new_button = button("Open as new frame", "Show the selected HDU in a frame of its own")
        self.show_button.clicked.connect(lambda: self._choose(new=False))
        self.new_button.clicked.connect(lambda: self._choose(new=True))
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search keyword, value or comment")
        self.search.setAccessibleName("Search in the header")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _t: self._show_cards())
        self.count = quiet_label()
        self.cards = _tree(("Keyword", "Value", "Comment"), "Header cards")
        self.cards.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        copy = QAction("Copy card", self.cards)
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self._copy)
        self.cards.addAction(copy)
        self.cards.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.pages = Pages(self._build())
        column(self, self.pages)
        self.setAccessibleName("Header")
        self.draw(None)

    def _build(self) -> QWidget:
        """HDUs above, cards below."""
        top, bottom, content = QWidget(), QWidget(), QWidget()
        bar = FlowLayout()
        bar.addWidget(self.show_button)
        bar.addWidget(self.new_button)
        column(top, self.name, bar, self.hdus, margin=0)
        column(bottom, self.search, self.count, self.cards, margin=0)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(top)
        split.addWidget(bottom)
        split.setSizes([180, 320])
        split.setChildrenCollapsible(False)
        column(content, split, margin=0)
        return content

    def draw(self, view: HeaderView | None) -> None:
        """List the HDUs of the current file; keep the chosen one while the file stays."""
        same = self._view is not None and view is not None and self._view.hdus is view.hdus
        chosen = self._index() if same and self._view is not None and view is not None else None
        moved = not same or self._view is None or view is None or self._view.shown != view.shown
        self._view = view
        if view is None:
            self.pages.show_hint("Open a file to see its header.")
            return
        self.pages.show_content()
        self.name.setText("\n".join((view.file, *view.notes)))
        self.hdus.blockSignals(True)
        self.hdus.clear()
        for i, hdu in enumerate(view.hdus):
            mark = "▸ " if i == view.shown else ""
            item = QTreeWidgetItem([mark + pure.title(hdu), pure.shape_text(hdu), hdu.dtype, hdu.unit])
            item.setData(0, ROLE, i)
            item.setToolTip(0, plain("On the canvas" if i == view.shown else hdu.kind))
            if i == view.shown:
                font = item.font(0)
                font.setBold(True)
                item.setFont(0, font)
            self.hdus.addTopLevelItem(item)
        for c in range(self.hdus.columnCount()):
            self.hdus.resizeColumnToContents(c)
        start = max(view.shown, 0) if moved or chosen is None else chosen
        self.hdus.setCurrentItem(self.hdus.topLevelItem(start))
        self.hdus.blockSignals(False)
        self._show_cards()

    def _index(self) -> int | None:
        """The selected HDU."""
        item = self.hdus.currentItem()
        return None if item is None else item.data(0, ROLE)

    def _show_cards(self) -> None:
        """The cards of the selected HDU that pass the search."""
        view, index = self._view, self._index()
        self.cards.clear()
        if view is None or index is None:
            return
        hdu = view.hdus[index]
        for switch in (self.show_button, self.new_button):
            switch.setEnabled(pure.can_show(hdu))
        found = pure.find(hdu.cards, self.search.text())
        items = []
        for card in found:
            item = QTreeWidgetItem([card[0], pure.value_text(card[1]), card[2]])
            item.setData(0, ROLE, pure.card_text(card))
            for c in range(3):
                item.setToolTip(c, plain(pure.card_text(card)))
            items.append(item)
        self.cards.addTopLevelItems(items)
        self.cards.resizeColumnToContents(0)
        total = len(hdu.cards)
        self.count.setText(f"{total} cards" if len(found) == total else f"{len(found)} of {total} cards")

    def _choose(self, *, new: bool) -> None:
        """Ask for the selected HDU."""
        view, index = self._view, self._index()
        if view is not None and index is not None and pure.can_show(view.hdus[index]):
            self.intent.emit(ChooseImage(view.key, view.hdus[index].index, new))

    def _copy(self) -> None:
        """Put the selected cards on the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText("\n".join(item.data(0, ROLE) for item in self.cards.selectedItems()))


def _tree(columns: tuple[str, ...], name: str) -> QTreeWidget:
    """A flat list with columns."""
    tree = QTreeWidget()
    tree.setHeaderLabels(list(columns))
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setAlternatingRowColors(True)
    tree.setAccessibleName(name)
    head = tree.header()
    if head is not None:
        head.setStretchLastSection(True)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    return tree
