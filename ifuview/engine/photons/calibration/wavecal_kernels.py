"""Loops of the wavelength calibration: phase histograms, the fit of one, all lasers of some resonators."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ifuview.engine.photons.calibration.energy_kernels import SOLVED, phase_of, solve_energy
from ifuview.engine.photons.calibration.wavecal_models import (
    BACK_CENTER,
    BACK_SIGMA,
    BACKGROUND,
    CENTER,
    COUNTS,
    EXPONENTIAL,
    GAUSSIAN,
    RISE,
    SIGMA,
    fit,
)
from ifuview.model.checks import Array

WIDEST = 4  # fine bins in one
SPARSE = 100  # counts of the fullest bin below which bins are widened
LEAST_BINS = 12  # that widening leaves
STRAY = 0.0005  # of the photons at either end that do not widen the range
NEAREST = -10.0  # degree; a laser closer to zero is none
NARROWEST = 1.0  # degree; sigma
LEAST_SHARE = 0.05  # of the photons that are the laser's
LOG_ERROR = 0.25  # of the laser's counts: it stands out by four sigma
MOST_CHI2 = 200.0  # reduced; as published
MISPLACED = 0.2  # of the photons that the model puts elsewhere
PENALTY = 4.0  # of the information criterion, for the second Gaussian
HALF = 1.1774100225154747  # half of the FWHM of a Gaussian in sigma
KIND = 0  # of parameters: kind of background; the parameters of the model follow
LASER_CENTER, LASER_CENTER_ERROR, LASER_SIGMA, LASER_SIGMA_ERROR, LASER_CHI2 = range(5)  # of values
LASER_VALUES = 5
POWER, POWER_ERROR = 0, 1  # of resolution
GOOD, NO_DATA, FEW_BINS, CONVERGENCE, VALIDATION = 0, 1, 5, 6, 7


@njit(cache=True, nogil=True)
def add_phases(
    resonator: Array, time: Array, phase: Array, gap: int, low: float, width: float, last: Array, seen: Array,
    alone: Array, histogram: Array,
) -> None:  # fmt: skip
    """Add photons to the phase histograms (n, nbin) unless they come within `gap` ticks of the one before.

    `last` (n,) is the time of the latest photon, -1 for none; `seen` and `alone` (n,) count photons, and those that
    stand alone.
    """
    number, nbin = histogram.shape
    for i in range(len(time)):
        r = resonator[i]
        if r >= number:
            continue
        t = np.int64(time[i])
        seen[r] += 1
        before = last[r]
        last[r] = t
        if before >= 0 and t >= before and t - before < gap:
            continue
        alone[r] += 1
        p = phase[i]
        if p < 0.0 and p >= low:
            k = min(int((p - low) / width), nbin - 1)
            histogram[r, k] += 1


@njit(cache=True, nogil=True)
def fitted_bins(histogram: Array, low: float, width: float) -> tuple[Array, Array, int]:
    """Edges and counts of the bins to be fitted, and how many fine bins each is."""
    total = 0.0
    for i in range(len(histogram)):
        total += histogram[i]
    first, last, sum_ = 0, len(histogram) - 1, 0.0
    for i in range(len(histogram)):
        sum_ += histogram[i]
        if sum_ > STRAY * total:
            first = i
            break
    sum_ = 0.0
    for i in range(len(histogram) - 1, -1, -1):
        sum_ += histogram[i]
        if sum_ > STRAY * total:
            last = i
            break
    join = 1
    while True:
        number = (last - first + join) // join
        counts = np.zeros(number)
        for i in range(first, last + 1):
            counts[(i - first) // join] += histogram[i]
        if join >= WIDEST or counts.max() >= SPARSE or number // 2 < LEAST_BINS:
            break
        join *= 2
    edges = low + width * (first + join * np.arange(number + 1))
    return edges, counts, join


@njit(cache=True, nogil=True)
def _seed(kind: int, place: int, edges: Array, counts: Array, total: float, par: Array) -> None:
    """Parameters to start from with the laser in bin `place`."""
    width = edges[1] - edges[0]
    center = 0.5 * (edges[place] + edges[place + 1])
    left = place
    while left > 0 and counts[left] > 0.5 * counts[place]:
        left -= 1
    sigma = max((place - left) * width / HALF, 0.7 * width)
    sigma = min(sigma, 0.25 * (edges[-1] - edges[0]) + width)
    par[COUNTS] = math.log(max(counts[place] * sigma * 2.5 / width, 1.0))
    par[CENTER] = center
    par[SIGMA] = math.log(sigma)
    if kind == EXPONENTIAL:
        end = 0.0
        for i in range(max(len(counts) - 3, 0), len(counts)):
            end += counts[i] / 3.0
        par[BACKGROUND] = math.log(max(end / width, 0.05))
        par[RISE] = 0.02
    else:
        par[BACKGROUND] = math.log(max(0.1 * total, 1.0))
        par[BACK_CENTER] = min(center + 3.0 * sigma, edges[-1])
        par[BACK_SIGMA] = math.log(max(2.0 * sigma, 8.0))


@njit(cache=True, nogil=True)
def _valid(kind: int, par: Array, error: Array, edges: Array, total: float, chi2: float, misplaced: float) -> bool:
    """Whether a fit can be the laser."""
    sigma, center = math.exp(par[SIGMA]), par[CENTER]
    low, high = edges[0], edges[-1]
    if not (low < center < high and center < NEAREST and NARROWEST < sigma < 0.5 * (high - low)):
        return False
    if error[COUNTS] > LOG_ERROR or error[CENTER] > 0.5 * sigma or math.exp(par[COUNTS]) < LEAST_SHARE * total:
        return False
    if kind == GAUSSIAN and par[BACK_CENTER] < center and math.exp(par[BACK_SIGMA]) < sigma:
        return False
    return chi2 <= MOST_CHI2 and misplaced <= MISPLACED


@njit(cache=True, nogil=True)
def _peaks(edges: Array, counts: Array, guess: float) -> tuple[Array, Array]:
    """Bins where the laser may be: the highest, the second peak, and that of a guess; -1 for none. Smoothed counts."""
    number = len(counts)
    seeds = np.full(3, -1)
    smooth = np.zeros(number)
    for i in range(number):
        smooth[i] = counts[max(i - 1, 0)] + 2 * counts[i] + counts[min(i + 1, number - 1)]
    for i in range(number):
        if edges[i] < NEAREST and (seeds[0] < 0 or smooth[i] > smooth[seeds[0]]):
            seeds[0] = i
    for i in range(1, number - 1):
        peak = smooth[i] >= smooth[i - 1] and smooth[i] > smooth[i + 1] and abs(i - seeds[0]) > 2
        if peak and edges[i] < NEAREST and (seeds[1] < 0 or smooth[i] > smooth[seeds[1]]):
            seeds[1] = i
    if guess == guess and edges[0] < guess < edges[-1]:
        seeds[2] = min(int((guess - edges[0]) / (edges[1] - edges[0])), number - 1)
    return seeds, smooth


@njit(cache=True, nogil=True)
def fit_histogram(
    histogram: Array, low: float, width: float, least: int, guess: float, out: Array, parameters: Array
) -> tuple[int, int]:
    """Fit one phase histogram; `guess` is where the laser should be, or NaN.

    `out` (5,) becomes what LASER_CENTER and the like name; `parameters` (7,) kind and parameters.
    Returns the status and how many fine bins were fitted as one.
    """
    total = float(histogram.sum())
    if total < least:
        return NO_DATA, 1
    edges, counts, join = fitted_bins(histogram, low, width)
    number = len(counts)
    filled = 0
    for i in range(number):
        filled += counts[i] > 0
    if filled < 7:
        return FEW_BINS, join
    seeds, smooth = _peaks(edges, counts, guess)
    best, any_converged, found = 1e300, False, False
    par, error = np.zeros(6), np.zeros(6)
    for which in range(3):
        place = seeds[2 - which]
        if place < 0 or (which == 2 and seeds[2] >= 0 and found) or (which == 1 and smooth[place] < 0.2 * smooth.max()):
            continue
        for kind in range(2):
            par[:] = 0.0
            error[:] = 0.0
            _seed(kind, place, edges, counts, total, par)
            converged, likelihood, deviance, misplaced = fit(kind, edges, counts, par, error)
            if not converged:
                continue
            any_converged = True
            npar = 5 if kind == EXPONENTIAL else 6
            chi2 = deviance / max(number - npar, 1)
            if not _valid(kind, par, error, edges, total, chi2, misplaced):
                continue
            if guess == guess and abs(par[CENTER] - guess) > 3.0 * math.exp(par[SIGMA]):
                continue
            aic = 2.0 * npar - 2.0 * likelihood + (PENALTY if kind == GAUSSIAN else 0.0)
            if aic < best:
                best, found = aic, True
                out[LASER_CENTER], out[LASER_CENTER_ERROR] = par[CENTER], error[CENTER]
                out[LASER_SIGMA] = math.exp(par[SIGMA])
                out[LASER_SIGMA_ERROR] = out[LASER_SIGMA] * error[SIGMA]
                out[LASER_CHI2] = chi2
                parameters[KIND] = kind
                parameters[KIND + 1 :] = par
    if found:
        return GOOD, join
    return (VALIDATION if any_converged else CONVERGENCE), join


@njit(cache=True, nogil=True)
def fit_resonators(
    histograms: Array, low: float, width: float, least: int, energy: Array, status: Array, values: Array,
    parameters: Array, join: Array, coefficients: Array, covariance: Array, end: Array, power: Array, phases: Array,
    resolution: Array,
) -> None:  # fmt: skip
    """Fit every laser (energy falling) of some resonators, and their energy solutions.

    A status that is already set is kept. `values` (n, m, 5) and `resolution` (n, m, 2) are filled by the names above.
    """
    number, lasers = status.shape
    use = np.zeros(lasers, np.bool_)
    for r in range(number):
        for m in range(lasers):
            use[m] = False
            if status[r, m] != GOOD:
                continue
            status[r, m], join[r, m] = fit_histogram(
                histograms[r, m], low, width, least, math.nan, values[r, m], parameters[r, m]
            )
            use[m] = status[r, m] == GOOD
        c = coefficients[r]
        centers, errors = values[r, :, LASER_CENTER], values[r, :, LASER_CENTER_ERROR]
        end[r], power[r] = solve_energy(centers, errors, energy, use, c, covariance[r])
        again = False
        for m in range(lasers):
            wrong = status[r, m] == GOOD and not use[m]
            if end[r] == SOLVED and (wrong or status[r, m] == CONVERGENCE or status[r, m] == VALIDATION):
                guess = phase_of(c, energy[m])
                if guess == guess:
                    status[r, m], join[r, m] = fit_histogram(
                        histograms[r, m], low, width, least, guess, values[r, m], parameters[r, m]
                    )
                    again = again or status[r, m] == GOOD
            use[m] = status[r, m] == GOOD
        if again:
            end[r], power[r] = solve_energy(centers, errors, energy, use, c, covariance[r])
        phases[r, 0], phases[r, 1] = math.nan, math.nan
        for m in range(lasers):
            if status[r, m] == GOOD and not use[m] and end[r] == SOLVED:
                status[r, m] = VALIDATION
            if end[r] == SOLVED and use[m]:
                center = values[r, m, LASER_CENTER]
                phases[r, 0] = min(phases[r, 0], center) if phases[r, 0] == phases[r, 0] else center
                phases[r, 1] = max(phases[r, 1], center) if phases[r, 1] == phases[r, 1] else center
                _resolve(c, covariance[r], values[r, m], resolution[r, m])


@njit(cache=True, nogil=True)
def _resolve(c: Array, covariance: Array, values: Array, out: Array) -> None:
    """Resolving power E / FWHM of one laser, with its error."""
    p, half = values[LASER_CENTER], HALF * values[LASER_SIGMA]
    at = (c[0] * p + c[1]) * p + c[2]
    above = (c[0] * (p - half) + c[1]) * (p - half) + c[2]
    below = (c[0] * (p + half) + c[1]) * (p + half) + c[2]
    if not above > below:
        return
    out[POWER] = at / (above - below)
    slope = 2.0 * c[0] * p + c[1]
    of_slope = 4.0 * p * p * covariance[0, 0] + 4.0 * p * covariance[0, 1] + covariance[1, 1]
    terms = np.array([p * p, p, 1.0])
    of_energy = 0.0
    for a in range(3):
        for b in range(3):
            of_energy += terms[a] * covariance[a, b] * terms[b]
    relative = (
        (values[LASER_SIGMA_ERROR] / values[LASER_SIGMA]) ** 2
        + max(of_slope, 0.0) / slope**2
        + max(of_energy, 0.0) / at**2
    )
    out[POWER_ERROR] = out[POWER] * math.sqrt(relative)
