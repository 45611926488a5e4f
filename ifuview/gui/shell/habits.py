"""Which docks come and go by themselves: those of fibers with fibers, the light with the first pixel of photons."""

from __future__ import annotations

from PyQt6.QtCore import QObject

from ifuview.app.frames.intents import Intent, ShowDock
from ifuview.app.session import Session
from ifuview.gui.shell.controller import Controller
from ifuview.model.image import Kind

FIBER_DOCKS = ("spectrum", "quality", "section")
FIBERS = (Kind.DETECTOR, Kind.RSS, Kind.SPECTRUM)
# what the first reduction brings, and what it takes the place of
OF_REDUCTION = (
    ("section", False),
    ("quality", False),
    ("step", True),
    ("lenslets", True),
)
OF_PHOTONS = ("light", "speckle")


class Habits(QObject):
    """Follows the session and shows or hides docks."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self.controller = controller
        self._aside = False  # the docks of fibers
        self._raised = False  # the light
        controller.shell.connect(self._asked)
        controller.store.changed.connect(self._changed)

    def _asked(self, intent: Intent) -> None:
        """Who asked for the light has seen it; who asked for speckles clicks for them."""
        if isinstance(intent, ShowDock) and intent.on and intent.key in OF_PHOTONS:
            self._raised = True

    def _changed(self, old: Session, new: Session) -> None:
        if new.reduction is not None and old.reduction is None:
            for dock, on in OF_REDUCTION:
                self.controller.handle(ShowDock(dock, on))
        if new.slots is not old.slots:
            self._make_room(old, new)
        if self._raised or new.selection is old.selection or new.selection.x is None:
            return
        slot = new.slot()
        if slot is not None and slot.photons is not None:  # the first pixel that is clicked shows its light
            self.controller.handle(ShowDock("light"))

    def _make_room(self, old: Session, new: Session) -> None:
        """Hide the docks of fibers when a photon list comes and there are none; show them with the first fibers."""
        known = {s.key: s for s in old.slots}
        fibers = any(s.image.kind in FIBERS for s in new.slots)
        if self._aside and any(s.key not in known and s.image.kind in FIBERS for s in new.slots):
            self._aside = False
            self._show(True)
        elif not self._aside and not fibers and any(_opened(known.get(s.key), s) for s in new.slots):
            self._aside = True
            self._show(False)

    def _show(self, on: bool) -> None:
        for dock in FIBER_DOCKS:
            self.controller.handle(ShowDock(dock, on))


def _opened(old: object, new: object) -> bool:
    """Whether the photons of a frame have just been opened."""
    return getattr(new, "photons", None) is not None and getattr(old, "photons", None) is None
