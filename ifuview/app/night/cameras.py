"""All cameras of one exposure: which are wanted for a wavelength window, and frames that were opened by their path."""

from __future__ import annotations

import os
from dataclasses import replace
from types import MappingProxyType

from ifuview.app.night.open_night import has, here
from ifuview.app.night.state import Night, Place
from ifuview.app.session import Session, Slot
from ifuview.errors import UsageError
from ifuview.instrument import instrument
from ifuview.model.image import Kind
from ifuview.model.night.exposures import ExposureIndex

COVERED = 0.5  # part of the window that an arm must have


def folder_to_index(session: Session) -> str:
    """Folder of the current frame if the night that is open does not know it, "" if it does."""
    slot = session.slot()
    if slot is None or slot.image.kind is not Kind.RSS:
        raise UsageError("all cameras need a product of one camera on the canvas", todo="open extracted spectra first")
    if here_of(adopted(session), slot) is not None:
        return ""
    if not slot.dataset.path:
        raise UsageError(f"{slot.title} was computed: its cameras are not known", todo="open the folder of the night")
    return os.path.dirname(os.path.abspath(slot.dataset.path))


def adopted(session: Session, index: ExposureIndex | None = None) -> Session:
    """The session whose night (that of `index` if there is none yet) knows the frames that were opened by path."""
    night = session.night if index is None else Night(index)
    if night is None:
        return session
    place_of = {
        file.path: Place(exposure.expid, camera, product)
        for exposure in night.index.exposures
        for (camera, product), file in exposure.files.items()
    }
    shown = dict(night.shown)
    for slot in session.slots:
        place = place_of.get(os.path.abspath(slot.dataset.path)) if slot.dataset.path else None
        if place is not None and slot.key not in shown:
            shown[slot.key] = place
    if len(shown) == len(night.shown) and index is None:
        return session
    return replace(session, night=replace(night, shown=MappingProxyType(shown)))


def here_of(session: Session, slot: Slot) -> Place | None:
    """What a frame shows."""
    night: Night | None = session.night
    return None if night is None else night.shown.get(slot.key)


def all_cameras(session: Session) -> tuple[Place, ...]:
    """The current product of this exposure in all cameras of the arm of the window; the current camera last.

    Raises
    ------
    UsageError
        No other camera has it.
    """
    slot, now, night = session.slot(), here(session), session.night
    if slot is None or now is None or night is None:
        raise UsageError("nothing is shown whose cameras could be opened", todo="show a product first")
    index = night.compared if now.other and night.compared is not None else night.index
    own = [c for c in index.cameras if has(index, now.expid, c, now.product)]
    arm = _arm(session, slot, own, now.camera)
    places = [replace(now, camera=c) for c in own if c[:1] == arm and c != now.camera]
    if not places:
        raise UsageError(f"no other camera of arm {arm} has {index.chain.title(now.product)} in {now.expid}")
    return (*places, now)


def _arm(session: Session, slot: Slot, cameras: list[str], current: str) -> str:
    """First letter of the cameras that have the window; that of the current camera if it has it, or there is none."""
    if session.window is None:
        return current[:1]
    lo, hi = session.window

    def share(camera: str) -> float:
        spec = instrument(slot.dataset.instrument).camera(camera)
        return 0.0 if spec is None else (min(hi, spec.wave_max) - max(lo, spec.wave_min)) / max(hi - lo, 1e-9)

    if share(current) >= COVERED:
        return current[:1]
    best = max(cameras, key=share, default=current)
    return best[:1] if share(best) >= COVERED else current[:1]
