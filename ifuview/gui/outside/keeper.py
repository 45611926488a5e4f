"""Keeps the session while the program runs, offers the one that a crash left behind, saves one where it is asked to."""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Callable
from dataclasses import replace
from queue import SimpleQueue
from threading import Thread
from typing import Any

from PyQt6.QtCore import QByteArray, QObject, QTimer

from ifuview.app import intents as want
from ifuview.app.desk import Desk
from ifuview.app.jobs import JobKind
from ifuview.app.saved import left
from ifuview.app.saved.keep import kept
from ifuview.app.saved.left import Offered
from ifuview.app.saved.state import Saved
from ifuview.app.session import Level
from ifuview.errors import IfuviewError
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.main_window import MainWindow
from ifuview.gui.window.offer import Offer

PAUSE_MS = 2000  # at most this often, and so much may be lost
PATIENCE = 2.0  # s, that the end of the program waits for the last writing


class _Writer:
    """Carries out one thing after the other on a thread of its own; a disk that does not answer holds nobody up."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def start(self, call: Callable[[], None]) -> None:
        """Have it called, when what was asked for before is done."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="ifuview keeper", daemon=True)
            self._thread.start()
        self._calls.put(call)

    def end(self, patience: float) -> bool:
        """Take no more; whether all was done within `patience` s."""
        if self._thread is None:
            return True
        self._calls.put(None)
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


class Keeper(QObject):
    """Writes the session of this process a moment after it has changed; its file goes when the window is closed."""

    def __init__(self, controller: Controller, window: MainWindow) -> None:
        super().__init__(controller)
        self.controller, self.window = controller, window
        self._last: Saved | None = None
        self._problem = ""
        self._writer = _Writer()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PAUSE_MS)
        self._soon.timeout.connect(self.keep)
        self._offer: Offer | None = None

    # while the program runs

    def begin(self, offered: Offered | None = None) -> None:
        """From now on keep what changes, and offer what was left behind."""
        self.controller.store.changed.connect(lambda *_: self._soon.isActive() or self._soon.start())
        self.controller.ended.connect(self._restored)
        self._soon.start()
        if offered is not None:
            self._show(offered)

    def keep(self) -> None:
        """Write what is new; the window does not wait for the disk."""
        saved = self.saved()
        if self._last is not None and replace(saved, time=self._last.time) == self._last:
            return
        if not (saved.frames or saved.night):
            if self._last is not None:
                self._last = None
                self._writer.start(lambda: left.forget(left.own()))
            return
        self._last = saved
        self._writer.start(lambda: self._write(saved))

    def end(self) -> None:
        """The program is closed: nothing is left behind, unless the disk does not answer."""
        self._soon.stop()
        self._soon.blockSignals(True)
        if not self._writer.end(PATIENCE):
            text = f"ifuview: the disk did not answer in {PATIENCE:g} s; the kept session may still lie at {left.own()}"
            print(text, file=sys.stderr)
            return
        if self._last is not None:
            left.forget(left.own())

    def _write(self, saved: Saved) -> None:
        try:
            left.keep(saved)
        except (OSError, IfuviewError) as problem:
            if not self._problem:
                self._problem = f"the session is not kept for the case of a crash: {problem}"
                QTimer.singleShot(0, self.window, lambda: self.controller.say(Level.WARNING, self._problem))

    def saved(self) -> Saved:
        """The session and the layout of the panels now."""
        area = self.window.dock_area
        area.remember()
        desk = "" if area.desk is None else area.desk.value
        state = area.desks.get(desk)
        panels = "" if state is None else base64.b64encode(state.data()).decode()
        return kept(self.controller.session, desk, panels)

    # what was asked for

    def save(self, intent: want.SaveSession) -> None:
        """Write the session where the user wants it."""
        from ifuview.app.saved.restore import Keep

        slots = self.controller.store.session.slots
        self.controller.begin(Keep(title=f"Save {intent.path}", path=intent.path, saved=self.saved(), slots=slots))

    def arrange(self, intent: want.ShowPanels) -> None:
        """The panels as they were."""
        area = self.window.dock_area
        try:
            state = QByteArray(base64.b64decode(intent.state, validate=True))
        except (binascii.Error, ValueError):
            state = QByteArray()
        if intent.desk in tuple(Desk):
            area.restore(Desk(intent.desk), state)

    # what was left behind

    def _show(self, offered: Offered) -> None:
        self._offer = Offer(offered.words, "Restore", "Forget")
        self._offer.accepted.connect(lambda: self.controller.handle(want.RestoreSession(offered.path)))
        self._offer.declined.connect(lambda: left.forget(offered.path))
        self.window.add_strip(self._offer)

    def _restored(self, task: Any, well: bool) -> None:
        """What a crash left behind is taken over: the session of this process keeps it from now on."""
        if task.kind is JobKind.RESTORE and well and task.of in left.left():
            left.forget(task.of)
            self.keep()
