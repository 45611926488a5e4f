"""Steps of the session: pure functions, tested without Qt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.frames import adding, selection, steps
from ifuview.app.frames.look import LimitMode, Look
from ifuview.app.session import Session, Slot
from ifuview.app.spectra import steps as spectra_steps
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Pixels
from ifuview.model.trace import TraceSet

NY, NX = 40, 60


def slot(key: int, kind: Kind = Kind.RSS, shape: tuple[int, ...] = (NY, NX), **more: object) -> Slot:
    image = Image(f"image {key}", kind, Pixels(np.zeros(shape, np.float32)), **more)
    return Slot(key, f"frame {key}", Dataset("x.fits"), image)


@pytest.fixture
def three() -> Session:
    session = Session()
    for key in (1, 2, 3):
        session = session.adding(slot(key))
    return session


def test_opening_makes_the_new_frame_current_and_remembers_the_one_before(three: Session) -> None:
    assert (three.current, three.previous, three.next_key) == (3, 2, 4)


def test_stepping_goes_around_the_end(three: Session) -> None:
    assert steps.step_slot(three, want.StepSlot(1)).current == 1
    assert steps.step_slot(three, want.StepSlot(-1)).current == 2


def test_closing_the_current_frame_shows_its_neighbor(three: Session) -> None:
    assert steps.close(three, want.CloseSlot()).current == 2
    assert steps.close(three, want.CloseSlot(1)).current == 3
    assert steps.close_all(three, want.CloseAll()).slots == ()


def test_locked_views_move_frames_of_one_size_only(three: Session) -> None:
    other = three.adding(slot(4, shape=(10, 10)))
    view = replace(three.slots[0].view, zoom=7.0, fit=False)
    after = steps.set_view(other, want.SetView(1, view))
    assert [s.view.zoom for s in after.slots] == [7.0, 7.0, 7.0, 1.0]
    alone = replace(other, locks=replace(other.locks, view=False))
    assert [s.view.zoom for s in steps.set_view(alone, want.SetView(1, view)).slots] == [7.0, 1.0, 1.0, 1.0]


def test_limits_that_are_not_known_yet_keep_their_old_numbers(three: Session) -> None:
    known = steps.set_look(three, want.SetLook(1, Look(lo=1.0, hi=2.0)))
    asked = steps.set_look(known, want.SetLook(1, Look(limit_mode=LimitMode.MINMAX)))
    look = asked.slots[0].look
    assert (look.limit_mode, look.lo, look.hi) == (LimitMode.MINMAX, 1.0, 2.0)
    assert asked.slots[1].look.lo is None  # limits are not locked by default


def test_matching_colors_leaves_the_limits_alone(three: Session) -> None:
    session = steps.set_look(three, want.SetLook(3, Look(lo=1.0, hi=2.0, cmap="viridis")))
    after = steps.match(session, want.Match("colors"))
    assert {s.look.cmap for s in after.slots} == {"viridis"}
    assert after.slots[0].look.lo is None


def test_a_click_on_row_stacked_spectra_selects_the_row(three: Session) -> None:
    after = selection.pick_point(three, want.PickPoint(2, 12.3, 17.4))
    assert (after.selection.fiber, after.current) == (17, 2)


@pytest.mark.parametrize("transpose", [False, True])
def test_a_click_on_a_detector_selects_the_nearest_trace(transpose: bool) -> None:
    shape = (NX, NY) if transpose else (NY, NX)
    center = np.array([[5.0] * NX, [15.0] * NX, [25.0] * NX])
    one = replace(
        slot(1, Kind.DETECTOR, shape, orientation=Orientation(transpose=transpose)),
        traces=TraceSet(np.arange(3), center),
    )
    session = Session().adding(one)
    x, y = (16.2, 30.0) if transpose else (30.0, 16.2)
    assert selection.pick_point(session, want.PickPoint(1, x, y)).selection.fiber == 1
    far = (38.0, 30.0) if transpose else (30.0, 38.0)
    assert selection.pick_point(session, want.PickPoint(1, *far)).selection.fiber is None
    picked = selection.select_fiber(session, want.SelectFiber(2)).selection
    assert (picked.x, picked.y) == ((25.0, 30.0) if transpose else (30.0, 25.0))


def test_fibers_step_within_the_frame(three: Session) -> None:
    last = selection.select_fiber(three, want.SelectFiber(NY - 1))
    assert selection.step_fiber(last, want.StepFiber(1)).selection.fiber == NY - 1
    assert selection.step_fiber(last, want.StepFiber(-1)).selection.fiber == NY - 2


def test_words_of_the_command_line_become_enumerations() -> None:
    look = adding.look_of((("limit_mode", "percentile"), ("percent", 99.0)))
    assert look.limit_mode is LimitMode.PERCENTILE
    assert look.percent == 99.0


def test_planes_stay_within_the_cube() -> None:
    session = Session().adding(replace(slot(1, Kind.CUBE, (7, NY, NX)), plane=(3,)))
    assert steps.set_plane(session, want.SetPlane(1, (99,))).slots[0].plane == (6,)
    assert steps.set_plane(session, want.SetPlane(1, (-4,))).slots[0].plane == (0,)


def test_the_tables_of_a_file_are_closed_together() -> None:
    from ifuview.app.frames.state import OpenTable
    from ifuview.app.spectra.views import tables
    from ifuview.model.dataset import Table

    full, empty = Table("REDSHIFTS", {"Z": np.arange(3.0)}), Table("FIBERMAP", {"Z": np.arange(0.0)})
    session = Session(tables=(OpenTable("a.fits", "a", full), OpenTable("b.fits", "b", empty)))
    view = tables.make(session)
    assert view is not None and tables.can_close(view, 1)
    assert tables.said_of(view, 0) == ""
    assert tables.said_of(view, 1) == "b is empty: it has 1 columns and not one row"
    after = spectra_steps.close_tables(session, want.CloseTables("a.fits"))
    assert [t.path for t in after.tables] == ["b.fits"]
