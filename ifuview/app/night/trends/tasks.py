"""Tasks of the trends: files with numbers of exposures are read and added to those that are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.intents import Intent, ShowDock
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night import intents as want
from ifuview.app.night.views.trends import beyond_limits
from ifuview.app.session import Level, Session
from ifuview.app.tasks import Change, Outcome, Plan, Task
from ifuview.engine.context import JobContext
from ifuview.model.night.trends import TrendTable, joined

MOST_TOLD = 5  # numbers beyond their limits that are told of

Read = tuple[TrendTable, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class ReadTrends(Task[Read]):
    """The numbers of files and folders."""

    kind: ClassVar[JobKind] = JobKind.TABLES
    paths: tuple[str, ...]

    @property
    def of(self) -> str:
        """The files."""
        return f"trends {' '.join(self.paths)}"

    def run(self, session: Session, ctx: JobContext) -> Read:
        """Read them, and put them beside what is known."""
        from ifuview.io.night.trends import read_trends

        table, notes = read_trends(self.paths, ctx)
        return (table if session.trends is None else joined(session.trends, table)), notes

    def apply(self, session: Session, result: Read) -> Outcome:
        """Show them."""
        table, notes = result
        exposures = len(set(zip(table.night.tolist(), table.exposure.tolist(), strict=True)))
        session = note(session, f"{len(table)} numbers of {exposures} exposures can be followed")
        for text in notes:
            session = note(session, text, Level.WARNING)
        files = tuple(dict.fromkeys((*session.trend_files, *self.paths)))
        session = replace(session, trends=table, trend_files=files)
        for text in beyond_limits(session)[:MOST_TOLD]:
            session = note(session, text, Level.WARNING)
        return Change(session, () if session.headless else (ShowDock("trends"),))


def open_trends(session: Session, intent: want.OpenTrends) -> ReadTrends:
    """Read files."""
    return ReadTrends(title="Numbers of exposures", paths=intent.paths)


TASKS: Mapping[type[Intent], Plan] = {want.OpenTrends: open_trends}
