"""Work away from the window and what becomes of it: requests, records and the book of both; plain data.

2026-11: the book is no part of the Session. Progress changes ten times a second and nothing of the science follows
from it; in the Session every step of it drew the whole window's inputs anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from ifuview.engine.context import JobContext

KEEP_JOBS = 50  # ended jobs that are still listed


class JobStatus(StrEnum):
    """Life of a job; the last three are ends, and every job reaches exactly one."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDS = (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


class JobKind(StrEnum):
    """What a job is for; by its kind and what it is of a job is known, never by its title."""

    OPEN = "open"
    RESTORE = "restore"
    MEASURE = "measure"
    CONTOURS = "contours"
    PYRAMID = "pyramid"
    LIMITS = "limits"
    REGIONS = "regions"
    MASK = "mask"
    SKY = "sky"
    COMBINE = "combine"
    DEMO = "demo"
    REPORT = "report"
    INSPECT = "inspect"
    GATHER = "gather"
    RANGE = "range"
    FOLLOW_RANGE = "follow range"
    RUNNING = "running sums"
    TABLES = "tables"
    ARM = "arm"
    TRACES = "traces"
    DETECTOR = "detector"  # where spectra lie on it
    DIAGNOSE = "diagnose"
    JUDGE = "judge"
    FOLDER = "folder"
    COMPARED = "compared"
    LOOK_AGAIN = "look again"
    PRODUCT = "product"
    TRIAGE = "triage"
    VERDICT = "verdict"
    REDUCE = "reduce"
    PHOTONS = "photons"
    INDEX = "index"
    COUNT = "count"
    PLAY = "play"
    LIGHT = "light"
    CALIBRATION = "calibration"
    STACK = "stack"
    OTHER_WAY = "other way"
    SOLUTION = "solution"
    SPECKLE = "speckle"
    LUCKY = "lucky"
    SAVE = "save"
    VIEW = "view"  # what a dock shows and its view cannot make quickly
    HOVER = "hover"
    REGION = "region"  # in the hand
    WARM_UP = "warm up"


@dataclass(frozen=True, slots=True)
class JobKey:
    """What a job is: its kind, and of which frame (key), file or dock."""

    kind: JobKind
    of: int | str = ""


@dataclass(frozen=True, slots=True, eq=False)
class JobRequest:
    """One piece of work for the worker.

    Parameters
    ----------
    name : str
        What the user sees ("Open frame-r6", "Inspect fiber 17").
    run : callable(ctx) -> value
        Takes a JobContext; has all its inputs bound; touches no Qt.
    key : JobKey
    newest : bool
        A newer request of the same key cancels this one.
    quiet : bool
        Not listed in the jobs dock unless it fails.
    front : bool
        Goes before waiting jobs.
    aside : bool
        Long work that the others need not wait for: it has a thread of its own.
    """

    name: str
    run: Callable[[JobContext], object]
    key: JobKey
    newest: bool = False
    quiet: bool = False
    front: bool = False
    aside: bool = False


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What is known of a job."""

    id: int
    name: str
    key: JobKey
    status: JobStatus = JobStatus.QUEUED
    fraction: float = 0.0
    text: str = ""
    quiet: bool = False

    @property
    def active(self) -> bool:
        """Whether the job waits or runs."""
        return self.status not in ENDS


# what nobody waits for: it goes on by itself, for minutes
BACKGROUND = frozenset((JobKind.WARM_UP, JobKind.JUDGE, JobKind.VERDICT, JobKind.TRIAGE, JobKind.INDEX))


@dataclass(frozen=True, slots=True)
class JobBook:
    """All jobs that wait or run, and those that ended last; the oldest first."""

    records: tuple[JobRecord, ...] = ()

    def begun(self, record: JobRecord) -> JobBook:
        """The book with one more job; quiet ones that ended and the oldest others are forgotten."""
        ended = [r for r in self.records if not r.active]
        drop = {r.id for r in ended if r.quiet} | {r.id for r in ended[:-KEEP_JOBS]}
        return JobBook((*(r for r in self.records if r.id not in drop), record))

    def told(self, ident: int, status: JobStatus, fraction: float = 0.0, text: str = "") -> JobBook:
        """The book with news of a job."""
        return JobBook(
            tuple(replace(r, status=status, fraction=fraction, text=text) if r.id == ident else r for r in self.records)
        )

    @property
    def busy(self) -> bool:
        """Whether anything is being worked out that was asked for."""
        return any(r.active and r.key.kind not in BACKGROUND for r in self.records)

    def active(self, key: JobKey) -> JobRecord | None:
        """The job of a key that waits or runs; the newest if there are several."""
        return next((r for r in reversed(self.records) if r.key == key and r.active), None)


NO_JOBS = JobBook()
