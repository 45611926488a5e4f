"""How bright the sky is in each fiber against the mean: a plane or a parabola over the field, from the fibers' spectra.

Each fiber gives the factor of the mean sky that fits it best, with error; with `lines_only` its smooth part is left
out, so that a source with a continuum does not count. A plane through the factors, a parabola if the Bayesian
information criterion asks for it. What single fibers differ from the surface beyond noise is their response, which
flats do not know to better than some tenths of a percent: a factor shrunk by its own error (James & Stein 1961).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.model.checks import Array

CLIP = 4.0  # sigma
ROUNDS = 5
SMOOTH = 101  # px, of the part that `lines_only` leaves out
SIGNIFICANT = 3.0  # sigma: below it there is no gradient


@dataclass(frozen=True, slots=True, eq=False)
class SkySurface:
    """Brightness of the sky over the field.

    Parameters
    ----------
    value : ndarray of float64, shape (nfiber,)
        Mean of one over the fibers it was made from.
    fiber : ndarray of float64, shape (nfiber,)
        What each fiber's response differs by, one where it is not known.
    degree : int
        Of the polynomial in x and y.
    significance : float
        Of the plane's slope, sigma.
    """

    value: NDArray[np.float64]
    fiber: NDArray[np.float64]
    degree: int
    significance: float


def factors(
    value: Array, weight: Array, sky: Array, lines_only: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Factor of the sky in each fiber and its error, NaN where there is no weight.

    Parameters
    ----------
    value, weight, sky : ndarray, shape (nfiber, nwave)
        Spectra without sources, 1 / variance, sky as each fiber would see the mean.
    lines_only : bool
        Only what differs from a running mean counts.
    """
    if lines_only:
        value, sky = _sharp(value, weight > 0), _sharp(sky, weight > 0)
    top = np.einsum("ki,ki,ki->k", weight, value, sky, dtype=np.float64)
    bottom = np.einsum("ki,ki,ki->k", weight, sky, sky, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan), np.where(bottom > 0, bottom**-0.5, np.nan)


def fit_surface(
    x: Array, y: Array, factor: Array, error: Array, use: Array, single: bool = True, degree: int = 1
) -> SkySurface:
    """Fit the surface through factors of the fibers in `use`.

    Parameters
    ----------
    x, y : ndarray, shape (nfiber,), arcsec
    factor, error : ndarray, shape (nfiber,)
    use : ndarray of bool, shape (nfiber,)
        Fibers without source.
    single : bool
        Also the response of single fibers.
    degree : int
        Of the polynomial at most: 2 may take wide wings of a source for sky.
    """
    known = use & np.isfinite(factor) & (error > 0)
    scale = max(float(np.abs(x).max()), float(np.abs(y).max()), 1e-9)
    terms = _terms(x / scale, y / scale)
    best, lowest = None, np.inf
    slope = 0.0
    for power, count in ((0, 1), (1, 3), (2, 6)):
        if known.sum() < 3 * count or power > degree:
            break
        found = _fitted(terms[:, :count], factor, error, known)
        if found[2] < lowest:
            best, lowest, order = found, found[2], power
        if power == 1:
            slope = found[3]
    if best is None:
        return SkySurface(np.ones(x.size), np.ones(x.size), 0, 0.0)
    if order == 1 and slope < SIGNIFICANT:
        best, order = _fitted(terms[:, :1], factor, error, known), 0
    surface = best[0]
    mean = float(surface[known].mean())
    own = np.ones(x.size)
    if single:
        own = _single(factor / surface, error / mean, known)
    return SkySurface(surface / mean, own, order, slope)


def _sharp(values: Array, known: Array) -> NDArray[np.float32]:
    """What differs from the running mean of what is known."""
    total = uniform_filter1d(np.where(known, values, 0.0), SMOOTH, axis=1)
    count = uniform_filter1d(known.astype(np.float64), SMOOTH, axis=1)
    return np.where(known, values - total / np.maximum(count, 1e-9), 0.0).astype(np.float32)


def _terms(x: Array, y: Array) -> NDArray[np.float64]:
    return np.stack([np.ones(x.size), x, y, x * x, x * y, y * y], axis=1)


def _fitted(
    basis: Array, factor: Array, error: Array, known: Array
) -> tuple[NDArray[np.float64], NDArray[np.bool_], float, float]:
    """Surface, fibers kept, information criterion, significance of the slope."""
    keep = known.copy()
    sigma = error.copy()
    coeff = np.zeros(basis.shape[1])
    for _ in range(ROUNDS):
        w = np.where(keep, 1 / np.where(keep, sigma, 1.0) ** 2, 0.0)
        normal = basis.T @ (w[:, None] * basis)
        coeff = np.linalg.lstsq(normal, basis.T @ np.where(keep, w * factor, 0.0), rcond=None)[0]
        residual = factor - basis @ coeff
        spread = max(robust_sigma((residual / sigma)[keep], 0.0), 1e-3)
        sigma = sigma * max(spread, 1.0)
        new = known & (np.abs(residual) < CLIP * sigma)
        if (new == keep).all() and spread < 1.01:
            break
        keep = new
    loss = float((np.minimum(np.abs(residual[known] / error[known]), 5.0) ** 2).sum())
    covariance = np.linalg.pinv(normal)
    slope = 0.0
    if basis.shape[1] >= 3:
        slope = float(np.sqrt(coeff[1:3] @ np.linalg.solve(covariance[1:3, 1:3], coeff[1:3])))
    return basis @ coeff, keep, loss + basis.shape[1] * np.log(known.sum()), slope


def _single(ratio: Array, error: Array, known: Array) -> NDArray[np.float64]:
    """Response of single fibers, shrunk by what noise explains of their scatter; one where unknown."""
    off = np.where(known, ratio - 1, 0.0)
    inner = known & (np.abs(off) < CLIP * max(robust_sigma(off[known], 0.0), 1e-9))
    own = max(float((off[inner] ** 2).mean() - (error[inner] ** 2).mean()), 0.0) if inner.any() else 0.0
    return np.where(inner, 1 + off * own / (own + np.where(inner, error, 1.0) ** 2 + 1e-30), 1.0)
