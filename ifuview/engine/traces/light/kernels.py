"""Fit of all fibers of an image at once, column by column, about given centers and widths.

In every column the fluxes of all fibers are solved together, with weights from the variance of the model; what is
left gives the normal equations of a common offset, width, skewness and kurtosis per fiber and column bin, with the free
flux of each column projected out, and of a background per group of fibers. Nothing is binned before the fit, so that
a tilted trace is not smeared. Pixels that stick out are left out and marked.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from ifuview.engine.traces.fluxes import solve_fluxes
from ifuview.engine.traces.light.shape import look_up
from ifuview.model.checks import Array

HALF_ROWS = 9  # rows on each side of a fiber that its model covers
FIT_ROWS = 4  # rows on each side that decide about center, width and shape
WIDTH = 2 * HALF_ROWS + 1
WING = np.float32(0.1)  # of the light of a fiber, squared; its flux is not guessed from less
BESIDE = 6.0  # widths; farther apart neighbors do nothing to a center: 0.002 of what they are off
RIDGE = 1 + 1e-6  # keeps two traces on one fiber solvable
NTERM = 25  # accumulated sums per fiber and bin, of center (Y), width (S), skewness (K) and kurtosis (Q):
YY, YS, YK, YQ, SS, SK, SQ, KK, KQ, QQ, BY, BS, BK, BQ = range(14)  # upper half of the equations, their right side
NOISE_YY, CHI2, NPIX, CLIPPED, FLUX, VARIANCE, NCOL = range(14, 21)
BY_NEXT, BY_LAST, COMMON, SKEW_BESIDE = range(21, NTERM)  # of what neighbors do to a center
NORMAL, RIGHT = slice(YY, QQ + 1), slice(BY, BQ + 1)
ABSENT = -1_000_000
USED, MARKED = 1, 2  # of `good`: may be used; stuck out of the model


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "arcp", "nsz"})
def fit_columns(
    columns: Array,
    good: Array,
    chosen: Array,
    binned: Array,
    low: Array,
    part: Array,
    given: Array,
    shift: Array,
    sigma: Array,
    table: Array,
    group: Array,
    floor: float,
    per_count: float,
    clip: float,
    clip_share: float,
    with_shape: bool,
    with_beside: bool,
    shape: Array,
    flux: Array,
    variance: Array,
    sums: Array,
    ground: Array,
) -> None:
    """Solve the fluxes of the chosen columns and add up the normal equations.

    Parameters
    ----------
    columns : float32 (ncol, nrow)
        The image with the dispersion axis first.
    good : uint8 (ncol, nrow), in and out
        0 where a pixel must not be used; MARKED is added to pixels that were left out.
    chosen : intp (n,)
        Columns to fit.
    binned : intp (n,)
        Bin of each chosen column.
    low : intp (n,), part : float64 (n,)
        Values of the bins are interpolated: those of bin `low` times 1 - part and of the next times part.
    given : float64 (nslot, ncol), px
        Centers, rising; NaN: no fiber.
    shift : float64 (nbin, nslot), px
        Added to them.
    sigma : float32 (nbin, nslot), px
    table : float32 (NODES, 2)
        Of `shape.gaussian_table`.
    group : intp (nslot,)
        Group of each slot for shape and background.
    floor, per_count : float
        Variance of a pixel = floor + per_count * model.
    clip, clip_share : float
        A pixel farther from the model than clip * noise + clip_share * peak is left out; 0: none is.
    with_shape : bool
        Add up the terms of skewness and kurtosis too.
    with_beside : bool
        And what neighbors do to a center.
    shape : float32 (ngroup, nbin, 3)
        Skewness and kurtosis terms, and the background that is subtracted before the fit.
    flux, variance : float32 (n, nslot), out
    sums : float64 (nslot, nbin, NTERM), out, added to
    ground : float64 (ngroup, nbin, 2), out, added to
        Numerator and denominator of what is missing from the background.
    """
    nrow = columns.shape[1]
    nslot = given.shape[0]
    light = np.zeros((nslot, WIDTH), np.float32)
    edge = np.zeros((nslot, WIDTH + 1, 2), np.float32)  # distance of pixel edges in widths; density there
    first = np.zeros(nslot, np.int64)
    weight, total = np.zeros(nrow, np.float32), np.zeros(nrow, np.float32)
    data, level = np.zeros(nrow, np.float32), np.zeros(nrow, np.float32)
    diag, off = np.zeros(nslot, np.float32), np.zeros(nslot, np.float32)
    rhs, share = np.zeros(nslot, np.float32), np.zeros(nslot, np.float32)
    down, up, taken = np.zeros(nslot, np.float32), np.zeros(nslot, np.float32), np.zeros(nslot, np.float32)
    solved, inverse = np.zeros(nslot, np.float32), np.zeros(nslot, np.float32)
    last = sigma.shape[0] - 1
    for i in range(chosen.size):
        x, b, b0 = chosen[i], binned[i], low[i]
        b1 = min(b0 + 1, last)
        q = part[i]
        p = 1 - q
        f, g = np.float32(p), np.float32(q)
        for k in range(nslot):
            first[k] = ABSENT
            center = given[k, x] + p * shift[b0, k] + q * shift[b1, k]
            if math.isfinite(center):
                first[k] = math.floor(center + 0.5) - HALF_ROWS
                inverse[k] = np.float32(1) / (f * sigma[b0, k] + g * sigma[b1, k])
                a = np.float32(first[k] - 0.5 - center) * inverse[k]
                _profile(table, a, inverse[k], shape[group[k], b, 0], shape[group[k], b, 1], light[k], edge[k])
        total[:] = 0
        _level(level, first, group, shape, b)
        for r in range(nrow):
            data[r] = columns[x, r] - level[r]
            weight[r] = good[x, r] & USED
        for k in range(nslot):
            solved[k] = _rough_flux(data, weight, light[k], first[k])
            _add(total, light[k], first[k], solved[k], nrow)
        for r in range(nrow):
            weight[r] /= floor + per_count * max(total[r] + level[r], np.float32(0))
        if clip > 0:
            for k in range(nslot):
                _clip(data, weight, total, light[k], first[k], solved[k], clip, clip_share, good[x], sums[k, b])
        _normal(data, weight, light, first, diag, off, rhs, share)
        solve_fluxes(diag, off, rhs, RIDGE, down, up, solved, variance[i])
        total[:] = 0
        for k in range(nslot):
            _add(total, light[k], first[k], solved[k], nrow)
        for k in range(nslot):
            flux[i, k] = solved[k]
            if first[k] > -WIDTH and variance[i, k] < np.inf:
                if with_shape:
                    _add_shape(data, weight, total, light[k], edge[k], first[k], inverse[k], solved[k], sums[k, b])
                _accumulate(
                    data, weight, total, light[k], edge[k], inverse[k], first[k], solved[k], variance[i, k], sums[k, b]
                )
        if with_beside:
            for k in range(nslot - 1):
                near = (first[k + 1] - first[k]) * min(inverse[k], inverse[k + 1]) < BESIDE
                near = near and first[k + 1] - first[k] < WIDTH and first[k] > -WIDTH and first[k + 1] > -WIDTH
                if near and variance[i, k] < np.inf and variance[i, k + 1] < np.inf:
                    _add_beside(
                        weight, light[k], edge[k], inverse[k], first[k], light[k + 1], edge[k + 1], inverse[k + 1],
                        first[k + 1], solved[k] * solved[k + 1], sums[k, b], sums[k + 1, b],
                    )  # fmt: skip
        _ground(data, weight, total, first, group, off, share, rhs, down, taken, ground, b)


@njit(nogil=True)
def _profile(table: Array, a: float, step: float, skew: float, kurt: float, light: Array, edge: Array) -> None:
    """Light in every pixel, and density at the edges, of a Gaussian with Hermite terms."""
    three = np.float32(3)
    before = np.float32(0)
    for j in range(WIDTH + 1):
        value, g = look_up(table, a)
        q = a * a
        cumulative = value - g * (skew * (q - np.float32(1)) + kurt * a * (q - three))
        edge[j, 0] = a
        edge[j, 1] = g
        if j > 0:
            light[j - 1] = cumulative - before
        before = cumulative
        a += step


@njit(nogil=True)
def _level(level: Array, first: Array, group: Array, shape: Array, b: int) -> None:
    """Background of every row: that of the group of the fiber that reaches it first."""
    row = 0
    last = 0
    for k in range(first.size):
        if first[k] > -WIDTH:
            until = min(first[k] + WIDTH, level.size)
            for r in range(row, until):
                level[r] = shape[group[k], b, 2]
            row = max(row, until)
            last = group[k]
    for r in range(row, level.size):
        level[r] = shape[last, b, 2]


@njit(nogil=True, error_model="numpy")
def _rough_flux(data: Array, weight: Array, light: Array, first: int) -> Any:
    """Flux of one fiber by itself with uniform weights, good enough for the variance; never negative.

    Of a fiber of which only a wing is seen a part: the light on it is that of its neighbor.
    """
    top = below = whole = np.float32(0)
    if first <= -WIDTH:
        return top
    for j in range(WIDTH):
        whole += light[j] * light[j]
        if 0 <= first + j < data.size:
            w = weight[first + j] * light[j]
            top += w * data[first + j]
            below += w * light[j]
    return max(top / max(below, WING * whole), np.float32(0)) if below > 0 else np.float32(0)


@njit(nogil=True, inline="always")
def _add(total: Array, light: Array, first: int, flux: float, nrow: int) -> None:
    """Add the light of one fiber."""
    if first >= 0 and first + WIDTH <= nrow:
        for j in range(WIDTH):
            total[first + j] += flux * light[j]
    elif first > -WIDTH:
        for j in range(WIDTH):
            if 0 <= first + j < nrow:
                total[first + j] += flux * light[j]


@njit(nogil=True, error_model="numpy")
def _clip(
    data: Array,
    weight: Array,
    total: Array,
    light: Array,
    first: int,
    flux: float,
    clip: float,
    share: float,
    good: Array,
    out: Array,
) -> None:
    """Give weight 0 to pixels that no error of the model explains, and mark them."""
    peak = np.float32(0)
    for j in range(WIDTH):
        peak = max(peak, flux * light[j])
    for j in range(HALF_ROWS - FIT_ROWS, HALF_ROWS + FIT_ROWS + 1):
        r = first + j
        if 0 <= r < data.size and weight[r] > 0:
            far = abs(data[r] - total[r]) - share * peak
            if far > 0 and far * far * weight[r] > clip * clip:
                weight[r] = 0
                good[r] |= MARKED
                out[CLIPPED] += 1


@njit(nogil=True)
def _normal(
    data: Array, weight: Array, light: Array, first: Array, diag: Array, off: Array, rhs: Array, share: Array
) -> None:
    """Normal equations of the fluxes of one column; only next neighbors overlap."""
    nrow = data.size
    nslot = first.size
    for k in range(nslot):
        d = e = p = q = np.float32(0)
        start = first[k]
        step = first[k + 1] - start if k + 1 < nslot else WIDTH
        for j in range(WIDTH):
            r = start + j
            if not 0 <= r < nrow:
                continue
            w = weight[r] * light[k, j]
            d += w * light[k, j]
            p += w * data[r]
            q += w
            if 0 <= j - step < WIDTH:
                e += w * light[k + 1, j - step]
        diag[k], off[k], rhs[k], share[k] = d, e, p, q


@njit(nogil=True, error_model="numpy")
def _ground(
    data: Array,
    weight: Array,
    total: Array,
    first: Array,
    group: Array,
    off: Array,
    share: Array,
    rhs: Array,
    down: Array,
    taken: Array,
    ground: Array,
    b: int,
) -> None:
    """Add the normal equation of the background of each group, with the fluxes projected out."""
    n = first.size
    for k in range(n):  # rhs becomes the flux that a background of one takes away
        rhs[k] = share[k]
        if k > 0 and down[k - 1] > 0:
            rhs[k] -= rhs[k - 1] * off[k - 1] / down[k - 1]
    for k in range(n - 1, -1, -1):
        known = down[k] > 0
        if k + 1 < n:
            taken[k] = (rhs[k] - off[k] * taken[k + 1]) / down[k] if known else np.float32(0)
        else:
            taken[k] = rhs[k] / down[k] if known else np.float32(0)
    row = 0
    last = 0
    for k in range(n):
        if first[k] <= -WIDTH:
            continue
        until = min(first[k] + WIDTH, data.size)
        wd = w = np.float32(0)
        for r in range(row, until):
            wd += weight[r] * (data[r] - total[r])
            w += weight[r]
        row = max(row, until)
        ground[group[k], b, 0] += wd
        ground[group[k], b, 1] += w - share[k] * taken[k]
        last = group[k]
    for r in range(row, data.size):
        ground[last, b, 0] += weight[r] * (data[r] - total[r])
        ground[last, b, 1] += weight[r]


@njit(nogil=True, error_model="numpy", fastmath={"contract", "arcp", "nsz", "reassoc"})
def _accumulate(
    data: Array,
    weight: Array,
    total: Array,
    light: Array,
    edge: Array,
    inverse: float,
    first: int,
    flux: float,
    variance: float,
    out: Array,
) -> None:
    """Add one fiber's equations of center and width of one column, its flux projected out."""
    ll = ly = ls = lr = np.float32(0)
    yy = ys = ss = by = bs = chi2 = np.float32(0)
    npix = 0
    j0 = HALF_ROWS - FIT_ROWS
    ey, es = edge[j0, 1], edge[j0, 0] * edge[j0, 1]
    for j in range(j0, HALF_ROWS + FIT_ROWS + 1):
        fy, fs = edge[j + 1, 1], edge[j + 1, 0] * edge[j + 1, 1]
        y, s = (ey - fy) * inverse, (es - fs) * inverse
        ey, es = fy, fs
        r = first + j
        if not 0 <= r < data.size or weight[r] == 0:
            continue
        w, residual, p = weight[r], data[r] - total[r], light[j]
        wp, wy, ws = w * p, w * y, w * s
        ll += wp * p
        ly += wp * y
        ls += wp * s
        lr += wp * residual
        yy += wy * y
        ys += wy * s
        ss += ws * s
        by += wy * residual
        bs += ws * residual
        chi2 += w * residual * residual
        npix += 1
    if npix < FIT_ROWS or ll <= 0:
        return
    f2, i = flux * flux, np.float32(1) / ll
    yy -= ly * ly * i
    out[YY] += f2 * yy
    out[YS] += f2 * (ys - ly * ls * i)
    out[SS] += f2 * (ss - ls * ls * i)
    out[BY] += flux * (by - ly * lr * i)
    out[BS] += flux * (bs - ls * lr * i)
    out[NOISE_YY] += yy * variance
    out[CHI2] += chi2
    out[NPIX] += npix
    out[FLUX] += flux
    out[VARIANCE] += variance
    out[NCOL] += 1


