"""What all fibers share: the mean of the camera, and that of its sky fibers, fitted with what a wrong sky leaves."""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.search.templates import solved
from ifuview.engine.night.stats import binned, without_gaps
from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.model.checks import Array

CLIP = 4.0  # sigma that one fiber can count
TINY = 1e-12
MOST = 9.0  # sigma that a bin can count in what a spectrum has of its own
FEWER, TELLS = 0.9, 100  # of its fibers are known at a wavelength; wavelengths that tell a scatter
FLOOR = 0.2  # of the noise of the mean that its scatter is believed to have at least: a sky model follows its fibers


def mean_spectrum(flux: Array, sigma: Array, use: Array, weight: Array | None = None) -> tuple[Array, Array]:
    """Clipped mean of some fibers and its noise, shape (nwave,).

    The noise is the scatter between neighboring pixels: that of a sky model that all share is in it. `weight` is that
    of each fiber in use, all alike by default.
    """
    part = flux[use]
    known = np.isfinite(part)
    limit = (CLIP * sigma).astype(part.dtype)
    kept = np.clip(part if known.all() else np.where(known, part, np.zeros((), part.dtype)), -limit, limit)
    own = np.ones(part.shape[0]) if weight is None else weight
    count, squares = (_counted(w, known) for w in (own, own**2))
    mean = np.einsum("f,fk->k", own, kept) / count
    noise = sigma * np.sqrt(squares) / count
    steps = np.abs(np.diff(mean, 2)) / np.sqrt(6.0) / noise[1:-1]
    return np.asarray(mean), np.asarray(noise * _scatter(np.pad(steps, 1, mode="edge"), count))


def _scatter(steps: Array, count: Array) -> Array:
    """Scatter of a mean over its noise, shape (nwave,): where some of its fibers are masked a sky model, which had them
    all, follows it less.
    """
    fewer = count < FEWER * count.max()
    out = np.full(count.size, FLOOR)
    for where in (fewer, ~fewer):
        if np.count_nonzero(where) > TELLS:
            out[where] = max(MAD_TO_SIGMA * float(np.median(steps[where])), FLOOR)
    return out


def _counted(weight: Array, known: Array) -> Array:
    """Sum of the weights of what is known at each wavelength, shape (nwave,)."""
    total = np.full(known.shape[1], weight.sum()) if known.all() else np.einsum("f,fk->k", weight, known)
    return np.asarray(np.maximum(total, TINY))


def of_plain_spectra(flux: Array, sigma: Array) -> Array:
    """Weights of fibers in a mean: those that differ by more than their noise over wide stretches count less.

    Parameters
    ----------
    flux : ndarray, shape (nfiber, nwave)
        Without its continuum.
    sigma : ndarray, shape (nwave,)

    Returns
    -------
    ndarray, shape (nfiber,), at most 1
    """
    z = binned(without_gaps(flux) / sigma, BIN) * np.sqrt(BIN)
    return np.asarray(1 / np.maximum(np.mean(np.clip(z, -MOST, MOST) ** 2, axis=1), 1.0))


def of_no_light(weight: Array, level: Array) -> Array:
    """Weights of fibers in the mean that a fiber without light would have: what grows with their light drops out.

    What the spectra of targets have in common grows with their brightness; what a sky model leaves does not.

    Parameters
    ----------
    weight, level : ndarray, shape (nfiber,)
        Weights in a usual mean; light of each fiber.
    """
    light = np.nan_to_num(level)
    return np.asarray(weight * (1 - light * np.sum(weight * light) / max(float(np.sum(weight * light**2)), TINY)))


def shared_noise(flux: Array, sigma: Array, use: Array) -> float:
    """Noise of the mean of some fibers over what their own noise makes of it; 1 where they share none.

    The sky model that is taken off all of them has the noise of the few fibers that made it.
    """
    if not use.any():
        return 1.0
    _, noise = mean_spectrum(flux, sigma, use)
    return max(1.0, float(np.median(noise / sigma)) * float(np.sqrt(np.count_nonzero(use))))


def common_fit(mean: Array, noise: Array, shapes: Array) -> tuple[Array, Array]:
    """Factor, shift and width of a mean spectrum and their errors, shape (3,)."""
    value, error = solved(
        mean[None].astype(np.float32), (noise[None] ** -2.0).astype(np.float32), shapes.astype(np.float32)
    )
    return value[:, 0], error[:, 0]
