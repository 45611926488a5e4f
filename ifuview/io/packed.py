"""Packed bytes (gzip, bzip2, xz) inflated as they come: the one place that knows the decompressors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ifuview.errors import FileFormatError

CHUNK = 1 << 20  # bytes read or inflated between two checkpoints
GZIP_MAGIC, BZIP2_MAGIC, XZ_MAGIC = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
MAGIC_BYTES = len(XZ_MAGIC)
ANY_GZIP = 31  # zlib: 15-bit window, gzip wrapper
XZ_MEMORY = 1 << 30  # bytes that the decoder itself may take; the strongest usual setting needs 65 MiB


def is_packed(start: bytes) -> bool:
    """Whether a file that begins with these bytes is packed."""
    return start.startswith((GZIP_MAGIC, BZIP2_MAGIC, XZ_MAGIC))


class Inflater:
    """Streams of packed bytes, one behind the other, inflated as they come; what follows the last is passed over.

    Parameters
    ----------
    where : str
        Path for messages.
    most : int, bytes
        Inflated at once.
    """

    def __init__(self, where: str, most: int = CHUNK) -> None:
        self._where, self._most = where, most
        self._engine: _Engine | None = None
        self._held = b""  # too few bytes to tell whether another stream begins
        self._begun = self._ended = False

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Pieces of what is inflated so far; all are taken before more is fed.

        Raises
        ------
        FileFormatError
            The data are damaged.
        """
        import lzma
        import zlib

        packed, self._held = self._held + packed, b""
        try:
            while (engine := self._engine or self._next(packed)) is not None:
                self._engine = engine
                out, packed = engine.feed(packed, self._most)
                if out:
                    yield out
                if engine.eof:
                    self._engine = None
                elif not out and not packed:
                    return
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError, MemoryError) as problem:
            words = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
            raise FileFormatError(f"the compressed data are damaged ({words})", self._where) from problem

    @property
    def whole(self) -> bool:
        """Whether the last stream has come to its end, with its checksum."""
        return self._begun and self._engine is None and not is_packed(self._held)

    def close(self) -> None:
        """No more comes.

        Raises
        ------
        FileFormatError
            A stream is cut off.
        """
        if not self.whole:
            raise FileFormatError("the compressed file is cut off", self._where, "copy or download it again")

    def _next(self, packed: bytes) -> _Engine | None:
        """Begin the stream that these bytes begin; none if they begin none, or are too few to tell."""
        if self._ended or len(packed) < MAGIC_BYTES:
            self._held = packed
        elif is_packed(packed):
            self._begun = True
            return _Gzip() if packed.startswith(GZIP_MAGIC) else _Streamed(packed.startswith(BZIP2_MAGIC))
        else:
            self._ended = True
        return None


class _Engine(Protocol):
    """One stream."""

    @property
    def eof(self) -> bool: ...

    def feed(self, packed: bytes, most: int) -> tuple[bytes, bytes]:
        """Inflated bytes, at most so many, and the packed bytes that are left; none and none: it waits for more."""


class _Gzip:
    """One gzip member."""

    def __init__(self) -> None:
        import zlib

        self._inflate = zlib.decompressobj(ANY_GZIP)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    def feed(self, packed: bytes, most: int) -> tuple[bytes, bytes]:
        out = self._inflate.decompress(packed, most)
        return out, self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail


class _Streamed:
    """One bzip2 or xz stream; it keeps what is left itself."""

    def __init__(self, bzip2: bool) -> None:
        import bz2
        import lzma

        self._inflate = bz2.BZ2Decompressor() if bzip2 else lzma.LZMADecompressor(memlimit=XZ_MEMORY)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    def feed(self, packed: bytes, most: int) -> tuple[bytes, bytes]:
        if not packed and self._inflate.needs_input:
            return b"", b""
        out = self._inflate.decompress(packed, most)
        return out, self._inflate.unused_data if self._inflate.eof else b""
