"""Noise of each amplifier and hits that nobody masked, from the residuals in units of their noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import mad, without_gaps
from ifuview.engine.numeric.medians import MAD_TO_SIGMA, median
from ifuview.model.checks import Array
from ifuview.model.night.chain import Section

THIN = 3  # columns that are looked at, one of so many
MOSTLY, MAD_RELATIVE = 0.9, 1.17  # of the bends of a fiber; relative error of a scatter from one median deviation
HIT, RIM = 8.0, 4.0  # sigma of a pixel that is a hit, and of the one two pixels away that a line would still have


def inside(section: Section, cross: Array, disp: Array) -> Array:
    """Pixels that an amplifier reads, shape (nfiber, nwave)."""
    return np.asarray(
        (cross >= section.cross[0]) & (cross < section.cross[1]) & (disp >= section.disp[0]) & (disp < section.disp[1])
    )


def bounds(area: Array) -> tuple[slice, slice]:
    """Fibers and columns that hold all of an area, shape (nfiber, nwave): a quarter of them for most amplifiers."""
    fibers, columns = (np.flatnonzero(area.any(axis=axis)) for axis in (1, 0))
    if not fibers.size:
        return slice(0, 0), slice(0, 0)
    return slice(int(fibers[0]), int(fibers[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Bends:
    """Differences of neighbors along wavelength in units of their noise, and which are known, shape (nfiber, nbend)."""

    value: Array
    known: Array


def bends(flux: Array, sigma: Array, good: Array) -> Bends:
    """Second differences: what is smooth has no part in them. Shapes (nfiber, nwave)."""
    count = flux[:, 2::THIN].shape[1]
    first, middle, last = (slice(k, k + THIN * count, THIN) for k in range(3))
    known = good[:, first] & good[:, middle] & good[:, last]
    bend = flux[:, first] - 2 * flux[:, middle] + flux[:, last]
    bend /= np.sqrt(sigma[:, first] ** 2 + 4 * sigma[:, middle] ** 2 + sigma[:, last] ** 2)
    return Bends(bend, known)


def white_noise(of: Bends, where: Mapping[str, Array]) -> dict[str, tuple[float, int]]:
    """Scatter over the noise, and the number of bends, by amplifier.

    Parameters
    ----------
    of : Bends
    where : mapping of amplifier to ndarray of bool, shape (nfiber, nwave)
    """
    last = slice(2, 2 + THIN * of.known.shape[1], THIN)
    own = {name: of.value[of.known & area[:, last]] for name, area in where.items()}
    return {name: (float(mad(z)), int(z.size)) if z.size else (float("nan"), 0) for name, z in own.items()}


def fiber_noise(of: Bends) -> tuple[Array, Array]:
    """Scatter of each fiber over its noise and its error, shape (nfiber,); the error is infinite if little is known.

    From the median deviation, so that lines and hits have no part.
    """
    count = of.known.sum(axis=1)
    full = count > MOSTLY * of.known.shape[1]
    value = MAD_TO_SIGMA * median(np.where(of.known, np.abs(of.value), np.float32(0.0)), 1)
    error = np.where(full, MAD_RELATIVE / np.sqrt(np.maximum(count, 1)), np.inf)
    return np.where(full, value, 1.0), error


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
