"""The ways into a running window: its door, and SAMP where it is wanted; opened after the first picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer

from ifuview.app.script.words import Script
from ifuview.app.session import Level
from ifuview.errors import IfuviewError, UsageError
from ifuview.gui.outside.door import Done, Door
from ifuview.gui.outside.handle import LOOK_MS
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.script_runner import ScriptRunner

if TYPE_CHECKING:
    from ifuview.gui.outside.console import Console
    from ifuview.gui.outside.samp import SampTalk
    from ifuview.gui.shell.main_window import MainWindow


class Ways:
    """What listens for a window, until it is closed; `end` ends the program."""

    def __init__(self, controller: Controller, window: MainWindow, end: Callable[[], None]) -> None:
        self.controller, self.window, self.end = controller, window, end
        self.door: Door | None = None
        self.samp: SampTalk | None = None
        self.console: Console | None = None
        self._runners: set[ScriptRunner] = set()  # nothing else holds one that waits
        window.closing.connect(self.close)
        try:
            self.door = Door(self._carry_out, window)
        except (OSError, UsageError) as problem:  # a window without a door is still a window
            controller.say(Level.INFO, f"no door for ifuview --send: {problem}")

    def close(self) -> None:
        """Listen no more."""
        if self.door is not None:
            self.door.close()
        self._leave()

    def talk(self, what: str) -> None:
        """Join or leave the SAMP hub, or send something to it."""
        try:
            if what == "leave":
                self._leave()
            elif what == "connect":
                self._join()
            else:
                self._join().send(what)
        except IfuviewError as problem:
            self.controller.say(Level.ERROR, str(problem))

    def open_console(self) -> None:
        """Show the Python console; made the first time."""
        try:
            if self.console is None:
                from ifuview.gui.outside.console import Console

                self.console = Console(self.controller, self.window)
        except IfuviewError as problem:
            self.controller.say(Level.ERROR, str(problem))
            return
        self.console.come()

    def _join(self) -> SampTalk:
        if self.samp is None:
            from ifuview.gui.outside.samp import SampTalk

            self.samp = SampTalk(self.controller)
        return self.samp

    def _leave(self) -> None:
        if self.samp is not None:
            self.samp.close()
            self.samp.deleteLater()
            self.samp = None

    def _carry_out(self, script: Script, done: Done) -> None:
        """The steps of a second command, then its exit code and what went wrong."""
        runner = ScriptRunner(script, self.controller, self.window)
        self._runners.add(runner)

        def ended(code: int | None) -> None:
            if code is None and self.controller.jobs.book.busy:  # what the last step began may still go wrong
                QTimer.singleShot(LOOK_MS, lambda: ended(code))
                return
            done(code or 0, runner.problems)
            self._runners.discard(runner)
            runner.deleteLater()
            if code is not None:
                self.end()

        runner.ended.connect(ended)
        runner.go()
