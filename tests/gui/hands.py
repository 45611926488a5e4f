"""Real mouse and key events, sent to the X server as a person's hand would make them.

A step ends when the program has what was sent: a fixed wait is mostly too long and, on a busy machine, too short.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject, QPoint
from PyQt6.QtGui import QCursor, QGuiApplication, QKeyEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QWidget

LEFT, MIDDLE, RIGHT, WHEEL_UP, WHEEL_DOWN = 1, 2, 3, 4, 5
ARRIVES_S = 20.0
REST_MS = 20  # for what follows in the program; plots take at most a hundred moves a second
TURNS = 5  # of the program at least, should it have been kept from running meanwhile
NEAR = 20  # px: a second click within them may be half of a double click

Spot = Callable[[], tuple[float, float]]  # a place in a widget, logical px, as it is when it is asked for


class Arrivals(QObject):
    """Counts the events of hands by type as the windows of the program get them."""

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[QEvent.Type] = Counter()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.spontaneous() and watched.isWindowType():
            self.count[event.type()] += not (isinstance(event, QKeyEvent) and event.isAutoRepeat())
        return False


class Hands:
    """Moves the pointer and presses keys of an X display through the XTEST extension."""

    def __init__(self) -> None:
        from Xlib import XK, X, display
        from Xlib.ext import xtest

        self.x, self.xk, self.xtest = X, XK, xtest
        self.display = display.Display(os.environ["DISPLAY"])
        self.arrivals = Arrivals()
        QApplication.instance().installEventFilter(self.arrivals)
        self._clicked, self._at = 0.0, QPoint()  # when and where the last time

    def close(self) -> None:
        QApplication.instance().removeEventFilter(self.arrivals)
        self.display.close()

    def _send(self, kind: int, detail: int = 0, **more: int) -> None:
        self.xtest.fake_input(self.display, kind, detail, **more)
        self.display.sync()

    def _arrive(self, send: Callable[[], None], kind: QEvent.Type, number: int = 1) -> None:
        """Send, and wait until the program got so many events of a type and had its turn."""
        goal = self.arrivals.count[kind] + number
        send()
        _until(lambda: self.arrivals.count[kind] >= goal, f"{kind.name} did not arrive")
        QTest.qWait(REST_MS)
        for _ in range(TURNS):
            QApplication.processEvents()

    def aim(self, widget: QWidget, spot: Spot) -> None:
        """Move the pointer to a place that may move itself while the window finds its size, until both are one."""

        def reached() -> bool:
            at = widget.mapToGlobal(QPoint(*(round(v) for v in spot())))
            if QCursor.pos() == at:
                return True
            self._arrive(lambda: self._send(self.x.MotionNotify, x=at.x(), y=at.y()), QEvent.Type.MouseMove)
            return False

        _until(reached, "the place does not rest")

    def move(self, widget: QWidget, x: float, y: float) -> None:
        """Move the pointer to a place in a widget (logical px)."""
        self.aim(widget, lambda: (x, y))

    def press(self, button: int = LEFT) -> None:
        """Press a button where the pointer is; with the one before it is no double click."""
        if (QCursor.pos() - self._at).manhattanLength() < NEAR:
            QTest.qWait(max(0, round(1000 * (self._clicked - time.monotonic())) + QApplication.doubleClickInterval()))
        self._arrive(lambda: self._send(self.x.ButtonPress, button), QEvent.Type.MouseButtonPress)
        self._clicked, self._at = time.monotonic(), QCursor.pos()

    def release(self, button: int = LEFT) -> None:
        self._arrive(lambda: self._send(self.x.ButtonRelease, button), QEvent.Type.MouseButtonRelease)

    def click(self, widget: QWidget, x: float, y: float, button: int = LEFT) -> None:
        """Click at a place in a widget."""
        self.click_at(widget, lambda: (x, y), button)

    def click_at(self, widget: QWidget, spot: Spot, button: int = LEFT) -> None:
        """Click where the place is when the pointer has come to it."""
        self.aim(widget, spot)
        self.press(button)
        self.release(button)

    def turn(self, widget: QWidget, spot: Spot, button: int = WHEEL_UP) -> None:
        """Turn the wheel by one step."""
        self.aim(widget, spot)

        def send() -> None:
            self._send(self.x.ButtonPress, button)
            self._send(self.x.ButtonRelease, button)

        self._arrive(send, QEvent.Type.Wheel)

    def drag(self, widget: QWidget, start: Spot, stop: Spot, button: int = LEFT, steps: int = 8) -> None:
        """Press at one place, move to another in steps, release; both are as they were before the drag."""
        self.aim(widget, start)
        (x0, y0), (x1, y1) = start(), stop()
        self.press(button)
        for f in (i / steps for i in range(1, steps + 1)):
            self.move(widget, x0 + f * (x1 - x0), y0 + f * (y1 - y0))
        self.release(button)

    def key(self, name: str, *modifiers: str) -> None:
        """Press and release a key by its X name ("b", "space", "Tab")."""
        codes = [self._code(n) for n in (*modifiers, name)]
        _until(lambda: QGuiApplication.focusWindow() is not None, "no window has the keys")

        def send() -> None:
            for code in codes:
                self._send(self.x.KeyPress, code)
            for code in reversed(codes):
                self._send(self.x.KeyRelease, code)

        self._arrive(send, QEvent.Type.KeyRelease, len(codes))

    def hold(self, name: str) -> None:
        self._arrive(lambda: self._send(self.x.KeyPress, self._code(name)), QEvent.Type.KeyPress)

    def let_go(self, name: str) -> None:
        self._arrive(lambda: self._send(self.x.KeyRelease, self._code(name)), QEvent.Type.KeyRelease)

    def _code(self, name: str) -> int:
        return int(self.display.keysym_to_keycode(self.xk.string_to_keysym(name)))


def _until(done: Callable[[], bool], otherwise: str) -> None:
    """Let the program run until something is so."""
    end = time.monotonic() + ARRIVES_S
    while not done():
        assert time.monotonic() < end, otherwise
        QTest.qWait(5)
