"""Tasks of the triage: cameras are looked at; a finding is shown between two products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ifuview.app.frames.intents import Intent, ShowDock
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night import intents as want
from ifuview.app.night.showing import at_finding, show
from ifuview.app.session import Layout, Level, Session
from ifuview.app.tasks import Change, Outcome, Plan, Task, Telling, as_change
from ifuview.engine.context import JobContext

if TYPE_CHECKING:
    from ifuview.app.night.state import TriageState
    from ifuview.app.night.triage.growing import Answers
    from ifuview.model.night.triage import Finding


@dataclass(frozen=True, kw_only=True)
class TriageScope(Task["Answers"]):
    """The first bad product of each camera of a camera, an exposure or a night."""

    kind: ClassVar[JobKind] = JobKind.TRIAGE
    scope: str
    newest: bool = True
    aside: bool = True

    def run(self, session: Session, ctx: JobContext) -> Answers:
        """Look at them."""
        from ifuview.app.night.triage.window import run

        return run(session, self.scope, ctx)

    def apply(self, session: Session, result: Answers) -> Change:
        """Show what was found; what is known of other cameras stays."""
        from ifuview.app.night.triage.growing import joined

        state = joined(None if self.scope == "night" else session.triage, result)
        session = replace(session, triage=state)
        for problem in (*result.unread, *(p for one in result.new for p in one.problems)):
            session = note(session, problem, Level.WARNING)
        places = {(one.camera.expid, one.camera.camera) for one in result.new}
        found = state.result.findings
        own = [n for group in state.groups for n in group if (found[n].expid, found[n].camera) in places]
        session = note(session, f"Triage of {result.scope}: {len(own)} finding{'s' if len(own) != 1 else ''}")
        if not own or session.headless:
            return Change(session, (ShowDock("triage"),))
        session = replace(session, triage=state.at(own[0]))  # the bar speaks of it: its picture is shown
        change = as_change(session, at_proof(session, found[own[0]], blink=False))
        return replace(change, then=(*change.then, ShowDock("triage")))


def triage(session: Session, intent: want.Triage) -> Outcome:
    """Look at what is open."""
    from ifuview.app.night.triage.window import request

    words = request(session, intent.scope)[-1]
    return TriageScope(title=f"Triage of {words}", scope=intent.scope)


def show_finding(session: Session, intent: want.ShowFinding) -> Outcome:
    """Open the two products between which a finding appears and go to its place."""
    state = session.triage
    if state is None or not 0 <= intent.number < len(state.result.findings):
        return session
    session = replace(session, triage=state.at(intent.number))
    return at_proof(session, state.result.findings[intent.number], blink=intent.blink)


def at_proof(session: Session, finding: Finding, *, blink: bool) -> Outcome:
    """The two products between which a finding appears, at its place; where there is no night, its place alone."""
    from ifuview.app.night.triage.window import places

    pair = places(session, finding)
    if blink and len(pair) < 2:
        session = note(session, "there is nothing to blink: only one of the products that would show it is there")
    if not pair:
        return at_finding(session, finding)
    if session.layout is Layout.BLINK:
        session = replace(session, layout=Layout.SINGLE, blink_keys=())
    outcome = show(session, pair, blink=pair if blink and len(pair) > 1 else (), finding=finding)
    return Change(session, (outcome,)) if isinstance(outcome, Task) else outcome


@dataclass(frozen=True, kw_only=True)
class WriteTriage(Telling):
    """The report of a triage in a folder."""

    kind: ClassVar[JobKind] = JobKind.REPORT
    state: TriageState
    folder: str

    def run(self, session: Session, ctx: JobContext) -> str:
        """Write, and say where."""
        from ifuview.app.night.triage.window import export

        return f"Triage written to {export(self.state, self.folder, ctx)}"


def export_triage(session: Session, intent: want.ExportTriage) -> Outcome:
    """Write the triage that is shown."""
    if session.triage is None:
        return note(session, "there is no triage to write; press Triage first")
    return WriteTriage(title=f"Triage report in {intent.folder}", state=session.triage, folder=intent.folder)


TASKS: Mapping[type[Intent], Plan] = {
    want.Triage: triage,
    want.ShowFinding: show_finding,
    want.ExportTriage: export_triage,
}
