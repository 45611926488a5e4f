"""Ctrl-C in the terminal ends the program, without polling."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from contextlib import suppress

from PyQt6.QtCore import QObject, QSocketNotifier

from ifuview.exit_codes import endings


class Interrupts(QObject):
    """Calls `end` after the signals that end programs; while Qt waits a byte in a socket wakes it."""

    def __init__(self, end: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        with suppress(ValueError, OSError):
            signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
            for number in endings():
                signal.signal(number, lambda *_: end())
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(lambda *_: self._reader.recv(64))

    def close(self) -> None:
        """Give the sockets back."""
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()
