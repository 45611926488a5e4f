"""The list of findings that the docks of the trace doctor and of the triage share: worst first, one row each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

LEAST_HEIGHT = 60  # px
NUMBER = Qt.ItemDataRole.UserRole


def findings_tree(
    name: str, heads: Sequence[str], go: Callable[[int], None], explain: Callable[[int], None]
) -> QTreeWidget:
    """Return an empty list; a click or Enter calls `go` with the finding, a move of the mark calls `explain`.

    The finding of an item is the number that its NUMBER role holds, else its row; -1: none.
    """

    def number(item: QTreeWidgetItem | None) -> int:
        held = None if item is None else item.data(0, NUMBER)
        return tree.indexOfTopLevelItem(item) if held is None else int(held)

    tree = QTreeWidget()
    tree.setAccessibleName(name)
    tree.setHeaderLabels(heads)
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    tree.setMinimumHeight(LEAST_HEIGHT)
    header = tree.header()
    if header is not None:
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    tree.itemClicked.connect(lambda item, _column: go(number(item)))
    tree.itemActivated.connect(lambda item, _column: go(number(item)))
    tree.currentItemChanged.connect(lambda item, _old: explain(number(item)))
    return tree
