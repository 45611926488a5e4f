"""What judgements of one frame have in common: they can be stopped, and begun again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ifuview.app.frames.intents import Judge
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKey, JobKind
from ifuview.app.session import Session, Slot
from ifuview.app.tasks import Change, Outcome, Task


@dataclass(frozen=True, kw_only=True)
class OfJudged(OfFrame):
    """A task that judges a frame."""

    def failed(self, session: Session, error: BaseException) -> Session:
        """Nobody judges it now."""
        return replace(session, unjudged=session.unjudged | {self.frame})

    def stopped(self, session: Session) -> Session:
        """Likewise."""
        return replace(session, unjudged=session.unjudged | {self.frame})


def judge_current(
    session: Session, intent: Judge, kind: JobKind, begun: Callable[[Slot], tuple[Task[Any], ...]]
) -> Outcome:
    """Judge the current frame by the tasks that are `begun`, all of a kind, or stop that."""
    slot = session.slot()
    if slot is None:
        return session
    if not intent.on:
        return Change(replace(session, unjudged=session.unjudged | {slot.key}), stop=(JobKey(kind, slot.key),))
    return Change(replace(session, unjudged=session.unjudged - {slot.key}), begun(slot))
