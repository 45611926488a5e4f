"""Images of the wavelength window of a cube, as frames that follow it while it is dragged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.adding import added, added_behind
from ifuview.app.frames.intents import Intent
from ifuview.app.frames.look import LimitMode, ViewState
from ifuview.app.frames.opening.opened import Opened, first_look
from ifuview.app.frames.state import Made, RangeOf, RgbOf
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.frames.views.image import blinks
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.session import Layout, Session, Slot
from ifuview.app.spectra import intents as want
from ifuview.app.spectra.gathered import spectral_now
from ifuview.app.spectra.range_images import RangeFrame, frames_of, kept
from ifuview.app.spectra.state import HOWS
from ifuview.app.tasks import Change, Outcome, Plan, Task, slot_of
from ifuview.engine.context import JobContext
from ifuview.engine.spectra.cubes.parts import CubeParts, parts_of
from ifuview.engine.spectra.cubes.ranges import RunningSums
from ifuview.errors import UsageError
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.region import LINES, Region

LIVE = ("sum", "mean", "median", "above continuum", "moments")  # that follow the window
PATIENCE = 1.0  # s that an image is finished for while the window moves on
WORTH = 128  # planes of a cube from which on running sums are made
MIB = 1 << 20
TODO = "switch on Window in the spectrum and drag a range"


def _range_frames(
    session: Session, key: int, how: str, window: tuple[float, float], ctx: JobContext, quick: bool = False
) -> tuple[RangeFrame, ...]:
    """Images of a range of a frame, through the other open arms of its fibers too."""
    from ifuview.app.spectra.inspect import arms_beside

    slot = slot_of(session, key)
    return frames_of(slot, how, window, ctx, quick, arms_beside(session.showing(key), slot))


@dataclass(frozen=True, kw_only=True)
class MakeRange(OfFrame, Task[tuple[RangeFrame, ...]]):
    """New frames with the images of the window of a cube."""

    kind: ClassVar[JobKind] = JobKind.RANGE
    how: str
    window: tuple[float, float]

    def run(self, session: Session, ctx: JobContext) -> tuple[RangeFrame, ...]:
        """Sum, or fit."""
        return _range_frames(session, self.frame, self.how, self.window, ctx)

    def apply(self, session: Session, result: tuple[RangeFrame, ...]) -> Outcome:
        """Show them; running sums follow where they make the next ones quick."""
        slot = session.slot(self.frame)
        if slot is None:
            return session
        session, first = _holding(session, self.frame, self.how), session.next_key
        found = tuple(one.opened for one in result)
        session = added_behind(session, found, self.frame, RangeOf(self.frame, self.how))
        for n in range(len(result)):
            new = session.slot(first + n)
            assert new is not None
            link = RangeOf(self.frame, self.how, n, (new.look.lo, new.look.hi), result[n].fibers, window=self.window)
            view = slot.view if slot.image.kind is Kind.CUBE else new.view
            session = session.with_slot(replace(new, made_of=link, view=view))
        deep = slot.image.kind is Kind.CUBE and slot.image.nplanes >= WORTH
        return Change(session, (_running(slot),) if deep and self.how in LIVE else ())


@dataclass(frozen=True, kw_only=True)
class FollowRange(OfFrame, Task[tuple[RangeFrame, ...]]):
    """The images of the window where it is now, in the frames that show it; what takes long is first made of a part.

    `whole`: the window has come to rest, and all planes count.
    """

    kind: ClassVar[JobKind] = JobKind.FOLLOW_RANGE
    how: str
    window: tuple[float, float]
    whole: bool = False
    quiet: bool = True
    front: bool = True
    newest: bool = True
    patience: float = PATIENCE

    @property
    def of(self) -> str:
        """Each kind of image by itself."""
        return f"{self.frame} {self.how}"

    def run(self, session: Session, ctx: JobContext) -> tuple[RangeFrame, ...]:
        """Sum."""
        return _range_frames(session, self.frame, self.how, self.window, ctx, quick=not self.whole)

    def apply(self, session: Session, result: tuple[RangeFrame, ...]) -> Change:
        """Put them in place; limits that the user chose stay."""
        for slot in followers(session):
            link = slot.made_of
            if not isinstance(link, RangeOf) or (link.key, link.how) != (self.frame, self.how):
                continue
            new, look, link = result[link.part].opened, slot.look, replace(link, window=self.window)
            if (look.lo, look.hi) == link.limits:
                look = replace(look, lo=new.look.lo, hi=new.look.hi)
                link = replace(link, limits=(look.lo, look.hi))
            session = session.with_slot(replace(
                slot, image=new.image, dataset=new.dataset, look=look, made_of=link, pyramid=None,
                title=new.image.name,
            ))  # fmt: skip
        rests = session.window == self.window and any(one.every > 1 for one in result)
        return Change(session, (replace(self, whole=True, patience=0.0),) if rests else ())


@dataclass(frozen=True, kw_only=True)
class MakeRunning(OfFrame, Task[RunningSums | None]):
    """Running sums of a cube over wavelength, so that any range is quick."""

    kind: ClassVar[JobKind] = JobKind.RUNNING
    aside: bool = True
    once: bool = True

    def run(self, session: Session, ctx: JobContext) -> RunningSums | None:
        """Read the cube once, if there is memory for the sums."""
        from ifuview import memory
        from ifuview.engine.spectra.cubes.ranges import running_size, running_sums

        slot = slot_of(session, self.frame)
        parts: CubeParts = parts_of(slot.image, slot.plane)
        if kept.running(slot) is not None:
            return None
        memory.check(running_size(parts), "running sums over wavelength", slot.title)
        sums = running_sums(parts, ctx)
        kept.begin(slot)
        kept.sums = sums
        return sums

    def apply(self, session: Session, result: RunningSums | None) -> Session:
        """Say what they take."""
        slot = session.slot(self.frame)
        if slot is None or result is None:
            return session
        size = max(result.nbytes // MIB, 1)
        return note(session, f"Running sums of {slot.title} take {size} MiB: a range of any width is quick now.")


def _running(slot: Slot) -> MakeRunning:
    return MakeRunning(title=f"Running sums of {slot.title}", frame=slot.key)


def followers(session: Session) -> tuple[Slot, ...]:
    """Frames that show the window of a cube and follow it."""
    return tuple(
        s for s in session.slots if isinstance(s.made_of, RangeOf) and s.made_of.how in LIVE and s.made_of.live
    )  # fmt: skip


def _holding(session: Session, key: int, how: str) -> Session:
    """The session whose images of that kind stay where they are."""
    for slot in followers(session):
        if isinstance(slot.made_of, RangeOf) and (slot.made_of.key, slot.made_of.how) == (key, how):
            session = session.with_slot(replace(slot, made_of=replace(slot.made_of, live=False)))
    return session


def following(session: Session) -> tuple[FollowRange, ...]:
    """What is to be made anew for the window where it is now; frames that nobody sees follow when they are shown."""
    if session.window is None:
        return ()
    seen = _seen(session)
    links = dict.fromkeys(
        (s.made_of.key, s.made_of.how) for s in followers(session)
        if isinstance(s.made_of, RangeOf) and s.key in seen and s.made_of.window != session.window
    )  # fmt: skip
    return tuple(
        FollowRange(title=f"{HOWS[how]} of the window", frame=key, how=how, window=session.window)
        for key, how in links if session.slot(key) is not None
    )  # fmt: skip


def _seen(session: Session) -> set[int]:
    """Frames on the canvas, and those that they are made of."""
    if session.layout is Layout.SINGLE:
        keys = {session.current}
    else:
        keys = set(blinks(session)) if session.layout is Layout.BLINK else {slot.key for slot in session.slots}
    made = [slot.made_of for slot in session.slots if slot.key in keys]
    for one in made:
        keys |= {one.a, one.b} if isinstance(one, Made) else set(one.keys) if isinstance(one, RgbOf) else set()
    return {key for key in keys if key is not None}


def map_range(session: Session, intent: want.MapRange) -> Outcome:
    """Make images of the window of the cube, or of the fibers, that are shown.

    Raises
    ------
    UsageError
        No cube or fibers with wavelengths are shown, or there is no window.
    """
    slot = spectral_now(session)
    if slot is None or slot.image.kind not in (Kind.CUBE, Kind.RSS) or slot.image.wave is None:
        raise UsageError("no cube and no fibers with wavelengths are shown", todo="open them, or show them first")
    if session.window is None:
        raise UsageError("there is no range of wavelengths", slot.title, TODO)
    title = f"{HOWS[intent.how]} of {slot.title}"
    return MakeRange(title=title, frame=slot.key, how=intent.how, window=session.window)


@dataclass(frozen=True, kw_only=True)
class CutAlong(OfFrame, Task[Opened]):
    """A cut along a line through a cube, as a frame: position upwards, wavelength to the right."""

    kind: ClassVar[JobKind] = JobKind.RANGE
    line: Region
    width: int

    def run(self, session: Session, ctx: JobContext) -> Opened:
        """Cut every plane."""
        from ifuview.engine.frames.cut import plan_cut
        from ifuview.engine.spectra.cubes.along import cut_cube

        slot = slot_of(session, self.frame)
        image, (start, stop) = slot.image, (self.line.points[0], self.line.points[-1])
        plan = plan_cut(start, stop, self.width, image.shape)
        value, ivar = cut_cube(parts_of(image, slot.plane), plan, ctx)
        place = f"{start[0]:.1f}, {start[1]:.1f} to {stop[0]:.1f}, {stop[1]:.1f}"
        title = f"Cut {place} of {slot.title}"
        cut = Image(
            title, Kind.IMAGE, Pixels(value), None if ivar is None else Pixels(ivar), unit=image.unit, wave=image.wave,
            medium=image.medium, camera=image.camera, stage="cut", header=image.header,
        )  # fmt: skip
        said = f"rows are px along the line from {place}, {self.width} px wide, of {slot.dataset.spec}"
        dataset = Dataset("", spec=title, instrument=slot.dataset.instrument, kind="cut", images=(cut,), notes=(said,))
        return Opened(dataset, cut, first_look(cut, replace(slot.look, limit_mode=LimitMode.ZSCALE, lo=None, hi=None)))

    def apply(self, session: Session, result: Opened) -> Session:
        """Show it."""
        key = session.next_key
        session = added(session, (result,))
        session = session.with_slot(replace(slot_of(session, key), view=ViewState(aspect=0.0)))
        return note(session, f"{result.image.name}: {result.dataset.notes[0]}")


def cut_through(session: Session, _: want.CutCube) -> Outcome:
    """Cut the cube that is shown.

    Raises
    ------
    UsageError
        No cube is shown, or no line is drawn on it.
    """
    now, slot = session.slot(), spectral_now(session)
    if now is None or slot is None or slot.image.kind is not Kind.CUBE:
        raise UsageError("there is no cube", todo="open one, or show it first")
    line = next((r for r in (*reversed(now.regions), *reversed(slot.regions)) if r.shape in LINES), None)
    if line is None:
        raise UsageError("there is no line to cut along", slot.title, "draw one: View > Draw > Draw a line")
    return CutAlong(title=f"Cut through {slot.title}", frame=slot.key, line=line, width=session.cut_width)


TASKS: Mapping[type[Intent], Plan] = {want.MapRange: map_range, want.CutCube: cut_through}
