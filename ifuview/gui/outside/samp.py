"""SAMP in the window: what other programs ask for becomes intents, and a new selection is told to them."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import QObject, pyqtSignal

from ifuview.app.outside import samp_words as words
from ifuview.app.outside.samp import SampLink
from ifuview.app.session import Level, Session, Slot
from ifuview.errors import IfuviewError, UsageError
from ifuview.gui.shell.controller import Controller


class SampTalk(QObject):
    """Between the hub's thread and the session."""

    heard = pyqtSignal(str, object, str)
    said = pyqtSignal(str)

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self.controller = controller
        self.sent: set[str] = set()  # names of tables that others have from here
        self.tables: dict[str, str] = {}  # paths of those that came, by their names
        self._hearing = False  # what follows from a message is not told again
        self.heard.connect(self._carry_out)  # from the thread of the hub to that of the window
        self.said.connect(self._say)
        self.link = SampLink(self.heard.emit, self.said.emit)
        controller.store.changed.connect(self._changed)

    def close(self) -> None:
        """Leave the hub."""
        self.controller.store.changed.disconnect(self._changed)
        self.link.stop()

    def send(self, what: str) -> None:
        """Send the image, the table of the fibers, or the spectrum of the selected fiber to all others.

        Raises
        ------
        UsageError
            There is none, or no hub.
        """
        slot = self.controller.session.slot()
        if slot is None:
            raise UsageError("there is nothing to send", todo="open a file first")
        if not self.link.connected:
            raise UsageError("no SAMP hub is running", todo="start topcat or Aladin")
        {"image": self._image, "table": self._table, "spectrum": self._spectrum}[what](slot)
        self._say(f"the {what} of {slot.title} was sent")

    def _say(self, text: str) -> None:
        self.controller.say(Level.INFO, f"SAMP: {text}")

    def _image(self, slot: Slot) -> None:
        from ifuview.app.outside.objects import image_url

        self.link.tell(lambda: ("image.load.fits", {"url": image_url(slot), "name": slot.title}))

    def _table(self, slot: Slot) -> None:
        from ifuview.app.outside.objects import table_url

        name = words.table_id(slot)
        self.sent.add(name)
        params = {"table-id": name, "name": f"{slot.title} fibers"}
        self.link.tell(lambda: ("table.load.votable", {**params, "url": table_url(slot)}))

    def _spectrum(self, slot: Slot) -> None:
        from ifuview.app.outside.objects import spectrum_url

        found = self.controller.session.inspection
        if found is None or not found.spectra:
            raise UsageError("no spectrum is shown", todo="click a fiber first")
        spectrum = found.spectra[0]
        name = f"{slot.title} fiber {spectrum.fiber_id}"
        meta = {"Access.Format": "application/fits"}
        self.link.tell(
            lambda: ("spectrum.load.ssa-generic", {"url": spectrum_url(spectrum, slot), "meta": meta, "name": name})
        )

    def _carry_out(self, kind: str, params: Mapping[str, object], path: str) -> None:
        self._hearing = True
        try:
            if path and kind.startswith("table."):
                self.tables[words.name_of(params)] = path
            for intent in words.asked(self.controller.session, kind, params, path, self.tables):
                self.controller.handle(intent)
        except IfuviewError as problem:
            self.controller.say(Level.WARNING, str(problem))
        finally:
            self._hearing = False

    def _changed(self, old: Session, new: Session) -> None:
        if self._hearing or not self.link.connected:
            return
        for message in words.told(old, new, self.sent, self.tables):
            self.link.tell(lambda message=message: message)
