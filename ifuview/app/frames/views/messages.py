"""What happened, newest first."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ifuview.app.session import Level, Message, Session


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message: level, time of day, sentence, and a detail that is folded away."""

    level: Level
    clock: str
    text: str
    detail: str


@dataclass(frozen=True, slots=True)
class MessagesView:
    """All messages, newest first."""

    rows: tuple[MessageRow, ...]


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    return (session.messages,)


def make(session: Session) -> MessagesView | None:
    """All messages, newest first."""
    return MessagesView(tuple(_row(m) for m in reversed(session.messages)))


def as_text(rows: tuple[MessageRow, ...]) -> str:
    """Messages as plain text for the clipboard, oldest first."""
    lines = []
    for row in reversed(rows):
        lines.append(f"{row.clock} {row.level}: {row.text}".strip())
        lines += [f"    {line}" for line in row.detail.splitlines()]
    return "\n".join(lines)


def _row(message: Message) -> MessageRow:
    """One message in words."""
    clock = time.strftime("%H:%M:%S", time.localtime(message.time)) if message.time else ""
    return MessageRow(message.level, clock, message.text, message.detail)
