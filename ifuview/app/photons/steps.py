"""Steps of photon lists: (session, intent) -> next session, pure and quick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ifuview.app.frames.intents import Intent
from ifuview.app.photons import intents as want
from ifuview.app.photons.counting import images
from ifuview.app.photons.light import options_of
from ifuview.app.photons.which import frame_of
from ifuview.app.session import Session
from ifuview.errors import UsageError


def copy(session: Session, _: want.CopyPhotons) -> Session:
    """A second frame of the same list."""
    slot = session.slot()
    if slot is None or frame_of(slot) is None:
        raise UsageError("there is no photon list to show twice", todo="open one, or choose its frame")
    return images.copied(session, slot)


def set_option(session: Session, intent: want.SetLight) -> Session:
    """Bin or show light otherwise."""
    change: dict[str, Any] = {intent.name: intent.value}
    return replace(session, light=replace(options_of(session), **change))


STEPS: Mapping[type[Intent], Callable[[Session, Any], Session]] = {
    want.CopyPhotons: copy,
    want.SetLight: set_option,
}
