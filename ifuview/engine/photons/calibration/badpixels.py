"""Hot, cold and dead pixels from one image of counts, by what neighbors, optics and counting statistics allow.

Three questions are asked of each pixel, with the Poisson significance of its counts: is it above what a point source of
the sharpest image can make of one pixel beside its eight neighbors (hot); is it below a part of its neighbors but one,
and of the light around it, that no working pixel falls under (cold); did it see nothing where light was sure (dead)?
The methods differ in what they take for the light around a pixel. *threshold*, the default: the median of the box or of
the eight neighbors. *laplacian*: the mean of the four nearest, so that a slope is no deviation. *median*: that of the
box; it knows no optics and suits an evenly lit array: it takes compact sources for hot pixels.
Neighbors that were found bad do not count, and the search is repeated until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.masks import BadPixels

METHODS = ("threshold", "median", "laplacian")
FWHM = 2.0  # px; of the sharpest image of a point: about lambda/D at the arrays' plate scales
SIGMA = 5.0  # of a deviation that counts
SURE = 3.5  # sigma below the response floor that make a pixel cold or dead: one in 4000 pixels that sit on the floor
RESPONSE = 0.5  # of its neighbors; a working pixel responds with at least this, and at most with its inverse
HALF_WINDOW = 3  # px; of the box whose median says how much light there is
FEWEST = 3  # good neighbors that are needed
ITERATIONS = 5


def find_bad_pixels(
    counts: Array, usable: Array, *, method: str = "threshold", fwhm: float = FWHM, sigma: float = SIGMA
) -> BadPixels:
    """Return the hot, cold and dead pixels of an image.

    Parameters
    ----------
    counts : ndarray, shape (ny, nx)
        Photons per pixel (not weighted: the noise is that of the counts).
    usable : ndarray, bool, shape (ny, nx)
        Pixels that can be judged and whose light counts for others: not those that the beammap gave up.
    method : str
        threshold, median or laplacian.
    fwhm : float, px
        Of the sharpest image of a point source; *median* knows nothing about the optics.
    sigma : float
        Significance that makes a pixel hot.

    Raises
    ------
    UsageError
        The method is unknown or nothing is usable.
    """
    if method not in METHODS:
        raise UsageError(f"there is no method {method!r} for bad pixels", todo=f"choose {', '.join(METHODS)}")
    if not np.any(usable & (counts > 0)):
        raise UsageError("no usable pixel saw a photon", todo="give a longer exposure or time range")
    counts = np.asarray(counts, dtype=np.float64)
    judge: Callable[..., tuple[Array, Array, Array]] = {
        "threshold": _threshold,
        "median": _median,
        "laplacian": _laplacian,
    }[method]
    hot = cold = np.zeros(counts.shape, bool)
    for _ in range(ITERATIONS):
        good = usable & (counts > 0) & ~hot & ~cold
        new_hot, new_cold, significance = judge(counts, good, fwhm, sigma)
        new_hot = hot | (new_hot & usable)  # hot stays: its neighbors looked cold beside it
        new_cold = new_cold & usable & ~new_hot
        if np.array_equal(new_hot, hot) and np.array_equal(new_cold, cold):
            break
        hot, cold = new_hot, new_cold
    light, number = median_of(neighbors(counts, good, HALF_WINDOW))
    light = np.where(number >= FEWEST, light, np.median(counts[good]) if good.any() else 0.0)
    dead = usable & (counts == 0) & (deviation(counts, RESPONSE * light) < -SURE)
    return BadPixels(hot & ~dead, cold & ~dead, dead, np.where(usable, significance, 0.0), method)


def neighbors(counts: Array, good: Array, half: int) -> Array:
    """Return the good pixels of the box around each pixel, without itself; (n, ny, nx), sorted, NaN for none."""
    ny, nx = counts.shape
    padded = np.pad(np.where(good, counts, np.nan), half, constant_values=np.nan)
    size = 2 * half + 1
    shifted = [
        padded[dy : dy + ny, dx : dx + nx] for dy in range(size) for dx in range(size) if (dy, dx) != (half, half)
    ]
    return np.sort(np.array(shifted), axis=0)


def median_of(sorted_values: Array) -> tuple[Array, Array]:
    """Return the median over axis 0 of sorted values with NaN at the end, and the number of values; 0 of none."""
    number = np.count_nonzero(np.isfinite(sorted_values), axis=0)
    return (_rank(sorted_values, (number - 1) // 2) + _rank(sorted_values, number // 2)) / 2, number


def _rank(sorted_values: Array, rank: Array) -> Array:
    """The value of a rank; 0 where there is none."""
    chosen = np.take_along_axis(sorted_values, np.clip(rank, 0, len(sorted_values) - 1)[None], axis=0)[0]
    return np.where(np.isfinite(chosen), chosen, 0.0)


def deviation(counts: Array, expected: Array) -> Array:
    """Return how many sigma counts are off an expectation: the signed root of twice the Poisson likelihood ratio."""
    expected = np.maximum(expected, 1e-3)
    log = np.log(np.where(counts > 0, counts, 1.0) / expected)
    ratio = 2 * (np.where(counts > 0, counts * log, 0.0) - (counts - expected))
    return np.asarray(np.sign(counts - expected) * np.sqrt(np.maximum(ratio, 0.0)))


def point_ratios(fwhm: float) -> tuple[float, float]:
    """Return peak over nearest pixel, and over the median of the eight neighbors, of a point on a pixel's center.

    The median lies between the four nearest and the four diagonal pixels of a Gaussian.
    """
    falls = 4 * np.log(2) / fwhm**2
    return float(np.exp(falls)), float(2 / (np.exp(-falls) + np.exp(-2 * falls)))


class _Around(NamedTuple):
    """Light around each pixel, (ny, nx): of its eight good neighbors, and of the box where these are too few.

    low, close, brightest : of the eight neighbors; close is their median, low the second: the first may be cold too
    wide : median of the box
    known : bool, whether enough of the box is good
    """

    low: Array
    close: Array
    brightest: Array
    wide: Array
    known: Array


def _around(counts: Array, good: Array) -> _Around:
    """Look around each pixel."""
    wide, number = median_of(neighbors(counts, good, HALF_WINDOW))
    near = neighbors(counts, good, 1)
    close, count = median_of(near)
    return _Around(
        low=np.where(count > 1, _rank(near, np.ones_like(count)), wide),
        close=np.where(count >= FEWEST, close, wide),
        brightest=np.where(count > 0, _rank(near, count - 1), wide),
        wide=wide,
        known=number >= FEWEST,
    )


def _sharper(counts: Array, around: _Around, fwhm: float, sigma: float) -> Array:
    """Whether a pixel is above what a point source can make of it.

    The brightest neighbor may be hot itself: what is far above the median is hot whatever that one says.
    """
    beside, among = point_ratios(fwhm)
    hot = (counts > beside * around.brightest) & (deviation(counts, among * around.close + 1) > sigma)
    return np.asarray(around.known & (hot | (deviation(counts, among / RESPONSE * around.close + 1) > sigma)))


def _fainter(counts: Array, around: _Around, light: Array) -> Array:
    """Whether a pixel is below what a working one makes of the light around it, and of its neighbors but one."""
    return (counts < RESPONSE * around.low) & (deviation(counts, RESPONSE * light) < -SURE)


def _threshold(counts: Array, good: Array, fwhm: float, sigma: float) -> tuple[Array, Array, Array]:
    """Against the smaller of the medians of near and far neighbors."""
    around = _around(counts, good)
    cold = around.known & _fainter(counts, around, np.minimum(around.wide, around.close))
    return _sharper(counts, around, fwhm, sigma), cold, deviation(counts, around.close)


def _median(counts: Array, good: Array, fwhm: float, sigma: float) -> tuple[Array, Array, Array]:
    """Against the median of the box; hot by the scatter of the box and of the counts."""
    values = neighbors(counts, good, HALF_WINDOW)
    level, number = median_of(values)
    scatter, _ = median_of(np.sort(np.abs(values - level), axis=0))
    noise = np.sqrt(np.maximum((MAD_TO_SIGMA * scatter) ** 2, level + 1))
    off = (counts - level) / noise
    known = number >= FEWEST
    around = _around(counts, good)
    cold = known & _fainter(counts, around, np.minimum(level, around.close))
    return known & (off > sigma), cold, off


def _laplacian(counts: Array, good: Array, fwhm: float, sigma: float) -> tuple[Array, Array, Array]:
    """Against the mean of the four nearest, in sigma of the counts and of what pixels respond differently."""
    ny, nx = counts.shape
    padded: Array = np.pad(np.where(good, counts, np.nan), 1, constant_values=np.nan)
    four = np.array([padded[:ny, 1:-1], padded[2:, 1:-1], padded[1:-1, :nx], padded[1:-1, 2:]])
    number = np.count_nonzero(np.isfinite(four), axis=0)
    mean = np.where(np.isfinite(four), four, 0).sum(axis=0) / np.maximum(number, 1)
    noise = np.sqrt(mean + mean / np.maximum(number, 1) + (mean * (1 - RESPONSE) / 2) ** 2 + 1)
    off = (counts - mean) / noise
    known, around = number >= 2, _around(counts, good)
    hot, cold = _sharper(counts, around, fwhm, sigma), _fainter(counts, around, mean)
    return known & hot & (off > sigma), known & cold, off
