"""Inward road: an intent becomes a new session at once, or a task whose result becomes one. The runner of all tasks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from ifuview.app import follow
from ifuview.app import intents as want
from ifuview.app.jobs import JobKey, JobKind, JobRecord, JobRequest, JobStatus
from ifuview.app.messages import note
from ifuview.app.session import Level, Session
from ifuview.app.tasks import Outcome, Task, as_change
from ifuview.errors import IfuviewError
from ifuview.gui.shell.job_board import JobBoard
from ifuview.gui.shell.store import Store
from ifuview.gui.shell.worker import Failure, Worker

After = Callable[[Any], None]
NEWS_MS = 100  # at most this often what jobs have so far changes the session


@dataclass(slots=True)
class Pending:
    """A job that waits or runs: of a task, or of a part of the window (`after` gets its value)."""

    request: JobRequest
    task: Task[Any] | None = None
    after: After | None = None
    since: float = field(default_factory=time.monotonic)


class Controller(QObject):
    """Turns intents into sessions and tasks into jobs; the only writer of the store."""

    settled = pyqtSignal()  # no job is waiting or running
    shell = pyqtSignal(object)  # intents that only the window can carry out
    said = pyqtSignal(object)  # Message
    ended = pyqtSignal(object, bool)  # a Task, and whether it was done

    def __init__(self, store: Store, worker: Worker) -> None:
        super().__init__()
        self.store, self.worker, self.jobs = store, worker, JobBoard()
        self.follows = True  # what a new session makes necessary is begun
        self._pending: dict[int, Pending] = {}
        self._waiting: dict[JobKey, Task[Any]] = {}  # newest wishes, while what was wished before has its time
        self._when_settled: list[Callable[[], None]] = []
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self._try_again)
        self._news: dict[int, Any] = {}  # of jobs that run, the last of each
        self._telling = QTimer(self)
        self._telling.setSingleShot(True)
        self._telling.setInterval(NEWS_MS)
        self._telling.timeout.connect(self._tell)
        worker.began.connect(self._began)
        worker.progressed.connect(self._progressed)
        worker.told.connect(self._told)
        worker.done.connect(self._done)
        worker.failed.connect(self._failed)
        worker.cancelled.connect(self._cancelled)

    @property
    def session(self) -> Session:
        """The session now."""
        return self.store.session

    @property
    def busy(self) -> bool:
        """Whether any job is waiting or running."""
        return bool(self._pending)

    # intents

    def handle(self, intent: want.Intent) -> None:
        """Carry out one intent."""
        if isinstance(intent, want.CancelJob):
            self._cancel(intent.id)
        elif type(intent) in want.WINDOW:
            self.shell.emit(intent)
        else:
            self._attempt(lambda: self.take(want.carried_out(self.session, intent)))

    def take(self, outcome: Outcome) -> None:
        """Put the session of an outcome into the store; begin what it calls for and what follows from it."""
        old = self.session
        change = as_change(old, outcome)
        self.store.put(change.session)
        for message in change.session.messages[len(old.messages) :]:
            self.said.emit(message)
        for key in change.stop:
            self._stop(key)
        for item in (*(follow.after(old, change.session) if self.follows else ()), *change.then):
            if isinstance(item, Task):
                self.begin(item)
            else:
                self.handle(item)
        for intent in change.settled:
            self.when_settled(partial(self.handle, intent))

    def follow(self) -> None:
        """From now on begin what new frames need; those that are there already are new."""
        self.follows = True
        for task in follow.after(Session(), self.session):
            self.begin(task)

    def say(self, level: Level, text: str, detail: str = "") -> None:
        """Put a message where the user sees it; the shell writes it into the log."""
        self.take(note(self.session, text, level, detail))

    def _attempt(self, call: Callable[[], None]) -> bool:
        """Do something that the user may have to be told of; whether it went well."""
        try:
            call()
        except IfuviewError as error:
            self.say(Level.ERROR, str(error))
            return False
        return True

    # tasks

    def begin(self, task: Task[Any]) -> None:
        """Queue a task on the session of now; a task of the same key may have to give way, or be given its time."""
        if task.once and any(p.task == task for p in self._pending.values()):
            return
        earlier = self._begun(task.key) if task.newest else None
        if earlier is not None:
            left = earlier.since + task.patience - time.monotonic()
            if left > 0:
                self._waiting[task.key] = task
                if math.isfinite(left):
                    self._patience.start(math.ceil(1000 * left))
                return
        self._waiting.pop(task.key, None)
        request = JobRequest(
            task.title, partial(task.run, self.session), task.key, newest=task.newest, quiet=task.quiet,
            front=task.front, aside=task.aside,
        )  # fmt: skip
        self._queue(Pending(request, task))

    def submit(self, request: JobRequest, after: After | None = None) -> None:
        """Queue a job of a part of the window; `after` gets its value on this thread."""
        self._queue(Pending(request, after=after))

    def when_settled(self, call: Callable[[], None]) -> None:
        """Call once, as soon as no job waits or runs."""
        self._when_settled.append(call)
        if not self._pending:
            self._check_settled()

    def _queue(self, pending: Pending) -> None:
        request = pending.request
        ident = self.worker.submit(request)
        self._pending[ident] = pending
        self.jobs.put(self.jobs.book.begun(JobRecord(ident, request.name, request.key, quiet=request.quiet)))

    def _begun(self, key: JobKey) -> Pending | None:
        """The newest job of a key, if it runs or has ended: the worker knows that before its signals come."""
        record = self.jobs.book.active(key)
        return None if record is None or self.worker.waits(record.id) else self._pending.get(record.id)

    def _try_again(self) -> None:
        """The time of what was wished before is over."""
        for task in tuple(self._waiting.values()):
            self.begin(task)

    def _stop(self, key: JobKey) -> None:
        """What was wished under a key is wished no more."""
        self._waiting.pop(key, None)
        record = self.jobs.book.active(key)
        if record is not None:
            self.worker.cancel(record.id)

    def _cancel(self, ident: int | None) -> None:
        """The user wants one job, or all, to end, and is told what ends."""
        pending = [self._pending[ident]] if ident in self._pending else []
        ended = pending if ident is not None else list(self._pending.values())
        for one in ended:
            self._waiting.pop(one.request.key, None)
        self.worker.cancel(ident)
        if names := [one.request.name for one in ended if not one.request.quiet]:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            self.say(Level.INFO, f"stopped: {names[0]}{more}")

    # from the worker

    def _began(self, ident: int) -> None:
        self._progressed(ident, 0.0, "")

    def _progressed(self, ident: int, fraction: float, text: str) -> None:
        self.jobs.put(self.jobs.book.told(ident, JobStatus.RUNNING, fraction, text))

    def _told(self, ident: int, value: Any) -> None:
        """A job has something already: kept until it is time to show it."""
        self._news[ident] = value
        if not self._telling.isActive():
            self._telling.start()

    def _tell(self) -> None:
        """The session with what jobs have so far."""
        news, self._news = self._news, {}
        for ident, value in news.items():
            pending = self._pending.get(ident)
            if pending is None or (task := pending.task) is None:
                continue
            if not task.newest or self.worker.is_current(ident, task.key):
                self._attempt(lambda task=task, value=value: self.take(task.news(self.session, value)))

    def _over(self, ident: int, status: JobStatus, fraction: float = 0.0, text: str = "") -> Pending | None:
        """A job ended: what waited for it begins; the job, unless a newer one took its place."""
        pending = self._pending.pop(ident)
        request = pending.request
        self.jobs.put(self.jobs.book.told(ident, status, fraction, text))
        if request.newest and not self.worker.is_current(ident, request.key):
            return None
        waiting = self._waiting.get(request.key)
        if waiting is not None:
            self.begin(waiting)  # worked out while what has come is drawn
        return pending

    def _done(self, ident: int, value: Any) -> None:
        pending = self._over(ident, JobStatus.DONE, 1.0)
        if pending is not None and pending.after is not None:
            pending.after(value)
        if pending is not None and (task := pending.task) is not None:
            self.ended.emit(task, self._attempt(lambda: self.take(task.apply(self.session, value))))
        self._check_settled()

    def _failed(self, ident: int, failure: Failure) -> None:
        pending = self._over(ident, JobStatus.FAILED, text=failure.text)
        if pending is not None:
            self.say(Level.ERROR, failure.text, "" if isinstance(failure.error, IfuviewError) else failure.detail)
            if pending.task is not None:
                self.take(pending.task.failed(self.session, failure.error))
                self.ended.emit(pending.task, False)
        self._check_settled()

    def _cancelled(self, ident: int) -> None:
        pending = self._over(ident, JobStatus.CANCELLED)
        if pending is not None and pending.task is not None:
            self.take(pending.task.stopped(self.session))
            self.ended.emit(pending.task, False)
        self._check_settled()

    def _check_settled(self) -> None:
        if not self._pending:
            self.settled.emit()
        if all(pending.request.key.kind is JobKind.VERDICT for pending in self._pending.values()):
            waiting, self._when_settled = self._when_settled, []
            for call in waiting:
                call()
