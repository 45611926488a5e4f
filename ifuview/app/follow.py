"""What a new session makes necessary: what new frames need next, and a new inspection of what is selected.

What only some frames need is imported with the first of them: the first painted pixel waits for this module.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ifuview.app.frames.fibers import trace_companions
from ifuview.app.frames.look import Reduction
from ifuview.app.frames.memory import has_room
from ifuview.app.frames.tasks import PlaceOnDetector, ReduceCopies
from ifuview.app.photons.which import is_photons
from ifuview.app.session import Session, Slot
from ifuview.app.spectra.companions import models_beside, tables_beside
from ifuview.app.spectra.inspected import inspected
from ifuview.app.tasks import Task
from ifuview.model.image import Kind

READY = 32  # frames whose reduced copies are made before they are looked at


def after(old: Session, new: Session) -> tuple[Task[Any], ...]:
    """Tasks that follow from the change of one session into another, whatever it was that changed it."""
    tasks: list[Task[Any]] = []
    if new.slots is not old.slots:
        before = {slot.key: slot for slot in old.slots}
        room = cache(lambda: has_room(new))
        for slot in new.slots:
            if slot is not before.get(slot.key):
                tasks += _of_frame(new, before.get(slot.key), slot)
                tasks += _sky(before.get(slot.key), slot)
                if _lacks_copies(before.get(slot.key), slot) and _soon(new, slot) and room():
                    tasks.append(_copies(slot))
                if new.judges and not new.headless:
                    tasks += first_verdicts(new, before.get(slot.key), slot)
    shown = new.slot()
    if shown is not None and new.current != old.current and old.slot(shown.key) is shown and _lacks_copies(None, shown):
        tasks += [_copies(shown)] if has_room(new) else []
    asked = inspected(new)
    if asked is not None and asked != inspected(old):
        from ifuview.app.spectra.tasks import Inspect

        tasks.append(Inspect())
    if _looks_at(new) != _looks_at(old) and any(slot.dataset.kind == "range" for slot in new.slots):
        from ifuview.app.spectra.ranges import following

        tasks += following(new)
    return (*tasks, *_gathering(old, new))


def _looks_at(session: Session) -> tuple[object, ...]:
    """The window of wavelengths, and which frames are on the canvas."""
    return session.window, session.current, session.layout, session.blink_keys


def _gathering(old: Session, new: Session) -> list[Task[Any]]:
    """The spectrum of a region or of several fibers, where another one is asked for."""
    if new.region is None and len(new.selection.fibers) < 2 and not new.selection.elsewhere:
        return []
    from ifuview.app.spectra.gathered import subject
    from ifuview.app.spectra.tasks import Gather

    asked = subject(new)
    if asked is None or asked == subject(old):
        return []
    return [Gather()]


def _of_frame(session: Session, old: Slot | None, slot: Slot) -> list[Task[Any]]:
    """What a frame needs that is new, or has another image or plane than before."""
    fresh, other = _news(old, slot)
    if is_photons(slot):
        from ifuview.app.photons.tasks.lists import opening

        return [opening(slot)] if fresh and slot.photons is None else []
    if slot.pyramid is not None and slot.pyramid.only:
        from ifuview.app.night.amplifiers.mosaic import ReadInView, wanted

        return [ReadInView(title=f"Pixels of {slot.title}", frame=slot.key)] if wanted(slot) else []
    tasks: list[Task[Any]] = [] if old is not None else _beside(session, slot)
    if not (fresh or other):
        return tasks
    if fresh and slot.dataset.kind == "observation" and slot.dataset.tables:
        from ifuview.app.night.detections.tasks import first_reading

        tasks += first_reading(session, slot)
    if slot.image.kind is Kind.RSS:
        if slot.detector is None and slot.dataset.companions and not session.headless:
            words = f"Where {slot.title} lies on the detector"
            tasks.append(PlaceOnDetector(title=words, frame=slot.key))
    elif session.night is not None and slot.dataset.kind == "raw":
        from ifuview.app.night.raw_places import FindPlaces, wants_places

        if wants_places(session, slot):
            tasks.append(FindPlaces(title=f"Fibers and wavelengths of {slot.title}", frame=slot.key))
    elif slot.traces is None and slot.dataset.kind != "traces" and _has_traces(slot):
        from ifuview.app.traces.tasks import FindTraces

        tasks.append(FindTraces(title=f"Traces of {slot.title}", frame=slot.key))
    return tasks


def _sky(old: Slot | None, slot: Slot) -> list[Task[Any]]:
    """The sky of a frame with other cards than before, where more than arithmetic is asked for."""
    if not slot.image.wcs or (old is not None and old.image.wcs is slot.image.wcs):
        return []
    from ifuview.app.frames.sky.tasks import make_sky, wanted

    return [make_sky(slot)] if wanted(slot) else []


def _news(old: Slot | None, slot: Slot) -> tuple[bool, bool]:
    """Whether a frame is new, and whether it has another image than before."""
    fresh = old is None or (slot.dataset is not old.dataset and slot.made_of is None)
    return fresh, old is not None and slot.image is not old.image and slot.made_of is None


def _lacks_copies(old: Slot | None, slot: Slot) -> bool:
    """Whether the reduced copies of a frame are still to be made."""
    if slot.pyramid is not None or is_photons(slot):
        return False
    return any(_news(old, slot)) or (old is not None and _plane(slot) != _plane(old))


def _soon(session: Session, slot: Slot) -> bool:
    """Whether a frame is on the canvas, or one of a few that may be there next."""
    return len(session.slots) <= READY or slot.key == session.current


def first_verdicts(session: Session, old: Slot | None, slot: Slot) -> list[Task[Any]]:
    """What is judged unasked: traces that have come, a product that was opened alone, a raw exposure by reducing it."""
    tasks: list[Task[Any]] = []
    if slot.photons is not None:
        from ifuview.app.photons.judging import first_verdict

        return [*first_verdict(old, slot)]
    if slot.traces is not None:
        from ifuview.app.traces.judging import first_diagnosis, wants_verdict

        tasks += [first_diagnosis(slot)] if wants_verdict(old, slot) else []
    if old is None and slot.image.kind is Kind.RSS:
        from ifuview.app.night.judging import of_product

        tasks += of_product(session, slot)
    if slot.image.kind is Kind.RSS and (old is None or old.image is not slot.image):
        from ifuview.app.spectra.judging import first_verdict as first_of_spectra

        tasks += first_of_spectra(session, slot)
    if old is None and session.night is None and slot.dataset.instrument and slot.image.kind is Kind.DETECTOR:
        from ifuview.app.night.amplifiers.alone import of_amplifier

        tasks += of_amplifier(session, slot)
    if old is None and slot.dataset.kind == "raw":
        from ifuview.app.night.reduction.tasks import first_reduction

        tasks += first_reduction(session, slot)
    return tasks


def _beside(session: Session, slot: Slot) -> list[Task[Any]]:
    """Best fits and tables that lie beside a new frame."""
    models, tables = models_beside(slot.dataset.path), tables_beside(slot.dataset.path)
    if not models and not tables:
        return []
    from ifuview.app.spectra.tasks import read_beside

    return [*read_beside(session, slot.dataset.path, models, tables)]


def _copies(slot: Slot) -> ReduceCopies:
    plane, reduction = _plane(slot)
    return ReduceCopies(title=f"Reduced copies of {slot.title}", frame=slot.key, plane=plane, reduction=reduction)


def _has_traces(slot: Slot) -> bool:
    """Whether there are traces in the file of a frame or beside it."""
    return slot.dataset.traces is not None or bool(trace_companions(slot.dataset))


def _plane(slot: Slot) -> tuple[tuple[int, ...], Reduction]:
    return slot.plane, slot.look.reduction
