"""Starts the application with the script of a command line; `cli` has chosen Qt's platform before."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

from ifuview.app.script.words import Script, WindowOptions
from ifuview.gui.shell.prefetch import Prefetch

if TYPE_CHECKING:
    from ifuview.gui.shell.shell import Shell


def run(script: Script) -> int:
    """Show the window, carry out the script, and return the exit code when the window is closed."""
    gc.disable()  # nothing of the start becomes garbage; the shell switches it on again after the first paint
    prefetch = _prefetch(script)
    shell = make_shell(script.window, headless=script.exits)
    shell.start(script, prefetch)
    return shell.run()


def _prefetch(script: Script) -> Prefetch | None:
    first = script.steps[0] if script.steps else None
    return Prefetch(*first.args) if first is not None and first.verb == "open" else None


def make_shell(options: WindowOptions | None = None, *, headless: bool = False, embedded: bool = False) -> Shell:
    """The application and its window, not shown yet; `embedded` in a script or notebook, which goes on without it."""
    os.environ.setdefault("QT_XCB_GL_INTEGRATION", "none")  # the canvas needs no OpenGL; saves its start
    from ifuview.gui.shell.shell import Shell

    return Shell(options or WindowOptions(), headless=headless, embedded=embedded)


def run_demo(offscreen_dir: str | None = None) -> int:
    """Simulate data, open them with the guided tour; with a folder: write the steps of the tour as PNG files."""
    from ifuview.app import intents as want

    if offscreen_dir is None and os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        offscreen_dir = "ifuview-demo"
    size = (None, None) if offscreen_dir is None else (1600, 1000)  # on a screen: as large as that lets it be
    shell = make_shell(WindowOptions(fresh=True, width=size[0], height=size[1]))
    if offscreen_dir is not None:
        os.makedirs(offscreen_dir, exist_ok=True)
        shell.picture_folder = offscreen_dir
    shell.start(Script())
    shell.controller.handle(want.Demo())
    return shell.run()
