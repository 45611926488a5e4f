"""The findings of a triage as the dock lists them, worst first, with the spectra that show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ifuview.app.night.state import TriageState
from ifuview.app.night.views.verdict import fibers_of, kind_words, short, where, words_of
from ifuview.app.session import Session
from ifuview.engine.night.problems import grouped
from ifuview.model.figure import Figure
from ifuview.model.night.triage import HARMLESS, Cause, Finding

HINT = (
    "Open the folder of a production, a night or an exposure (or one of its products) and press Triage: it names the "
    "first product that is wrong in each camera, the kind of the defect and how far it reaches."
)


@dataclass(frozen=True, slots=True)
class TriageRow:
    """One finding; `mark` is "bad", "known" or "info"."""

    finding: Finding
    place: str
    name: str
    step: str
    amount: str
    mark: str


@dataclass(frozen=True, slots=True, eq=False)
class TriageView:
    """Everything the dock shows; `groups` are the rows of each cause, `places` where each of those was seen.

    `shown` is the row that the bar and the canvas speak of; `judging`: more may be found.
    """

    rows: tuple[TriageRow, ...]
    headline: str
    can_run: bool
    done: bool
    causes: tuple[Cause, ...]
    state: TriageState | None
    blinking: bool
    groups: tuple[tuple[int, ...], ...] = ()
    places: Mapping[tuple[int, ...], str] = field(default_factory=dict)
    shown: int = -1
    judging: bool = False


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    return (session.triage, session.night is None, session.current, session.layout)


def make(session: Session) -> TriageView | None:
    """Rows and headline; None where nothing can be looked at."""
    state = session.triage
    can_run = session.night is not None or session.slot() is not None
    if state is None:
        return TriageView((), "", can_run, False, (), None, False) if can_run else None
    rows = tuple(_row(state, f) for f in state.result.findings)
    findings = state.result.findings
    groups = state.groups or grouped(findings)
    places = {group: where([findings[n] for n in group]) for group in groups}
    return TriageView(
        rows, _headline(state, rows), can_run, True, state.result.causes, state, session.layout.value == "blink",
        groups, places, state.number, bool(state.todo) and not state.stopped,
    )  # fmt: skip


def _headline(state: TriageState, rows: tuple[TriageRow, ...]) -> str:
    """How many of what."""
    bad = sum(r.mark == "bad" for r in rows)
    cameras = len(state.result.cameras)
    if not cameras and state.todo:
        return f"{state.scope}: judging {state.todo[0].label}"
    words = f"{bad} new finding{'s' if bad != 1 else ''}" if bad else "nothing new"
    known, other = (sum(r.mark == mark for r in rows) for mark in ("known", "info"))
    words += f", {known} known" if known else ""
    words += f", {other} of sky and stars" if other else ""
    lacking = len(state.result.not_measured) + len(state.result.problems)
    words += f"; {lacking} question{'s' * (lacking != 1)} could not be asked" if lacking else ""
    return f"{state.scope}, {cameras} camera{'s' if cameras != 1 else ''}: {words}"


def _row(state: TriageState, finding: Finding) -> TriageRow:
    """A finding in short words."""
    mark = "info" if finding.kind in HARMLESS else "known" if finding.known else "bad"
    amount = f"{finding.amplitude:.3g} {short(finding.unit)}"
    one = len(finding.fibers) == 1
    name = f"{kind_words(finding)}: {fibers_of(state, finding)}" if one else kind_words(finding)
    return TriageRow(finding, f"{finding.expid} {finding.camera}", name, finding.first_step, amount, mark)


def explanation(view: TriageView, number: int) -> str:
    """What is known of one finding, with the causes if they were asked for it."""
    finding = view.rows[number].finding
    said = finding.text if view.state is None else words_of(view.state, finding)
    lines = [said + ".", f"Extent: {finding.extent}."]
    causes = [c for c in view.causes if c.about.startswith(f"{finding.kind}, ")]
    for verdict, word in (("supported by", "Cause"), ("not decided", "Not decided"), ("excluded by", "Excluded")):
        names = ", ".join(dict.fromkeys(c.name for c in causes if c.verdict == verdict))
        if names:
            lines.append(f"{word}: {names}.")
    return "\n".join(lines)


def evidence(view: TriageView, number: int) -> str:
    """What speaks for and against each cause of one finding, a line each."""
    finding = view.rows[number].finding
    causes = [c for c in view.causes if c.about.startswith(f"{finding.kind}, ")]
    return "\n".join(f"{c.name}: {c.verdict} {c.evidence}" for c in causes)


def evidence_figure(view: TriageView, number: int) -> Figure | None:
    """What shows a finding."""
    from ifuview.report.night.evidence import of_finding

    finding = view.rows[number].finding
    return (
        None
        if view.state is None
        else of_finding(finding, view.state.arrays.get((finding.expid, finding.camera)) or {})
    )
