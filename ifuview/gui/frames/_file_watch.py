"""Looks at the files that are shown, every few seconds, and tells when another program wrote into one."""

from __future__ import annotations

import os

from PyQt6.QtCore import QObject, QTimer

from ifuview.app.frames.intents import FileChanged
from ifuview.app.session import Session
from ifuview.files import size_and_time
from ifuview.gui.shell.controller import Controller
from ifuview.model.dataset import Dataset

LOOK_MS = 1500  # between two looks


class FileWatch(QObject):
    """Ticks while frames show files; photon lists may grow, and follow their files themselves."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._seen: dict[str, tuple[Dataset, object]] = {}  # by path: what was read, state of the file then
        self.timer = QTimer(self)
        self.timer.setInterval(LOOK_MS)
        self.timer.timeout.connect(self.look)
        controller.store.changed.connect(self._changed)

    def _changed(self, old: Session, new: Session) -> None:
        if new.slots is old.slots:
            return
        shown = {s.dataset.path: s.dataset for s in new.slots if s.photons is None and s.made_of is None}
        before, self._seen = self._seen, {}
        for path, dataset in shown.items():
            known = before.get(path)
            if known is not None and known[0] is dataset:
                self._seen[path] = known
            elif os.path.isfile(path):
                self._seen[path] = (dataset, size_and_time(path))
        if bool(self._seen) != self.timer.isActive():
            self.timer.start() if self._seen else self.timer.stop()

    def look(self) -> None:
        """Tell of the files that are no longer as they were read; one that is gone is still shown as it was."""
        for path, (dataset, state) in tuple(self._seen.items()):
            now = size_and_time(path)
            if now is not None and now != state:
                self._seen[path] = (dataset, now)
                self._controller.handle(FileChanged(path))
