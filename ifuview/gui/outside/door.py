"""Opens the door of a window: what a second command sends is carried out as if it had been typed with the first."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable

from PyQt6.QtCore import QObject, QSocketNotifier

from ifuview.app.outside import door
from ifuview.app.script.parse import parse
from ifuview.app.script.words import Script
from ifuview.errors import IfuviewError
from ifuview.exit_codes import BAD_INPUT, OK

Done = Callable[[int, list[str]], None]


class Door(QObject):
    """Listens until it is closed; `carry_out(script, done)` is asked for one script after the other."""

    def __init__(self, carry_out: Callable[[Script, Done], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._carry_out = carry_out
        self._socket, self.path = door.listening()
        self._peers: dict[socket.socket, tuple[QSocketNotifier, bytearray]] = {}
        self._waiting: deque[tuple[Script, socket.socket]] = deque()
        self._busy = False
        self._notifier = self._watch(self._socket, self._accept)

    def close(self) -> None:
        """Listen no more."""
        if self._socket.fileno() < 0:
            return
        self._notifier.setEnabled(False)
        for peer in tuple(self._peers):
            self._leave(peer)
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def _watch(self, what: socket.socket, call: Callable[[], None]) -> QSocketNotifier:
        notifier: QSocketNotifier = QSocketNotifier(what.fileno(), QSocketNotifier.Type.Read, self)
        notifier.activated.connect(lambda *_: call())
        return notifier

    def _accept(self) -> None:
        peer, _ = self._socket.accept()
        if not door.is_own(peer):
            peer.close()
            return
        peer.setblocking(False)
        self._peers[peer] = self._watch(peer, lambda: self._read(peer)), bytearray()

    def _read(self, peer: socket.socket) -> None:
        notifier, line = self._peers[peer]
        try:
            part = peer.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        line += part
        if not part or len(line) > door.MOST_BYTES:
            self._leave(peer)
        elif line.endswith(b"\n"):
            notifier.setEnabled(False)
            self._take(peer, bytes(line))

    def _take(self, peer: socket.socket, line: bytes) -> None:
        try:
            words, where = door.request(line)
            script = door.rooted(parse(words), where)
        except IfuviewError as problem:
            self._tell(peer, BAD_INPUT, [str(problem)])
            return
        self._waiting.append((script, peer))
        self._next()

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        self._busy = True
        script, peer = self._waiting.popleft()

        def done(code: int, said: list[str]) -> None:
            self._busy = False
            self._tell(peer, code or (BAD_INPUT if said else OK), [*script.warnings, *said])
            self._next()

        self._carry_out(script, done)

    def _tell(self, peer: socket.socket, code: int, said: list[str]) -> None:
        if peer in self._peers:
            try:
                peer.setblocking(True)
                peer.sendall(door.answer(code, said))
            except OSError:
                pass  # who asked is gone
            self._leave(peer)

    def _leave(self, peer: socket.socket) -> None:
        notifier, _ = self._peers.pop(peer)
        notifier.setEnabled(False)
        notifier.deleteLater()
        peer.close()
