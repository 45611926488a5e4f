"""What Python can ask of a window: add, select, frame, limits, screenshot; its session."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Self

import numpy as np
from PyQt6.QtCore import QEventLoop, QTimer
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication

from ifuview.app import intents as want
from ifuview.app.frames.adding import look_of
from ifuview.app.frames.fibers import check_fiber, find_fiber
from ifuview.app.frames.look import LimitMode, Look
from ifuview.app.frames.opening.opened import limits as display_limits
from ifuview.app.open_tasks import Found, ReadFile, open_file
from ifuview.app.outside.objects import as_dataset, opened
from ifuview.app.session import Selection, Session, Slot
from ifuview.app.verdict import is_judging
from ifuview.engine.context import SILENT
from ifuview.errors import UsageError
from ifuview.files import check_place, whole_file
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.main_window import MainWindow
from ifuview.model.checks import Array, brief
from ifuview.model.dataset import Dataset

LOOKS = set(Look.__dataclass_fields__)
PATIENCE = 120.0  # s for what the window has to work out before a picture is taken
DRAWN_MS = 80
LOOK_MS = 10  # between two looks whether it is ready


class WindowHandle:
    """A window, as Python holds it. `session` is all of its state as a frozen value."""

    def __init__(self, controller: Controller, window: MainWindow) -> None:
        self.controller, self.window = controller, window
        self.is_open = True

    def __repr__(self) -> str:
        return brief(self, "open" if self.is_open else "closed", self.session)

    def _repr_html_(self) -> str:
        return self.session._repr_html_()

    def ask(self, *intents: want.Intent) -> Session:
        """Carry out intents, as the widgets do; the session then."""
        for intent in intents:
            self.controller.handle(intent)
        return self.session

    # what is shown

    def add(self, value: Any, name: str = "", **details: Any) -> Self:
        """Show one more value, as `show` does; it becomes the current frame.

        Raises
        ------
        IfuviewError
            It cannot be shown, and why.
        """
        self._check_open()
        fields = {k: details.pop(k) for k in LOOKS & set(details)}
        if {"lo", "hi"} <= set(fields):
            fields.setdefault("limit_mode", LimitMode.USER)
        look = look_of(fields.items(), self.session.base_look) if fields else self.session.base_look
        controller = self.controller
        found: Found | Dataset
        if isinstance(value, (str, os.PathLike)):
            spec = os.path.abspath(os.path.expanduser(os.fspath(value)))
            task = open_file(self.session, want.OpenFile(spec, look=look))
            if not isinstance(task, ReadFile):
                controller.begin(task)
                self.settle()
                return self
            found = task.run(self.session, SILENT)
        else:
            dataset = as_dataset(value, name, **details)
            task = ReadFile(spec=dataset.spec or name)
            found = opened(dataset, look) if dataset.images or dataset.traces is not None else dataset
        controller.take(task.apply(self.session, found))
        return self

    def frame(self, which: int | str | None = None) -> Slot | None:
        """The current frame, after going to frame `which` (from 1, or its title).

        Raises
        ------
        UsageError
            There is no such frame.
        """
        if which is None:
            return self.session.slot()
        slots = self.session.slots
        found = [s for i, s in enumerate(slots, 1) if which in (i, s.title)]
        if not found:
            raise UsageError(f"there is no frame {which}", todo=f"choose one of {[s.title for s in slots]}")
        self.controller.handle(want.SelectSlot(found[0].key))
        return self.session.slot()

    def limits(self, lo: float | str | None = None, hi: float | None = None) -> tuple[float, float]:
        """Display limits of the current frame, after setting them: (lo, hi), a mode, or the percent inside them.

        Raises
        ------
        UsageError
            There is no frame, or no such mode.
        """
        slot = self._current()
        if lo is None:
            return self.window.canvas.display_limits(slot.key)
        if isinstance(lo, str):
            look = replace(slot.look, limit_mode=self._mode(lo))
        elif hi is None:
            look = replace(slot.look, limit_mode=LimitMode.PERCENTILE, percent=float(lo))
        else:
            look = replace(slot.look, limit_mode=LimitMode.USER, lo=float(lo), hi=float(hi))
        low, high = display_limits(slot.image.pixels.plane(slot.plane), look)
        self.controller.handle(want.SetLook(slot.key, replace(look, lo=low, hi=high)))
        return low, high

    @staticmethod
    def _mode(word: str) -> LimitMode:
        try:
            return LimitMode(word)
        except ValueError:
            raise UsageError(f"there is no mode {word}", "limits", f"choose {', '.join(LimitMode)}") from None

    # what is selected

    def select(
        self, fiber: int | str | Iterable[int] | None = None, *, x: float | None = None, y: float | None = None
    ) -> Selection:
        """Select fibers (row, the instrument's number as text, or several rows), or the point (x, y) of the frame.

        Raises
        ------
        UsageError
            There is no such fiber, or no frame.
        """
        slot = self._current()
        if x is not None and y is not None:
            self.controller.handle(want.PickPoint(slot.key, float(x), float(y)))
        elif fiber is None:
            self.controller.handle(want.SelectFiber(None))
        else:
            chosen = (fiber,) if isinstance(fiber, (int, str, np.integer)) else tuple(fiber)
            rows = tuple(self._row(one) for one in chosen)
            self.controller.handle(want.SelectFiber(rows[0], rows if len(rows) > 1 else ()))
        return self.selection

    def _row(self, fiber: int | str) -> int:
        if isinstance(fiber, str):
            return find_fiber(self.session, fiber)
        return check_fiber(self.session, int(fiber)) or 0

    @property
    def selection(self) -> Selection:
        """What is selected: row of the fiber, point, rows of all selected fibers."""
        return self.session.selection

    @property
    def session(self) -> Session:
        """Everything that is open, how it is shown and what was measured of the selected fiber (`inspection`)."""
        return self.controller.session

    # pictures and time

    def screenshot(self, path: str | os.PathLike[str] | None = None, *, window: bool = False) -> Array:
        """The canvas (or the whole window) as it is shown, shape (height, width, 3), uint8; also written to `path`.

        Raises
        ------
        UsageError
            The file cannot be written.
        """
        self.settle()
        image = self.window.grab().toImage() if window else self.window.canvas.grab_image()
        image = image.convertToFormat(QImage.Format.Format_RGB888)
        if path is not None:
            check_place(path, "the picture")
            with whole_file(path, "the picture") as part:
                if not image.save(part):
                    raise UsageError("the picture cannot be written", os.fspath(path), "end the name in .png or .jpg")
        bits = image.constBits()
        assert bits is not None
        bits.setsize(image.sizeInBytes())
        lines: Array = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
        return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()

    def settle(self, seconds: float = PATIENCE, *, judged: bool = False) -> Self:
        """Wait until what was asked for is drawn; verdicts in the background go on, unless `judged` is asked for.

        Raises
        ------
        UsageError
            It takes longer than that.
        """
        self._check_open()
        self._until(lambda: self._is_settled() and not (judged and is_judging(self.session)), seconds)
        events = QEventLoop()
        QTimer.singleShot(DRAWN_MS, events.quit)  # what follows is drawn when nothing else is to do
        events.exec()
        return self

    def _is_settled(self) -> bool:
        return self.window.is_ready and not self.controller.jobs.book.busy

    def _until(self, reached: Callable[[], bool], seconds: float) -> None:
        """Let events come until something is so."""
        if reached():
            QApplication.processEvents()
            return
        end = time.monotonic() + seconds
        events, timer = QEventLoop(), QTimer()
        timer.timeout.connect(lambda: events.quit() if reached() or time.monotonic() > end else None)
        timer.start(LOOK_MS)
        events.exec()
        timer.stop()
        if not reached():
            raise UsageError(f"the window was not ready after {seconds:.0f} s", todo="look into its jobs dock")

    def _current(self) -> Slot:
        self._check_open()
        slot = self.session.slot()
        if slot is None:
            raise UsageError("there is no frame", todo="add an image first")
        return slot

    def _check_open(self) -> None:
        if not self.is_open:
            raise UsageError("the window is closed", todo="open another with ifuview.show")
