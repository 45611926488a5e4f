"""Loops of the wavelength calibration: phase histograms, the fit of one, the energy solution of one resonator."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ifuview.engine.photons.calibration.wavecal_models import EXPONENTIAL, GAUSSIAN, fit, solve
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
STEP_SIGMA = 4.0  # that a center may run backwards
RESIDUAL = 0.05  # of the energy; a point further off is wrong
GOOD, NO_DATA, FEW_BINS, CONVERGENCE, VALIDATION = 0, 1, 5, 6, 7
SOLVED, FEW, NOT_MONOTONIC, NO_CONVERGENCE, NOT_VALID = 0, 1, 2, 3, 4


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
    par[0] = math.log(max(counts[place] * sigma * 2.5 / width, 1.0))
    par[1] = center
    par[2] = math.log(sigma)
    if kind == EXPONENTIAL:
        end = 0.0
        for i in range(max(len(counts) - 3, 0), len(counts)):
            end += counts[i] / 3.0
        par[3] = math.log(max(end / width, 0.05))
        par[4] = 0.02
    else:
        par[3] = math.log(max(0.1 * total, 1.0))
        par[4] = min(center + 3.0 * sigma, edges[-1])
        par[5] = math.log(max(2.0 * sigma, 8.0))


@njit(cache=True, nogil=True)
def _valid(kind: int, par: Array, error: Array, edges: Array, total: float, chi2: float, misplaced: float) -> bool:
    """Whether a fit can be the laser."""
    sigma = math.exp(par[2])
    low, high = edges[0], edges[-1]
    if not (low < par[1] < high and par[1] < NEAREST and NARROWEST < sigma < 0.5 * (high - low)):
        return False
    if error[0] > LOG_ERROR or error[1] > 0.5 * sigma or math.exp(par[0]) < LEAST_SHARE * total:
        return False
    if kind == GAUSSIAN and par[4] < par[1] and math.exp(par[5]) < sigma:
        return False
    return chi2 <= MOST_CHI2 and misplaced <= MISPLACED


@njit(cache=True, nogil=True)
def fit_histogram(
    histogram: Array, low: float, width: float, least: int, guess: float, out: Array, parameters: Array
) -> tuple[int, int]:
    """Fit one phase histogram; `guess` is where the laser should be, or NaN.

    `out` (5,) becomes center, its error, sigma, its error, reduced chi2; `parameters` (7,) kind and parameters.
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
            if guess == guess and abs(par[1] - guess) > 3.0 * math.exp(par[2]):
                continue
            aic = 2.0 * npar - 2.0 * likelihood + (PENALTY if kind == GAUSSIAN else 0.0)
            if aic < best:
                best, found = aic, True
                out[0], out[1] = par[1], error[1]
                out[2] = math.exp(par[2])
                out[3] = out[2] * error[2]
                out[4] = chi2
                parameters[0] = kind
                parameters[1:] = par
    if found:
        return GOOD, join
    return (VALIDATION if any_converged else CONVERGENCE), join


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


@njit(cache=True, nogil=True)
def fit_resonators(
    histograms: Array, low: float, width: float, least: int, energy: Array, status: Array, values: Array,
    parameters: Array, join: Array, coefficients: Array, covariance: Array, end: Array, power: Array, phases: Array,
    resolution: Array,
) -> None:  # fmt: skip
    """Fit every laser (energy falling) of some resonators, and their energy solutions.

    A status that is already set is kept. `values` (n, m, 5): center, error, sigma, error, chi2. `resolution`
    (n, m, 2): resolving power and error.
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
        end[r], power[r] = solve_energy(values[r, :, 0], values[r, :, 1], energy, use, c, covariance[r])
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
            end[r], power[r] = solve_energy(values[r, :, 0], values[r, :, 1], energy, use, c, covariance[r])
        phases[r, 0], phases[r, 1] = math.nan, math.nan
        for m in range(lasers):
            if status[r, m] == GOOD and not use[m] and end[r] == SOLVED:
                status[r, m] = VALIDATION
            if end[r] == SOLVED and use[m]:
                phases[r, 0] = min(phases[r, 0], values[r, m, 0]) if phases[r, 0] == phases[r, 0] else values[r, m, 0]
                phases[r, 1] = max(phases[r, 1], values[r, m, 0]) if phases[r, 1] == phases[r, 1] else values[r, m, 0]
                _resolve(c, covariance[r], values[r, m], resolution[r, m])


@njit(cache=True, nogil=True)
def _resolve(c: Array, covariance: Array, values: Array, out: Array) -> None:
    """Resolving power E / FWHM of one laser, with its error."""
    p, half = values[0], HALF * values[2]
    at = (c[0] * p + c[1]) * p + c[2]
    above = (c[0] * (p - half) + c[1]) * (p - half) + c[2]
    below = (c[0] * (p + half) + c[1]) * (p + half) + c[2]
    if not above > below:
        return
    out[0] = at / (above - below)
    slope = 2.0 * c[0] * p + c[1]
    of_slope = 4.0 * p * p * covariance[0, 0] + 4.0 * p * covariance[0, 1] + covariance[1, 1]
    terms = np.array([p * p, p, 1.0])
    of_energy = 0.0
    for a in range(3):
        for b in range(3):
            of_energy += terms[a] * covariance[a, b] * terms[b]
    relative = (values[3] / values[2]) ** 2 + max(of_slope, 0.0) / slope**2 + max(of_energy, 0.0) / at**2
    out[1] = out[0] * math.sqrt(relative)
