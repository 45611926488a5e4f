"""Sixty fibers in three blocks, with any profile, two of them eight times brighter than their neighbors."""

import numpy as np

from ifuview.model.trace import TraceSet
from ifuview.simulate.detector.shapes import render_shape

NFIBER, PITCH, NCOL, READNOISE = 60, 7.0, 512, 3.0
BRIGHT = (20, 40)
BESIDE = [19, 21, 39, 41]


def traces(gap=True, pitch=PITCH, sigma=1.2):
    """Curved traces, widths that change along and across."""
    k = np.arange(NFIBER)
    start = 20 + k * pitch + np.random.default_rng(99).normal(0, 0.05, NFIBER)
    start += (k // 20) * pitch * gap
    u, v = np.linspace(-1, 1, NCOL), np.linspace(-1, 1, NFIBER)[:, None]
    center = start[:, None] + 4 * (0.5 * u + u**2) * (1 + 0.1 * v) - 1
    return TraceSet(fiber=k, center=center, sigma=sigma * (1 + 0.1 * u**2 + 0.05 * v))


def expose(shape, level, *, bright=8.0, gap=True, pedestal=0.0, seed=0, pitch=PITCH, sigma=1.2):
    """Image, traces and true fluxes, about `level` electrons per column and fiber."""
    rng = np.random.default_rng(seed)
    made = traces(gap, pitch, sigma)
    u = np.linspace(-1, 1, NCOL)
    flux = level * rng.uniform(0.85, 1.15, NFIBER)[:, None] * (1 + 0.25 * u - 0.3 * u**2)
    flux[list(BRIGHT)] *= bright
    nrow = int(made.center[-1].max() + 18)
    expected = render_shape(made.center, made.sigma, flux, nrow, shape) + pedestal
    image = rng.poisson(expected) + rng.normal(0, READNOISE, expected.shape)
    return image.astype(np.float32), made, flux
