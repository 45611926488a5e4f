"""Memory of open frames: every array counts once, mapped files do not, and copies that can be made again go first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.frames.memory import MIB, MemoryWatch, held
from ifuview.app.frames.opened import Opened, first_look, new_slot, pyramid
from ifuview.app.session import Session, Slot
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


def test_each_bound_is_told_once_and_again_after_it_was_left():
    watch = MemoryWatch(warn=2, most=4)
    assert watch.settled(opened(1))[1] == ""
    assert watch.settled(opened(2))[1].startswith("The open frames take 2 MiB of memory; close frames")
    assert watch.settled(opened(2))[1] == ""
    assert "more than the limit of 4 MiB: nothing more is cached" in watch.settled(opened(4))[1]
    assert watch.settled(opened(1))[1] == ""
    assert watch.settled(opened(2))[1] != ""


def test_above_the_limit_the_oldest_copies_go_and_come_back_when_there_is_room():
    watch = MemoryWatch(warn=1, most=5)
    session = opened(4)
    assert held(session) == pytest.approx(4 * (1 + COPIES) * MIB, rel=0.01)
    session, _ = watch.settled(session)
    assert [slot.pyramid is None for slot in session.slots] == [True, False, False, False]
    assert held(session) <= 5 * MIB
    first = session.showing(session.slots[0].key)
    assert watch.takes_back(first)
    assert not watch.takes_back(first)  # it is asked once
    assert not watch.takes_back(session)


def test_what_is_shown_keeps_its_copies():
    session, _ = MemoryWatch(warn=1, most=1).settled(opened(3))
    assert [slot.pyramid is None for slot in session.slots] == [True, True, False]


def test_opening_is_refused_when_pixels_alone_exceed_the_limit():
    watch = MemoryWatch(warn=1, most=3)
    watch.check_room(opened(3), "b.fits")  # 3 MiB without the copies
    with pytest.raises(UsageError, match=r"b.fits: is not opened: the open frames exceed the limit of 3 MiB; close"):
        watch.check_room(opened(4), "b.fits")
