"""Progress, cancellation and threads of a job, without Qt."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Event

from ifuview.errors import JobCancelled

_most = 0  # threads; 0: one for each core


def set_threads(number: int) -> None:
    """Let kernels use at most so many threads from now on; 0: one for each core that this process may use."""
    global _most
    _most = max(int(number), 0)


def threads() -> int:
    """How many threads kernels are spread over."""
    if _most:
        return _most
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


class JobContext:
    """Handed down to long functions, which call `checkpoint` once per fiber, chunk or column block.

    The default does nothing, so that the same functions run headless.

    Parameters
    ----------
    report : callable(float, str), optional
        Receives a fraction from 0 to 1 and what is being done.
    event : threading.Event, optional
        Set by whoever wants the job to stop.
    told : callable(object), optional
        Receives what is there before all is.
    """

    def __init__(
        self,
        report: Callable[[float, str], None] | None = None,
        event: Event | None = None,
        told: Callable[[object], None] | None = None,
    ) -> None:
        self._report = report
        self._event = event or Event()
        self._told = told
        self._start, self._span = 0.0, 1.0

    def __repr__(self) -> str:
        return "JobContext()"  # it stands in the signatures of the documentation

    def cancel(self) -> None:
        """Ask the job to stop at its next checkpoint."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked the job to stop."""
        return self._event.is_set()

    def checkpoint(self, fraction: float = 0.0, text: str = "") -> None:
        """Report progress; raise JobCancelled if the job is to stop."""
        if self._event.is_set():
            raise JobCancelled
        if self._report is not None:
            self._report(self._start + self._span * min(max(fraction, 0.0), 1.0), text)

    def check(self) -> None:
        """Raise JobCancelled if the job is to stop; the progress stays where it is."""
        if self._event.is_set():
            raise JobCancelled

    def tell(self, value: object) -> None:
        """Hand out what is there already; of several only the last may be seen."""
        if self._told is not None:
            self._told(value)

    @property
    def heard(self) -> bool:
        """Whether anybody listens to what there is before all is."""
        return self._told is not None

    def telling(self, told: Callable[[object], None]) -> JobContext:
        """This context, with somebody else who listens to what there is before all is."""
        child = self.part(0.0, 1.0)
        child._told = told
        return child

    def part(self, start: float, stop: float) -> JobContext:
        """A context whose 0..1 is start..stop of this one."""
        child = JobContext(self._report, self._event, self._told)
        child._start = self._start + self._span * start
        child._span = self._span * (stop - start)
        return child


SILENT = JobContext()
