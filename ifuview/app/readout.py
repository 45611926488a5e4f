"""What is under the cursor of any frame."""

from __future__ import annotations

from ifuview.app.frames.views import readout as frames
from ifuview.app.frames.views.readout import ReadoutView
from ifuview.app.session import Session


def readout(session: Session, key: int, x: float, y: float) -> ReadoutView | None:
    """Return what is known about native position (x, y) of a frame; None outside its image."""
    slot = session.slot(key)
    if slot is None or slot.dataset.photons is None or slot.dataset.kind != "photons":
        return frames.readout(session, key, x, y)
    from ifuview.app.photons.views.readout import fields

    at = frames.pixel(slot, x, y)
    return None if at is None else ReadoutView(tuple(fields(slot, *at)), value=frames.value(slot, *at))
