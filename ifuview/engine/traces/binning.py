"""Means of adjacent columns with cosmics left out: one pass over the frame, read once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.cores import spread
from ifuview.model.checks import Array

PARTS = 4  # means of a quarter of the columns are compared
CLIP_SIGMA, CLIP_SHARE = 6.0, 0.4  # a quarter may exceed the lower ones by so much noise and share of their level
ROW_CHUNK = 256  # rows between two checkpoints
F: Any = np.float32  # kernels work in single precision


def bin_columns(image: Array, width: int, readnoise: float, ctx: JobContext = SILENT) -> NDArray[np.float32]:
    """Return means of `width` columns (a multiple of 4), shape (nrow, ncol // width).

    A quarter of the columns that stands out above the others by `CLIP_SIGMA` of its noise is left out, and one with
    a pixel that is not finite; with all four bad the mean is NaN.
    """
    image = np.ascontiguousarray(image, np.float32)
    out = np.empty((image.shape[0], image.shape[1] // width), np.float32)

    def rows(row: int) -> None:
        _bin_rows(image[row : row + ROW_CHUNK], width, F(readnoise**2), out[row : row + ROW_CHUNK])

    spread(rows, range(0, image.shape[0], ROW_CHUNK), ctx=ctx, text="Binning columns")
    _mend(image, width, out)
    return out


def plain_bins(image: Array, usable: Array | None, width: int) -> NDArray[np.float32]:
    """Return means of `width` columns without any clipping, shape (nrow, ncol // width), NaN with an unusable pixel.

    The same columns count in every row of a bin, so that the light across fibers keeps its shape also where a line of
    the sky is much brighter than the columns beside it; a pixel that was hit has to be told by the model.
    """
    data = np.ascontiguousarray(image, np.float32)
    good = np.ones((1, 1), np.bool_) if usable is None else np.ascontiguousarray(usable, np.bool_)
    out = np.empty((data.shape[0], data.shape[1] // width), np.float32)
    _plain(data, good, width, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _plain(image: Array, usable: Array, width: int, out: Array) -> None:
    masked = usable.shape[0] == image.shape[0] and usable.shape[1] == image.shape[1]
    for r in range(image.shape[0]):
        for b in range(out.shape[1]):
            total, known = F(0), True
            for x in range(b * width, (b + 1) * width):
                total += image[r, x]
                if masked and not usable[r, x]:
                    known = False
            out[r, b] = total / F(width) if known else F(np.nan)


def _mend(image: Array, width: int, out: Array) -> None:
    """Means of the finite quarters where a pixel is not finite."""
    row, bin_ = np.nonzero(~np.isfinite(out))
    if row.size == 0:
        return
    columns = bin_[:, None] * width + np.arange(width)[None]
    quarters = image[row[:, None], columns].reshape(row.size, PARTS, width // PARTS).mean(axis=2)
    good = np.isfinite(quarters)
    count = good.sum(axis=1)
    total = np.where(good, quarters, 0).sum(axis=1)
    out[row, bin_] = np.where(count > 0, total / np.maximum(count, 1), np.nan)


@njit(fastmath={"contract", "reassoc", "nsz", "arcp"}, cache=True, nogil=True, error_model="numpy")
def _bin_rows(image: Array, width: int, floor: float, out: Array) -> None:
    quarter = width // PARTS
    scale = F(1) / F(quarter)
    for r in range(image.shape[0]):
        line = image[r]
        for b in range(out.shape[1]):
            x = b * width
            m0, m1, m2, m3 = F(0), F(0), F(0), F(0)
            for i in range(quarter):
                m0 += line[x + i]
                m1 += line[x + quarter + i]
                m2 += line[x + 2 * quarter + i]
                m3 += line[x + 3 * quarter + i]
            out[r, b] = _clipped_mean(m0 * scale, m1 * scale, m2 * scale, m3 * scale, floor, scale)


@njit(fastmath={"contract", "reassoc", "nsz", "arcp"}, cache=True, nogil=True, error_model="numpy")
def _clipped_mean(m0: float, m1: float, m2: float, m3: float, floor: float, scale: float) -> float:
    """Mean of four means without those far above the lower ones."""
    total = m0 + m1 + m2 + m3
    top, low = max(max(m0, m1), max(m2, m3)), min(min(m0, m1), min(m2, m3))
    middle = F(0.5) * (total - top - low)
    level = min(middle, low + _allowance(low, floor, scale))
    limit = level + _allowance(level, floor, scale)
    if top <= limit:
        return F(0.25) * total
    kept, count = F(0), F(0)
    for m in (m0, m1, m2, m3):
        if m <= limit:
            kept += m
            count += F(1)
    return kept / count


@njit(cache=True, nogil=True, inline="always")
def _allowance(level: float, floor: float, scale: float) -> float:
    """How far one quarter may lie above a level."""
    return F(CLIP_SIGMA) * math.sqrt((floor + max(level, F(0))) * scale) + F(CLIP_SHARE) * abs(level)
