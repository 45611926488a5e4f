"""The amplifiers of a raw night are judged as it is opened: by their read-out alone, nothing is reduced for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.intents import Judge, ShowProblem
from ifuview.app.jobs import JobKey, JobKind
from ifuview.app.messages import no_problem
from ifuview.app.night import open_night
from ifuview.app.night.amplifiers.health import read_health
from ifuview.app.night.intents import ShowProduct
from ifuview.app.night.state import AmplifierKey, HealthState, Place
from ifuview.app.session import Session
from ifuview.app.tasks import Change, Outcome, Task, as_change
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError
from ifuview.instrument import instrument
from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.night.raw import DETECTOR, RawAmplifier, RawExposure
from ifuview.model.verdict import VerdictState

AT_ONCE = 16  # amplifiers between two looks at what else is wanted
SKY = "sci"  # exposures of it come first


@dataclass(frozen=True, kw_only=True)
class JudgeAmplifiers(Task["HealthState"]):
    """The next amplifiers are read."""

    kind: ClassVar[JobKind] = JobKind.VERDICT
    state: HealthState
    quiet: bool = True
    newest: bool = True
    aside: bool = True

    def run(self, session: Session, ctx: JobContext) -> HealthState:
        """Ask some of them."""
        night, found, unread = self.state.night, dict(self.state.found), list(self.state.unread)
        assert night.raw_night is not None
        spec = instrument(night.raw_night.instrument)
        for place, key in enumerate(self.state.todo[:AT_ONCE]):
            ctx.checkpoint(place / AT_ONCE, f"amplifier {key.name} of {key.camera}")
            amplifier = _amplifier(night.raw_exposure(key.expid), key)
            try:
                found[key] = read_health(amplifier, spec, ctx=ctx)
            except IfuviewError as problem:
                unread.append(str(problem))
        return replace(self.state, found=found, unread=tuple(unread), todo=self.state.todo[AT_ONCE:])

    def apply(self, session: Session, result: HealthState) -> Outcome:
        """Keep what was found, go to the first that is wrong unless the user is elsewhere, and go on."""
        now = session.health
        if now is None or now.night is not result.night or now.stopped:
            return session
        session = replace(session, health=replace(result, problem=now.problem))
        change = as_change(session, _taken_there(session))
        return replace(change, then=(*change.then, *_next(result)))


def _taken_there(session: Session) -> Outcome:
    """The worst amplifier on the canvas, once, if it is wrong and what was opened first is still shown.

    A frame that is of no raw exposure is something else: a step of a reduction, which may come first or last.
    """
    state = session.health
    if state is None or state.problem >= 0 or not state.groups or session.headless:
        return session
    if open_night.is_elsewhere(session):
        return session
    if not any(state.found[key].state is VerdictState.WRONG for key in state.groups[0]):
        return session
    first, now = first_look(state.night), open_night.here(session)
    opened = first is not None and now in (None, Place(first.expid or 0, first.camera, first.product))
    return go_to_problem(session, ShowProblem(number=0)) if opened else session


def _amplifier(exposure: RawExposure | None, key: AmplifierKey) -> RawAmplifier:
    assert exposure is not None
    return next(a for a in exposure.amplifiers if (a.camera, a.name) == (key.camera, key.name))


def _next(state: HealthState) -> tuple[JudgeAmplifiers, ...]:
    title = f"Judge amplifiers, {len(state.todo)} left"
    return (JudgeAmplifiers(title=title, state=state),) if state.todo else ()


def first_look(index: ExposureIndex) -> ShowProduct | None:
    """The first exposure of the sky on the canvas, else the first of all."""
    if index.raw_night is None or not index.exposures:
        return None
    sky = [e for e in index.exposures if e.obstype == SKY]
    first = (sky or list(index.exposures))[0]
    exposure = index.raw_exposure(first.expid)
    if exposure is None or not exposure.cameras:
        return None
    camera = next(iter(exposure.target), exposure.cameras[0])
    return ShowProduct(first.expid, camera if camera in exposure.cameras else exposure.cameras[0], DETECTOR)


def judged(session: Session) -> Outcome:
    """Begin with the amplifiers of exposures of the sky, those on the canvas first."""
    night = session.night
    if night is None or night.index.raw_night is None:
        return session
    now = open_night.here(session)
    shown = -1 if now is None else now.expid
    keys = tuple(
        AmplifierKey(e.expid, a.camera, a.name)
        for e in sorted(night.index.exposures, key=lambda e: (e.expid != shown, e.obstype != SKY, e.expid))
        for a in _usable(night.index.raw_exposure(e.expid))
    )
    state = HealthState(night.index, todo=keys)
    return Change(replace(session, health=state), _next(state))


def _usable(exposure: RawExposure | None) -> Iterable[RawAmplifier]:
    return () if exposure is None else [a for a in exposure.amplifiers if not a.problem]


def judge(session: Session, intent: Judge) -> Outcome:
    """Judge the amplifiers, go on, or stop."""
    state = session.health
    if state is None or (session.night is not None and state.night is not session.night.index):
        return judged(session) if intent.on else session
    if not intent.on:
        return Change(
            replace(session, health=replace(state, stopped=True)), stop=(JobKey(JobKind.VERDICT),)
        )  # fmt: skip
    state = replace(state, stopped=False)
    return Change(replace(session, health=state), _next(state))


def go_to_problem(session: Session, intent: ShowProblem) -> Outcome:
    """Another amplifier that is not as it should be, on the canvas."""
    state = session.health
    groups = () if state is None else state.groups
    if state is None or not groups:
        asked = state is not None and bool(state.found)
        return no_problem(session, asked=asked, left=asked and bool(state and state.todo))
    now = max(state.problem, 0 if not intent.step else state.problem)
    number = intent.number if intent.number is not None else (now + intent.step) % len(groups)
    if not 0 <= number < len(groups):
        return session
    key = groups[number][0]
    session = replace(session, health=replace(state, problem=number))
    return Change(session, (ShowProduct(key.expid, key.camera, DETECTOR),))
