"""The table of exposures: a model over views/exposures that sorts and filters, and the painter of the status dots."""

from __future__ import annotations

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QPoint, QPointF, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ifuview.app.night.views import exposures as pure
from ifuview.app.night.views.exposures import ExposuresView
from ifuview.gui.parts._widgets import is_dark
from ifuview.model.night.exposures import Dot

NOWHERE = QModelIndex()
TEXTS = len(pure.COLUMNS)
STEP = 11  # screen px from dot to dot
SIZE = 7.0  # screen px, diameter
PAD = 5  # screen px on either side
# light and dark themes; Okabe and Ito (2008). Shape says the same as color.
COLORS = {
    Dot.PRESENT: ("#007a5a", "#00c08b"),
    Dot.BAD_AMPLIFIER: ("#b35c00", "#f0a020"),
    Dot.BAD_CAMERA: ("#b35c00", "#f0a020"),
    Dot.WRITING: ("#0068a8", "#56b4e9"),
    Dot.DAMAGED: ("#c02020", "#ff6b5e"),
    Dot.MISSING: ("#9a9a9a", "#777777"),
    Dot.OFF: ("#c8c8c8", "#505050"),
}
RING = QColor("#ff2d95")  # around the dot that is on the canvas


class ExposureModel(QAbstractTableModel):
    """Rows are exposures in the order and choice of the user; the columns behind the texts are cameras."""

    def __init__(self) -> None:
        super().__init__()
        self.view = ExposuresView()
        self._rows: list[int] = []
        self._cameras: list[int] = []
        self._filter = ""
        self._sort: tuple[int, bool] = (-1, False)

    def set_view(self, view: ExposuresView) -> bool:
        """Show another view; whether the table itself is another one."""
        old, self.view = self.view, view
        if view.rows is old.rows and view.cameras == old.cameras:
            return False
        self.beginResetModel()
        self._arrange()
        self.endResetModel()
        return True

    def set_filter(self, text: str) -> None:
        """Show only what passes."""
        self.beginResetModel()
        self._filter = text
        self._arrange()
        self.endResetModel()

    @property
    def products(self) -> int:
        """Number of dots of a camera."""
        return len(self.view.products)

    def expid(self, row: int) -> int:
        """Exposure of a shown row."""
        return self.view.rows[self._rows[row]].expid

    def source(self, row: int) -> int:
        """Row of the view that a shown row is."""
        return self._rows[row]

    def camera(self, column: int) -> str:
        """Camera of a column, "" for a column of text."""
        return self.view.cameras[self._cameras[column - TEXTS]] if column >= TEXTS else ""

    def place_of(self, expid: int | None) -> int:
        """Shown row of an exposure, -1 if it is not shown."""
        return next((n for n, i in enumerate(self._rows) if self.view.rows[i].expid == expid), -1)

    def dots(self, row: int, column: int) -> tuple[Dot, ...]:
        """The dots of a cell."""
        return self.view.rows[self._rows[row]].dots[self._cameras[column - TEXTS]]

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else TEXTS + len(self._cameras)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self.view.rows[self._rows[index.row()]]
        camera = self.camera(index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return pure.tip(row, camera, self.view.products)
        if role == Qt.ItemDataRole.AccessibleTextRole and camera:
            return ", ".join(f"{p} {d}" for p, d in zip(self.view.products, self.dots(index.row(), index.column())))
        if role == Qt.ItemDataRole.DisplayRole and not camera:
            return row.cells[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            words = pure.COLUMNS[index.column() : index.column() + 1]
            left = bool(words) and words[0] in pure.WORDS
            side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal or section >= self.columnCount():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.camera(section) or pure.COLUMNS[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return " · ".join(self.view.products) if section >= TEXTS else pure.COLUMNS[section]
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.beginResetModel()
        self._sort = (column, order == Qt.SortOrder.DescendingOrder)
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        """Make the order from the column to sort by and the filter; a camera sorts by how many products it has."""
        self._rows, self._cameras = pure.matches(self.view, self._filter)
        column, falling = self._sort
        if column < 0 or column >= TEXTS + len(self._cameras):
            return
        rows = self.view.rows
        if column < TEXTS:
            self._rows.sort(key=lambda i: rows[i].sort[column], reverse=falling)
        else:
            camera = self._cameras[column - TEXTS]
            self._rows.sort(key=lambda i: rows[i].dots[camera].count(Dot.PRESENT), reverse=falling)


class DotDelegate(QStyledItemDelegate):
    """Paints the dots of a camera, one a product; the other cells as usual."""

    def width(self, count: int) -> int:
        """Width of a column of dots."""
        return max(count * STEP, 2 * STEP) + 2 * PAD

    def product_at(self, index: QModelIndex, spot: QPoint | None, cell: QRect) -> str:
        """The product whose dot is under a place of the view, "" beside them."""
        model = index.model()
        if not isinstance(model, ExposureModel) or spot is None or not cell.contains(spot):
            return ""
        place = (spot.x() - cell.left() - PAD) // STEP
        return model.view.products[place] if 0 <= place < model.products else ""

    def paint(self, p: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().paint(p, option, index)
        model = index.model()
        if p is None or not isinstance(model, ExposureModel) or index.column() < TEXTS:
            return
        dark = is_dark(option.palette) or bool(option.state & QStyle.StateFlag.State_Selected)
        view = model.view
        here = view.expid == model.expid(index.row()) and view.camera == model.camera(index.column())
        p.save()
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        for n, dot in enumerate(model.dots(index.row(), index.column())):
            center = QPointF(option.rect.left() + PAD + (n + 0.5) * STEP, option.rect.top() + option.rect.height() / 2)
            _dot(p, center, dot, QColor(COLORS[dot][dark]))
            if here and view.products[n] == view.product:
                p.setPen(QPen(RING, 1.5))
                p.setBrush(Qt.BrushStyle.NoBrush)
                p.drawEllipse(center, SIZE / 2 + 2, SIZE / 2 + 2)
        p.restore()


def _dot(p: QPainter, at: QPointF, dot: Dot, color: QColor) -> None:
    """Full circle; half one (bad amplifier), barred one (bad camera), ring (being written), cross, point (missing)."""
    half = SIZE / 2
    box = QRectF(at.x() - half, at.y() - half, SIZE, SIZE)
    p.setPen(QPen(color, 1.3))
    p.setBrush(Qt.BrushStyle.NoBrush)
    if dot is Dot.PRESENT:
        p.setBrush(color)
        p.drawEllipse(box)
    elif dot is Dot.BAD_AMPLIFIER:
        p.drawEllipse(box)
        p.setBrush(color)
        p.drawPie(box, 90 * 16, 180 * 16)
    elif dot is Dot.WRITING:
        p.drawEllipse(box)
    elif dot is Dot.BAD_CAMERA:
        p.drawEllipse(box)
        p.drawLine(QPointF(at.x() - half, at.y()), QPointF(at.x() + half, at.y()))
    elif dot is Dot.DAMAGED:
        p.drawLine(box.topLeft(), box.bottomRight())
        p.drawLine(box.topRight(), box.bottomLeft())
    elif dot is Dot.MISSING:
        p.setBrush(color)
        p.drawEllipse(at, 1.3, 1.3)
    else:
        p.drawLine(QPointF(at.x() - 2, at.y()), QPointF(at.x() + 2, at.y()))
