"""What key 0 shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.frames.look import Look
from ifuview.app.frames.opening.opened import Opened, new_slot
from ifuview.app.frames.views import viewport
from ifuview.app.session import Session
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

SHAPE, SIZE = (60, 90), (500, 400)


@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.DETECTOR, Kind.RSS])
def test_zero_fits_as_at_opening(kind: Kind) -> None:
    """However the frame was zoomed, stretched or taken to a problem meanwhile; it stays turned."""
    image = Image("a", kind, Pixels(np.zeros(SHAPE, np.float32)))
    slot = new_slot(Session(), Opened(Dataset("a.fits", images=(image,)), image, Look()))
    first = viewport.resolve(slot.view, SHAPE, SIZE)
    for aspect in (0.0, 1.0, 2.5):
        other = replace(slot.view, x=3.0, zoom=17.0, aspect=aspect, fit=False, part=(0.0, 0.0, 1.0, 2.0))
        assert viewport.resolve(replace(slot, view=other).whole, SHAPE, SIZE) == first
        turned = replace(slot, view=replace(other, rotation=90, flip_x=True)).whole
        assert (turned.rotation, turned.flip_x) == (90, True)
