"""Images and traces as the kernels of the profile take them: dispersion axis first, contiguous, fibers rising."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.cores import turned
from ifuview.model.checks import Array


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
    data = turned(np.asarray(image), np.float32)
    floor = turned(np.broadcast_to(np.asarray(variance, np.float32), np.shape(image)), np.float32)
    unusable = ~(np.isfinite(data) & np.isfinite(floor) & (floor > 0))
    if mask is not None:
        unusable |= np.asarray(mask, bool).T
    floor[unusable] = np.inf
    data[unusable] = 0
    return data, floor
