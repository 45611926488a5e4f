"""A cube with its errors and its mask as the kernels take it, and the work spread over threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ifuview.engine.context import SILENT, JobContext, threads
from ifuview.model.checks import Array, readonly
from ifuview.model.image import Image
from ifuview.model.pixels import Pixels

NO_WORDS: Array = readonly(np.zeros((0, 0, 0), np.uint32), "no errors")
NO_MASK: Array = readonly(np.zeros((0, 0, 0), np.uint8), "no mask")
PIECE = 64  # planes that are converted at once where the cube is not stored in single precision
Box = tuple[int, int, int, int]  # y0, y1, x0, x1


class Stored(NamedTuple):
    """Some planes as the kernels take them: bits, byte order; of errors also what is stored; mask."""

    flux: Array
    swap: bool
    error: Array
    error_swap: bool
    power: int
    mask: Array


@dataclass(frozen=True, slots=True, eq=False)
class CubeParts:
    """The voxels of a cube (wave, y, x).

    Parameters
    ----------
    flux : Pixels
    error : Pixels or None
        Inverse variances, however they are stored.
    mask : Pixels or None
        Bits, 0 = good.
    """

    flux: Pixels
    error: Pixels | None = None
    mask: Pixels | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns."""
        depth, ny, nx = self.flux.shape
        return depth, ny, nx

    def stored(self, first: int, last: int, box: Box | None = None) -> Stored:
        """Planes first..last-1: as they lie in the file where they can be read so, else a copy of the box."""
        flux, swap = _words(self.flux, first, last, box if self.copied else None)
        error, error_swap, power = NO_WORDS, False, 1
        if self.error is not None:
            error, error_swap = _words(self.error, first, last, box if self.copied else None)
            power = self.error.power if _is_plain(self.error) else 1
        mask = NO_MASK
        if self.mask is not None:
            mask = _cut(np.asarray(self.mask.raw), first, last, box if self.copied else None)
            mask = mask.view(f"u{mask.dtype.itemsize}") if mask.dtype.kind in "iu" else (mask != 0).view(np.uint8)
        mask.flags.writeable = False  # one kind of arrays: kernels are compiled once
        return Stored(flux, swap, error, error_swap, power, mask)

    def values(self, first: int, last: int, rows: slice) -> tuple[Array, Array]:
        """Flux and inverse variances (1 without errors) of some rows, single precision; 0 and 0 where not known."""
        flux = np.asarray(self.flux.physical(self.flux.raw[first:last, rows]), np.float32)
        known = np.isfinite(flux)
        weight = np.ones_like(flux)
        if self.error is not None:
            weight = np.asarray(self.error.physical(self.error.raw[first:last, rows]), np.float32)
            known &= np.isfinite(weight) & (weight > 0)
        if self.mask is not None:
            known &= self.mask.raw[first:last, rows] == 0
        return np.where(known, flux, np.float32(0)), np.where(known, weight, np.float32(0))

    @property
    def copied(self) -> bool:
        """Whether numbers have to be converted, so that planes are cut to what is needed."""
        return not (_is_plain(self.flux) and (self.error is None or _is_plain(self.error)))

    def pieces(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Ranges of planes that are worked on at once: one for each thread, or smaller ones that are converted."""
        step = PIECE if self.copied else max(-(-(last - first) // threads()), 1)
        return ((k, min(k + step, last)) for k in range(first, last, step))


def parts_of(image: Image, plane: tuple[int, ...] = ()) -> CubeParts:
    """The cube of an image; of one with more axes that which `plane` lies in."""
    lead = image.pixels.ndim - 3
    at = (tuple(plane[:-1]) + (0,) * lead)[:lead]

    def cube(pixels: Pixels | None) -> Pixels | None:
        if pixels is None or not lead:
            return pixels
        return Pixels(pixels.raw[at], pixels.scale, pixels.zero, pixels.blank, pixels.power, pixels.double)

    flux = cube(image.pixels)
    assert flux is not None
    return CubeParts(flux, cube(image.ivar), cube(image.mask))


def spread(work: Callable[[int, int], None], pieces: Iterable[tuple[int, int]], ctx: JobContext = SILENT) -> None:
    """Do some work on every piece, on all threads that may be used."""
    ranges = list(pieces)
    if len(ranges) < 2 or threads() < 2:
        for piece in ranges:
            ctx.check()
            work(*piece)
        return
    with ThreadPoolExecutor(threads()) as pool:
        for done in [pool.submit(_unless_stopped, work, piece, ctx) for piece in ranges]:
            done.result()


def _unless_stopped(work: Callable[[int, int], None], piece: tuple[int, int], ctx: JobContext) -> None:
    """One piece of the work, if it is still wanted."""
    ctx.check()
    work(*piece)


def _is_plain(pixels: Pixels) -> bool:
    """Whether the stored numbers are single precision without scaling."""
    single = pixels.raw.dtype.kind == "f" and pixels.raw.dtype.itemsize == 4
    return single and (pixels.scale, pixels.zero, pixels.blank) == (1.0, 0.0, None)


def _cut(raw: Array, first: int, last: int, box: Box | None) -> Array:
    """Some planes, or a box of them."""
    if box is None:
        return raw[first:last]
    y0, y1, x0, x1 = box
    return np.ascontiguousarray(raw[first:last, y0:y1, x0:x1])


def _words(pixels: Pixels, first: int, last: int, box: Box | None) -> tuple[Array, bool]:
    """Planes as 32-bit words, and whether their bytes stand the other way round."""
    raw = np.asarray(pixels.raw)
    if box is None and _is_plain(pixels):
        return raw[first:last].view(np.uint32), not raw.dtype.isnative
    values = pixels.physical(_cut(raw, first, last, box))
    with np.errstate(over="ignore"):
        return readonly(np.ascontiguousarray(values, np.float32).view(np.uint32), "a box"), False
