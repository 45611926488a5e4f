"""One sky line by itself: how much of it each fiber keeps, with the line's own shape as the filter."""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.search.templates import rough, shapes
from ifuview.engine.night.stats import mad, middle
from ifuview.model.checks import Array

HALF = 4  # px on both sides of a line
CLIP = 4.0  # scatters of a fiber
MANY = 8  # lines that tell their scatter
FLOOR = 0.2  # of the error that the scatter is believed to have at least: a sky model follows its fibers


def line_parts(sharp: Array, weight: Array, sky: Array, at: Array) -> tuple[Array, Array]:
    """Part of each line that each fiber keeps, and its error, shape (nfiber, nline); the error is infinite if unknown.

    Parameters
    ----------
    sharp, weight : ndarray, shape (nfiber, nwave)
        Residual without what is wide, inverse variance.
    sky : ndarray, shape (nwave,)
    at : ndarray of int, shape (nline,)
    """
    near = np.clip(at[:, None] + np.arange(-HALF, HALF + 1), 0, sky.size - 1)
    shape = (sky - rough(sky[None])[0])[near]
    w = weight[:, near]
    shape = np.where((np.abs(shapes(sky, np.arange(sky.size, dtype=float))[0]) > 0)[near], shape, 0.0)
    norm = np.einsum("flk,lk->fl", w, shape**2)
    value = np.einsum("flk,lk->fl", w * sharp[:, near], shape)
    known = (norm > 0.3 * np.median(norm, axis=0)) & (norm > 0)
    safe = np.where(known, norm, 1.0)
    return np.where(known, value / safe, 0.0), np.where(known, 1 / np.sqrt(safe), np.inf)


def common_part(value: Array, error: Array, least: float = 1.0, of_mean: float = 1.0) -> tuple[Array, Array]:
    """Part of each line that all fibers keep, and its significance, shape (nline,).

    The scatter between the lines is in it: what the noise of the sky model does to all. Fibers that made the sky model
    scatter less than their own noise says, down to `least` of it.

    Parameters
    ----------
    value, error : ndarray, shape (nfiber, nline)
    least : float, optional
    of_mean : float, optional
        Noise of the mean of the fibers over what their own makes: they share that of the sky model.
    """
    known = np.isfinite(error)
    center = middle(np.where(known, value, np.nan), axis=0)
    scatter = np.maximum(
        mad(np.where(known, value, np.nan), axis=0), FLOOR * middle(np.where(known, error, np.nan), axis=0)
    )
    kept = np.where(known & (np.abs(value - center) < CLIP * scatter), value, 0.0)
    weight = np.where(known & (np.abs(value - center) < CLIP * scatter), error, np.inf) ** -2.0
    total = np.maximum(weight.sum(axis=0), 1e-30)
    mean = (weight * kept).sum(axis=0) / total
    z = (value - mean) / np.where(known, error, np.inf)
    extra = np.maximum(1.0, mad(np.where(known, z, np.nan), axis=0))
    own = np.maximum(np.where(np.isfinite(extra), extra, 1.0), of_mean) / np.sqrt(total)
    measured = known.any(axis=0)
    score = np.where(measured, mean / own, 0.0)
    spread = max(least, float(mad(score[measured]))) if np.count_nonzero(measured) >= MANY else 1.0
    return np.asarray(mean), np.asarray(score / spread)
