"""A whole window for tests: built as the program builds it, taken down without a trace."""

from __future__ import annotations

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

TIMEOUT = 60_000  # ms; the first use of a kernel may compile it


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
    """Wait until no job runs, the docks stand and the canvas keeps its place, which an X server changes later."""
    qtbot.waitUntil(lambda: not shell.controller.busy and shell.window.is_ready, timeout=TIMEOUT)
    qtbot.wait(60)
    still = QApplication.platformName() == "offscreen"
    while not still:
        before = _place(shell)
        qtbot.wait(60)
        still = _place(shell) == before and not shell.controller.busy


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
