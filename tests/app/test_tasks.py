"""Tasks as values: files opened, selected, traced, combined and saved without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ifuview.app import follow
from ifuview.app import intents as want
from ifuview.app.frames.look import LimitMode
from ifuview.app.frames.tasks import FindLimits, ReduceCopies
from ifuview.app.session import Layout
from ifuview.app.spectra.tasks import Inspect
from ifuview.app.traces.tasks import DiagnoseTraces, FindTraces
from ifuview.errors import UsageError
from tests import demo
from tests.app.runner import Runner


@pytest.fixture(scope="module")
def folder() -> Path:
    return demo.folder()


@pytest.fixture
def flat(folder: Path) -> str:
    return str(demo.file("preproc"))


@pytest.fixture
def frame(folder: Path) -> str:
    return str(demo.file("frame"))


def kinds(runner: Runner) -> list[type]:
    return [type(task) for task in runner.done]


def test_a_file_comes_with_its_copies_and_the_traces_beside_it(flat):
    runner = Runner()
    session = runner.ask(want.OpenFile(flat))
    slot = session.slot()
    assert slot.traces is not None and slot.pyramid is not None
    assert sorted(kinds(runner)[1:], key=str) == sorted([ReduceCopies, FindTraces], key=str)
    assert session.recent[0] == flat
    assert session.inspection is None


def test_a_click_is_a_selection_and_one_inspection(flat):
    runner = Runner()
    slot = runner.ask(want.OpenFile(flat)).slot()
    x, y = slot.image.orientation.to_native(float(slot.traces.center[20, 300]), 300.0, slot.image.shape)
    runner.done.clear()
    session = runner.ask(want.PickPoint(slot.key, float(x), float(y)))
    assert kinds(runner) == [Inspect]
    assert session.selection.fiber == session.inspection.fiber == 20
    runner.ask(want.PickPoint(slot.key, float(x), float(y)))  # the same again
    assert kinds(runner) == [Inspect]


def test_what_an_inspection_does_not_depend_on_asks_for_none(flat):
    runner = Runner()
    slot = runner.ask(want.OpenFile(flat), want.SelectFiber(3)).slot()
    runner.done.clear()
    runner.ask(want.SetOverlay("labels", False), want.SetLayout(Layout.TILE), want.SetLock("limits", True))
    assert runner.done == []
    runner.ask(want.SetExtraction("boxcar"))
    assert kinds(runner) == [Inspect]
    runner.ask(want.SetLook(slot.key, slot.look))
    assert kinds(runner) == [Inspect]


def test_limits_that_are_not_known_are_found(flat):
    runner = Runner()
    slot = runner.ask(want.OpenFile(flat)).slot()
    runner.done.clear()
    asked = replace(slot.look, limit_mode=LimitMode.MINMAX, lo=None, hi=None)
    look = runner.ask(want.SetLook(slot.key, asked)).slot().look
    assert kinds(runner) == [FindLimits]
    assert (look.lo, look.hi) == (np.nanmin(slot.image.pixels.raw), np.nanmax(slot.image.pixels.raw))


def test_frames_in_another_arm_of_the_program_follow_the_selection(flat, frame):
    runner = Runner()
    runner.ask(want.OpenFile(flat), want.SelectFiber(9), want.OpenFile(frame))
    session = runner.ask(want.SelectSlot(runner.session.slots[0].key), want.StepSlot(1))
    slot = session.slot()
    assert slot.title.startswith("frame")
    assert slot.image.orientation.from_native(session.selection.x, session.selection.y, slot.image.shape)[0] == 9
    assert any(s.label == slot.title for s in session.inspection.spectra)


def test_a_trace_file_goes_onto_the_image_that_is_shown(folder, flat):
    psf = str(next(folder.glob("psf-*")))
    runner = Runner()
    session = runner.ask(want.OpenFile(flat), want.OpenFile(psf))
    assert len(session.slots) == 1
    assert runner.said()[-1].endswith(f"traces from {session.slot().traces.name}")


def test_measured_traces_of_an_image_that_has_traces_go_onto_a_copy(flat):
    runner = Runner()
    session = runner.ask(want.OpenFile(flat), want.MeasureTraces())
    given, measured = session.slots
    assert measured.title == f"{given.title} (measured traces)"
    assert np.nanmedian(np.abs(measured.traces.center - given.traces.center)) < 0.1  # px


def test_a_diagnosis_of_traces_that_were_replaced_meanwhile_is_asked_again(flat):
    runner = Runner()
    slot = runner.ask(want.OpenFile(flat)).slot()
    task = want.carried_out(runner.session, want.Diagnose())
    assert isinstance(task, DiagnoseTraces)
    other = runner.session.with_slot(replace(slot, traces=replace(slot.traces, name="later")))
    change = task.apply(other, (None, None))  # the result is not even looked at
    again = change.then[0]
    assert isinstance(again, DiagnoseTraces) and again.traces.name == "later"


def test_a_difference_stands_in_a_frame_of_its_own(flat, folder):
    other = str(sorted(folder.glob("preproc-*"))[-1])
    runner = Runner()
    a, b = runner.ask(want.OpenFile(flat), want.OpenFile(other)).slots
    made = runner.ask(want.Combine(a.key, b.key, "difference")).slot()
    np.testing.assert_allclose(made.image.pixels.native(), a.image.pixels.native() - b.image.pixels.native())
    assert (made.made_of.a, made.made_of.b, made.made_of.how) == (a.key, b.key, "difference")


def test_what_cannot_be_carried_out_says_why():
    runner = Runner()
    with pytest.raises(UsageError, match="no frame to put the traces on"):
        runner.ask(want.LoadTraces("psf.fits"))
    session = runner.ask(want.OpenFile("/nowhere/at-all.fits"))
    assert session.slots == () and len(session.messages) == 1


def test_a_closed_frame_takes_no_results(flat):
    runner = Runner()
    runner.ask(want.OpenFile(flat))
    session = runner.session
    for task in follow.after(runner.session.with_slots(()), session):
        value = None
        assert task.apply(session.with_slots(()), value).slots == ()
