"""What a report says was found: the worst of what triage, trace doctor, read-out and reduction say of its frame."""

from __future__ import annotations

from collections.abc import Iterator

from ifuview.app import verdict
from ifuview.app.judging import of_night, of_raw_night, of_reduction
from ifuview.app.night.judging import triage_can_ask
from ifuview.app.session import Session, Slot
from ifuview.model.frames.report import VerdictLine
from ifuview.model.verdict import VerdictProblem, VerdictState, VerdictView, as_state

MOST = 4  # problems of one bar on a page
DOT = " \u00b7 "


def verdict_lines(session: Session, slot: Slot) -> tuple[VerdictLine, ...]:
    """What was judged, the worst first; what was not judged is said, not left out."""
    out = tuple(_found(session, slot)) or (VerdictLine(VerdictState.NOT_JUDGED, "Frame", "nothing was judged in it"),)
    return tuple(sorted(out, key=lambda line: _order(line.verdict)))


def _found(session: Session, slot: Slot) -> Iterator[VerdictLine]:
    """The lines of all that can judge the frame, or the chosen fiber in it."""
    found, fiber = session.inspection, session.selection.fiber
    quality = None if found is None or fiber is None else found.quality
    if of_reduction(session):
        yield from _of_bar(verdict.make(session))
    elif triage_can_ask(slot) or (session.triage is not None and session.triage.about(slot.dataset.path)):
        from ifuview.app.night import of_fiber

        yield from of_fiber.lines(session.triage, slot.dataset.path, fiber)
    elif (quality is None or slot.diagnosis is not None) and not of_night(session):
        yield from _of_bar(verdict.make(session))
    if of_raw_night(session):
        yield from _of_readout(session, slot)
    if found is not None and quality is not None:
        yield VerdictLine(as_state(quality.verdict), f"Trace of fiber {found.fiber_id}", quality.text)
    elif found is not None and fiber is not None:
        why = found.note or "no detector image with traces is open"
        yield VerdictLine(VerdictState.NOT_JUDGED, "Trace", why)


def _of_bar(bar: VerdictView | None) -> Iterator[VerdictLine]:
    """The worst problems of the verdict bar; without one what it says of the whole."""
    if bar is None:
        return
    problems = sorted(bar.problems, key=lambda one: _order(one.state))
    for one in problems[:MOST]:
        yield _of_problem(one)
    if rest := problems[MOST:]:
        yield VerdictLine(rest[0].state, f"{len(rest)} more", "; ".join(one.headline for one in rest))
    if not bar.problems:
        text = DOT.join(filter(None, (bar.headline, bar.detail, bar.judged)))
        yield VerdictLine(bar.state, "Frame", text)


def _of_problem(one: VerdictProblem) -> VerdictLine:
    """A problem of the bar; its sign says how bad it is, so that its headline need not."""
    head, _, rest = one.headline.partition(DOT)
    said = head.partition(": ")[2]
    title = f"{one.step}: {said}" if said else one.step
    return VerdictLine(one.state, title, DOT.join(filter(None, ("" if said else head, rest, one.detail))))


def _of_readout(session: Session, slot: Slot) -> Iterator[VerdictLine]:
    """The verdict on the amplifiers of the detector of a raw exposure."""
    from ifuview.app.night.views import health

    now = None if session.night is None else session.night.shown.get(slot.key)
    if now is None or session.night is None:
        return
    one = health.verdicts(session.health, session.night.index).get((now.expid, now.camera))
    if one is not None:
        yield VerdictLine(one.state, "Read-out", one.text.replace("\n", "; "))


def _order(state: VerdictState) -> int:
    return tuple(VerdictState).index(state)
