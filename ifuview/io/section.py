"""Cut the section out of an image that the user asked for, with everything that belongs to its pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.errors import FileFormatError, UsageError
from ifuview.io.fits.spec import FileSpec, Range
from ifuview.io.fits.world import shifted
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Amplifier, Image, Kind
from ifuview.model.pixels import Pixels


def cut(image: Image, spec: FileSpec) -> Image:
    """Return the section of `image` that `spec` names; the image itself if it names none.

    A block factor sums pixels; inverse variance and mask are then left out.

    Raises
    ------
    UsageError
        The section lies outside the image.
    """
    if spec.section is None and spec.block == 1:
        return image
    ny, nx = image.shape
    xs, ys = spec.section or ((None, None), (None, None))
    x, y = _bounds(xs, nx, "x", spec), _bounds(ys, ny, "y", spec)
    block = spec.block
    if block > min(x[1] - x[0], y[1] - y[0]):
        raise UsageError(f"the block factor {block} is larger than the section", spec.text)
    whole = block == 1
    return replace(
        image,
        pixels=_cut(image.pixels, x, y) if whole else _blocked(_cut(image.pixels, x, y), block),
        ivar=_cut(image.ivar, x, y) if image.ivar is not None and whole else None,
        mask=_cut(image.mask, x, y) if image.mask is not None and whole else None,
        wave=_wave(image, x, y, block),
        lsf=image.lsf[y[0] : y[1], x[0] : x[1]] if image.lsf is not None and whole else None,
        fibermap=_fibers(image.fibermap, y) if image.kind is Kind.RSS and whole else None,
        amplifiers=tuple(a for a in (_amplifier(a, x, y) for a in image.amplifiers) if a) if whole else (),
        wcs=shifted(image.wcs, x[0], y[0], block),
    )


def _bounds(axis: Range, size: int, name: str, spec: FileSpec) -> tuple[int, int]:
    """0-based half-open range of a 1-based inclusive one, clipped to the image."""
    low, high = axis[0] or 1, size if axis[1] is None else axis[1]
    if low > size or high < 1:
        raise UsageError(f"the section {name} {low}:{high} lies outside the image (1:{size})", spec.text)
    return max(low, 1) - 1, min(high, size)


def _cut(pixels: Pixels, x: tuple[int, int], y: tuple[int, int]) -> Pixels:
    """A view of the section."""
    return replace(pixels, raw=pixels.raw[..., y[0] : y[1], x[0] : x[1]])


def _blocked(pixels: Pixels, block: int) -> Pixels:
    """Sum `block` x `block` pixels into one; an incomplete edge is dropped."""
    if pixels.ndim != 2:
        raise FileFormatError("a block factor works on two-dimensional images only")
    ny, nx = (size // block for size in pixels.shape)
    values = pixels.physical(pixels.raw[: ny * block, : nx * block])
    return Pixels(values.reshape(ny, block, nx, block).sum(axis=(1, 3), dtype=np.float32))


def _wave(image: Image, x: tuple[int, int], y: tuple[int, int], block: int) -> Array | None:
    """Wavelengths of the section."""
    if image.wave is None or image.kind is Kind.CUBE:
        return image.wave
    wave = image.wave[..., x[0] : x[1]]
    wave = wave[y[0] : y[1]] if wave.ndim == 2 else wave
    if block == 1 or wave.ndim == 2:
        return wave if block == 1 else None
    return np.asarray(wave[: len(wave) // block * block].reshape(-1, block).mean(axis=1))


def _fibers(fibers: FiberMap | None, y: tuple[int, int]) -> FiberMap | None:
    """The fibers of the rows of the section."""
    if fibers is None:
        return None
    rows = slice(*y)
    table = {name: column[rows] for name, column in fibers.table.items()}
    return replace(
        fibers,
        fiber=fibers.fiber[rows],
        fiber_id=fibers.fiber_id[rows],
        role=fibers.role[rows],
        target=fibers.target[rows],
        block=_rows(fibers.block, rows),
        focal_x=_rows(fibers.focal_x, rows),
        focal_y=_rows(fibers.focal_y, rows),
        ra=_rows(fibers.ra, rows),
        dec=_rows(fibers.dec, rows),
        status=_rows(fibers.status, rows),
        table=table,
    )


def _rows(column: Array | None, rows: slice) -> Array | None:
    """Rows of a column, if there is one."""
    return None if column is None else column[rows]


def _amplifier(amp: Amplifier, x: tuple[int, int], y: tuple[int, int]) -> Amplifier | None:
    """The part of an amplifier inside the section, in its pixels."""
    x0, x1 = max(amp.x0, x[0]) - x[0], min(amp.x1, x[1]) - x[0]
    y0, y1 = max(amp.y0, y[0]) - y[0], min(amp.y1, y[1]) - y[0]
    return replace(amp, x0=x0, x1=x1, y0=y0, y1=y1) if x0 < x1 and y0 < y1 else None
