"""Sums that matched filters need, in fibers and over fibers."""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.model.checks import Array

REACH = 3.5  # sigma of a line, samples used
FAINT = 0.04  # of the share of a fiber right on a source: those with less tell less than 1 percent of it
NODES = 1024  # for each sigma, of the table of its shape: straight lines are right to 1e-7 of the peak


@njit(cache=True, nogil=True)
def look(table: Array, r: float, step: float) -> float:
    """Value of a table at a radius, by a straight line; 0 beyond its end."""
    t = r / step
    i = int(t)
    if i >= table.size - 1:
        return 0.0
    return table[i] + (t - i) * (table[i + 1] - table[i])


@njit(cache=True, nogil=True, fastmath=True)
def _look_at(table: Array, one: int, node: int, t: float) -> float:
    """The same in a table of tables, at a radius in steps: a view of each would cost more than the value."""
    i = int(t)
    if i >= table.shape[2] - 1:
        return 0.0
    low = table[one, node, i]
    return low + (t - i) * (table[one, node, i + 1] - low)


@njit(cache=True, nogil=True)
def source_shares(
    table: Array, node: Array, dx: Array, dy: Array, step: float, x: Array, y: Array, exposure: Array, wave: Array,
    out: Array,
) -> None:  # fmt: skip
    """Share of a source at the origin in fibers at x, y at each wavelength, `out` (nfiber, nwave).

    `table` (nexposure, nnode, nradius) has it by distance in steps, `node` the wavelengths of its nodes.
    """
    last, most = node.size - 1, table.shape[2] - 1
    for j in range(wave.size):
        t = min(max((wave[j] - node[0]) / (node[1] - node[0]), 0.0), float(last + 1))
        m = min(int(t), last - 1)
        f = t - m
        inside = min(max(f, 0.0), 1.0)
        ox, oy = dx[m] + inside * (dx[m + 1] - dx[m]), dy[m] + inside * (dy[m + 1] - dy[m])
        for k in range(x.size):
            r = np.sqrt((x[k] - ox) ** 2 + (y[k] - oy) ** 2) / step
            i = int(r)
            if i >= most:
                out[k, j] = 0.0
                continue
            own, g = table[exposure[k]], r - i
            low = (1 - f) * own[m, i] + f * own[m + 1, i]
            high = (1 - f) * own[m, i + 1] + f * own[m + 1, i + 1]
            out[k, j] = low * (1 - g) + high * g


@njit(cache=True, nogil=True, fastmath=True)
def filter_lines(
    flux: Array, ivar: Array, wave: Array, grid: Array, sigma: float, first: int, last: int, low: int, high: int,
    top: Array, bottom: Array,
) -> None:  # fmt: skip
    """Of each fiber the sums line x flux / variance and line^2 / variance for lines at each wavelength of the grid."""
    norm = 1.0 / (np.sqrt(2 * np.pi) * sigma)
    shape = norm * np.exp(-0.5 * (np.arange(int(REACH * NODES) + 3) / NODES) ** 2)
    n = wave.shape[1]
    for k in range(first, last):
        start = np.searchsorted(wave[k], grid[low] - REACH * sigma)
        for j in range(low, high):
            w = grid[j]
            while start < n and wave[k, start] < w - REACH * sigma:
                start += 1
            a, b = 0.0, 0.0
            i = start
            while i < n and wave[k, i] <= w + REACH * sigma:
                g = look(shape, abs(wave[k, i] - w) / sigma, 1 / NODES)
                a += g * flux[k, i] * ivar[k, i]
                b += g * g * ivar[k, i]
                i += 1
            top[k, j], bottom[k, j] = a, b


@njit(cache=True, nogil=True, fastmath=True)
def _add_window(
    ramp: Array, base: np.float32, slope: np.float32, top: Array, bottom: Array, a: Array, b: Array
) -> None:
    """Add a fiber whose share runs straight; on slices, whose numbers cannot be negative, so that it vectorizes."""
    for i in range(a.size):
        s = base + ramp[i] * slope
        a[i] += s * top[i]
        b[i] += s * s * bottom[i]


