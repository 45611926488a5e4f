"""The list of frames: a thumbnail, the name and a close mark in every thin row; rows can be dragged."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt6.QtCore import QModelIndex, QPoint, QRect, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPalette, QPixmap
from PyQt6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QStyle, QStyledItemDelegate
from PyQt6.QtWidgets import QStyleOptionViewItem as Option

from ifuview.app.frames.views.frames import FrameRow, FramesView
from ifuview.gui.plain import plain

THUMB = QSize(30, 22)  # screen px
PAD = 2
CLOSE_WIDTH = 18
SHOWN_COLOR = QColor("#ff2d95")  # beside the frame that is blinked just now
KEY, SUBTITLE, PICTURE = (Qt.ItemDataRole.UserRole + i for i in range(3))


class FrameList(QListWidget):
    """Emits `chosen(key)`, `closed(key)` and `moved(key, position)`."""

    chosen = pyqtSignal(int)
    closed = pyqtSignal(int)
    moved = pyqtSignal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Frames")
        self.setIconSize(THUMB)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setItemDelegate(FrameDelegate(self))
        self._drawing = False
        self.shown: int | None = None  # key of the frame on the canvas, where that is not the current one
        self._pictures: dict[int, tuple[tuple[object, ...], QPixmap]] = {}
        self._rows: dict[int, tuple[QListWidgetItem, FrameRow]] = {}  # by key, from top to bottom
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._next_picture)
        bar = self.verticalScrollBar()
        if bar is not None:
            bar.valueChanged.connect(lambda _: self._timer.start(0))
        self.currentItemChanged.connect(self._on_current)
        model = self.model()
        if model is not None:
            model.rowsMoved.connect(self._on_moved)

    def draw(self, view: FramesView) -> None:
        """Show the rows, with the current one highlighted."""
        self._drawing = True
        before = {key: _words(row) for key, (_, row) in self._rows.items()}
        if [row.key for row in view.rows] != self.keys():
            before.clear()
            self.clear()
            for _ in view.rows:
                self.addItem(QListWidgetItem())
        self._rows = {row.key: (item, row) for item, row in zip(self._items(), view.rows, strict=True)}
        for key, (item, row) in self._rows.items():
            if before.get(key) != _words(row):
                self._fill(item, row)
        if view.current in self._rows and self.current_key() != view.current:
            self.setCurrentItem(self._rows[view.current][0])
        self._drawing = False
        self._pictures = {key: kept for key, kept in self._pictures.items() if key in self._rows}
        self._timer.start(0)

    def mark(self, key: int | None) -> None:
        """Mark the frame that is on the canvas just now (while blinking); None for the current one."""
        before, self.shown = self.shown, key
        viewport = self.viewport()
        for item in self._items() if before != key else ():
            if viewport is not None and item.data(KEY) in (before, key):
                viewport.update(self.visualItemRect(item))

    def keys(self) -> list[int]:
        """Keys of the rows from top to bottom."""
        return [item.data(KEY) for item in self._items()]

    def current_key(self) -> int | None:
        """Key of the highlighted row."""
        item = self.currentItem()
        return None if item is None else item.data(KEY)

    def selected_keys(self) -> list[int]:
        """Keys of the selected rows, in list order."""
        return [item.data(KEY) for item in self._items() if item.isSelected()]

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            for key in self.selected_keys():
                self.closed.emit(key)
            return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and self._on_close(event) is None:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        key = None if event is None else self._on_close(event)
        if key is not None:
            self.closed.emit(key)
            return
        super().mouseReleaseEvent(event)

    def _on_close(self, event: QMouseEvent) -> int | None:
        """Key of the row whose cross is under the mouse."""
        index = self.indexAt(event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid():
            return None
        inside = close_box(self.visualRect(index)).contains(event.position().toPoint())
        return index.data(KEY) if inside else None

    def _items(self) -> list[QListWidgetItem]:
        """All items."""
        found = (self.item(i) for i in range(self.count()))
        return [item for item in found if item is not None]

    def _fill(self, item: QListWidgetItem, row: FrameRow) -> None:
        """Texts of one row."""
        item.setText(row.title)
        item.setToolTip(plain(row.tip))
        item.setData(KEY, row.key)
        item.setData(SUBTITLE, row.subtitle)
        item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, row.subtitle)
        kept = self._pictures.get(row.key)
        item.setData(PICTURE, None if kept is None else kept[1])

    def _stale(self, row: FrameRow) -> bool:
        """Whether the picture of a row must be made again."""
        kept = self._pictures.get(row.key)
        return kept is None or kept[0] != row.picture

    def _next_picture(self) -> None:
        """Make one thumbnail that is in view and come back for the next, so that the window never waits."""
        for item, row in self._in_view():
            if self._stale(row):
                pixmap = _thumbnail(row, self.devicePixelRatioF())
                if pixmap is not None:
                    self._pictures[row.key] = (row.picture, pixmap)
                    item.setData(PICTURE, pixmap)
                    self._timer.start(0)
                return

    def _in_view(self) -> Iterator[tuple[QListWidgetItem, FrameRow]]:
        """The rows that the list shows just now."""
        viewport = self.viewport()
        bottom = 0 if viewport is None else viewport.height()
        first = self.indexAt(QPoint(PAD, PAD)).row()
        for place in range(max(first, 0), self.count()):
            item = self.item(place)
            if item is None or self.visualItemRect(item).top() > bottom:
                return
            yield self._rows[item.data(KEY)]

    def _on_current(self, item: QListWidgetItem | None, _old: QListWidgetItem | None) -> None:
        """The user went to another row."""
        if item is not None and not self._drawing:
            self.chosen.emit(item.data(KEY))

    def _on_moved(self, *_args: object) -> None:
        """The user dragged a row: tell it when Qt has finished the drop."""
        if not self._drawing:
            QTimer.singleShot(0, self._tell_move)

    def _tell_move(self) -> None:
        """Say where the dragged row is now."""
        item = self.currentItem()
        if item is not None:
            self.moved.emit(item.data(KEY), self.row(item))


class FrameDelegate(QStyledItemDelegate):
    """Paints a row: thumbnail, title and, where there is room, what it is; a cross that closes the frame."""

    def sizeHint(self, option: Option, index: QModelIndex) -> QSize:
        height = max(THUMB.height(), option.fontMetrics.height()) + 2 * PAD
        return QSize(THUMB.width() + 60, height)

    def paint(self, painter: QPainter | None, option: Option, index: QModelIndex) -> None:
        if painter is None:
            return
        painter.save()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        palette = option.palette
        if chosen:
            painter.fillRect(option.rect, palette.brush(QPalette.ColorRole.Highlight))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, palette.brush(QPalette.ColorRole.AlternateBase))
        self._paint_picture(painter, option, index)
        frames = self.parent()
        if isinstance(frames, FrameList) and frames.shown is not None and frames.shown == index.data(KEY):
            painter.fillRect(QRect(option.rect.topLeft(), QSize(PAD - 1, option.rect.height())), SHOWN_COLOR)
        role = QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text
        self._paint_words(painter, option, index, palette.color(role))
        if option.state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_Selected):
            painter.setPen(palette.color(role))
            painter.drawText(close_box(option.rect), Qt.AlignmentFlag.AlignCenter, "✕")
        painter.restore()

    def _paint_picture(self, painter: QPainter, option: Option, index: QModelIndex) -> None:
        """The thumbnail, or an empty box until it is made."""
        box = QRect(option.rect.left() + PAD, option.rect.top() + PAD, THUMB.width(), THUMB.height())
        pixmap = index.data(PICTURE)
        painter.fillRect(box, QColor("black"))
        if isinstance(pixmap, QPixmap) and not pixmap.isNull():
            painter.drawPixmap(box, pixmap)
        painter.setPen(option.palette.color(QPalette.ColorRole.Mid))
        painter.drawRect(box)

    def _paint_words(self, painter: QPainter, option: Option, index: QModelIndex, color: QColor) -> None:
        """Title, shortened in its middle where it does not fit (the tip has it all); its subtitle if there is room."""
        marked = bool(option.state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_Selected))
        rect = option.rect.adjusted(THUMB.width() + 3 * PAD, 0, -PAD - CLOSE_WIDTH * marked, 0)
        metrics, side = option.fontMetrics, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        title = metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, rect.width())
        painter.setPen(color)
        painter.drawText(rect, side, title)
        rect.setLeft(rect.left() + metrics.horizontalAdvance(title) + 4 * PAD)
        subtitle = str(index.data(SUBTITLE))
        if metrics.horizontalAdvance(subtitle) <= rect.width():
            color.setAlpha(180)
            painter.setPen(color)
            painter.drawText(rect, side, subtitle)


def _words(row: FrameRow) -> tuple[str, str, str]:
    """What is written in a row."""
    return row.title, row.subtitle, row.tip


def close_box(row: QRect) -> QRect:
    """Where the cross of a row is."""
    return QRect(row.right() - CLOSE_WIDTH, row.top() + PAD, CLOSE_WIDTH, CLOSE_WIDTH)


def _thumbnail(row: FrameRow, ratio: float) -> QPixmap | None:
    """A small picture of a frame; None while the canvas cannot make one."""
    try:
        from ifuview.gui.canvas.thumbnail import thumbnail
    except ImportError:
        return None
    image = thumbnail(row.slot, round(THUMB.width() * ratio), round(THUMB.height() * ratio))
    return None if image is None or image.isNull() else QPixmap.fromImage(image)
