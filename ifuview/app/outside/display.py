"""Whether there is a display for a window, and how Qt is told to draw without one."""

from __future__ import annotations

import os
import sys

from ifuview.errors import UsageError


def choose_platform(*, headless: bool, wanted: bool) -> None:
    """Let Qt draw offscreen where no window is needed or possible.

    Parameters
    ----------
    headless : bool
        The program does its work and ends without a person.
    wanted : bool
        A person wants to see a window; without a display that is an error.

    Raises
    ------
    UsageError
        There is no display for the window.
    """
    if os.environ.get("QT_QPA_PLATFORM"):
        return
    if headless:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    elif wanted and not has_display():
        raise UsageError(
            "there is no display to open a window on",
            todo="log in with ssh -X, or write a picture with -saveimage png OUT.png -exit",
        )


def has_display() -> bool:
    """Whether a window can be shown; always true where there is no X11 or Wayland to ask for."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
