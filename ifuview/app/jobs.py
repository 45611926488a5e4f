"""Requests for background work and what becomes of them: plain data that any worker can carry out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ifuview.engine.context import JobContext


class JobStatus(StrEnum):
    """Life of a job; the last three are ends, and every job reaches exactly one."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, eq=False)
class JobRequest:
    """One piece of work for the worker.

    Parameters
    ----------
    name : str
        What the user sees ("Open frame-r6", "Inspect fiber 17").
    run : callable(ctx) -> value
        Takes a JobContext; has all its inputs bound; touches no Qt.
    slot : str
        A newer request of the same non-empty slot cancels this one.
    quiet : bool
        Not listed in the jobs dock unless it fails.
    front : bool
        Goes before waiting jobs.
    aside : bool
        Long work that the others need not wait for: it has a thread of its own.
    """

    name: str
    run: Callable[[JobContext], Any]
    slot: str = ""
    quiet: bool = False
    front: bool = False
    aside: bool = False


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What the jobs dock shows of a job."""

    id: int
    name: str
    status: JobStatus = JobStatus.QUEUED
    fraction: float = 0.0
    text: str = ""
    quiet: bool = False
