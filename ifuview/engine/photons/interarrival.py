"""Time from each photon to the next one of the same resonator, beside what steady light would give."""

from __future__ import annotations

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.binned import fetched
from ifuview.engine.photons.cut import bounds
from ifuview.model.checks import Array
from ifuview.model.photon_products import Aperture, IntervalHistogram
from ifuview.model.photons import TICK, PhotonBlock, PhotonCut, PhotonSource

BINS = 60
FROM = 1e-6  # s; shortest interval that a clock of 1 microsecond tells from none


def interval_histogram(
    source: PhotonSource, aperture: Aperture, cut: PhotonCut = PhotonCut(), *, edges: Array | None = None,  # noqa: B008
    dead_time: float | None = None, ctx: JobContext = SILENT,
) -> IntervalHistogram:  # fmt: skip
    """Return the intervals between photons of the same resonator.

    For steady light of rate r they follow r exp(-r (t - dead time)) beyond the dead time, where
    1 / r = mean interval - dead time; resonators of the aperture add up, each with its own rate.

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
    gaps = [_gaps(block, source, cut) for block in fetched(source, aperture.resonators, ctx=ctx)]
    which = np.concatenate([g[0] for g in gaps]) if gaps else np.empty(0, np.int32)
    time = np.concatenate([g[1] for g in gaps]) if gaps else np.empty(0)
    dead = source.info.dead_time if dead_time is None else dead_time
    if edges is None:
        edges = np.geomspace(FROM, max(2 * FROM, 1.01 * float(time.max(initial=0.0))), BINS + 1)
    places = np.searchsorted(edges, time, side="right") - 1
    counts = np.bincount(places[(places >= 0) & (places < len(edges) - 1)], minlength=len(edges) - 1)
    first = np.flatnonzero(np.diff(which, prepend=-1))  # resonators come one after the other
    number = np.diff(np.append(first, len(which)))
    rates = 1 / np.maximum(np.add.reduceat(time, first) / number - dead, TICK) if len(first) else np.empty(0)
    expected = number @ -np.diff(np.exp(-rates[:, None] * np.maximum(edges - dead, 0.0)))
    mean = float(np.mean(rates)) if len(rates) else 0.0
    return IntervalHistogram(edges, counts, expected, mean, dead, int(np.count_nonzero(time < dead - TICK / 2)))


def _gaps(block: PhotonBlock, source: PhotonSource, cut: PhotonCut) -> tuple[Array, Array]:
    """Resonator and length (s) of the intervals of some photons that pass the cut."""
    asked = bounds(source.info, cut)
    time = block.time.astype(np.int64)
    keep = (time >= asked.first) & (time < asked.last)
    if asked.by_value and block.value is not None:
        keep &= (block.value >= asked.low) & (block.value < asked.high)
    which, time = block.resonator[keep], time[keep]
    same = which[1:] == which[:-1]
    return which[1:][same], np.diff(time)[same] * TICK
