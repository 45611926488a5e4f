"""Which photon frame is meant, and where in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifuview.app.frames.state import Made, RgbOf
from ifuview.app.session import Session, Slot
from ifuview.errors import UsageError

if TYPE_CHECKING:
    from ifuview.app.photons.state import PhotonFrame

KIND = "photons"  # of a Dataset
NO_LIST = "the current frame is no photon list"
NO_PLACE = "no pixel is selected"


def photon_frame(session: Session) -> Slot | None:
    """The frame whose photons are meant: one rule for the docks, for counting, calibrating, statistics and saving.

    It is the current frame if that is of a photon list, also while its photons are still being read (`Slot.photons`
    is None then); else the frame from which the current one was made, of two the first; else, where that is closed,
    another frame of the same file. None if the current frame has nothing to do with a photon list.
    """
    slot = found = session.slot()
    while found is not None and not is_photons(found):
        found = _parent(session, found)
    if found is not None or slot is None or slot.dataset.photons is None:
        return found
    path = slot.dataset.photons.path
    return next((s for s in session.slots if s.photons is not None and s.dataset.path == path), None)


def _parent(session: Session, slot: Slot) -> Slot | None:
    """The frame that a frame was made from; of two the first."""
    made = slot.made_of
    if made is None:
        return None
    return session.slot(made.a if isinstance(made, Made) else made.keys[0] if isinstance(made, RgbOf) else made.key)


def is_photons(slot: Slot | None) -> bool:
    """Whether a frame is of a photon list."""
    if slot is None:
        return False
    return slot.photons is not None or (slot.dataset.kind == KIND and slot.dataset.photons is not None)


def frame_of(slot: Slot | None) -> PhotonFrame | None:
    """The photon half of a frame that is open; None for other frames."""
    return None if slot is None else slot.photons


def asked(session: Session) -> tuple[Slot, PhotonFrame]:
    """The photon frame.

    Raises
    ------
    UsageError
        There is none, or it is still being read.
    """
    slot = photon_frame(session)
    if slot is None or slot.photons is None:
        raise UsageError(NO_LIST, todo="choose the frame of a photon list")
    return slot, slot.photons


def known(session: Session, key: int) -> tuple[Slot, PhotonFrame]:
    """A photon frame that is known to be open, as when a task begins."""
    slot = session.slot(key)
    assert slot is not None and slot.photons is not None
    return slot, slot.photons


def crosshair(session: Session) -> tuple[int, int]:
    """Pixel (x, y) of the crosshair.

    Raises
    ------
    UsageError
        Nothing is selected.
    """
    at = session.selection
    if at.x is None or at.y is None:
        raise UsageError(NO_PLACE, todo="click the star in the image")
    return round(at.x), round(at.y)
