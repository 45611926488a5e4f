"""Packed bytes (gzip, bzip2, xz) inflated into memory, never more than was allowed."""

from __future__ import annotations

from collections.abc import Iterator

from ifuview import memory
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.io.packed import CHUNK, Inflater


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
    inflater, size = Inflater(where), len(packed)
    for at in range(0, size, CHUNK):
        ctx.checkpoint(at / size, "unpacking")
        for out in inflater.feed(bytes(packed[at : at + CHUNK])):
            ctx.check()
            yield out
    inflater.close()
