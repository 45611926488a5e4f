"""Whose event loop a window of a script or a notebook lives in; found by itself."""

from __future__ import annotations

import atexit
import sys
import weakref
from types import TracebackType
from typing import Any, Protocol


class ScriptWindow(Protocol):
    """A window that a script holds."""

    is_open: bool
    headless: bool

    def wait(self) -> None:
        """Wait until it is closed."""

    def close(self) -> None:
        """Close it."""


OPEN: weakref.WeakSet[ScriptWindow] = weakref.WeakSet()


def shell_of_python() -> Any:
    """The running IPython (a terminal or a Jupyter kernel), None for plain Python."""
    module = sys.modules.get("IPython")
    return None if module is None else module.get_ipython()


def is_interactive() -> bool:
    """Whether a person types into this Python: it goes on while the window is open."""
    return shell_of_python() is not None or hasattr(sys, "ps1") or bool(sys.flags.interactive)


def join(viewer: ScriptWindow) -> None:
    """Let the window live: in IPython and Jupyter by their own loop, in a script until it is closed."""
    python = shell_of_python()
    if python is not None and not str(getattr(python, "active_eventloop", None) or "").startswith("qt"):
        python.enable_gui("qt6")
    if not OPEN:
        atexit.register(_at_end)
        keep_going()
    OPEN.add(viewer)


def keep_going() -> None:
    """Let a mistake in a slot be printed: PyQt ends the program where nobody has taken over the hook."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _printed


def _printed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.__excepthook__(kind, error, trace)
    if not _in_loop(trace):
        _failed.append(kind)


_failed: list[type[BaseException]] = []  # what ended the script: nobody waits for its windows


def _in_loop(trace: TracebackType | None) -> bool:
    """Whether an exception comes from a slot: its outermost frame is not the script."""
    return trace is not None and trace.tb_frame.f_globals.get("__name__") != "__main__"


def _at_end() -> None:
    """The script is over: its windows stay until they are closed; in a shell they close with it."""
    wait = not is_interactive() and not _failed
    for viewer in list(OPEN):
        if wait and viewer.is_open and not viewer.headless:
            viewer.wait()
        viewer.close()
