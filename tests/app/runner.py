"""Carries out intents without a window: tasks one after the other, here and now, as the controller does in jobs."""

from __future__ import annotations

from typing import Any

from ifuview.app import follow
from ifuview.app import intents as want
from ifuview.app.messages import note
from ifuview.app.session import Level, Session
from ifuview.app.tasks import Outcome, Task, as_change
from ifuview.engine.context import SILENT
from ifuview.errors import IfuviewError


class Runner:
    """A session, the tasks that were carried out, and what only a window could do."""

    def __init__(self, session: Session | None = None) -> None:
        self.session = session or Session(judges=False)
        self.done: list[Task[Any]] = []
        self.window: list[want.Intent] = []

    def ask(self, *intents: want.Intent) -> Session:
        """Carry out intents and all that follows from them."""
        for intent in intents:
            if type(intent) in want.WINDOW:
                self.window.append(intent)
            else:
                self._take(want.carried_out(self.session, intent))
        return self.session

    def _take(self, outcome: Outcome) -> None:
        change = as_change(self.session, outcome)
        tasks = follow.after(self.session, change.session)
        self.session = change.session
        for item in (*tasks, *change.then):
            if isinstance(item, Task):
                self._carry_out(item)
            else:
                self.ask(item)
        self.ask(*change.settled)

    def _carry_out(self, task: Task[Any]) -> None:
        self.done.append(task)
        try:
            value = task.run(self.session, SILENT)
        except IfuviewError as error:
            self.session = note(self.session, str(error), Level.ERROR)
            self._take(task.failed(self.session, error))
        else:
            self._take(task.apply(self.session, value))

    def said(self) -> list[str]:
        """What the user was told."""
        return [message.text for message in self.session.messages]
