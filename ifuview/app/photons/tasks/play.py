"""Playing a photon list through time: one step after the other, the next ones counted meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.intents import Intent
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.photons import intents as want
from ifuview.app.photons.counting import images
from ifuview.app.photons.state import CHUNK, PhotonFrame, PlayStep, Reel, Shown
from ifuview.app.photons.which import frame_of, known
from ifuview.app.session import Session, Slot
from ifuview.app.tasks import Change, Outcome, Plan, Task
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError

LEAST_STEP, LEAST_FPS, MOST_FPS = 1e-3, 0.1, 50.0  # s, 1/s, 1/s


@dataclass(frozen=True, kw_only=True)
class CountSteps(OfFrame, Task[tuple[PlayStep, ...]]):
    """The next pictures of a frame that plays."""

    kind: ClassVar[JobKind] = JobKind.PLAY
    title: str = "Count the next steps"
    made_for: tuple[object, ...]
    start: float
    quiet: bool = True
    front: bool = True
    newest: bool = True
    once: bool = True

    def run(self, session: Session, ctx: JobContext) -> tuple[PlayStep, ...]:
        """Count them."""
        from ifuview.app.photons.counting.playing import play_chunk

        slot, frame = known(session, self.frame)
        return play_chunk(slot.dataset, frame, self.start, CHUNK, _shown(frame), ctx)

    def apply(self, session: Session, result: tuple[PlayStep, ...]) -> Session:
        """Put them behind those that wait to be shown."""
        slot = session.slot(self.frame)
        frame = frame_of(slot)
        if slot is None or frame is None or frame.reel is None or frame.reel.made_for != self.made_for:
            return session
        last = result[-1].cut.stop or 0.0
        limits = frame.reel.limits or images.shared_limits(step.image.pixels.raw for step in result)
        time = 0.0 if last + 1e-9 >= images.span_of(frame) else last
        reel = replace(frame.reel, steps=(*frame.reel.steps, *result), limits=limits, time=time)
        return session.with_slot(replace(slot, photons=replace(frame, reel=reel)))

    def failed(self, session: Session, error: BaseException) -> Session:
        """Stop."""
        return stopped(session)


def _shown(frame: PhotonFrame) -> Shown:
    """What is played: counts where flags were shown."""
    return frame.shown if frame.shown is not Shown.FLAGS else Shown.COUNTS


def _played(frame: PhotonFrame) -> tuple[object, ...]:
    """What the pictures of playing depend on besides the time."""
    cut = frame.cut
    return frame.step, cut.low, cut.high, cut.exclude, frame.shown is Shown.RATE, id(frame.live)


def _next(slot: Slot, reel: Reel) -> CountSteps:
    return CountSteps(frame=slot.key, made_for=reel.made_for, start=reel.time)


def play(session: Session, intent: want.PlayPhotons) -> Outcome:
    """Play through time, or stop; other steps and speeds act at once."""
    slot = session.slot()
    frame = frame_of(slot)
    if not intent.on:
        session = stopped(session)
        slot = session.slot()
        frame = frame_of(slot)
    if slot is None or frame is None:
        if intent.on:
            raise UsageError("there is no photon list to play", todo="open one, or choose its frame")
        return session
    step = frame.step if intent.step is None else max(intent.step, LEAST_STEP)
    fps = frame.fps if intent.fps is None else min(max(intent.fps, LEAST_FPS), MOST_FPS)
    if intent.on and frame.live is None:
        raise UsageError("playing needs the index of the photon list", frame.source.info.path,
                         "wait until it is made, or make it in the Photons dock")  # fmt: skip
    if not intent.on:
        return session.with_slot(replace(slot, photons=replace(frame, step=step, fps=fps)))
    if frame.playing:
        return begun_again(session.with_slot(replace(slot, photons=replace(frame, step=step, fps=fps))), slot.key)
    time = frame.cut.start or 0.0
    if time + step >= images.span_of(frame):
        time = 0.0
    frame = replace(frame, step=step, fps=fps, playing=True)
    reel = Reel(_played(frame), time)
    slot = replace(slot, photons=replace(frame, reel=reel))
    return Change(stopped(session).with_slot(slot), (_next(slot, reel),))


def stopped(session: Session, key: int | None = None) -> Session:
    """The session with no frame that plays, or not that with a key; each keeps the step that it shows."""
    for slot in session.slots:
        frame = frame_of(slot)
        if frame is not None and frame.playing and key in (None, slot.key):
            session = session.with_slot(replace(slot, photons=replace(frame, playing=False, reel=None)))
    return session


def begun_again(session: Session, key: int) -> Outcome:
    """Another cut, step or speed of a frame that plays: count again from the time that is shown."""
    slot, frame = known(session, key)
    made_for = _played(frame)
    if frame.reel is not None and frame.reel.made_for == made_for:
        return session
    reel = Reel(made_for, frame.cut.start or 0.0)
    slot = replace(slot, photons=replace(frame, reel=reel))
    return Change(session.with_slot(slot), (_next(slot, reel),))


def show_next(session: Session, intent: want.ShowNextStep) -> Outcome:
    """The next step, if it is counted; more are counted while there are few."""
    slot = session.slot(intent.key)
    frame = frame_of(slot)
    if slot is None or frame is None or not frame.playing or frame.reel is None:
        return session
    reel = frame.reel
    if reel.steps:
        step, reel = reel.steps[0], replace(reel, steps=reel.steps[1:])
        slot = _with_step(slot, step, reel, session)
        session = session.with_slot(slot)
    return session if len(reel.steps) >= CHUNK // 2 else Change(session, (_next(slot, reel),))


def _with_step(slot: Slot, step: PlayStep, reel: Reel, session: Session) -> Slot:
    """The frame with one step in it."""
    shown = _shown(known(session, slot.key)[1])
    slot, frame = known(session.with_slot(images.with_look(slot, shown, session.base_look)), slot.key)
    look = slot.look
    if look.limit_mode.value != "user" and reel.limits is not None:
        look = replace(look, lo=reel.limits[0], hi=reel.limits[1])
    title = images.title(frame.name, frame.source.info, step.cut, shown)
    photons = replace(frame, cut=step.cut, image=step.counted, preview=False, reel=reel)
    return replace(slot, image=step.image, photons=photons, look=look, pyramid=None, title=title)


TASKS: Mapping[type[Intent], Plan] = {
    want.PlayPhotons: play,
    want.ShowNextStep: show_next,
}
