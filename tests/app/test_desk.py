"""Panels stand beside the image for what is open: none that could never have content."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.app import desk
from ifuview.app.session import Session, Slot, usual_aspect
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels


def opened(*kinds: Kind) -> Session:
    """A session with an image of each kind."""
    images = [Image("A", kind, Pixels(np.ones((6, 9), np.float32))) for kind in kinds]
    slots = tuple(Slot(n, "a", Dataset("a.fits", images=(image,)), image) for n, image in enumerate(images))
    return Session(slots=slots, current=0)


@pytest.mark.parametrize(
    ("kinds", "quality", "section"),
    [
        ((Kind.DETECTOR,), True, True),
        ((Kind.RSS,), False, True),
        ((Kind.SPECTRUM,), False, False),
        ((Kind.SPECTRUM, Kind.DETECTOR), True, True),
    ],
)
def test_traces_are_judged_beside_a_detector_image_alone(kinds: tuple[Kind, ...], quality: bool, section: bool) -> None:
    session = opened(*kinds)
    assert desk.suited(session) is desk.Desk.TRACES
    assert desk.by_data(session) == {"quality": quality, "section": section}


def test_another_kind_of_image_lays_the_panels_anew() -> None:
    tasks = [desk.task(opened(*kinds)) for kinds in ((Kind.RSS,), (Kind.SPECTRUM,), (Kind.RSS, Kind.DETECTOR))]
    assert len(set(tasks)) == 3


@pytest.mark.parametrize(
    ("kind", "family", "aspect"),
    [(Kind.IMAGE, "psf", 0.0), (Kind.SPECTRUM, "image", 0.0), (Kind.RSS, "frame", 0.0), (Kind.IMAGE, "image", 1.0)],
)
def test_only_what_has_two_lengths_in_its_axes_is_square(kind: Kind, family: str, aspect: float) -> None:
    image = Image("A", kind, Pixels(np.ones((7, 500), np.float32)))
    assert usual_aspect(image, family) == aspect
    slot = Slot(1, "a", Dataset("a.fits", images=(image,), kind=family), image)
    assert slot.whole.aspect == aspect