@njit(nogil=True, error_model="numpy", fastmath={"contract", "arcp", "nsz", "reassoc"})
def _add_shape(
    data: Array,
    weight: Array,
    total: Array,
    light: Array,
    edge: Array,
    first: int,
    inverse: float,
    flux: float,
    out: Array,
) -> None:
    """Add one fiber's equations of skewness and kurtosis of one column, its flux projected out."""
    one, three = np.float32(1), np.float32(3)
    ll = ly = ls = lk = lq = lr = np.float32(0)
    yk = yq = sk = sq = kk = kq = qq = bk = bq = np.float32(0)
    npix = 0
    j0 = HALF_ROWS - FIT_ROWS
    a, g = edge[j0, 0], edge[j0, 1]
    q = a * a
    ey, es, ek, eq = g, a * g, (q - one) * g, a * (q - three) * g
    for j in range(j0, HALF_ROWS + FIT_ROWS + 1):
        a, g = edge[j + 1, 0], edge[j + 1, 1]
        q = a * a
        fy, fs, fk, fq = g, a * g, (q - one) * g, a * (q - three) * g
        y, s, k, u = (ey - fy) * inverse, (es - fs) * inverse, ek - fk, eq - fq
        ey, es, ek, eq = fy, fs, fk, fq
        r = first + j
        if not 0 <= r < data.size or weight[r] == 0:
            continue
        w, residual, p = weight[r], data[r] - total[r], light[j]
        wp, wk, wq = w * p, w * k, w * u
        ll += wp * p
        ly += wp * y
        ls += wp * s
        lk += wp * k
        lq += wp * u
        lr += wp * residual
        yk += wk * y
        yq += wq * y
        sk += wk * s
        sq += wq * s
        kk += wk * k
        kq += wk * u
        qq += wq * u
        bk += wk * residual
        bq += wq * residual
        npix += 1
    if npix < FIT_ROWS or ll <= 0:
        return
    f2, i = flux * flux, one / ll
    out[YK] += f2 * (yk - ly * lk * i)
    out[YQ] += f2 * (yq - ly * lq * i)
    out[SK] += f2 * (sk - ls * lk * i)
    out[SQ] += f2 * (sq - ls * lq * i)
    out[KK] += f2 * (kk - lk * lk * i)
    out[KQ] += f2 * (kq - lk * lq * i)
    out[QQ] += f2 * (qq - lq * lq * i)
    out[BK] += flux * (bk - lk * lr * i)
    out[BQ] += flux * (bq - lq * lr * i)


