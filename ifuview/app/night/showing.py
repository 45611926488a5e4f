"""The task that shows products of a night: those that are not open are read, then one is current, or all blink."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ifuview.app.frames.intents import SelectFiber, SetView
from ifuview.app.frames.opening.opened import Opened
from ifuview.app.frames.selection import carried_over, select_fiber
from ifuview.app.frames.state import Proof
from ifuview.app.frames.steps import set_view
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night import open_night
from ifuview.app.night.state import Place
from ifuview.app.session import Layout, Level, Session
from ifuview.app.tasks import Outcome, Task
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError, UsageError
from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.trace import TraceSet

if TYPE_CHECKING:
    from ifuview.model.night.triage import Finding

Read = tuple[Place, Opened, TraceSet | None]
Problem = tuple[Place, str]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What is to be seen: the last of some places, or those of `blink` in turn or, `tile`, side by side; a finding."""

    places: tuple[Place, ...]
    blink: tuple[Place, ...] = ()
    along: str = ""
    tile: bool = False
    finding: Finding | None = None


@dataclass(frozen=True, kw_only=True)
class ReadProducts(Task[tuple[tuple[Read, ...], tuple[Problem, ...]]]):
    """Products that are not open; the latest wish counts."""

    kind: ClassVar[JobKind] = JobKind.PRODUCT
    goal: Goal
    missing: tuple[Place, ...]
    newest: bool = True
    front: bool = True

    def run(self, session: Session, ctx: JobContext) -> tuple[tuple[Read, ...], tuple[Problem, ...]]:
        """Read them; only the last must be there."""
        from ifuview.app.frames.opening.detector_place import traces_of
        from ifuview.app.night.files import open_place

        night = open_night.night_of(session)
        out: list[Read] = []
        problems: list[Problem] = []
        count = len(self.missing)
        for n, place in enumerate(self.missing):
            step = ctx.part(n / count, (n + 1) / count)
            ctx.checkpoint(n / count, _words(session, place))
            try:
                opened = open_place(night, place, open_night.look_of(session, place), step)
            except (IfuviewError, OSError) as problem:
                if place == self.goal.places[-1]:
                    raise
                problems.append((place, str(problem)))  # the others are shown all the same
                continue
            out.append((place, opened, traces_of(opened.dataset, opened.image, step)))
        return tuple(out), tuple(problems)

    def apply(self, session: Session, result: tuple[tuple[Read, ...], tuple[Problem, ...]]) -> Session:
        """Show them."""
        found, problems = result
        for place, problem in problems:
            name = "" if session.night is None else session.night.index.name(place.expid)
            session = note(session, f"{place.camera} {name} is left out: {problem}", Level.WARNING)
        left_out = {place for place, _ in problems}
        places = tuple(p for p in self.goal.places if p not in left_out)
        if session.night is None:
            return session
        fresh = tuple(item for item in found if open_night.key_of(session, item[0]) is None)
        if fresh:
            before, before_slots = session.slot(), session.slots
            session = carried_over(open_night.with_opened(session, fresh, places), before)
            if self.goal.finding is not None:
                night, known = open_night.night_of(session), {s.key for s in before_slots}
                lent = night.lent | {s.key for s in session.slots if s.key not in known}
                session = replace(session, night=replace(night, lent=lent))
        return arrived(session, replace(self.goal, places=places))


def show(
    session: Session,
    places: tuple[Place, ...],
    *,
    blink: tuple[Place, ...] = (),
    along: str = "",
    tile: bool = False,
    finding: Finding | None = None,
) -> Outcome:
    """Make the last of some places current, after those that are not open have been read."""
    goal = Goal(places=places, blink=blink, along=along, tile=tile, finding=finding)
    missing = tuple(p for p in places if open_night.key_of(session, p) is None)
    if not missing:
        return arrived(session, goal)
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return ReadProducts(title=f"Read {_words(session, missing[0])}{more}", goal=goal, missing=missing)


def _words(session: Session, place: Place) -> str:
    """A place as people read it."""
    index = open_night.night_of(session).index
    return f"{index.chain.title(place.product)} of {place.camera} {index.name(place.expid)}"


