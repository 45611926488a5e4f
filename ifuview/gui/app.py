"""Starts the application: Qt, the window, the worker, the script of the command line, the last-resort hook."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ifuview.app.script import Script, WindowOptions
from ifuview.gui.prefetch import Prefetch

if TYPE_CHECKING:
    from ifuview.gui.shell import Shell

EXIT_AFTER_PAINT = "IFUVIEW_EXIT_AFTER_PAINT"  # names a file for the loaded modules; for the test of the start


def has_display() -> bool:
    """Whether a window can be shown to somebody."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def choose_platform() -> bool:
    """Use Qt's offscreen platform where there is no display; return whether windows can be seen."""
    if os.environ.get("QT_QPA_PLATFORM"):
        return os.environ["QT_QPA_PLATFORM"] != "offscreen"
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        return False
    return True


def run(script: Script) -> int:
    """Show the window, carry out the script, and return the exit code when the window is closed."""
    seen = choose_platform()
    if not seen and not script.exits and EXIT_AFTER_PAINT not in os.environ and "PYTEST_CURRENT_TEST" not in os.environ:
        print("ifuview: there is no display; add -saveimage png FILE -exit for a picture.", file=sys.stderr)
        return 2
    prefetch = _prefetch(script)
    shell = make_shell(script.window, headless=script.exits)
    shell.start(script, prefetch)
    return shell.run()


def _prefetch(script: Script) -> Prefetch | None:
    first = script.steps[0] if script.steps else None
    return Prefetch(*first.args) if first is not None and first.verb == "open" else None


def make_shell(options: WindowOptions | None = None, *, headless: bool = False) -> Shell:
    """The application and its window, not shown yet."""
    os.environ.setdefault("QT_XCB_GL_INTEGRATION", "none")  # the canvas needs no OpenGL; saves its start
    from ifuview.gui.shell import Shell

    return Shell(options or WindowOptions(), headless=headless)


def run_demo(offscreen_dir: str | None = None) -> int:
    """Simulate data, open them with the guided tour; with a folder: write the steps of the tour as PNG files."""
    from ifuview.app import intents as want

    if offscreen_dir is None and not choose_platform():
        offscreen_dir = "ifuview-demo"
    if offscreen_dir is not None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    shell = make_shell(WindowOptions(fresh=True, width=1600, height=1000))
    if offscreen_dir is not None:
        os.makedirs(offscreen_dir, exist_ok=True)
        shell.picture_folder = offscreen_dir
    shell.start(Script())
    shell.controller.handle(want.Demo())
    return shell.run()
