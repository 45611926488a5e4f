"""The findings of a triage as the dock lists them, worst first, with the spectra that show them."""

from __future__ import annotations

import os

from ifuview.app.frames.intents import Intent
from ifuview.app.night import open_night
from ifuview.app.night.intents import ShowFinding
from ifuview.app.night.state import HealthState, TriageState
from ifuview.app.night.views import amplifiers
from ifuview.app.night.views.problem_list import TriageRow, TriageView
from ifuview.app.night.views.verdict import (
    KIND_WORDS,
    amount_of,
    briefly,
    fibers_of,
    kind_words,
    spans_of,
    step_words,
    unasked,
    words_of,
)
from ifuview.app.session import Session
from ifuview.engine.night.problems import grouped
from ifuview.model.figure import Figure
from ifuview.model.frames.units import sentence
from ifuview.model.night.triage import CLASSES, HARMLESS, Finding

LONGEST, ELLIPSIS = 16, "\u2026"  # of the name of a folder
HINT = (
    "Open the folder of a production, a night or an exposure (or one of its products) and press Triage: it names the "
    "first product that is wrong in each camera, the kind of the defect and how far it reaches."
)


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    place = open_night.here(session)
    return (session.triage, session.health, session.night is None, session.current, session.layout, place)


def make(session: Session) -> TriageView | None:
    """Rows and headline; None where nothing can be looked at."""
    if session.night is not None and session.night.index.raw_night is not None:
        return amplifiers.make(session)
    state = session.triage
    can_run = session.night is not None or session.slot() is not None
    if state is None:
        return TriageView((), "", can_run, False, (), None, False, scopes=scopes(session)) if can_run else None
    rows = tuple(_row(state, f, ShowFinding(n)) for n, f in enumerate(state.result.findings))
    findings = state.result.findings
    groups = state.groups or grouped(findings)
    lines = {group: rows[group[0]].line(*briefly([findings[n] for n in group])) for group in groups}
    return TriageView(
        rows, _headline(state, rows), can_run, True, state.result.causes, state, session.layout.value == "blink",
        groups, lines, state.number, "" if rows else _asked(state),
        scopes(session),
    )  # fmt: skip


def scopes(session: Session) -> tuple[tuple[str, str], ...]:
    """What a triage can look at, by its name; without an exposure that is chosen only the whole."""
    night, place = session.night, open_night.here(session)
    if night is None:
        return ("This exposure", "exposure"), ("This product", "camera"), ("Its folder", "night")
    name = os.path.basename(night.index.folder.rstrip(os.sep)) or night.index.folder
    every = f"All of {name if len(name) <= LONGEST else name[:LONGEST] + ELLIPSIS}", "night"
    if place is None:
        return (every,)
    return (f"Exposure {night.index.name(place.expid)}", "exposure"), (f"Its camera {place.camera}", "camera"), every


def _asked(state: TriageState) -> str:
    """What was asked of how much, where nothing was found: that is what the verdict is worth."""
    judged = state.result.judged
    if not judged:
        return "No camera was judged." if state.stopped or not state.todo else "No camera has been judged yet."
    fibers = sum(round(one.share * one.fibers) for one in judged)
    lacking = {one.what: one.missing for one in state.result.not_measured}
    asked = [KIND_WORDS[kind] for kind in CLASSES if kind in KIND_WORDS and kind not in lacking]
    lines = [
        f"Nothing was found {'so far ' if state.todo else ''}in {fibers} spectra of {len(judged)} camera "
        f"exposure{'s' * (len(judged) != 1)}.",
        f"Asked of each: whether {', '.join(asked)}.",
    ]
    return "\n".join(filter(None, (*lines, unasked(state))))


def _headline(state: TriageState, rows: tuple[TriageRow, ...]) -> str:
    """How many of what."""
    bad = sum(r.mark == "bad" for r in rows)
    cameras = len(state.result.cameras)
    if not cameras and state.stopped:
        return f"{state.scope}: stopped before any camera was judged"
    if not cameras and state.todo:
        return f"{state.scope}: judging {state.todo[0].label}"
    words = f"{bad} new finding{'s' if bad != 1 else ''}" if bad else "nothing new"
    known, other = (sum(r.mark == mark for r in rows) for mark in ("known", "info"))
    words += f", {known} known" if known else ""
    words += f", {other} of sky and stars" if other else ""
    lacking = len(state.result.not_measured) + len(state.result.problems)
    words += f"; {lacking} question{'s' * (lacking != 1)} could not be asked" if lacking else ""
    return f"{state.scope}, {cameras} camera{'s' if cameras != 1 else ''}: {words}"


def _row(state: TriageState, finding: Finding, go: Intent) -> TriageRow:
    """A finding in short words."""
    mark = "info" if finding.kind in HARMLESS else "known" if finding.known else "bad"
    one = len(finding.fibers) == 1
    name = f"{kind_words(finding)}: {fibers_of(state, finding)}" if one else kind_words(finding)
    name = ", ".join(filter(None, (name, spans_of([finding]))))
    place = f"{finding.expid} {finding.camera}"
    return TriageRow(finding, place, name, step_words(finding), amount_of(finding), mark, words_of(state, finding), go)


def explanation(view: TriageView, number: int) -> str:
    """What is known of one finding, with the causes if they were asked for it."""
    finding = view.rows[number].finding
    if finding is None:
        return view.rows[number].text
    lines = [view.rows[number].text + ".", f"Extent: {finding.extent}."]
    causes = [c for c in view.causes if c.about.startswith(f"{finding.kind}, ")]
    for verdict, word in (("supported by", "Cause"), ("not decided", "Not decided"), ("excluded by", "Excluded")):
        names = ", ".join(dict.fromkeys(c.name for c in causes if c.verdict == verdict))
        if names:
            lines.append(f"{word}: {names}.")
    return "\n".join(lines)


def evidence(view: TriageView, number: int) -> str:
    """What speaks for and against each cause of one finding, a line each."""
    finding = view.rows[number].finding
    if finding is None:
        return ""
    causes = [c for c in view.causes if c.about.startswith(f"{finding.kind}, ")]
    return "\n".join(f"{c.name}: {c.verdict} {sentence(c.evidence)}" for c in causes)


def evidence_figure(view: TriageView, number: int) -> Figure | None:
    """What shows a finding; -1: what was looked at where nothing was found."""
    state = view.state
    if isinstance(state, HealthState):
        return amplifiers.figure(view, state, number)
    finding = view.rows[number].finding if number >= 0 else None
    if state is None or finding is None:
        return None
    from ifuview.report.night.evidence import of_finding

    return of_finding(finding, state.arrays.get((finding.expid, finding.camera)) or {})
