"""The task that writes the report of what is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ifuview.app.frames.intents import ExportReport, Intent, SaveTable
from ifuview.app.jobs import JobKind
from ifuview.app.session import Session
from ifuview.app.tasks import Outcome, Plan, Telling
from ifuview.engine.context import JobContext


@dataclass(frozen=True, kw_only=True)
class WriteReport(Telling):
    """The report of the current frame and selection."""

    kind: ClassVar[JobKind] = JobKind.REPORT
    path: str

    def run(self, session: Session, ctx: JobContext) -> str:
        """Write, and say where."""
        from ifuview.app.reporting.headless import write_report

        return f"Report written to {write_report(session, self.path, ctx)}"


@dataclass(frozen=True, kw_only=True)
class WriteTable(Telling):
    """Spectra, fibers or findings as a table."""

    kind: ClassVar[JobKind] = JobKind.REPORT
    what: str
    path: str

    def run(self, session: Session, ctx: JobContext) -> str:
        """Write, and say where."""
        from ifuview.app.reporting.tables import save_table

        return save_table(session, self.what, self.path)


def write_table(session: Session, intent: SaveTable) -> Outcome:
    """Write the table."""
    return WriteTable(title=f"Save {intent.path}", what=intent.what, path=intent.path)


def export_report(session: Session, intent: ExportReport) -> Outcome:
    """Write the report."""
    return WriteReport(title=f"Report {intent.path}", path=intent.path)


TASKS: Mapping[type[Intent], Plan] = {ExportReport: export_report, SaveTable: write_table}
