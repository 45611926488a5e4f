"""Normal equations of the profile's shape and of the background, with the fluxes of every column projected out.

The image is linear in the splines for given fluxes and in the fluxes for given splines. Solving in turns would creep,
as wings and neighbors' fluxes give way to each other; projecting the fluxes out (Golub and Pereyra 1973, in the form of
Kaufman) makes each round a step of Gauss and Newton for the shape alone.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ifuview.engine.traces.profile.column import (
    ABSENT,
    FAST,
    LEAST_LIGHT,
    add_light,
    backward,
    blend,
    factor,
    forward,
    lay,
    normal_band,
    reject,
)
from ifuview.engine.traces.profile.splines import PER_WIDTH, integral, slope
from ifuview.model.checks import Array

GROUND, SHAPE, FIBERS = range(3)  # what a round wants
TAIL = 12  # fibers beyond a group that its splines can still reach through their neighbors' fluxes


@njit(cache=True, nogil=True, error_model="numpy")
def accumulate(
    columns: Array, data: Array, floor: Array, per_count: float, center: Array, width: Array, tables: Array,
    legendre: Array, reach: float, group: Array, rows: int, nband: int, splines: Array, begin: Array, end: Array,
    node: Array, level: Array, clip: float, share: float, wanted: int, flux: Array, shape: Array,
    shape_ground: Array, shape_side: Array, ground: Array, ground_side: Array, fiber: Array, tally: Array,
) -> None:  # fmt: skip
    """Add up the equations of some columns.

    Parameters
    ----------
    columns : intp (n,)
    data, floor : float32 (ncol, nrow)
        Counts, and variance without light, inf where a pixel is not used.
    per_count : float
        Variance per count of light.
    center, width : (ncol, nfiber), px
    tables, legendre, reach, group :
        Of the profile, see `FiberProfile`.
    splines : (nspline, nnode, 2); begin, end : intp (nspline,)
    node : (nground,), px
        Rows at which the background is given; straight lines between.
    level : (ncol, nground), counts
        Background there.
    clip, share : float
        Pixels farther from the model than `clip` sigma and `share` of the peak are left out; 0: none is.
    wanted : int
        Add up the equations of the shape (SHAPE), of single fibers (FIBERS), or of the background only (GROUND).
    flux : (ncol, nfiber), in and out
        Those of the last round make the variance.
    shape : (ngroup, nspline, nspline), out, added to
    shape_ground : (ngroup, nspline, nground), out, added to
    shape_side : (ngroup, nspline), out, added to
    ground : (nground, nground), out, added to
    ground_side : (nground,), out, added to
    fiber : (nfiber, 5), out, added to
        Normal equations of a fiber's center, in px, and width, as a share of it; right sides.
    tally : (3,), out, added to
        Chi2, pixels, and fluxes that were fitted.
    """
    nfiber, nrow, nground = center.shape[1], data.shape[1], node.size
    light, first = np.zeros((nfiber, rows)), np.zeros(nfiber, np.int64)
    band, pivot, seen = np.zeros((nfiber, nband + 1)), np.zeros(nfiber), np.zeros(nfiber)
    table = np.zeros((tables.shape[0], tables.shape[2], 2))
    behind, clean, total, noise, weight = np.zeros((5, nrow))
    low, part = np.zeros(nrow, np.int64), np.zeros(nrow)
    share_of_node = np.zeros((nground, nfiber))
    own = floor[0].copy()
    _between(node, low, part)
    for x in columns:
        blend(tables, legendre[x], table)
        lay(center[x], width[x], table, reach, group, light, first)
        total[:] = 0
        add_light(total, light, first, flux[x])
        for r in range(nrow):
            behind[r] = level[x, low[r]] * (1 - part[r]) + level[x, low[r] + 1] * part[r]
            clean[r] = data[x, r] - behind[r]
            own[r] = floor[x, r]
            noise[r] = own[r] + per_count * max(total[r] + behind[r], 0.0)
        if clip > 0:
            reject(clean, total, own, noise, total, clip, share)
        for r in range(nrow):
            weight[r] = 1 / noise[r] if own[r] < np.inf else 0.0
        normal_band(clean, weight, light, first, band, flux[x], seen)
        factor(band, pivot)
        forward(band, flux[x], 0, nfiber)
        backward(band, pivot, flux[x])
        total[:] = 0
        add_light(total, light, first, flux[x])
        for r in range(nrow):
            clean[r] -= total[r]
            if weight[r] > 0:
                tally[0] += weight[r] * clean[r] * clean[r]
                tally[1] += 1
        for k in range(nfiber):
            tally[2] += pivot[k] < np.inf
            if seen[k] < LEAST_LIGHT:  # known too badly to tell of a shape
                flux[x, k] = 0.0
        _ground(clean, weight, light, first, band, pivot, low, part, share_of_node, ground, ground_side)
        if wanted == FIBERS:
            _fibers(clean, weight, light, first, flux[x], center[x], width[x], band, pivot, table, reach, group, fiber)
        if wanted == SHAPE:
            _shape(
                clean, weight, light, first, flux[x], center[x], width[x], band, pivot, reach, group, splines, begin,
                end, low, part, share_of_node, shape, shape_ground, shape_side,
            )  # fmt: skip


@njit(nogil=True, error_model="numpy")
def _between(node: Array, low: Array, part: Array) -> None:
    """Node before each row, and how far the row is on the way to the next; straight on beyond the ends."""
    i = 0
    for r in range(low.size):
        while i + 2 < node.size and node[i + 1] <= r:
            i += 1
        low[r] = i
        part[r] = (r - node[i]) / (node[i + 1] - node[i])


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _ground(
    left: Array, weight: Array, light: Array, first: Array, band: Array, pivot: Array, low: Array, part: Array,
    side: Array, matrix: Array, right: Array,
) -> None:  # fmt: skip
    """Equations of the background at the nodes; `side` keeps the fibers' share of each, L^-1 of it."""
    nground, nfiber = side.shape
    nrow = left.size
    for r in range(nrow):
        i, q = low[r], part[r]
        p = 1 - q
        w = weight[r]
        matrix[i, i] += w * p * p
        matrix[i + 1, i] += w * p * q
        matrix[i, i + 1] += w * p * q
        matrix[i + 1, i + 1] += w * q * q
        right[i] += w * p * left[r]
        right[i + 1] += w * q * left[r]
    side[:] = 0
    for k in range(nfiber):
        if first[k] == ABSENT:
            continue
        for j in range(max(0, -first[k]), min(light.shape[1], nrow - first[k])):
            r = first[k] + j
            value = weight[r] * light[k, j]
            side[low[r], k] += value * (1 - part[r])
            side[low[r] + 1, k] += value * part[r]
    for i in range(nground):
        forward(band, side[i], 0, nfiber)
    for i in range(nground):
        for j in range(i + 1):
            both = 0.0
            for k in range(nfiber):
                both += side[i, k] * side[j, k] / pivot[k]
            matrix[i, j] -= both
            if i != j:
                matrix[j, i] -= both


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _fibers(
    left: Array, weight: Array, light: Array, first: Array, flux: Array, center: Array, width: Array, band: Array,
    pivot: Array, table: Array, reach: float, group: Array, out: Array,
) -> None:  # fmt: skip
    """Equations of center and width of each fiber, all fluxes projected out."""
    nfiber, span, nrow, most = first.size, light.shape[1], left.size, band.shape[1] - 1
    by_center, by_width = np.zeros(span), np.zeros(span)
    side = np.zeros((2, nfiber))
    for k in range(nfiber):
        if first[k] == ABSENT or not pivot[k] < np.inf:
            continue
        _slopes(first[k], center[k], width[k], flux[k], table[group[k]], reach, by_center, by_width)
        yy = ys = ss = y = s = 0.0
        for j in range(max(0, -first[k]), min(span, nrow - first[k])):
            w, a, b = weight[first[k] + j], by_center[j], by_width[j]
            yy += w * a * a
            ys += w * a * b
            ss += w * b * b
            y += w * a * left[first[k] + j]
            s += w * b * left[first[k] + j]
        begin, end = max(0, k - most), min(nfiber, k + most + TAIL)
        side[:, begin:end] = 0
        for i in range(begin, min(nfiber, k + most + 1)):
            if first[i] == ABSENT:
                continue
            step = first[i] - first[k]
            a = b = 0.0
            row, begin_j, end_j = first[k], max(0, step, -first[k]), min(span, span + step, nrow - first[k])
            for j in range(begin_j, end_j):
                value = weight[row + j] * light[i, j - step]
                a += value * by_center[j]
                b += value * by_width[j]
            side[0, i], side[1, i] = a, b
        forward(band, side[0], begin, end)
        forward(band, side[1], begin, end)
        for i in range(begin, end):
            yy -= side[0, i] * side[0, i] / pivot[i]
            ys -= side[0, i] * side[1, i] / pivot[i]
            ss -= side[1, i] * side[1, i] / pivot[i]
        out[k, 0] += yy
        out[k, 1] += ys
        out[k, 2] += ss
        out[k, 3] += y
        out[k, 4] += s


