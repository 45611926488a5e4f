"""Cosmic rays: moments in which the whole array counts at once, from its summed light curve in bins of 10 microseconds.

A moment is a peak that the counting statistics of the mean rate allow less than once in the exposure (or a number of
sigma), and that stands out from its surroundings. From 50 microseconds before to 100 after it photons do not count;
moments closer together than 100 microseconds are one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cut import LATE, bounds, source_range
from ifuview.engine.photons.counting.timemask import joined
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.lists import TICK, PhotonCut, PhotonSource
from ifuview.model.photons.masks import TimeMask

BIN = 10  # microseconds
BEFORE, AFTER = 50, 100  # microseconds around a peak that are left out
PROMINENCE = 10  # counts above the lowest bin on either side
DISTANCE = 50  # bins; of two peaks closer than this the higher counts
SIGMA = 6.0
AT_ONCE = 1 << 26  # bins in memory: 128 MB, 671 s; a longer exposure takes another pass
METHODS = ("poisson", "sigma")
NOTHING = np.empty(0, np.float32)


class Cosmics(NamedTuple):
    """Cosmic-ray moments.

    peak : ndarray, int64, microseconds; counts : ndarray, counts of the whole array in the peak's bin;
    threshold : counts, the highest of the parts; average : counts per bin; mask : the times to leave out.
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
    first, last = round(start / TICK), round((stop if cut.stop is not None else stop + LATE) / TICK)
    asked = bounds(source.info, cut)
    parts = []
    for begin in range(first, last, AT_ONCE * BIN):
        curve = np.zeros(min(AT_ONCE, -(-(last - begin) // BIN)), np.uint16)
        end, latest = min(last, begin + len(curve) * BIN), -1
        for block in source.blocks(value=asked.by_value, ctx=ctx):
            value = block.value if asked.by_value and block.value is not None else NOTHING
            latest = max(
                latest,
                _add(time=block.time, value=value, begin=begin, end=end, low=asked.low, high=asked.high, curve=curve),
            )
        used = -(-(max(min(end, round(stop / TICK)), latest + 1) - begin) // BIN)
        if used > 0:
            parts.append(_part(begin, curve[:used], method, sigma))
    peak = np.concatenate([np.empty(0, np.int64), *(p.peak for p in parts)])
    counts = np.concatenate([np.empty(0, np.int64), *(p.counts for p in parts)])
    mask = joined(np.maximum(peak - BEFORE, 0), peak + AFTER, ("cosmic",) * len(peak), AFTER)
    threshold = max([p.threshold for p in parts], default=0.0)
    average = float(np.mean([p.average for p in parts])) if parts else 0.0
    return Cosmics(peak, counts, threshold, average, mask)


class _Part(NamedTuple):
    """Peaks of a part of the exposure."""

    peak: Array
    counts: Array
    threshold: float
    average: float


def _part(begin: int, curve: Array, method: str, sigma: float) -> _Part:
    """Peaks of a light curve that starts at `begin` (microseconds), above the threshold of its own rate."""
    average = float(curve.sum(dtype=np.int64)) / len(curve)
    threshold = _threshold(average, float(_squares(curve)) / len(curve) - average**2, method, sigma)
    places = np.flatnonzero(curve > threshold)
    counts = curve[places].astype(np.int64)
    free = np.ones(len(places), np.bool_)
    taken = []
    for i in np.argsort(-counts, kind="stable").tolist():
        place = int(places[i])
        if not free[i] or counts[i] - _floor(curve, place) < PROMINENCE:
            continue
        taken.append(i)
        free[np.searchsorted(places, place - DISTANCE + 1) : np.searchsorted(places, place + DISTANCE)] = False
    taken.sort()
    return _Part(begin + places[taken].astype(np.int64) * BIN, counts[taken], threshold, average)


def _floor(curve: Array, place: int) -> int:
    """The higher of the lowest counts on either side of a bin, nearby."""
    sides = (curve[max(0, place - DISTANCE) : place], curve[place + 1 : place + 1 + DISTANCE])
    return max(int(side.min()) if len(side) else 0 for side in sides)


def _threshold(average: float, variance: float, method: str, sigma: float) -> float:
    """Counts in a bin above which it is a peak."""
    if method == "sigma":
        return float(np.ceil(average + sigma * np.sqrt(max(variance, 0.0))))
    from scipy.stats import norm, poisson

    return float(poisson.isf(norm.sf(sigma), max(average, 1e-12)))


@njit(cache=True, nogil=True)
def _add(time: Array, value: Array, begin: int, end: int, low: float, high: float, curve: Array) -> int:
    """Add photons to a light curve that starts at `begin`; the latest time, or -1."""
    by_value = len(value) > 0
    latest = np.int64(-1)
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
