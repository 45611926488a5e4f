"""Tasks and steps of what is measured on a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.intents import Intent
from ifuview.app.frames.measuring import intents as want
from ifuview.app.frames.measuring import sources
from ifuview.app.frames.measuring.contours import NONE, contours_over
from ifuview.app.frames.measuring.state import Contours, OnFrame
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.session import Session
from ifuview.app.tasks import Outcome, Plan, Task, slot_of
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.model.frames.source import ImageSource
from ifuview.model.frames.units import unit_words

SAME = 0.5  # FWHM; what is measured again so near takes the place of the former answer


@dataclass(frozen=True, kw_only=True)
class FitSource(OfFrame, Task[ImageSource]):
    """A source fitted."""

    kind: ClassVar[JobKind] = JobKind.MEASURE
    x: float
    y: float
    quiet: bool = True
    front: bool = True

    def run(self, session: Session, ctx: JobContext) -> ImageSource:
        """Fit it."""
        return sources.measure(slot_of(session, self.frame), self.x, self.y)

    def apply(self, session: Session, result: ImageSource) -> Session:
        """Mark it."""
        slot = session.slot(self.frame)
        if slot is None:
            return session
        known = slot.measured or OnFrame()
        kept = tuple(s for s in known.sources if abs(s.x - result.x) + abs(s.y - result.y) > SAME * result.fwhm)
        slot = replace(slot, measured=replace(known, sources=(*kept, result)))
        return note(
            session.with_slot(slot), f"{slot.title}: {sources.words(slot, result, session.overlay.sexagesimal)}"
        )


def measure(session: Session, intent: want.MeasureSource) -> Outcome:
    """Measure the source at a place."""
    slot = session.slot(intent.key)
    if slot is None:
        return session
    return FitSource(title=f"Source of {slot.title}", frame=slot.key, x=intent.x, y=intent.y)


@dataclass(frozen=True, kw_only=True)
class LayContours(OfFrame, Task[Contours]):
    """Contours of another frame."""

    kind: ClassVar[JobKind] = JobKind.CONTOURS
    other: int
    how: str
    newest: bool = True

    def run(self, session: Session, ctx: JobContext) -> Contours:
        """Find them."""
        return contours_over(slot_of(session, self.frame), slot_of(session, self.other), self.how, ctx)

    def apply(self, session: Session, result: Contours) -> Session:
        """Draw them."""
        slot = session.slot(self.frame)
        if slot is None:
            return session
        session = session.with_slot(replace(slot, measured=replace(slot.measured or OnFrame(), contours=result)))
        levels = ", ".join(f"{level:.4g}" for level in result.levels)
        return note(
            session, f"Contours of {result.title} over {slot.title} at {levels} {unit_words(slot.image.unit)}".rstrip()
        )


def draw_contours(session: Session, intent: want.DrawContours) -> Outcome:
    """Contours over the current frame, or none."""
    slot = session.slot()
    if slot is None:
        return session
    if intent.how == NONE:
        return session if slot.measured is None else session.with_slot(
            replace(slot, measured=replace(slot.measured, contours=None))
        )  # fmt: skip
    other = session.slot(session.previous if intent.of is None else intent.of)
    if other is None or (intent.of is None and session.previous is None):
        raise UsageError("there is no other frame", todo="open two: contours are of the one that was shown before")
    title = f"Contours of {other.title}"
    return LayContours(title=title, frame=slot.key, other=other.key, how=intent.how)


def forget(session: Session, _: want.ForgetMeasured) -> Session:
    """Take all marks off the current frame."""
    slot = session.slot()
    return session if slot is None else session.with_slot(replace(slot, measured=None))


def set_cut_width(session: Session, intent: want.SetCutWidth) -> Session:
    """Average cuts over more or fewer pixels."""
    return replace(session, cut_width=max(intent.width, 1))


TASKS: Mapping[type[Intent], Plan] = {
    want.MeasureSource: measure,
    want.DrawContours: draw_contours,
    want.ForgetMeasured: forget,
    want.SetCutWidth: set_cut_width,
}
