"""The small views beside the canvas: panner, magnifier and color bar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PyQt6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from ifuview.app import intents as want
from ifuview.app.frames.look import Look, ViewState
from ifuview.app.frames.views import colors, viewport
from ifuview.app.frames.views.image import CanvasView, PictureView
from ifuview.gui.canvas import layers
from ifuview.gui.canvas.frame import BACKGROUND
from ifuview.gui.canvas.scale import label, ticks
from ifuview.gui.canvas.stages import RGB32, Stages, limits, same
from ifuview.gui.canvas.thumbnail import whole, whole_view

BOX_COLOR = QColor("#35e0ff")
CURSOR_COLOR = QColor("#ff2d95")
MAGNIFICATION = 4.0  # times the zoom of the canvas
MIN_MAGNIFIED, MAX_MAGNIFIED = 8.0, 24.0  # screen px per image px, unless the canvas itself shows more
BAR_HEIGHT, BAR_MARGIN, TICK = 12, 10, 4  # logical px
TICKS = 7
CORNER, CORNER_GAP = (132, 92), 6  # logical px, of a small view in a corner, and beside it
WHOLE = 0.5  # of a picture, from which on nobody needs to be told which part is seen


class SmallView(QWidget):
    """What panner and magnifier share: the current picture and a canvas of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.picture: PictureView | None = None
        self.setMinimumSize(80, 80)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(180, 160)

    def size_px(self) -> viewport.Size:
        """Size in device pixels."""
        r = self.devicePixelRatioF()
        return max(1, round(self.width() * r)), max(1, round(self.height() * r))

    def draw(self, view: CanvasView | None) -> None:
        """Follow the current picture."""
        before, self.picture = self.picture, view.picture(view.current) if view is not None else None
        if before is not None and (self.picture is None or self.picture.image is not before.image):
            self.forget()
        self.update()

    def forget(self) -> None:
        """Let go of the image that was shown."""

    def begin(self) -> QPainter:
        """A painter in device pixels."""
        p = QPainter(self)
        p.scale(1 / self.devicePixelRatioF(), 1 / self.devicePixelRatioF())
        p.fillRect(QRect(0, 0, *self.size_px()), BACKGROUND)
        return p


