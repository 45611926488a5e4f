"""Tasks of a reduction in the window: the recipe run on the channel on the canvas, its steps shown, products saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ifuview.app.frames.adding import placed
from ifuview.app.frames.intents import Intent, ShowProblem
from ifuview.app.frames.opening.opened import Opened, new_slot
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night import intents as want
from ifuview.app.night import open_night
from ifuview.app.night.reduction.state import ReductionState
from ifuview.app.session import Level, Session, Slot
from ifuview.app.tasks import Change, Outcome, Plan, Task
from ifuview.engine.context import JobContext
from ifuview.errors import MissingDataError, UsageError
from ifuview.model.image import Kind
from ifuview.model.night.exposures import Exposure
from ifuview.model.trace import TraceSet

if TYPE_CHECKING:
    from ifuview.recipes.graph import ValueCache

FIRST = "field"  # step that is shown when all is done
_CACHE: dict[str, ValueCache] = {}  # of the channel that was reduced last: another parameter finds its values there


def cache_of(camera: str, folder: str) -> ValueCache:
    """The values of a channel and night, those of others are given up."""
    from ifuview.recipes.graph import ValueCache

    key = f"{camera} {folder}"
    if key not in _CACHE:
        _CACHE.clear()
        _CACHE[key] = ValueCache()
    return _CACHE[key]


def raw_here(session: Session) -> tuple[Exposure, str]:
    """The raw exposure and the detector on the canvas.

    Raises
    ------
    UsageError
        There is none.
    """
    now = open_night.here(session)
    exposure = None if session.night is None or now is None else session.night.index.find(now.expid)
    if exposure is None or now is None or not exposure.parts:
        raise UsageError("no raw exposure is shown", todo="open a raw night and one of its science exposures")
    return exposure, now.camera


@dataclass(frozen=True, kw_only=True)
class ReduceChannel(Task[ReductionState]):
    """All steps of one channel of one exposure; nothing is written."""

    kind: ClassVar[JobKind] = JobKind.REDUCE
    expid: int
    camera: str
    params: Mapping[str, object]
    leads: bool = True  # the fibers without sky are shown
    newest: bool = True
    aside: bool = True

    def run(self, session: Session, ctx: JobContext) -> ReductionState:
        """Find the calibrations and run the recipe."""
        from ifuview.app.night.reduction.run import LRS2, reduce_channel, root_of, titled
        from ifuview.app.night.reduction.setup import night_around
        from ifuview.instrument.tables import tables_for
        from ifuview.recipes.lrs2.judge import judged

        index = open_night.night_of(session).index
        raw = index.raw_exposure(self.expid)
        if raw is None or index.raw_night is None:
            raise MissingDataError("the exposure is not there any more", index.folder, "open the night again")
        whole = night_around(root_of(index.folder, index.raw_night), LRS2, raw.date, ctx.part(0.0, 0.05))
        tables = tables_for(LRS2, "", whole.path, index.folder)
        done = reduce_channel(
            whole, raw, self.camera, tables, self.params, cache_of(self.camera, whole.path), ctx.part(0.05, 1.0)
        )
        title = f"{raw.date}-{raw.observation:07d}-exp{raw.number:02d}"
        verdicts = titled(judged(done.steps, done.setup.spec.limits))
        return ReductionState(
            self.expid, self.camera, title, done.steps, verdicts, done, done.setup, done.line, done.notes,
            params=self.params,
        )  # fmt: skip

    def apply(self, session: Session, result: ReductionState) -> Outcome:
        """Say what came of it and show the fibers without sky."""
        session = note(replace(session, reduction=result), result.line)
        made = result.steps.get(FIRST)
        done = self.leads and made is not None and made.value is not None
        return Change(session, (want.ShowStep(FIRST),)) if done else session


def first_reduction(session: Session, slot: Slot) -> tuple[ReduceChannel, ...]:
    """The reduction of a frame that has just been opened, if it is the detector of a science exposure."""
    from ifuview.app.night.reduction.run import LRS2, SCIENCE

    now = None if session.night is None else session.night.shown.get(slot.key)
    exposure = None if session.night is None or now is None else session.night.index.find(now.expid)
    if slot.dataset.instrument != LRS2 or exposure is None or now is None or slot.image.kind is not Kind.DETECTOR:
        return ()
    if exposure.obstype != SCIENCE:
        return ()
    title = f"Reduce {now.camera} {exposure.name}"
    return (ReduceChannel(title=title, expid=exposure.expid, camera=now.camera, params={}, leads=False),)


def reduce_it(session: Session, intent: want.Reduce) -> ReduceChannel:
    """Reduce the channel on the canvas."""
    exposure, camera = raw_here(session)
    return ReduceChannel(title=f"Reduce {camera} {exposure.name}", expid=exposure.expid, camera=camera, params={})


@dataclass(frozen=True, kw_only=True)
class ShowStepFrame(Task["tuple[Opened, TraceSet | None]"]):
    """The picture of a step."""

    kind: ClassVar[JobKind] = JobKind.PRODUCT
    step: str
    state: ReductionState
    newest: bool = True
    front: bool = True

    def run(self, session: Session, ctx: JobContext) -> tuple[Opened, TraceSet | None]:
        """Make it."""
        from ifuview.app.night.reduction.frames import frame_of

        return frame_of(self.state, self.step)

    def apply(self, session: Session, result: tuple[Opened, TraceSet | None]) -> Session:
        """Show it."""
        now = session.reduction
        if now is None or now.steps is not self.state.steps:
            return session
        slot = replace(new_slot(session, result[0]), traces=result[1], title=result[0].dataset.spec)
        session = session.adding(placed(session, slot))
        frames = {**now.frames, self.step: slot.key}
        return replace(session, reduction=replace(now, shown=self.step, frames=frames))


def show_step(session: Session, intent: want.ShowStep) -> Outcome:
    """Show a step of the reduction; at once if its frame is open."""
    state = session.reduction
    if state is None:
        return note(session, "nothing is reduced; press Reduce first", Level.WARNING)
    key = state.frames.get(intent.step)
    if key is not None and session.slot(key) is not None:
        return replace(session.showing(key), reduction=replace(state, shown=intent.step))
    return ShowStepFrame(title=f"Show {intent.step}", step=intent.step, state=state)


def go_to_problem(session: Session, intent: ShowProblem) -> Outcome:
    """Another step that is wrong or wants a look, on the canvas."""
    from ifuview.app.night.views.reduction import make

    bar, state = make(session), session.reduction
    if bar is None or state is None or not bar.problems:
        return note(session, "no problem was found")
    number = intent.number if intent.number is not None else (bar.problem + intent.step) % len(bar.problems)
    if not 0 <= number < len(bar.problems):
        return session
    step = state.verdicts[bar.problems[number].members[0]].step
    return Change(replace(session, reduction=replace(state, problem=number)), (want.ShowStep(step),))


@dataclass(frozen=True, kw_only=True)
class WriteReduction(Task[tuple[str, ...]]):
    """The products of the reduction that is shown."""

    kind: ClassVar[JobKind] = JobKind.SAVE
    state: ReductionState
    folder: str

    def run(self, session: Session, ctx: JobContext) -> tuple[str, ...]:
        """Write them, with the calibrations."""
        from ifuview.app.night.reduction.run import LRS2, write
        from ifuview.instrument.tables import Tables

        done = self.state.done
        assert done is not None
        return write(done, Tables(LRS2), self.folder, self.state.params, set(), ctx).files

    def apply(self, session: Session, result: tuple[str, ...]) -> Session:
        """Say where."""
        return note(session, f"{len(result)} products written to {self.folder}")


def save(session: Session, intent: want.SaveReduction) -> Outcome:
    """Write the products."""
    state = session.reduction
    if state is None or state.steps.get(FIRST) is None or state.steps[FIRST].value is None:
        raise UsageError("nothing is reduced that could be saved", todo="reduce a raw exposure first")
    return WriteReduction(title=f"Products in {intent.folder}", state=state, folder=intent.folder)


TASKS: Mapping[type[Intent], Plan] = {
    want.Reduce: reduce_it,
    want.ShowStep: show_step,
    want.SaveReduction: save,
}
