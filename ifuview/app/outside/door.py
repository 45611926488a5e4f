"""The door of a running window: a socket that only its user may open, and what goes through it.

A request is one line of JSON, `{"words": [...], "folder": "/where/they/were/typed"}`; the answer is one as well,
`{"code": 0, "said": ["what went wrong", ...]}`. Words are those of the command line and nothing else: nothing of it is
evaluated.
"""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

from ifuview.app.script.words import Script, Step
from ifuview.errors import UsageError

MOST_BYTES = 1 << 20  # of a request
PATIENCE = 300.0  # s, that a window may take to open what it was sent
SUFFIX = ".door"
WINDOWS = "this system has no sockets of files; use File, Open in the window"
# Where a step names a file: the place among its arguments.
PATHS = {
    "open": 0,
    "regions": 1,
    "traces": 0,
    "mask": 0,
    "save-image": 1,
    "save-table": 1,
    "watch": 0,
    "save-session": 0,
    "restore": 0,
}
_numbers = count()  # of the windows of this process
REMOTE = re.compile(r"^[a-z][a-z0-9+]*://", re.IGNORECASE)


def folder() -> Path:
    """The folder of the doors: of this user alone, made if need be.

    Raises
    ------
    UsageError
        Somebody else owns it, or it is open to others: nothing there can be trusted.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("windows cannot be sent to", todo=WINDOWS)
    base = os.environ.get("XDG_RUNTIME_DIR") or ""
    import tempfile

    place = Path(base) / "ifuview" if os.path.isdir(base) else Path(tempfile.gettempdir()) / f"ifuview-{os.getuid()}"
    with suppress(FileExistsError):
        place.mkdir(mode=0o700)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        todo = "remove it, or make it yours with mode 0700"
        raise UsageError("is not a folder of yours alone, so no window listens there", str(place), todo)
    return place


def listening() -> tuple[socket.socket, Path]:
    """A socket in the folder of the doors that listens; close it and remove its file when the window closes."""
    path = folder() / f"{os.getpid()}-{next(_numbers)}{SUFFIX}"
    with suppress(FileNotFoundError):
        path.unlink()
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(str(path))
    path.chmod(0o600)
    door.listen(4)
    door.setblocking(False)
    return door, path


def is_own(peer: socket.socket) -> bool:
    """Whether the other end is a program of this user (the folder lets nobody else in; this asks once more)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return sys.platform == "darwin"  # there the folder alone guards the door
    _, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return bool(uid == os.getuid())


def request(line: bytes) -> tuple[list[str], str]:
    """Words and folder of a request.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        said = json.loads(line)
        words, where = said["words"], said["folder"]
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise UsageError("is no request to a window", "door", "send words with ifuview --send") from problem
    if not isinstance(where, str) or not isinstance(words, list) or not all(isinstance(w, str) for w in words):
        raise UsageError("is no request to a window", "door", "send words with ifuview --send")
    return words, where


def rooted(script: Script, where: str) -> Script:
    """The script with the files that it names as they are seen from the folder `where`."""
    return replace(script, steps=tuple(_rooted(step, where) for step in script.steps))


def _rooted(step: Step, where: str) -> Step:
    place = PATHS.get(step.verb)
    if place is None or not isinstance(step.args[place], str) or REMOTE.match(step.args[place]):
        return step
    args = list(step.args)
    args[place] = os.path.join(where, os.path.expanduser(args[place]))
    return Step(step.verb, tuple(args))


def answer(code: int, said: list[str]) -> bytes:
    """What the window says of a request."""
    return json.dumps({"code": code, "said": said}).encode() + b"\n"


def send(words: list[str]) -> tuple[int, list[str]]:
    """Give words to the window that was opened last; return its exit code and what went wrong there.

    Raises
    ------
    UsageError
        No window of this user is running, or it does not answer.
    """
    for path in _doors():
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
                peer.settimeout(PATIENCE)
                peer.connect(str(path))
                peer.sendall(json.dumps({"words": words, "folder": os.getcwd()}).encode() + b"\n")
                return _answered(peer)
        except ConnectionRefusedError:
            with suppress(OSError):
                path.unlink()  # its window has ended without a word
        except OSError as problem:
            raise UsageError(f"the window does not answer ({problem})", str(path), "look at it") from problem
    raise UsageError("no window of yours is open", "--send", "open one with ifuview FILE")


def _doors() -> Iterator[Path]:
    """The doors of this user, the newest first."""
    times = {path: path.lstat().st_mtime_ns for path in folder().glob(f"*{SUFFIX}")}
    yield from sorted(times, key=lambda path: times[path], reverse=True)


def _answered(peer: socket.socket) -> tuple[int, list[str]]:
    line = b""
    while not line.endswith(b"\n") and (part := peer.recv(1 << 16)):
        line += part
    if not line:
        raise OSError("it was closed")
    told = json.loads(line)
    return int(told["code"]), [str(text) for text in told["said"]]
