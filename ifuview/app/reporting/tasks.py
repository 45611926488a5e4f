"""The task that writes the report of what is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ifuview.app.frames.intents import ExportReport, Intent
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.session import Session
from ifuview.app.tasks import Outcome, Plan, Task
from ifuview.engine.context import JobContext


@dataclass(frozen=True, kw_only=True)
class WriteReport(Task[str]):
    """The report of the current frame and selection."""

    kind: ClassVar[JobKind] = JobKind.REPORT
    path: str

    def run(self, session: Session, ctx: JobContext) -> str:
        """Write, and say where."""
        from ifuview.app.reporting.headless import write_report

        return write_report(session, self.path, ctx)

    def apply(self, session: Session, result: str) -> Session:
        """Say so."""
        return note(session, f"Report written to {result}")


def export_report(session: Session, intent: ExportReport) -> Outcome:
    """Write the report."""
    return WriteReport(title=f"Report {intent.path}", path=intent.path)


TASKS: Mapping[type[Intent], Plan] = {ExportReport: export_report}
