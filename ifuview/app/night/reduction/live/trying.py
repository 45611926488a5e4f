"""What if: other parameters of one step of the reduction, and only what depends on them made again; taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.intents import Intent
from ifuview.app.frames.past import Changes, Past, turned
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night import intents as want
from ifuview.app.night.reduction.live.channels import channel_of, with_channel
from ifuview.app.night.reduction.live.showing import compare, is_shown, kept
from ifuview.app.night.reduction.state import ReductionState
from ifuview.app.session import Session
from ifuview.app.tasks import Change, Outcome, Plan, Task
from ifuview.app.undo import NOTHING, next_number
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.model.reduction.params import changed

QUICK = 3.0  # weight of the steps from the sky on, and a little more


@dataclass(frozen=True, kw_only=True)
class ReduceAgain(Task[ReductionState]):
    """The steps that depend on what was changed; `state` has the new parameters."""

    kind: ClassVar[JobKind] = JobKind.REDUCE
    state: ReductionState
    newest: bool = True

    def run(self, session: Session, ctx: JobContext) -> ReductionState:
        """Make them; what does not depend is there already."""
        from ifuview.app.night.reduction.live.making import made

        return made(self.state, ctx)

    def news(self, session: Session, value: ReductionState) -> Outcome:
        """The steps that are made so far."""
        return arrived(session, value)

    def apply(self, session: Session, result: ReductionState) -> Outcome:
        """All are made: say what came of it."""
        return arrived(note(session, f"{result.change}: {result.line}"), result)

    def stopped(self, session: Session) -> Outcome:
        """All is as it was."""
        return session if self.state.before is None else arrived(session, self.state.before)

    def failed(self, session: Session, error: BaseException) -> Outcome:
        """All is as it was."""
        return self.stopped(session)


def arrived(session: Session, state: ReductionState) -> Outcome:
    """The session with a reduction as far as it is; the step on the canvas is shown anew if it is another."""
    now = session.reduction
    if now is None or (now.expid, now.camera) != (state.expid, state.camera):
        return session
    shown = session.current in now.frames.values()
    state = replace(state, shown=now.shown, frames=now.frames, problem=now.problem, follows=now.follows)
    session = kept(replace(session, reduction=state))
    if state.value("spectrum") is not now.value("spectrum"):
        session = with_channel(session, channel_of(state))
    if not state.running:
        from ifuview.app.night.detections.of_head import with_detections

        session = with_detections(session, state)
    if not shown or state.value(now.shown) is None or is_shown(state, session.current):
        return session
    return Change(session, (want.ShowStep(now.shown, led=True),))


def settled(session: Session) -> ReductionState:
    """The reduction as it was made last, whatever is being made.

    Raises
    ------
    UsageError
        There is none.
    """
    state = session.reduction
    if state is not None and state.running:
        state = state.before
    if state is None:
        raise UsageError("nothing is reduced yet", todo="reduce a raw exposure first, or wait until it is done")
    return state


def try_params(session: Session, intent: want.TryParams) -> Outcome:
    """Change parameters of a step."""
    base, now = settled(session), session.reduction
    assert now is not None
    before = now.params_of(intent.step)
    after = changed(before, intent.step, **dict(intent.values))
    if after == before:
        return session
    title = dict(base.plan)[intent.step]
    words = f"{title}: " + ", ".join(f"{name} {_brief(value)}" for name, value in intent.values)
    past = (*base.past, Past(next_number(session), words, base.params))
    return _again(session, base, {**now.params, intent.step: after}, words, past, ())


def _brief(value: object) -> str:
    """A value in few words."""
    if isinstance(value, tuple):
        return str(len(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def take_back(session: Session, intent: want.TakeBack) -> Outcome:
    """As it was before the last change, or with it `again`; one that is still being made is given up."""
    base, now = settled(session), session.reduction
    assert now is not None
    done = "once more" if intent.again else "taken back"
    if not (now.undone if intent.again else now.past):
        raise UsageError(NOTHING)
    last, past, undone = turned(now.past, now.undone, now.params, intent.again)
    if len(past) == len(base.past):  # that wish is not made yet
        return _again(session, base, base.params, f"{done}: {last.words}", base.past, undone)
    return _again(session, base, last.before, f"{done}: {last.words}", past, undone)


def _again(
    session: Session, base: ReductionState, params: Mapping[str, object], words: str,
    past: Changes[Mapping[str, object]], undone: Changes[Mapping[str, object]],
) -> Change:  # fmt: skip
    """The wish is known at once, so that it can be taken back while it waits; the steps are those of before."""
    now = session.reduction
    assert now is not None
    before = replace(base, before=None)
    wished = replace(
        base, params=params, change=words, past=past, undone=undone, before=before, running=base.plan[0][0]
    )
    task = ReduceAgain(
        title=f"Reduce {base.camera} again: {words}", state=replace(wished, steps={}, verdicts=()), front=True,
        aside=_long(base, params),
    )  # fmt: skip
    shown = replace(wished, shown=now.shown, frames=now.frames, problem=now.problem, follows=now.follows)
    return Change(replace(session, reduction=shown), (task,))


def _long(base: ReductionState, params: Mapping[str, object]) -> bool:
    """Whether what is to be made again takes so long that other wishes should not wait for it."""
    if base.recipe is None:
        return True
    steps = {name: base.recipe.step(name) for name, _ in base.plan}
    new = {name for name in steps if params.get(name, steps[name].params) != base.params_of(name)}
    again = {after for name in new for after in base.recipe.after(name)}
    return sum(step.weight for name, step in steps.items() if name in again) > QUICK


TASKS: Mapping[type[Intent], Plan] = {want.TryParams: try_params, want.TakeBack: take_back, want.CompareStep: compare}
