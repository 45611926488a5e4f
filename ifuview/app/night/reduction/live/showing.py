"""Which frame shows a step of the reduction: one that is open, or one that is made; problems, comparisons of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ifuview.app.frames.adding import placed
from ifuview.app.frames.intents import Combine, SetLayout, ShowProblem
from ifuview.app.frames.opening.opened import Opened, new_slot
from ifuview.app.jobs import JobKind
from ifuview.app.messages import no_problem, note
from ifuview.app.night import intents as want
from ifuview.app.session import Layout, Level, Session
from ifuview.app.tasks import Change, Outcome, Task
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError

if TYPE_CHECKING:
    from ifuview.app.night.reduction.state import ReductionState


@dataclass(frozen=True, kw_only=True)
class ShowStepFrame(Task[Opened]):
    """The picture of a step."""

    kind: ClassVar[JobKind] = JobKind.PRODUCT
    step: str
    state: ReductionState
    newest: bool = True
    front: bool = True
    quiet: bool = True

    def run(self, session: Session, ctx: JobContext) -> Opened:
        """Make it."""
        from ifuview.app.night.reduction.live.pictures import frame_of

        return frame_of(self.state, self.step)

    def apply(self, session: Session, result: Opened) -> Outcome:
        """Show it."""
        return self.shown(session, result)

    def shown(self, session: Session, result: Opened) -> Session:
        """The session with its frame on the canvas."""
        from ifuview.app.night.reduction.live.pictures import picture, traces_on

        now = session.reduction
        if now is None or (now.expid, now.camera) != (self.state.expid, self.state.camera):
            return session
        traces = traces_on(self.state, self.step)
        slot = replace(new_slot(session, result), traces=traces, title=result.dataset.spec)
        session = session.adding(placed(session, slot))
        frames = {**now.frames, picture(self.state, self.step): slot.key}
        return kept(replace(session, reduction=replace(now, shown=self.step, frames=frames)))


def kept(session: Session) -> Session:
    """The session without frames of steps as they were two changes ago."""
    from ifuview.app.night.reduction.live.pictures import picture

    now = session.reduction
    if now is None:
        return session
    both = [one for one in (now, now.before) if one is not None]
    names = {picture(one, step) for one in both for step, _ in now.plan}
    gone = {key for name, key in now.frames.items() if name not in names and key != session.current}
    if not gone:
        return session
    frames = {name: key for name, key in now.frames.items() if key not in gone}
    session = session.with_slots(slot for slot in session.slots if slot.key not in gone)
    return replace(session, reduction=replace(now, frames=frames))


def show_step(session: Session, intent: want.ShowStep) -> Outcome:
    """Show a step of the reduction; at once if its frame is open."""
    from ifuview.app.night.reduction.live.pictures import picture, traces_on

    state = session.reduction
    if state is None:
        return note(session, "nothing is reduced; press Reduce first", Level.WARNING)
    state = replace(state, follows=state.follows and intent.led)
    session = replace(session, reduction=state)
    slot = session.slot(key) if (key := state.frames.get(picture(state, intent.step))) is not None else None
    if slot is None:
        return Change(session, (ShowStepFrame(title=f"Show {intent.step}", step=intent.step, state=state),))
    if slot.traces is None and (traces := traces_on(state, intent.step)) is not None:
        session = session.with_slot(replace(slot, traces=traces))
    return replace(session.showing(slot.key), reduction=replace(state, shown=intent.step))


def frame_of_step(session: Session) -> int | None:
    """The frame that shows what a change of the reduction is seen in: the one on the canvas, else of the shown step."""
    from ifuview.app.night.reduction.live.pictures import picture

    state = session.reduction
    if state is None or session.current in state.frames.values():
        return session.current
    key = state.frames.get(picture(state, state.shown)) if state.shown else None
    return next(reversed(tuple(state.frames.values())), None) if key is None else key


def is_shown(state: ReductionState, key: int | None) -> bool:
    """Whether a frame is the picture of the step that is shown, as it is now."""
    from ifuview.app.night.reduction.live.pictures import picture

    return bool(state.shown) and state.frames.get(picture(state, state.shown)) == key


def go_to_problem(session: Session, intent: ShowProblem) -> Outcome:
    """Another step that is wrong or wants a look, on the canvas."""
    from ifuview.app.night.views.reduction import make

    bar, state = make(session), session.reduction
    if bar is None or state is None or not bar.problems:
        left = state is not None and bool(state.running)
        return no_problem(session, asked=state is not None and bool(state.verdicts), left=left)
    number = intent.number if intent.number is not None else (bar.problem + intent.step) % len(bar.problems)
    if not 0 <= number < len(bar.problems):
        return session
    step = state.verdicts[bar.problems[number].members[0]].step
    return Change(replace(session, reduction=replace(state, problem=number)), (want.ShowStep(step),))


@dataclass(frozen=True, kw_only=True)
class BesideStep(ShowStepFrame):
    """The picture of the shown step as it was before the last change, beside the one of now."""

    how: str = "blink"

    def apply(self, session: Session, result: Opened) -> Outcome:
        """Blink both, or their difference."""
        return compared(self.shown(session, result), self.how)


def compare(session: Session, intent: want.CompareStep) -> Outcome:
    """Before against after, for the step on the canvas, or the first that is another."""
    from ifuview.app.night.reduction.live.pictures import picture

    state = session.reduction
    if state is None or state.before is None:
        raise UsageError("nothing was changed", todo="change a parameter of a step first")
    before = state.before
    differ = [s for s, _ in state.plan if picture(state, s) and picture(before, s) not in ("", picture(state, s))]
    if not differ:
        raise UsageError("no step has another picture than before the change")
    step = state.shown if state.shown in differ else differ[0]
    for one in (before, state):
        if session.slot(state.frames.get(picture(one, step), -1)) is None:
            words = f"Show {step} {'before' if one is before else 'after'}"
            session = replace(session, reduction=replace(state, shown=step))
            return Change(session, (BesideStep(title=words, step=step, state=one, how=intent.how),))
    return compared(replace(session, reduction=replace(state, shown=step)), intent.how)


def compared(session: Session, how: str) -> Outcome:
    """Both frames are open: blink or subtract them; one that is still missing is made first."""
    from ifuview.app.night.reduction.live.pictures import picture

    state = session.reduction
    if state is None or state.before is None:
        return session
    keys = [state.frames.get(picture(one, state.shown), -1) for one in (state.before, state)]
    if any(session.slot(key) is None for key in keys):
        return Change(session, (want.CompareStep(how),))
    session = session.showing(keys[1])
    if how == "blink":
        return Change(session, (SetLayout(Layout.BLINK, keys=tuple(keys)),))
    return Change(session, (SetLayout(Layout.SINGLE), Combine(keys[1], keys[0], "difference")))