def arrived(session: Session, goal: Goal) -> Session:
    """The session with the products of a goal, all open, in view."""
    before = session
    session = open_night.at_place(session, goal.places[-1])
    if session.current != before.current:
        session = carried_over(session, before.slot())
    if goal.blink:
        session = open_night.blinking(session, goal.blink, Layout.TILE if goal.tile else Layout.BLINK)
        along = goal.along or open_night.night_of(session).along
        session = replace(session, night=replace(open_night.night_of(session), along=along))
    session = given_back(session, goal)
    return proved(session) if goal.finding is None else at_finding(session, goal.finding)


def proved(session: Session) -> Session:
    """The session with the finding that is shown marked on all frames of its camera and exposure."""
    finding = None if session.triage is None else session.triage.shown
    if finding is None:
        return replace(session, proof=None)
    night, place = session.night, (finding.expid, finding.camera)
    alone = frozenset(s.key for s in session.slots if s.key == session.current)
    own = alone if night is None else frozenset(k for k, p in night.shown.items() if (p.expid, p.camera) == place)
    return replace(session, proof=Proof(own, finding.fibers, finding.wave_range, finding.amplifier))


def given_back(session: Session, goal: Goal) -> Session:
    """The session without the frames that only the problem before had opened; what the user asks for stays."""
    night = open_night.night_of(session)
    if goal.finding is None:
        return replace(session, night=replace(night, lent=night.lent - {session.current}))
    gone = {key for key in night.lent if night.shown[key] not in goal.places}
    session = session.with_slots(s for s in session.slots if s.key not in gone)
    return replace(session, night=replace(night, lent=night.lent - gone))


def at_finding(session: Session, finding: Finding) -> Session:
    """The session with the canvas at the place of a finding and its fibers selected."""
    from ifuview.app.night.triage.window import view_of

    session = proved(session)
    slot = session.slot()
    if slot is None:
        return session
    if len(slot.image.shape) == 2 and slot.image.wave is not None:
        session = set_view(session, SetView(slot.key, view_of(slot, finding)))
    fibers = finding.fibers
    if not 0 < len(fibers) < slot.image.shape[0]:
        return session
    source = finding.detail.get("source", fibers[len(fibers) // 2])
    return select_fiber(session, SelectFiber(source, fibers))


def blinked(session: Session, along: str) -> tuple[Place, ...]:
    """What is blinked along the chain, other fields before and after, the tile, cameras of the arm, productions.

    Raises
    ------
    UsageError
        There is nothing to blink with.
    """
    night, now = open_night.night_of(session), open_night.here(session) or open_night.chosen(session, None, "", "")
    index = night.index
    if along == "chain":
        chain = [p for p in index.chain.shown if open_night.has(index, now.expid, now.camera, p)]
        out = [replace(now, product=p, other=False) for p in chain]
    elif along == "cameras":
        arm = now.camera[:1] if index.raw_night is None else ""
        own = [c for c in index.cameras if c.startswith(arm) and open_night.has(index, now.expid, c, now.product)]
        out = [replace(now, camera=c, other=False) for c in own]
    elif along == "exposures":
        around = [_other_field(index, now, step) for step in (-1, 1)]
        numbers = sorted({now.expid, *(n for n in around if n is not None)})
        out = [replace(now, expid=n, other=False) for n in numbers]
    elif along == "tile":
        there = [replace(now, expid=e.expid, other=False) for e in index.same_tile(now.expid)]
        out = [p for p in there if open_night.has(index, p.expid, p.camera, p.product)]
    else:
        out = [replace(now, other=False), replace(open_night.other_production(session), other=True)]
    if len(out) < 2:
        raise UsageError(f"there is nothing to blink {now.camera} {index.name(now.expid)} with along the {along}")
    return tuple(out)


def _other_field(index: ExposureIndex, now: Place, step: int) -> int | None:
    """The exposure before or after those of the same tile, that has the same product."""
    own = {e.expid for e in index.same_tile(now.expid)}
    at: int | None = now.expid
    while at is not None:
        found = index.neighbor(at, step, now.camera, index.chain.stored(now.product))
        at = None if found is None else found.expid
        if at not in own:
            return at
    return None