@njit(cache=True, nogil=True, fastmath=True)
def combine(
    top: Array, bottom: Array, order: Array, x: Array, y: Array, exposure: Array, edge: Array, dx: Array, dy: Array,
    table: Array, step: float, px: Array, py: Array, place: Array, low: int, high: int, snr: Array, weight: Array,
) -> None:  # fmt: skip
    """Significance of point sources at places, in columns low:high; of their light the inverse variance if wanted.

    `order` are the rows of `top` and `bottom` by rising y; x, y and exposure are in that order.
    """
    reach, steps = step * (table.shape[2] - 1) + 1.0, 1 / step
    ncol = top.shape[1]
    ramp = np.arange(ncol).astype(np.float32)  # a conversion in the innermost loop would keep it from being vectorized
    a, b = np.empty(ncol, np.float32), np.empty(ncol, np.float32)
    for q in range(place.size):
        p = place[q]
        a[low:high] = 0
        b[low:high] = 0
        for k in range(np.searchsorted(y, py[p] - reach), np.searchsorted(y, py[p] + reach)):
            ux, uy = x[k] - px[p], y[k] - py[p]
            if ux * ux + uy * uy > reach * reach:
                continue
            own, row = exposure[k], order[k]
            least = FAINT * table[own, 0, 0]
            before = _look_at(table, own, 0, np.sqrt((ux - dx[0]) ** 2 + (uy - dy[0]) ** 2) * steps)
            for m in range(edge.size - 1):
                after = _look_at(table, own, m + 1, np.sqrt((ux - dx[m + 1]) ** 2 + (uy - dy[m + 1]) ** 2) * steps)
                start, stop = max(edge[m], low), min(edge[m + 1], high)
                slope = np.float32((after - before) / (edge[m + 1] - edge[m]))
                base = np.float32(before)
                first = edge[m]
                if max(before, after) > least and stop > start:
                    _add_window(
                        ramp[start - first :], base, slope, top[row, start:stop], bottom[row, start:stop],
                        a[start:stop], b[start:stop],
                    )  # fmt: skip
                before = after
        for j in range(low, high):
            if weight.size > 0:
                weight[p, j] = b[j]
            snr[p, j] = a[j] / np.sqrt(b[j]) if b[j] > 0 else 0.0


@njit(cache=True, nogil=True, fastmath=True)
def line_sums(
    flux: Array, ivar: Array, wave: Array, share: Array, center: float, sigma: float, top: Array, bottom: Array
) -> None:
    """The sums of one line in each of some fibers, with its share in them."""
    norm = 1.0 / (np.sqrt(2 * np.pi) * sigma)
    n = wave.shape[1]
    for k in range(share.size):
        a, b = 0.0, 0.0
        i = np.searchsorted(wave[k], center - REACH * sigma)
        while i < n and wave[k, i] <= center + REACH * sigma:
            z = (wave[k, i] - center) / sigma
            g = share[k] * norm * np.exp(-0.5 * z * z)
            a += g * flux[k, i] * ivar[k, i]
            b += g * g * ivar[k, i]
            i += 1
        top[k], bottom[k] = a, b


@njit(cache=True, nogil=True)
def add_line(
    flux: Array, ivar: Array, wave: Array, share: Array, center: float, sigma: float, amount: float, floor: float
) -> None:
    """Add a line to fibers; `floor` of its light counts as error."""
    norm = 1.0 / (np.sqrt(2 * np.pi) * sigma)
    n = wave.shape[1]
    for k in range(share.size):
        i = np.searchsorted(wave[k], center - 2 * REACH * sigma)
        while i < n and wave[k, i] <= center + 2 * REACH * sigma:
            z = (wave[k, i] - center) / sigma
            light = amount * share[k] * norm * np.exp(-0.5 * z * z)
            flux[k, i] += light
            if floor > 0 and ivar[k, i] > 0:
                ivar[k, i] = 1.0 / (1.0 / ivar[k, i] + (floor * light) ** 2)
            i += 1


@njit(cache=True, nogil=True, fastmath=True)
def line_misfit(
    flux: Array, ivar: Array, wave: Array, share: Array, center: float, sigma: float, amount: float, floor: float
) -> tuple[float, int]:
    """Sum of squared residuals over errors (and `floor` of the light) within the line, and the number of samples."""
    norm = 1.0 / (np.sqrt(2 * np.pi) * sigma)
    n = wave.shape[1]
    total, count = 0.0, 0
    for k in range(share.size):
        i = np.searchsorted(wave[k], center - 2.5 * sigma)
        while i < n and wave[k, i] <= center + 2.5 * sigma:
            if ivar[k, i] > 0:
                z = (wave[k, i] - center) / sigma
                light = amount * share[k] * norm * np.exp(-0.5 * z * z)
                total += (flux[k, i] - light) ** 2 / (1.0 / ivar[k, i] + (floor * light) ** 2)
                count += 1
            i += 1
    return total, count


@njit(cache=True, nogil=True)
def running_level(flux: Array, ivar: Array, half: int, clip: float, out: Array) -> None:
    """Mean of each fiber within `half` samples, weighted, without samples beyond `clip` sigma of a first mean."""
    n = flux.shape[1]
    sums, weights = np.empty(n + 1), np.empty(n + 1)
    for k in range(flux.shape[0]):
        for turn in range(2):
            sums[0] = weights[0] = 0.0
            for i in range(n):
                w = ivar[k, i]
                if turn == 1 and w > 0 and abs(flux[k, i] - out[k, i]) * np.sqrt(w) > clip:
                    w = 0.0
                sums[i + 1] = sums[i] + w * flux[k, i]
                weights[i + 1] = weights[i] + w
            for i in range(n):
                a, b = max(i - half, 0), min(i + half + 1, n)
                total = weights[b] - weights[a]
                out[k, i] = (sums[b] - sums[a]) / total if total > 0 else 0.0
