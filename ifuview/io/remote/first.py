"""The first image of a FITS file that is being fetched: told of as soon as it is here, long before the rest."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ifuview.engine.context import JobContext
from ifuview.io.fits.head import first_image_end
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

    def look(self, done: int) -> None:
        """`done` bytes are there."""
        if not self._wanted or self._size is None or done < self._next:
            return
        end = first_image_end(self._part)
        self._next = 2 * done if end is None else end
        if end is not None and end > WORTH * self._size:
            self._wanted = False
        elif end is not None and end <= done:
            self._wanted = False
            self._tell(end)

    def _tell(self, end: int) -> None:
        with suppress(OSError):  # a disk without room has its own sentence soon
            self._to.parent.mkdir(exist_ok=True, mode=0o700)
            shutil.copyfile(self._part, self._to)
            with open(self._to, "r+b") as file:
                file.truncate(end)
            self._ctx.tell(FirstImage(str(self._to)))
