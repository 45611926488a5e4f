"""Robust numbers of fiber x wavelength arrays, fast enough for thirty cameras a minute."""

from __future__ import annotations

import numpy as np

from ifuview.engine.numeric.medians import MAD_TO_SIGMA, median
from ifuview.model.checks import Array

KNOTS = 40  # medians along wavelength that the continuum is fitted to
CLIP, ROUNDS = 2.5, 5  # of the continuum fit
MIN_KNOTS = 12
CLIP_SPREAD, CLIPPED_RMS = 3.0, 0.9866  # sigma; rms of a Gaussian cut there
GAP = 40  # px that are interpolated


def middle(values: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Median of what is known along an axis; NaN where nothing is."""
    if not np.isnan(values).any():
        return median(values, axis, keepdims)
    if axis is None:
        values, axis, keepdims = np.ravel(values), 0, False
    ranked = np.sort(values, axis=axis)  # NaN last
    count = np.count_nonzero(~np.isnan(values), axis=axis, keepdims=True)
    low, high = (np.take_along_axis(ranked, np.maximum(count - 1 + k, 0) // 2, axis) for k in (0, 1))
    out = np.where(count > 0, 0.5 * (low + high), np.nan)
    return np.asarray(out if keepdims else np.squeeze(out, axis=axis))


def mad(values: Array, axis: int | None = None) -> Array:
    """Scatter of finite numbers as a Gaussian sigma, from the median absolute deviation."""
    center = middle(values, axis, keepdims=axis is not None)
    return np.asarray(MAD_TO_SIGMA * middle(np.abs(values - center), axis))


def spread_of(values: Array) -> float:
    """Scatter of a handful of finite numbers as a Gaussian sigma: the rms of what lies within CLIP_SPREAD of it.

    Three times less uncertain than the median deviation where nearly all belong together.
    """
    away = np.abs(values[np.isfinite(values)] - middle(values))
    sigma = float(MAD_TO_SIGMA * np.median(away)) if away.size else 0.0
    for _ in range(ROUNDS):
        kept = away[away < CLIP_SPREAD * sigma]
        if kept.size < MIN_KNOTS:
            break
        sigma = float(np.sqrt(np.mean(kept**2)) / CLIPPED_RMS)
    return sigma


def median_where(values: Array, use: Array) -> Array:
    """Median of each row over the columns where `use` is true; 0 where it nowhere is."""
    count = use.sum(axis=1)
    ranked = np.sort(np.where(use, values, np.inf), axis=1)
    rows = np.arange(values.shape[0])
    last = values.shape[1] - 1
    low = ranked[rows, np.clip((count - 1) // 2, 0, last)]
    high = ranked[rows, np.clip(count // 2, 0, last)]
    return np.where(count > 0, 0.5 * (low + high), 0.0)


def filled(values: Array, good: Array, gap: float = GAP) -> Array:
    """Bad pixels between good ones interpolated along their row, float32; gaps of more than `gap` px are NaN.

    What nobody measured stays unknown: a masked fiber or amplifier has no part in what the others say.
    """
    out = np.array(values, np.float32)
    bad = ~good | ~np.isfinite(out)
    if not bad.any():
        return out
    rows, at = np.nonzero(bad)
    new = np.append(True, (np.diff(rows) != 0) | (np.diff(at) != 1))
    start, of = np.flatnonzero(new), np.cumsum(new) - 1  # of each gap, and the gap of each pixel
    row, before = rows[start], at[start] - 1
    after = at[np.append(start[1:], at.size) - 1] + 1
    known = before >= 0, after < out.shape[1]
    left = out[row, np.maximum(before, 0)].astype(np.float64)
    right = out[row, np.minimum(after, out.shape[1] - 1)].astype(np.float64)
    left, right = np.where(known[0], left, right), np.where(known[1], right, left)
    slope = (right - left) / (after - before)
    left[(after - before - 1 > gap) | ~(known[0] | known[1])] = np.nan
    out[rows, at] = slope[of] * (at - before[of]) + left[of]
    return out


def binned(values: Array, width: int) -> Array:
    """Means of `width` pixels along the last axis; the remainder is left out."""
    count = values.shape[-1] // width
    cut = values[..., : count * width].reshape(*values.shape[:-1], count, width)
    if cut.dtype.kind != "f":
        return np.asarray(cut.mean(axis=-1))
    with np.errstate(invalid="ignore"):  # what is unknown stays so
        return np.asarray(cut @ np.full(width, 1 / width, cut.dtype))


def without_gaps(values: Array) -> Array:
    """The values with 0 where nothing is known; themselves where all is."""
    known = np.isfinite(values)
    return values if known.all() else np.where(known, values, np.zeros((), values.dtype))


def blocks_of(values: Array, size: int) -> Array:
    """Median of every `size` rows, shape (nblock, ...); the remainder is left out."""
    count = values.shape[0] // size
    return middle(values[: count * size].reshape(count, size, *values.shape[1:]), axis=1)


def continuum(values: Array, weight: Array | None = None, knots: int = KNOTS) -> Array:
    """Smooth part of every row: a robust quadratic through medians along wavelength.

    Keeps what is narrower than a third of the range.

    Parameters
    ----------
    values : ndarray, shape (nfiber, nwave)
        Gaps are NaN; see `filled`.
    weight : ndarray, shape (nfiber, knots), optional
        0 leaves a stretch out of the fit.

    Returns
    -------
    ndarray of float32, shape (nfiber, nwave)
    """
    nfiber, nwave = values.shape
    size = nwave // knots
    medians = middle(values[:, : size * knots].reshape(nfiber, knots, size), axis=2).astype(np.float64)
    known = np.isfinite(medians)
    u = np.linspace(-1.0, 1.0, knots)
    design = np.stack([np.ones(knots), u, u * u - 1 / 3], axis=1)
    allowed = np.ones(medians.shape, bool) if weight is None else weight > 0
    allowed[allowed.sum(axis=1) < MIN_KNOTS] = True
    allowed &= known
    medians = np.where(known, medians, 0.0)
    pairs = (design[:, :, None] * design[:, None, :]).reshape(knots, 9)
    use = allowed.copy()
    coeff = np.zeros((nfiber, 3))
    for _ in range(ROUNDS):
        enough = use.sum(axis=1) >= MIN_KNOTS
        w = use.astype(np.float64)
        normal = (w @ pairs).reshape(nfiber, 3, 3) + 1e-9 * np.eye(3)
        coeff[enough] = np.linalg.solve(normal, ((w * medians) @ design)[..., None])[enough, :, 0]
        rest = medians - coeff @ design.T
        distance = np.abs(rest - median_where(rest, allowed)[:, None])
        spread = MAD_TO_SIGMA * median_where(distance, allowed)[:, None] + 1e-9
        use = allowed & (distance < CLIP * spread)
    at = (np.arange(nwave) - (size / 2 - 0.5)) / (size * (knots - 1)) * 2 - 1
    at = np.clip(at, -1.0, 1.0)
    return np.asarray((coeff @ np.stack([np.ones(nwave), at, at * at - 1 / 3])).astype(np.float32))
