"""Which fibers the frames have, by row and by name, and what the canvas needs to draw their traces."""

from __future__ import annotations

import os
from pathlib import Path

from ifuview.app.session import Session, Slot
from ifuview.errors import UsageError
from ifuview.model.checks import is_whole
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.trace import TraceSet


def drawable(traces: TraceSet, image: Image) -> TraceSet:
    """The traces, with what the canvas needs to draw them already worked out."""
    from ifuview.app.frames.views.overlay import curves_of

    curves_of(traces, image)
    return traces


def default_fiber(session: Session) -> int | None:
    """The middle fiber of the first frame that has fibers."""
    counts = [n for s in session.slots if (n := fiber_count(s))]
    return counts[0] // 2 if counts else None


def fiber_count(slot: Slot) -> int:
    """Number of fibers that can be selected in a frame."""
    if slot.image.kind is Kind.RSS:
        return slot.image.shape[0]
    return slot.traces.nfiber if slot.traces is not None else 0


def check_fiber(session: Session, fiber: int | None) -> int | None:
    """`fiber` if some frame has it.

    Raises
    ------
    UsageError
        No frame has such a fiber.
    """
    most = max((fiber_count(s) for s in session.slots), default=0)
    if fiber is None or 0 <= fiber < most:
        return fiber
    raise UsageError(
        f"there is no fiber {fiber}",
        todo=f"choose 0 to {most - 1}" if most else "load traces or extracted spectra first",
    )


def find_fiber(session: Session, name: str) -> int:
    """Row of the fiber that the instrument, or else the order of the rows, calls `name`.

    Raises
    ------
    UsageError
        No frame has it.
    """
    return place_of_fiber(session, name)[1]


def place_of_fiber(session: Session, name: str) -> tuple[Slot | None, int]:
    """The frame with the fiber of a name, the one on the canvas first, and its row; None and a row that frames have.

    Raises
    ------
    UsageError
        No frame has it.
    """
    now = session.slot()
    for slot in sorted(session.slots, key=lambda one: one is not now):
        names = fiber_names(slot)
        if name in names:
            return slot, names.index(name)
    if is_whole(name) and int(name) in range(max((fiber_count(s) for s in session.slots), default=0)):
        return None, int(name)
    names = () if now is None else fiber_names(now)
    known = f"the fibers of {now.title} are {names[0]} to {names[-1]}" if now is not None and names else ""
    check_fiber(session, int(name) if is_whole(name) and not known else None)
    raise UsageError(f"there is no fiber {name}", todo=known or "give its number")


def fiber_names(slot: Slot) -> tuple[str, ...]:
    """What the instrument calls the fibers of a frame, in the order of the rows; () where it says nothing."""
    return next((tuple(one.fiber_id) for one in (slot.image.fibermap, slot.traces) if one is not None), ())


def trace_companions(dataset: Dataset) -> tuple[str, ...]:
    """Files beside a dataset that hold its traces."""
    return tuple(p for p in dataset.companions if "psf" in Path(p).name or "trace" in Path(p).name)


def arms_beside(session: Session, slot: Slot) -> tuple[str, ...]:
    """The product of a frame in the other arms of its fibers, as far as it lies beside it and is not open."""
    known = {os.path.abspath(one.dataset.path) for one in session.slots if one.dataset.path}
    return tuple(file for file in slot.dataset.arms if os.path.abspath(file) not in known)
