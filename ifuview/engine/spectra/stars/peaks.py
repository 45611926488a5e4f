"""Sources in the fibers of one head, the most significant first: a matched filter on a lattice of places, one by one.

Light of a point source falls into few fibers, so the filter is a sparse matrix of places and fibers. The best place is
taken, its light is taken off with an error of what the profile cannot describe, and so on until nothing stands out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from ifuview.engine.spectra.field.lenslet import Lenslets, moffat_share
from ifuview.model.checks import Array

STEP, REACH = 0.5, 5.0  # arcsec: of the lattice, and of the light of a source
FLOOR = 0.1  # of the light taken off, that the profile does not describe
LEAST = 8.0  # sigma
MOST = 60  # sources of a head
GUESS, BETA = 1.8, 3.5  # arcsec, of the profile
SHIFTED, ALIKE = 4.0, 0.7  # arcsec: of an exposure at most, and that two sources may differ by in it
CAUGHT = 0.25  # of what fibers catch where it is best, that they have to catch at a place


@dataclass(frozen=True, slots=True)
class Peak:
    """A place with light: x, y (arcsec), its light (unit of the fibers) and its significance."""

    x: float
    y: float
    light: float
    snr: float


def find_peaks(
    light: Array, variance: Array, lenslets: Lenslets, *, fwhm: float = GUESS, least: float = LEAST
) -> tuple[Peak, ...]:
    """Find sources.

    Parameters
    ----------
    light, variance : ndarray, shape (nfiber,)
        Of each fiber without sky; variance infinite where nothing is known.
    lenslets : Lenslets
        Of all exposures of the head, dithers included.
    fwhm : float, arcsec
        That is looked for.
    least : float
        Significance.
    """
    known = np.isfinite(variance) & (variance > 0)
    if not known.any():
        return ()
    px, py = _lattice(lenslets.x, lenslets.y)
    share = _shares(px, py, lenslets, fwhm)
    square = share.power(2)
    value = np.where(known, light, 0.0)
    noise = np.where(known, variance, np.inf)
    caught = share @ known.astype(float)
    enough = caught > CAUGHT * caught.max()
    out: list[Peak] = []
    while len(out) < MOST:
        weight = 1 / noise
        bottom = square @ weight
        with np.errstate(invalid="ignore", divide="ignore"):
            snr = np.where(enough & (bottom > 0), (share @ (weight * value)) / np.sqrt(bottom), 0.0)
        best = int(np.argmax(snr))
        if not snr[best] > least:
            break
        x, y = _refined(value, weight, lenslets, float(px[best]), float(py[best]), fwhm)
        own = moffat_share(lenslets, np.array([x]), np.array([y]), np.array([fwhm]), BETA)[0]
        own = np.where(np.hypot(lenslets.x - x, lenslets.y - y) < 2 * REACH, own, 0.0)
        amplitude = float((weight * own * value).sum() / max((weight * own * own).sum(), 1e-300))
        out.append(Peak(x, y, amplitude, float(snr[best])))
        value = value - amplitude * own
        noise = noise + (FLOOR * amplitude * own) ** 2 + (amplitude * own.max() * 1e-3) ** 2
        enough &= np.hypot(px - x, py - y) > fwhm  # taken
    return tuple(out)


def shared_shift(first: Sequence[Array], second: Sequence[Array]) -> NDArray[np.float64] | None:
    """Shift (x, y) that brings most places of the first lists onto the second, list by list; None where none agree.

    Parameters
    ----------
    first, second : sequence of ndarray, shape (n, 2), arcsec
        The same sources as seen in two exposures, those of one head in one list.
    """
    pairs = [(b[None] - a[:, None]).reshape(-1, 2) for a, b in zip(first, second, strict=True) if a.size and b.size]
    offset = np.concatenate(pairs) if pairs else np.zeros((0, 2))
    offset = offset[np.hypot(*offset.T) < SHIFTED]
    if not len(offset):
        return None
    near = np.hypot(*np.moveaxis(offset[:, None] - offset, -1, 0)) < ALIKE
    best = near[int(np.argmax(near.sum(axis=1)))]
    return np.asarray(np.median(offset[best], axis=0))


def _lattice(x: Array, y: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    gx, gy = (np.arange(v.min() - 1, v.max() + 1 + STEP, STEP) for v in (x, y))
    px, py = np.meshgrid(gx, gy)
    return px.ravel(), py.ravel()


def _shares(px: Array, py: Array, lenslets: Lenslets, fwhm: float) -> csr_array:
    """Share of a source at each place in each fiber, by the brightness at the fiber's center of a widened profile."""
    pairs = KDTree(np.stack([px, py], 1)).sparse_distance_matrix(
        KDTree(np.stack([lenslets.x, lenslets.y], 1)), REACH, output_type="coo_matrix"
    )
    wide = np.hypot(fwhm, lenslets.size / 2)
    a2 = (wide / 2) ** 2 / (2 ** (1 / BETA) - 1)
    value = lenslets.area * (BETA - 1) / (np.pi * a2) * (1 + pairs.data**2 / a2) ** -BETA
    return csr_array((value, (pairs.row, pairs.col)), shape=pairs.shape)


def _refined(value: Array, weight: Array, lenslets: Lenslets, x: float, y: float, fwhm: float) -> tuple[float, float]:
    """The place between those of the lattice: the vertex of the significance along each axis."""
    near = np.hypot(lenslets.x - x, lenslets.y - y) < REACH
    own = Lenslets(lenslets.x[near], lenslets.y[near], lenslets.size, lenslets.face)
    off = np.array([-STEP, 0.0, STEP])
    out = []
    for axis in (0, 1):
        at = [x + off * (axis == 0), y + off * (axis == 1)]
        share = moffat_share(own, at[0], at[1], np.full(3, fwhm), BETA)
        a, b, c = (share * weight[near]) @ value[near] / np.sqrt((share**2) @ weight[near] + 1e-300)
        bend = a - 2 * b + c
        move = 0.5 * (a - c) / bend if bend < 0 else 0.0
        out.append(float(np.clip(move, -1, 1)) * STEP)
    return x + out[0], y + out[1]
