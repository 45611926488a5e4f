"""Sources in the fibers of one head, the most significant first: a matched filter on a lattice of places, one by one.

Light of a point source falls into few fibers, so the filter is a sparse matrix of places and fibers. The best place is
taken, its light is taken off with an error of what the profile cannot describe, and so on until nothing stands out. The
width that is looked for is the one that the brightest sources have.
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
WIDTH_ERROR = 0.15  # of the width: those tried lie so far apart
AUREOLE, CORE = 1e-3, 6.0  # of the light in the brightest fiber, arcsec: what lies around stars, 1e-5 at 20 (King 1971)
LEAST = 8.0  # sigma
WIDTHS = (1.8, 1.4, 2.2, 2.7, 1.1, 3.3)  # arcsec, tried: the first where nothing tells
BRIGHT, TELLING = 30.0, 15  # sigma, and number of sources that tell the width
WRONG = 0.03  # of the light in a fiber, that no profile describes
TINY = 1e-9  # arcsec, so that no distance is zero
FAR = 5.0  # sigma of what is left, beyond which it counts no more
MOST = 60  # sources of a head
GUESS, BETA = 1.8, 3.5  # arcsec, of the profile
SHIFTED, ALIKE = 4.0, 0.7  # arcsec: of an exposure at most, and that two sources may differ by in it
CAUGHT = 0.25  # of what fibers catch where it is best, that they have to catch at a place


@dataclass(frozen=True, slots=True)
class Peak:
    """A place with light: x, y (arcsec), light (unit of the fibers), significance, the FWHM (arcsec) looked for."""

    x: float
    y: float
    light: float
    snr: float
    fwhm: float = GUESS


def find_peaks(
    light: Array, variance: Array, lenslets: Lenslets, *, fwhm: float | None = None, least: float = LEAST
) -> tuple[Peak, ...]:
    """Find sources.

    Parameters
    ----------
    light, variance : ndarray, shape (nfiber,)
        Of each fiber without sky; variance infinite where nothing is known.
    lenslets : Lenslets
        Of all exposures of the head, dithers included.
    fwhm : float, arcsec, optional
        That is looked for. Default: as the brightest sources tell.
    least : float
        Significance.
    """
    known = np.isfinite(variance) & (variance > 0)
    if not known.any():
        return ()
    value, noise = np.where(known, light, 0.0), np.where(known, variance, np.inf)
    lattice = _lattice(lenslets)
    if fwhm is None:
        fwhm = min(WIDTHS, key=lambda width: _found(value, noise, lenslets, lattice, width, BRIGHT, TELLING)[1])
    return _found(value, noise, lenslets, lattice, fwhm, least, MOST)[0]


@dataclass(frozen=True, slots=True, eq=False)
class _Lattice:
    """Places that are tried (x, y), and their distances to the fibers near them, a sparse matrix."""

    x: Array
    y: Array
    apart: csr_array


def _found(
    value: Array, noise: Array, lenslets: Lenslets, lattice: _Lattice, fwhm: float, least: float, most: int
) -> tuple[tuple[Peak, ...], float]:
    """Sources of one width, and how much they leave."""
    left, known = value, np.isfinite(noise)
    floor = np.where(known, noise, 1.0) + (WRONG * np.maximum(value, 0)) ** 2
    px, py = lattice.x, lattice.y
    share = _shares(lattice, lenslets, fwhm)
    square = share.power(2)
    caught = share @ np.isfinite(noise).astype(float)
    enough = caught > CAUGHT * caught.max()
    out: list[Peak] = []
    while len(out) < most:
        weight = 1 / noise
        bottom = square @ weight
        with np.errstate(invalid="ignore", divide="ignore"):
            snr = np.where(enough & (bottom > 0), (share @ (weight * value)) / np.sqrt(bottom), 0.0)
        best = int(np.argmax(snr))
        if not snr[best] > least:
            break
        x, y = _refined(value, weight, lenslets, float(px[best]), float(py[best]), fwhm)
        near = np.hypot(lenslets.x - x, lenslets.y - y) < 2 * REACH
        some = Lenslets(lenslets.x[near], lenslets.y[near], lenslets.size, lenslets.face)
        own, wider = np.zeros((2, value.size))
        own[near], wider[near] = moffat_share(
            some, np.full(2, x), np.full(2, y), np.array([1.0, 1 + WIDTH_ERROR]) * fwhm, BETA
        )
        amplitude = float((weight * own * value).sum() / max((weight * own * own).sum(), 1e-300))
        out.append(Peak(x, y, amplitude, float(snr[best]), fwhm))
        value = left = left - amplitude * own
        aureole = AUREOLE * own.max() / (1 + ((lenslets.x - x) ** 2 + (lenslets.y - y) ** 2) / CORE**2) ** 2
        noise = noise + amplitude**2 * ((FLOOR * own) ** 2 + (wider - own) ** 2 + aureole**2)
        enough &= np.hypot(px - x, py - y) > fwhm  # taken
    square_left = left**2 / floor
    return tuple(out), float((square_left / (1 + square_left / FAR**2))[known].sum())


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


def _lattice(lenslets: Lenslets) -> _Lattice:
    """Places on and around the fibers."""
    gx, gy = (np.arange(v.min() - 1, v.max() + 1 + STEP, STEP) for v in (lenslets.x, lenslets.y))
    px, py = (v.ravel() for v in np.meshgrid(gx, gy))
    pairs = KDTree(np.stack([px, py], 1)).sparse_distance_matrix(
        KDTree(np.stack([lenslets.x, lenslets.y], 1)), REACH, output_type="coo_matrix"
    )
    return _Lattice(px, py, csr_array((pairs.data + TINY, (pairs.row, pairs.col)), shape=pairs.shape))


def _shares(lattice: _Lattice, lenslets: Lenslets, fwhm: float) -> csr_array:
    """Share of a source at each place in each fiber, by the brightness at the fiber's center of a widened profile."""
    wide = np.hypot(fwhm, lenslets.size / 2)
    a2 = (wide / 2) ** 2 / (2 ** (1 / BETA) - 1)
    apart = lattice.apart
    value = lenslets.area * (BETA - 1) / (np.pi * a2) * (1 + apart.data**2 / a2) ** -BETA
    return csr_array((value, apart.indices, apart.indptr), shape=apart.shape)


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
