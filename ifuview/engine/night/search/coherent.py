"""Weak patterns that keep to detector rows: the sum over pairs of fibers, in which noise and targets have no part.

Every pixel is compared with the others of its row, never with itself: what only one fiber has averages to nothing,
whatever its size, and what the rows of an amplifier have adds up. The same sum over wavelengths tells what the sky has.
"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.stats import binned
from ifuview.engine.numeric.medians import robust_sigma
from ifuview.model.checks import Array

CLIP = 3.0  # sigma that a pixel, or the mean of some, can count
FAR, BESIDE = 4.0, 2  # sigma of a pixel that is a line or a hit, pixels beside it that are part of that
LEAST = 40  # pixels of a row
SLOW = 48  # px whose mean is one value of a slow pattern
LEAST_FIBERS = 20
LEAST_BINS = 8  # along the rows
TINY = 1e-30


def row_pixels(sharp: Array, weight: Array) -> tuple[Array, Array]:
    """(residual in units of its noise, which pixels tell) with what all fibers have at a wavelength taken off.

    Lines of the targets and hits lose their part, with the pixels beside them: they are noise for rows.

    Parameters
    ----------
    sharp, weight : ndarray, shape (nfiber, nwave)
        Residual without all that is wide and without lines; its inverse variance, 0 where unknown.

    Returns
    -------
    (ndarray of float32, ndarray of bool), shape (nfiber, nwave)
    """
    z = sharp * np.sqrt(weight)
    far = np.abs(z) > FAR
    beside = far.copy()
    for step in range(1, BESIDE + 1):
        beside[:, step:] |= far[:, :-step]
        beside[:, :-step] |= far[:, step:]
    use = (weight > 0) & ~beside
    z = np.where(use, np.clip(z, -CLIP, CLIP), np.float32(0.0))
    common = z.sum(axis=0) / np.maximum(use.sum(axis=0), 1)
    return np.asarray(z - common.astype(np.float32), np.float32), use


def row_score(z: Array, weight: Array, use: Array, row: Array) -> tuple[float, float]:
    """(score, rms of the levels in counts) of levels of single rows in the pixels of an amplifier.

    Only pixels of other wavelengths are pairs: those of one wavelength have the mean in common that was taken off, and
    what a sky may leave.

    Parameters
    ----------
    z, use : ndarray, shape (nfiber, nwave)
        See `row_pixels`; only pixels of the amplifier in use.
    weight : ndarray, shape (nfiber, nwave)
        Inverse variance: a level is told by pixels that have little noise.
    row : ndarray of int, shape (nfiber, nwave)
    """
    picked = use.T
    power = weight.T[picked].astype(np.float64)
    value, at = z.T[picked] * np.sqrt(power), row.T[picked]
    changes = np.ones(at.size, bool)  # the row, or the wavelength
    np.not_equal(at[1:], at[:-1], out=changes[1:])
    changes[np.cumsum(picked.sum(axis=1))[:-1][picked[1:].any(axis=1)]] = True
    first = np.flatnonzero(changes)
    at = at[first]  # of neighbors that have one row at one wavelength
    known = np.bincount(at, np.diff(first, append=value.size)) >= LEAST
    sums, powers = np.add.reduceat(value, first), np.add.reduceat(power, first)
    total, squares = np.bincount(at, sums)[known], np.bincount(at, sums**2)[known]
    norm = float(np.sum(np.bincount(at, powers)[known] ** 2 - np.bincount(at, powers**2)[known]))
    pairs, spread = float(np.sum(total**2 - squares)), float(np.sqrt(2 * np.sum(squares**2)))
    return pairs / max(spread, TINY), float(np.sqrt(max(pairs, 0.0) / max(norm, TINY)))


def slow_bins(rest: Array, known: Array, place: Array | None, centered: bool = True) -> tuple[Array, Array]:
    """Means of bins of every fiber in units of their noise, without what all have if `centered`, and which are known.

    Parameters
    ----------
    rest : ndarray, shape (nfiber, nwave)
        Residual in units of its noise.
    known : ndarray of bool, shape (nfiber, nwave)
        Pixels of the amplifiers that read the same rows.
    place : ndarray of int, shape (nfiber, nwave), or None
        Bin of each pixel; None: SLOW pixels along the wavelength.

    Returns
    -------
    (ndarray, ndarray of bool), shape (nfiber, nbin)
    """
    if place is None:
        count, total = (_sums(v) for v in (known.astype(np.float32), rest * known))
    else:
        size = int(place.max()) + 1
        index = (np.arange(rest.shape[0])[:, None] * size + place)[known]
        count = np.bincount(index, minlength=rest.shape[0] * size).reshape(-1, size)
        total = np.bincount(index, rest[known], minlength=rest.shape[0] * size).reshape(-1, size)
    full = count > SLOW // 2
    value = np.where(full, np.clip(total / np.sqrt(np.maximum(count, 1)), -CLIP, CLIP), 0.0)
    if not centered:
        return value, full
    common = value.sum(axis=0) / np.maximum(full.sum(axis=0), 1)
    return np.where(full, value - common, 0.0), full


def _sums(values: Array) -> Array:
    """Sums of SLOW pixels along the wavelength, the last of what is left."""
    cut = values.shape[1] // SLOW * SLOW
    return np.column_stack([SLOW * binned(values, SLOW), values[:, cut:].sum(axis=1)])


def slow_score(value: Array, full: Array, fibers: Array) -> tuple[float, float]:
    """(sigma, rms of a pixel in units of its noise) of what the bins of some fibers have in common."""
    own, known = value[fibers], full[fibers]
    count = known.sum(axis=0)
    total, squares = own.sum(axis=0), np.sum(own**2, axis=0)
    use = count >= LEAST_FIBERS
    spread = float(np.sqrt(2 * np.sum(squares[use] ** 2)))
    pairs = float(np.sum(total[use] ** 2 - squares[use]))
    norm = max(float(np.sum((count * (count - 1.0))[use])), 1.0)
    return (pairs / spread if spread > 0 else 0.0), float(np.sqrt(max(pairs, 0.0) / norm / SLOW))


def halves(levels: Array, errors: Array, sky: Array, left: Array, lower: Array, plane: Array) -> tuple[Array, Array]:
    """Contrasts right minus left in the lower and in the upper half of the rows, counts, and their errors, shape (2,).

    Parameters
    ----------
    levels, errors : ndarray, shape (nfiber, nbin)
        Of sky fibers; the error is infinite where unknown.
    sky : ndarray, shape (nbin,)
    left : ndarray of bool, shape (nfiber,)
    lower : ndarray of bool, shape (nfiber, nbin)
        Bins in the lower half of the detector.
    plane : ndarray, shape (nfiber, 2)
        Place in the field, for a gradient of the sky that is none of the detector's.
    """
    rows, values, weights = [], [], []
    for half in (lower, ~lower):
        weight = np.where(half & np.isfinite(errors), 1 / errors**2, 0.0)
        total = weight.sum(axis=1)
        good = total > 0
        mean = (weight * np.where(np.isfinite(errors), levels, 0.0)).sum(axis=1)[good] / total[good]
        level = (weight * sky).sum(axis=1)[good] / total[good]
        side = np.where(left[good], -0.5, 0.5)
        own = np.zeros((int(good.sum()), 6))
        k = 0 if half is lower else 1
        own[:, k], own[:, 2 + k] = 1.0, side
        own[:, 4:] = plane[good] * level[:, None]
        rows.append(own)
        values.append(mean)
        weights.append(1 / total[good])
    design, value, variance = np.concatenate(rows), np.concatenate(values), np.concatenate(weights)
    noise = np.sqrt(variance)
    keep = np.ones(value.size, bool)
    coeff, error = np.zeros(6), np.full(6, np.inf)
    for _ in range(4):
        w = 1 / noise[keep]
        normal = (design[keep] * w[:, None]).T @ (design[keep] * w[:, None]) + 1e-12 * np.eye(6)
        coeff = np.linalg.solve(normal, (design[keep] * w[:, None]).T @ (value[keep] * w))
        rest = (value - design @ coeff) / noise
        spread = max(1.0, robust_sigma(rest[keep], 0.0))
        error = np.sqrt(np.diag(np.linalg.inv(normal))) * spread
        keep = np.abs(rest) < 4 * spread
    return coeff[2:4], error[2:4]


def unsteady(levels: Array, errors: Array, left: Array, inside: Array) -> float:
    """Mean chi2 of the contrast right minus left along the rows about its mean: 1 of a level that all rows share.

    Parameters
    ----------
    levels, errors : ndarray, shape (nfiber, nbin)
        Of sky fibers; the error is infinite where unknown.
    left : ndarray of bool, shape (nfiber,)
    inside : ndarray of bool, shape (nfiber, nbin)
        Bins of the rows.
    """
    weight = np.where(inside & np.isfinite(errors), errors, np.inf) ** -2.0
    values = np.where(np.isfinite(errors), levels, 0.0)
    sides = [(weight[own].sum(axis=0), (weight * values)[own].sum(axis=0)) for own in (left, ~left)]
    known = (sides[0][0] > 0) & (sides[1][0] > 0)
    if np.count_nonzero(known) < LEAST_BINS:
        return 1.0
    (low, total_low), (high, total_high) = ((w[known], t[known]) for w, t in sides)
    contrast, power = total_high / high - total_low / low, 1 / (1 / low + 1 / high)
    rest = contrast - np.sum(power * contrast) / power.sum()
    return float(np.sum(power * rest**2) / (rest.size - 1))
