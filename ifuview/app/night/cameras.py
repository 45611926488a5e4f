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

WHOLE, LEAST = 0.98, 0.02  # part of the window: an arm that has so much stands alone; that it must have


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
    """The current product of this exposure in all cameras of the arms of the window; the current camera last.

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
    arms = _arms(session, slot, own, now.camera)
    places = [replace(now, camera=c) for c in own if c[:1] in arms and c != now.camera]
    if not places:
        raise UsageError(
            f"no other camera of arm {', '.join(arms)} has {index.chain.title(now.product)} in {now.expid}"
        )
    return (*places, now)


def other_arms(session: Session) -> tuple[Place, ...]:
    """The current product of this exposure in the other arms of the same fibers: cameras of the same number."""
    now, night = here(session), session.night
    if now is None or night is None:
        return ()
    index = night.compared if now.other and night.compared is not None else night.index
    alike = (c for c in index.cameras if c != now.camera and c[1:] == now.camera[1:] and c[1:].isdigit())
    return tuple(replace(now, camera=c) for c in alike if has(index, now.expid, c, now.product))


def _arms(session: Session, slot: Slot, cameras: list[str], current: str) -> tuple[str, ...]:
    """First letters of the cameras that have the window, each its part; that of the current one if it has it all."""
    if session.window is None:
        return (current[:1],)
    lo, hi = session.window

    def share(camera: str) -> float:
        spec = instrument(slot.dataset.instrument).camera(camera)
        return 0.0 if spec is None else (min(hi, spec.wave_max) - max(lo, spec.wave_min)) / max(hi - lo, 1e-9)

    whole = [c for c in (current, *cameras) if share(c) >= WHOLE]
    found = whole[:1] or [c for c in cameras if share(c) >= LEAST]
    return tuple(dict.fromkeys(c[:1] for c in found)) or (current[:1],)
