"""Time from each photon to the next one of the same resonator, beside what steady light would give."""

from __future__ import annotations

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.binned import fetched
from ifuview.engine.photons.counting.cut import bounds, source_range
from ifuview.model.checks import Array
from ifuview.model.photons.light import Aperture, IntervalHistogram
from ifuview.model.photons.lists import TICK, PhotonBlock, PhotonCut, PhotonSource

BINS = 60
FROM = 1e-6  # s; shortest interval that a clock of 1 microsecond tells from none


def interval_histogram(
    source: PhotonSource, aperture: Aperture, cut: PhotonCut = PhotonCut(), *, edges: Array | None = None,  # noqa: B008
    dead_time: float | None = None, ctx: JobContext = SILENT,
) -> IntervalHistogram:  # fmt: skip
    """Return the intervals between photons of the same resonator.

    For steady light of rate r they follow (T - t) exp(-r (t - dead time)) beyond the dead time in a time range T,
    where r is photons over the time when the resonator was not dead; resonators add up, each with its own rate.

    Parameters
    ----------
    source : PhotonSource
    aperture : Aperture
        Weights do not matter here.
    cut : PhotonCut, optional
    edges : ndarray, s, optional
        Default: 60 bins evenly spaced in the logarithm, from 1 microsecond to the longest interval.
    dead_time : float, s, optional
        Default: what the file says.
    """
    found = [_kept(block, source, cut) for block in fetched(source, aperture.resonators, ctx=ctx)]
    which = np.concatenate([f[0] for f in found]) if found else np.empty(0, np.int32)
    ticks = np.concatenate([f[1] for f in found]) if found else np.empty(0, np.int64)
    same = which[1:] == which[:-1]
    time = np.diff(ticks)[same] * TICK
    dead = source.info.dead_time if dead_time is None else dead_time
    if edges is None:
        edges = np.geomspace(FROM, max(2 * FROM, 1.01 * float(time.max(initial=0.0))), BINS + 1)
    places = np.searchsorted(edges, time, side="right") - 1
    counts = np.bincount(places[(places >= 0) & (places < len(edges) - 1)], minlength=len(edges) - 1)
    number = np.diff(np.append(np.flatnonzero(np.diff(which, prepend=-1)), len(which)))  # of each that saw a photon
    start, stop = source_range(source, cut)
    rates = number / np.maximum(stop - start - number * dead, TICK)
    mean = float(rates.sum()) / max(len(aperture.resonators), 1)
    expected = _expected(number - 1, rates, edges - dead, stop - start - dead)
    return IntervalHistogram(edges, counts, expected, mean, dead, int(np.count_nonzero(time < dead - TICK / 2)))


def _expected(number: Array, rates: Array, edges: Array, length: float) -> Array:
    """Intervals in each bin, of `number` a resonator: (length - t) exp(-r t), as a range of time holds few long ones.

    `edges` and `length` (s) count from the dead time on.
    """
    some = number > 0
    number, rates, length = number[some], rates[some][:, None], max(length, TICK)
    after = np.clip(edges, 0.0, length)
    below = np.exp(-rates * after) * (1 - rates * (length - after))
    whole = np.exp(-rates * length) - (1 - rates * length)
    return np.asarray((number[:, None] * np.diff(below) / whole).sum(axis=0))


def _kept(block: PhotonBlock, source: PhotonSource, cut: PhotonCut) -> tuple[Array, Array]:
    """Resonator and time (ticks) of the photons that pass the cut."""
    asked = bounds(source.info, cut)
    time = block.time.astype(np.int64)
    keep = (time >= asked.first) & (time < asked.last)
    if asked.by_value and block.value is not None:
        keep &= (block.value >= asked.low) & (block.value < asked.high)
    return block.resonator[keep], time[keep]
