"""The overlay of one picture, painted once for a view and moved along while the picture is panned."""

from __future__ import annotations

import math
from dataclasses import replace

from PyQt6.QtCore import QPoint, QRect, QRectF, Qt
from PyQt6.QtGui import QImage, QPainter

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.overlay import OverlayView
from ifuview.gui.canvas.layers import draw_overlay, draw_pinned

ARGB = QImage.Format.Format_ARGB32_Premultiplied
WHOLE = 1e-6  # px by which a shift may miss a whole number


def in_points(p: QPainter, at: ViewState, size: viewport.Size, ratio: float) -> tuple[ViewState, viewport.Size]:
    """Paint in px of the desktop from now on, of which one is `ratio` of the screen: lines and marks keep their size.

    Returns the view and the size of the canvas in these.
    """
    if ratio == 1:
        return at, size
    whole = math.ceil(size[0] / ratio), math.ceil(size[1] / ratio)
    font = p.font()
    font.setPointSizeF(font.pointSizeF() / ratio)
    p.setFont(font)
    p.scale(ratio, ratio)
    p.translate((size[0] / ratio - whole[0]) / 2, (size[1] / ratio - whole[1]) / 2)  # the middle stays where it is
    return replace(at, zoom=at.zoom / ratio), whole


class Layer:
    """A transparent picture of everything that lies on an image; what stands at the edges of the canvas is above it."""

    def __init__(self) -> None:
        self.ratio = 1.0  # of px of the screen to those of the desktop
        self.image = QImage()
        self.source: OverlayView | None = None
        self.at: ViewState | None = None
        self.size: viewport.Size = (0, 0)
        self._font_size = 0.0

    def paint(self, p: QPainter, overlay: OverlayView, at: ViewState, size: viewport.Size, *, moving: bool) -> None:
        """Paint the overlay; while moving, what is there already is shifted and only the rest is drawn."""
        self._paint(p, overlay, at, size, moving=moving)
        p.save()
        draw_pinned(p, overlay, *in_points(p, at, size, self.ratio), moving=moving)
        p.restore()

    def _paint(self, p: QPainter, overlay: OverlayView, at: ViewState, size: viewport.Size, *, moving: bool) -> None:
        """Paint what lies on the image."""
        if not moving:
            self._remake(p, overlay, at, size)
            p.drawImage(0, 0, self.image)
            return
        shift = self._shift(overlay, at, size)
        if shift is None:
            self._draw(p, overlay, at, size)
            return
        p.drawImage(shift, self.image)
        for strip in uncovered(size, shift):
            p.save()
            p.setClipRect(strip, Qt.ClipOperation.IntersectClip)
            self._draw(p, overlay, at, size, strip)
            p.restore()

    def _draw(
        self, p: QPainter, overlay: OverlayView, at: ViewState, size: viewport.Size, strip: QRect | None = None
    ) -> None:
        """Draw while moving, in a part of the canvas only if given."""
        p.save()
        before = p.transform().inverted()[0]
        at, size = in_points(p, at, size, self.ratio)
        back = (p.transform() * before).inverted()[0]
        area = None if strip is None else back.mapRect(QRectF(strip)).toAlignedRect()
        draw_overlay(p, overlay, at, size, moving=True, area=area)
        p.restore()

    def _remake(self, p: QPainter, overlay: OverlayView, at: ViewState, size: viewport.Size) -> None:
        """Draw everything again if anything differs."""
        font = p.font()
        known = self.source is overlay and self.at == at and self.size == size
        if known and self._font_size == font.pointSizeF():
            return
        self.source, self.at, self.size, self._font_size = overlay, at, size, font.pointSizeF()
        if (self.image.width(), self.image.height()) != size:
            self.image = QImage(*size, ARGB)
        self.image.fill(0)
        q = QPainter(self.image)
        q.setFont(font)
        draw_overlay(q, overlay, *in_points(q, at, size, self.ratio))
        q.end()

    def _shift(self, overlay: OverlayView, at: ViewState, size: viewport.Size) -> QPoint | None:
        """By how many whole screen pixels the view has been panned; None if it is another view."""
        if self.source is not overlay or self.at is None or self.size != size:
            return None
        if replace(self.at, x=at.x, y=at.y, fit=at.fit) != at:
            return None
        x, y = (float(v) for v in viewport.to_screen(at, size, self.at.x, self.at.y))
        dx, dy = x - size[0] / 2, y - size[1] / 2
        if abs(dx - round(dx)) > WHOLE or abs(dy - round(dy)) > WHOLE:
            return None
        return QPoint(round(dx), round(dy)) if abs(dx) < size[0] and abs(dy) < size[1] else None


def uncovered(size: viewport.Size, shift: QPoint) -> list[QRect]:
    """Return the strips of a canvas that a shifted picture of the same size leaves free."""
    width, height = size
    dx, dy = shift.x(), shift.y()
    strips = [
        QRect(0, 0, width, dy) if dy > 0 else QRect(0, height + dy, width, -dy),
        QRect(0, max(dy, 0), dx, height - abs(dy)) if dx > 0 else QRect(width + dx, max(dy, 0), -dx, height - abs(dy)),
    ]
    return [s for s in strips if not s.isEmpty()]
