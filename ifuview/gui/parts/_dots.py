"""Thousands of colored dots, drawn in two milliseconds: each is stamped into one image of the plot."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter

from ifuview.model.checks import Array

SIZE = 7  # screen px
CROWD, CROWD_SIZE = 1500, 5  # so many dots are drawn smaller
UNKNOWN_SIZE = 3
OPAQUE = 0xFF000000


class Dots(pg.GraphicsObject):
    """Dots at (x, y) in 0xRRGGBB colors."""

    def __init__(self) -> None:
        super().__init__()
        self._x = self._y = np.empty(0)
        self._color = np.empty(0, np.uint32)
        self._known = np.empty(0, bool)
        self._rect = QRectF()

    def setData(self, x: Array, y: Array, color: Array, known: Array) -> None:
        """Show other dots; those that are not `known` are small."""
        moved = x is not self._x or y is not self._y
        self._x, self._y = x, y
        good = np.isfinite(x) & np.isfinite(y)
        self._color = np.asarray(color, np.uint32) | np.uint32(OPAQUE)
        self._known = np.asarray(known, bool)
        if moved:
            self.prepareGeometryChange()
            xs, ys = np.asarray(x)[good], np.asarray(y)[good]
            if xs.size:
                wide, high = float(np.ptp(xs)), float(np.ptp(ys))
                pad = 0.05 * max(wide, high, 1e-9)  # so that the last dots are not cut
                self._rect = QRectF(xs.min() - pad, ys.min() - pad, wide + 2 * pad, high + 2 * pad)
            else:
                self._rect = QRectF()
            self.informViewBoundsChanged()
        self.update()

    def getData(self) -> tuple[Array, Array]:
        """Positions."""
        return self._x, self._y

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(self, painter: QPainter, *_args: object) -> None:
        view = self.getViewWidget()
        if self._x.size == 0 or view is None:
            return
        transform = painter.worldTransform()  # to logical pixels of the view; a grab shifts it after this
        ratio = view.devicePixelRatioF()
        port = view.viewport()
        width, height = round(port.width() * ratio), round(port.height() * ratio)
        with np.errstate(invalid="ignore"):
            px = ratio * (transform.m11() * self._x + transform.m21() * self._y + transform.dx())
            py = ratio * (transform.m12() * self._x + transform.m22() * self._y + transform.dy())
            inside = (px > -SIZE) & (px < width + SIZE) & (py > -SIZE) & (py < height + SIZE)
        if width <= 0 or height <= 0 or not inside.any():
            return
        margin = 2 * round(SIZE * ratio)
        known_size = SIZE if self._x.size < CROWD else CROWD_SIZE
        canvas = np.zeros((height + 2 * margin, width + 2 * margin), np.uint32)
        for size, chosen in ((UNKNOWN_SIZE, inside & ~self._known), (known_size, inside & self._known)):
            place = (np.rint(py[chosen]).astype(np.intp) + margin) * canvas.shape[1] + np.rint(px[chosen]).astype(
                np.intp
            )
            stamp = _disk(size * ratio, canvas.shape[1])
            canvas.ravel()[(place + margin)[:, None] + stamp] = self._color[chosen][:, None]
        image = QImage(
            canvas.tobytes(), canvas.shape[1], canvas.shape[0], 4 * canvas.shape[1],
            QImage.Format.Format_ARGB32_Premultiplied,
        )  # fmt: skip
        painter.save()
        painter.resetTransform()
        painter.drawImage(
            QRectF(-margin / ratio, -margin / ratio, image.width() / ratio, image.height() / ratio), image
        )
        painter.restore()


def _disk(size: float, stride: int) -> Array:
    """Offsets of the pixels of a disk in an image that is flattened."""
    reach = int(size / 2)
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside = dx**2 + dy**2 <= (size / 2) ** 2
    return np.asarray(dy[inside] * stride + dx[inside], np.intp)
