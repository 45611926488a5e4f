"""The pictures of a canvas and what is on the screen of each: where, which part, in which look. The hands act on it."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QPoint, QRect, pyqtSignal
from PyQt6.QtWidgets import QWidget

from ifuview.app import intents as want
from ifuview.app.frames.look import LimitMode, Look, ViewState
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.image import CanvasView
from ifuview.app.session import Layout
from ifuview.gui.canvas.arrange import arrange
from ifuview.gui.canvas.frame import STRIP_HEIGHT
from ifuview.gui.canvas.live import Live


class Surface(QWidget):
    """What is shown of a CanvasView; what a hand changes is shown at once and is an intent at its end."""

    intent = pyqtSignal(object)
    hovered = pyqtSignal(int, float, float)  # key, native x and y
    left = pyqtSignal()
    text_wanted = pyqtSignal()  # of the text that was just drawn
    region_moved = pyqtSignal(int, object)  # key, the Region in the hand
    region_dropped = pyqtSignal()  # it is no more, and leaves nothing
    view_moved = pyqtSignal(int, object)  # key and the ViewState now on the screen
    look_moved = pyqtSignal(int, object)  # key and the Look now on the screen
    shown = pyqtSignal(object)  # key of the picture now on the screen, while blinking or peeking not the current one

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = CanvasView()
        self.live = Live()
        self._peeking = False
        self._told: int | None = None
        self._blinking: int | None = None  # key of the picture whose turn it is

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
        keys = self.view.blinks or tuple(p.key for p in self.view.pictures)
        boxes = arrange(len(keys), w, h, self.view.tiles)
        return [(key, QRect(x, y + strip, bw, max(1, bh - strip))) for key, (x, y, bw, bh) in zip(keys, boxes)]

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

    def crosshair(self) -> tuple[float, float] | None:
        """Where the crosshair is, native px."""
        return self.live.crosshair or self.view.crosshair
