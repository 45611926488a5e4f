"""The verdict on the traces of the frame on the canvas."""

from __future__ import annotations

from ifuview.app.frames.views.text import waves
from ifuview.app.session import Session
from ifuview.app.traces.views import findings
from ifuview.app.traces.views.findings import FindingRow
from ifuview.model.verdict import VerdictProblem, VerdictState, VerdictView, as_state

DOT = " \u00b7 "


def make(session: Session) -> VerdictView | None:
    """The bar; None where the frame has no traces on a detector image."""
    found = findings.make(session)
    slot = session.slot()
    if found is None or slot is None or slot.traces is None or not found.can_diagnose:
        return None
    if found.verdict is None and session.judges and slot.dataset.path and slot.key not in session.unjudged:
        words = f"judging {slot.traces.nfiber} traces of {slot.title}"
        return VerdictView(VerdictState.JUDGING, words, fraction=0.0)
    if found.verdict is None:
        return VerdictView(VerdictState.NOT_JUDGED, f"traces not judged yet: {slot.traces.nfiber} of {slot.title}")
    problems = tuple(_problem(row, number) for number, row in enumerate(findings.problems(found)))
    number = min(session.problem, len(problems) - 1)
    shown = problems[number] if number >= 0 else None
    judged = "" if found.diagnosis is None else f"judged {found.diagnosis.nfiber} fibers"
    headline = found.sentence if shown is None else shown.headline
    corrected = found.corrected and found.changed  # what was found is about the traces before
    if corrected:
        headline = f"traces corrected, not judged again{DOT}{'' if shown is None else 'before: '}{headline}"
    return VerdictView(
        state=VerdictState.NOT_JUDGED if corrected else as_state(found.verdict) if shown is None else shown.state,
        headline=headline,
        detail=found.hint if shown is None else shown.detail,
        judged=judged,
        problems=problems,
        problem=number,
        report=True,
        dock="findings",
    )


def _problem(row: FindingRow, number: int) -> VerdictProblem:
    """A finding in words."""
    one = row.finding
    state = as_state(one.verdict)
    sigma = f"{row.sigma} sigma" if row.sigma.strip("\u2013") else ""
    wave = "" if one.wave_range is None else waves(*one.wave_range)
    amount = row.amount if row.amount.strip("\u2013") else ""
    headline = DOT.join(filter(None, (f"TRACES {state.value}: {row.name}", wave)))
    return VerdictProblem(
        state,
        "traces",
        headline,
        DOT.join(filter(None, (one.text, ", ".join(filter(None, (amount, sigma)))))),
        (number,),
    )
