"""The other channels of a target, reduced after the one on the canvas, and the circle of the field that is seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.intents import Intent
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night import intents as want
from ifuview.app.night import open_night
from ifuview.app.night.reduction.state import FieldPlace, ReductionState, SkyChannel
from ifuview.app.session import Session
from ifuview.app.tasks import Outcome, Plan, Task
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError
from ifuview.model.night.exposures import Exposure

LAST = "spectrum"  # step that the field needs
USUAL_RADIUS = 1.5  # arcsec


def with_channel(session: Session, found: SkyChannel | None) -> Session:
    """The session with a channel in the place of what it was before; those of another target go."""
    if found is None:
        return session
    same = [one for one in session.channels if _target(session, one.expid) == _target(session, found.expid)]
    rest = tuple(one for one in same if one.made.camera != found.made.camera)
    kept = session.aperture if same else None
    order = open_night.night_of(session).index.cameras if session.night is not None else ()
    every = sorted((*rest, found), key=lambda one: _rank(order, one.made.camera))
    return replace(session, channels=tuple(every), aperture=kept)


def _rank(order: Iterable[str], camera: str) -> int:
    names = list(order)
    return names.index(camera) if camera in names else len(names)


def channel_of(state: ReductionState) -> SkyChannel | None:
    """The channel of a reduction; None before its sky is taken off."""
    from ifuview.recipes.lrs2.channel import channel_field

    made = None if state.setup is None else channel_field(state)
    if made is None or state.raw is None:
        return None
    head = next((part.slot for part in state.raw.amplifiers if part.camera == state.camera), "")
    header = getattr(state.value("science"), "header", {})
    return SkyChannel(state.expid, head, state.title, made, state.raw, header)


def _target(session: Session, expid: int) -> str:
    """What an exposure looks at, without the head that holds it."""
    exposure = None if session.night is None else session.night.index.find(expid)
    return str(expid) if exposure is None or not exposure.object else _stem(exposure)


def _stem(exposure: Exposure) -> str:
    slots = {part.slot for part in exposure.parts}
    return next(
        (exposure.object.split(f"_{slot}")[0] for slot in slots if f"_{slot}" in exposure.object), exposure.object
    )


def others(session: Session, state: ReductionState) -> tuple[ReduceOther, ...]:
    """Reductions of the channels of the same target that are not there: each of the exposure that has it there."""
    if session.night is None or session.headless or state.setup is None:
        return ()
    index, have = session.night.index, {(one.expid, one.made.camera) for one in session.channels}
    here = index.find(state.expid)
    if here is None:
        return ()
    alike = [e for e in index.exposures if e.obstype == here.obstype and e.parts and _stem(e) == _stem(here)]
    out = []
    for camera in index.cameras:
        own = [e for e in alike if any(part.camera == camera for part in e.parts)]
        own.sort(key=lambda e: (camera not in e.target, abs(e.expid - state.expid)))
        if own and camera != state.camera and (own[0].expid, camera) not in have:
            title = f"Reduce {camera} {own[0].name} for the field"
            out.append(ReduceOther(title=title, expid=own[0].expid, camera=camera))
    return tuple(out)


@dataclass(frozen=True, kw_only=True)
class ReduceOther(Task[SkyChannel | None]):
    """Another channel of the target, as far as the field needs it; its other values are given up."""

    kind: ClassVar[JobKind] = JobKind.REDUCE
    expid: int
    camera: str
    newest: bool = True
    aside: bool = True

    @property
    def of(self) -> str:
        """The channel and exposure."""
        return f"{self.camera} {self.expid}"

    def run(self, session: Session, ctx: JobContext) -> SkyChannel | None:
        """Reduce it; one that cannot be is no fault of the exposure on the canvas."""
        from ifuview.app.night.reduction.live.making import begun
        from ifuview.recipes.cache import ValueCache
        from ifuview.recipes.graph import run

        index = open_night.night_of(session).index
        raw = index.raw_exposure(self.expid)
        if raw is None or index.raw_night is None:
            return None
        state = begun(index.folder, index.raw_night, raw, self.expid, self.camera, {}, ctx.part(0.0, 0.05))
        assert state.recipe is not None
        try:
            steps = run(state.recipe, state.given, {}, (LAST,), ValueCache(1), ctx.part(0.05, 1.0))
        except IfuviewError:
            return None
        return channel_of(replace(state, steps=steps))

    def apply(self, session: Session, result: SkyChannel | None) -> Session:
        """It joins the others."""
        if result is None:
            return note(session, f"{self.camera} of this target cannot be reduced: it is left out of the field")
        return with_channel(session, result)


def place(session: Session, intent: want.PlaceAperture) -> Outcome:
    """Look at another part of the field."""
    return replace(session, aperture=FieldPlace(intent.x, intent.y, intent.radius, intent.inner, intent.outer))


def place_now(session: Session) -> FieldPlace:
    """The circle that is looked at: where it was put, else about the source."""
    if session.aperture is not None:
        return session.aperture
    now = current(session)
    source = None if now is None else now.made.source
    return FieldPlace(0.0, 0.0, USUAL_RADIUS) if source is None else FieldPlace(source.x, source.y, USUAL_RADIUS)


def current(session: Session) -> SkyChannel | None:
    """The channel of the reduction on the canvas, else the first."""
    state = session.reduction
    camera = "" if state is None else state.camera
    return next((one for one in session.channels if one.made.camera == camera), next(iter(session.channels), None))


def moved(session: Session, channel: SkyChannel) -> tuple[float, float]:
    """By how much a place in another head, or channel, differs: as the source does, where both have it."""
    now = current(session)
    here, there = None if now is None else now.made.source, channel.made.source
    if now is None or now.head == channel.head or here is None or there is None:
        return 0.0, 0.0
    return there.x - here.x, there.y - here.y


TASKS: Mapping[type[Intent], Plan] = {want.PlaceAperture: place}
