"""Models of the phase histogram of a laser, and their maximum-likelihood fit.

Counts per bin are a Gaussian (the laser), integrated over each bin, on a background: an exponential, or a second,
wider Gaussian (triggers on noise, cut off by the trigger threshold). Both are fitted with Fisher scoring of the
Poisson likelihood, damped as Levenberg and Marquardt do; the better by the information criterion of Akaike counts.
Parameters: log of the counts of the Gaussian, center, log of sigma; log of the background, and k (exponential: log of
counts per degree at the end of the fitted range, rise per degree) or center and log of sigma (Gaussian: log counts).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ifuview.model.checks import Array

EXPONENTIAL, GAUSSIAN = 0, 1
COUNTS, CENTER, SIGMA, BACKGROUND, FIRST, SECOND = range(6)  # parameters; the last two are of the background
RISE, BACK_CENTER, BACK_SIGMA = FIRST, FIRST, SECOND
MOST_STEPS = 80
CONVERGED = 1e-5  # of the log likelihood
RIDGE = 1e-4  # keeps a background that is not there from making the matrix singular
TINY = 1e-9  # counts
ROOT2 = math.sqrt(2.0)
ROOT2PI = math.sqrt(2.0 * math.pi)


@njit(cache=True, nogil=True)
def gaussian_bins(edges: Array, center: float, sigma: float, total: float, out: Array, slope: Array) -> None:
    """Counts of a Gaussian in each bin; `slope` (nbin, 2): derivatives by center and by log sigma."""
    before = 0.5 * math.erf((edges[0] - center) / (sigma * ROOT2))
    z = (edges[0] - center) / sigma
    height = math.exp(-0.5 * z * z) / ROOT2PI
    for i in range(len(out)):
        after = 0.5 * math.erf((edges[i + 1] - center) / (sigma * ROOT2))
        z1 = (edges[i + 1] - center) / sigma
        height1 = math.exp(-0.5 * z1 * z1) / ROOT2PI
        out[i] = total * (after - before)
        slope[i, 0] = -total * (height1 - height) / sigma
        slope[i, 1] = -total * (z1 * height1 - z * height)
        before, z, height = after, z1, height1


@njit(cache=True, nogil=True)
def model_bins(kind: int, par: Array, edges: Array, signal: Array, background: Array, jacobian: Array) -> None:
    """Signal and background counts in each bin, and the derivatives of their sum by the parameters."""
    number = len(signal)
    slope = np.empty((number, 2))
    gaussian_bins(edges, par[CENTER], math.exp(par[SIGMA]), math.exp(par[COUNTS]), signal, slope)
    for i in range(number):
        jacobian[i, COUNTS] = signal[i]
        jacobian[i, CENTER] = slope[i, 0]
        jacobian[i, SIGMA] = slope[i, 1]
    if kind == EXPONENTIAL:
        end = edges[number]
        for i in range(number):
            at = 0.5 * (edges[i] + edges[i + 1]) - end
            background[i] = math.exp(par[BACKGROUND] + par[RISE] * at) * (edges[i + 1] - edges[i])
            jacobian[i, BACKGROUND] = background[i]
            jacobian[i, RISE] = background[i] * at
    else:
        gaussian_bins(edges, par[BACK_CENTER], math.exp(par[BACK_SIGMA]), math.exp(par[BACKGROUND]), background, slope)
        for i in range(number):
            jacobian[i, BACKGROUND] = background[i]
            jacobian[i, BACK_CENTER] = slope[i, 0]
            jacobian[i, BACK_SIGMA] = slope[i, 1]


@njit(cache=True, nogil=True)
def solve(matrix: Array, right: Array) -> bool:
    """Solve in place a small symmetric system by Gauss elimination; `right` (n, k) becomes the solution."""
    n = len(matrix)
    for i in range(n):
        best = i
        for j in range(i + 1, n):
            if abs(matrix[j, i]) > abs(matrix[best, i]):
                best = j
        if abs(matrix[best, i]) < 1e-300:
            return False
        if best != i:
            for k in range(n):
                matrix[i, k], matrix[best, k] = matrix[best, k], matrix[i, k]
            for k in range(right.shape[1]):
                right[i, k], right[best, k] = right[best, k], right[i, k]
        for j in range(i + 1, n):
            factor = matrix[j, i] / matrix[i, i]
            if factor != 0.0:
                for k in range(i, n):
                    matrix[j, k] -= factor * matrix[i, k]
                for k in range(right.shape[1]):
                    right[j, k] -= factor * right[i, k]
    for i in range(n - 1, -1, -1):
        for k in range(right.shape[1]):
            for j in range(i + 1, n):
                right[i, k] -= matrix[i, j] * right[j, k]
            right[i, k] /= matrix[i, i]
    return True


@njit(cache=True, nogil=True)
def _score(counts: Array, signal: Array, background: Array, jacobian: Array, npar: int, matrix: Array, gradient: Array
           ) -> float:  # fmt: skip
    """Log likelihood; fills gradient and Fisher matrix."""
    likelihood = 0.0
    for a in range(npar):
        gradient[a] = 0.0
        for b in range(npar):
            matrix[a, b] = 0.0
    for i in range(len(counts)):
        m = signal[i] + background[i] + TINY
        likelihood += counts[i] * math.log(m) - m
        pull = counts[i] / m - 1.0
        for a in range(npar):
            gradient[a] += pull * jacobian[i, a]
            for b in range(a + 1):
                matrix[a, b] += jacobian[i, a] * jacobian[i, b] / m
    for a in range(npar):
        for b in range(a):
            matrix[b, a] = matrix[a, b]
    return likelihood


@njit(cache=True, nogil=True)
def _bound(kind: int, par: Array, low: float, high: float, width: float) -> None:
    """Keep parameters where they mean something."""
    span = high - low
    par[COUNTS] = min(max(par[COUNTS], -3.0), 30.0)
    par[CENTER] = min(max(par[CENTER], low - 0.2 * span), high + 0.2 * span)
    par[SIGMA] = min(max(par[SIGMA], math.log(0.3 * width)), math.log(span))
    par[BACKGROUND] = min(max(par[BACKGROUND], -12.0), 30.0)
    if kind == EXPONENTIAL:
        par[RISE] = min(max(par[RISE], -0.2), 0.5)
    else:
        par[BACK_CENTER] = min(max(par[BACK_CENTER], low - span), high + span)
        par[BACK_SIGMA] = min(max(par[BACK_SIGMA], math.log(width)), math.log(3.0 * span))


@njit(cache=True, nogil=True)
def _damped_step(matrix: Array, gradient: Array, damping: float, damped: Array, step: Array) -> bool:
    """Fill `step` (npar, 1) of the damped search; False if the matrix is singular. `damped` is scratch."""
    npar = len(gradient)
    for a in range(npar):
        for b in range(npar):
            damped[a, b] = matrix[a, b]
        damped[a, a] += damping * matrix[a, a] + RIDGE
        step[a, 0] = gradient[a]
    return solve(damped, step)


@njit(cache=True, nogil=True)
def _moved(kind: int, par: Array, step: Array, trial: Array) -> None:
    """Fill `trial` with the parameters after a step, none of them moved too far at once."""
    for a in range(len(step)):
        trial[a] = par[a] + step[a, 0]
    reach = math.exp(par[SIGMA])
    trial[CENTER] = par[CENTER] + min(max(step[CENTER, 0], -reach), reach)
    trial[SIGMA] = par[SIGMA] + min(max(step[SIGMA, 0], -0.5), 0.5)
    trial[BACKGROUND] = par[BACKGROUND] + min(max(step[BACKGROUND, 0], -2.0), 2.0)
    if kind == EXPONENTIAL:
        trial[RISE] = par[RISE] + min(max(step[RISE, 0], -0.05), 0.05)
    else:
        trial[BACK_SIGMA] = par[BACK_SIGMA] + min(max(step[BACK_SIGMA, 0], -0.5), 0.5)


@njit(cache=True, nogil=True)
def _likelihood(counts: Array, signal: Array, background: Array) -> float:
    """Log likelihood of counts, but for a constant."""
    likelihood = 0.0
    for i in range(len(counts)):
        m = signal[i] + background[i] + TINY
        likelihood += counts[i] * math.log(m) - m
    return likelihood


@njit(cache=True, nogil=True)
def _errors(matrix: Array, error: Array) -> bool:
    """One sigma of the parameters from their Fisher matrix, which is changed; False if it is singular."""
    npar = len(matrix)
    inverse = np.zeros((npar, npar))
    for a in range(npar):
        inverse[a, a] = 1.0
        matrix[a, a] += RIDGE
    if not solve(matrix, inverse):
        return False
    for a in range(npar):
        error[a] = math.sqrt(max(inverse[a, a], 0.0))
    return True


@njit(cache=True, nogil=True)
def _misfit(counts: Array, signal: Array, background: Array) -> tuple[float, float]:
    """Deviance, and the part of the photons that is misplaced beyond what noise does."""
    deviance, misplaced, total = 0.0, 0.0, 0.0
    for i in range(len(counts)):
        m = signal[i] + background[i] + TINY
        n = counts[i]
        total += n
        deviance += 2.0 * (m - n)
        if n > 0:
            deviance += 2.0 * n * math.log(n / m)
        misplaced += max(abs(n - m) - 2.0 * math.sqrt(m + 1.0), 0.0)
    return deviance, misplaced / max(total, 1.0)


@njit(cache=True, nogil=True)
def fit(kind: int, edges: Array, counts: Array, par: Array, error: Array) -> tuple[bool, float, float, float]:
    """Fit from `par` (6,), which becomes the best; `error` (6,) one sigma.

    Returns whether it converged, the log likelihood, the deviance, and the part of the photons that is misplaced
    beyond what noise does.
    """
    number = len(counts)
    npar = 5 if kind == EXPONENTIAL else 6
    width, low, high = edges[1] - edges[0], edges[0], edges[number]
    signal, background, jacobian = np.empty(number), np.empty(number), np.empty((number, 6))
    matrix, gradient, damped = np.empty((npar, npar)), np.empty(npar), np.empty((npar, npar))
    trial, step = np.empty(6), np.empty((npar, 1))
    _bound(kind, par, low, high, width)
    model_bins(kind, par, edges, signal, background, jacobian)
    best = _score(counts, signal, background, jacobian, npar, matrix, gradient)
    damping, converged = 1e-2, False
    for _ in range(MOST_STEPS):
        if not _damped_step(matrix, gradient, damping, damped, step):
            break
        _moved(kind, par, step, trial)
        _bound(kind, trial, low, high, width)
        model_bins(kind, trial, edges, signal, background, jacobian)
        likelihood = _likelihood(counts, signal, background)
        if likelihood >= best:
            gain = likelihood - best
            for a in range(npar):
                par[a] = trial[a]
            best = _score(counts, signal, background, jacobian, npar, matrix, gradient)
            damping = max(damping * 0.2, 1e-9)
            if gain < CONVERGED:
                converged = True
                break
        else:
            damping *= 6.0
            if damping > 1e12:
                converged = True  # no step is uphill: at the top as far as numbers tell
                break
    model_bins(kind, par, edges, signal, background, jacobian)
    best = _score(counts, signal, background, jacobian, npar, matrix, gradient)
    converged = _errors(matrix, error) and converged
    deviance, misplaced = _misfit(counts, signal, background)
    return converged, best, deviance, misplaced
