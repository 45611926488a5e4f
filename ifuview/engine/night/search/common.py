"""What all fibers share: the mean of the camera, and that of its sky fibers, fitted with what a wrong sky leaves."""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.search.templates import solved
from ifuview.engine.night.stats import mad
from ifuview.model.checks import Array

CLIP = 4.0  # sigma that one fiber can count
FLOOR = 0.2  # of the noise of the mean that its scatter is believed to have at least: a sky model follows its fibers


def mean_spectrum(flux: Array, sigma: Array, use: Array) -> tuple[Array, Array]:
    """Clipped mean of some fibers and its noise, shape (nwave,).

    The noise is the scatter between neighboring pixels: that of a sky model that all share is in it.
    """
    part = flux[use]
    known = np.isfinite(part)
    kept = np.clip(np.where(known, part, 0.0), -CLIP * sigma, CLIP * sigma)
    count = np.maximum(known.sum(axis=0), 1)
    mean = kept.sum(axis=0) / count
    noise = sigma / np.sqrt(count)
    steps = np.diff(mean, 2) / np.sqrt(6.0) / noise[1:-1]
    return np.asarray(mean), np.asarray(noise * max(float(mad(steps)), FLOOR))


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
