"""Cosmic rays of a single exposure, told by what a model of the fibers' light does not explain.

The joint extraction leaves out pixels that lie off the profile; around these, pixels of lower significance belong to
the same track. A hit that covers the whole width of a fiber looks like light of the fiber, but is sharper along
dispersion than the line spread function allows. Both follow van Dokkum's idea (2001, L.A.Cosmic) that cosmic rays have
sharper edges than light that came through the optics, with the optics known from the fibers themselves.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.model.checks import Array

SEED, GROWN = 5.0, 2.5  # sigma, of a pixel by itself, and of one beside such a pixel
SHARE = 0.005, 0.05  # of the light of the fibers nearby, by which the profile may be wrong: at least, and at most
TRUSTED = 1.5  # times the share that the residuals of a tile show
TILE = 64  # px, side of a tile
TILE_LIGHT = 1000.0  # electrons nearby, of pixels that show how right the profile is
TILE_LEAST = 200  # such pixels in a tile that tell it
MEDIAN_CHI2 = 0.4549  # of one degree of freedom
GROW_ROUNDS = 6
PEAK_ROWS = 2  # px on each side whose brightest is the light nearby
SPIKE, SPIKE_SHARE = 6.0, 0.12  # sigma, and share of the spectrum beside it, of a spike
LONE_SHARE = 0.5  # of the spectrum beside it, of one without a neighbor: a line of sigma 1.4 px stands out by 0.35
COLUMN_HITS, COLUMN_GAP = 40, 12  # pixels of a run of one column, and rows between two of them


def cosmic_rays(
    data: Array, model: Array, floor: Array, usable: Array, left_out: Array | None = None, seed: float = SEED
) -> NDArray[np.bool_]:
    """Return the pixels that were hit.

    Parameters
    ----------
    data, model : ndarray of float32, shape (nrow, ncol), electrons
        The exposure, and the light of the fibers with all that is smooth.
    floor : ndarray, shape (nrow, ncol), electrons^2
        Variance without light.
    usable : ndarray of bool, shape (nrow, ncol)
    left_out : ndarray of bool, shape (nrow, ncol), optional
        Pixels that the extraction has left out already: they are seeds whatever their significance.
    seed : float, sigma
        Of a pixel by itself.
    """
    out = np.zeros(data.shape, np.bool_)
    seeds = np.zeros(data.shape, np.bool_) if left_out is None else np.asarray(left_out, np.bool_)
    pull = np.empty(data.shape, np.float32)
    low = np.ascontiguousarray(floor, np.float32)
    _pulls(data, model, low, profile_error(data, model, low, np.asarray(usable)), pull)
    out |= np.asarray(usable) & ((pull > seed) | (seeds & (pull > GROWN)))
    for _ in range(GROW_ROUNDS):
        if not _grow(pull, np.asarray(usable, np.bool_), out):
            break
    return out


def profile_error(data: Array, model: Array, floor: Array, usable: Array) -> NDArray[np.float64]:
    """Return the share of the light nearby by which the model may be wrong, for each tile of `TILE` px.

    Bright pixels show it: what their residuals are beyond photons and read-out, by their median, which the few pixels
    that were hit do not move. A tile without bright pixels tells nothing and has the largest share.

    Parameters
    ----------
    data, model, floor, usable
        As for `cosmic_rays`.

    Returns
    -------
    ndarray, shape (ceil(nrow / TILE), ceil(ncol / TILE))
    """
    nrow, ncol = data.shape
    out = np.full((-(-nrow // TILE), -(-ncol // TILE)), SHARE[1])
    for (i, j), _ in np.ndenumerate(out):
        part = np.s_[i * TILE : (i + 1) * TILE, j * TILE : (j + 1) * TILE]
        light = np.maximum(model[part], 0)
        bright = usable[part] & (light > TILE_LIGHT)
        if np.count_nonzero(bright) < TILE_LEAST:
            continue
        value = light[bright]
        noise = (floor[part][bright] + value) / value**2
        off = ((data[part][bright] - value) / value) ** 2
        more = float(np.median(off - MEDIAN_CHI2 * noise)) / MEDIAN_CHI2
        out[i, j] = np.clip(TRUSTED * np.sqrt(max(more, 0.0)), *SHARE)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _pulls(data: Array, model: Array, floor: Array, share: Array, pull: Array) -> None:
    """Excess in sigma, with the share of the light nearby by which the model may be wrong."""
    nrow, ncol = data.shape
    for r in range(nrow):
        low, high = max(0, r - PEAK_ROWS), min(nrow - 1, r + PEAK_ROWS)
        for x in range(ncol):
            peak = 0.0
            for i in range(low, high + 1):
                peak = max(peak, model[i, x])
            noise = floor[r, x] + max(model[r, x], 0.0) + (share[r // TILE, x // TILE] * peak) ** 2
            pull[r, x] = (data[r, x] - model[r, x]) / math.sqrt(noise)


@njit(cache=True, nogil=True)
def _grow(pull: Array, usable: Array, out: Array) -> bool:
    """Add pixels beside those that were hit; whether any was."""
    nrow, ncol = pull.shape
    changed = False
    before = out.copy()
    for r in range(nrow):
        for x in range(ncol):
            if before[r, x] or not usable[r, x] or pull[r, x] <= GROWN:
                continue
            for i in range(max(0, r - 1), min(nrow, r + 2)):
                for j in range(max(0, x - 1), min(ncol, x + 2)):
                    if before[i, j]:
                        out[r, x] = True
            changed |= out[r, x]
    return changed


def spikes(flux: Array, variance: Array, usable: Array) -> NDArray[np.bool_]:
    """Samples that are sharper along dispersion than light can be, bool of shape (nfiber, ncol).

    A sample is compared with what a cubic through its four neighbors says; for lines of sigma 1.5 px that is right to
    some percent. A steep track that changes its column within a fiber is two samples wide: beside a spike, or a sample
    that is lost, the cubic goes without it, and a line without its neighbor may stand out by more.
    """
    value = np.where(usable, flux, 0).astype(np.float64)
    var = np.where(usable & np.isfinite(variance), variance, 0).astype(np.float64)
    out = np.zeros(value.shape, np.bool_)
    near = value[:, 1:-3] + value[:, 3:-1]
    far = value[:, :-4] + value[:, 4:]
    expected = (4 * near - far) / 6
    noise = var[:, 2:-2] + (16 * (var[:, 1:-3] + var[:, 3:-1]) + var[:, :-4] + var[:, 4:]) / 36
    good = usable[:, 2:-2] & usable[:, 1:-3] & usable[:, 3:-1] & usable[:, :-4] & usable[:, 4:]
    off = value[:, 2:-2] - expected
    highest = np.maximum(value[:, 1:-3], value[:, 3:-1])
    out[:, 2:-2] = good & (off > SPIKE * np.sqrt(noise) + SPIKE_SHARE * np.abs(highest)) & (value[:, 2:-2] > highest)
    fiber, column = np.nonzero(out | ~usable)
    for side in (1, -1):
        out[fiber, np.clip(column + side, 0, flux.shape[1] - 1)] |= _beside(value, var, usable, fiber, column, side)
    return out


def _beside(value: Array, var: Array, usable: Array, k: Array, x: Array, side: int) -> NDArray[np.bool_]:
    """Whether the samples on one side of some are spikes, as the samples around both say."""
    most = value.shape[1] - 1
    inside = (np.minimum(x - side, x + 3 * side) >= 0) & (np.maximum(x - side, x + 3 * side) <= most)
    last, here, after, far = (np.where(inside, x + n * side, x) for n in (-1, 1, 2, 3))
    before = value[k, last] + (value[k, after] - value[k, last]) / 3  # in the place of the spike
    expected = (4 * (before + value[k, after]) - value[k, last] - value[k, far]) / 6
    noise = var[k, here] + (17 * var[k, last] + 16 * var[k, after] + var[k, far]) / 36
    good = inside & usable[k, last] & usable[k, here] & usable[k, after] & usable[k, far]
    highest = np.maximum(before, value[k, after])
    sure = SPIKE * np.sqrt(noise) + LONE_SHARE * np.abs(highest)
    return np.asarray(good & (value[k, here] - expected > sure) & (value[k, here] > highest))


def warm_columns(hit: Array) -> NDArray[np.bool_]:
    """Long runs of pixels of one column that stick out, from their first to their last: charge from a trap.

    Pixels of a run in the light of fibers do not stick out by themselves, as the fit takes the charge for light.

    Parameters
    ----------
    hit : ndarray of bool, shape (nrow, ncol)
    """
    out = np.zeros(hit.shape, np.bool_)
    for x in np.flatnonzero(hit.sum(axis=0) >= COLUMN_HITS):
        at = np.flatnonzero(hit[:, x])
        parts = np.split(at, np.flatnonzero(np.diff(at) > COLUMN_GAP) + 1)
        for part in parts:
            if part.size >= COLUMN_HITS:
                out[part[0] : part[-1] + 1, x] = True
    return out
