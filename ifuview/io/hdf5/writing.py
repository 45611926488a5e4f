"""New HDF5 files on a disk that may be full.

The HDF5 library ends the process when it cannot write what it still holds: on close, or whenever Python collects what
is left of the file. So it never learns of a failure: what the disk does not take is kept in memory, and the failure is
raised here, by `Disk.check` while the file grows (so that little is kept), or when the file is closed.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ifuview.errors import UsageError

if TYPE_CHECKING:
    from h5py import File

MB = 1e6


class Disk:
    """The file that HDF5 writes to: all that it asks of one, and no refusal."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
        self._at = self._end = 0
        self._kept: list[tuple[int, bytes]] = []  # what the disk did not take, in order
        self._closed = False
        self.problem: OSError | None = None

    def check(self) -> None:
        """Raise the OSError that a write met."""
        if self.problem is not None:
            raise OSError(self.problem.errno, os.strerror(self.problem.errno or 0))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        """The place."""
        return self._at

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Write at the place; on a disk that refuses, into memory."""
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view) and self.problem is None:
            try:
                done += os.pwrite(self._file, view[done:], self._at + done)
            except OSError as problem:
                self.problem = problem
        if done < len(view):
            self._kept.append((self._at + done, bytes(view[done:])))
        self._at += len(view)
        self._end = max(self._end, self._at)
        return len(view)

    def read(self, size: int) -> bytes:
        """Read so many bytes from the place."""
        out = bytearray(size)
        self.readinto(out)
        return bytes(out)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Read from the place: what was written there last, else zeros."""
        view = memoryview(buffer).cast("B")
        found = self._stored(len(view))
        view[: len(found)] = found
        view[len(found) :] = bytes(len(view) - len(found))
        for start, data in self._kept:
            low, high = max(start, self._at), min(start + len(data), self._at + len(view))
            if low < high:
                view[low - self._at : high - self._at] = data[low - start : high - start]
        self._at += len(view)
        return len(view)

    def _stored(self, size: int) -> bytes:
        """What the disk has at the place; nothing where it fails."""
        try:
            return b"" if self._closed else os.pread(self._file, size, self._at)
        except OSError as problem:
            self.problem = self.problem or problem
            return b""

    def truncate(self, size: int) -> int:
        """Set the length."""
        try:
            if self.problem is None:
                os.ftruncate(self._file, size)
        except OSError as problem:
            self.problem = problem
        self._end = size
        return size

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Let go of the file; what still comes stays in memory."""
        self.problem = self.problem or OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._closed = True
        os.close(self._file)


@contextmanager
def h5_new(path: str | os.PathLike[str]) -> Iterator[tuple[File, Disk]]:
    """A new HDF5 file, and the disk below it.

    Raises
    ------
    OSError
        The disk did not take all; `Disk.check` says so earlier.
    """
    import h5py

    disk = Disk(path)
    try:
        with h5py.File(disk, "w") as file:
            yield file, disk
        disk.check()
    finally:
        disk.close()


def check_space(path: str | os.PathLike[str], need: float) -> None:
    """Raise UsageError if the disk of a path has less than `need` bytes free."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    if free < need:
        what = f"the disk has {free / MB:.1f} MB free, the file takes {need / MB:.1f} MB or more"
        raise UsageError(what, os.fspath(path), "free some space or choose another folder")
