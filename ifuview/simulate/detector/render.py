"""Light of fibers on pixels: pixel-integrated Gaussian profiles, optionally convolved with a uniform disk."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.model.checks import Array

HALF_ROWS = 9  # rows on each side of a fiber that get light
DISK_NODES = 9  # Gauss-Chebyshev nodes of the disk's projection
SQRT1_2 = math.sqrt(0.5)


def render(center: Array, sigma: Array, flux: Array, nrow: int, disk: float = 0.0) -> NDArray[np.float64]:
    """Return the expected counts of all fibers.

    Parameters
    ----------
    center, sigma : ndarray, shape (nfiber, ncol), px
    flux : ndarray, shape (nfiber, ncol)
        Counts per column.
    nrow : int
        Cross-dispersion size of the image.
    disk : float, px
        Radius of the fiber image; its projection, a half ellipse, is integrated by `DISK_NODES` nodes.

    Returns
    -------
    ndarray of float64, shape (nrow, ncol)
        Sums to `flux` over rows for fibers away from the edges.
    """
    image = np.zeros((nrow, center.shape[1]))
    center, sigma, flux = (np.ascontiguousarray(a, np.float64) for a in (center, sigma, flux))
    if disk <= 0:
        _add_fibers(image, center, sigma, flux)
        return image
    angle = np.arange(1, DISK_NODES + 1) * np.pi / (DISK_NODES + 1)
    for node, weight in zip(disk * np.cos(angle), 2 / (DISK_NODES + 1) * np.sin(angle) ** 2):
        _add_fibers(image, center + node, sigma, flux * weight)
    return image


@njit(cache=True, nogil=True)
def _add_fibers(image: Array, center: Array, sigma: Array, flux: Array) -> None:
    """Add every fiber to the image, row by row around it."""
    nrow = image.shape[0]
    nfiber, ncol = center.shape
    for k in range(nfiber):
        for x in range(ncol):
            f = flux[k, x]
            if f == 0.0 or not math.isfinite(center[k, x]):
                continue
            c = math.floor(center[k, x] + 0.5)
            scale = SQRT1_2 / sigma[k, x]
            below = math.erf((c - HALF_ROWS - 0.5 - center[k, x]) * scale)
            for row in range(c - HALF_ROWS, c + HALF_ROWS + 1):
                above = math.erf((row + 0.5 - center[k, x]) * scale)
                if 0 <= row < nrow:
                    image[row, x] += 0.5 * f * (above - below)
                below = above
