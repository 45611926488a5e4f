"""All fibers of one column solved together: light on pixels, banded normal equations, fluxes and their covariance.

However far the wings reach, only so many next fibers overlap: the normal matrix is banded. Its factors L D L' give the
fluxes, and the band of its inverse (Takahashi, Fagan and Chen 1973) their exact variances and covariances. Kernels
in double precision, called column by column by the fit of the profile and by the extraction.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ifuview.engine.traces.profile.splines import PER_WIDTH, integral
from ifuview.model.checks import Array

FAST = {"reassoc", "contract", "arcp", "nsz"}  # sums in any order, so that they vectorize; inf and NaN keep their sense
ABSENT = -1_000_000  # first row of a fiber that is not there
LEAST_LIGHT = 0.2  # share of a fiber's light that must fall on usable pixels for its flux to be known,
DIM = 1e-3  # and to be solved at all, so that it is not taken for the light of its neighbors
SINGULAR = 1e-9  # pivot, of the diagonal, below which two fibers cannot be told apart
PEAK_ROWS = 2  # rows on each side whose brightest one sets the allowance for errors of the profile
RIVAL_ROWS = 3  # of pixels that stick out so close to each other, only the worst goes at a time


def bandwidth(center: Array, width: int) -> int:
    """Most next fibers whose rows overlap with those of a fiber.

    Parameters
    ----------
    center : ndarray, shape (nfiber, ncol), px
        Rising; NaN where there is none.
    width : int
        Rows of each fiber.
    """
    for step in range(1, center.shape[0]):
        apart = center[step:] - center[:-step]
        if not (apart < width + 1).any():
            return step - 1
    return max(center.shape[0] - 1, 0)


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def blend(tables: Array, legendre: Array, out: Array) -> None:
    """Tables of one column, (ngroup, nnode, 2), from those of all polynomials, (ngroup, ndegree, nnode, 2)."""
    for g in range(tables.shape[0]):
        for n in range(tables.shape[2]):
            value = slope = 0.0
            for m in range(tables.shape[1]):
                value += legendre[m] * tables[g, m, n, 0]
                slope += legendre[m] * tables[g, m, n, 1]
            out[g, n, 0], out[g, n, 1] = value, slope


@njit(nogil=True, error_model="numpy")
def lay(center: Array, width: Array, table: Array, reach: float, group: Array, light: Array, first: Array) -> None:
    """Light of all fibers on the pixels of one column.

    Parameters
    ----------
    center, width : (nfiber,), px
    table : (ngroup, nnode, 2)
        Integral and slope per node, from -reach to reach widths.
    group : (nfiber,)
    light : (nfiber, 2 half + 1), out
    first : (nfiber,), out
        Row of the first of them; ABSENT where there is no fiber.
    """
    nrow = light.shape[1]
    half = nrow // 2
    for k in range(center.size):
        first[k] = ABSENT
        if not (math.isfinite(center[k]) and width[k] > 0):
            continue
        first[k] = math.floor(center[k] + 0.5) - half
        step = PER_WIDTH / width[k]
        t = (first[k] - 0.5 - center[k]) * step + reach * PER_WIDTH
        before = integral(table[group[k]], t)
        for j in range(nrow):
            t += step
            now = integral(table[group[k]], t)
            light[k, j] = now - before
            before = now


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _add(total: Array, light: Array, flux: float) -> None:
    """Light of one fiber; of slices the compiler knows that no index is negative, and works on several at once."""
    for j in range(light.size):
        total[j] += flux * light[j]


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _seen(light: Array, weight: Array) -> float:
    there = 0.0
    for j in range(light.size):
        there += light[j] if weight[j] > 0 else 0.0
    return there


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _own(light: Array, weight: Array, data: Array, part: Array) -> tuple[float, float]:
    own = other = 0.0
    for j in range(light.size):
        p = weight[j] * light[j]
        own += p * light[j]
        other += p * data[j]
        part[j] = p
    return own, other


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _dot(one: Array, other: Array) -> float:
    both = 0.0
    for j in range(one.size):
        both += one[j] * other[j]
    return both


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def add_light(total: Array, light: Array, first: Array, flux: Array) -> None:
    """Add the light of all fibers to a column."""
    nrow = total.size
    for k in range(first.size):
        if first[k] == ABSENT:
            continue
        begin, end = max(0, -first[k]), min(light.shape[1], nrow - first[k])
        if end > begin:
            _add(total[first[k] + begin : first[k] + end], light[k, begin:end], flux[k])


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def normal_band(data: Array, weight: Array, light: Array, first: Array, band: Array, rhs: Array, seen: Array) -> None:
    """Normal equations of the fluxes of one column.

    Parameters
    ----------
    data, weight : (nrow,)
    light, first :
        As `lay` gives them.
    band : (nfiber, nband + 1), out
        Element (k, m) belongs to fibers k and k + m.
    rhs : (nfiber,), out
    seen : (nfiber,), out
        Share of the fiber's light that falls on pixels with weight.
    """
    nrow, nfiber, span = data.size, first.size, light.shape[1]
    part = np.empty(span)
    for k in range(nfiber):
        there = 0.0
        if first[k] != ABSENT:
            begin, end = max(0, -first[k]), min(span, nrow - first[k])
            if end > begin:
                there = _seen(light[k, begin:end], weight[first[k] + begin : first[k] + end])
        seen[k] = there
    for k in range(nfiber):
        for m in range(band.shape[1]):
            band[k, m] = 0
        rhs[k] = 0
        if seen[k] < DIM:
            continue
        begin, end = max(0, -first[k]), min(span, nrow - first[k])
        row = first[k]
        band[k, 0], rhs[k] = _own(
            light[k, begin:end], weight[row + begin : row + end], data[row + begin : row + end], part[begin:end]
        )
        for m in range(1, min(band.shape[1], nfiber - k)):
            step = first[k + m] - first[k]
            if seen[k + m] < DIM or not 0 <= step < span:
                continue
            start = max(begin - step, 0)
            if end - step > start:
                band[k, m] = _dot(part[start + step : end], light[k + m, start : end - step])


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def factor(band: Array, pivot: Array) -> None:
    """Factors L D L' of the band in place: L without its diagonal in band[:, 1:], D in `pivot`, inf where singular."""
    nfiber, most = band.shape[0], band.shape[1] - 1
    for k in range(nfiber):
        value = band[k, 0]
        for m in range(1, min(most, k) + 1):
            if pivot[k - m] < np.inf:
                value -= band[k - m, m] * band[k - m, m] * pivot[k - m]
        pivot[k] = value if value > SINGULAR * band[k, 0] else np.inf
        for m in range(1, min(most, nfiber - 1 - k) + 1):
            value = band[k, m]
            for i in range(1, min(most - m, k) + 1):
                if pivot[k - i] < np.inf:
                    value -= band[k - i, i] * band[k - i, i + m] * pivot[k - i]
            band[k, m] = value / pivot[k] if pivot[k] < np.inf else 0.0


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def forward(band: Array, side: Array, begin: int, end: int) -> None:
    """Replace a right side (nfiber,) by L^-1 of it, between two fibers; what lies before is 0."""
    most = band.shape[1] - 1
    for k in range(begin, end):
        value = side[k]
        for m in range(1, min(most, k - begin) + 1):
            value -= band[k - m, m] * side[k - m]
        side[k] = value


