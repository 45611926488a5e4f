"""Paths of fibers that differ smoothly from one to the next: each fiber by itself as far as its light tells.

Every fiber has a place of its own; how its path bends along columns is nearly that of its neighbors. The bends
(Legendre coefficients of degree one and more) are first fitted as polynomials over the fibers of a block, with the
full information matrix of each fiber, so that one whose light fades counts little there; then each fiber is drawn to
that surface as far as its own coefficients are less sure than fibers differ from it (an empirical Bayes estimate).
Where all light fades, the surface holds; nothing runs away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MAD_TO_SIGMA, known_medians
from ifuview.engine.numeric.polyfit import evaluate, legendre_basis
from ifuview.model.checks import Array

ACROSS = 5  # degree of the bends over the fibers of a block
FIBERS_PER_DEGREE = 6
CLIP = 4.5  # sigma, of single measurements
ROUNDS = 3
LEAST_BINS = 3  # that a fiber needs to have a place of its own


@dataclass(frozen=True, slots=True, eq=False)
class RegularPaths:
    """Paths as Legendre coefficients with their covariance.

    Parameters
    ----------
    coeff : ndarray, shape (nfiber, degree + 1)
        NaN for a fiber without a place.
    spread : ndarray, shape (nfiber, degree + 1, degree + 1)
    kept : ndarray of bool, shape (nfiber, nbin)
        Measurements used.
    rms : ndarray, shape (nfiber,), px
        Of those about the path, weighted.
    """

    coeff: NDArray[np.float64]
    spread: NDArray[np.float64]
    kept: NDArray[np.bool_]
    rms: NDArray[np.float64]


def regular_paths(
    column: Array, center: Array, error: Array, block: Array, place: Array, ncol: int, degree: int
) -> RegularPaths:
    """Fit the paths of all fibers.

    Parameters
    ----------
    column : ndarray, shape (nbin,), px
    center, error : ndarray, shape (nfiber, nbin), px
        Measured; error inf or NaN: not measured.
    block : ndarray of int, shape (nfiber,)
        Fibers of one number bend alike.
    place : ndarray, shape (nfiber,)
        Of the fibers along the slit, on [-1, 1] within their block.
    ncol : int
    degree : int
    """
    basis = legendre_basis(column, ncol, degree)
    good = np.isfinite(center) & np.isfinite(error) & (error > 0)
    weight = np.where(good, 1 / np.where(good, error, 1.0) ** 2, 0.0)
    value = np.where(good, center, 0.0)
    kept = good
    for turn in range(ROUNDS):
        used = weight * kept
        info = np.einsum("kx,xi,xj->kij", used, basis, basis, optimize=True)
        side = np.einsum("kx,xi->ki", used * value, basis, optimize=True)
        coeff, spread = _drawn(info, side, kept.sum(axis=1), block, place, degree)
        residual = value - evaluate(np.nan_to_num(coeff), basis)
        pull = np.abs(residual) * np.sqrt(weight)
        scale = known_medians(pull, kept, 1.0)
        if turn < ROUNDS - 1:
            kept = good & (pull < CLIP * np.maximum(MAD_TO_SIGMA * scale, 1.0)[:, None])
    used = weight * kept
    total = used.sum(axis=1)
    rms = np.sqrt((used * residual**2).sum(axis=1) / np.where(total > 0, total, np.nan))
    chi2 = (used * residual**2).sum(axis=1) / np.maximum(kept.sum(axis=1) - degree - 1, 1)
    return RegularPaths(coeff, spread * np.maximum(chi2, 1.0)[:, None, None], kept, rms)


def _drawn(
    info: Array, side: Array, count: Array, block: Array, place: Array, degree: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients and covariances, each fiber drawn to the surface of its block."""
    nfiber, m = side.shape
    coeff, spread = np.full((nfiber, m), np.nan), np.full((nfiber, m, m), np.nan)
    for name in np.unique(block):
        rows = np.flatnonzero((block == name) & (count >= LEAST_BINS))
        if rows.size == 0:
            continue
        across = np.polynomial.legendre.legvander(place, min(ACROSS, rows.size // FIBERS_PER_DEGREE))
        surface = _surface(info[rows], side[rows], across[rows])
        if degree == 0:
            surface = np.zeros((across.shape[1], 0))
        mean = across @ surface
        own = _excess(info[rows], side[rows], mean[rows])
        prior = np.zeros((m, m))
        prior[1:, 1:] = np.diag(1 / own)
        total = info[rows] + prior
        pulled = side[rows].copy()
        pulled[:, 1:] += mean[rows] / own
        spread[rows] = np.linalg.inv(total)
        coeff[rows] = np.einsum("kij,kj->ki", spread[rows], pulled)
        lost = np.flatnonzero((block == name) & (count < LEAST_BINS))
        coeff[lost, 1:] = mean[lost]
    return coeff, spread


def _surface(info: Array, side: Array, across: Array) -> NDArray[np.float64]:
    """Bends over fibers (nacross, degree): places projected out, all fibers with their information."""
    bend, bent = _without_place(info, side)
    m, n = bend.shape[1], across.shape[1]
    normal = np.einsum("kij,ka,kb->aibj", bend, across, across, optimize=True).reshape(m * n, m * n)
    right = np.einsum("ki,ka->ai", bent, across, optimize=True).ravel()
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    found = np.linalg.lstsq(normal / np.outer(scale, scale), right / scale, rcond=1e-12)[0] / scale
    return np.asarray(found.reshape(n, m))


def _without_place(info: Array, side: Array) -> tuple[Array, Array]:
    """Information on the bends alone, the place of each fiber being free."""
    first = np.maximum(info[:, 0, 0], 1e-300)
    bend = info[:, 1:, 1:] - info[:, 1:, :1] * info[:, :1, 1:] / first[:, None, None]
    return bend, side[:, 1:] - info[:, 1:, 0] * (side[:, 0] / first)[:, None]


def _excess(info: Array, side: Array, mean: Array) -> NDArray[np.float64]:
    """Variance of the bends of fibers about the surface beyond their errors, (degree,); at least a trifle."""
    bend, bent = _without_place(info, side)
    trifle = 1e-8  # px^2: 0.1 thousandth of a px
    m = bend.shape[1]
    out = np.full(m, trifle)
    ridge = np.eye(m) * 1e-3
    cov = np.linalg.inv(bend + ridge)
    miss = np.einsum("kij,kj->ki", cov, bent - np.einsum("kij,kj->ki", bend, mean))
    for i in range(m):
        var = cov[:, i, i]
        weight = 1 / (var + np.median(var)) ** 2
        limit = (CLIP**2) * np.maximum(var, np.median(miss[:, i] ** 2) / 0.455)
        square = np.minimum(miss[:, i] ** 2, limit)
        out[i] = max(float((weight * (square - var)).sum() / weight.sum()), trifle)
    return out
