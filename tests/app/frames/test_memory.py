"""Memory of open frames: every array counts once, mapped files do not, and copies that can be made again go first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.follow import after
from ifuview.app.frames.memory import MIB, check_room, held, within_bounds
from ifuview.app.frames.opening.opened import Opened, first_look, new_slot, pyramid
from ifuview.app.frames.state import MemoryBounds
from ifuview.app.frames.tasks import ReduceCopies
from ifuview.app.session import Session, Slot
from ifuview.engine.context import SILENT
from ifuview.errors import UsageError
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

SIDE = 512  # px; float32: 1 MiB
COPIES = 1 / 4 + 1 / 16  # of the image: levels down to 128 px


def frame(session: Session, pixels: np.ndarray, ivar: np.ndarray | None = None) -> Slot:
    image = Image("a", Kind.IMAGE, Pixels(pixels), ivar=None if ivar is None else Pixels(ivar))
    return new_slot(session, Opened(Dataset("a.fits", images=(image,)), image, first_look(image)))


def ramp(seed: int = 0) -> np.ndarray:
    return np.arange(SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE) + seed


def opened(count: int) -> Session:
    session = Session()
    for seed in range(count):
        slot = frame(session, ramp(seed))
        session = session.adding(replace(slot, pyramid=pyramid(slot)))
    return session


def test_arrays_count_once_and_mapped_files_not_at_all(tmp_path):
    pixels = ramp()
    session = Session()
    session = session.adding(frame(session, pixels))
    assert held(session) == MIB
    session = session.adding(frame(session, pixels[:, ::2]))  # a view
    assert held(session) == MIB
    session = session.adding(frame(session, ramp(1), ivar=np.ones_like(pixels)))
    assert held(session) == 3 * MIB
    ramp(2).tofile(tmp_path / "raw")
    mapped = np.memmap(tmp_path / "raw", np.float32, "r", shape=(SIDE, SIDE))
    assert held(session.adding(frame(session, mapped))) == 3 * MIB


def bounded(session: Session, warn: int, most: int) -> Session:
    return replace(session, memory=MemoryBounds(warn, most))


def test_each_bound_is_told_once_and_again_after_it_was_left():
    told = []
    session = bounded(Session(), 2, 4)
    for count in (1, 2, 2, 4, 1, 2):
        session = within_bounds(replace(opened(count), memory=session.memory))
        told.append(session.messages[-1].text if session.messages else "")
    assert told[0] == told[2] == told[4] == ""
    assert told[1] == told[5] and told[1].startswith("The open frames take 2 MiB of memory; close frames")
    assert "more than the limit of 4 MiB: nothing more is cached" in told[3]


def test_above_the_limit_the_oldest_copies_go_and_come_back_when_there_is_room():
    session = bounded(opened(4), 1, 5)
    assert held(session) == pytest.approx(4 * (1 + COPIES) * MIB, rel=0.01)
    session = within_bounds(session)
    assert [slot.pyramid is None for slot in session.slots] == [True, False, False, False]
    assert held(session) <= 5 * MIB
    first = session.showing(session.slots[0].key)
    task = next(task for task in after(session, first) if isinstance(task, ReduceCopies))
    again = task.apply(first, task.run(first, SILENT))
    assert again.slot().pyramid is not None
    assert not [task for task in after(first, again) if isinstance(task, ReduceCopies)]


def test_what_is_shown_keeps_its_copies():
    session = within_bounds(bounded(opened(3), 1, 1))
    assert [slot.pyramid is None for slot in session.slots] == [True, True, False]


def test_opening_is_refused_when_pixels_alone_exceed_the_limit():
    check_room(bounded(opened(3), 1, 3), "b.fits")  # 3 MiB without the copies
    with pytest.raises(UsageError, match=r"b.fits: is not opened: the open frames exceed the limit of 3 MiB; close"):
        check_room(bounded(opened(4), 1, 3), "b.fits")
