"""Arrival times of a speckle pattern: the chance of a gap between photons, without any bins.

While the intensity I is the same over a gap g, a photon is followed by another after g with the density
<I^2 exp(-I g)> / <I>, and by none for longer than g with the chance S(g) = <I exp(-I g)> / <I>, where <> is the mean
over the modified Rician law of I (Walter et al. 2019). With u = 1 / (1 + Is g) both are rational in u:

    <I exp(-I g)>   = (Ic u^3 + Is u^2 + Ip u) exp(-Ip g - Ic g u)
    <I^2 exp(-I g)> = (Ic^2 u^5 + 4 Ic Is u^4 + (2 Is^2 + 2 Ip Ic) u^3 + 2 Ip Is u^2 + Ip^2 u) exp(-Ip g - Ic g u)

Two things are added to the published likelihood. Speckles change during long gaps, which then look too dark: of a gap
longer than a limit only that it is longer is used, and the contrast of I is that of both ends of a gap of that length
(`statistics.lives`). Gaps shorter than the dead time are left out by dividing by
S(dead time). Gaps are sorted into classes evenly spaced in the logarithm, narrow enough to be taken at their middle.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.engine.photons.statistics.lives import left_in_gap, left_until
from ifuview.model.checks import Array

CLASSES = 80  # of gaps; one more holds those that are longer than the limit
SHORTEST = 2e-6  # s; where the classes begin if there is no dead time: two ticks of the clock


@njit(cache=True, nogil=True)
def gap_edges(dead: float, longest: float) -> Array:
    """Edges of the classes of gaps, s, shape (CLASSES + 1,)."""
    low = max(dead, min(SHORTEST, 0.5 * longest))
    return low * (longest / low) ** (np.arange(CLASSES + 1) / CLASSES)


@njit(cache=True, nogil=True)
def gap_middles(dead: float, longest: float) -> Array:
    """Middles of the classes of gaps in the logarithm, s, shape (CLASSES,)."""
    edges = gap_edges(dead, longest)
    return np.sqrt(edges[:-1] * edges[1:])


@njit(cache=True, nogil=True)
def sort_gaps(time: Array, blocks: Array, dead: float, longest: float, seen: Array) -> None:
    """Count the gaps of each class in each block of time.

    Parameters
    ----------
    time : ndarray, uint32, microseconds
        Of the photons, ascending.
    blocks : ndarray, int64, microseconds, shape (nblock + 1,)
        Edges of the blocks; a gap belongs to that of the photon at its end.
    dead, longest : float, s
    seen : ndarray, float64, shape (nblock, CLASSES + 1)
        Is added to; the last class holds the gaps that are longer.
    """
    low = gap_edges(dead, longest)[0]
    scale = CLASSES / np.log(longest / low)
    block = 0
    for i in range(1, len(time)):
        gap = (np.int64(time[i]) - np.int64(time[i - 1])) * 1e-6
        if gap < dead:
            continue
        while block < len(blocks) - 2 and time[i] >= blocks[block + 1]:
            block += 1
        place = CLASSES if gap >= longest else min(int(max(np.log(gap / low), 0.0) * scale), CLASSES - 1)
        seen[block, place] += 1.0


@njit(cache=True, nogil=True)
def left_in_gaps(gaps: Array, longest: float, rate: float, change: float) -> Array:
    """Part of the contrast that is left in gaps of each class, and in a longer one, shape (CLASSES + 1,).

    `rate` is that of all light, `change` one over the life of speckles, both per second.
    """
    out = np.empty(CLASSES + 1)
    for i in range(CLASSES):
        out[i] = left_in_gap(gaps[i] * change, gaps[i] * rate)
    out[CLASSES] = left_until(longest * change)
    return out


@njit(cache=True, nogil=True)
def fill_log_gaps(
    gaps: Array, left: Array, dead: float, longest: float, ic: float, is_: float, ip: float, out: Array
) -> None:
    """Write ln of the density of a gap of each class, and of the chance of a longer one.

    Parameters
    ----------
    gaps : ndarray, float64, s
        `gap_middles` of the same dead time and longest gap.
    left : ndarray, float64, shape (CLASSES + 1,)
        `left_in_gaps`.
    dead, longest : float, s
    ic, is_, ip : float, photons per second
    out : ndarray, float64, shape (CLASSES + 1,)
        Given that the gap is at least the dead time.
    """
    alive = _none(dead, ic, is_, ip)
    star = ic + is_
    ratio = np.sqrt(gaps[1] / gaps[0])  # half of the width of a class, in the logarithm
    changes, total = left[CLASSES] < 1, 0.0
    for i in range(CLASSES):
        g = gaps[i]
        steady = steady_part(ic, star, left[i]) if changes else ic
        speckle = star - steady
        c5, c4, c3 = steady * steady, 4 * steady * speckle, 2 * speckle * speckle + 2 * ip * steady
        u = 1.0 / (1.0 + speckle * g)
        density = max(u * (ip * ip + u * (2 * ip * speckle + u * (c3 + u * (c4 + u * c5)))), 1e-300)
        fallen = g * (ip + steady * u) + alive
        out[i] = np.log(density) - fallen
        if changes:
            total += density * np.exp(-fallen) * g
    steady = steady_part(ic, star, left[CLASSES])
    out[CLASSES] = _none(longest, steady, star - steady, ip) - alive
    if changes:
        out -= np.log(total * (ratio - 1 / ratio) + np.exp(out[CLASSES]))


@njit(cache=True, nogil=True)
def steady_part(ic: float, star: float, kept: float) -> float:
    """Ic of light of the same mean `star` whose contrast is a part `kept` of what it is; photons per second."""
    if star <= 0:
        return ic
    return float(star * np.sqrt(max(1 - kept * (1 - (ic / star) ** 2), 0.0)))


@njit(cache=True, nogil=True)
def _none(g: float, ic: float, is_: float, ip: float) -> float:
    """ln <I exp(-I g)>."""
    v = 1.0 / (1.0 + is_ * g)
    return np.log(max(v * (ip + v * (is_ + v * ic)), 1e-300)) - g * (ip + ic * v)
