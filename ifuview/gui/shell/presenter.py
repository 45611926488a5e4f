"""Outward road: a changed Session becomes views for the parts of the window that are visible."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Protocol

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from ifuview.app.jobs import JobBook, JobKey, JobKind, JobRequest
from ifuview.app.session import Session
from ifuview.gui.docks import DockEntry
from ifuview.gui.parts.base import Dock
from ifuview.gui.shell.job_board import JobBoard
from ifuview.gui.shell.store import Store
from ifuview.model.region import Region

NEVER = float("-inf")
REGION_PATIENCE_S = 2.0  # after which a region that is being measured is given up (it was cancelled)
HOVER_PERIOD_MS = 16  # the docks that follow the cursor are drawn at most this often


def differs(old: tuple[object, ...] | None, new: tuple[object, ...]) -> bool:
    """Whether any input of a view is another one: by identity, and by value for plain values."""
    if old is None or len(old) != len(new):
        return True
    plain = (int, float, str, bool, tuple, type(None))
    return any(a is not b and not (isinstance(a, plain) and isinstance(b, plain) and a == b) for a, b in zip(old, new))


Given = tuple[Session] | tuple[Session, JobBook]  # what the functions of a view take


class PointerView(Protocol):
    """Makes what is known of a point of a frame; None where nothing is."""

    def __call__(self, session: Session, key: int, x: float, y: float, /) -> object:
        """The view."""


class ViewPart:
    """One visible thing: its view functions and the widget that draws them."""

    def __init__(self, view: ModuleType, draw: Callable[[object], None], visible: Callable[[], bool]) -> None:
        self.view, self.draw, self.visible = view, draw, visible
        self.last: tuple[object, ...] | None = None
        self.widget: Dock | None = None

    def stale(self, given: Given) -> bool:
        """Whether an input changed and somebody can see it."""
        return self.visible() and differs(self.last, self.view.inputs(*given))

    def refresh(self, given: Given) -> None:
        """Draw again if that is needed."""
        if self.stale(given):
            self.last = self.view.inputs(*given)
            self.draw(self.view.make(*given))


class Presenter(QObject):
    """Asks the views of app for what changed and hands it to whoever draws it."""

    wanted = pyqtSignal(object, object)  # a JobRequest, and who gets its value

    def __init__(self, store: Store, jobs: JobBoard) -> None:
        super().__init__()
        self.store, self.jobs = store, jobs
        self.parts: dict[str, ViewPart] = {}
        self.cursor: tuple[int, float, float] | None = None
        self._region: tuple[int, Region] | None = None  # in the hand, and not measured yet
        self._measured = NEVER  # since when one is being measured
        self._hold = 0  # counts what hands have let go
        self._drawn: ViewPart | None = None  # the dock whose turn it was last
        self._pointers: list[tuple[PointerView, Callable[[object], None]]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(HOVER_PERIOD_MS)
        self._timer.timeout.connect(self._hover_docks)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._refresh_next)
        store.changed.connect(self._changed)
        jobs.changed.connect(lambda _: self._later.start())

    def add(self, key: str, view: ModuleType, draw: Callable[[object], None], visible: Callable[[], bool]) -> ViewPart:
        """Register something that draws views."""
        part = self.parts[key] = ViewPart(view, draw, visible)
        return part

    def add_dock(self, entry: DockEntry, widget: Dock, visible: Callable[[], bool]) -> None:
        """Register a dock that was just built and draw it."""
        view = entry.pure()
        part = self.add(entry.key, view, widget.draw, visible)
        part.widget = widget
        self._show(part)

    def add_pointer(self, view: PointerView, draw: Callable[[object], None]) -> None:
        """Register something that follows the cursor at once."""
        self._pointers.append((view, draw))

    def add_line(self, view: Callable[[JobBook], object], draw: Callable[[object], None]) -> None:
        """Register something that tells of the jobs."""
        self.jobs.changed.connect(lambda book: draw(view(book)))

    def stop(self) -> None:
        """Draw nothing any more: the parts go with their window."""
        self.store.changed.disconnect(self._changed)
        for timer in (self._timer, self._later):
            timer.stop()

    def forget(self) -> None:
        """All parts are out of date: their colors have changed."""
        for part in self.parts.values():
            part.last = None

    def again(self) -> None:
        """Draw once more what is not a dock: there are more widgets for it now."""
        for part in self.parts.values():
            if part.widget is None:
                part.last = None
                part.refresh((self.store.session,))

    def aside(self, view: ModuleType, widget: Dock) -> bool:
        """Draw a widget that is on no screen; return whether what it shows is still to be counted."""
        found = view.make(*self.given(view))
        widget.draw(found)
        return bool(getattr(found, "stale", False))

    def blinked(self, key: int | None) -> None:
        """The canvas shows another frame for a moment; None: it does not blink."""
        marked = None if key == self.store.session.current else key
        for part in self.parts.values():
            if part.widget is not None:
                part.widget.blinked(marked)

    def given(self, view: ModuleType) -> Given:
        """What a view is made from: the session, and the jobs for those that show them."""
        session = self.store.session
        return (session, self.jobs.book) if getattr(view, "READS_JOBS", False) else (session,)

    def depends(self, view: ModuleType) -> tuple[object, ...]:
        """What a view is made from now."""
        found: tuple[object, ...] = view.inputs(*self.given(view))
        return found

    def has_content(self, view: ModuleType) -> bool:
        """Whether a view has more to show than the sentence that says how to fill it."""
        found = view.make(*self.given(view))
        return found is not None and not getattr(found, "empty", False)

    def refresh(self, key: str) -> None:
        """Draw one part if it is out of date (it has just become visible)."""
        if key in self.parts:
            self._show(self.parts[key])

    def _show(self, part: ViewPart) -> None:
        """Draw a part if it is out of date, and ask for what its view cannot make."""
        given = self.given(part.view)
        if part.stale(given):
            part.refresh(given)
            self.ask(part.view, part.widget)

    def _changed(self, old: Session, new: Session) -> None:
        if new.region is not old.region:
            self._region, self._hold = None, self._hold + 1  # the hand has let go: its last answers come too late
        for part in self.parts.values():
            if part.widget is None:  # the canvas: the eye is on it
                part.refresh((new,))
        self._later.start()

    def _refresh_next(self) -> None:
        """Draw one dock that is out of date; the others have the next turns, so that the window stays alive.

        It goes round: a dock that changes with every move of a slider keeps no other from its turn.
        """
        docks = [part for part in self.parts.values() if part.widget is not None]
        after = docks.index(self._drawn) + 1 if self._drawn in docks else 0
        for part in (*docks[after:], *docks[:after]):
            if part.stale(self.given(part.view)):
                self._drawn = part
                self._show(part)
                self._later.start()
                return

    def ask(self, view: ModuleType, widget: Dock) -> None:
        """Ask the worker for what is too slow for a view; the widget's `answer` draws it when it comes."""
        make = getattr(view, "job", None)
        run = make(self.store.session) if make is not None else None
        if run is not None:
            name = f"What {view.__name__.rpartition('.')[2]} shows"
            key = JobKey(JobKind.VIEW, view.__name__)
            request = JobRequest(name, run, key, newest=True, quiet=True, front=True)
            self.wanted.emit(request, widget.answer)

    def hover(self, key: int, x: float, y: float) -> None:
        """The cursor is over an image; docks that follow it are drawn soon."""
        self.cursor = (key, x, y)
        for view, draw in self._pointers:
            draw(view(self.store.session, key, x, y))
        if not self._timer.isActive():
            self._timer.start()

    def _hover_by_job(self, part: ViewPart, session: Session) -> None:
        """Ask the worker for what is too slow for a mouse move (the spectrum of a large cube)."""
        make = getattr(part.view, "hover_job", None)
        run = make(session, *self.cursor) if make is not None else None
        if run is not None:
            key = JobKey(JobKind.HOVER, part.view.__name__)
            request = JobRequest("What is under the cursor", run, key, newest=True, quiet=True)
            self.wanted.emit(request, part.widget.hover)

    def region(self, key: int, region: Region) -> None:
        """A region is in the hand: docks that measure it show what it holds, as often as that is ready."""
        self._region = (key, region)
        if time.monotonic() - self._measured > REGION_PATIENCE_S:
            self._measure_region()

    def drop_region(self) -> None:
        """The region in the hand is no more: what the session has is shown again."""
        self._region, self._hold = None, self._hold + 1
        for part in self.parts.values():
            if hasattr(part.view, "region_job"):
                part.last = None
        self._later.start()

    def _measure_region(self) -> None:
        """Ask the worker for what is in the hand now; when it comes, for what is in it then."""
        held, self._region = self._region, None
        for part in self.parts.values() if held is not None else ():
            make = getattr(part.view, "region_job", None)
            if make is None or part.widget is None or not part.visible():
                continue
            run = make(self.store.session, *held)
            if run is not None:
                self._measured = time.monotonic()
                key = JobKey(JobKind.REGION, part.view.__name__)
                request = JobRequest("What is in the region", run, key, quiet=True, front=True)
                self.wanted.emit(request, partial(self._region_measured, part, self._hold))

    def _region_measured(self, part: ViewPart, hold: int, view: object) -> None:
        """Show what was measured, unless the hand has let go; then measure what it holds now."""
        self._measured = NEVER
        if view is not None and part.widget is not None and hold == self._hold:
            part.draw(view)
        self._measure_region()

    def leave(self) -> None:
        """The cursor left the image: what followed it goes."""
        self.cursor = None
        for _, draw in self._pointers:
            draw(None)
        for part in self.parts.values():
            if part.widget is not None and hasattr(part.view, "hover"):
                part.widget.hover(None)

    def _hover_docks(self) -> None:
        if self.cursor is None:
            return
        session = self.store.session
        if session.slot(self.cursor[0]) is None:
            return
        for part in self.parts.values():
            hover = getattr(part.view, "hover", None)
            if hover is not None and part.widget is not None and part.visible():
                view = hover(session, *self.cursor)
                if view is not None:
                    part.widget.hover(view)
                self._hover_by_job(part, session)
