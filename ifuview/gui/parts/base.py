"""What every dock is: a widget with a key and a title that draws a view and emits intents."""

from __future__ import annotations

from typing import ClassVar

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QWidget


class Dock(QWidget):
    """Base of the docks; the main window puts it into a QDockWidget.

    A dock is built when it is first shown. It keeps no application state: it
    draws the view it is given and emits intents.
    """

    key: ClassVar[str] = ""
    title: ClassVar[str] = ""
    area: ClassVar[str] = "right"  # left, right, bottom
    shown: ClassVar[bool] = False  # in the default layout

    intent = pyqtSignal(object)
    needs_room = pyqtSignal(float)  # share of the height of the window, for what is shown for the first time

    def draw(self, view: object) -> None:
        """Show `view` (a frozen value of app/*/views, or None for nothing)."""
        raise NotImplementedError

    def answer(self, value: object) -> None:
        """Show what the worker made of the `job` of the view."""

    def blinked(self, key: int | None) -> None:
        """The canvas shows frame `key` for a moment while it blinks; None: it shows the current one."""

    def hover(self, view: object) -> None:
        """Show the light view of what is under the cursor; at most 60 times a second."""
