"""Images and traces as the kernels of the profile take them: dispersion axis first, contiguous, fibers rising."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.cores import blocks, spread
from ifuview.model.checks import Array

BLOCK = 32  # pixels in a square that stays in the cache


def rising(center: Array) -> NDArray[np.intp]:
    """Order of the fibers (nfiber, ncol) by mean center, those without any last."""
    known = np.isfinite(center)
    total = np.where(known, center, 0).sum(axis=1)
    mean = np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.inf)
    return np.argsort(mean, kind="stable")


def transposed(values: Array, dtype: type) -> Array:
    """Columns first, contiguous."""
    return np.ascontiguousarray(np.asarray(values).T, dtype)


def pixels(
    image: Array, variance: float | Array, mask: Array | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Data and variance, columns first; variance is inf, and data 0, where a pixel cannot be used."""
    given, left_out = np.asarray(image), np.zeros((1, 1), bool) if mask is None else np.asarray(mask, bool)
    spread_out = np.atleast_2d(np.asarray(variance, np.float32))
    data, floor = (np.empty(given.shape[::-1], np.float32) for _ in range(2))

    def some(part: tuple[int, int]) -> None:
        _lay_out(given, spread_out, left_out, *part, data, floor)

    spread(some, blocks(given.shape[1]))
    return data, floor


@njit(cache=True, nogil=True)
def _lay_out(image: Array, variance: Array, mask: Array, begin: int, end: int, data: Array, floor: Array) -> None:
    """Some columns of `pixels`, block by block, as reading along columns would miss the cache."""
    one, every = variance.shape[0] == 1 and variance.shape[1] == 1, mask.shape == image.shape
    for row in range(0, image.shape[0], BLOCK):
        for column in range(begin, end, BLOCK):
            for x in range(column, min(column + BLOCK, end)):
                for r in range(row, min(row + BLOCK, image.shape[0])):
                    value = np.float32(image[r, x])
                    known = variance[0, 0] if one else variance[r, x]
                    if np.isfinite(value) and np.isfinite(known) and known > 0 and not (every and mask[r, x]):
                        data[x, r], floor[x, r] = value, known
                    else:
                        data[x, r], floor[x, r] = np.float32(0), np.float32(np.inf)
