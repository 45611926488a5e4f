"""The canvas: pictures painted from three cached stages, with everything that lies above them."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QPoint, QRect, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDropEvent,
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
from ifuview.app.frames.look import LimitMode, Look, ViewState
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.image import CanvasView, PictureView
from ifuview.app.session import Layout
from ifuview.gui.canvas import layers
from ifuview.gui.canvas.arrange import arrange
from ifuview.gui.canvas.caption import Caption
from ifuview.gui.canvas.frame import BACKGROUND, STRIP_HEIGHT, fill_around, paint_strip
from ifuview.gui.canvas.hands import Hands
from ifuview.gui.canvas.layer import Layer
from ifuview.gui.canvas.live import Live
from ifuview.gui.canvas.stages import Stages, limits

HINT, HINT_COLOR = "Open a file with Ctrl+O, or drop one here", QColor("#8c9196")
NIGHT_HINT = "Choose a camera in the exposures: a click on one of its dots shows that product"
MIN_BLINK_MS = 8
FOLLOWED_MS = 100  # what is beside the canvas follows the blinked frame if that stays as long
KEPT_PICTURES = 12  # pictures whose stages stay ready while they are not shown


class ImageCanvas(QWidget):
    """Draws the pictures of a CanvasView.

    Emits SetView, SetLook, PickPoint, SelectSlot and OpenFile. While a button is down it follows the hand by itself and
    emits one intent when the button is released; the wheel emits one when it comes to rest.
    """

    intent = pyqtSignal(object)
    hovered = pyqtSignal(int, float, float)  # key, native x and y
    left = pyqtSignal()
    painted = pyqtSignal()  # once, when the first picture is on the screen
    view_moved = pyqtSignal(int, object)  # key and the ViewState now on the screen
    look_moved = pyqtSignal(int, object)  # key and the Look now on the screen
    shown = pyqtSignal(object)  # key of the picture now on the screen, while blinking or peeking not the current one

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = CanvasView()
        self.hands = Hands(self)
        self.live = Live()
        self.hint = HINT  # what an empty canvas says
        self._peeking = False
        self._told: int | None = None
        self._caption = Caption()
        self._stages: dict[int, Stages] = {}
        self._layers: dict[int, Layer] = {}
        self._blinking: int | None = None
        self._was_painted = False
        self._blink = QTimer(self)
        self._blink.setTimerType(Qt.TimerType.PreciseTimer)
        self._blink.timeout.connect(self._next_blink)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 80)
        self.setObjectName("canvas")
        self.setAccessibleName("Image")
        self.setAccessibleDescription(
            "Wheel zooms, left or middle drag pans, right drag changes contrast, click selects"
        )

    # ---- what is shown ----
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
    def peeking(self) -> bool:
        """Whether the previous frame is shown, while space is held."""
        return self._peeking

    @peeking.setter
    def peeking(self, on: bool) -> None:
        self._peeking = on
        self._tell_shown()

    def _tell_shown(self) -> None:
        """Say which picture is on the screen, if that is another one now."""
        key = self.displayed()
        if key != self._told:
            self._told = key
            self.shown.emit(key)

    def displayed(self) -> int | None:
        """Key of the picture that single and blink layouts show now."""
        if self.peeking and self.view.picture(self.view.previous) is not None:
            return self.view.previous
        if self.view.layout is Layout.BLINK and self.view.picture(self._blinking) is not None:
            return self._blinking
        if self.view.picture(self.view.current) is not None:
            return self.view.current
        return None

    def size_px(self) -> viewport.Size:
        """Size in device pixels."""
        r = self.devicePixelRatioF()
        return max(1, round(self.width() * r)), max(1, round(self.height() * r))

    def tiles(self) -> list[tuple[int, QRect]]:
        """Keys and image areas, device px, of the pictures on the canvas."""
        w, h = self.size_px()
        if self.view.layout is not Layout.TILE or self.peeking:
            key = self.displayed()
            return [] if key is None else [(key, QRect(0, 0, w, h))]
        strip = round(STRIP_HEIGHT * self.devicePixelRatioF())
        boxes = arrange(len(self.view.pictures), w, h, self.view.tiles)
        return [
            (p.key, QRect(x, y + strip, bw, max(1, bh - strip))) for p, (x, y, bw, bh) in zip(self.view.pictures, boxes)
        ]

    def tile_at(self, position: QPoint) -> tuple[int, QRect] | None:
        """Key and image area under a device position."""
        return next(((k, r) for k, r in self.tiles() if r.contains(position)), None)

    def view_of(self, key: int, size: viewport.Size | None = None) -> ViewState:
        """The view of a picture as it is on the screen, `fit` carried out."""
        picture = self.view.picture(key)
        if picture is None:
            return ViewState()
        return viewport.resolve(self.live.view_of(picture, self.view), picture.image.shape, size or self.tile_size(key))

    def tile_size(self, key: int) -> viewport.Size:
        """Size of the area of a picture (of the canvas if it is not shown)."""
        rect = next((r for k, r in self.tiles() if k == key), None)
        return (rect.width(), rect.height()) if rect is not None else self.size_px()

    def look_of(self, key: int) -> Look:
        """The look of a picture as it is on the screen."""
        picture = self.view.picture(key)
        return Look() if picture is None else self.live.look_of(picture, self.view)

    def image_at(self, position: QPoint) -> tuple[int, float, float] | None:
        """Key and native position under a device position, None outside the images."""
        tile = self.tile_at(position)
        if tile is None:
            return None
        key, rect = tile
        size = (rect.width(), rect.height())
        x, y = viewport.to_image(
            self.view_of(key, size), size, position.x() - rect.x() + 0.5, position.y() - rect.y() + 0.5
        )
        ny, nx = self.view.picture(key).image.shape
        inside = -0.5 <= x < nx - 0.5 and -0.5 <= y < ny - 0.5
        return (key, x, y) if inside else None

    # ---- what the hand does ----
    def set_view_live(self, key: int, view: ViewState) -> None:
        """Show another part, without an intent."""
        self.live.view = (key, view)
        self.update()
        self._tell_view()

    def set_look_live(self, key: int, look: Look) -> None:
        """Show with another look, without an intent."""
        self.live.look = (key, look)
        self.update()
        self.look_moved.emit(key, look)

    def set_limits_live(self, key: int, lo: float, hi: float) -> None:
        """Show with other limits, without an intent (the limits dock while a handle is dragged)."""
        self.set_look_live(key, replace(self.look_of(key), limit_mode=LimitMode.USER, lo=lo, hi=hi))

    def commit(self) -> None:
        """Turn what was changed locally into intents."""
        view, look = self.live.take()
        if view is not None:
            self.intent.emit(want.SetView(*view))
        if look is not None:
            self.intent.emit(want.SetLook(*look))
        self.update()

    def _tell_view(self) -> None:
        """Say what is in view now."""
        key = self.displayed()
        if key is not None:
            self.view_moved.emit(key, self.view_of(key))

    def current_view(self, key: int) -> ViewState:
        """The view of a picture as it is on the screen, `fit` carried out."""
        return self.view_of(key)

    @property
    def wheel_at_center(self) -> bool:
        """Whether the wheel zooms about the center of the canvas, as ds9 does, and not at the cursor."""
        return self.hands.wheel_at == "center"

    @wheel_at_center.setter
    def wheel_at_center(self, on: bool) -> None:
        self.hands.wheel_at = "center" if on else "cursor"

    def crosshair(self) -> tuple[float, float] | None:
        """Where the crosshair is, native px."""
        return self.live.crosshair or self.view.crosshair

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

    # ---- painting ----
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
            self._caption.paint(p, picture, look, limits(picture, look), place, ratio)

    def _paint_picture(self, p: QPainter, key: int, rect: QRect) -> None:
        picture = self.view.picture(key)
        assert picture is not None
        size = (rect.width(), rect.height())
        at = self.view_of(key, size)
        stages = self._stages[key] = self._stages.pop(key, None) or Stages()
        image = stages.render(picture, self.look_of(key), at, size)
        place = QRect(rect.x(), rect.y(), 0, 0)
        if image is not None and stages.tile is not None:
            place = QRect(rect.x() + stages.tile.left, rect.y() + stages.tile.top, image.width(), image.height())
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
            self._layers.setdefault(picture.key, Layer()).paint(p, overlay, at, size, moving=moving)
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

    # ---- events ----
    def resizeEvent(self, event: QResizeEvent | None) -> None:
        self._tell_view()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        self.hands.press(event)

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

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        if event is not None and event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        if event is None:
            return
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.intent.emit(want.OpenFile(url.toLocalFile()))
        event.acceptProposedAction()
