"""A fiber is gone to by the name that the instrument gives it, in the frame that has it."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.frames.fibers import find_fiber
from ifuview.app.frames.selection import find
from ifuview.app.session import Session, Slot
from ifuview.errors import UsageError
from ifuview.model.dataset import Dataset
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

COUNT = 5


def frame(key: int, camera: str, first: int | None) -> Slot:
    """Spectra of a camera whose fibers count from `first`; None: they have no names."""
    names = None if first is None else FiberMap(tuple(str(first + n) for n in range(COUNT)))
    image = Image("FLUX", Kind.RSS, Pixels(np.ones((COUNT, 9), np.float32)), fibermap=names, camera=camera)
    return Slot(key, f"sframe-{camera}", Dataset(f"sframe-{camera}.fits", images=(image,)), image)


def test_the_frame_that_has_the_fiber_is_shown() -> None:
    """Row 2 of another camera is another fiber."""
    session = Session(slots=(frame(1, "r6", 3000), frame(2, "r8", 4000)), current=2)
    there = find(session, want.FindFiber("3002"))
    assert there.current == 1 and there.selection.fiber == 2
    here = find(session, want.FindFiber("4003"))
    assert here.current == 2 and here.selection.fiber == 3


def test_of_two_frames_with_the_fiber_that_on_the_canvas_stays() -> None:
    session = Session(slots=(frame(1, "r6", 3000), frame(2, "b6", 3000)), current=2)
    assert find(session, want.FindFiber("3004")).current == 2


def test_who_asks_for_a_fiber_that_no_frame_has_is_told_which_there_are() -> None:
    session = Session(slots=(frame(1, "r8", 4000),), current=1)
    with pytest.raises(UsageError, match=r"there is no fiber 3227.*sframe-r8 are 4000 to 4004"):
        find_fiber(session, "3227")
    with pytest.raises(UsageError, match=r"there is no fiber 9.*choose 0 to 4"):
        find_fiber(Session(slots=(frame(1, "r8", None),), current=1), "9")
    assert find_fiber(session, "3") == 3  # a row
