"""A whole window for tests: built as the program builds it, taken down without a trace."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ifuview.app.script.parse import parse
from ifuview.app.script.words import Script, WindowOptions
from ifuview.gui.shell.shell import Shell

ON_SCREEN = os.environ.get("QT_QPA_PLATFORM") == "xcb"  # beside other tests, when no kernel is compiled yet
TIMEOUT = 300_000 if ON_SCREEN else 120_000  # ms; the first use of a kernel compiles it, on a busy machine


@contextmanager
def window(qtbot: QtBot, *words: str, size: tuple[int, int] = (1500, 950), judges: bool = False) -> Iterator[Shell]:
    """A shown window in which the words of a command line have been carried out."""
    hooks = sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    interval = sys.getswitchinterval()
    parsed = parse(list(words))
    shell = Shell(WindowOptions(width=size[0], height=size[1], x=0, y=0, fresh=True))
    shell.store.put(replace(shell.store.session, judges=judges))
    shell.start(Script(parsed.steps, shell.options, parsed.look, parsed.warnings))
    try:
        qtbot.waitUntil(lambda: shell.finished and not shell.runner.steps, timeout=TIMEOUT)
        settle(qtbot, shell)
        yield shell
    finally:
        sys.excepthook, threading.excepthook = hooks[:2]
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, hooks[2])
        signal.signal(signal.SIGTERM, hooks[3])
        sys.setswitchinterval(interval)
        shell.worker.shut_down()
        shell.take_down()
        QApplication.processEvents()


def settle(qtbot: QtBot, shell: Shell) -> None:
    """Wait until no job runs, the docks are drawn and the canvas keeps its place, which an X server changes later."""

    def at_rest() -> bool:
        return not shell.controller.busy and shell.window.is_ready and not shell.presenter._later.isActive()

    still = False
    while not still:
        qtbot.waitUntil(at_rest, timeout=TIMEOUT)
        before = _place(shell)
        qtbot.wait(60)
        still = at_rest() and (_place(shell) == before or QApplication.platformName() == "offscreen")


def blinked(qtbot: QtBot, shell: Shell, number: int) -> set[int | None]:
    """The frames that the canvas shows in turn, as soon as they are so many."""
    seen: set[int | None] = set()

    def all_seen() -> bool:
        seen.add(shell.window.canvas.displayed())
        return len(seen) >= number

    qtbot.waitUntil(all_seen, timeout=TIMEOUT)
    return seen


def _place(shell: Shell) -> tuple[object, ...]:
    canvas = shell.window.canvas
    return (
        shell.window.geometry(),
        canvas.geometry(),
        tuple(canvas.view_of(p.key) for p in canvas.view.pictures),
    )
