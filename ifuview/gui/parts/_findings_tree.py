"""What the docks of findings share: the list, worst first, one row each, and the figure with the key of its curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor, QMouseEvent, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QTreeWidgetItemIterator,
    QWidget,
)

from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._figure_items import curve_key
from ifuview.gui.parts._plot import Ink
from ifuview.gui.parts._widgets import column, is_dark, quiet_label
from ifuview.model.figure import Figure
from ifuview.model.verdict import VERDICT_INK

LEAST_HEIGHT = 60  # px
NUMBER = Qt.ItemDataRole.UserRole
STATE = Qt.ItemDataRole.UserRole + 1  # the verdict whose color an item has


class FindingsTree(QTreeWidget):
    """A list of findings: mouse and arrow keys alike choose one, Return or a double click ask for its proof.

    The finding of an item is the number that its NUMBER role holds, else its row; with a verdict in its STATE role it
    has the color of that one on the palette of now.
    """

    chosen = pyqtSignal(int)
    proof = pyqtSignal(int)

    def __init__(self, name: str, heads: Sequence[str]) -> None:
        super().__init__()
        self._quiet = False
        self._before: QTreeWidgetItem | None = None  # chosen when the mouse was pressed
        self.setAccessibleName(name)
        self.setHeaderLabels(heads)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setMinimumHeight(LEAST_HEIGHT)
        header = self.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.itemActivated.connect(lambda item, _column: self.proof.emit(self.number(item)))
        self.currentItemChanged.connect(self._moved)
        self.itemClicked.connect(self._clicked)

    def number(self, item: QTreeWidgetItem | None) -> int:
        """The finding of an item, -1 for none."""
        held = None if item is None else item.data(0, NUMBER)
        return self.indexOfTopLevelItem(item) if held is None else int(held)

    def fill(self, items: Sequence[QTreeWidgetItem]) -> None:
        """List other items; none is chosen, what was open stays open."""
        opened = {_name(item) for item in self._items() if item.isExpanded()}
        self._quiet, self._before = True, None
        self.clear()
        self.addTopLevelItems(list(items))
        for item in items:
            item.setExpanded(_name(item) in opened)
        self._color()
        self._quiet = False

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._color()

    def _color(self) -> None:
        """Words in the colors of their verdicts."""
        dark = is_dark(self.palette())
        for item in self._items():
            state = item.data(0, STATE)
            if state is not None:
                item.setForeground(0, QBrush(QColor(VERDICT_INK[state][dark])))

    def mark(self, number: int) -> None:
        """Show which finding is chosen; an item that has it already stays, be it a cause or one of its members."""
        if self.number(self.currentItem()) == number:
            return
        self._quiet = True
        self.setCurrentItem(next((item for item in self._items() if self.number(item) == number), None))
        self._quiet = False

    def causes(self) -> Iterator[QTreeWidgetItem]:
        """The items of the first level."""
        for n in range(self.topLevelItemCount()):
            item = self.topLevelItem(n)
            if item is not None:
                yield item

    def _items(self) -> Iterator[QTreeWidgetItem]:
        """All items, causes before their members."""
        each = QTreeWidgetItemIterator(self)
        while (item := each.value()) is not None:
            yield item
            each += 1

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        self._before = self.currentItem()
        super().mousePressEvent(event)

    def _clicked(self, item: QTreeWidgetItem, _column: int) -> None:
        """A click on what is chosen already brings it back to the canvas."""
        if item is self._before:
            self.chosen.emit(self.number(item))

    def _moved(self, item: QTreeWidgetItem | None, _old: QTreeWidgetItem | None) -> None:
        number = self.number(item)
        if not self._quiet and number >= 0:
            self.chosen.emit(number)


def _name(item: QTreeWidgetItem) -> str:
    """What an item is called; the lines below it change with what is found."""
    return item.text(0).partition("\n")[0]


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
        self._fit()

    def _key(self, ink: Ink) -> None:
        if self.plot.figure is not None:
            self.legend.setText(curve_key(self.plot.figure, ink))

    def _fit(self) -> None:
        """Room for the plot below as many lines of names as the width asks for: else its axis would be cut."""
        names = self.legend.heightForWidth(max(self.width(), 1)) if self.legend.isVisibleTo(self) else 0
        box = self.layout()
        space = 0 if box is None else box.spacing()
        shown = self.plot.isVisibleTo(self)
        self.setMinimumHeight(self.plot.minimumHeight() + names + 2 * space if shown else 0)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fit()
