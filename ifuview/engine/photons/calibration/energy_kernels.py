"""Loops of the energy solution of one resonator: E = c2 p^2 + c1 p + c0, weighted by the errors of the phases."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ifuview.engine.photons.calibration.wavecal_models import solve
from ifuview.model.checks import Array

STEP_SIGMA = 4.0  # that a center may run backwards
RESIDUAL = 0.05  # of the energy; a point further off is wrong
SOLVED, FEW, NOT_MONOTONIC, NO_CONVERGENCE, NOT_VALID = 0, 1, 2, 3, 4


@njit(cache=True, nogil=True)
def _weighted(power: int, x: Array, error: Array, y: Array, use: Array, out: Array, covariance: Array) -> float:
    """Polynomial of x weighted by errors of x; `out` highest power first, three of them. Chi2; -1 if it fails."""
    n = power + 1
    scale = 100.0
    coefficients = np.zeros(n)  # of x / scale, ascending
    matrix, right = np.zeros((n, n)), np.zeros((n, 1))
    inverse = np.zeros((n, n))
    chi2 = -1.0
    for turn in range(12):
        matrix[:] = 0.0
        right[:] = 0.0
        for i in range(len(x)):
            if not use[i]:
                continue
            u = x[i] / scale
            slope = 0.0
            for a in range(1, n):
                slope += a * coefficients[a] * u ** (a - 1)
            spread = abs(slope) / scale * error[i] if turn else 0.01 * error[i]
            weight = 1.0 / max(spread, 1e-9) ** 2
            for a in range(n):
                right[a, 0] += weight * u**a * y[i]
                for b in range(n):
                    matrix[a, b] += weight * u ** (a + b)
        inverse[:] = matrix
        if not solve(matrix, right):
            return -1.0
        change = 0.0
        for a in range(n):
            change = max(change, abs(right[a, 0] - coefficients[a]))
            coefficients[a] = right[a, 0]
        if turn > 1 and change < 1e-10:
            break
    chi2 = 0.0
    for i in range(len(x)):
        if use[i]:
            u = x[i] / scale
            value, slope = 0.0, 0.0
            for a in range(n):
                value += coefficients[a] * u**a
                if a:
                    slope += a * coefficients[a] * u ** (a - 1)
            chi2 += ((value - y[i]) / max(abs(slope) / scale * error[i], 1e-9)) ** 2
    unit = np.zeros((n, n))
    for a in range(n):
        unit[a, a] = 1.0
    if not solve(inverse, unit):
        return -1.0
    out[:] = 0.0
    covariance[:] = 0.0
    for a in range(n):
        out[2 - a] = coefficients[a] / scale**a
        for b in range(n):
            covariance[2 - a, 2 - b] = unit[a, b] / scale ** (a + b)
    return chi2


@njit(cache=True, nogil=True)
def _falls(c: Array, low: float, high: float) -> bool:
    """Whether the energy is positive and falls with the phase from `low` to `high`."""
    rises = 2.0 * c[0] * low + c[1] < 0.0 and 2.0 * c[0] * high + c[1] < 0.0
    return rises and (c[0] * high + c[1]) * high + c[2] > 0.0


@njit(cache=True, nogil=True)
def _solution(
    center: Array, error: Array, energy: Array, use: Array, out: Array, covariance: Array
) -> tuple[int, int, float, float]:
    """Energy solution of the used points (of falling energy): how it ended, power, chi2, largest relative residual."""
    n = 0
    low, high = 1e9, -1e9
    before = -1
    for i in range(len(center)):
        if not use[i]:
            continue
        n += 1
        low, high = min(low, center[i]), max(high, center[i])
        if before >= 0 and center[i] - center[before] < -STEP_SIGMA * (error[i] + error[before]):
            return NOT_MONOTONIC, 0, 0.0, 1e9
        before = i
    if n < 2:
        return FEW, 0, 0.0, 1e9
    linear, own = np.zeros(3), np.zeros((3, 3))
    chi2, power = _weighted(1, center, error, energy, use, linear, own), 1
    good = chi2 >= 0 and _falls(linear, low, high)
    failed = chi2 < 0
    out[:] = linear
    covariance[:] = own
    if n >= 3:
        quadratic = np.zeros(3)
        other = _weighted(2, center, error, energy, use, quadratic, own)
        failed = failed and other < 0
        if other >= 0 and _falls(quadratic, low, high) and (not good or other < chi2):
            good, power, chi2 = True, 2, other
            out[:] = quadratic
            covariance[:] = own
    if not good:
        return (NO_CONVERGENCE if failed else NOT_VALID), 0, 0.0, 1e9
    largest = 0.0
    for i in range(len(center)):
        if use[i]:
            value = (out[0] * center[i] + out[1]) * center[i] + out[2]
            largest = max(largest, abs(value / energy[i] - 1.0))
    free = n - power - 1
    if free > 0 and chi2 > free:
        covariance *= chi2 / free
    return (SOLVED if largest <= RESIDUAL else NOT_VALID), power, chi2, largest


@njit(cache=True, nogil=True)
def solve_energy(
    center: Array, error: Array, energy: Array, use: Array, out: Array, covariance: Array
) -> tuple[int, int]:
    """Energy solution; of four points or more, one that spoils it is left out (`use` says so). End and power."""
    first = _solution(center, error, energy, use, out, covariance)
    n = 0
    for i in range(len(use)):
        n += use[i]
    if first[0] == SOLVED or n < 4:
        return first[0], first[1]
    trial, own = np.zeros(3), np.zeros((3, 3))
    left, least = -1, 1e300
    for k in range(len(use)):
        if use[k]:
            use[k] = False
            one = _solution(center, error, energy, use, trial, own)
            use[k] = True
            if one[0] == SOLVED and one[2] < least:
                left, least = k, one[2]
    if left < 0:
        return first[0], 0
    use[left] = False
    ended = _solution(center, error, energy, use, out, covariance)
    return ended[0], ended[1]


@njit(cache=True, nogil=True)
def phase_of(c: Array, energy: float) -> float:
    """Phase of an energy on the branch on which energy falls with phase; NaN if there is none."""
    inside = c[1] * c[1] - 4.0 * c[0] * (c[2] - energy)
    if not inside >= 0.0:
        return math.nan
    below = math.sqrt(inside) - c[1]
    return 2.0 * (c[2] - energy) / below if below > 0.0 else math.nan
