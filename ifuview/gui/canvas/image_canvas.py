"""The canvas: pictures painted from three cached stages, with everything that lies above them."""

from __future__ import annotations

from PyQt6.QtCore import QRect, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from ifuview.app import intents as want
from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.image import CanvasView, PictureView
from ifuview.app.session import Layout
from ifuview.gui.canvas import layers
from ifuview.gui.canvas.caption import MOST_NAMED, Caption
from ifuview.gui.canvas.drawing.grid import draw_grid
from ifuview.gui.canvas.frame import BACKGROUND, STRIP_HEIGHT, fill_around, paint_strip
from ifuview.gui.canvas.hands import Hands
from ifuview.gui.canvas.layer import Layer, in_points
from ifuview.gui.canvas.stages import Stages, limits
from ifuview.gui.canvas.surface import Surface

HINT, HINT_COLOR = "Open a file with Ctrl+O, or drop one here", QColor("#c3c8cd")
HINT_SIZE = 1.3  # of the font of the window
NIGHT_HINT = "Choose a camera in the exposures: a click on one of its dots shows that product"
MIN_BLINK_MS = 8
FOLLOWED_MS = 100  # what is beside the canvas follows the blinked frame if that stays as long
KEPT_PICTURES = 12  # pictures whose stages stay ready while they are not shown


