"""Response of the fibers as the sky shows it, where the twilight's is off: in bins of columns, from all exposures.

Each fiber over the sky, summed in eleven bins. What fibers side by side on the detector share (a twilight and a sky do
not scatter alike) is a running mean over them, which fibers with a source get, too. Of what a fiber differs from it by,
what noise explains is left (shrunk after James & Stein 1961; the mean over columns and the shape along them apart, as
the mean is far better known). A fiber that
differs by more than the others do is corrected only if it does so in all exposures alike: light of a source changes
with the dither. A correction beyond the limit of ten percent is no response: the fiber is called so and left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.model.checks import Array

BINS, LIMIT = 11, 0.1
BESIDE = 6.0  # fibers, sigma of the running mean
MISSING = 2  # bins that may be
CLIP, SURE = 4.0, 3.0  # sigma
LEAST = 30  # fibers that tell whether all have changed
STEADY, ALIKE = 0.002, 3.0  # of the sky, by which exposures differ without a source; sigma of their differences


@dataclass(frozen=True, slots=True, eq=False)
class Adjustment:
    """Correction of the response.

    Parameters
    ----------
    factor : ndarray of float32, shape (nfiber, ncol)
        To multiply the response with; one where nothing is known.
    beyond : ndarray of bool, shape (nfiber,)
        The sky asks for more than the limit.
    scatter : float
        Of the fibers' mean response, that noise does not explain.
    """

    factor: NDArray[np.float32]
    beyond: NDArray[np.bool_]
    scatter: float


def adjust_response(
    flux: tuple[Array, ...], sky: tuple[Array, ...], weight: tuple[Array, ...], block: Array, limit: float = LIMIT,
    bins: int = BINS,
) -> Adjustment:  # fmt: skip
    """Return the correction.

    Parameters
    ----------
    flux, sky, weight : tuple of ndarray, shape (nfiber, ncol)
        By exposure: light and sky of each fiber, 1 / variance (smooth; 0 for what is not to be used).
    block : ndarray of int, shape (nfiber,)
        Amplifier of each fiber; fibers in their order on it.
    limit : float
    bins : int
    """
    ncol = flux[0].shape[1]
    edge = np.linspace(0, ncol, bins + 1).astype(int)
    top, bottom = (
        np.stack([np.add.reduceat(a, edge[:-1], axis=1, dtype=np.float64) for a in some])
        for some in (
            [w * m * (f - m) for f, m, w in zip(flux, sky, weight, strict=True)],
            [w * m * m for m, w in zip(sky, weight, strict=True)],
        )
    )
    mean, error = _ratio(top.sum(axis=(0, 2)), bottom.sum(axis=(0, 2)))
    off, wrong = _ratio(top.sum(axis=0), bottom.sum(axis=0))
    enough = np.isfinite(wrong).sum(axis=1) >= bins - MISSING
    usual = enough & _usual(mean, error, enough)
    alike = enough & _alike(top.sum(axis=2), bottom.sum(axis=2), mean)
    beyond = alike & (np.abs(mean) - limit > SURE * error)
    use = (usual | alike) & ~beyond
    level, scatter = _shrunk(mean, error, use, usual, block)
    shape = np.where(np.isfinite(wrong), off - mean[:, None], 0.0)
    bent = []
    for n in range(bins):
        even = _usual(shape[:, n], wrong[:, n], use & np.isfinite(wrong[:, n]))  # without a line in it
        bent.append(_shrunk(shape[:, n], wrong[:, n], even, usual & even, block)[0])
    total = np.where(beyond[:, None], 1.0, np.clip(1 + level[:, None] + np.stack(bent, axis=1), 1 - limit, 1 + limit))
    middle, column = (edge[:-1] + edge[1:] - 1) / 2, np.arange(ncol)
    factor = np.stack([np.interp(column, middle, row) for row in total]).astype(np.float32)
    return Adjustment(factor, beyond, scatter)


def response_change(level: Array, error: Array, block: Array) -> float:
    """Return how much fibers differ in all exposures alike, as no light of sources does: their response has changed.

    Parameters
    ----------
    level, error : ndarray, shape (nexp, nfiber)
        Brightness of each fiber, its twilight divided out; NaN unknown.
    block : ndarray of int, shape (nfiber,)
        Amplifier of each fiber.

    Returns
    -------
    float
        Robust scatter over the fibers of an amplifier; NaN where too few are alike, or for a single exposure.
    """
    known = np.isfinite(level) & (error > 0)
    seen = known.all(axis=0)
    if len(level) < 2 or seen.sum() < LEAST:
        return float("nan")
    middle = np.median(level[:, seen], axis=1)[:, None]
    off, sigma = level / middle - 1, np.hypot(error / middle, STEADY)
    mean = off.mean(axis=0)
    with np.errstate(invalid="ignore"):
        alike = seen & (np.abs(off - mean) < ALIKE * sigma).all(axis=0)
    if alike.sum() < LEAST:
        return float("nan")
    apart = np.concatenate([(own := mean[alike & (block == n)]) - np.median(own) for n in np.unique(block[alike])])
    return robust_sigma(apart, 0.0)


def _ratio(top: Array, bottom: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted mean and its error: zero and infinite where nothing is known."""
    known = bottom > 0
    by = np.where(known, bottom, 1.0)
    return np.where(known, top / by, 0.0), np.where(known, 1 / np.sqrt(by), np.inf)


