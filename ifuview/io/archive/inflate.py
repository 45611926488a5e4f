"""Packed bytes (gzip, bzip2, xz) inflated into memory, never more than was allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ifuview import memory
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.io.source import ANY_GZIP, BZIP2_MAGIC, CHUNK, GZIP_MAGIC

XZ_MAGIC = b"\xfd7zXZ\x00"
MAGIC_BYTES = len(XZ_MAGIC)
XZ_MEMORY = 1 << 30  # bytes that the decoder itself may take; the strongest usual setting needs 65 MiB


class _Engine(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def feed(self, packed: bytes) -> bytes:
        """Up to CHUNK more bytes; empty input asks for what is still held back."""


def is_packed(start: bytes) -> bool:
    """Whether a file that begins with these bytes is packed."""
    return start.startswith((GZIP_MAGIC, BZIP2_MAGIC, XZ_MAGIC))


def inflated(packed: memoryview, most: int, where: str, ctx: JobContext = SILENT) -> memoryview:
    """Return everything that is packed.

    Parameters
    ----------
    packed : memoryview of bytes
    most : int, bytes
        What it may take.
    where : str
        Path for messages.

    Raises
    ------
    FileFormatError, TooLargeError
        It is damaged or cut off; it grows beyond `most`.
    """
    out = bytearray()
    for part in parts(packed, where, ctx):
        out += part
        if len(out) > most:
            raise memory.beyond(most, where)
    return memoryview(out).toreadonly()


def beginning(packed: memoryview, size: int, where: str) -> bytes:
    """Return the first `size` bytes of what is packed, fewer if there are no more; nothing of damaged data."""
    out = b""
    try:
        for part in parts(packed, where):
            out += part
            if len(out) >= size:
                break
    except FileFormatError:
        pass
    return out[:size]


def parts(packed: memoryview, where: str, ctx: JobContext = SILENT) -> Iterator[bytes]:
    """Inflate piece by piece; several streams one behind the other are one."""
    import lzma
    import zlib

    at, size, magic = 0, len(packed), bytes(packed[:MAGIC_BYTES])
    engine = _engine(magic)
    try:
        while True:
            while at < size and not engine.eof:
                ctx.checkpoint(at / size, "inflating")
                piece = bytes(packed[at : at + CHUNK])
                at += len(piece)
                out = engine.feed(piece)
                while out:
                    ctx.check()
                    yield out
                    out = b"" if engine.eof else engine.feed(b"")
            if not engine.eof:
                raise FileFormatError("the compressed file is cut off", where, "copy or download it again")
            at -= len(engine.unused_data)
            if not is_packed(bytes(packed[at : at + MAGIC_BYTES])):
                return
            engine = _engine(magic)
    except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError, MemoryError) as problem:
        words = str(problem) or type(problem).__name__
        raise FileFormatError(f"the compressed data are damaged ({words})", where) from problem


def _engine(magic: bytes) -> _Engine:
    if magic.startswith(GZIP_MAGIC):
        return _Gzip()
    return _Streamed(magic.startswith(BZIP2_MAGIC))


class _Gzip:
    """One gzip member."""

    def __init__(self) -> None:
        import zlib

        self._inflate = zlib.decompressobj(ANY_GZIP)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def feed(self, packed: bytes) -> bytes:
        return self._inflate.decompress(self._inflate.unconsumed_tail + packed, CHUNK)


class _Streamed:
    """One bzip2 or xz stream."""

    def __init__(self, bzip2: bool) -> None:
        import bz2
        import lzma

        self._inflate = bz2.BZ2Decompressor() if bzip2 else lzma.LZMADecompressor(memlimit=XZ_MEMORY)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data if self._inflate.eof else b""

    def feed(self, packed: bytes) -> bytes:
        if not packed and self._inflate.needs_input:
            return b""
        return self._inflate.decompress(packed, CHUNK)
