"""Light of fibers with profiles that are no Gaussians: with Moffat wings, round, skew."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array

REACH, PER_WIDTH = 40, 1000  # widths on each side, and nodes per width, of the tables
MOFFAT_BETA, MOFFAT_CORE = 3.5, 2.4  # power, and core radius in widths
DISK_RADIUS, DISK_BLUR = 1.2, 0.9  # widths: of the fiber's image, and of the Gaussian it is blurred by
ROWS = 40  # rows on each side of a fiber that get light


def cumulative(shape: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return distances in widths and the share of the light below them, of a shape by name.

    "gaussian"; "moffat", with power 3.5; "disk", the projection of a disk blurred by a Gaussian; "skew", a Gaussian
    with a shoulder on one side and a faint bump on the other.

    Raises
    ------
    LookupError
        No shape has this name.
    """
    u = np.linspace(-REACH, REACH, 2 * REACH * PER_WIDTH + 1)
    if shape == "gaussian":
        density = _gaussian(u)
    elif shape == "moffat":
        density = (1 + (u / MOFFAT_CORE) ** 2) ** -MOFFAT_BETA
    elif shape == "disk":
        angle = np.arange(1, 40) * np.pi / 40
        density = np.zeros_like(u)
        for a in angle:
            density += np.sin(a) ** 2 * _gaussian(u - DISK_RADIUS * np.cos(a), DISK_BLUR)
    elif shape == "skew":
        density = _gaussian(u) + 0.12 * _gaussian(u - 2, 1.3) + 0.03 * _gaussian(u + 3)
    else:
        raise LookupError(f"no profile is called {shape!r}")
    total = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return u, total / total[-1]


def render_shape(center: Array, width: Array, flux: Array, nrow: int, shape: str) -> NDArray[np.float64]:
    """Return the expected counts of all fibers with a profile of `cumulative`.

    Parameters
    ----------
    center, width : ndarray, shape (nfiber, ncol), px
    flux : ndarray, shape (nfiber, ncol)
        Counts per column.
    nrow : int
        Cross-dispersion size of the image.

    Returns
    -------
    ndarray of float64, shape (nrow, ncol)
    """
    u, share = cumulative(shape)
    image = np.zeros((nrow, center.shape[1]))
    for k in range(center.shape[0]):
        r0 = max(0, int(np.floor(center[k].min())) - ROWS)
        r1 = min(nrow, int(np.ceil(center[k].max())) + ROWS + 1)
        edge = np.arange(r0, r1 + 1)[:, None] - 0.5
        image[r0:r1] += flux[k] * np.diff(np.interp((edge - center[k]) / width[k], u, share), axis=0)
    return image


def _gaussian(u: Array, sigma: float = 1.0) -> NDArray[np.float64]:
    """Unnormalized Gaussian."""
    out: NDArray[np.float64] = np.exp(-0.5 * (u / sigma) ** 2)
    return out
