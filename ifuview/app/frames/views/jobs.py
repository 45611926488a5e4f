"""The jobs in the queue: what runs, how far it is, what became of the others."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.app.jobs import NO_JOBS, JobBook, JobRecord, JobStatus
from ifuview.app.session import Session

WORDS = {
    JobStatus.QUEUED: "waiting",
    JobStatus.RUNNING: "running",
    JobStatus.DONE: "done",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "cancelled",
}
READS_JOBS = True
ACTIVE = (JobStatus.RUNNING, JobStatus.QUEUED)


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as the dock lists it."""

    id: int
    name: str
    text: str
    percent: int
    active: bool
    status: JobStatus


@dataclass(frozen=True, slots=True)
class JobsView:
    """Active jobs first, then those that ended, newest first."""

    rows: tuple[JobRow, ...]

    @property
    def active(self) -> int:
        """How many wait or run."""
        return sum(row.active for row in self.rows)


def inputs(session: Session, jobs: JobBook = NO_JOBS) -> tuple[JobBook]:
    """What the view depends on."""
    return (jobs,)


def make(session: Session, jobs: JobBook = NO_JOBS) -> JobsView:
    """The jobs that the user wants to see: quiet ones only when they failed."""
    seen = [j for j in jobs.records if not j.quiet or j.status is JobStatus.FAILED]
    active = [j for status in ACTIVE for j in seen if j.status is status]
    ended = [j for j in reversed(seen) if j.status not in ACTIVE]
    return JobsView(tuple(_row(j) for j in (*active, *ended)))


def _row(job: JobRecord) -> JobRow:
    """One job in words."""
    word = WORDS[job.status]
    text = f"{word}: {job.text}" if job.text else word
    percent = 100 if job.status is JobStatus.DONE else round(100 * job.fraction)
    return JobRow(job.id, job.name, text, percent, job.status in ACTIVE, job.status)
