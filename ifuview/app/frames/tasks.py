"""Tasks of the frames: reduced copies, limits, masks, regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames import intents as want
from ifuview.app.frames.look import Reduction
from ifuview.app.frames.memory import within_bounds
from ifuview.app.frames.opening.detector_place import detector_of
from ifuview.app.frames.opening.opened import limits, pyramid
from ifuview.app.frames.opening.reading import with_mask_file
from ifuview.app.frames.opening.regions import Placed, read_placed, write_regions
from ifuview.app.frames.state import DetectorPlace
from ifuview.app.frames.steps import set_look, with_limits
from ifuview.app.frames.views.pyramid import Pyramid
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.session import Level, Session
from ifuview.app.tasks import Change, Outcome, Plan, Task, Telling, slot_of
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError, UsageError
from ifuview.model.image import Image
from ifuview.model.pixels import Pixels

ALL_BITS = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True)
class OfFrame:
    """What all tasks of one frame have."""

    frame: int

    @property
    def of(self) -> int | str:
        """The frame."""
        return self.frame


@dataclass(frozen=True, kw_only=True)
class ReduceCopies(OfFrame, Task[Pyramid]):
    """Reduced copies of the plane that a frame shows."""

    kind: ClassVar[JobKind] = JobKind.PYRAMID
    plane: tuple[int, ...]
    reduction: Reduction
    quiet: bool = True
    newest: bool = True
    once: bool = True

    def run(self, session: Session, ctx: JobContext) -> Pyramid:
        """Reduce."""
        return pyramid(slot_of(session, self.frame), ctx)

    def apply(self, session: Session, result: Pyramid) -> Session:
        """Give them to the frame, if it still shows the same."""
        now = session.slot(self.frame)
        if now is None or now.plane != self.plane or now.look.reduction is not self.reduction:
            return session
        return within_bounds(session.with_slot(replace(now, pyramid=result)))


@dataclass(frozen=True, kw_only=True)
class PlaceOnDetector(OfFrame, Task[DetectorPlace | str | None]):
    """Where the spectra of a frame lie on the detector; a sentence where that is not known."""

    kind: ClassVar[JobKind] = JobKind.DETECTOR
    quiet: bool = True

    def run(self, session: Session, ctx: JobContext) -> DetectorPlace | str | None:
        """Read it; the spectra can be looked at without it."""
        slot = slot_of(session, self.frame)
        try:
            return detector_of(slot, ctx)
        except (IfuviewError, OSError) as problem:
            return f"{slot.title}: where it lies on the detector is not known: {problem}"

    def apply(self, session: Session, result: DetectorPlace | str | None) -> Session:
        """Keep it with the frame."""
        now = session.slot(self.frame)
        if isinstance(result, str):
            return note(session, result)
        return session if now is None or result is None else session.with_slot(replace(now, detector=result))


@dataclass(frozen=True, kw_only=True)
class FindLimits(OfFrame, Task[tuple[float, float]]):
    """Display limits of a frame, by the mode of its look."""

    kind: ClassVar[JobKind] = JobKind.LIMITS
    quiet: bool = True
    newest: bool = True
    front: bool = True

    def run(self, session: Session, ctx: JobContext) -> tuple[float, float]:
        """Look at the pixels."""
        slot = slot_of(session, self.frame)
        copies = slot.pyramid
        pixels = slot.image.pixels.plane(slot.plane)
        return limits(Pixels(copies.levels[-1]) if copies is not None and copies.only else pixels, slot.look)

    def apply(self, session: Session, result: tuple[float, float]) -> Session:
        """Use them."""
        return with_limits(session, self.frame, *result)


def change_look(session: Session, intent: want.SetLook) -> Outcome:
    """Another look at once; limits that are to be found follow."""
    slot = session.slot(intent.key)
    if slot is None:
        return session
    after = set_look(session, intent)
    if intent.look.lo is not None and intent.look.hi is not None:
        return after
    return Change(after, (FindLimits(title=f"Limits of {slot.title}", frame=slot.key),))


@dataclass(frozen=True, kw_only=True)
class ReadRegions(OfFrame, Task[Placed]):
    """Regions of a file, for a frame."""

    kind: ClassVar[JobKind] = JobKind.REGIONS
    path: str

    def run(self, session: Session, ctx: JobContext) -> Placed:
        """Read, and turn into pixels of the frame."""
        return read_placed(self.path, slot_of(session, self.frame).image.wcs)

    def apply(self, session: Session, result: Placed) -> Session:
        """Add them to those that are there, and say what was left out."""
        regions, notes = result
        slot = session.slot(self.frame)
        if slot is None:
            return session
        session = session.with_slot(replace(slot, regions=(*slot.regions, *regions)))
        said = f" ({notes[0]}{f', and {len(notes) - 1} more' if len(notes) > 1 else ''})" if notes else ""
        level = Level.WARNING if notes else Level.INFO
        return note(session, f"{len(regions)} regions from {self.path}{said}", level, "\n".join(notes))


def load_regions(session: Session, intent: want.LoadRegions) -> Outcome:
    """Read a region file into the current frame."""
    frame = -1 if session.current is None else session.current
    return ReadRegions(title=f"Regions {intent.path}", frame=frame, path=intent.path)


@dataclass(frozen=True, kw_only=True)
class WriteRegions(OfFrame, Telling):
    """The regions of a frame in a file."""

    kind: ClassVar[JobKind] = JobKind.SAVE
    path: str

    def run(self, session: Session, ctx: JobContext) -> str:
        """Write, and say how many."""
        slot = slot_of(session, self.frame)
        notes = write_regions(self.path, slot.regions, slot.image.wcs)
        return f"{len(slot.regions)} regions written to {self.path}" + "".join(f"; {text}" for text in notes)


def save_regions(session: Session, intent: want.SaveRegions) -> Outcome:
    """Write the regions of the current frame."""
    slot = session.slot()
    if slot is None:
        return session
    return WriteRegions(title=f"Save {intent.path}", frame=slot.key, path=intent.path)


@dataclass(frozen=True, kw_only=True)
class ReadMask(OfFrame, Task[Image]):
    """The first image of a file as the mask of a frame."""

    kind: ClassVar[JobKind] = JobKind.MASK
    path: str

    def run(self, session: Session, ctx: JobContext) -> Image:
        """Read."""
        return with_mask_file(slot_of(session, self.frame).image, self.path, ctx)

    def apply(self, session: Session, result: Image) -> Session:
        """Use it and show it."""
        now = session.slot(self.frame)
        if now is None:
            return session
        shown = replace(now.look, mask_shown=now.look.mask_shown or ALL_BITS)
        return session.with_slot(replace(now, image=result, look=shown))


def load_mask(session: Session, intent: want.LoadMask) -> Outcome:
    """Read a mask for the current frame."""
    slot = session.slot()
    if slot is None:
        raise UsageError("no frame to put the mask on", intent.path, "open an image first")
    return ReadMask(title=f"Mask {intent.path}", frame=slot.key, path=intent.path)


TASKS: Mapping[type[want.Intent], Plan] = {
    want.SetLook: change_look,
    want.LoadRegions: load_regions,
    want.SaveRegions: save_regions,
    want.LoadMask: load_mask,
}
