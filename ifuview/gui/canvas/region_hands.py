"""The hand on regions: draw, select, move, resize, remove; locally first and as one SetRegions at the end."""

from __future__ import annotations

import math
from dataclasses import replace

from PyQt6.QtCore import QPoint, QRect, QRectF, Qt, QTimer
from PyQt6.QtGui import QColor, QPainter, QPen

from ifuview.app import intents as want
from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import regions as shapes
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.image import PictureView
from ifuview.app.frames.views.overlay import OverlayView
from ifuview.gui.canvas.drawing.regions import draw_region
from ifuview.gui.canvas.surface import Surface
from ifuview.model.region import Region, Shape

HANDLE = 3  # screen px, half the side of a handle
REACH = 7.0  # screen px within which a handle or an outline is taken
SCALE_STEP, SCALE_REST_MS = 1.1, 250  # growth by one step of the wheel; when it has come to rest
HANDLE_FILL, HANDLE_EDGE = QColor("#ffffff"), QColor("#000000")


class RegionHands:
    """Which region the hand holds and what has become of it; the session knows nothing before the end."""

    def __init__(self, canvas: Surface) -> None:
        self.canvas = canvas
        self.selected: tuple[int, int] | None = None  # key of the picture, number of the region
        self.live: Region | None = None  # what is being drawn or changed
        self._start: Region | None = None
        self._from: shapes.Point = (0.0, 0.0)
        self._handle: int | None = None
        self._held: tuple[int, QRect] | None = None
        self._rest_overlay: tuple[OverlayView, int, OverlayView] | None = None
        self._corners: list[shapes.Point] = []  # of the polygon that is being drawn, click by click
        self._closed = False  # the polygon, by the button that is down
        self._turns = False  # the hand turns the region
        self._wheel = QTimer(canvas)
        self._wheel.setSingleShot(True)
        self._wheel.timeout.connect(self.finish)

    @property
    def on(self) -> bool:
        """Whether a drag draws."""
        return bool(self.canvas.view.drawing) and self.canvas.view.shown.regions

    def regions(self, key: int) -> tuple[Region, ...]:
        """The regions of a picture that can be seen."""
        picture = self.canvas.view.picture(key)
        return picture.overlay.regions if picture is not None and picture.overlay is not None else ()

    def chosen(self) -> Region | None:
        """The selected region."""
        if self.selected is None:
            return None
        regions = self.regions(self.selected[0])
        return regions[self.selected[1]] if self.selected[1] < len(regions) else None

    def view_changed(self) -> None:
        """Another CanvasView: the cursor says whether a drag draws; what is gone is not selected."""
        cursor = Qt.CursorShape.CrossCursor if self.on else Qt.CursorShape.ArrowCursor
        if self.canvas.cursor().shape() != cursor:
            self.canvas.setCursor(cursor)
        if not self.on or self.chosen() is None:
            self.selected = None
        if not self.on:
            self.drop()

    # ---- places ----
    def _place(self, tile: tuple[int, QRect], at: QPoint) -> shapes.Point:
        """Native position under a device position, also beside the image."""
        key, rect = tile
        size = (rect.width(), rect.height())
        return viewport.to_image(self.canvas.view_of(key, size), size, at.x() - rect.x() + 0.5, at.y() - rect.y() + 0.5)

    def _slop(self, key: int) -> shapes.Point:
        """Reach of the hand in native px along x and y."""
        view = self.canvas.view_of(key)
        return REACH / view.zoom, REACH / (view.zoom * view.aspect)

    # ---- gestures; each says whether it was meant for a region ----
    def press(self, tile: tuple[int, QRect], at: QPoint, *, turn: bool = False) -> bool:
        """Take a handle (with `turn` to turn the region), a region, or begin a new one."""
        if not self.on:
            return False
        if self._corners and self._held is not None and self._held[0] == tile[0]:
            self._add_corner(self._place(tile, at))
            return True
        self._turns = turn
        self.finish()
        key = tile[0]
        self._held, self._from = tile, self._place(tile, at)
        self._handle, self._start = None, None
        chosen = self.chosen()
        if chosen is not None and self.selected is not None and self.selected[0] == key:
            self._handle = shapes.handle_at(chosen, *self._from, self._slop(key))
        if self._handle is None:
            found = shapes.hit(self.regions(key), *self._from, self._slop(key))
            self.selected = None if found is None else (key, found)
        self._start = self.chosen()
        if self._start is None and self.canvas.view.drawing == Shape.POLYGON:
            self._corners = [self._from]
        if self._start is None and self.canvas.view.drawing == Shape.TEXT:
            self.live = self._new(self._from)
        self.canvas.update()
        return True

    def _new(self, stop: shapes.Point) -> Region:
        """What a drag from where the hand began draws."""
        known = self.regions(self._held[0]) if self._held is not None else ()
        color = self.live.color if self.live is not None else shapes.next_color(known)
        text = self.live.text if self.live is not None else shapes.next_label(known)
        if self._corners:
            return Region(Shape.POLYGON, (*self._corners, stop), text=text, color=color)
        return shapes.drawn(self.canvas.view.drawing, self._from, stop, text=text, color=color)

    def _add_corner(self, place: shapes.Point) -> None:
        """One more corner of the polygon; its first one closes it."""
        assert self._held is not None
        dx, dy = (abs(a - b) for a, b in zip(place, self._corners[0]))
        slop = self._slop(self._held[0])
        if len(self._corners) > 2 and dx <= slop[0] and dy <= slop[1]:
            self._closed = self.close_polygon()
            return
        self._corners.append(place)
        self.live = self._new(place)
        self._tell()

    def close_polygon(self) -> bool:
        """End the polygon that is being drawn; whether one was."""
        corners, self._corners = self._corners, []
        if not corners:
            return False
        corners = [c for n, c in enumerate(corners) if n == 0 or math.dist(c, corners[n - 1]) > 0]
        self.live = replace(self.live, points=tuple(corners)) if self.live is not None and len(corners) > 2 else None
        self.finish()
        return True

    def follow(self, at: QPoint) -> None:
        """The pointer moves without a button: the next corner of a polygon goes with it."""
        if self._corners and self._held is not None:
            self.live = self._new(self._place(self._held, at))
            self.canvas.update()

    def double_click(self, tile: tuple[int, QRect], at: QPoint) -> bool:
        """End a polygon, or ask what is in the region there; whether the click was meant for a region."""
        if self.close_polygon():
            return True
        key = tile[0]
        found = shapes.hit(self.regions(key), *self._place(tile, at), self._slop(key))
        if found is None:
            return False
        self.canvas.intent.emit(want.ShowRegion(key, found))
        self.canvas.intent.emit(want.ShowDock("region"))
        return True

    def drag(self, at: QPoint) -> None:
        """Follow the hand."""
        if self._held is None:
            return
        x, y = self._place(self._held, at)
        if self._start is None:
            self.live = self._new((x, y))
        elif self._handle is not None and self._turns:
            self.live = shapes.rotated(self._start, self._from, (x, y))
        elif self._handle is not None:
            self.live = shapes.resized(self._start, self._handle, x, y)
        else:
            self.live = shapes.moved(self._start, x - self._from[0], y - self._from[1])
        self._tell()

    def _tell(self) -> None:
        """Show what is in the hand, and say so to who measures it meanwhile."""
        self.canvas.update()
        if self.live is not None and self._held is not None:
            self.canvas.region_moved.emit(self._held[0], self.live)

    def release(self) -> bool:
        """End: one intent if anything changed. Whether the hand held a region (else it was a click on the image)."""
        if self._corners or self._closed:
            self._closed = False
            return True  # a polygon goes on until its first corner or a double click
        took = self.live is not None or self._start is not None
        if self.live is None and self._start is not None and self.selected is not None:
            self.canvas.intent.emit(want.ShowRegion(*self.selected))
        self.finish()
        return took

    def finish(self) -> None:
        """Hand over what was drawn or changed."""
        self._wheel.stop()
        self._corners = []
        live, held, self.live = self.live, self._held, None
        self._held = None
        if live is None or held is None:
            return
        key = held[0]
        known = self.regions(key)
        if self._start is None:
            self.selected = (key, len(known))
            self.canvas.intent.emit(want.SetRegions(key, (*known, live)))
            if live.shape is Shape.TEXT:
                self.canvas.text_wanted.emit()
        elif self.selected is not None:
            place = self.selected[1]
            self.canvas.intent.emit(want.SetRegions(key, (*known[:place], live, *known[place + 1 :])))
        self.canvas.update()

    def drop(self) -> bool:
        """Forget what the hand holds; whether it held anything."""
        self._wheel.stop()
        held, shown = self.live is not None or bool(self._corners), self.live is not None
        self._corners = []
        self.live, self._held, self._start = None, None, None
        if shown:
            self.canvas.region_dropped.emit()
        self.canvas.update()
        return held

    def scale(self, tile: tuple[int, QRect], at: QPoint, steps: float) -> bool:
        """Make the region under the cursor larger or smaller; one intent when the wheel rests."""
        if not self.on:
            return False
        key = tile[0]
        if self.live is None:
            found = shapes.hit(self.regions(key), *self._place(tile, at), self._slop(key))
            if found is None:
                return False
            self.selected, self._held = (key, found), tile
            self._start = self.chosen()
        base = self.live or self._start
        if base is None:
            return False
        self.live = shapes.scaled(base, SCALE_STEP**steps)
        self._wheel.start(SCALE_REST_MS)
        self._tell()
        return True

    def remove(self) -> bool:
        """Remove the selected region; whether there was one."""
        if self.chosen() is None or self.selected is None:
            return False
        key, place = self.selected
        known = self.regions(key)
        self.drop()
        self.selected = None
        self.canvas.intent.emit(want.SetRegions(key, (*known[:place], *known[place + 1 :])))
        return True

    def rename(self, text: str) -> None:
        """Give the selected region another text."""
        chosen = self.chosen()
        if chosen is not None and self.selected is not None:
            key, place = self.selected
            known = self.regions(key)
            new = replace(chosen, text=text)
            self.canvas.intent.emit(want.SetRegions(key, (*known[:place], new, *known[place + 1 :])))

    # ---- painting ----
    def overlay(self, picture: PictureView) -> OverlayView | None:
        """The overlay of a picture without the region that the hand holds."""
        overlay = picture.overlay
        if overlay is None or self.live is None or self._start is None or self.selected is None:
            return overlay
        key, place = self.selected
        if picture.key != key:
            return overlay
        if self._rest_overlay is None or self._rest_overlay[0] is not overlay or self._rest_overlay[1] != place:
            rest = (*overlay.regions[:place], *overlay.regions[place + 1 :])
            self._rest_overlay = (overlay, place, replace(overlay, regions=rest))
        return self._rest_overlay[2]

    def paint(self, p: QPainter, picture: PictureView, at: ViewState, size: viewport.Size) -> None:
        """Draw the region in the hand and the handles of the selected one."""
        rings = picture.overlay.rings if picture.overlay is not None else None
        if self.live is not None and self._held is not None and self._held[0] == picture.key:
            draw_region(p, self.live, at, size, rings)
        shown = self.live if self.live is not None else self.chosen()
        key = self._held[0] if self.live is not None and self._held is not None else (self.selected or (None,))[0]
        if shown is None or key != picture.key:
            return
        p.setPen(QPen(HANDLE_EDGE, 1))
        p.setBrush(HANDLE_FILL)
        for x, y in shapes.handles(shown):
            sx, sy = (float(v) for v in viewport.to_screen(at, size, x, y))
            p.drawRect(QRectF(sx - HANDLE, sy - HANDLE, 2 * HANDLE, 2 * HANDLE))
