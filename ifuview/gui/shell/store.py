"""The one object that holds the Session."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal

from ifuview.app.session import Session


class Store(QObject):
    """Holds the current Session and says when another took its place."""

    changed = pyqtSignal(object, object)  # old, new

    def __init__(self, session: Session | None = None) -> None:
        super().__init__()
        self._session = session or Session()

    @property
    def session(self) -> Session:
        """The state of the tool now."""
        return self._session

    def put(self, session: Session) -> None:
        """Replace the session; listeners hear of it before this returns."""
        if session is not self._session:
            old, self._session = self._session, session
            self.changed.emit(old, session)