class ImageCanvas(Surface):
    """Draws the pictures of a CanvasView.

    Emits SetView, SetLook, PickPoint, SelectSlot and OpenFile. While a button is down it follows the hand by itself and
    emits one intent when the button is released; the wheel emits one when it comes to rest.
    """

    painted = pyqtSignal()  # once, when the first picture is on the screen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hands = Hands(self)
        self.hint = HINT  # what an empty canvas says
        self._caption = Caption()
        self._stages: dict[int, Stages] = {}
        self._layers: dict[int, Layer] = {}
        self._was_painted = False
        self._blink = QTimer(self)
        self._blink.setTimerType(Qt.TimerType.PreciseTimer)
        self._blink.timeout.connect(self._next_blink)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 80)
        self.setObjectName("canvas")
        self.setAccessibleName("Image")
        self.setAccessibleDescription(
            "Wheel zooms, left or middle drag pans, right drag changes contrast, click selects"
        )

    def draw(self, view: CanvasView) -> None:
        """Show `view`; what the hand holds stays as it is."""
        self.live.keep(self.view, view, busy=self.hands.busy())
        old, self.view = self.view, view
        self.hands.regions.view_changed()
        keys = {p.key for p in view.pictures}
        for cache in (self._stages, self._layers):
            for key in [k for k in cache if k not in keys]:
                del cache[key]
        self._caption.keep(keys)
        self._set_blinking()
        self.update()
        self._tell_shown()
        self._tell_view()
        if view.crosshair not in (None, old.crosshair) and view.current == old.current:
            self._bring_into_view()

    def _bring_into_view(self) -> None:
        """Center on the crosshair if it went where the zoomed view does not reach (a fiber chosen in a table)."""
        picture, spot = self.view.picture(self.view.current), self.view.crosshair
        if picture is None or spot is None or picture.view.fit:
            return
        size, at = self.tile_size(picture.key), self.view_of(picture.key)
        sx, sy = viewport.to_screen(at, size, *spot)
        if not (0 <= sx <= size[0] and 0 <= sy <= size[1]):
            intent = want.SetView(picture.key, viewport.centered(at, *spot))
            QTimer.singleShot(0, lambda: self.intent.emit(intent))

    @property
    def wheel_at_center(self) -> bool:
        """Whether the wheel zooms about the center of the canvas, as ds9 does, and not at the cursor."""
        return self.hands.wheel_at == "center"

    @wheel_at_center.setter
    def wheel_at_center(self, on: bool) -> None:
        self.hands.wheel_at = "center" if on else "cursor"

    def _set_blinking(self) -> None:
        """Start or stop the blink timer as the view says."""
        on = self.view.layout is Layout.BLINK and len(self.view.pictures) > 1
        if not on:
            self._blink.stop()
            self._blinking = None
            return
        if self._blinking is None:
            keys = self.view.blinks
            self._blinking = self.view.current if self.view.current in keys or not keys else keys[0]
        period = max(self.view.blink_ms, MIN_BLINK_MS)
        if not self._blink.isActive() or self._blink.interval() != period:
            self._blink.start(period)

    def _next_blink(self) -> None:
        keys = list(self.view.blinks) or [p.key for p in self.view.pictures]
        if keys:
            at = keys.index(self._blinking) if self._blinking in keys else -1
            self._blinking = keys[(at + 1) % len(keys)]
            self.update()
            self._tell_shown()
            if self.followed():
                self.hands.hover_again()

    def followed(self) -> bool:
        """Whether a picture stays long enough for the rest of the window to follow it."""
        return not self._blink.isActive() or self._blink.interval() >= FOLLOWED_MS

    def paintEvent(self, event: QPaintEvent | None) -> None:
        p = QPainter(self)
        self._paint(p)
        p.end()
        if not self._was_painted and self.view.pictures:
            self._was_painted = True
            self.painted.emit()

    def _paint(self, p: QPainter) -> None:
        ratio = self.devicePixelRatioF()
        if ratio != 1:
            p.scale(1 / ratio, 1 / ratio)
        tiles = self.tiles()
        if len(tiles) != 1 or self.view.layout is Layout.TILE:
            p.fillRect(QRect(0, 0, *self.size_px()), BACKGROUND)
        font = layers.label_font(self.font())
        font.setPointSizeF(font.pointSizeF() * ratio)
        p.setFont(font)
        if not tiles:
            font.setPointSizeF(self.font().pointSizeF() * HINT_SIZE * ratio)
            p.setFont(font)
            p.setPen(HINT_COLOR)
            p.drawText(QRect(0, 0, *self.size_px()), Qt.AlignmentFlag.AlignCenter, self.hint)
        for key, rect in tiles:
            self._paint_picture(p, key, rect)
        if self.view.layout is Layout.BLINK or self.peeking:
            self._paint_caption(p, ratio)
        self._forget_old(dict(tiles))

    def _paint_caption(self, p: QPainter, ratio: float) -> None:
        """Name, colors and unit of the picture that is shown just now."""
        picture = self.view.picture(self.displayed())
        keys = list(self.view.blinks) if self.view.layout is Layout.BLINK else []
        if picture is None or picture.key not in keys:
            keys = [each.key for each in self.view.pictures]
        if picture is not None and len(keys) > 1:
            look, place = self.look_of(picture.key), f"{keys.index(picture.key) + 1} of {len(keys)}"
            named = [self.view.picture(key) for key in keys] if self.view.layout is Layout.BLINK else []
            others = tuple(each.title for each in named[:MOST_NAMED] if each is not None)
            self._caption.paint(p, picture, look, limits(picture, look), place, ratio, others)

    def _paint_picture(self, p: QPainter, key: int, rect: QRect) -> None:
        picture = self.view.picture(key)
        assert picture is not None
        size = (rect.width(), rect.height())
        at = self.view_of(key, size)
        stages = self._stages[key] = self._stages.pop(key, None) or Stages()
        image = stages.render(picture, self.look_of(key), at, size)
        place = QRect(rect.x(), rect.y(), 0, 0)
        if image is not None:
            left, top = stages.corner
            place = QRect(rect.x() + left, rect.y() + top, image.width(), image.height())
        fill_around(p, rect, place)
        if image is not None:
            p.drawImage(place.topLeft(), image)
        p.save()
        p.setClipRect(rect)
        p.translate(rect.topLeft())
        self._paint_overlay(p, picture, at, size)
        p.restore()
        if self.view.layout is Layout.TILE:
            height = round(STRIP_HEIGHT * self.devicePixelRatioF())
            paint_strip(p, picture.title, rect, height, current=picture.key == self.view.current)

    def _paint_overlay(self, p: QPainter, picture: PictureView, at: ViewState, size: viewport.Size) -> None:
        overlay = self.hands.regions.overlay(picture)
        if overlay is not None and not overlay.empty():
            moving = self.hands.busy() and self.live.view is not None
            layer = self._layers.setdefault(picture.key, Layer())
            layer.ratio = self.devicePixelRatioF()
            layer.paint(p, overlay, at, size, moving=moving)
        at, size = in_points(p, at, size, self.devicePixelRatioF())
        if self.view.shown.grid and picture.sky is not None:
            draw_grid(p, picture.sky, at, size, sexagesimal=self.view.shown.sexagesimal)
        self.hands.regions.paint(p, picture, at, size)
        crosshair = self.crosshair()
        if crosshair is not None and self.view.shown.crosshair and self._shares_crosshair(picture):
            layers.draw_crosshair(p, *crosshair, at, size)
        elif picture.spot is not None and self.view.shown.crosshair:
            layers.draw_crosshair(p, *picture.spot, at, size)

    def _shares_crosshair(self, picture: PictureView) -> bool:
        """Whether the crosshair means the same place in this picture."""
        current = self.view.picture(self.view.current)
        if current is None or picture.key == current.key:
            return True
        if self.view.locks.sky:
            return False
        return self.view.locks.crosshair and picture.image.shape == current.image.shape

    def _forget_old(self, shown: dict[int, QRect]) -> None:
        """Keep the stages of the pictures painted last."""
        spare = [k for k in self._stages if k not in shown]
        for key in spare[: max(0, len(spare) - KEPT_PICTURES)]:
            del self._stages[key]
            self._layers.pop(key, None)

    def grab_image(self) -> QImage:
        """The canvas as a picture, for saving."""
        image = QImage(*self.size_px(), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(self.devicePixelRatioF())
        p = QPainter(image)
        self._paint(p)
        p.end()
        return image

    def display_limits(self, key: int) -> tuple[float, float]:
        """Limits that a picture is shown with."""
        picture = self.view.picture(key)
        return limits(picture, self.look_of(key)) if picture is not None else (0.0, 1.0)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        self._tell_view()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        self.hands.press(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        self.hands.double_click(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        self.hands.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        self.hands.release(event)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        self.hands.wheel(event)

    def leaveEvent(self, event: object) -> None:
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if not self.hands.key_press(event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:
        if not self.hands.key_release(event):
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        self.hands.peek(False)  # the key may be released elsewhere
        super().focusOutEvent(event)
