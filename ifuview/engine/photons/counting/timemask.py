"""Times that are left out: intervals joined, subtracted from exposures, and a source of photons without them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numba import njit

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cut import live_bins
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.lists import TICK, PhotonBlock, PhotonInfo, PhotonSource
from ifuview.model.photons.masks import TimeMask


def time_mask(intervals: Iterable[tuple[float, float]], reason: str = "manual") -> TimeMask:
    """Return a mask of intervals given in seconds.

    Raises
    ------
    UsageError
        An interval ends before it starts.
    """
    pairs = np.array([(a, b) for a, b in intervals], dtype=np.float64).reshape(-1, 2)
    if np.any(pairs[:, 1] <= pairs[:, 0]) or np.any(pairs[:, 0] < 0):
        raise UsageError("a masked time ends before it starts, or starts before the file", todo="correct the list")
    ticks = np.rint(pairs / TICK).astype(np.int64)
    return joined(ticks[:, 0], ticks[:, 1], (reason,) * len(ticks))


def joined(start: Array, stop: Array, reasons: Sequence[str], gap: int = 0) -> TimeMask:
    """Return a mask of intervals in microseconds, those joined that overlap or lie within `gap` of each other.

    The reasons of joined intervals are joined with a plus sign.
    """
    order = np.argsort(start, kind="stable")
    starts: list[int] = []
    stops: list[int] = []
    names: list[str] = []
    for i in order.tolist():
        if starts and int(start[i]) <= stops[-1] + gap:
            stops[-1] = max(stops[-1], int(stop[i]))
            if reasons[i] not in names[-1].split("+"):
                names[-1] += f"+{reasons[i]}"
        else:
            starts.append(int(start[i]))
            stops.append(int(stop[i]))
            names.append(reasons[i])
    return TimeMask(np.array(starts, np.int64), np.array(stops, np.int64), tuple(names))


def together(masks: Sequence[TimeMask]) -> TimeMask:
    """Return one mask of all the times of several."""
    start = np.concatenate([np.empty(0, np.int64), *(m.start for m in masks)])
    stop = np.concatenate([np.empty(0, np.int64), *(m.stop for m in masks)])
    return joined(start, stop, [r for m in masks for r in m.reasons])


def masked_before(mask: TimeMask, ticks: Array) -> Array:
    """Return the masked microseconds before each time."""
    ticks = np.asarray(ticks, dtype=np.float64)
    total = np.concatenate(([0], np.cumsum(mask.stop - mask.start)))
    place = np.searchsorted(mask.start, ticks, side="right")
    inside = np.maximum(np.concatenate(([0], mask.stop))[place] - ticks, 0.0)
    return np.asarray(total[place] - np.where(place > 0, inside, 0.0))


class Masked:
    """The photons of a source outside masked times; a source itself, whose exposures are shorter."""

    def __init__(self, source: PhotonSource, mask: TimeMask) -> None:
        self.source, self.mask = source, mask

    @property
    def info(self) -> PhotonInfo:
        """What is known of the list."""
        return self.source.info

    def live_bins(self, edges: Array) -> Array:
        """Seconds of each time bin (edges in s) that are not masked."""
        return live_bins(self.source, edges) - masked_in(self.mask, edges)

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """The photons that are left, in the order of the source."""
        for block in self.source.blocks(value=value, weight=weight, ctx=ctx):
            yield kept(block, self.mask)

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """The photons of a few resonators that are left, by (resonator, time)."""
        return kept(self.source.photons_of(resonators, weight=weight), self.mask)


def masked_in(mask: TimeMask, edges: Array) -> Array:
    """Return the masked seconds of each time bin (edges in s)."""
    return np.asarray(np.diff(masked_before(mask, np.rint(np.asarray(edges) / TICK))) * TICK)


def kept(block: PhotonBlock, mask: TimeMask) -> PhotonBlock:
    """Return a block without its masked photons."""
    if not len(mask.start):
        return block
    return block.rows(kept_times(block.time, mask))


def kept_times(time: Array, mask: TimeMask) -> Array:
    """Return which of some times (microseconds) lie outside a mask."""
    keep = np.empty(len(time), np.bool_)
    _keep(np.ascontiguousarray(time), mask.start, mask.stop, keep)
    return keep


@njit(cache=True, nogil=True)
def _keep(time: Array, start: Array, stop: Array, keep: Array) -> None:
    """Mark the photons outside all intervals; times that mostly rise cost nothing to look up."""
    place = np.intp(0)
    for i in range(len(time)):
        t = np.int64(time[i])
        if place > 0 and start[place - 1] > t:
            place = np.searchsorted(start, t, side="right")
        while place < len(start) and start[place] <= t:
            place += 1
        keep[i] = place == 0 or t >= stop[place - 1]
