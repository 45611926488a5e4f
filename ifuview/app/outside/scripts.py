"""Python scripts against a session without a window; what `ifuview run` runs."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from typing import Any

from ifuview.app import follow
from ifuview.app import intents as want
from ifuview.app.frames.fibers import check_fiber
from ifuview.app.reporting.headless import make_session
from ifuview.app.session import Level, Selection, Session, Slot
from ifuview.app.tasks import Outcome, Task, as_change
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, MissingDataError, UsageError


class HeadlessSession:
    """A session that intents are asked of: tasks are carried out one after the other, here and now."""

    def __init__(self, session: Session, ctx: JobContext = SILENT) -> None:
        self.session, self._ctx = session, ctx

    def __repr__(self) -> str:
        return f"<Headless {self.session}>"

    @property
    def frame(self) -> Slot | None:
        """The current frame."""
        return self.session.slot()

    @property
    def selection(self) -> Selection:
        """What is selected."""
        return self.session.selection

    def ask(self, *intents: want.Intent) -> Session:
        """Carry out intents and all that follows from them; the session then.

        Raises
        ------
        IfuviewError
            One cannot be carried out, and why.
        UsageError
            One needs a window.
        """
        for intent in intents:
            if type(intent) in want.WINDOW:
                raise UsageError(f"{type(intent).__name__} needs a window", "ifuview run", "use ifuview.show")
            self._take(want.carried_out(self.session, intent))
        return self.session

    def select(self, fiber: int | str) -> Session:
        """Select a fiber by its row, or by the instrument's number as text."""
        if isinstance(fiber, str):
            return self.ask(want.FindFiber(fiber))
        return self.ask(want.SelectFiber(check_fiber(self.session, fiber)))

    def save(self, what: str, path: str) -> Session:
        """Save the "spectra" of the selected fibers, the "fibers" or the "findings", or a "report"."""
        return self.ask(want.ExportReport(path) if what == "report" else want.SaveTable(what, path))

    def _take(self, outcome: Outcome) -> None:
        change = as_change(self.session, outcome)
        tasks = follow.after(self.session, change.session)
        self.session = change.session
        for item in (*tasks, *change.then):
            if isinstance(item, Task):
                self._take(item.apply(self.session, item.run(self.session, self._ctx)))
            elif type(item) not in want.WINDOW:
                self.ask(item)
        self.ask(*change.settled)


def run_script(script: str, files: Sequence[str], words: Sequence[str] = (), ctx: JobContext = SILENT) -> int:
    """Run a Python script with `viewer`, `session`, `frame`, `selection` and `args` in its names.

    Parameters
    ----------
    script : str
        It is a program of its user: it may do what any program may.
    files : sequence of str
        Opened before, as the window would; the first is the current frame.
    words : sequence of str
        `sys.argv[1:]` of the script.

    Returns
    -------
    int
        Exit code that the script asks for; 1 after an exception, which is printed.

    Raises
    ------
    IfuviewError
        There is no such script, or a file cannot be opened.
    """
    if not os.path.isfile(script):
        raise MissingDataError("there is no such script", script)
    viewer = HeadlessSession(make_session(files, ctx=ctx.part(0.0, 0.5)) if files else Session(headless=True), ctx)
    names: dict[str, Any] = {
        "viewer": viewer, "session": viewer.session, "frame": viewer.frame, "selection": viewer.selection,
        "args": list(words),
    }  # fmt: skip
    before = sys.argv
    sys.argv = [script, *words]
    try:
        runpy.run_path(script, init_globals=names, run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as problem:
        _print(problem, script)
        return 1
    finally:
        sys.argv = before
    return _worst(viewer.session)


def _print(problem: Exception, script: str) -> None:
    """The traceback from the script on, or one sentence for what the program refused."""
    import traceback

    lines = traceback.TracebackException.from_exception(problem)
    own = [n for n, frame in enumerate(lines.stack) if frame.filename == script]
    lines.stack = traceback.StackSummary.from_list(lines.stack[own[0] :] if own else lines.stack)
    if isinstance(problem, IfuviewError):
        where = f"{script}:{lines.stack[0].lineno}: " if own else ""
        print(f"ifuview: {where}{problem}", file=sys.stderr)
    else:
        print("".join(lines.format()), end="", file=sys.stderr)


def _worst(session: Session) -> int:
    """0, or 1 where something went wrong on the way."""
    return int(any(m.level is Level.ERROR for m in session.messages))
