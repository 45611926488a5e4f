"""Levels of whole detector rows where no traces tell the rows: neighbors share them pixel by pixel, in one amplifier.

Amplifiers end at the middle of the fibers and near that of the wavelengths. What sky, lamps or flats leave is shared
by both halves of the fibers, or has the width of a line; targets are shared by nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array

BUNDLE = 25  # fibers that tell by themselves
CHUNKS = 32  # of wavelength
SMOOTH = 11  # px; what is as wide as a line or more is no row
CLIP = 5.0  # noise of a pixel
SHARED, ALONE = 0.03, 0.3  # variances of a pixel that neighbors share (chance gives 0.01); most in the other half
LEAST = 8  # chunks in a row: a quarter of the wavelengths
OVER = 4  # fibers beyond the middle that an amplifier may reach


@dataclass(frozen=True, slots=True)
class Striped:
    """A part of the fibers and wavelengths in which neighbors share levels.

    Parameters
    ----------
    fibers, columns : slice
    level : float
        Rms of what they share, noise of a pixel.
    score : float, sigma
    """

    fibers: slice
    columns: slice
    level: float
    score: float


def striped(z: Array, line: Array) -> list[Striped]:
    """Parts of a camera that look like an amplifier with levels in its rows.

    Parameters
    ----------
    z : ndarray, shape (nfiber, nwave)
        Residual over its noise, 0 where unknown.
    line : ndarray of bool, shape (nwave,)
        Strong lines of the sky, which are left out.
    """
    nfiber, nwave = z.shape
    half = nfiber // 2
    if half < 4 * BUNDLE:
        return []
    z = np.clip(z, -CLIP, CLIP).astype(np.float32)
    z[:, line] = 0.0
    z -= uniform_filter1d(z, SMOOTH, axis=1)
    free = np.convolve(line, np.ones(SMOOTH), "same") < 0.5
    z[:, ~free] = 0.0
    products = z[:-1] * z[1:]
    cuts = np.linspace(0, nwave, CHUNKS + 1).astype(int)
    wide = np.add.reduceat(products, cuts[:-1], axis=1) / np.maximum(np.add.reduceat(free, cuts[:-1], dtype=int), 1)
    sides = (slice(0, half), slice(half, nfiber))
    shared = [_of_bundles(wide[s.start : s.stop - 1]) for s in sides]
    noise = (half * nwave / CHUNKS) ** -0.5
    out = []
    for side, own, other in zip(sides, shared, shared[::-1], strict=True):
        for first, last in runs((own > SHARED) & (other < ALONE * own), 1):
            if last - first < LEAST:
                continue
            level = float(np.mean(own[first:last]))
            fibers = slice(max(side.start - OVER, 0), min(side.stop + OVER, nfiber))
            first, last = max(first - 1, 0), min(last + 1, CHUNKS)
            out.append(Striped(
                fibers, slice(int(cuts[first]), int(cuts[last])), level**0.5, level / noise * (last - first) ** 0.5
            ))  # fmt: skip
    return out


def _of_bundles(shared: Array) -> Array:
    """What the typical bundle shares, shape (nchunk,)."""
    count = shared.shape[0] // BUNDLE
    bundles = shared[: count * BUNDLE].reshape(count, BUNDLE, -1).mean(axis=1)
    return np.asarray(np.median(bundles, axis=0))
