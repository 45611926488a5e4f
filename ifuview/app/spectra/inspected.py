"""What the inspection of a session depends on."""

from __future__ import annotations

from collections.abc import Hashable

from ifuview.app.session import Session


def inspected(session: Session) -> Hashable:
    """What an inspection depends on; None where nothing is selected.

    Pictures that follow a slider (photons, and what is made from them) are not inspected anew with every move.
    """
    chosen = session.selection
    if session.slot() is None or (chosen.fiber is None and chosen.x is None):
        return None
    frames = tuple(
        (s.key, id(s.traces), id(s.image) if s.photons is None and s.made_of is None else 0) for s in session.slots
    )
    return session.current, chosen, session.section_columns, session.extraction, frames
