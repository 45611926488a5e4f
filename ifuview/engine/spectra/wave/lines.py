"""Emission lines of fiber spectra: where peaks are, and centers, fluxes and widths with errors.

Each line is a Gaussian integrated over pixels above a level of its own; all other lines of the fiber are subtracted, so
that close ones do not pull each other. Gauss-Newton with the variance given, which should come from a model; errors are
those of the fit. Pixels that are not usable (saturated, hit) are left out: a line is then measured on its wings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.numeric.cholesky import factored, solve_factored
from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.model.checks import Array

REACH = 3.0  # sigma on each side that decide
MODEL_REACH = 6.0  # sigma on each side that a line's light is subtracted from
ROUNDS = 8
MAX_STEP, MAX_DRIFT = 1.0, 3.5  # px a round, and in all
MIN_SIGMA, MAX_SIGMA = 0.6, 6.0  # px
LEAST_PIXELS = 5
SETTLED = 1e-4  # px
SINGULAR = 1e-12  # of the diagonal, a pivot of normal equations that tell nothing
PEAK_SIGMA = 6.0  # of the noise, of a peak
SMOOTH_REACH = 4  # px
LEVEL_WINDOW, LEVEL_SHARE = 101, 30  # px; percentile of the window that is the level below the lines
EDGE = 3  # px at both ends without peaks


@dataclass(frozen=True, slots=True, eq=False)
class LineFits:
    """Lines of all fibers, arrays of shape (nfiber, nline).

    Parameters
    ----------
    center, center_error : px
        NaN where it could not be fitted.
    flux, flux_error : unit of the spectra
    sigma, sigma_error : px
        Error 0 where the width was given.
    chi2 : for each degree of freedom
    """

    center: NDArray[np.float64]
    center_error: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_error: NDArray[np.float64]
    sigma: NDArray[np.float64]
    sigma_error: NDArray[np.float64]
    chi2: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Peaks of one spectrum by rising column: column (px), height above the level, and that over the noise."""

    column: NDArray[np.float64]
    height: NDArray[np.float64]
    snr: NDArray[np.float64]


def without_level(spectrum: Array) -> NDArray[np.float64]:
    """A spectrum less the level below its lines, a low percentile of a running window (straight between)."""
    n = spectrum.size
    step = LEVEL_WINDOW // 2
    middle = np.arange(0, n + step, step)
    value = [
        np.nanpercentile(spectrum[max(0, m - step) : m + step + 1], LEVEL_SHARE) for m in np.minimum(middle, n - 1)
    ]
    return np.asarray(spectrum - np.interp(np.arange(n), middle, value), np.float64)


def find_peaks(spectrum: Array, sigma: float, least: float = PEAK_SIGMA) -> Peaks:
    """Return the peaks of a spectrum that stand out of its noise.

    Parameters
    ----------
    spectrum : ndarray, shape (ncol,)
    sigma : float, px
        Of a line, roughly.
    least : float
        Of the noise.

    Notes
    -----
    The noise is that of the smoothed spectrum where there are no lines, from its median absolute deviation; twice
    that of photons is asked of peaks beside brighter ones.
    """
    flat = without_level(np.nan_to_num(spectrum))
    reach = np.arange(-SMOOTH_REACH, SMOOTH_REACH + 1)
    kernel = np.exp(-0.5 * (reach / sigma) ** 2)
    smooth = np.convolve(flat, kernel / kernel.sum(), "same")
    noise = max(MAD_TO_SIGMA * float(np.median(np.abs(smooth))), 1e-9)
    inner = smooth[1:-1]
    at = np.flatnonzero((inner > smooth[:-2]) & (inner >= smooth[2:])) + 1
    at = at[(at >= EDGE) & (at < smooth.size - EDGE)]
    at = at[smooth[at] > least * noise]
    below, here, above = smooth[at - 1], smooth[at], smooth[at + 1]
    curvature = np.minimum(below - 2 * here + above, -1e-12)
    return Peaks(at + 0.5 * (below - above) / curvature, here, here / noise)


def fit_lines(
    flux: Array, variance: Array, usable: Array, center: Array, sigma: Array, *, fit_width: bool = False
) -> LineFits:
    """Return fits of all lines in all fibers.

    Parameters
    ----------
    flux, variance : ndarray, shape (nfiber, ncol)
    usable : ndarray of bool, shape (nfiber, ncol)
    center : ndarray, shape (nfiber, nline), px
        To start from, good to about a sigma; NaN: no such line here.
    sigma : ndarray, shape (nfiber, nline), px
        To start from, or as given.
    fit_width : bool
        Let sigma vary.
    """
    start = np.ascontiguousarray(center, np.float64)
    width = np.array(np.broadcast_to(sigma, start.shape), np.float64)
    good = np.asarray(usable, bool) & np.isfinite(flux) & np.isfinite(variance) & (np.asarray(variance) > 0)
    weight = np.where(good, 1 / np.where(good, variance, 1), 0)
    out = np.full((7, *start.shape), np.nan)
    _fit(np.where(good, flux, 0).astype(np.float64), weight, start, width, fit_width, out)
    return LineFits(*out)


@njit(cache=True, nogil=True)
def _light(edge: float, center: float, sigma: float) -> float:
    """Gaussian integrated from minus infinity to an edge."""
    return 0.5 * math.erf((edge - center) / (sigma * math.sqrt(2.0)))


