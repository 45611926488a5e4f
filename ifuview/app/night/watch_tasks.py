"""Tasks of a folder that is watched: look again, ask each camera that has come, show the newest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from ifuview.app.frames.intents import Intent, ShowDock
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night import intents as want
from ifuview.app.night import open_night
from ifuview.app.night.showing import show
from ifuview.app.night.tasks import ScanFolder
from ifuview.app.session import Level, Session
from ifuview.app.tasks import Change, Outcome, Plan, Task, as_change
from ifuview.engine.context import JobContext
from ifuview.model.night.exposures import ExposureIndex

if TYPE_CHECKING:
    from ifuview.app.night.triage.growing import Answers


@dataclass(frozen=True, kw_only=True)
class LookForNew(ScanFolder):
    """What has come into the folder since the last look."""

    kind: ClassVar[JobKind] = JobKind.LOOK_AGAIN
    quiet: bool = True

    def apply(self, session: Session, result: ExposureIndex) -> Outcome:
        """List it, ask the cameras that are whole, show the newest if that is wished for."""
        from ifuview.app.night.watch import due

        now = session.night
        if now is None or now.index.folder != result.folder:
            return session
        before = session
        session, places = open_night.refreshed(session, result)
        asked, waiting = due(result, now.waiting, places)
        if waiting != now.waiting:
            session = _with(session, waiting=MappingProxyType(waiting))
        then: tuple[Task[Any] | Intent, ...] = tuple(_triage(result, expid, camera) for expid, camera in asked)
        if session is before:
            return Change(session, then)
        if places:
            names = sorted({f"{p.product}-{p.camera}-{p.expid}" for p in places})
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            session = note(session, f"New: {', '.join(names[:3])}{more}")
        place = open_night.newest_of(session, places) if now.newest else None
        if place is None:
            return Change(session, then)
        if open_night.here(session) in (None, now.auto):
            session = _with(session, auto=place)
        change = as_change(session, show(session, (place,)))
        return replace(change, then=(*then, *change.then))


def _with(session: Session, **changes: Any) -> Session:
    """The session with something of its night changed."""
    return replace(session, night=replace(open_night.night_of(session), **changes))


def look_again(session: Session, _: want.LookAgain) -> Outcome:
    """Look for new files, if the folder is still watched."""
    night = session.night
    if night is None or not night.watched:
        return session
    folder = night.index.folder
    return LookForNew(title=f"Look for new files in {folder}", path=folder)


@dataclass(frozen=True, kw_only=True)
class TriageCamera(Task["Answers"]):
    """What is wrong with a camera that has just been reduced."""

    kind: ClassVar[JobKind] = JobKind.TRIAGE
    index: ExposureIndex
    expid: int
    camera: str
    newest: bool = True
    aside: bool = True

    @property
    def of(self) -> str:
        """The camera of the exposure."""
        return f"{self.camera} {self.expid}"

    def run(self, session: Session, ctx: JobContext) -> Answers:
        """Ask it."""
        from ifuview.app.night.triage.growing import answers
        from ifuview.app.night.watch import ask

        results = "" if session.night is None else session.night.results
        one = ask(self.index, self.expid, self.camera, ctx, results)
        return answers(session.triage, (one,), f"what arrived in {os.path.basename(self.index.folder)}")

    def apply(self, session: Session, result: Answers) -> Change:
        """Keep the answer with the others, and say what was not said yet."""
        from ifuview.app.night.triage.growing import joined
        from ifuview.app.night.watch import findings_of, lines

        first, after = session.triage is None, joined(session.triage, result)
        one = result.new[0] if result.new else result.unread[0]
        found = findings_of(after, one)
        session = _told(replace(session, triage=after), lines(after, one), any(not f.known for f in found))
        return Change(session, (ShowDock("triage"),) if first and found else ())


def _triage(index: ExposureIndex, expid: int, camera: str) -> TriageCamera:
    return TriageCamera(title=f"Triage of {camera} {expid}", index=index, expid=expid, camera=camera)


def _told(session: Session, words: tuple[str, ...], bad: bool) -> Session:
    """What is new of some lines, the worst last: that is the one that stays on the status line."""
    said = frozenset() if session.night is None else session.night.said
    fresh = [line for line in words if line not in said]
    if session.night is not None:
        session = _with(session, said=said | frozenset(fresh))
    for line in reversed(fresh[1:]):
        session = note(session, line)
    more = f" (and {len(fresh) - 1} more in the Triage dock)" if len(fresh) > 1 else ""
    for line in fresh[:1]:
        session = note(session, f"{line}{more}", Level.WARNING if bad else Level.INFO)
    return session


TASKS: Mapping[type[Intent], Plan] = {want.LookAgain: look_again}
