"""The table of exposures: a model over views/exposures that sorts and filters, and the painter of its heat map.

The cell of a camera has the color of its verdict and, where there is room, a dot for each product; else it names the
first product that is wrong. What was not judged is an outline, hatched.
"""

from __future__ import annotations

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QPoint, QPointF, QRect, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QPainter, QPen
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ifuview.app.night.views import exposures as pure
from ifuview.app.night.views.exposures import ExposuresView
from ifuview.app.night.views.heat import NOT_ASKED, CameraVerdict
from ifuview.gui.parts._widgets import is_dark
from ifuview.model.night.exposures import Dot
from ifuview.model.verdict import VERDICT_COLORS, VerdictState

NOWHERE = QModelIndex()
TEXTS = len(pure.COLUMNS)
STEP = 11  # screen px from dot to dot
SIZE = 7.0  # screen px, diameter
PAD = 5  # screen px on either side
NARROW = 28  # screen px, least width of a camera: the name of a product
HATCHING = 150  # of the hatching of what was not judged
# light and dark themes; Okabe and Ito (2008). Shape says the same as color.
COLORS = {
    Dot.PRESENT: ("#5b6066", "#b0b6bd"),
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

    def verdict(self, row: int, column: int) -> CameraVerdict:
        """What was found in the camera of a cell."""
        return self.view.verdicts.get((self.expid(row), self.camera(column)), NOT_ASKED)

    def steps(self) -> set[str]:
        """First wrong steps that are written into cells."""
        return {verdict.step for verdict in self.view.verdicts.values()}

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
            verdict = self.verdict(index.row(), index.column()) if camera else NOT_ASKED
            return pure.tip(row, camera, self.view.products, verdict)
        if role == Qt.ItemDataRole.AccessibleTextRole and camera:
            of = zip(self.view.products, self.dots(index.row(), index.column()))
            return f"{self.verdict(index.row(), index.column()).state}: {', '.join(f'{p} {d}' for p, d in of)}"
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


class HeatDelegate(QStyledItemDelegate):
    """Paints the verdict of a camera with a dot for each product; the other cells as usual."""

    def width(self, count: int) -> int:
        """Width of a camera with room for its dots."""
        return max(count * STEP, 2 * STEP) + 2 * PAD

    def has_dots(self, width: int, count: int) -> bool:
        """Whether dots find room in a cell."""
        return width >= self.width(count)

    def product_at(self, index: QModelIndex, spot: QPoint | None, cell: QRect) -> str:
        """The product whose dot is under a place of the view; without dots the first that is wrong; else ""."""
        model = index.model()
        if not isinstance(model, ExposureModel) or spot is None or not cell.contains(spot):
            return ""
        if not self.has_dots(cell.width() + 1, model.products):  # a line of the grid is no part of the cell
            return model.verdict(index.row(), index.column()).first
        place = (spot.x() - cell.left() - PAD) // STEP
        return model.view.products[place] if 0 <= place < model.products else ""

    def paint(self, p: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().paint(p, option, index)
        model = index.model()
        if p is None or not isinstance(model, ExposureModel) or index.column() < TEXTS:
            return
        dots = model.dots(index.row(), index.column())
        if all(dot in pure.ABSENT for dot in dots):
            return
        dark = is_dark(option.palette) or bool(option.state & QStyle.StateFlag.State_Selected)
        verdict = model.verdict(index.row(), index.column())
        view = model.view
        here = view.expid == model.expid(index.row()) and view.camera == model.camera(index.column())
        p.save()
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(1, 1, -1, -1)
        _ground(p, box, verdict.state, QColor(COLORS[Dot.PRESENT][dark]))
        if self.has_dots(option.rect.width() + 1, model.products):
            for n, (product, dot) in enumerate(zip(view.products, dots)):
                center = QPointF(option.rect.left() + PAD + (n + 0.5) * STEP, box.center().y())
                judged = verdict.state is not VerdictState.NOT_JUDGED
                _dot(p, center, dot, QColor("white") if judged else QColor(COLORS[dot][dark]), judged,
                     product in verdict.spoiled)  # fmt: skip
                if here and product == view.product:
                    p.setPen(QPen(RING, 1.5))
                    p.setBrush(Qt.BrushStyle.NoBrush)
                    p.drawEllipse(center, SIZE / 2 + 2, SIZE / 2 + 2)
        else:
            p.setPen(QColor("white"))
            text = p.fontMetrics().elidedText(verdict.step, Qt.TextElideMode.ElideRight, int(box.width()))
            p.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            if here:
                p.setPen(QPen(RING, 2))
                p.drawRect(box)
        p.restore()


def _ground(p: QPainter, box: QRectF, state: VerdictState, outline: QColor) -> None:
    """The color of a verdict; an outline with hatching for what was not judged."""
    if state is not VerdictState.NOT_JUDGED:
        p.fillRect(box, QColor(VERDICT_COLORS[state]))
        return
    faint = QColor(outline)
    faint.setAlpha(HATCHING)
    p.fillRect(box, QBrush(faint, Qt.BrushStyle.BDiagPattern))
    p.setPen(QPen(outline, 1))
    p.drawRect(box)


def _dot(p: QPainter, at: QPointF, dot: Dot, color: QColor, judged: bool, wrong: bool) -> None:
    """Full circle (judged) or ring (there); half one (bad amplifier), barred one (bad camera), dot in a ring (being
    written), cross (wrong, or damaged), point (missing)."""
    half = SIZE / 2
    box = QRectF(at.x() - half, at.y() - half, SIZE, SIZE)
    p.setPen(QPen(color, 1.3))
    p.setBrush(Qt.BrushStyle.NoBrush)
    if wrong or dot is Dot.DAMAGED:
        p.setPen(QPen(color, 1.8))
        p.drawLine(box.topLeft(), box.bottomRight())
        p.drawLine(box.topRight(), box.bottomLeft())
    elif dot is Dot.PRESENT:
        p.setBrush(color if judged else Qt.BrushStyle.NoBrush)
        p.drawEllipse(box)
    elif dot is Dot.BAD_AMPLIFIER:
        p.drawEllipse(box)
        p.setBrush(color)
        p.drawPie(box, 90 * 16, 180 * 16)
    elif dot is Dot.WRITING:
        p.drawEllipse(box)
        p.drawPoint(at)
    elif dot is Dot.BAD_CAMERA:
        p.drawEllipse(box)
        p.drawLine(QPointF(at.x() - half, at.y()), QPointF(at.x() + half, at.y()))
    elif dot is Dot.MISSING:
        p.setBrush(color)
        p.drawEllipse(at, 1.3, 1.3)
    else:
        p.drawLine(QPointF(at.x() - 2, at.y()), QPointF(at.x() + 2, at.y()))
