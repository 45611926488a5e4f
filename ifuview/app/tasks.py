"""A task is a value: what is to be done, and what the session is with what came of it. No Qt, no window.

A column offers `STEPS` (intent -> next session, at once) and `TASKS` (intent -> a task, or a `Change` with tasks that
follow). `ifuview.app.intents` joins them; whoever runs tasks hands the session of that moment to `Task.run`, on a
thread of its own, and the session of the moment when it is done to `Task.apply`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, Generic, TypeVar

from ifuview.app.frames.intents import Intent
from ifuview.app.jobs import JobKey, JobKind
from ifuview.app.messages import note
from ifuview.app.session import Session, Slot
from ifuview.engine.context import JobContext

Result = TypeVar("Result")
ALWAYS = inf


@dataclass(frozen=True, kw_only=True)
class Task(Generic[Result]):
    """Work that takes a while.

    Parameters
    ----------
    title : str
        What the user sees.
    quiet : bool
        Not listed in the jobs dock unless it fails.
    front : bool
        Goes before waiting jobs.
    aside : bool
        Long work that the others need not wait for.
    newest : bool
        A newer task of the same key takes its place.
    patience : float
        s that it may run on before a newer one takes its place; meanwhile only the newest of those waits.
    once : bool
        Not begun while an equal one waits or runs.
    """

    kind: ClassVar[JobKind]

    title: str = ""
    quiet: bool = False
    front: bool = False
    aside: bool = False
    newest: bool = False
    patience: float = 0.0
    once: bool = False

    @property
    def of(self) -> int | str:
        """Of which frame (key) or file: one of the two halves of the key."""
        return ""

    @property
    def key(self) -> JobKey:
        """By what the task is known."""
        return JobKey(self.kind, self.of)

    def run(self, session: Session, ctx: JobContext) -> Result:
        """Do the work on the session as it was when the task was begun; touch nothing else."""
        raise NotImplementedError

    def news(self, session: Session, value: Result) -> Outcome:
        """The session now with what there is before all is: of what was told to the context, the last."""
        return session

    def apply(self, session: Session, result: Result) -> Outcome:
        """The session now with what came of the work."""
        raise NotImplementedError

    def stopped(self, session: Session) -> Outcome:
        """The session now that the user has stopped the work."""
        return session

    def failed(self, session: Session, error: BaseException) -> Outcome:
        """The session now without it; the user has been told why."""
        return session


@dataclass(frozen=True, kw_only=True)
class Telling(Task[str]):
    """Work of which the user is told in a sentence, its result: mostly files that are written."""

    aside: bool = True

    def apply(self, session: Session, result: str) -> Session:
        """Say so."""
        return note(session, result)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A new session and what it calls for.

    Parameters
    ----------
    session : Session
    then : tuple of Task and Intent
        Done next, in this order.
    settled : tuple of Intent
        Done as soon as no task waits or runs, but for the judging of a night.
    stop : tuple of JobKey
        Tasks whose result is no longer wanted.
    """

    session: Session
    then: tuple[Task[Any] | Intent, ...] = ()
    settled: tuple[Intent, ...] = ()
    stop: tuple[JobKey, ...] = ()


Outcome = Session | Task[Any] | Change
Plan = Callable[[Session, Any], Outcome]  # (session, intent): what carries it out


def as_change(session: Session, outcome: Outcome) -> Change:
    """What an intent or a task gave, with the session that it leaves."""
    if isinstance(outcome, Session):
        return Change(outcome)
    return outcome if isinstance(outcome, Change) else Change(session, (outcome,))


def slot_of(session: Session, key: int) -> Slot:
    """A frame that is known to be open when a task begins."""
    slot = session.slot(key)
    assert slot is not None
    return slot