@njit(nogil=True, error_model="numpy")
def _slopes(
    first: int, center: float, width: float, flux: float, table: Array, reach: float, by_center: Array, by_width: Array
) -> None:
    """Change of a fiber's light per px of its center and per unit of the logarithm of its width."""
    step = PER_WIDTH / width
    t = (first - 0.5 - center) * step
    before = slope(table, t + reach * PER_WIDTH)
    for j in range(by_center.size):
        now = slope(table, t + step + reach * PER_WIDTH)
        by_center[j] = -flux * step * (now - before)
        by_width[j] = -flux * ((t + step) * now - t * before)
        t += step
        before = now


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _shape(
    left: Array, weight: Array, light: Array, first: Array, flux: Array, center: Array, width: Array, band: Array,
    pivot: Array, reach: float, group: Array, splines: Array, begin: Array, end: Array, low: Array, part: Array,
    of_node: Array, matrix: Array, mixed: Array, right: Array,
) -> None:  # fmt: skip
    """Equations of the splines of all groups."""
    nspline, nfiber, nrow, span = splines.shape[0], first.size, left.size, light.shape[1]
    term = np.zeros((nrow, nspline))
    side = np.zeros((nfiber, nspline))
    k0 = 0
    while k0 < nfiber:
        g, k1 = group[k0], k0
        r0, r1 = nrow, 0
        while k1 < nfiber and group[k1] == g:
            if first[k1] != ABSENT:
                r0, r1 = min(r0, max(first[k1], 0)), max(r1, min(first[k1] + span, nrow))
            k1 += 1
        if r1 > r0:
            term[r0:r1] = 0
            for k in range(k0, k1):
                if first[k] != ABSENT and flux[k] != 0:
                    _add_splines(term, first[k], span, center[k], width[k], flux[k], reach, splines, begin, end)
            begin_k, end_k = _project(weight, light, first, band, term, r0, r1, side)
            _add_group(
                left, weight, term, r0, r1, side, begin_k, end_k, pivot, low, part, of_node, matrix[g], mixed[g],
                right[g],
            )  # fmt: skip
        k0 = k1


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _add_splines(
    term: Array, first: int, span: int, center: float, width: float, flux: float, reach: float, splines: Array,
    begin: Array, end: Array,
) -> None:  # fmt: skip
    """Add one fiber's light per unit of each spline."""
    step = PER_WIDTH / width
    start = (first - 0.5 - center) * step + reach * PER_WIDTH
    nrow = term.shape[0]
    for j in range(splines.shape[0]):
        p0 = max(math.floor((begin[j] - start) / step), 0, -first)
        p1 = min(math.ceil((end[j] - start) / step), span, nrow - first)
        if p0 >= p1:
            continue
        before = integral(splines[j], start + p0 * step)
        for p in range(p0, p1):
            now = integral(splines[j], start + (p + 1) * step)
            term[first + p, j] += flux * (now - before)
            before = now


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _project(
    weight: Array, light: Array, first: Array, band: Array, term: Array, r0: int, r1: int, side: Array
) -> tuple[int, int]:
    """What the fluxes can take over of each spline: L^-1 A' W term, of the fibers that it returns, first and end."""
    nfiber, span, nspline, most = first.size, light.shape[1], term.shape[1], band.shape[1] - 1
    begin, last = nfiber, 0
    for k in range(nfiber):
        if first[k] == ABSENT or first[k] + span <= r0 or first[k] >= r1:
            continue
        begin, last = min(begin, k), k
    end = min(last + TAIL, nfiber)
    side[begin:end] = 0
    for k in range(begin, end):
        own = side[k]
        if first[k] != ABSENT:
            for r in range(max(r0, first[k]), min(first[k] + span, r1)):
                value = weight[r] * light[k, r - first[k]]
                for i in range(nspline):
                    own[i] += value * term[r, i]
        for m in range(1, min(most, k - begin) + 1):
            value = band[k - m, m]
            for i in range(nspline):
                own[i] -= value * side[k - m, i]
    return begin, end


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _add_group(
    left: Array, weight: Array, term: Array, r0: int, r1: int, side: Array, k0: int, k1: int, pivot: Array, low: Array,
    part: Array, of_node: Array, matrix: Array, mixed: Array, right: Array,
) -> None:  # fmt: skip
    """Add the equations of one group: its own, and those that it shares with the background."""
    nspline, nground = side.shape[1], of_node.shape[0]
    for r in range(r0, r1):
        w = weight[r]
        if w == 0:
            continue
        for i in range(nspline):
            value = w * term[r, i]
            right[i] += value * left[r]
            for j in range(i + 1):
                matrix[i, j] += value * term[r, j]
            mixed[i, low[r]] += value * (1 - part[r])
            mixed[i, low[r] + 1] += value * part[r]
    for k in range(k0, k1):
        if not pivot[k] < np.inf:
            continue
        for i in range(nspline):
            value = side[k, i] / pivot[k]
            for j in range(i + 1):
                matrix[i, j] -= value * side[k, j]
            for j in range(nground):
                mixed[i, j] -= value * of_node[j, k]
