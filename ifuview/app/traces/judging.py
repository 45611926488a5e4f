"""The traces of a frame are judged as they come; the verdict bar goes from one finding to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ifuview.app.frames.intents import Intent, Judge, PickPoint, SelectFiber, SetView, ShowProblem
from ifuview.app.frames.judging import judge_current
from ifuview.app.frames.selection import pick_point, select_fiber
from ifuview.app.frames.state import Proof
from ifuview.app.frames.steps import set_view
from ifuview.app.jobs import JobKind
from ifuview.app.messages import no_problem
from ifuview.app.session import Session, Slot
from ifuview.app.tasks import Outcome, Plan
from ifuview.app.traces import intents as want
from ifuview.app.traces.tasks import DiagnoseTraces
from ifuview.app.traces.views import findings as view
from ifuview.model.image import Kind


def wants_verdict(old: Slot | None, slot: Slot) -> bool:
    """Whether traces have come to the detector image of a file that its diagnosis, if there is one, is not about.

    Frames without a file (raw exposures, steps of a reduction) have traces that were just measured: no one gave them.
    """
    if not slot.dataset.path or slot.traces is None or slot.image.kind is not Kind.DETECTOR:
        return False
    if old is not None and old.traces is slot.traces:
        return False
    return slot.diagnosis is None or not view.of_these(slot.diagnosis, slot)


def first_diagnosis(slot: Slot) -> DiagnoseTraces:
    """The judgement of new traces, aside of what the user does."""
    return DiagnoseTraces(
        title=f"Judge the traces of {slot.title}",
        frame=slot.key,
        traces=slot.traces,
        quiet=True,
        aside=True,
        leads=True,
    )


def judged(session: Session) -> bool:
    """Whether the current frame has traces on a detector image."""
    slot = session.slot()
    return slot is not None and slot.traces is not None and slot.image.kind is Kind.DETECTOR


def judge(session: Session, intent: Judge) -> Outcome:
    """Judge the traces of the current frame, or stop that."""
    return judge_current(session, intent, JobKind.DIAGNOSE, lambda slot: (first_diagnosis(slot),))


def go_to_problem(session: Session, intent: ShowProblem) -> Outcome:
    """Another finding: its place on the canvas, its fibers chosen."""
    found = view.make(session)
    count = 0 if found is None else len(view.problems(found))
    if found is None or not count:
        return no_problem(session, asked=found is not None and found.verdict is not None)
    at = intent.number if intent.number is not None else (session.problem + intent.step) % count
    return at_row(session, found, at)


def show_finding(session: Session, intent: want.ShowTraceFinding) -> Session:
    """A finding of the list."""
    found = view.make(session)
    return session if found is None else at_row(session, found, intent.number)


def at_row(session: Session, found: view.FindingsView, number: int) -> Session:
    """The session with the canvas at a row of the findings."""
    if not 0 <= number < len(found.rows):
        return session
    row = found.rows[number]
    proof = None if row.box is None else Proof(frozenset({found.slot}), box=row.box)
    session = set_view(replace(session, problem=number, proof=proof), SetView(found.slot, row.view))
    if row.point is not None:
        session = pick_point(session, PickPoint(found.slot, *row.point))
    fibers = row.finding.fibers
    if fibers and row.finding.group == "fiber":
        return select_fiber(session, SelectFiber(fibers[0], fibers))
    if found.diagnosis is not None and row.finding.group == "mode" and 0 < len(fibers) < found.diagnosis.nfiber:
        return select_fiber(session, SelectFiber(fibers[len(fibers) // 2], fibers))
    return session


STEPS: Mapping[type[Intent], Plan] = {want.ShowTraceFinding: show_finding}
