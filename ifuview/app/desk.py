"""Layouts by task: which panels stand around the image, chosen by what is open."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ifuview.app.photons.which import photon_frame
from ifuview.app.session import Session
from ifuview.model.image import Kind

FIBERS = (Kind.DETECTOR, Kind.RSS, Kind.SPECTRUM)


class Desk(StrEnum):
    """What is worked on, in the order of the keys."""

    IMAGE = "Image"
    TRACES = "Traces"
    NIGHT = "Night"
    REDUCTION = "Reduction"
    PHOTONS = "Photons"


PANELS: Mapping[Desk, tuple[str, ...]] = {  # the last of those that share a place is in front
    Desk.IMAGE: ("frames", "section"),
    Desk.TRACES: ("frames", "section", "quality", "spectrum"),
    Desk.NIGHT: ("frames", "triage", "spectrum", "exposures"),
    Desk.REDUCTION: ("frames", "lenslets", "step", "spectrum", "exposures"),
    Desk.PHOTONS: ("frames", "calibrations", "photon-problems", "photons"),
}


def suited(session: Session) -> Desk:
    """The desk for what is open."""
    if photon_frame(session) is not None:
        return Desk.PHOTONS
    if session.reduction is not None:
        return Desk.REDUCTION
    if session.night is not None or session.triage is not None:
        return Desk.NIGHT
    fibers = any(slot.image.kind in FIBERS for slot in session.slots)
    return Desk.TRACES if fibers else Desk.IMAGE


def by_data(session: Session) -> Mapping[str, bool]:
    """Panels of the desk that come or go with what is open: an empty one has no place."""
    if suited(session) is Desk.NIGHT:
        return {"exposures": session.night is not None}
    if suited(session) is Desk.TRACES:
        kinds = {slot.image.kind for slot in session.slots}
        return {"quality": Kind.DETECTOR in kinds, "section": kinds != {Kind.SPECTRUM}}
    if suited(session) is Desk.IMAGE:
        kinds = {slot.image.kind for slot in session.slots}
        return {"spectrum": Kind.CUBE in kinds, "section": kinds != {Kind.CUBE}}
    return {}


def task(session: Session) -> tuple[bool, ...]:
    """What makes another desk suit: changes with what is opened, not with which frame is looked at."""
    return (
        any(slot.dataset.kind == "photons" for slot in session.slots),
        session.reduction is not None,
        session.triage is not None,
        session.night is not None,
        any(slot.image.kind in FIBERS for slot in session.slots),
        any(slot.image.kind is Kind.DETECTOR for slot in session.slots),
        all(slot.image.kind is Kind.SPECTRUM for slot in session.slots),
        any(slot.image.kind is Kind.CUBE for slot in session.slots),
    )