@njit(nogil=True)
def backward(band: Array, pivot: Array, side: Array) -> None:
    """Replace L^-1 of a right side (nfiber,) by the solution."""
    nfiber, most = band.shape[0], band.shape[1] - 1
    for k in range(nfiber - 1, -1, -1):
        value = side[k] / pivot[k]
        for m in range(1, min(most, nfiber - 1 - k) + 1):
            value -= band[k, m] * side[k + m]
        side[k] = value


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def inverse_band(band: Array, pivot: Array, out: Array) -> None:
    """The band of the inverse, (nfiber, nband + 1), from the factors; element (k, m) belongs to fibers k and k + m."""
    nfiber, most = band.shape[0], band.shape[1] - 1
    for k in range(nfiber - 1, -1, -1):
        reach = min(most, nfiber - 1 - k)
        for m in range(reach, -1, -1):
            value = 1 / pivot[k] if m == 0 else 0.0
            for i in range(1, reach + 1):
                value -= band[k, i] * out[k + min(i, m), abs(m - i)]
            out[k, m] = value


@njit(nogil=True, error_model="numpy")
def reject(data: Array, total: Array, floor: Array, variance: Array, fibers: Array, clip: float, share: float) -> int:
    """Leave out pixels that no error explains, the worst of each few rows; return how many.

    Parameters
    ----------
    data, total : (nrow,)
        Of a column, and its model.
    floor : (nrow,), in and out
        inf where a pixel is not used.
    variance : (nrow,)
    fibers : (nrow,)
        The light of the fibers in the model: `share` of the brightest row nearby is allowed for.
    """
    nrow = data.size
    count = 0
    worst_row, worst = -1, 0.0
    for r in range(nrow):
        if not floor[r] < np.inf:
            continue
        far = _stands_out(data[r] - total[r], variance[r], fibers, r, share)
        if far <= clip:
            continue
        if worst_row >= 0 and r - worst_row > RIVAL_ROWS:
            floor[worst_row] = np.inf
            count += 1
            worst_row, worst = r, far
        elif far > worst:
            worst_row, worst = r, far
    if worst_row >= 0:
        floor[worst_row] = np.inf
        count += 1
    return count


@njit(nogil=True, error_model="numpy")
def restore(
    data: Array, total: Array, given: Array, floor: Array, variance: Array, fibers: Array, clip: float, share: float
) -> int:
    """Take back pixels that agree with the model once those that drew it away are gone; return how many.

    Parameters as in `reject`, and `given` (nrow,): `floor` before anything was left out.
    """
    count = 0
    for r in range(data.size):
        if floor[r] < np.inf or not given[r] < np.inf:
            continue
        if _stands_out(data[r] - total[r], given[r] + variance[r], fibers, r, share) <= clip:
            floor[r] = given[r]
            count += 1
    return count


@njit(nogil=True, error_model="numpy")
def _stands_out(far: float, variance: float, fibers: Array, row: int, share: float) -> float:
    """By how many sigma a pixel is farther from the model than the share of the peak nearby."""
    peak = 0.0
    for i in range(max(0, row - PEAK_ROWS), min(fibers.size, row + PEAK_ROWS + 1)):
        peak = max(peak, fibers[i])
    return (abs(far) - share * peak) / math.sqrt(variance)
