"""The first image of a FITS file that is being fetched: told of as soon as it is here, long before the rest."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ifuview import memory
from ifuview.engine.context import JobContext
from ifuview.errors import FileFormatError
from ifuview.io.fits.head import first_image_end
from ifuview.io.packed import CHUNK, MAGIC_BYTES, Inflater, is_packed
from ifuview.io.remote.sources import PIECE

FOLDER = "first"
WORTH = 0.8  # of a file: what is larger may wait for all of it


@dataclass(frozen=True)
class FirstImage:
    """A file of its own with what stands before and in the first image; its name is that of the whole."""

    path: str


class FirstLook:
    """Looks at a file that grows until its first image is there.

    Parameters
    ----------
    part, target : Path
        Where it grows, and what it is called when it is whole.
    size : int or None, bytes
        Of the whole, if that is told.
    """

    def __init__(self, part: Path, target: Path, size: int | None, ctx: JobContext) -> None:
        self._part, self._size, self._ctx = part, size, ctx
        self._to = target.parent / FOLDER / target.name
        self._wanted = ctx.heard and size is not None
        self._next = PIECE  # bytes, before which there is nothing new to be seen
        self._packed: _Packed | None = None

    def look(self, done: int) -> None:
        """`done` bytes are there."""
        if not self._wanted or self._size is None or done < self._next:
            return
        try:
            self._look(done, self._size)
        except (OSError, FileFormatError):  # a disk without room or a damaged file has its own sentence soon
            self._wanted = False

    def _look(self, done: int, size: int) -> None:
        if self._packed is None and _is_packed(self._part):
            self._to.parent.mkdir(exist_ok=True, mode=0o700)
            self._packed = _Packed(self._part, self._to)
        if self._packed is not None:
            there, end = self._packed.grow(done)
            worth, self._next = done <= WORTH * size and (end or 0) <= memory.allowed(), done + PIECE
        else:
            there, end = done, first_image_end(self._part)
            worth, self._next = (end or 0) <= WORTH * size, end or 2 * done
        if not worth:
            self._wanted = False
        elif end is not None and end <= there:
            self._wanted = False
            self._tell(end)

    def _tell(self, end: int) -> None:
        if self._packed is None:
            self._to.parent.mkdir(exist_ok=True, mode=0o700)
            shutil.copyfile(self._part, self._to)
        with open(self._to, "r+b") as file:
            file.truncate(end)
        self._ctx.tell(FirstImage(str(self._to)))


def _is_packed(path: Path) -> bool:
    with open(path, "rb") as file:
        return is_packed(file.read(MAGIC_BYTES))


class _Packed:
    """A packed file that grows, inflated into another as far as its first image."""

    def __init__(self, packed: Path, plain: Path) -> None:
        self._packed, self._plain = packed, plain
        self._read = self._there = 0
        self._end: int | None = None
        self._inflater = Inflater(str(packed))
        plain.write_bytes(b"")

    def grow(self, done: int) -> tuple[int, int | None]:
        """Inflate what has come up to `done`: bytes that are plain by now, and where the first image ends."""
        with open(self._packed, "rb") as source, open(self._plain, "ab") as out:
            source.seek(self._read)
            while self._read < done and self._there < self._most():
                piece = source.read(min(CHUNK, done - self._read))
                self._read += len(piece)
                for plain in self._inflater.feed(piece):
                    self._there += out.write(plain)
                    out.flush()
                    if self._end is None:
                        self._end = first_image_end(self._plain)
                    if self._there >= self._most():
                        break
        return self._there, self._end

    def _most(self) -> int:
        return memory.allowed() if self._end is None else self._end