@njit(cache=True, nogil=True)
def _add_line(model: Array, center: float, sigma: float, flux: float) -> None:
    low = max(0, math.floor(center - MODEL_REACH * sigma))
    high = min(model.size - 1, math.ceil(center + MODEL_REACH * sigma))
    for x in range(low, high + 1):
        model[x] += flux * (_light(x + 0.5, center, sigma) - _light(x - 0.5, center, sigma))


@njit(cache=True, nogil=True, error_model="numpy")
def _fit(data: Array, weight: Array, start: Array, width: Array, fit_width: bool, out: Array) -> None:
    nfiber, nline = start.shape
    ncol = data.shape[1]
    model = np.empty(ncol)
    moved = np.empty(nline)
    for k in range(nfiber):
        center, sigma = start[k].copy(), width[k].copy()
        flux, level = np.zeros(nline), np.zeros(nline)
        fine = np.zeros(nline, np.bool_)
        for i in range(nline):
            fine[i] = math.isfinite(center[i]) and 0 <= center[i] <= ncol - 1
        for turn in range(ROUNDS):
            model[:] = 0.0
            for i in range(nline):
                if fine[i] and flux[i] != 0:
                    _add_line(model, center[i], sigma[i], flux[i])
            most = 0.0
            for i in range(nline):
                if fine[i]:
                    free = fit_width and turn > 1
                    fine[i] = _step(data[k], weight[k], model, i, center, sigma, flux, level, turn, free, out[:, k])
                    moved[i] = abs(center[i] - start[k, i])
                    if moved[i] > MAX_DRIFT:
                        fine[i] = False
                    most = max(most, out[6, k, i])
            if turn > 2 and most < SETTLED:
                break
        for i in range(nline):
            if fine[i]:
                out[0, k, i], out[2, k, i], out[4, k, i] = center[i], flux[i], sigma[i]
                out[6, k, i] = _chi2(data[k], weight[k], model, center[i], sigma[i], level[i])
            else:
                out[:, k, i] = np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def _step(
    data: Array, weight: Array, model: Array, i: int, center: Array, sigma: Array, flux: Array, level: Array,
    turn: int, free: bool, out: Array,
) -> bool:  # fmt: skip
    """One step of one line: flux, level, and after the first round center and width; False if it cannot be fitted."""
    c, s, f = center[i], sigma[i], flux[i]
    low, high = max(0, math.ceil(c - REACH * s - 0.5)), min(data.size - 1, math.floor(c + REACH * s + 0.5))
    m = 2 if turn == 0 else (4 if free else 3)
    normal, right = np.zeros((m, m)), np.zeros(m)
    slope, step, variance = np.zeros(m), np.zeros(m), np.zeros(m)
    count = 0
    for x in range(low, high + 1):
        if weight[x] <= 0:
            continue
        count += 1
        a, b = (x - 0.5 - c) / s, (x + 0.5 - c) / s
        ga, gb = (
            math.exp(-0.5 * a * a) / (s * math.sqrt(2 * math.pi)),
            math.exp(-0.5 * b * b) / (s * math.sqrt(2 * math.pi)),
        )
        slope[0], slope[1] = _light(x + 0.5, c, s) - _light(x - 0.5, c, s), 1.0
        if m > 2:
            slope[2] = f * (ga - gb)
        if m > 3:
            slope[3] = f * (a * ga - b * gb)
        residual = data[x] - model[x] - level[i]
        for p in range(m):
            right[p] += weight[x] * slope[p] * residual
            for q in range(m):
                normal[p, q] += weight[x] * slope[p] * slope[q]
    if count < LEAST_PIXELS or count <= m:
        return False
    if not _solve(normal, right, step, variance):
        return False
    flux[i] += step[0]
    level[i] += step[1]
    out[6, i] = 1.0
    if m > 2:
        if not f > 0:
            return False
        move = min(max(step[2], -MAX_STEP), MAX_STEP)
        center[i] += move
        out[6, i] = abs(move)
        out[1, i], out[3, i], out[5, i] = math.sqrt(variance[2]), math.sqrt(variance[0]), 0.0
    if m > 3:
        sigma[i] = min(max(s + min(max(step[3], -0.3), 0.3), MIN_SIGMA), MAX_SIGMA)
        out[5, i] = math.sqrt(variance[3])
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(normal: Array, right: Array, step: Array, variance: Array) -> bool:
    """Solve in place; `variance` takes the diagonal of the inverse; False if the matrix is singular."""
    if not factored(normal, SINGULAR):
        return False
    for i in range(right.size):
        step[:] = 0.0
        step[i] = 1.0
        solve_factored(normal, step, step)
        variance[i] = step[i]
    solve_factored(normal, right, step)
    return True


@njit(cache=True, nogil=True)
def _chi2(data: Array, weight: Array, model: Array, center: float, sigma: float, level: float) -> float:
    """Mean square residual in sigma within the reach."""
    low, high = max(0, math.ceil(center - REACH * sigma)), min(data.size - 1, math.floor(center + REACH * sigma))
    total, count = 0.0, 0
    for x in range(low, high + 1):
        if weight[x] > 0:
            total += weight[x] * (data[x] - model[x] - level) ** 2
            count += 1
    return total / max(count - 3, 1)
