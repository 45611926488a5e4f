"""Which panels come by themselves: those of the task when its data are opened, the light with the first pixel."""

from __future__ import annotations

from PyQt6.QtCore import QObject

from ifuview.app import desk
from ifuview.app.frames.intents import Intent, ShowDock
from ifuview.app.session import Session
from ifuview.gui.shell.controller import Controller
from ifuview.gui.window.dock_area import DockArea

OF_PHOTONS = ("light", "speckle")


class Habits(QObject):
    """Follows the session and arranges the panels."""

    def __init__(self, controller: Controller, area: DockArea) -> None:
        super().__init__(controller)
        self.controller, self.area = controller, area
        self._raised = False  # the light
        self._wanted: set[str] = set()  # panels asked for since the desk was laid
        controller.shell.connect(self._asked)
        controller.store.changed.connect(self._changed)

    def _asked(self, intent: Intent) -> None:
        """Who asked for the light has seen it; who asked for speckles clicks for them."""
        if isinstance(intent, ShowDock) and intent.front:
            (self._wanted.add if intent.on else self._wanted.discard)(intent.key)
        if isinstance(intent, ShowDock) and intent.on and intent.key in OF_PHOTONS:
            self._raised = True

    def _changed(self, old: Session, new: Session) -> None:
        if desk.task(new) != desk.task(old) and (new.slots or new.night is not None):
            self.area.arrange(desk.suited(new))
            panels = desk.by_data(new)
            for key, on in panels.items():
                self.area.show(key, on, front=False)  # the desk has its own in front
            self.area.fill_front(key for key, on in panels.items() if on)
            while self._wanted:  # what was asked for stays on another desk
                self.area.show(self._wanted.pop(), True)
        elif _folder(new) != _folder(old):
            self.area.rest()
        self.area.wake()
        if self._raised or new.selection is old.selection or new.selection.x is None:
            return
        slot = new.slot()
        if slot is not None and slot.photons is not None:  # the first pixel that is clicked shows its light
            self.controller.handle(ShowDock("light"))


def _folder(session: Session) -> str:
    """Of the night that is open."""
    return "" if session.night is None else session.night.index.folder
