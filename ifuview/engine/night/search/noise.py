"""Noise of each amplifier and hits that nobody masked, from the residuals in units of their noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import mad
from ifuview.model.checks import Array
from ifuview.model.night.chain import Section

THIN = 3  # columns that are looked at, one of so many
HIT, RIM = 8.0, 4.0  # sigma of a pixel that is a hit, and of the one two pixels away that a line would still have


def inside(section: Section, cross: Array, disp: Array) -> Array:
    """Pixels that an amplifier reads, shape (nfiber, nwave)."""
    return np.asarray(
        (cross >= section.cross[0]) & (cross < section.cross[1]) & (disp >= section.disp[0]) & (disp < section.disp[1])
    )


def white_noise(flux: Array, sigma: Array, good: Array, where: Array) -> tuple[float, int]:
    """Scatter over the noise from differences of neighbors along wavelength, and the number of pixels.

    Parameters
    ----------
    flux, sigma : ndarray, shape (nfiber, nwave)
    good, where : ndarray of bool, shape (nfiber, nwave)
    """
    use = good & where
    use = use[:, 2::THIN] & good[:, 1:-1:THIN][:, : use[:, 2::THIN].shape[1]] & good[:, :-2:THIN]
    count = use.shape[1]
    a, b, c = flux[:, :-2:THIN][:, :count], flux[:, 1:-1:THIN][:, :count], flux[:, 2::THIN]
    sa, sb, sc = sigma[:, :-2:THIN][:, :count], sigma[:, 1:-1:THIN][:, :count], sigma[:, 2::THIN]
    bend = (a - 2 * b + c)[use] / np.sqrt(sa**2 + 4 * sb**2 + sc**2)[use]
    return (float(mad(bend)), int(bend.size)) if bend.size else (float("nan"), 0)


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
    z = np.where(good, np.nan_to_num(flux) / sigma, 0.0)
    peak = z[:, 2:-2]
    beside = np.maximum(z[:, :-4], z[:, 4:])
    low = np.minimum(z[:, 1:-3], z[:, 3:-1])
    narrow = (peak > HIT) & (peak >= z[:, 1:-3]) & (peak >= z[:, 3:-1])
    narrow &= (beside < np.maximum(RIM, 0.12 * peak)) & (low < np.maximum(RIM, 0.25 * peak))
    fiber, column = np.nonzero(narrow)
    return Hits(fiber, column + 2, peak[fiber, column])
