"""A fixed piece of work that the bars of the engine are multiples of: the arithmetic of an extraction, nothing of ours.

How fast memory is copied says little of how fast a machine calculates: the same code took 12 to 24 copies of a frame
on two machines. This kernel reads pixels about paths, weights them by Gaussians and adds them up, as extraction does.
It never changes, or the bars mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit

REACH = 4  # rows on each side


@njit(cache=True, fastmath=True)
def _weighted(image: np.ndarray, center: np.ndarray, sigma: np.ndarray, out: np.ndarray) -> None:
    """Optimal sums about paths with Gaussian weights, one fiber after the other."""
    nfiber, ncol = center.shape
    for k in range(nfiber):
        for x in range(ncol):
            row = int(center[k, x])
            total, norm = np.float32(0), np.float32(0)
            for j in range(-REACH, REACH + 1):
                r = min(max(row + j, 0), image.shape[0] - 1)
                z = (np.float32(r) - center[k, x]) / sigma[k, x]
                w = np.exp(np.float32(-0.5) * z * z)
                total += w * image[r, x]
                norm += w * w
            out[k, x] = total / norm


def yardstick(image: np.ndarray, center: np.ndarray, sigma: np.ndarray) -> Callable[[], None]:
    """The work, ready to be timed.

    Parameters
    ----------
    image : float32 (nrow, ncol)
    center, sigma : (nfiber, ncol), px
    """
    parts = [np.ascontiguousarray(values, np.float32) for values in (image, center, sigma)]
    out = np.empty(center.shape, np.float32)

    def run() -> None:
        _weighted(*parts, out)

    run()  # compiles, or loads the cache
    return run
