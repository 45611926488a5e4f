"""Real mouse and key events, sent to the X server as a person's hand would make them."""

from __future__ import annotations

import os

from PyQt6.QtCore import QPoint
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QWidget

LEFT, MIDDLE, RIGHT, WHEEL_UP, WHEEL_DOWN = 1, 2, 3, 4, 5
SETTLE_MS = 60


class Hands:
    """Moves the pointer and presses keys of an X display through the XTEST extension."""

    def __init__(self) -> None:
        from Xlib import XK, X, display
        from Xlib.ext import xtest

        self.x, self.xk, self.xtest = X, XK, xtest
        self.display = display.Display(os.environ["DISPLAY"])

    def close(self) -> None:
        self.display.close()

    def _send(self, kind: int, detail: int = 0, **more: int) -> None:
        self.xtest.fake_input(self.display, kind, detail, **more)
        self.display.sync()

    def move(self, widget: QWidget, x: float, y: float) -> None:
        """Move the pointer to a place in a widget (logical px)."""
        at = widget.mapToGlobal(QPoint(round(x), round(y)))
        self._send(self.x.MotionNotify, x=at.x(), y=at.y())
        QTest.qWait(SETTLE_MS)

    def click(self, widget: QWidget, x: float, y: float, button: int = LEFT) -> None:
        """Click there."""
        self.move(widget, x, y)
        self._send(self.x.ButtonPress, button)
        self._send(self.x.ButtonRelease, button)
        QTest.qWait(SETTLE_MS)

    def drag(
        self, widget: QWidget, start: tuple[float, float], stop: tuple[float, float], button: int = LEFT, steps: int = 8
    ) -> None:
        """Press at one place, move to another in steps, release."""
        self.move(widget, *start)
        self._send(self.x.ButtonPress, button)
        QTest.qWait(SETTLE_MS)
        for i in range(1, steps + 1):
            f = i / steps
            self.move(widget, start[0] + f * (stop[0] - start[0]), start[1] + f * (stop[1] - start[1]))
        self._send(self.x.ButtonRelease, button)
        QTest.qWait(SETTLE_MS)

    def key(self, name: str, hold_ms: int = 0, *modifiers: str) -> None:
        """Press and release a key by its X name ("b", "space", "Tab")."""
        codes = [self.display.keysym_to_keycode(self.xk.string_to_keysym(n)) for n in (*modifiers, name)]
        for code in codes:
            self._send(self.x.KeyPress, code)
        QTest.qWait(max(hold_ms, 20))
        for code in reversed(codes):
            self._send(self.x.KeyRelease, code)
        QTest.qWait(SETTLE_MS)
