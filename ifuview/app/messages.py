"""What the user is told."""

from __future__ import annotations

import time
from dataclasses import replace

from ifuview.app.session import Level, Message, Session


def note(session: Session, text: str, level: Level = Level.INFO, detail: str = "") -> Session:
    """The session with a message of now; `detail` is folded away."""
    return replace(session, messages=(*session.messages, Message(level, text, detail, time.time())))


def no_problem(session: Session, *, asked: bool, left: bool = False) -> Session:
    """The session told that there is no problem to go to: none so far while some is `left`, none known unasked."""
    return note(session, f"no problem was found{' so far' if left else ''}" if asked else "nothing was judged yet")
