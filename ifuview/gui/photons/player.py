"""Plays a photon list: a timer that asks for the next step as long as a frame plays."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QTimer

from ifuview.app.photons.intents import ShowNextStep
from ifuview.app.session import Session
from ifuview.gui.shell.controller import Controller


class Player(QObject):
    """Ticks while the session has a frame that plays."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self.controller = controller
        self._key = -1
        self.timer = QTimer(self)
        self.timer.timeout.connect(self._tick)
        controller.store.changed.connect(self._changed)

    def _changed(self, old: Session, new: Session) -> None:
        if new.slots is old.slots:
            return
        slot = next((s for s in new.slots if s.photons is not None and s.photons.playing), None)
        if slot is None:
            self.timer.stop()
            return
        period, self._key = round(1000 / slot.photons.fps), slot.key
        if not self.timer.isActive() or self.timer.interval() != period:
            self.timer.start(period)

    def _tick(self) -> None:
        self.controller.handle(ShowNextStep(self._key))
