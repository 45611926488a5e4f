"""The one object that holds the book of jobs, and says at most ten times a second that it has news."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from ifuview.app.jobs import NO_JOBS, JobBook

PERIOD_MS = 100  # at most this often the news are told


class JobBoard(QObject):
    """Holds the current JobBook."""

    changed = pyqtSignal(object)  # the book

    def __init__(self) -> None:
        super().__init__()
        self._book = NO_JOBS
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PERIOD_MS)
        self._timer.timeout.connect(lambda: self.changed.emit(self._book))

    @property
    def book(self) -> JobBook:
        """The jobs as they are now."""
        return self._book

    def put(self, book: JobBook) -> None:
        """Replace the book; whoever shows it hears of it soon, of all news of that time at once."""
        self._book = book
        if not self._timer.isActive():
            self._timer.start()
