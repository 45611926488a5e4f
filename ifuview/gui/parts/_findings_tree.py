"""What the docks of findings share: the list, worst first, one row each, and the figure with the key of its curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from ifuview.gui.parts._figure import FigurePlot, key_of
from ifuview.gui.parts._plot import Ink
from ifuview.gui.parts._widgets import column, quiet_label
from ifuview.model.figure import Figure

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


class EvidencePanel(QWidget):
    """What shows a finding: the figure, with the names of its curves in their colors above it."""

    def __init__(self, name: str, height: int) -> None:
        super().__init__()
        self.plot = FigurePlot(name, headed=False)
        self.plot.setMinimumHeight(height)
        self.legend = quiet_label()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setAccessibleName("Key of the curves")
        self.plot.styled(self.legend, self._key, add=False)
        column(self, self.legend, self.plot, margin=0)
        self.plot.hide()  # nothing to see before there is a finding

    def show_figure(self, figure: Figure | None) -> None:
        """Show a figure; None: nothing."""
        self.plot.setVisible(figure is not None)
        self.legend.setVisible(figure is not None)
        if figure is not None:
            self.plot.show_figure(figure)
            self._key(self.plot.ink)

    def _key(self, ink: Ink) -> None:
        if self.plot.figure is not None:
            self.legend.setText(key_of(self.plot.figure, ink))
