"""Undo goes back through everything in the order in which it was done, says what that was, and shows the frame."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ifuview.app import intents as want
from ifuview.app.photons import lists as photons
from ifuview.app.photons.state import PhotonFrame
from ifuview.app.session import Layout, Session
from ifuview.app.traces import doctor
from tests.app.frames.views import made
from tests.app.photons.calibration.test_stack import session_of
from tests.app.photons.photon_files import write_files
from tests.app.runner import Runner
from tests.report.traces import made_doctor

FIRST, SECOND, LIST = 1, 2, 3


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Session:
    """Two detector images with diagnoses of their traces, and a photon list."""
    raw = photons.open_source(write_files(tmp_path_factory.mktemp("undo"), 6.0).photons)
    listed = replace(session_of(PhotonFrame(raw, raw, name="science.h5")).slot(), key=LIST)
    detector = made.session()
    found = doctor.of_the_file(made_doctor.diagnosis(), detector.slot().traces)
    judged = doctor.diagnosed(detector, detector.current, found, None).slot()
    frames = (replace(judged, key=FIRST, title="r0"), replace(judged, key=SECOND, title="r1"), listed)
    return replace(detector, slots=frames, current=FIRST, next_key=4, judges=False)


def test_what_was_done_last_is_taken_back_first_wherever_it_was(session):
    given = session.slot().traces
    runner = Runner(session)
    runner.ask(want.SelectSlot(SECOND), want.ApplyCorrection())
    runner.ask(want.SelectSlot(LIST), want.LoadCalibration("linearity"))
    runner.ask(want.SelectSlot(FIRST), want.ApplyCorrection())
    runner.ask(want.SelectSlot(LIST), want.SwitchCalibration(0, False))
    runner.ask(want.SelectSlot(SECOND))
    steps = []
    for _ in range(4):
        runner.ask(want.Undo())
        now = runner.session
        stack = [(one.key, one.on) for one in now.slot(LIST).photons.stack]
        other = [now.slot(key).traces is not given for key in (FIRST, SECOND)]
        steps.append((now.current, stack, other))
    assert steps == [
        (LIST, [("lincal", True)], [True, True]),
        (FIRST, [("lincal", True)], [False, True]),
        (LIST, [], [False, True]),
        (SECOND, [], [False, False]),
    ]
    said = [text for text in runner.said() if "taken back" in text]
    assert [text.split(":")[0] for text in said] == ["science.h5", "r0", "science.h5", "r1"]
    assert "Linearity switched off" in said[0] and "Linearity added" in said[2]
    runner.ask(want.Undo())
    assert runner.said()[-1] == "nothing was changed that could be taken back"


def state_of(session: Session) -> tuple[list[tuple[str, bool]], list[object]]:
    """Calibrations of the list, and traces of the images."""
    stack = [(one.key, one.on) for one in session.slot(LIST).photons.stack]
    return stack, [session.slot(key).traces for key in (FIRST, SECOND)]


def test_what_was_taken_back_is_done_again_in_its_order(session):
    runner = Runner(session)
    states = [state_of(runner.session)]
    for steps in (
        (want.SelectSlot(SECOND), want.ApplyCorrection()), (want.SelectSlot(LIST), want.LoadCalibration("linearity")),
        (want.SelectSlot(FIRST), want.ApplyCorrection()), (want.SelectSlot(LIST), want.SwitchCalibration(0, False)),
    ):  # fmt: skip
        runner.ask(*steps)
        states.append(state_of(runner.session))
    for _ in range(2):
        runner.ask(*[want.Undo()] * 4)
        assert state_of(runner.session) == states[0]
        shown = []
        for state in states[1:]:
            runner.ask(want.Undo(again=True))
            shown.append(runner.session.current)
            assert state_of(runner.session) == state
        assert shown == [SECOND, LIST, FIRST, LIST]
    assert "Linearity switched off, once more" in runner.said()[-1]
    runner.ask(want.Undo(again=True))
    assert runner.said()[-1] == "nothing was taken back that could be done again"


def test_a_step_that_is_there_again_takes_hold_as_it_did(session):
    """Weights count once more, and pixels that were found are left out."""
    runner = Runner(session)
    runner.ask(want.SelectSlot(LIST), want.LoadCalibration("linearity"))
    first = runner.session.slot(LIST).photons.cut
    assert first.weighted
    runner.ask(want.Undo())
    assert not runner.session.slot(LIST).photons.cut.weighted
    runner.ask(want.Undo(again=True))
    assert runner.session.slot(LIST).photons.cut == first


def test_a_change_elsewhere_ends_what_could_be_done_again(session):
    runner = Runner(session)
    runner.ask(want.SelectSlot(SECOND), want.ApplyCorrection(), want.SelectSlot(FIRST), want.ApplyCorrection())
    runner.ask(want.Undo(), want.Undo(), want.SelectSlot(LIST), want.LoadCalibration("linearity"))
    before = state_of(runner.session)
    runner.ask(want.Undo(again=True))
    assert state_of(runner.session) == before and runner.said()[-1].startswith("nothing was taken back")


def test_a_frame_that_does_not_blink_is_shown_alone(session):
    runner = Runner(session)
    runner.ask(want.ApplyCorrection(), want.SetLayout(Layout.BLINK, keys=(SECOND, LIST)), want.SelectSlot(SECOND))
    runner.ask(want.Undo())
    assert runner.session.layout is Layout.SINGLE and runner.session.current == FIRST


def test_a_closed_frame_takes_its_changes_with_it(session):
    runner = Runner(session)
    runner.ask(want.ApplyCorrection(), want.SelectSlot(SECOND), want.ApplyCorrection(), want.CloseSlot(SECOND))
    runner.ask(want.Undo())
    assert runner.session.current == FIRST and not runner.session.slot(FIRST).past_traces
