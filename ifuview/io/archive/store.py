"""Archives that are open: a plain tar is mapped, a packed one inflated once, the oldest goes when memory ends."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from ifuview import memory
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.inputs import regular_file
from ifuview.io.archive.inflate import beginning, inflated
from ifuview.io.archive.tar import RECORD, TarFile, is_tar, read_tar
from ifuview.io.mapping import let_go, map_file
from ifuview.io.packed import MAGIC_BYTES, is_packed

SNIFFED = 1 << 20  # packed bytes that are looked at to see what they are: more than a block of bzip2


@dataclass(frozen=True, slots=True)
class _Held:
    """An archive, the state of the file (or the archive around it) that it was read from, and its bytes of memory."""

    status: object
    archive: TarFile
    size: int


class ArchiveStore:
    """Archives by path, the one that was asked for last at the end; safe to use from several threads.

    Parameters
    ----------
    most : int, bytes, optional
        What all inflated ones may take together; default: what the preferences allow. What
        somebody still looks at stays in memory beyond that.
    """

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._lock = threading.RLock()
        self._doors: dict[str, threading.Lock] = {}

    @property
    def bound(self) -> int:
        """Bytes that inflated archives may take together."""
        return memory.limit() if self.most is None else self.most

    def room(self) -> int:
        """Bytes that one more may take now."""
        return min(self.bound, memory.allowed())

    @property
    def size(self) -> int:
        """Bytes of memory that inflated archives take."""
        return sum(held.size for held in self._held.values())

    def tar(self, path: str, ctx: JobContext = SILENT) -> TarFile:
        """The archive in a file.

        Raises
        ------
        FileFormatError, MissingDataError
            It is no archive, damaged, or takes more memory than is allowed.
        """
        found = regular_file(path)
        status = (found.st_size, found.st_mtime_ns)
        with self._lock:
            door = self._doors.setdefault(path, threading.Lock())
        with door:  # others may read other archives meanwhile
            held = self._held.get(path)
            if held is None or held.status != status:
                held = self._read(path, status, ctx)
            return self._keep(path, held)

    def within(self, outer: TarFile, name: str, ctx: JobContext = SILENT) -> TarFile:
        """The archive that a member of another one is."""
        path = f"{outer.path}/{name}"
        data = outer.bytes_of(outer.members[name])
        with self._lock:
            door = self._doors.setdefault(path, threading.Lock())
        with door:
            held = self._held.get(path)
            if held is None or held.status is not outer:
                packed = is_packed(bytes(data[:MAGIC_BYTES]))
                data = inflated(data, self.room(), path, ctx) if packed else data
                held = _Held(outer, read_tar(data, path, ctx), len(data) if packed else 0)
            return self._keep(path, held)

    def _read(self, path: str, status: tuple[int, int], ctx: JobContext) -> _Held:
        """Map or inflate a file, and list it."""
        data = mapped(path)
        if not is_packed(bytes(data[:MAGIC_BYTES])):
            archive = read_tar(data, path, ctx)
            let_go(data)
            return _Held(status, archive, 0)
        if not is_tar(beginning(data[:SNIFFED], RECORD, path)):
            raise FileFormatError("this is no tar archive", path)
        data = inflated(data, self.room(), path, ctx)
        return _Held(status, read_tar(data, path, ctx), len(data))

    def _keep(self, path: str, held: _Held) -> TarFile:
        """Hold an archive as the newest, and let the oldest go that no longer fit."""
        with self._lock:
            self._held[path] = held
            self._held.move_to_end(path)
            inflated_ones = [key for key, one in self._held.items() if one.size and key != path]
            while inflated_ones and self.size > self.bound:
                del self._held[inflated_ones.pop(0)]
        return held.archive

    def keep_only(self, paths: Iterable[str]) -> None:
        """Let inflated archives go but those in the files named, which are still to be read."""
        kept = tuple(paths)
        with self._lock:
            for path in [path for path, one in self._held.items() if one.size]:
                if not any(path == own or path.startswith(f"{own}/") for own in kept):
                    del self._held[path]

    def clear(self) -> None:
        """Let all go."""
        with self._lock:
            self._held.clear()


def mapped(path: str) -> memoryview:
    """The bytes of a file, mapped.

    Raises
    ------
    FileFormatError
        It cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return memoryview(map_file(file.fileno()))
    except (OSError, ValueError) as problem:
        raise FileFormatError(f"cannot be read ({getattr(problem, 'strerror', None) or problem})", path) from problem


def is_archive(path: str) -> bool:
    """Whether a file is a tar, packed or not: told by its first bytes alone."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) < MAGIC_BYTES:
            return False
        with open(path, "rb") as file:
            start = file.read(RECORD)
            if is_packed(start):
                start = beginning(memoryview(start + file.read(SNIFFED)), RECORD, path)
    except OSError:
        return False
    return is_tar(start)


STORE = ArchiveStore()
