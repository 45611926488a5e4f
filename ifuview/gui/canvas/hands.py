"""Mouse and keys on the canvas: what each gesture does, locally first and as one intent at its end."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QPoint, QRect, Qt, QTimer
from PyQt6.QtGui import QCursor, QKeyEvent, QMouseEvent, QWheelEvent

from ifuview.app import intents as want
from ifuview.app.frames.look import Look, ViewState
from ifuview.app.frames.views import viewport
from ifuview.gui.canvas.region_hands import RegionHands
from ifuview.gui.canvas.surface import Surface

CLICK_SLOP = 3  # px a click may move
WHEEL_FACTOR = 1.2  # zoom of one wheel step, as in ds9
WHEEL_STEP = 120  # units of angleDelta in one step
WHEEL_REST_MS = 120
KEY_REST_MS = 150
MAX_CONTRAST = 10.0  # over the height of the canvas, as in ds9

LEFT, MIDDLE, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton
ARROWS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_H: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_L: (1, 0),
    Qt.Key.Key_Up: (0, -1), Qt.Key.Key_K: (0, -1), Qt.Key.Key_Down: (0, 1), Qt.Key.Key_J: (0, 1),
}  # fmt: skip


class Hands:
    """The state of the gesture in progress.

    `wheel_at` is "cursor" or, for ds9 hands, "center".
    """

    def __init__(self, canvas: Surface) -> None:
        self.canvas = canvas
        self.regions = RegionHands(canvas)
        self._on_region = False
        self.wheel_at = "cursor"
        self.button: Qt.MouseButton | None = None
        self.dragged = False
        self._start = QPoint()
        self._tile: tuple[int, QRect] | None = None
        self._view = ViewState()
        self._look = Look()
        self._rest = QTimer(canvas)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._settled)
        self._key_rest = QTimer(canvas)
        self._key_rest.setSingleShot(True)
        self._key_rest.timeout.connect(self._crosshair_settled)
        self._stepped: tuple[int, float, float] | None = None

    def busy(self) -> bool:
        """Whether a button is held or the wheel has not come to rest."""
        return self.button is not None or self._rest.isActive()

    def _at(self, event: QMouseEvent | QWheelEvent) -> QPoint:
        """Position of an event in device pixels."""
        r = self.canvas.devicePixelRatioF()
        where = event.position()
        return QPoint(int(where.x() * r), int(where.y() * r))

    # ---- buttons ----
    def press(self, event: QMouseEvent | None) -> None:
        """Begin a click or a drag."""
        if event is None or self.button is not None:
            return
        if self._rest.isActive():
            self._settled()
        self.button, self.dragged = event.button(), False
        self._start = self._at(event)
        self._tile = self.canvas.tile_at(self._start)
        if self._tile is not None:
            key, rect = self._tile
            self._view = self.canvas.view_of(key, (rect.width(), rect.height()))
            self._look = self.canvas.look_of(key)
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._on_region = self.button == LEFT and self.regions.press(self._tile, self._start, turn=shift)

    def move(self, event: QMouseEvent | None) -> None:
        """Drag, or report what is under the cursor."""
        if event is None:
            return
        at = self._at(event)
        if self.button is None or self._tile is None:
            self.regions.follow(at)
            self.hover(at)
            return
        step = at - self._start
        if not self.dragged and step.manhattanLength() <= CLICK_SLOP:
            return
        self.dragged = True
        key, rect = self._tile
        if self._on_region:
            self.regions.drag(at)
            self.hover(at)
        elif self.button == RIGHT:
            look = replace(
                self._look,
                bias=min(max(self._look.bias + step.x() / rect.width(), 0.0), 1.0),
                contrast=min(max(self._look.contrast + MAX_CONTRAST * step.y() / rect.height(), 0.0), MAX_CONTRAST),
            )
            self.canvas.set_look_live(key, look)
        else:
            size = (rect.width(), rect.height())
            self.canvas.set_view_live(key, viewport.panned(self._view, size, step.x(), step.y()))

    def double_click(self, event: QMouseEvent | None) -> None:
        """On a region: what is in it; else a press like any other."""
        at = QPoint() if event is None else self._at(event)
        tile = None if event is None or event.button() != LEFT else self.canvas.tile_at(at)
        if tile is None or not self.regions.double_click(tile, at):
            self.press(event)

    def release(self, event: QMouseEvent | None) -> None:
        """End a drag with one intent; a click selects or centers."""
        if event is None or event.button() != self.button:
            return
        button, tile, dragged = self.button, self._tile, self.dragged
        self.button, self._tile = None, None
        on_region, self._on_region = self._on_region, False
        if on_region and self.regions.release():
            return
        if dragged:
            self.canvas.commit()
            return
        if tile is None:
            return
        key, rect = tile
        if key != self.canvas.view.current:
            self.canvas.intent.emit(want.SelectSlot(key))
        found = self.canvas.image_at(self._start)
        if button == LEFT and found is not None:
            self.canvas.intent.emit(want.PickPoint(*found))
        elif button == MIDDLE:
            x, y = viewport.to_image(
                self._view, (rect.width(), rect.height()), self._start.x() - rect.x(), self._start.y() - rect.y()
            )
            self.canvas.intent.emit(want.SetView(key, viewport.centered(self._view, x, y)))

    def hover(self, at: QPoint) -> None:
        """Tell what is under the cursor."""
        found = self.canvas.image_at(at)
        if found is None:
            self.canvas.left.emit()
        else:
            self.canvas.hovered.emit(*found)

    def hover_again(self) -> None:
        """The picture under a resting cursor has changed."""
        if self.canvas.underMouse():
            spot = self.canvas.mapFromGlobal(QCursor.pos())
            ratio = self.canvas.devicePixelRatioF()
            self.hover(QPoint(round(spot.x() * ratio), round(spot.y() * ratio)))

    # ---- wheel ----
    def wheel(self, event: QWheelEvent | None) -> None:
        """Zoom at the cursor (or the center); one intent when the wheel rests."""
        if event is None or not event.angleDelta().y():
            return
        at = self._at(event)
        tile = self.canvas.tile_at(at)
        if tile is not None:
            key, rect = tile
            steps = event.angleDelta().y() / WHEEL_STEP
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier and self.regions.scale(tile, at, steps):
                event.accept()
                return
            factor = WHEEL_FACTOR ** (event.angleDelta().y() / WHEEL_STEP)
            spot = (at.x() - rect.x() + 0.5, at.y() - rect.y() + 0.5) if self.wheel_at == "cursor" else None
            self.zoom(key, factor, spot)
        event.accept()

    def zoom(self, key: int, factor: float, spot: tuple[float, float] | None = None) -> None:
        """Zoom a picture locally; the intent follows."""
        size = self.canvas.tile_size(key)
        self._rest.start(WHEEL_REST_MS)
        self.canvas.set_view_live(key, viewport.zoomed(self.canvas.view_of(key, size), size, factor, spot))

    def _settled(self) -> None:
        """The wheel has come to rest."""
        self._rest.stop()
        self.canvas.commit()

    # ---- keys ----
    def key_press(self, event: QKeyEvent | None) -> bool:
        """Space shows the previous frame while it is held; arrows and hjkl move the crosshair by a pixel."""
        if event is None:
            return False
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.peek(True)
            return True
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
        step = ARROWS.get(Qt.Key(event.key())) if plain else None
        if step is None:
            return False
        self.step_crosshair(*step)
        return True

    def key_release(self, event: QKeyEvent | None) -> bool:
        """End of the held space."""
        if event is None or event.key() != Qt.Key.Key_Space:
            return False
        if not event.isAutoRepeat():
            self.peek(False)
        return True

    def peek(self, on: bool) -> None:
        """Show the previous frame, or go back."""
        self.canvas.peeking = on
        self.canvas.update()

    def step_crosshair(self, right: int, down: int) -> None:
        """Move the crosshair by one image pixel towards a side of the screen."""
        canvas = self.canvas
        key = canvas.displayed()
        picture = canvas.view.picture(key)
        if key is None or picture is None:
            return
        view, size = canvas.view_of(key), canvas.tile_size(key)
        x, y = canvas.crosshair() or (round(view.x), round(view.y))
        m11, m12, m21, m22, _, _ = viewport.matrix(view, size)
        dx, dy = m11 * right + m12 * down, m21 * right + m22 * down
        ny, nx = picture.image.shape
        along = abs(dx) >= abs(dy)  # of a view that leans the nearest of both axes
        x = min(max(round(x) + ((dx > 0) - (dx < 0)) * along, 0), nx - 1)
        y = min(max(round(y) + ((dy > 0) - (dy < 0)) * (not along), 0), ny - 1)
        canvas.live.crosshair = (float(x), float(y))
        self._stepped = (key, float(x), float(y))
        canvas.hovered.emit(key, float(x), float(y))
        canvas.update()
        self._key_rest.start(KEY_REST_MS)

    def _crosshair_settled(self) -> None:
        """The keys have come to rest: select what is there."""
        if self._stepped is not None:
            stepped, self._stepped = self._stepped, None
            self.canvas.intent.emit(want.PickPoint(*stepped))
