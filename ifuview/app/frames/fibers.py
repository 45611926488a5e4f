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
    for slot in session.slots:
        for source in (slot.image.fibermap, slot.traces):
            if source is not None and name in source.fiber_id:
                return source.fiber_id.index(name)
    if is_whole(name):
        row = check_fiber(session, int(name))
        assert row is not None
        return row
    raise UsageError(f"there is no fiber {name}", todo="give its number")


def trace_companions(dataset: Dataset) -> tuple[str, ...]:
    """Files beside a dataset that hold its traces."""
    return tuple(p for p in dataset.companions if "psf" in Path(p).name or "trace" in Path(p).name)


def arms_beside(session: Session, slot: Slot) -> tuple[str, ...]:
    """The product of a frame in the other arms of its fibers, as far as it lies beside it and is not open."""
    known = {os.path.abspath(one.dataset.path) for one in session.slots if one.dataset.path}
    return tuple(file for file in slot.dataset.arms if os.path.abspath(file) not in known)
