"""The background thread: a queue of jobs, each with exactly one end signal.

2026-11: jobs that are `aside` (the index of a photon list, seconds to minutes) have a second thread, so that the
window's wishes need not wait for them.
"""

from __future__ import annotations

import gc
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from threading import Condition, Lock, Thread

from PyQt6.QtCore import QObject, QThread, QTimer, pyqtSignal

from ifuview.app.jobs import JobKey, JobRequest
from ifuview.engine.context import JobContext
from ifuview.errors import JobCancelled, told

PROGRESS_PERIOD = 0.1  # s, at most this often a job's progress is signalled
PATIENCE = 2.0  # s, how long a job may take to notice that the window is closed
COLLECT_MS = 25  # between two looks at how much garbage there may be; more of it stalls the window when its turn comes
GC_THRESHOLDS = (20_000, 20, 20)  # objects, and rounds of the younger ones, until the next round
SWITCH_INTERVAL = 0.002  # s, how long Python code on the worker may keep the interpreter from the window


class Failure:
    """Why a job failed: one sentence for the user, the trace back for the log."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.text = told(error)
        self.detail = "".join(traceback.format_exception(error))


_UNENDED: list[QThread] = []  # workers that were left to the end of the process


class Collector(QTimer):
    """Collects garbage on the thread of the window alone, as often as Python would.

    Python collects on whatever thread makes the most objects. A timer or widget of Qt that is garbage is then deleted
    by a thread that does not own it, perhaps while the window runs it, which ends the process.

    In a notebook (`only_held`) that is so only while a job of ours runs (`held`): a cell that computes without our
    events would else have no garbage collected at all. Threads of the notebook itself are not reached by this.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.setInterval(COLLECT_MS)
        self.timeout.connect(self._look)
        self._before = gc.isenabled()
        self._jobs, self._lock = 0, Lock()  # that are held
        self._only_held = False

    def begin(self, *, only_held: bool = False) -> None:
        """Take over; until `end` nothing is collected by itself, or only nothing while jobs run."""
        self._only_held = only_held
        if not only_held:
            gc.disable()
        self.start()

    @contextmanager
    def held(self) -> Iterator[None]:
        """While a job runs on another thread, that collects nothing."""
        with self._lock:
            self._jobs += 1
            if self._only_held:
                gc.disable()
        try:
            yield
        finally:
            with self._lock:
                self._jobs -= 1
                if self._only_held and not self._jobs and self._before:
                    gc.enable()

    def end(self) -> None:
        """Leave it to Python again, if it was when this was made."""
        if self.isActive():
            self.stop()
            with self._lock:
                self._only_held = False
            if self._before:
                gc.enable()

    def _look(self) -> None:
        if gc.isenabled():
            return
        due = [count > limit for count, limit in zip(gc.get_count(), GC_THRESHOLDS, strict=True)]
        if due[0]:
            gc.collect(2 if all(due) else 1 if due[1] else 0)


class Worker(QThread):
    """Carries out JobRequests one after the other, away from the window's thread."""

    began = pyqtSignal(int)
    progressed = pyqtSignal(int, float, str)
    told = pyqtSignal(int, object)  # what is there before all is
    done = pyqtSignal(int, object)
    failed = pyqtSignal(int, object)  # Failure
    cancelled = pyqtSignal(int)

    def __init__(self, during: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """`during`: makes what surrounds each job."""
        super().__init__()
        self.setObjectName("ifuview worker")
        self._during = during
        self._queue: deque[tuple[int, JobRequest, JobContext]] = deque()
        self._wake = Condition()
        self._contexts: dict[int, JobContext] = {}
        self._current: dict[JobKey, int] = {}  # the newest of each key
        self._last_id = 0
        self._quit = False
        self._aside: deque[tuple[int, JobRequest, JobContext]] = deque()
        self._helper: Thread | None = None  # carries out what is aside
        sys.setswitchinterval(SWITCH_INTERVAL)

    # called from the window's thread

    def submit(self, request: JobRequest) -> int:
        """Queue a job and return its id; an older one of the same key is cancelled if the newest is wanted."""
        self._last_id += 1
        ident = self._last_id
        context = JobContext(self._reporter(ident), told=partial(self.told.emit, ident))
        with self._wake:
            if request.newest:
                self._cancel(self._current.get(request.key))
                self._current[request.key] = ident
            self._contexts[ident] = context
            item = (ident, request, context)
            if request.aside:
                self._aside.append(item)
                self._start_helper()
            elif request.front:
                self._queue.appendleft(item)
            else:
                self._queue.append(item)
            self._wake.notify_all()
        return ident

    def cancel(self, ident: int | None = None) -> None:
        """Cancel one job, or all of them; a waiting job ends without being started."""
        with self._wake:
            for one in [ident] if ident is not None else list(self._contexts):
                self._cancel(one)

    def waits(self, ident: int) -> bool:
        """Whether a job has not been begun yet."""
        with self._wake:
            return any(item[0] == ident for item in (*self._queue, *self._aside))

    def is_current(self, ident: int, key: JobKey) -> bool:
        """Whether no newer job took the place of this one."""
        return self._current.get(key) == ident

    def shut_down(self, patience: float | None = None) -> bool:
        """Cancel everything and wait for the threads to end, at most `patience` seconds; return whether they did."""
        with self._wake:
            self._quit = True
            for context in self._contexts.values():
                context.cancel()
            self._wake.notify_all()
            helper = self._helper
        until = None if patience is None else time.monotonic() + patience
        ended = self.wait() if patience is None else self.wait(round(1000 * patience))
        if helper is not None:
            helper.join(None if until is None else max(until - time.monotonic(), 0.0))
            ended = ended and not helper.is_alive()
        if not ended:
            _UNENDED.append(self)  # Qt aborts if the object of a running thread is collected
        return ended

    def _cancel(self, ident: int | None) -> None:
        context = self._contexts.get(ident) if ident is not None else None
        if context is not None:
            context.cancel()

    def _start_helper(self) -> None:
        if self._helper is None:
            self._helper = Thread(target=self._run_aside, name="ifuview aside", daemon=True)
            self._helper.start()

    # the worker's own threads

    def run(self) -> None:
        """Take jobs until told to stop."""
        while True:
            with self._wake:
                while not self._queue and not self._quit:
                    self._wake.wait()
                if not self._queue:
                    return
                ident, request, context = self._queue.popleft()
            self._carry_out(ident, request, context)

    def _run_aside(self) -> None:
        """Take jobs that are aside until told to stop; the thread stays, with what its jobs keep in memory."""
        while True:
            with self._wake:
                while not self._aside and not self._quit:
                    self._wake.wait()
                if not self._aside:
                    return
                item = self._aside.popleft()
            self._carry_out(*item)

    def _carry_out(self, ident: int, request: JobRequest, context: JobContext) -> None:
        signal = self.cancelled
        value: tuple[object, ...] = ()
        try:
            context.checkpoint()
            self.began.emit(ident)
            with self._during():
                value = (request.run(context),)
            context.checkpoint(1.0)
            signal = self.done
        except JobCancelled:
            value = ()
        except Exception as error:  # the worker must live on whatever a job does
            signal, value = self.failed, (Failure(error),)
        with self._wake:
            self._contexts.pop(ident, None)
        signal.emit(ident, *value)

    def _reporter(self, ident: int) -> Callable[[float, str], None]:
        last = [0.0]

        def report(fraction: float, text: str) -> None:
            now = time.monotonic()
            if now - last[0] >= PROGRESS_PERIOD:
                last[0] = now
                self.progressed.emit(ident, fraction, text)

        return report
