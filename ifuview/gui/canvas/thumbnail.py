"""Small pictures of whole frames, for lists."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtGui import QImage

from ifuview.app.look import ViewState
from ifuview.app.session import Slot
from ifuview.app.views import viewport
from ifuview.app.views.image import PictureView
from ifuview.gui.canvas.stages import RGB32, Stages


def thumbnail(slot: Slot, width: int, height: int | None = None) -> QImage:
    """Return a whole frame as it is shown, as large as fits into `width` x `height` px (a square by default)."""
    picture = PictureView(slot.key, slot.title, slot.image, slot.plane, slot.pyramid, slot.look, slot.view)
    return whole(picture, (width, height or width))


def whole(picture: PictureView, size: viewport.Size) -> QImage:
    """Return a whole picture, turned as it is shown, as large as fits into `size`."""
    turn = ViewState(rotation=picture.view.rotation, flip_x=picture.view.flip_x, flip_y=picture.view.flip_y)
    view = viewport.fit_view(picture.image.shape, size, turn)
    look = replace(picture.look, smooth=type(picture.look.smooth).NONE)
    image = Stages().render(picture, look, view, size)
    return image if image is not None else QImage(1, 1, RGB32)
