"""Maps of a line: in every spaxel a Gaussian on a straight continuum, fitted with the variances of the voxels.

Damped Gauss-Newton (Levenberg 1944, Marquardt 1963) on flux, center, sigma, level and slope; errors from the inverse of
the curvature matrix, without variances scaled to chi^2 of one a degree of freedom.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.cubes.parts import CubeParts, spread
from ifuview.engine.spectra.cubes.ranges import SIGNIFICANT, RangeImage, Window, planes_of, rows_of, sides_of
from ifuview.model.checks import Array

AREA, CENTER, SIGMA, LEVEL, SLOPE = range(5)  # parameters
NPAR = 5
ROUNDS, DAMPING, STEP = 40, 1e-3, 10.0
CONVERGED = 1e-5  # relative change of chi^2
FEWEST = 7  # samples of a fit
LEAST = 0.2  # px, smallest sigma
ROWS = 16  # that are converted at once
ROOT = math.sqrt(2 * math.pi)


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(matrix: Array, right: Array) -> bool:
    """Eliminate `matrix` (n, n + m) in place, with pivots; its column n goes to `right`. Whether it could be done."""
    n = matrix.shape[0]
    for i in range(n):
        best = i
        for j in range(i + 1, n):
            if abs(matrix[j, i]) > abs(matrix[best, i]):
                best = j
        if not abs(matrix[best, i]) > 0:
            return False
        if best != i:
            for c in range(matrix.shape[1]):
                matrix[i, c], matrix[best, c] = matrix[best, c], matrix[i, c]
        pivot = matrix[i, i]
        for c in range(matrix.shape[1]):
            matrix[i, c] /= pivot
        for j in range(n):
            if j != i and matrix[j, i] != 0:
                factor = matrix[j, i]
                for c in range(matrix.shape[1]):
                    matrix[j, c] -= factor * matrix[i, c]
    for i in range(n):
        right[i] = matrix[i, n]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _curvature(x: Array, y: Array, w: Array, n: int, p: Array, normal: Array, gradient: Array) -> float:
    """Fill the normal equations of a model about its parameters; return chi^2."""
    chi2, row = 0.0, np.empty(NPAR)
    for i in range(NPAR):
        gradient[i] = 0.0
        for j in range(NPAR):
            normal[i, j] = 0.0
    for k in range(n):
        u = (x[k] - p[CENTER]) / p[SIGMA]
        shape = np.exp(-0.5 * u * u) / (p[SIGMA] * ROOT)
        off = y[k] - p[AREA] * shape - p[LEVEL] - p[SLOPE] * x[k]
        row[AREA], row[CENTER] = shape, p[AREA] * shape * u / p[SIGMA]
        row[SIGMA], row[LEVEL], row[SLOPE] = p[AREA] * shape * (u * u - 1) / p[SIGMA], 1.0, x[k]
        chi2 += w[k] * off * off
        for i in range(NPAR):
            gradient[i] += w[k] * row[i] * off
            for j in range(NPAR):
                normal[i, j] += w[k] * row[i] * row[j]
    return chi2


@njit(cache=True, nogil=True, error_model="numpy")
def _fit(x: Array, y: Array, w: Array, n: int, widest: float, least: float, p: Array, noise: Array) -> float:
    """Fit one spectrum from the parameters in `p`, variances in `noise`; return chi^2, NaN where there is none."""
    normal, gradient = np.empty((NPAR, NPAR)), np.empty(NPAR)
    trial, step, work = np.empty(NPAR), np.empty(NPAR), np.empty((NPAR, NPAR + 1))
    spare, spare_gradient = np.empty((NPAR, NPAR)), np.empty(NPAR)
    damping = DAMPING
    chi2 = _curvature(x, y, w, n, p, normal, gradient)
    for _ in range(ROUNDS):
        for i in range(NPAR):
            for j in range(NPAR):
                work[i, j] = normal[i, j]
            work[i, i] *= 1 + damping
            work[i, NPAR] = gradient[i]
        if not _solve(work, step):
            return np.nan
        for i in range(NPAR):
            trial[i] = p[i] + step[i]
        trial[SIGMA] = min(max(abs(trial[SIGMA]), least), widest)
        trial[CENTER] = min(max(trial[CENTER], min(x[0], x[n - 1])), max(x[0], x[n - 1]))
        new = _curvature(x, y, w, n, trial, spare, spare_gradient)
        if new <= chi2:
            done = chi2 - new <= CONVERGED * chi2
            chi2 = new
            for i in range(NPAR):
                p[i], gradient[i] = trial[i], spare_gradient[i]
                for j in range(NPAR):
                    normal[i, j] = spare[i, j]
            damping /= STEP
            if done:
                break
        else:
            damping *= STEP
            if damping > 1e10:
                break
    whole = np.zeros((NPAR, 2 * NPAR))
    for i in range(NPAR):
        for j in range(NPAR):
            whole[i, j] = normal[i, j]
        whole[i, NPAR + i] = 1.0
    if not _solve(whole, step):
        return np.nan
    for i in range(NPAR):
        noise[i] = whole[i, NPAR + i]
    return chi2


@njit(cache=True, nogil=True, error_model="numpy")
def _fit_rows(
    flux: Array, weight: Array, along: Array, core: Array, pixel: float, known: bool, out: Array, noise: Array
) -> None:
    """Fit all spaxels of some rows, `flux` and `weight` (n, rows, nx): `out` and `noise` (NPAR, rows, nx)."""
    depth = flux.shape[0]
    x, y, w, inner = np.empty(depth), np.empty(depth), np.empty(depth), np.empty(depth, np.bool_)
    p, var = np.empty(NPAR), np.empty(NPAR)
    for row in range(flux.shape[1]):
        for column in range(flux.shape[2]):
            n, base, outside, light, most, place, lowest = 0, 0.0, 0, 0.0, -np.inf, 0.0, np.inf
            for k in range(depth):
                if weight[k, row, column] > 0:
                    x[n], y[n], w[n], inner[n] = along[k], flux[k, row, column], weight[k, row, column], core[k]
                    lowest = min(lowest, y[n])
                    if not inner[n]:
                        base += y[n]
                        outside += 1
                    n += 1
            if n < FEWEST:
                continue
            base = base / outside if outside else lowest
            for k in range(n):
                if inner[k]:
                    above = y[k] - base
                    light += above
                    if above > most:
                        most, place = above, x[k]
            span = abs(x[n - 1] - x[0])
            sigma = max(abs(light) * pixel / (max(most, 1e-30) * ROOT), pixel)
            p[AREA], p[CENTER], p[SIGMA], p[LEVEL], p[SLOPE] = light * pixel, place, min(sigma, 0.25 * span), base, 0.0
            chi2 = _fit(x, y, w, n, span, LEAST * pixel, p, var)
            if np.isfinite(chi2):
                scale = 1.0 if known else chi2 / (n - NPAR)
                for i in range(NPAR):
                    out[i, row, column], noise[i, row, column] = p[i], var[i] * scale


def line_maps(
    parts: CubeParts, wave: Array, window: Window, sides: tuple[Window, Window] | None = None, ctx: JobContext = SILENT
) -> tuple[RangeImage, ...]:
    """Flux, center and sigma of a line (Angstrom), and the continuum at the middle of a range.

    The line is looked for in the range and fitted from the one side window to the other. Center and sigma are given
    where the flux is 3 sigma.
    """
    low, high = sides or sides_of(window)
    first, last = planes_of(wave, (min(low[0], window[0]), max(high[1], window[1])))
    along = np.ascontiguousarray(wave[first:last], np.float64)
    core = (along >= window[0]) & (along <= window[1])
    middle = 0.5 * (window[0] + window[1])
    pixel = float(np.median(np.abs(np.diff(wave)))) if wave.size > 1 else 1.0
    shape = parts.shape[1:]
    out, noise = np.full((NPAR, *shape), np.nan), np.full((NPAR, *shape), np.nan)

    def rows(top: int, bottom: int) -> None:
        for y in range(top, bottom, ROWS):
            ctx.check()
            here = slice(y, min(y + ROWS, bottom))
            flux, weight = parts.values(first, last, here)
            known = parts.error is not None
            _fit_rows(flux, weight, along - middle, core, pixel, known, out[:, here], noise[:, here])

    spread(rows, rows_of(shape[0]), ctx)
    with np.errstate(invalid="ignore"):
        seen = out[AREA] > SIGNIFICANT * np.sqrt(noise[AREA])
    out[CENTER] += middle
    made = (("line flux", AREA, "Å"), ("line center", CENTER, "=Å"), ("line sigma", SIGMA, "=Å"),
            ("continuum", LEVEL, ""))  # fmt: skip
    images = []
    for name, which, unit in made:
        known = np.isfinite(out[which]) & (seen if unit == "=Å" else True)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ivar = np.where(known & (noise[which] > 0), 1 / noise[which], 0.0).astype(np.float32)
        images.append(RangeImage(name, np.where(known, out[which], np.nan).astype(np.float32), ivar, unit))
    return tuple(images)
