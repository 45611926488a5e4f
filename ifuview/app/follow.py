"""What a new session makes necessary: what new frames need next, and a new inspection of what is selected."""

from __future__ import annotations

from typing import Any

from ifuview.app.frames.fibers import trace_companions
from ifuview.app.frames.look import Reduction
from ifuview.app.frames.memory import has_room, wants_back
from ifuview.app.frames.tasks import PlaceOnDetector, ReduceCopies
from ifuview.app.photons.tasks.lists import opening
from ifuview.app.photons.which import is_photons
from ifuview.app.session import Session, Slot
from ifuview.app.spectra.tasks import Inspect, beside, inspected
from ifuview.app.tasks import Task
from ifuview.app.traces.tasks import FindTraces
from ifuview.model.image import Kind


def after(old: Session, new: Session) -> tuple[Task[Any], ...]:
    """Tasks that follow from the change of one session into another, whatever it was that changed it."""
    tasks: list[Task[Any]] = []
    if new.slots is not old.slots:
        before = {slot.key: slot for slot in old.slots}
        for slot in new.slots:
            if slot is not before.get(slot.key):
                tasks += _of_frame(new, before.get(slot.key), slot)
    shown = new.slot()
    if shown is not None and new.current != old.current and shown.pyramid is None and wants_back(new):
        tasks.append(_copies(shown))
    asked = inspected(new)
    if asked is not None and asked != inspected(old):
        tasks.append(Inspect())
    return tuple(tasks)


def _of_frame(session: Session, old: Slot | None, slot: Slot) -> list[Task[Any]]:
    """What a frame needs that is new, or has another image or plane than before."""
    fresh = old is None or (slot.dataset is not old.dataset and slot.made_of is None)
    other = old is not None and slot.image is not old.image and slot.made_of is None
    if is_photons(slot):
        return [opening(slot)] if fresh and slot.photons is None else []
    tasks: list[Task[Any]] = [*beside(session, slot)] if old is None else []
    if slot.pyramid is None and (fresh or other or (old is not None and _plane(slot) != _plane(old))):
        tasks += [_copies(slot)] if has_room(session) else []
    if not (fresh or other):
        return tasks
    if slot.image.kind is Kind.RSS:
        if slot.detector is None and slot.dataset.companions and not session.headless:
            words = f"Where {slot.title} lies on the detector"
            tasks.append(PlaceOnDetector(title=words, frame=slot.key))
    elif slot.traces is None and slot.dataset.kind != "traces" and _has_traces(slot):
        tasks.append(FindTraces(title=f"Traces of {slot.title}", frame=slot.key))
    return tasks


def _copies(slot: Slot) -> ReduceCopies:
    plane, reduction = _plane(slot)
    return ReduceCopies(title=f"Reduced copies of {slot.title}", frame=slot.key, plane=plane, reduction=reduction)


def _has_traces(slot: Slot) -> bool:
    """Whether there are traces in the file of a frame or beside it."""
    return slot.dataset.traces is not None or bool(trace_companions(slot.dataset))


def _plane(slot: Slot) -> tuple[tuple[int, ...], Reduction]:
    return slot.plane, slot.look.reduction
