"""Noise of each amplifier and hits that nobody masked, from the residuals in units of their noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import mad, without_gaps
from ifuview.model.checks import Array
from ifuview.model.night.chain import Section

THIN = 3  # columns that are looked at, one of so many
HIT, RIM = 8.0, 4.0  # sigma of a pixel that is a hit, and of the one two pixels away that a line would still have


def inside(section: Section, cross: Array, disp: Array) -> Array:
    """Pixels that an amplifier reads, shape (nfiber, nwave)."""
    return np.asarray(
        (cross >= section.cross[0]) & (cross < section.cross[1]) & (disp >= section.disp[0]) & (disp < section.disp[1])
    )


def white_noise(flux: Array, sigma: Array, good: Array, where: Mapping[str, Array]) -> dict[str, tuple[float, int]]:
    """Scatter over the noise from differences of neighbors along wavelength, and the number of pixels, by amplifier.

    Parameters
    ----------
    flux, sigma : ndarray, shape (nfiber, nwave)
    good : ndarray of bool, shape (nfiber, nwave)
    where : mapping of amplifier to ndarray of bool, shape (nfiber, nwave)
    """
    count = flux[:, 2::THIN].shape[1]
    first, middle, last = (slice(k, k + THIN * count, THIN) for k in range(3))
    known = good[:, first] & good[:, middle] & good[:, last]
    bend = flux[:, first] - 2 * flux[:, middle] + flux[:, last]
    bend /= np.sqrt(sigma[:, first] ** 2 + 4 * sigma[:, middle] ** 2 + sigma[:, last] ** 2)
    own = {name: bend[known & area[:, last]] for name, area in where.items()}
    return {name: (float(mad(z)), int(z.size)) if z.size else (float("nan"), 0) for name, z in own.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Pixels that only a particle can have lit: sharper than any line.

    Parameters
    ----------
    fiber, column : ndarray of int, shape (nhit,)
    height : ndarray, shape (nhit,), sigma
    """

    fiber: Array
    column: Array
    height: Array


def hits(flux: Array, sigma: Array, good: Array) -> Hits:
    """Narrow peaks: far above their noise, and above both pixels two away by more than a line would be.

    Parameters
    ----------
    flux, sigma : ndarray, shape (nfiber, nwave)
    """
    z = np.where(good, without_gaps(flux) / sigma, np.float32(0.0))
    fiber, column = np.nonzero(z[:, 2:-2] > HIT)
    far_left, left, peak, right, far_right = (z[fiber, column + k] for k in range(5))
    narrow = (peak >= left) & (peak >= right) & (np.maximum(far_left, far_right) < np.maximum(RIM, 0.12 * peak))
    narrow &= np.minimum(left, right) < np.maximum(RIM, 0.25 * peak)
    return Hits(fiber[narrow], column[narrow] + 2, peak[narrow])
