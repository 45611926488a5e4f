"""Tasks of the calibration stack: steps are made; another stack is another source of photons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ifuview.app.frames.intents import Intent, SetLayout
from ifuview.app.frames.past import Past, turned
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.photons import intents as want
from ifuview.app.photons.counting import images
from ifuview.app.photons.tasks import play as play_tasks
from ifuview.app.photons.which import asked, frame_of, known
from ifuview.app.session import Layout, Session, Slot
from ifuview.app.tasks import Change, Outcome, Plan, Task
from ifuview.app.undo import next_number
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.model.photons.lists import PhotonSource, SortedColumns

if TYPE_CHECKING:
    from ifuview.app.frames.past import Changes
    from ifuview.app.photons.state import Live, PhotonStep, Steps

MORE = {  # said of a step that is new on the stack
    "found": "; they are left out (switch the step off in Calibrations to see them)",
    "wavecal": "; pixels without a solution stay phases, are flagged wavecal.bad and left out",
}
MOST_BACK = 20  # changes of a stack that can be taken back
Photons = tuple[PhotonSource, "Live | None"]  # the source, and its live image if that is asked for


# steps of the stack


@dataclass(frozen=True, kw_only=True)
class MakeStep(OfFrame, Task["PhotonStep"]):
    """A step of the stack of a photon frame: its solution read, or found among the photons."""

    kind: ClassVar[JobKind] = JobKind.CALIBRATION
    step: str
    path: str = ""
    method: str = ""

    def run(self, session: Session, ctx: JobContext) -> PhotonStep:
        """Make it."""
        from ifuview.app.photons.calibration.stack import make_step

        return make_step(known(session, self.frame)[1], self.step, self.path, self.method, ctx)

    def apply(self, session: Session, result: PhotonStep) -> Outcome:
        """Put it on the stack, and say what it is."""
        from ifuview.app.photons.calibration import stack as cal
        from ifuview.app.photons.calibration.sources import waits

        now = session.slot(self.frame)
        frame = frame_of(now)
        if now is None or frame is None:
            return session
        stack = cal.with_step(frame.stack, result)
        text = cal.words(result, frame.raw.info)
        if (why := waits(frame.raw.info, stack, result)) != "":
            text += f"; it {why}"
        more = "" if why else MORE.get(result.key, "") or cal.weight_words(frame, result)
        session = note(session, f"{cal.title(result)}: {text}{more}")
        return _changed(session, now, stack, f"{cal.title(result)} added", result)


def load(session: Session, intent: want.LoadCalibration) -> Outcome:
    """Make the step that is named, or that the file holds."""
    name = Path(intent.path).name or intent.kind
    return MakeStep(title=f"Calibration {name}", frame=asked(session)[0].key, step=intent.kind, path=intent.path)


def find_bad_pixels(session: Session, intent: want.FindBadPixels) -> Outcome:
    """Search hot, cold and dead pixels."""
    kind, key = "badpixels", asked(session)[0].key
    return MakeStep(title=f"Calibration {kind}", frame=key, step=kind, method=intent.method, aside=True)


def _changed(session: Session, slot: Slot, stack: Steps, words: str, fresh: PhotonStep | None = None) -> Change:
    """Another stack, which can be taken back; `words` say what was changed."""
    frame = known(session, slot.key)[1]
    done = Past(next_number(session), words, frame.stack)
    return _stacked(session, slot, stack, (*frame.past, done)[-MOST_BACK:], (), fresh)


def _stacked(
    session: Session, slot: Slot, stack: Steps, past: Changes[Steps], undone: Changes[Steps],
    fresh: PhotonStep | None = None,
) -> Change:  # fmt: skip
    """Another stack is shown at once; the picture follows when its photons are there. The newest wish counts."""
    from ifuview.app.photons.calibration.sources import is_large

    frame = known(session, slot.key)[1]
    wished = replace(frame, stack=stack, past=past, undone=undone)
    if is_large(frame):
        wished = replace(wished, live=None)  # nothing holds the old one while the new one is made
    task = Restack(
        title=f"Calibrations of {slot.title}", frame=slot.key, stack=stack, before=frame.stack, past=frame.past,
        undone=frame.undone, live=frame.live is not None, fresh=fresh,
    )  # fmt: skip
    return Change(session.with_slot(replace(slot, photons=wished)), (task,))


@dataclass(frozen=True, kw_only=True)
class Restack(OfFrame, Task[Photons]):
    """The photons of a frame under another stack."""

    kind: ClassVar[JobKind] = JobKind.STACK
    stack: Steps
    before: Steps
    past: Changes[Steps]
    undone: Changes[Steps]
    live: bool
    fresh: PhotonStep | None = None
    newest: bool = True

    def run(self, session: Session, ctx: JobContext) -> Photons:
        """Make them."""
        from ifuview.app.photons.calibration.sources import photons_of

        return photons_of(known(session, self.frame)[1].raw, self.stack, self.live, ctx)

    def apply(self, session: Session, result: Photons) -> Outcome:
        """Count the frame anew."""
        return _restacked(session, self.frame, self.stack, result, self.fresh)

    def failed(self, session: Session, error: BaseException) -> Outcome:
        """The stack is as before."""
        now = session.slot(self.frame)
        frame = frame_of(now)
        if now is None or frame is None or frame.stack is not self.stack:
            return session
        before = replace(frame, stack=self.before, past=self.past, undone=self.undone)
        session = session.with_slot(replace(now, photons=before))
        lost = self.live and frame.live is None
        return Change(session, (want.IndexPhotons(self.frame),) if lost else ())


def _restacked(session: Session, key: int, stack: Steps, found: Photons, fresh: PhotonStep | None = None) -> Outcome:
    """A frame under another stack: its picture, then what the sliders need; a second large one has no live image."""
    from ifuview.app.photons.calibration import stack as cal
    from ifuview.app.photons.calibration.sources import is_large

    if frame_of(session.slot(key)) is None:
        return session
    session = play_tasks.stopped(session, key)
    slot, frame = known(session, key)
    frame = cal.restacked(frame, stack, *found)
    if fresh is not None:
        frame = cal.taking_hold(frame, fresh)
    session = session.with_slot(replace(slot, photons=frame))
    then: list[Intent] = [want.ShowPhotons(frame.shown.value, key)]
    alone = sum(s.photons is not None and s.photons.raw is frame.raw for s in session.slots) == 1
    needs = not session.headless and frame.live is None and isinstance(frame.raw, SortedColumns)
    if needs and (alone or not is_large(frame)):
        then.append(want.IndexPhotons(key))
    return Change(session, tuple(then))


def switch(session: Session, intent: want.SwitchCalibration) -> Outcome:
    """Switch a step, or take it away."""
    from ifuview.app.photons.calibration.stack import switched, title

    slot, frame = asked(session)
    stack = switched(frame.stack, intent.number, intent.on)
    done = "taken away" if intent.on is None else "switched on" if intent.on else "switched off"
    return _changed(session, slot, stack, f"{title(frame.stack[intent.number])} {done}")


def take_back(session: Session, intent: want.TakeBackCalibration) -> Outcome:
    """The stack before the last change, or after it `again`."""
    slot, frame = asked(session) if intent.key is None else known(session, intent.key)
    if not (frame.undone if intent.again else frame.past):
        return note(session, "no calibration of this list was changed")
    last, past, undone = turned(frame.past, frame.undone, frame.stack, intent.again)
    known_steps = {step.key for step in frame.stack}
    fresh = next((step for step in last.before if step.key not in known_steps), None) if intent.again else None
    change = _stacked(session, slot, last.before, past, undone, fresh)  # a step that is there again takes hold again
    said = f"{frame.name or slot.title}: {last.words}, {'once more' if intent.again else 'that is taken back'}"
    return replace(change, session=note(change.session, said))


# the other way


@dataclass(frozen=True, kw_only=True)
class MakeOtherWay(OfFrame, Task[Photons]):
    """The photons of a frame with calibrations the other way, in a frame of their own; the two blink."""

    kind: ClassVar[JobKind] = JobKind.OTHER_WAY
    stack: Steps
    words: str
    newest: bool = True

    def run(self, session: Session, ctx: JobContext) -> Photons:
        """Make them."""
        from ifuview.app.photons.calibration.sources import is_large, photons_of

        frame = known(session, self.frame)[1]
        return photons_of(frame.raw, self.stack, frame.live is not None and not is_large(frame), ctx)

    def apply(self, session: Session, result: Photons) -> Outcome:
        """Show them in a second frame; blink when both are counted."""
        now = session.slot(self.frame)
        frame = frame_of(now)
        if now is None or frame is None:
            return session
        key = session.next_key
        session = images.copied(session.showing(now.key), now)
        copy, twin = known(session, key)
        name = f"{frame.name or now.title} {self.words}"
        session = session.with_slot(replace(copy, title=name, photons=replace(twin, name=name, past=(), undone=())))
        change = _restacked(session, key, self.stack, result)
        assert isinstance(change, Change)
        return replace(change, settled=(SetLayout(Layout.BLINK, keys=(now.key, key)),))


def compare(session: Session, intent: want.CompareCalibration) -> Outcome:
    """A second frame with one step, or all, the other way."""
    from ifuview.app.photons.calibration import stack as cal

    slot, frame = asked(session)
    if not frame.stack:
        raise UsageError("there is no calibration to blink against", todo="load one first")
    if intent.number is None:
        on = any(s.on for s in frame.stack)
        what = "calibrations"
    else:
        on = intent.number < len(frame.stack) and frame.stack[intent.number].on
        what = ""
    stack = cal.switched(frame.stack, intent.number, not on)
    what = what or cal.title(frame.stack[intent.number or 0]).lower()
    words = f"{'without' if on else 'with'} {what}"
    return MakeOtherWay(title=f"The other way: {slot.title}", frame=slot.key, stack=stack, words=words)


TASKS: Mapping[type[Intent], Plan] = {
    want.LoadCalibration: load,
    want.FindBadPixels: find_bad_pixels,
    want.SwitchCalibration: switch,
    want.TakeBackCalibration: take_back,
    want.CompareCalibration: compare,
}
