"""Steps and errors of the Newton search for the intensities Ic, Is and Ip of a speckle pattern."""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.model.checks import Array

IC, IS, IP, IC_ERROR, IS_ERROR, IP_ERROR, LOGLIKE = range(7)  # what a fit fills in; errors stand where ERRORS says
ERRORS = IC_ERROR  # place of the first error
FLOOR = 1e-9  # photons a bin; below it an intensity is at its bound


@njit(cache=True, nogil=True)
def newton_step(par: Array, grad: Array, hess: Array, count: int, damping: float, trial: Array) -> float:
    """Fill `trial` with the intensities (never below 0) after a Newton step of those that may move.

    Damped along the diagonal, more where ln L is not concave. Returns the largest change of an intensity.
    """
    free = np.zeros(count, dtype=np.bool_)
    for i in range(count):
        free[i] = par[i] > 0.0 or grad[i] > 0.0
    step: Array = np.zeros(count)
    extra = damping
    for _ in range(40):
        matrix = np.eye(count)
        right = np.zeros(count)
        for i in range(count):
            if free[i]:
                right[i] = grad[i]
                for j in range(count):
                    if free[j]:
                        matrix[i, j] = -hess[i, j]
                matrix[i, i] = -hess[i, i] + extra * (abs(hess[i, i]) + 1e-12)
        if _positive(matrix):
            step = np.linalg.solve(matrix, right)
            break
        extra = max(4 * extra, 1e-3)
    trial[:] = par
    change = 0.0
    for i in range(count):
        trial[i] = max(par[i] + step[i], 0.0)
        change = max(change, abs(trial[i] - par[i]))
    return change


@njit(cache=True, nogil=True)
def _positive(matrix: Array) -> bool:
    """Whether a symmetric matrix of up to 3 x 3 is positive definite."""
    size = len(matrix)
    if matrix[0, 0] <= 0:
        return False
    if size > 1 and matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0] <= 1e-14 * matrix[0, 0] * matrix[1, 1]:
        return False
    return size < 3 or np.linalg.det(matrix) > 0


@njit(cache=True, nogil=True)
def write_errors(par: Array, hess: Array, count: int, mean: float, out: Array) -> None:
    """Write 1 sigma of the intensities off their bound, from the inverse of the Hessian over these."""
    chosen = np.zeros(count, dtype=np.int64)
    size = 0
    for i in range(count):
        if par[i] > 1e-6 * mean + FLOOR:
            chosen[size] = i
            size += 1
    if size == 0:
        return
    matrix = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            matrix[i, j] = -hess[chosen[i], chosen[j]]
    if not _positive(matrix):
        return
    inverse = np.linalg.inv(matrix)
    for i in range(size):
        if inverse[i, i] > 0:
            out[ERRORS + chosen[i]] = np.sqrt(inverse[i, i])
