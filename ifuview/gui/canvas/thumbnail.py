"""Pictures beside the canvas: small ones of whole frames, for lists; and the bytes of picture files."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QBuffer
from PyQt6.QtGui import QImage

from ifuview.app.frames.look import Reduction, Smooth, ViewState
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.image import PictureView
from ifuview.app.session import Slot
from ifuview.gui.canvas.stages import RGB32, Stages


def thumbnail(slot: Slot, width: int, height: int | None = None) -> QImage:
    """Return a whole frame as it is shown, as large as fits into `width` x `height` px (a square by default)."""
    picture = PictureView(slot.key, slot.title, slot.image, slot.plane, slot.pyramid, slot.look, slot.view)
    return whole(picture, (width, height or width))


def encoded(picture: QImage, kind: str, quality: int) -> bytes:
    """The bytes of a picture file, none if Qt cannot make that kind; its own writing cannot name every file."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    return bytes(buffer.data().data()) if picture.save(buffer, kind, quality) else b""


def whole_view(picture: PictureView, size: viewport.Size) -> ViewState:
    """The view of a whole picture, turned as it is shown; pixels that are not square there are not square here."""
    shown = picture.view
    aspect = 1.0 if shown.aspect == 1.0 else 0.0
    turned = ViewState(aspect=aspect, rotation=shown.rotation, flip_x=shown.flip_x, flip_y=shown.flip_y)
    return viewport.fit_view(picture.image.shape, size, turned)


def whole(picture: PictureView, size: viewport.Size) -> QImage:
    """Return a whole picture, turned as it is shown, as large as fits into `size`."""
    view = whole_view(picture, size)
    look = replace(picture.look, smooth=Smooth.NONE, reduction=Reduction.MEAN)  # a stamp of extremes shows nothing else
    image = Stages().render(picture, look, view, size)
    return image if image is not None else QImage(1, 1, RGB32)