def _usual(off: Array, error: Array, known: Array) -> NDArray[np.bool_]:
    """Fibers that differ by no more than most do."""
    if not known.any():
        return np.zeros(off.size, bool)
    width = robust_sigma(off[known], 0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(known & (np.abs(off) < CLIP * np.hypot(width, error)))


def _alike(top: Array, bottom: Array, mean: Array) -> NDArray[np.bool_]:
    """Fibers that differ by the same in all exposures, of at least two."""
    off, error = _ratio(top, bottom)
    known = np.isfinite(error)
    sigma = np.hypot(np.where(known, error, 1.0), STEADY)
    pull = np.where(known, np.abs(off - mean) / sigma, 0.0)
    return np.asarray((known.sum(axis=0) > 1) & (pull.max(axis=0) < ALIKE))


def _shrunk(off: Array, error: Array, use: Array, usual: Array, block: Array) -> tuple[NDArray[np.float64], float]:
    """The running mean and what is known beyond noise of differences from it; the scatter of the latter."""
    if usual.sum() < 3:
        return np.zeros(off.size), 0.0
    running = _running(off, error, usual, block)
    apart = off - running
    own = max(robust_sigma(apart[usual], 0.0) ** 2 - float(np.median(error[usual] ** 2)), 0.0)
    square = np.where(use, error, 1.0) ** 2
    far = np.where(use & ~usual, np.maximum(apart**2 - square, 0), 0.0)  # one of its own
    prior = own + far
    return running + np.where(use, apart * prior / (prior + square + 1e-30), 0.0), float(np.sqrt(own))


def _running(off: Array, error: Array, usual: Array, block: Array) -> NDArray[np.float64]:
    """Weighted mean of the fibers beside each on its amplifier; of all where there are none."""
    weight = np.where(usual, 1 / np.where(usual, error**2 + float(np.median(error[usual])) ** 2, 1.0), 0.0)
    fiber = np.arange(off.size)
    kernel = np.exp(-0.5 * ((fiber[:, None] - fiber) / BESIDE) ** 2) * (block[:, None] == block) * weight
    total = kernel.sum(axis=1)
    whole = float((weight * off).sum() / weight.sum())
    known = total > 1e-3 * float(np.median(weight[usual]))
    return np.where(known, kernel @ np.where(usual, off, 0.0) / np.where(known, total, 1.0), whole)
