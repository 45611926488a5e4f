"""The list of the products of tiles: a row for each kind, a mark for each petal; click, Enter or menu opens it."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableWidget, QTableWidgetItem, QWidget

from ifuview.app.night.views import exposures as pure
from ifuview.app.night.views.exposures import ExposuresView, TileRow
from ifuview.gui.plain import plain
from ifuview.model.night.exposures import FileState, TileFile

HEADS = ("Tile", "Of", "Product")
THERE, OPEN, TROUBLE = "●", "◉", "✕"
SCROLL_BAR = 16  # screen px
PATH = Qt.ItemDataRole.UserRole


class TileList(QTableWidget):
    """Draws the tiles of views/exposures; `asked` has the path of a product."""

    asked = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[object, ...] = ()
        self._rows: tuple[TileRow, ...] = ()
        self.setAccessibleName("Products of tiles")
        self.setToolTip("Click a mark, or press Enter, to open a product with what belongs to it")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setTabKeyNavigation(False)
        head, across = self.verticalHeader(), self.horizontalHeader()
        assert head is not None and across is not None
        head.hide()
        head.setDefaultSectionSize(self.fontMetrics().height() + 6)
        across.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        across.setMinimumSectionSize(20)
        self.cellClicked.connect(lambda row, place: self._open(row, place, strict=True))
        self.activated.connect(lambda index: self._open(index.row(), index.column()))
        self.customContextMenuRequested.connect(self._menu)

    def show_tiles(self, view: ExposuresView) -> None:
        """List the tiles of a view."""
        shown = (view.tiles, view.petals, view.open_paths)
        if len(self._shown) == 3 and self._shown[0] is view.tiles and self._shown[1:] == shown[1:]:
            return
        fresh = not self._shown or self._shown[0] is not view.tiles
        self._shown, self._rows = shown, view.tiles
        self.setRowCount(len(view.tiles))
        self.setColumnCount(len(HEADS) + len(view.petals))
        self.setHorizontalHeaderLabels([*HEADS, *view.petals])
        for number, row in enumerate(view.tiles):
            for place, text in enumerate(row.cells):
                self.setItem(number, place, QTableWidgetItem(text))
            for place, petal in enumerate(view.petals, len(HEADS)):
                self.setItem(number, place, _mark(row.files.get(petal), view.open_paths))
        if fresh:
            self.resizeColumnsToContents()

    def wanted_width(self) -> int:
        """Screen pixels that show all columns."""
        head = self.horizontalHeader()
        return (0 if head is None else head.length()) + 2 * self.frameWidth() + SCROLL_BAR

    def _open(self, row: int, place: int, strict: bool = False) -> None:
        """Ask for the product of a cell; of a text, unless `strict`, for the first of its row."""
        item = self.item(row, place)
        path = "" if item is None else str(item.data(PATH) or "")
        if not path and not strict and place < len(HEADS) and row < len(self._rows):
            path = next(iter(self._rows[row].files.values())).file.path
        if path:
            self.asked.emit(path)

    def _menu(self, at: QPoint) -> None:
        """What can be opened of the row under the mouse."""
        row = self.rowAt(at.y())
        viewport = self.viewport()
        if row < 0 or viewport is None:
            return
        menu = QMenu(self)
        for text, path in self.choices(row):
            action = menu.addAction(text)
            assert action is not None
            action.triggered.connect(lambda _=False, path=path: self.asked.emit(path))
        menu.popup(viewport.mapToGlobal(at))

    def choices(self, row: int) -> list[tuple[str, str]]:
        """Words and paths of what a row has."""
        family = self._rows[row].cells[2]
        return [(f"Open {family}{_of(petal)}", f.file.path) for petal, f in self._rows[row].files.items()]


def _of(petal: str) -> str:
    """Which petal, in words."""
    return "" if petal == pure.WHOLE else f" of petal {petal}"


def _mark(file: TileFile | None, open_paths: frozenset[str]) -> QTableWidgetItem:
    """The cell of one product."""
    text = "" if file is None else OPEN if file.file.path in open_paths else THERE
    if file is not None and file.file.state is not FileState.READY:
        text = TROUBLE
    item = QTableWidgetItem(text)
    item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
    if file is not None:
        item.setData(PATH, file.file.path)
        state = "open" if text == OPEN else str(file.file.state)
        item.setToolTip(plain(f"{file.file.path}\n{state}"))
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{file.family} {state}")
    return item
