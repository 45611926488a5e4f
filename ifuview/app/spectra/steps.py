"""Steps of the spectra: (session, intent) -> next session, pure and quick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ifuview.app.frames.intents import Intent
from ifuview.app.session import Session
from ifuview.app.spectra import intents as want


def close_tables(session: Session, intent: want.CloseTables) -> Session:
    """Close the tables of a file."""
    return replace(session, tables=tuple(t for t in session.tables if t.path != intent.path))


def set_section_columns(session: Session, intent: want.SetSectionColumns) -> Session:
    """Width of the running median of the cross-section."""
    return replace(session, section_columns=max(1, int(intent.n)))


def set_extraction(session: Session, intent: want.SetExtraction) -> Session:
    """How live spectra are extracted."""
    return session if intent.method == session.extraction else replace(session, extraction=intent.method)


def set_gather(session: Session, intent: want.SetGather) -> Session:
    """How a region or several fibers become one spectrum."""
    return session if intent.how == session.gather else replace(session, gather=intent.how)


def show_region(session: Session, intent: want.ShowRegion) -> Session:
    """The region whose spectrum is shown."""
    slot = session.slot(intent.key)
    if slot is None or not 0 <= intent.number < len(slot.regions):
        return session
    return replace(session, region=(slot.key, slot.regions[intent.number]))


def set_window(session: Session, intent: want.SetWindow) -> Session:
    """Keep the wavelength window that colors the focal plane, its ends in order."""
    ordered = None if intent.window is None else (float(min(intent.window)), float(max(intent.window)))
    return session if ordered == session.window else replace(session, window=ordered)


STEPS: Mapping[type[Intent], Callable[[Session, Any], Session]] = {
    want.CloseTables: close_tables,
    want.SetGather: set_gather,
    want.ShowRegion: show_region,
    want.SetWindow: set_window,
    want.SetSectionColumns: set_section_columns,
    want.SetExtraction: set_extraction,
}
