"""Traces are judged as they come, and the bar speaks of the worst that was found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ifuview.app import follow, verdict
from ifuview.app import intents as want
from ifuview.app.judging import show_problem
from ifuview.app.session import Selection, Session
from ifuview.app.tasks import as_change
from ifuview.app.traces import doctor
from ifuview.app.traces.judging import first_diagnosis, judge
from ifuview.app.traces.tasks import DiagnoseTraces
from ifuview.model.verdict import Verdict, VerdictState
from tests.app.frames.views import made
from tests.report.traces import made_doctor


@pytest.fixture
def session() -> Session:
    """A detector image with traces that nobody has judged."""
    return replace(made.session(), judges=True)


@pytest.fixture
def diagnosed(session: Session) -> Session:
    slot = session.slot()
    assert slot is not None and slot.traces is not None
    return doctor.diagnosed(session, slot.key, doctor.of_the_file(made_doctor.diagnosis(), slot.traces), None)


def judged_first(session: Session, **changes) -> list[DiagnoseTraces]:
    """The judgements that follow when the frame on the canvas is new."""
    slot = session.slot()
    dataset = replace(slot.dataset, path=changes.pop("path", "flat.fits"))
    session = replace(session.with_slot(replace(slot, dataset=dataset)), **changes)
    before = replace(session, slots=tuple(s for s in session.slots if s.key != slot.key))
    return [task for task in follow.after(before, session) if isinstance(task, DiagnoseTraces)]


def test_traces_of_a_file_are_judged_as_they_come(session):
    (task,) = judged_first(session)
    assert task.leads and task.aside and task.frame == session.current


@pytest.mark.parametrize("wanted", [None, 7])
def test_a_fiber_that_was_asked_for_stays_though_traces_are_wrong(session, wanted):
    """The place of the worst is marked beside it."""
    (task,) = judged_first(session)
    session = replace(session, selection=replace(session.selection, fiber=wanted))
    wrong = replace(doctor.of_the_file(made_doctor.diagnosis(), session.slot().traces), verdict=Verdict.FAIL)
    change = as_change(session, task.apply(session, (wrong, None)))
    assert (want.ShowProblem(number=0) in change.then) is (wanted is None)


@pytest.mark.parametrize("changes", [{"judges": False}, {"headless": True}, {"path": ""}])
def test_but_not_unasked_without_a_window_or_of_what_was_just_measured(session, changes):
    assert not judged_first(session, **changes)


def test_the_bar_says_that_it_is_judged_or_that_nobody_does(session):
    assert verdict.make(replace(session, judges=False)).state is VerdictState.NOT_JUDGED
    bar = verdict.make(session)
    assert bar.state is VerdictState.JUDGING and bar.fraction is not None  # with a button that stops it
    stopped = judge(session, want.Judge(on=False))
    assert stopped.stop and verdict.make(stopped.session).state is VerdictState.NOT_JUDGED
    again = judge(stopped.session, want.Judge())
    assert again.then and verdict.make(again.session).state is VerdictState.JUDGING
    failed = first_diagnosis(session.slot()).failed(session, ValueError())
    assert verdict.make(failed).state is VerdictState.NOT_JUDGED


def test_the_bar_speaks_of_the_worst_and_counts_what_is_wrong(diagnosed):
    bar = verdict.make(diagnosed)
    assert bar.state is VerdictState.WRONG and len(bar.problems) == 5 and bar.problem == 0
    assert bar.headline.startswith("TRACES wrong: Swapped fibers") and "judged" in bar.judged


def test_steps_go_to_fibers_and_round(diagnosed):
    first = show_problem(diagnosed, want.ShowProblem(number=0))
    assert first.problem == 0 and first.selection.fibers == (made_doctor.SWAPPED, made_doctor.SWAPPED + 1)
    last = show_problem(first, want.ShowProblem(step=-1))
    assert last.problem == len(verdict.make(diagnosed).problems) - 1
    assert show_problem(last, want.ShowProblem(step=1)).problem == 0


def test_the_bar_has_the_color_of_the_problem_that_it_speaks_of(diagnosed):
    found, seen = diagnosed.slot().diagnosis, set()
    weak = tuple(replace(one, verdict=Verdict.WARN) if n else one for n, one in enumerate(found.problems))
    diagnosed = diagnosed.with_slot(replace(diagnosed.slot(), diagnosis=replace(found, problems=weak)))
    for number, problem in enumerate(verdict.make(diagnosed).problems):
        bar = verdict.make(show_problem(diagnosed, want.ShowProblem(number=number)))
        assert bar.state is problem.state and f" {problem.state.value}: " in bar.headline
        seen.add(bar.state)
    assert seen == {VerdictState.WRONG, VerdictState.LOOK}


def test_the_view_goes_to_the_worst_unless_the_user_has_moved_it(session):
    slot = session.slot()
    found = doctor.of_the_file(made_doctor.diagnosis(), slot.traces)
    task = first_diagnosis(slot)
    still = session.with_slot(replace(slot, view=replace(slot.view, fit=True)))
    still = replace(still, selection=Selection())
    assert task.apply(still, (found, None)).then[0] == want.ShowProblem(number=0)
    moved = session.with_slot(replace(slot, view=replace(slot.view, fit=False)))
    assert isinstance(task.apply(moved, (found, None)), Session)


def test_a_problem_that_wants_a_look_is_marked_where_the_user_is(session):
    slot = session.slot()
    found = doctor.of_the_file(made_doctor.diagnosis(), slot.traces)
    task = first_diagnosis(slot)
    looks = replace(found, verdict=Verdict.WARN)
    shown = task.apply(session.with_slot(replace(slot, view=replace(slot.view, fit=True))), (looks, None))
    assert isinstance(shown, Session) and shown.slot().view.fit and shown.selection == session.selection
    assert shown.proof.box is not None and shown.proof.frames == {slot.key}


def test_of_traces_that_nobody_judged_it_is_not_said_that_no_problem_was_found(session):
    assert show_problem(session, want.ShowProblem(step=1)).messages[-1].text == "nothing was judged yet"
