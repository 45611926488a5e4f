"""Reduced copies of an image, so that a zoomed-out view reads a few pixels and loses nothing it must show.

Level k holds one value for every 2**k x 2**k native pixels: their mean, their bitwise or (masks), or the *extreme*: the
pixel that deviates most from its surroundings. With the extreme a single dead row, a one-pixel line and a single hot
pixel are still there at any zoom. Two surroundings count, whichever the pixel is farther from: the median of its
column over a stripe of rows, which follows the sky lines of row-stacked spectra so that a dead fiber stands out on them
too, and the median of that over some columns, so that a line along the column itself stands out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ifuview.app.frames.look import Reduction
from ifuview.engine.context import SILENT, JobContext
from ifuview.model.checks import Array
from ifuview.model.pixels import Floats, Pixels

BLOCK_ROWS = 256  # rows reduced at once: 2**8, all levels of a block stay in cache
BLOCK_COLUMNS = 1 << 16  # columns at once: memory of a very wide image stays small
STRIPE_ROWS = 128  # rows over which the local level is a median
SEGMENT_COLUMNS = 64  # columns over which the level around is a median
STRIPE_SAMPLES = 17  # rows of a stripe that enter the median
SMALLEST = 128  # longer axis of the coarsest level, px
MAX_LEVEL = 8  # log2(BLOCK_ROWS)

Levels = tuple[Floats, Floats]
Fold = Callable[..., list[Array]]


@dataclass(frozen=True, slots=True, eq=False)
class Pyramid:
    """Reduced copies of one plane.

    Parameters
    ----------
    kind : Reduction or None
        How pixels were reduced; None for the bitwise or of a mask.
    shape : (ny, nx)
        Of the image itself, which is level 0 and not copied.
    levels : tuple of ndarray
        Level k at index k - 1, shape (ceil(ny / 2**k), ceil(nx / 2**k)).
    mask : Pyramid or None
        The same for the mask of the image.
    """

    kind: Reduction | None
    shape: tuple[int, int]
    levels: tuple[Array, ...] = ()
    mask: Pyramid | None = None
    only: ClassVar[bool] = False  # there are no others: the pixels themselves are not all there

    @property
    def nbytes(self) -> int:
        """Memory of all levels."""
        return sum(a.nbytes for a in self.levels) + (self.mask.nbytes if self.mask else 0)


def build_pyramid(
    pixels: Pixels, kind: Reduction = Reduction.MEAN, ctx: JobContext = SILENT, *, mask: Pixels | None = None
) -> Pyramid:
    """Reduce a 2-D plane (and its mask) to all levels, in row blocks with a checkpoint each.

    Parameters
    ----------
    pixels : Pixels, shape (ny, nx)
    kind : Reduction
        NEAREST is built as MEAN (a nearest view needs no pyramid).
    ctx : JobContext
    mask : Pixels, shape (ny, nx), optional

    Returns
    -------
    Pyramid
    """
    kind = Reduction.EXTREME if kind is Reduction.EXTREME else Reduction.MEAN
    top = 0.7 if mask is not None else 1.0
    with np.errstate(all="ignore"):  # infinities and overflow are the data's own
        levels = _reduce(pixels, kind, ctx.part(0.0, top))
    masked = None
    if mask is not None:
        masked = Pyramid(None, (mask.shape[0], mask.shape[1]), _reduce(mask, None, ctx.part(top, 1.0)))
    return Pyramid(kind, (pixels.shape[0], pixels.shape[1]), levels, masked)


def column_levels(rows: Floats) -> Levels:
    """Median of each column over some of the rows, and its median over the columns around, both shape (nx,)."""
    level = _level(rows)
    padded = np.pad(level, (0, -level.size % SEGMENT_COLUMNS), mode="edge").reshape(-1, SEGMENT_COLUMNS)
    around = np.repeat(np.median(padded, axis=1), SEGMENT_COLUMNS)[: level.size]
    return level, around.astype(level.dtype)


def _level(rows: Floats) -> Floats:
    """Median of each column over some of the rows, NaN-aware; 0 for a column without any value."""
    some = rows[:: max(1, rows.shape[0] // STRIPE_SAMPLES)]
    out = np.median(some, axis=0)
    bad = np.isnan(out)
    if bad.any():
        columns = np.sort(some[:, bad], axis=0)  # NaN last
        n = np.isfinite(columns).sum(axis=0)
        middle = np.take_along_axis(columns, np.maximum(n - 1, 0)[None] // 2, axis=0)[0]
        out[bad] = np.where(n > 0, middle, 0)
    return out.astype(rows.dtype)


def deviation(values: Floats, levels: Levels) -> Floats:
    """How far values (n, nx) are from the level of their column or of the columns around; -1 for NaN."""
    level, around = levels
    # the farther of two levels is the farther of their larger from below and their smaller from above
    out = values - np.minimum(level, around)
    np.maximum(out, np.maximum(level, around) - values, out=out)
    return np.fmax(out, np.float32(-1), out=out)


def _reduce(pixels: Pixels, kind: Reduction | None, ctx: JobContext) -> tuple[Array, ...]:
    """All levels of one plane."""
    ny, nx = pixels.shape
    dtype = pixels.raw.dtype.newbyteorder("=")
    if kind is not None:
        dtype = np.dtype(np.float64 if pixels.double else np.float32)
    levels = [np.empty((-(-ny >> k), -(-nx >> k)), dtype) for k in _depths(ny, nx)]
    for top in range(0, ny, BLOCK_ROWS):
        for left in range(0, nx, BLOCK_COLUMNS):
            ctx.checkpoint((top + min(BLOCK_ROWS, ny - top) * left / nx) / ny, "Reducing")
            raw = pixels.raw[top : top + BLOCK_ROWS, left : left + BLOCK_COLUMNS]
            if kind is None:
                _fold_into(levels, top, left, [np.asarray(raw, dtype)], _or)
                continue
            block = pixels.physical(raw)
            if kind is Reduction.MEAN:
                _fold_into(levels, top, left, [block], _mean_nan if np.isnan(np.sum(block)) else _mean)
                continue
            parts = [block[a : a + STRIPE_ROWS] for a in range(0, len(block), STRIPE_ROWS)]
            far = np.concatenate([deviation(part, column_levels(part)) for part in parts])
            _fold_into(levels, top, left, [block, far], _extreme)
    return tuple(levels)


def _depths(ny: int, nx: int) -> range:
    """Levels worth having: down to `SMALLEST` pixels on the longer axis."""
    depth = 0
    while depth < MAX_LEVEL and max(ny, nx) >> depth > SMALLEST:
        depth += 1
    return range(1, depth + 1)


def _fold_into(levels: list[Array], top: int, left: int, parts: list[Array], fold: Fold) -> None:
    """Halve a block again and again and put each result into its level."""
    for k, level in enumerate(levels, 1):
        parts = fold(*(_even(p) for p in parts))
        (ny, nx), y, x = parts[0].shape, top >> k, left >> k
        level[y : y + ny, x : x + nx] = parts[0]


def _even(a: Array) -> Array:
    """Repeat the last row and column of an array with odd sides."""
    ny, nx = a.shape
    return np.pad(a, ((0, ny & 1), (0, nx & 1)), mode="edge") if (ny | nx) & 1 else a


def _mean(a: Array) -> list[Array]:
    """Mean of 2 x 2 pixels."""
    m = a[0::2, 0::2] + a[0::2, 1::2]
    m += a[1::2, 0::2]
    m += a[1::2, 1::2]
    m *= np.float32(0.25)
    return [m]


def _mean_nan(a: Array) -> list[Array]:
    """Mean of the finite ones of 2 x 2 pixels."""
    good = ~np.isnan(a)
    total = _mean(np.where(good, a, np.float32(0)))[0]
    share = _mean(good.astype(np.float32))[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return [np.where(share > 0, total / share, np.float32(np.nan))]


def _or(a: Array) -> list[Array]:
    """Bitwise or of 2 x 2 pixels."""
    return [a[0::2, 0::2] | a[0::2, 1::2] | a[1::2, 0::2] | a[1::2, 1::2]]


def _extreme(value: Array, far: Array) -> list[Array]:
    """Value and deviation of that pixel of 2 x 2 that deviates most."""
    for axis in (0, 1):
        even, odd = (
            (slice(0, None, 2), slice(1, None, 2))
            if axis == 0
            else (
                (slice(None), slice(0, None, 2)),
                (slice(None), slice(1, None, 2)),
            )
        )
        first = far[even] >= far[odd]
        value = np.where(first, value[even], value[odd])
        far = np.where(first, far[even], far[odd])
    return [value, far]
