"""Looks again at a folder that is watched, every few seconds."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QTimer

from ifuview.app.night.intents import LookAgain
from ifuview.app.session import Session
from ifuview.gui.shell.controller import Controller

WATCH_MS = 3000  # between two looks


class Watcher(QObject):
    """Ticks while the session has a night that is watched."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self.timer = QTimer(self)
        self.timer.timeout.connect(lambda: controller.handle(LookAgain()))
        controller.store.changed.connect(self._changed)

    def _changed(self, old: Session, new: Session) -> None:
        if new.night is old.night:
            return
        watched = new.night is not None and new.night.watched
        if watched and not self.timer.isActive():
            self.timer.start(WATCH_MS)
        elif not watched:
            self.timer.stop()
