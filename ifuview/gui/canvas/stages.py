"""The three stages of one picture with their caches: each is redone only when its own input changed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from PyQt6.QtCore import QPointF
from PyQt6.QtGui import QImage, QPainter

from ifuview.app.frames.look import Look, Transfer, ViewState
from ifuview.app.frames.views import colors, raster, shading, viewport
from ifuview.app.frames.views.image import PictureView
from ifuview.gui.canvas.frame import BACKGROUND
from ifuview.model.checks import Array

TINY = 1e-30
RGB32 = QImage.Format.Format_RGB32
INDEXED = QImage.Format.Format_Indexed8


def same(a: tuple[Any, ...] | None, b: tuple[Any, ...]) -> bool:
    """Whether two keys name the same things: by identity, else by value."""
    return a is not None and len(a) == len(b) and all(x is y or x == y for x, y in zip(a, b))


class Stages:
    """Turns a picture into a ready RGB32 image of the visible part, and remembers every step."""

    def __init__(self) -> None:
        self.tile: raster.Tile | None = None
        self.corner = (0, 0)  # screen px where the image goes
        self._leaning: tuple[tuple[Any, ...], QImage] | None = None
        self.image: QImage | None = None
        self._masked: Array | None = None
        self._gathered: tuple[Any, ...] | None = None
        self._indexed: tuple[Any, ...] | None = None
        self._colored: tuple[Any, ...] | None = None
        self._mask_key: tuple[Any, ...] | None = None
        self._index: Array | None = None
        self._table_key: tuple[Any, ...] | None = None
        self._table: Array | None = None
        self._colors: tuple[Stages, ...] = ()  # of a picture in three colors

    def render(self, picture: PictureView, look: Look, view: ViewState, size: viewport.Size) -> QImage | None:
        """Return the visible part as colors; None if the image is out of view. `corner` says where it goes."""
        angle = viewport.lean(view)
        if not angle:
            image = self._render(picture, look, view, size)
            self.corner = (0, 0) if self.tile is None else (self.tile.left, self.tile.top)
            return image
        around = around_of(size)
        image = self._render(picture, look, viewport.straight(view), around)
        self.corner = (0, 0)
        if image is None or self.tile is None:
            return None
        key = (image, angle, size, self.tile)
        if self._leaning is None or not same(self._leaning[0], key):
            place = self.tile.left - around[0] / 2, self.tile.top - around[1] / 2
            self._leaning = key, leaned(image, place, angle, size)
        return self._leaning[1]

    def _render(self, picture: PictureView, look: Look, view: ViewState, size: viewport.Size) -> QImage | None:
        """The same of a view that is turned by right angles."""
        if picture.channels:
            return self._render_colors(picture, look, view, size)
        self._gather(picture, look, view, size)
        if self.tile is None:
            return None
        self._make_index(picture, look)
        self._color(picture, look, view, size)
        return self.image

    def _render_colors(self, picture: PictureView, look: Look, view: ViewState, size: viewport.Size) -> QImage | None:
        """The same of three frames as red, green and blue: limits of each, colors' bias and contrast of the picture."""
        parts = self._colors = self._colors or tuple(Stages() for _ in picture.channels)
        out: Array | None = None
        ramp = colors.table("grey", invert=look.invert, bias=look.bias, contrast=look.contrast, blank=0)
        for n, (stages, one) in enumerate(zip(parts, picture.channels)):
            own = replace(one.look, transfer=look.transfer, exponent=look.exponent, smooth=look.smooth,
                          smooth_radius=look.smooth_radius)  # fmt: skip
            stages._gather(one, own, view, size)
            if stages.tile is None:
                self.tile = None
                return None
            stages._make_index(one, own)
            assert stages._index is not None
            shade = (ramp[stages._index[:, : stages.tile.values.shape[1]]] & 0xFF) << np.uint32(8 * (2 - n))
            out = shade if out is None else out | shade
            self.tile = stages.tile
        assert out is not None
        height, width = out.shape
        self.image = QImage(width, height, RGB32)
        pixels_of(self.image)[:] = out | np.uint32(0xFF000000)
        return self.image

    def _gather(self, picture: PictureView, look: Look, view: ViewState, size: viewport.Size) -> None:
        """Stage a."""
        key = (
            picture.image,
            picture.plane,
            picture.pyramid,
            view,
            size,
            look.reduction,
            look.smooth,
            look.smooth_radius,
        )
        if same(self._gathered, key):
            return
        self._gathered, self._indexed, self._mask_key = key, None, None
        self.tile = raster.gather(
            picture.pixels, picture.pyramid, view, size,
            reduction=look.reduction, smooth=look.smooth, radius=look.smooth_radius,
        )  # fmt: skip

    def _make_index(self, picture: PictureView, look: Look) -> None:
        """Stage b, into a buffer whose rows are as long as Qt wants them."""
        assert self.tile is not None
        lo, hi = limits(picture, look)
        key = (lo, hi, look.transfer, look.exponent)
        if same(self._indexed, key):
            return
        self._indexed, self._colored = key, None
        height, width = self.tile.values.shape
        padded = (width + 3) & ~3
        if self._index is None or self._index.shape != (height, padded):
            self._index = np.zeros((height, padded), np.uint8)
        shading.index(
            self.tile.values, lo, hi, table=self._transfer(picture, look, lo, hi), has_nan=self.tile.has_nan,
            out=self._index[:, :width],
        )  # fmt: skip

    def _transfer(self, picture: PictureView, look: Look, lo: float, hi: float) -> Array | None:
        """The transfer table, made again only when it differs."""
        if look.transfer is Transfer.LINEAR:
            return None
        equal = look.transfer is Transfer.HISTEQ
        key = (look.transfer, look.exponent, *((picture.image, picture.plane, lo, hi) if equal else ()))
        if not same(self._table_key, key):
            values = (raster.sample(picture.pixels) - lo) / max(hi - lo, TINY) if equal else None
            self._table_key, self._table = key, shading.transfer_table(look.transfer, look.exponent, values)
        return self._table

    def _color(self, picture: PictureView, look: Look, view: ViewState, size: viewport.Size) -> None:
        """Stage c: Qt's own table look-up, then masked pixels."""
        assert self.tile is not None and self._index is not None
        self._find_masked(picture, look, view, size)
        key = (look.cmap, look.invert, look.bias, look.contrast, look.mask_shown, look.mask_color, look.mask_opacity)
        if same(self._colored, key):
            return
        self._colored = key
        table = colors.table(look.cmap, invert=look.invert, bias=look.bias, contrast=look.contrast)
        height, width = self.tile.values.shape
        indexed = QImage(self._index.data, width, height, self._index.shape[1], INDEXED)
        indexed.setColorTable(table.tolist())
        self.image = indexed.convertToFormat(RGB32)
        if self._masked is not None:
            pixels = pixels_of(self.image)
            color = int(look.mask_color.lstrip("#"), 16)
            shading.blend(pixels, self._index[:, :width], table, self._masked, color, look.mask_opacity)

    def _find_masked(self, picture: PictureView, look: Look, view: ViewState, size: viewport.Size) -> None:
        """Which visible pixels have a shown mask bit."""
        key = (look.mask_shown,)
        if same(self._mask_key, key):
            return
        self._mask_key, self._colored, self._masked = key, None, None
        if look.mask_shown and picture.mask is not None:
            pyramid = picture.pyramid.mask if picture.pyramid is not None else None
            found = raster.gather_mask(picture.mask, pyramid, view, size, look.mask_shown)
            self._masked = found.values if found is not None and found.values.any() else None


def around_of(size: viewport.Size) -> viewport.Size:
    """Size of a canvas that covers one of `size` however it is turned, with the same middle."""
    long = math.ceil(math.hypot(*size))
    width, height = (long + (long - side) % 2 for side in size)
    return width, height


def leaned(image: QImage, place: tuple[float, float], angle: float, size: viewport.Size) -> QImage:
    """A picture with its corner at `place` from the middle of a canvas of `size`, turned by `angle` (degrees)."""
    out = QImage(*size, RGB32)
    out.fill(BACKGROUND)
    p = QPainter(out)
    p.translate(size[0] / 2, size[1] / 2)
    p.rotate(-angle)  # Qt turns clockwise
    p.drawImage(QPointF(*place), image)
    p.end()
    return out


def limits(picture: PictureView, look: Look) -> tuple[float, float]:
    """Display limits; those of the look, or for want of them zscale's."""
    return raster.display_limits(picture.pixels, look)


def pixels_of(image: QImage) -> Array:
    """The 32-bit pixels of an image, shape (height, width), writable in place; keep the image as long as them."""
    data = image.bits()
    assert data is not None
    data.setsize(image.sizeInBytes())
    lines: Array = np.frombuffer(data, np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return lines[:, : image.width()]
