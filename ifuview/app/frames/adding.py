"""New frames: where they stand in the session and what they take over from their neighbors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ifuview.app.frames.look import LimitMode, Look, Reduction, Smooth, Transfer
from ifuview.app.frames.opening.opened import Opened, new_slot
from ifuview.app.frames.sky.lock import follow
from ifuview.app.frames.state import Made, Parent, RangeOf
from ifuview.app.frames.views.colors import known
from ifuview.app.session import Session, Slot
from ifuview.model.image import Kind

RECENT_FILES = 12


def look_of(fields: Iterable[tuple[str, Any]], base: Look | None = None) -> Look:
    """A Look with some fields given by name, words turned into the enumerations of the fields."""
    kinds = {"limit_mode": LimitMode, "transfer": Transfer, "reduction": Reduction, "smooth": Smooth}
    fields = tuple(fields)
    for name, value in fields:
        if name == "cmap":
            known(value)  # says what there is if it is not
    values: dict[str, Any] = {name: kinds[name](value) if name in kinds else value for name, value in fields}
    return replace(base or Look(), **values)


def placed(session: Session, slot: Slot) -> Slot:
    """A new frame with the view of its neighbors of the same size when views are locked, and their traces."""
    alike = (s for s in reversed(session.slots) if s.image.shape == slot.image.shape)
    near = next(alike, None)
    if near is None:
        return slot
    if session.locks.view:
        slot = replace(slot, view=near.view)
    if slot.traces is None and slot.image.kind is Kind.DETECTOR and not slot.dataset.companions:
        same = (s for s in (near, *alike) if s.traces is not None and s.image.camera == slot.image.camera)
        slot = replace(slot, traces=next((s.traces for s in same), None))
    return slot


def remember(session: Session, spec: str) -> Session:
    """The session with a file at the head of the recent ones."""
    rest = tuple(r for r in session.recent if r != spec)
    return replace(session, recent=(spec, *rest)[:RECENT_FILES])


def added(session: Session, found: tuple[Opened, ...]) -> Session:
    """The session with frames for opened images; the last one is current."""
    for opened in found:
        leader, slot = session.slot(), placed(session, new_slot(session, opened))
        session = session.adding(follow(slot, leader) if leader is not None and session.locks.sky else slot)
    return session


def added_behind(session: Session, found: tuple[Opened, ...], key: int, made_of: Made | Parent | RangeOf) -> Session:
    """The session with frames made from the one with `key` behind it, the first of them current."""
    first = session.next_key
    for opened in found:
        slot = replace(new_slot(session, opened), made_of=made_of)
        session = session.adding(placed(session, slot))
    place = next((i for i, s in enumerate(session.slots) if s.key == key), None)
    if place is None:
        return session.showing(first)
    old = [s for s in session.slots if s.key < first]
    new = [s for s in session.slots if s.key >= first]
    session = replace(session, slots=(*old[: place + 1], *new, *old[place + 1 :]))
    return replace(session.showing(first), previous=key)
