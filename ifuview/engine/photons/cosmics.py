"""Cosmic rays: moments in which the whole array counts at once, from its summed light curve in bins of 10 microseconds.

A moment is a peak that the counting statistics of the mean rate allow less than once in the exposure (or a number of
sigma), and that stands out from its surroundings. From 50 microseconds before to 100 after it photons do not count;
moments closer together than 100 microseconds are one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.cut import bounds, source_range
from ifuview.engine.photons.source import PhotonSource
from ifuview.engine.photons.timemask import joined
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photon_products import TimeMask
from ifuview.model.photons import TICK, PhotonCut

BIN = 10  # microseconds
BEFORE, AFTER = 50, 100  # microseconds around a peak that are left out
PROMINENCE = 10  # counts above the lowest bin on either side
DISTANCE = 50  # bins; of two peaks closer than this the higher counts
SIGMA = 6.0
AT_ONCE = 1 << 26  # bins in memory: 128 MB, 671 s; a longer exposure takes another pass
METHODS = ("poisson", "sigma")
NO_BOUND = 3.4e38


class Cosmics(NamedTuple):
    """Cosmic-ray moments.

    peak : ndarray, int64, microseconds; counts : ndarray, counts of the whole array in the peak's bin;
    threshold : counts; average : counts per bin; mask : the times to leave out.
    """

    peak: Array
    counts: Array
    threshold: float
    average: float
    mask: TimeMask


def find_cosmics(
    source: PhotonSource, cut: PhotonCut = PhotonCut(exclude=()), *, method: str = "poisson",  # noqa: B008
    sigma: float = SIGMA, ctx: JobContext = SILENT,
) -> Cosmics:  # fmt: skip
    """Return the moments in which a cosmic ray hit the array.

    Parameters
    ----------
    source : PhotonSource
    cut : PhotonCut, optional
        Photons that are looked at; flags do not matter.
    method : str
        poisson: threshold where a Poisson count of the mean rate comes with the chance of `sigma` Gaussian sigma;
        sigma: mean plus `sigma` standard deviations of the light curve.

    Raises
    ------
    UsageError
        The method is unknown.
    """
    if method not in METHODS:
        raise UsageError(f"there is no method {method!r} for cosmic rays", todo=f"choose {' or '.join(METHODS)}")
    start, stop = source_range(source, cut)
    first, last = round(start / TICK), round((stop if cut.stop is not None else stop + 1) / TICK)
    asked = bounds(source.info, cut)
    curves, total, squares, latest = [], 0, 0.0, 0
    for begin in range(first, last, AT_ONCE * BIN):
        number = min(AT_ONCE, -(-(last - begin) // BIN))
        curve = np.zeros(number, np.uint16)
        for block in source.blocks(value=asked.by_value, ctx=ctx):
            value = block.value if asked.by_value and block.value is not None else np.empty(0, np.float32)
            end = min(last, begin + number * BIN)
            latest = max(latest, int(_add(block.time, value, begin, end, asked.low, asked.high, curve)))
        total += int(curve.sum(dtype=np.int64))
        squares += float(_squares(curve))
        curves.append((begin, _bright(curve)))
    size = max(1, (min(last, max(round(stop / TICK), latest + 1)) - first) // BIN)
    average = total / size
    threshold = _threshold(average, squares / size - average**2, method, sigma)
    found = [_peaks(begin, *bright, threshold, average) for begin, bright in curves]
    peak = np.concatenate([f[0] for f in found]) if found else np.empty(0, np.int64)
    count = np.concatenate([f[1] for f in found]) if found else np.empty(0, np.int64)
    begins = np.maximum(peak - BEFORE, 0)
    return Cosmics(peak, count, threshold, average, joined(begins, peak + AFTER, ("cosmic",) * len(peak), AFTER))


def _threshold(average: float, variance: float, method: str, sigma: float) -> float:
    """Counts in a bin above which it is a peak."""
    if method == "sigma":
        return float(np.ceil(average + sigma * np.sqrt(max(variance, 0.0))))
    from scipy.stats import norm, poisson

    return float(poisson.isf(norm.sf(sigma), max(average, 1e-12)))


def _bright(curve: Array) -> tuple[Array, Array, Array]:
    """Bins that may be peaks: place, counts, and the larger of the lowest counts on either side nearby."""
    places = np.flatnonzero(curve >= PROMINENCE)
    counts = curve[places].astype(np.int64)
    floor = np.zeros(len(places), np.int64)
    for i, place in enumerate(places.tolist()):
        left = curve[max(0, place - DISTANCE) : place]
        right = curve[place + 1 : place + 1 + DISTANCE]
        floor[i] = max(int(left.min()) if len(left) else 0, int(right.min()) if len(right) else 0)
    return places, counts, floor


def _peaks(
    begin: int, places: Array, counts: Array, floor: Array, threshold: float, average: float
) -> tuple[Array, Array]:
    """Times (microseconds) and counts of the peaks among some bins; the higher of two that are close."""
    keep = (counts > threshold) & (counts - floor >= PROMINENCE)
    places, counts = places[keep], counts[keep]
    taken: list[int] = []
    for i in np.argsort(-counts, kind="stable").tolist():
        if all(abs(int(places[i]) - int(places[j])) >= DISTANCE for j in taken):
            taken.append(i)
    taken.sort()
    return begin + places[taken] * BIN, counts[taken]


@njit(cache=True, nogil=True)
def _add(time: Array, value: Array, begin: int, end: int, low: float, high: float, curve: Array) -> int:
    """Add photons to a light curve that starts at `begin`; the latest time, or -1."""
    by_value = len(value) > 0
    latest: Any = -1
    for i in range(len(time)):
        t = np.int64(time[i])
        if t >= begin and t < end and (not by_value or (value[i] >= low and value[i] < high)):
            place = (t - begin) // BIN
            if curve[place] < 65535:
                curve[place] += 1
            latest = max(latest, t)
    return int(latest)


@njit(cache=True, nogil=True)
def _squares(curve: Array) -> float:
    """Sum of the squares of a light curve."""
    total = 0.0
    for i in range(len(curve)):
        total += np.float64(curve[i]) * np.float64(curve[i])
    return total