@njit(nogil=True, error_model="numpy")
def _lean(weight: Array, light: Array, edge: Array, inverse: float, first: int) -> Any:
    """How much of its light a fiber's slope takes along, in the rows that decide about its center."""
    ll = ly = np.float32(0)
    for j in range(HALF_ROWS - FIT_ROWS, HALF_ROWS + FIT_ROWS + 1):
        r = first + j
        if 0 <= r < weight.size:
            wp = weight[r] * light[j]
            ll += wp * light[j]
            ly += wp * (edge[j, 1] - edge[j + 1, 1]) * inverse
    return ly / ll if ll > 0 else np.float32(0)


@njit(nogil=True, error_model="numpy")
def _add_beside(
    weight: Array,
    light: Array,
    edge: Array,
    inverse: float,
    first: int,
    next_light: Array,
    next_edge: Array,
    next_inverse: float,
    next_first: int,
    fluxes: float,
    out: Array,
    next_out: Array,
) -> None:
    """Add what center and skewness of two neighbors do to the center of the other, and what noise they share."""
    lean = _lean(weight, light, edge, inverse, first)
    next_lean = _lean(weight, next_light, next_edge, next_inverse, next_first)
    one = np.float32(1)
    by_next = by_last = common = skew = next_skew = np.float32(0)
    for j in range(next_first - first, WIDTH):
        r, i = first + j, first + j - next_first
        if not 0 <= r < weight.size:
            continue
        y = (edge[j, 1] - edge[j + 1, 1]) * inverse
        z = (next_edge[i, 1] - next_edge[i + 1, 1]) * next_inverse
        own, its = weight[r] * (y - lean * light[j]), z - next_lean * next_light[i]
        is_own, is_its = abs(j - HALF_ROWS) <= FIT_ROWS, abs(i - HALF_ROWS) <= FIT_ROWS
        if is_own:
            a, b = next_edge[i], next_edge[i + 1]
            by_next += own * z
            skew += own * ((a[0] * a[0] - one) * a[1] - (b[0] * b[0] - one) * b[1])
        if is_its:
            a, b = edge[j], edge[j + 1]
            by_last += weight[r] * its * y
            next_skew += weight[r] * its * ((a[0] * a[0] - one) * a[1] - (b[0] * b[0] - one) * b[1])
        if is_own and is_its:
            common += own * its
    out[BY_NEXT] += fluxes * by_next
    next_out[BY_LAST] += fluxes * by_last
    out[COMMON] += fluxes * common
    out[SKEW_BESIDE] += fluxes * skew
    next_out[SKEW_BESIDE] += fluxes * next_skew
