"""Bytes of a file from its start to its end: mapped where it lies, or inflated while it is read."""

from __future__ import annotations

from collections.abc import Generator
from mmap import mmap

import numpy as np

from ifuview import memory
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.inputs import regular_file
from ifuview.io.packed import CHUNK, MAGIC_BYTES, Inflater, is_packed

IN_MEMORY = 100 << 20  # bytes of a plain file that are read at once


def open_source(path: str, ctx: JobContext = SILENT) -> tuple[MappedSource | InflatedSource, bool]:
    """Return the bytes of `path`, uncompressed, and whether they are mapped (free to skip).

    A plain file is read whole up to `IN_MEMORY`, so that whoever writes into it meanwhile changes nothing that is
    shown; of a larger one that is cut off, what is gone reads as zeros (see `mapping`).
    """
    size = regular_file(path).st_size
    try:
        with open(path, "rb") as file:
            if not is_packed(file.read(MAGIC_BYTES)):
                if size <= IN_MEMORY:
                    file.seek(0)  # numpy asks for large pages: half the time of read()
                    return MappedSource(np.fromfile(file, np.uint8).data.toreadonly()), True
                from ifuview.io.mapping import map_file

                return MappedSource(map_file(file.fileno(), size)), True
    except (OSError, ValueError) as problem:
        raise FileFormatError(f"cannot be read ({_reason(problem)})", path) from problem
    return InflatedSource(path, size, ctx), False


class MappedSource:
    """A plain file: only the pages that are looked at are read."""

    def __init__(self, data: mmap | bytes | memoryview) -> None:
        self._view = memoryview(data)
        self._at = 0

    @property
    def position(self) -> int:
        """Bytes handed out so far."""
        return self._at

    def read(self, size: int) -> bytes:
        """Up to `size` bytes."""
        out = bytes(self._view[self._at : self._at + size])
        self._at += len(out)
        return out

    def take(self, size: int, keep: bool) -> tuple[memoryview | None, int]:
        """Pass over `size` bytes without reading them."""
        part = self._view[self._at : self._at + size]
        self._at += len(part)
        return part, len(part)

    def check_rest(self) -> None:
        """Nothing to do: there is no sum to compare with."""

    def close(self) -> None:
        """Nothing to do: the map lives as long as the pixels."""


class InflatedSource:
    """A gzip (also of several members), bzip2 or xz file, inflated chunk by chunk."""

    def __init__(self, path: str, size: int, ctx: JobContext) -> None:
        self._path, self._size, self._ctx = path, size, ctx
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed at the end of the stream
        self._pieces = self._inflated()
        self._ready = memoryview(b"")
        self._at = 0
        self._kept, self._most = 0, memory.allowed()

    @property
    def position(self) -> int:
        """Inflated bytes handed out so far."""
        return self._at

    def read(self, size: int) -> bytes:
        """Up to `size` bytes."""
        part, _ = self.take(size, keep=True)
        return b"" if part is None else bytes(part)

    def take(self, size: int, keep: bool) -> tuple[memoryview | None, int]:
        """Inflate `size` bytes, into memory if they are kept; memory grows only with what is there."""
        out, done = bytearray(), 0
        if keep and self._kept + size > self._most:
            raise memory.beyond(self._most, self._path)
        while done < size and self._fill():
            part = self._ready[: size - done]
            self._ready = self._ready[len(part) :]
            done += len(part)
            if keep:
                out += part
        self._at += done
        self._kept += len(out)
        return (memoryview(out) if keep else None), done

    def check_rest(self) -> None:
        """Inflate all that is left: whether the data are damaged is told by the sum behind them.

        Raises
        ------
        FileFormatError
            They are.
        """
        while self.take(CHUNK, keep=False)[1]:
            pass

    def _fill(self) -> bool:
        """Have at least one byte ready; False at the end of the stream."""
        while not len(self._ready) and (piece := next(self._pieces, None)) is not None:
            self._ready = memoryview(piece)
        return len(self._ready) > 0

    def _inflated(self) -> Generator[bytes]:
        inflater = Inflater(self._path)
        with self._file:
            while packed := self._file.read(CHUNK):
                self._ctx.checkpoint(min(self._file.tell() / self._size, 1.0), "unpacking")
                for out in inflater.feed(packed):
                    self._ctx.check()
                    yield out
        inflater.close()

    def close(self) -> None:
        """Close the file; nothing more comes."""
        self._pieces.close()
        self._file.close()


def _reason(problem: BaseException) -> str:
    """The operating system's words, or the exception's."""
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
