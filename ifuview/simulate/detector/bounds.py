"""Cramer-Rao bounds of centers and traces: the best that any tracing of a simulated frame can do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet

HALF_ROWS = 7  # rows on each side that carry information


def electrons_for_snr(snr: float, readnoise: float, sigma: float = 1.2) -> float:
    """Electrons per column of one fiber that give an optimal signal-to-noise ratio against Poisson and read noise."""
    npix = 2 * np.sqrt(np.pi) * sigma
    return float(0.5 * (snr**2 + np.sqrt(snr**4 + 4 * snr**2 * npix * readnoise**2)))


def center_bound(traces: TraceSet, flux: Array, readnoise: float) -> NDArray[np.float64]:
    """Return the smallest possible error of a center in each column, shape (nfiber, ncol), px.

    The flux is free, the width known, neighbors left out: the 2 x 2 Fisher matrix of pixel-integrated Gaussians.
    """
    from scipy.special import ndtr

    assert traces.sigma is not None
    center, sigma = traces.center, traces.sigma
    middle = np.round(center)
    ff, fc, cc = np.zeros((3, *center.shape))
    for j in range(-HALF_ROWS, HALF_ROWS + 1):
        a = (middle + j - 0.5 - center) / sigma
        b = a + 1 / sigma
        light = ndtr(b) - ndtr(a)
        slope = flux * (np.exp(-a * a / 2) - np.exp(-b * b / 2)) / (np.sqrt(2 * np.pi) * sigma)
        variance = readnoise**2 + flux * light
        ff += light**2 / variance
        fc += light * slope / variance
        cc += slope**2 / variance
    bound: NDArray[np.float64] = np.sqrt(ff / (ff * cc - fc**2))
    return bound


def trace_bound(traces: TraceSet, flux: Array, readnoise: float, degree: int) -> NDArray[np.float64]:
    """Return the rms over columns of the bound on a fitted trace of a degree, shape (nfiber,), px."""
    weight = 1 / center_bound(traces, flux, readnoise) ** 2
    basis = np.polynomial.legendre.legvander(np.linspace(-1, 1, traces.ncol), degree)
    out = np.empty(traces.nfiber)
    for k, w in enumerate(weight):
        covariance = np.linalg.inv((basis * w[:, None]).T @ basis)
        out[k] = np.sqrt(np.mean(np.sum((basis @ covariance) * basis, axis=1)))
    return out
