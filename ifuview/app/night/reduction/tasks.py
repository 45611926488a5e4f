"""Tasks of a reduction in the window: the recipe run on the channel on the canvas, its steps shown, products saved."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.intents import Intent, ShowDock
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night import intents as want
from ifuview.app.night import open_night
from ifuview.app.night.reduction.live.channels import channel_of, others, with_channel
from ifuview.app.night.reduction.live.showing import show_step
from ifuview.app.night.reduction.state import LRS2, SCIENCE, ReductionState, SkyChannel
from ifuview.app.session import Session, Slot
from ifuview.app.tasks import Change, Outcome, Plan, Task
from ifuview.engine.context import JobContext
from ifuview.errors import MissingDataError, UsageError
from ifuview.model.image import Kind
from ifuview.model.night.exposures import Exposure


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
        from ifuview.app.night.reduction.live.making import begun, made

        index = open_night.night_of(session).index
        raw = index.raw_exposure(self.expid)
        if raw is None or index.raw_night is None:
            raise MissingDataError("the exposure is not there any more", index.folder, "open the night again")
        part = ctx.part(0.0, 0.05)
        state = begun(index.folder, index.raw_night, raw, self.expid, self.camera, self.params, part)
        ctx.tell(state)
        return made(state, ctx.part(0.05, 1.0))

    def news(self, session: Session, value: ReductionState) -> Outcome:
        """The steps that are made so far; who has asked for it sees each as it comes."""
        from ifuview.app.night.reduction.live.pictures import picture

        session = _with(session, value)
        now = session.reduction
        last = next((step for step in reversed(list(value.steps)) if picture(value, step)), "")
        if not self.leads or now is None or not now.follows or last in ("", now.shown):
            return session
        seen = not now.shown or session.current in now.frames.values()
        return Change(session, (want.ShowStep(last, led=True),)) if seen else session

    def apply(self, session: Session, result: ReductionState) -> Outcome:
        """Say what came of it and show the fibers without sky."""
        from ifuview.app.night.detections.of_head import with_detections
        from ifuview.app.night.reduction.live.pictures import first_shown

        channel = channel_of(result)
        session = with_channel(note(_with(session, result), result.line), channel)
        before, session = session, with_detections(session, result)
        first = first_shown(result)
        done = self.leads and result.value(first) is not None
        follows = session.reduction is not None and session.reduction.follows
        show: tuple[Intent, ...] = (want.ShowStep(first, led=True),) if done and follows else ()
        if not session.headless:
            show += (ShowDock("detections"),) if session.detections is not before.detections else ()
            show += (ShowDock("lenslets"),) if channel is not None else ()
        return Change(session, (*show, *others(session, result)))

    def stopped(self, session: Session) -> Session:
        """What is made stays."""
        now = session.reduction
        return session if now is None else replace(session, reduction=replace(now, running=""))

    def failed(self, session: Session, error: BaseException) -> Session:
        """What is made stays."""
        return self.stopped(session)


def _with(session: Session, state: ReductionState) -> Session:
    """The session with a reduction as far as it is; frames of its channel stay known."""
    now = session.reduction
    if now is not None and (now.expid, now.camera) == (state.expid, state.camera):
        state = replace(state, shown=now.shown, frames=now.frames, problem=now.problem, follows=now.follows)
    return replace(session, reduction=state)


def first_reduction(session: Session, slot: Slot) -> tuple[ReduceChannel, ...]:
    """The reduction of a frame that has just been opened, if it is the detector of a science exposure."""
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
class WriteReduction(Task[tuple[str, ...]]):
    """The products of the reduction that is shown."""

    kind: ClassVar[JobKind] = JobKind.SAVE
    state: ReductionState
    folder: str
    channels: tuple[SkyChannel, ...] = ()  # of the same target

    def run(self, session: Session, ctx: JobContext) -> tuple[str, ...]:
        """Write them as the command does: with the calibrations, a page, and one spectrum of all channels there are."""
        from ifuview.app.night.reduction.live.pictures import of_head
        from ifuview.app.night.reduction.pages import ReductionPages
        from ifuview.app.night.reduction.run import write, write_calibrations
        from ifuview.app.night.reduction.targets import combined, of_field
        from ifuview.app.night.virus.live.products import write_products
        from ifuview.instrument.tables import tables_for
        from ifuview.io.products.lrs2.combined import write_combined

        if of_head(self.state):
            return write_products(self.state, self.folder, ctx)
        done = self.state.done
        assert done is not None
        cals = write_calibrations(done.steps, done.setup, done.exposure, self.folder, self.state.params)
        tables = tables_for(LRS2, "", self.state.folder, os.path.dirname(self.state.folder))
        done = write(replace(done, verdicts=self.state.verdicts), tables, self.folder, self.state.params, ctx)
        files = [*done.files, cals, ReductionPages(self.folder).add(done)]
        for target in combined([of_field(one) for one in self.channels], ctx):
            if len(target.names) > 1:
                files += write_combined(self.folder, target, tables.standards())
            del target  # before the next one is made
        return tuple(files)

    def apply(self, session: Session, result: tuple[str, ...]) -> Session:
        """Say where."""
        return note(session, f"{len(result)} products written to {self.folder}")


def save(session: Session, intent: want.SaveReduction) -> Outcome:
    """Write the products."""
    from ifuview.app.night.reduction.live.pictures import first_shown

    state = session.reduction
    if state is None or state.running or state.value(first_shown(state)) is None:
        raise UsageError("nothing is reduced that could be saved", todo="reduce a raw exposure first")
    return WriteReduction(
        title=f"Products in {intent.folder}", state=state, folder=intent.folder, channels=session.channels
    )


TASKS: Mapping[type[Intent], Plan] = {
    want.Reduce: reduce_it,
    want.ShowStep: show_step,
    want.SaveReduction: save,
}
