"""Weighted Legendre fits of many rows at once, with outliers left out by their median absolute deviation."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.cores import spread
from ifuview.engine.numeric.cholesky import factored, solve_factored
from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.model.checks import Array

CLIP = 4.0  # sigma
ROWS, FEW = 64, 50_000  # rows that a thread takes at a time, and values that are not worth a thread


def legendre_basis(column: Array, ncol: int, degree: int) -> NDArray[np.float64]:
    """Legendre polynomials up to `degree` at detector columns, columns 0..ncol-1 mapped to [-1, 1]; (n, degree + 1)."""
    u = 2 * np.asarray(column, np.float64) / max(ncol - 1, 1) - 1
    return np.ascontiguousarray(np.polynomial.legendre.legvander(u, degree))


def fit_rows(
    basis: Array, values: Array, weight: Array, *, clip: float = CLIP, rounds: int = 2
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.bool_]]:
    """Fit every row of `values` with the columns of `basis`.

    Parameters
    ----------
    basis : ndarray of float64, shape (n, m)
    values, weight : ndarray, shape (nrow, n)
        Weight = 1 / variance; values that are not finite or have no positive weight are left out.
    clip : float
        In robust sigma of the weighted residuals.
    rounds : int
        Of clipping.

    Returns
    -------
    coeff : ndarray, shape (nrow, m)
        NaN where a row has too few values.
    residual : ndarray of float32, shape (nrow, n)
        values - fit.
    kept : ndarray of bool, shape (nrow, n)
    """
    nrow, n = values.shape
    coeff = np.zeros((nrow, basis.shape[1]))
    residual, kept = np.empty((nrow, n), np.float32), np.empty((nrow, n), np.bool_)
    step = ROWS if values.size > FEW else max(nrow, 1)

    def some(k: int) -> None:
        rows = slice(k, k + step)
        _fit_rows(basis, values[rows], weight[rows], clip, rounds, coeff[rows], residual[rows], kept[rows])

    spread(some, range(0, nrow, step))
    return coeff, residual, kept


def evaluate(coeff: Array, basis: Array, dtype: type = np.float64) -> Array:
    """Return coeff @ basis.T, shape (nrow, n), without the threads of a matrix library."""
    out: Array = np.zeros((coeff.shape[0], basis.shape[0]), dtype)
    left: Array = np.ascontiguousarray(coeff, dtype)
    right: Array = np.ascontiguousarray(basis.T, dtype)
    step = ROWS if out.size > FEW else max(len(out), 1)

    def some(k: int) -> None:
        _add_products(left[k : k + step], right, out[k : k + step])

    spread(some, range(0, len(out), step))
    return out


def covariance(basis: Array, weight: Array, kept: Array) -> NDArray[np.float64]:
    """Covariance of the coefficients of every row, shape (nrow, m, m); NaN where it is singular."""
    m = basis.shape[1]
    normal = np.zeros((weight.shape[0], m, m))
    _normal_rows(basis, weight, kept, normal)
    out = np.full_like(normal, np.nan)
    enough = kept.sum(axis=1) > m
    if enough.any():
        out[enough] = np.linalg.inv(normal[enough])
    return out


def variance_series(spread: Array) -> NDArray[np.float64]:
    """Legendre coefficients, up to twice the degree, of the variance of fits with given covariances.

    Parameters
    ----------
    spread : ndarray, shape (nrow, m, m)

    Returns
    -------
    ndarray, shape (nrow, 2 m - 1)
        The variance along a row is this series in the same variable.
    """
    m = spread.shape[1]
    nodes, _ = np.polynomial.legendre.leggauss(2 * m)
    low, high = (np.polynomial.legendre.legvander(nodes, d) for d in (m - 1, 2 * m - 2))
    pairs = (low[:, :, None] * low[:, None, :]).reshape(2 * m, m * m)
    series = np.linalg.lstsq(high, pairs, rcond=None)[0]
    return evaluate(spread.reshape(spread.shape[0], m * m), series)


@njit(cache=True, nogil=True, fastmath={"contract"})
def _add_products(coeff: Array, basis: Array, out: Array) -> None:
    for k in range(out.shape[0]):
        for i in range(basis.shape[0]):
            c = coeff[k, i]
            for x in range(out.shape[1]):
                out[k, x] += c * basis[i, x]


@njit(cache=True, nogil=True)
def _normal_rows(basis: Array, weight: Array, kept: Array, normal: Array) -> None:
    m = basis.shape[1]
    for k in range(weight.shape[0]):
        for x in range(basis.shape[0]):
            if not kept[k, x]:
                continue
            for i in range(m):
                for j in range(m):
                    normal[k, i, j] += weight[k, x] * basis[x, i] * basis[x, j]


@njit(cache=True, nogil=True)
def _fit_rows(
    basis: Array, values: Array, weight: Array, clip: float, rounds: int, coeff: Array, residual: Array, kept: Array
) -> None:
    """One row after the other: normal equations, Cholesky, clip."""
    n, m = basis.shape
    normal, right = np.empty((m, m)), np.empty(m)
    score, scratch = np.empty(n), np.empty(n)
    for k in range(values.shape[0]):
        for x in range(n):
            kept[k, x] = math.isfinite(values[k, x]) and math.isfinite(weight[k, x]) and weight[k, x] > 0
        for turn in range(rounds + 1):
            count = _normal_row(basis, values[k], weight[k], kept[k], normal, right)
            if count <= m or not factored(normal, 0.0):
                coeff[k, :] = np.nan
                residual[k, :] = np.nan
                break
            solve_factored(normal, right, coeff[k])
            used = 0
            for x in range(n):
                fit = 0.0
                for i in range(m):
                    fit += basis[x, i] * coeff[k, i]
                residual[k, x] = values[k, x] - fit
                if kept[k, x]:
                    score[x] = abs(residual[k, x]) * math.sqrt(weight[k, x])
                    scratch[used] = score[x]
                    used += 1
            if turn == rounds or not _clip_row(score, scratch, used, clip, kept[k]):
                break


@njit(cache=True, nogil=True)
def _clip_row(score: Array, scratch: Array, used: int, clip: float, kept: Array) -> bool:
    """Leave out values with a large score; whether any was."""
    limit = clip * MAD_TO_SIGMA * np.median(scratch[:used])
    changed = False
    for x in range(score.size):
        if kept[x] and score[x] > limit and limit > 0:
            kept[x] = False
            changed = True
    return changed


@njit(cache=True, nogil=True)
def _normal_row(basis: Array, values: Array, weight: Array, kept: Array, normal: Array, right: Array) -> int:
    """Lower half of the normal matrix and the right side; number of values used."""
    m = basis.shape[1]
    normal[:] = 0.0
    right[:] = 0.0
    count = 0
    for x in range(values.size):
        if not kept[x]:
            continue
        count += 1
        w = weight[x]
        for i in range(m):
            wb = w * basis[x, i]
            right[i] += wb * values[x]
            for j in range(i + 1):
                normal[i, j] += wb * basis[x, j]
    return count