class Panner(SmallView):
    """Draws the whole picture with a box around what the canvas shows; dragging emits SetView."""

    intent = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Panner")
        self._key: tuple[object, ...] | None = None
        self._image = QImage()
        self._view: ViewState | None = None
        self._canvas: viewport.Size = (1, 1)

    def forget(self) -> None:
        self._key, self._image = None, QImage()

    def follow(self, key: int, view: ViewState, size: viewport.Size | None = None) -> None:
        """Draw the box of another view."""
        if self.picture is not None and key == self.picture.key:
            self._view = view
            sender = self.sender()
            self._canvas = size or (sender.tile_size(key) if hasattr(sender, "tile_size") else self._canvas)
            self.update()

    def is_part(self) -> bool:
        """Whether the canvas shows less than half of the picture."""
        if self.picture is None or self._view is None:
            return False
        w, h = self._canvas
        corners = [viewport.to_image(self._view, self._canvas, sx, sy) for sx, sy in ((0, 0), (w, h))]
        seen = []
        for ends, n in zip(zip(*corners), reversed(self.picture.image.shape)):
            seen.append(min(max(ends), n - 0.5) - max(min(ends), -0.5))
        ny, nx = self.picture.image.shape
        return bool(max(seen[0], 0.0) * max(seen[1], 0.0) < WHOLE * nx * ny)

    def _fitted(self, picture: PictureView) -> ViewState:
        """The view of the whole picture."""
        return whole_view(picture, self.size_px())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        p = self.begin()
        picture = self.picture
        if picture is None:
            return
        size = self.size_px()
        key = (picture.image, picture.plane, picture.pyramid, picture.look, self._fitted(picture), size)
        if not same(self._key, key):
            self._key, self._image = key, whole(picture, size)
        p.drawImage((size[0] - self._image.width()) // 2, (size[1] - self._image.height()) // 2, self._image)
        if self._view is not None:
            w, h = self._canvas
            corners = [viewport.to_image(self._view, self._canvas, sx, sy) for sx in (0, w) for sy in (0, h)]
            x, y = viewport.to_screen(self._fitted(picture), size, *(np.array(c) for c in zip(*corners)))
            p.setPen(QPen(BOX_COLOR, self.devicePixelRatioF()))
            p.drawRect(QRectF(QPointF(x.min(), y.min()), QPointF(x.max(), y.max())))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Bring the place under the cursor to the center of the canvas."""
        if event is None or self.picture is None or self._view is None or not event.buttons():
            return
        r = self.devicePixelRatioF()
        at = event.position() * r
        x, y = viewport.to_image(self._fitted(self.picture), self.size_px(), at.x(), at.y())
        self.intent.emit(want.SetView(self.picture.key, viewport.centered(self._view, x, y)))


class Magnifier(SmallView):
    """Draws the pixels around the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Magnifier")
        self._stages = Stages()
        self._at: tuple[float, float] | None = None
        self._pictures: dict[int, PictureView] = {}

    def draw(self, view: CanvasView | None) -> None:
        self._pictures = {p.key: p for p in view.pictures} if view is not None else {}
        super().draw(view)

    def forget(self) -> None:
        self._stages = Stages()

    def look_at(self, key: int, x: float, y: float) -> None:
        """Show the surroundings of another place."""
        self.picture = self._pictures.get(key, self.picture)
        self._at = (x, y)
        if self.isVisible():
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        p = self.begin()
        if self.picture is None or self._at is None:
            return
        size, shown = self.size_px(), self.picture.view
        zoom = MIN_MAGNIFIED if shown.fit else min(shown.zoom * MAGNIFICATION, max(MAX_MAGNIFIED, shown.zoom))
        zoom = max(zoom, MIN_MAGNIFIED)
        at = replace(shown, x=self._at[0], y=self._at[1], zoom=zoom, aspect=1.0, fit=False)
        image = self._stages.render(self.picture, self.picture.look, at, size)
        if image is not None:
            p.drawImage(*self._stages.corner, image)
        x, y = viewport.to_screen(at, size, round(self._at[0]), round(self._at[1]))
        p.setPen(QPen(CURSOR_COLOR, self.devicePixelRatioF()))
        p.drawRect(QRectF(float(x) - zoom / 2, float(y) - zoom / 2, zoom, zoom))


class Navigator(QWidget):
    """A corner of the canvas: the whole picture while only a part of it is in view, and the pixels at the cursor."""

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setAccessibleName("Navigator")
        self.panner, self.magnifier = Panner(), Magnifier()
        self._wanted = False  # the panner
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for small in (self.panner, self.magnifier):
            small.setFixedSize(*CORNER)
            small.hide()
            column.addWidget(small)
        canvas.installEventFilter(self)

    def switch(self, *, panner: bool, magnifier: bool) -> None:
        """Which of both are wanted."""
        self._wanted = panner
        self.magnifier.setVisible(magnifier)
        self._place()

    def follow(self, key: int, view: ViewState, size: viewport.Size) -> None:
        """Another part is in view."""
        self.panner.follow(key, view, size)
        self._place()

    def _place(self) -> None:
        """Into the upper right corner, as large as what is shown."""
        self.panner.setVisible(self._wanted and self.panner.is_part())
        shown = [small for small in (self.panner, self.magnifier) if not small.isHidden()]
        self.setVisible(bool(shown))
        self.adjustSize()
        canvas = self.parentWidget()
        if canvas is not None:
            self.move(canvas.width() - self.width() - CORNER_GAP, CORNER_GAP)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Resize:
            self._place()
        return False


class ColorBar(QWidget):
    """Draws the colors between the limits with ticks and the unit."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Color bar")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._picture: PictureView | None = None
        self._look = Look()
        self._limits = (0.0, 1.0)

    def sizeHint(self) -> QSize:
        return QSize(200, BAR_HEIGHT + TICK + self.fontMetrics().height() + 4)

    def draw(self, view: CanvasView | None, key: int | None = None) -> None:
        """Follow the picture that is on the screen (None = the current one)."""
        picture = None if view is None else view.picture(key) or view.picture(view.current)
        before = self._picture
        self._picture = picture
        if picture is None:
            self.update()
        elif before is None or picture.image is not before.image or picture.look != self._look:
            self.follow(picture.key, picture.look)

    def follow(self, key: int, look: Look) -> None:
        """Show another look of the current picture (while it is dragged)."""
        if self._picture is not None and key == self._picture.key:
            self._look, self._limits = look, limits(self._picture, look)
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        p = QPainter(self)
        p.fillRect(self.rect(), self.palette().window())
        if self._picture is None:
            return
        look, unit = self._look, self._picture.unit
        p.setFont(layers.label_font(self.font()))
        metrics = p.fontMetrics()
        wide = metrics.horizontalAdvance(unit) + BAR_MARGIN if unit else 0
        bar = QRectF(BAR_MARGIN, 2, max(self.width() - 2 * BAR_MARGIN - wide, 10), BAR_HEIGHT)
        table = colors.table(look.cmap, invert=look.invert, bias=look.bias, contrast=look.contrast)[1:]
        ramp = np.ascontiguousarray(table)
        p.drawImage(bar, QImage(ramp.tobytes(), len(ramp), 1, 4 * len(ramp), RGB32))
        p.setPen(self.palette().windowText().color())
        end = -1e9
        for value, place in ticks(look, *self._limits, TICKS):
            x = bar.x() + place * (bar.width() - 1)
            text = label(value, self._limits)
            half = metrics.horizontalAdvance(text) / 2
            left = min(max(x - half, 1.0), self.width() - wide - 2 * half - 1)
            if left < end + 8:
                continue
            end = left + 2 * half
            p.drawLine(QPointF(x, bar.bottom()), QPointF(x, bar.bottom() + TICK))
            p.drawText(QPointF(left, bar.bottom() + TICK + metrics.ascent()), text)
        if unit:
            p.drawText(QPointF(self.width() - wide + 2, bar.bottom() - 1), unit)
