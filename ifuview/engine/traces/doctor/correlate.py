"""What the residuals of the fibers have in common after the modes are removed, against what noise alone would give."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array
from ifuview.model.traces.doctor import Correlation

KNOWN = 0.5  # of the bins that a fiber must have
FARTHEST = 20  # fibers apart
MOST_FIBERS = 1000  # in the matrix; more are thinned out
EDGE_MARGIN = 0.03  # the largest eigenvalue of noise exceeds the edge by about this


def correlation(residual: Array, error: Array, used: Array, block: Array) -> Correlation | None:
    """Return the correlation of the residuals, None with fewer than three fibers or bins.

    Parameters
    ----------
    residual, error : (nfiber, nbin), px
    used : bool (nfiber, nbin)
    block : (nfiber,)
    """
    z = np.where(used, residual / np.where(used, error, 1), 0)
    bins = used.mean(axis=0) > KNOWN
    rows = used[:, bins].mean(axis=1) > KNOWN if bins.any() else np.zeros(len(used), bool)
    z = z[:, bins]
    if rows.sum() < 3 or bins.sum() < 3:
        return None
    few = z[rows] - z[rows].mean(axis=1, keepdims=True)
    norm = np.sqrt((few**2).mean(axis=1, keepdims=True))
    few = few / np.where(norm > 0, norm, 1)
    n, m = few.shape
    values = np.linalg.eigvalsh(few.T @ few if n > m else few @ few.T)[::-1] / m
    edge = (1 + np.sqrt(n / m)) ** 2 * (1 + EDGE_MARGIN)
    distance, r, r_err = _by_distance(few)
    number, sign, p_value = _signs(z, rows, block)
    return Correlation(
        _matrix(few, rows), values, float(edge), int((values > edge).sum()), distance, r, r_err, number, sign, p_value
    )


def _matrix(few: Array, rows: Array) -> NDArray[np.float32]:
    """Correlation of all fibers, NaN for those without; thinned for very many."""
    step = max(1, -(-rows.size // MOST_FIBERS))
    place = np.full(rows.size, -1)
    place[rows] = np.arange(rows.sum())
    chosen = place[::step]
    out = np.full((chosen.size, chosen.size), np.nan, np.float32)
    good = np.flatnonzero(chosen >= 0)
    part = few[chosen[good]]
    out[np.ix_(good, good)] = part @ part.T / few.shape[1]
    return out


def _by_distance(few: Array) -> tuple[Array, Array, Array]:
    """Mean correlation of fibers that are d apart, and its error from noise."""
    n, m = few.shape
    distance = np.arange(1, min(FARTHEST, n - 1) + 1)
    r = np.array([(few[d:] * few[:-d]).mean() for d in distance])
    return distance, r, 1 / np.sqrt((n - distance) * m)


def _signs(z: Array, rows: Array, block: Array) -> tuple[Array, Array, Array]:
    """Share of fibers with a positive mean in each block, and how probable that is by chance (two-sided)."""
    mean = z.mean(axis=1)
    number = np.unique(block)
    share, chance = np.full(number.size, np.nan), np.full(number.size, np.nan)
    for i, b in enumerate(number):
        inside = rows & (block == b)
        n, k = int(inside.sum()), int((mean[inside] > 0).sum())
        if n:
            share[i] = k / n
            tail = sum(comb(n, j) for j in range(min(k, n - k) + 1)) / 2.0**n if n < 1000 else np.nan
            chance[i] = min(1.0, 2 * tail)
    return number, share, chance
