"""Level of every fiber in coarse bins: sky fibers must give nothing, and no fiber less than nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import binned, without_gaps
from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array

BIN = 40  # px
CLIP = 5.0  # sigma of a pixel from its fiber's bin: cosmic rays
SHORTEST = 5  # bins of a stretch


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Light after the sky, in bins.

    Parameters
    ----------
    value, error : ndarray, shape (nfiber, nbin)
        Weighted means; the error is infinite where nothing is known.
    sky, wave : ndarray, shape (nbin,)
        Sky and wavelength of the bins.
    share, share_error : ndarray, shape (nfiber,)
        Level as a part of the sky.
    """

    value: Array
    error: Array
    sky: Array
    wave: Array
    share: Array
    share_error: Array


def levels(flux: Array, ivar: Array, sigma: Array, sky: Array, wave: Array) -> Levels:
    """Bin all fibers.

    Parameters
    ----------
    flux, ivar : ndarray, shape (nfiber, nwave)
        Sky-subtracted; ivar is 0 where nothing is known.
    sigma, sky, wave : ndarray, shape (nwave,)
    """
    count = wave.size // BIN
    cut = count * BIN
    shape = flux.shape[0], count, BIN
    weight = np.where(np.isfinite(flux[:, :cut]), ivar[:, :cut], 0.0).reshape(shape)
    values = without_gaps(flux[:, :cut]).reshape(shape)
    middle = median(values, 2, keepdims=True)
    noise = sigma[:cut].reshape(1, count, BIN).astype(values.dtype)
    weight *= np.abs(values - middle) < CLIP * noise + 0.1 * np.abs(middle)
    total = BIN * binned(weight, BIN)[..., 0]
    known = total > 0
    value = np.where(known, np.einsum("fbk,fbk->fb", weight, values) / np.where(known, total, 1.0), 0.0)
    error = np.where(known, 1 / np.sqrt(np.where(known, total, 1.0)), np.inf)
    pattern = np.median(sky[:cut].reshape(count, BIN), axis=1)
    power = np.sum((pattern / error) ** 2, axis=1)
    use = power > 0
    share = np.where(use, np.sum(value * pattern / error**2, axis=1) / np.where(use, power, 1.0), np.nan)
    centers = wave[:cut].reshape(count, BIN).mean(axis=1)
    return Levels(value, error, pattern, centers, share, np.where(use, 1 / np.sqrt(np.where(use, power, 1.0)), np.inf))


def best_scores(of: Levels) -> Array:
    """Significance of the best stretch of every fiber against its own level, by a few lengths, shape (nfiber,)."""
    known = np.isfinite(of.error)
    own = np.nan_to_num(of.share)[:, None] * of.sky
    z = np.clip(np.where(known, (of.value - own) / np.where(known, of.error, 1.0), 0.0), -2 * CLIP, 2 * CLIP)
    total = np.concatenate([np.zeros((z.shape[0], 1)), np.cumsum(z, axis=1)], axis=1)
    best = np.zeros(z.shape[0])
    length = SHORTEST
    while length <= z.shape[1] - SHORTEST:
        score = np.abs(total[:, length:] - total[:, :-length]) / np.sqrt(length * (1 - length / z.shape[1]))
        best = np.maximum(best, score.max(axis=1))
        length = max(length + 1, int(1.4 * length))
    return best
