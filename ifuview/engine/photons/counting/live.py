"""Counts per resonator for any range of time and values, fast enough to follow a slider: exact, many times a second.

The columns of an index are sorted by (resonator, time), so that a time range is two rows a resonator, found from the
rows of the last image. What remains is to count low <= value < high over contiguous rows. For that the values are
held as 16-bit codes (steps of equal width over the range that nearly all values are in): a code strictly between the
codes of the two bounds decides by itself; for the two codes at the bounds the smallest and largest value that
they stand for are known, and if even those do not decide, the few values in question are read from the index. The
counts are therefore those of the values themselves. When only the time range moves, only rows that enter or leave are
counted.

Time and code take 6 bytes a photon: 286 MiB for 50 million. Lists too large for that are held as a coarse cube of
sums, which gives a preview at once, and the exact counts by one pass over the index.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.coarse import CoarseImage
from ifuview.engine.photons.counting.cut import Bounds, bounds
from ifuview.engine.photons.counting.image import count_image
from ifuview.engine.photons.counting.sorted_columns import CODES, READ_ROWS, as_image, code_range, gather
from ifuview.model.checks import Array
from ifuview.model.photons.images import PhotonImage
from ifuview.model.photons.lists import PhotonCut, SortedColumns

MEMORY = 300 << 20  # bytes of columns that are held (52 million photons); with the window 600 MiB in all
ROW_BYTES = 6
MANY = 64  # single rows are read one by one up to this share of all
UNDECIDED = -1  # no code is at an edge
END = 1 << 32  # microseconds; beyond every time


class _Codes(NamedTuple):
    """Codes base .. base + width - 1 pass; the codes `edges` have to be looked up."""

    base: int
    width: int
    edges: Array  # int64 (2,); UNDECIDED for none


class LiveImage:
    """Exact counts of a list that fits into memory.

    Parameters
    ----------
    columns : SortedColumns
        Read once, and for single values at the bounds.
    ctx : JobContext, optional
    threads : int, optional
        That share one image.
    """

    exact = True  # `preview` is exact

    def __init__(self, columns: SortedColumns, ctx: JobContext = SILENT, threads: int = 1) -> None:
        self.columns, self.info, self._first = columns, columns.info, columns.first
        self._time = np.empty(int(self._first[-1]), np.uint32)
        self._code = np.empty(len(self._time), np.uint16)
        self._smallest, self._largest = np.full(CODES, np.inf, np.float32), np.full(CODES, -np.inf, np.float32)
        self._zero, self._scale = code_range(columns)
        self._encode(ctx)
        self.latest = columns.latest
        self._begin, self._end = self._first[:-1].copy(), self._first[1:].copy()
        self._ticks = (0, END)
        self._codes: tuple[float, float] | None = None  # bounds of the values in `_counts`
        self._counts = np.zeros(len(self._begin), np.int64)
        self._counted = self._begin.copy(), self._end.copy()  # rows that `_counts` is of
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._parts = self._split(threads)

    def counts(self, asked: Bounds, ctx: JobContext = SILENT) -> Array:
        """Return the photons per resonator, int64 (nresonator + 1,); the last is of photons of no resonator."""
        ctx.checkpoint()
        self._seek(asked.first, asked.last)
        if not asked.by_value:
            return self._end - self._begin
        span = (asked.low, asked.high)
        if span == self._codes and self._moved() < int((self._end - self._begin).sum()):
            self._shift(self._decide(*span), span)
        else:
            self._counts = self._count(self._begin, self._end, self._decide(*span), span)
        self._codes, self._counted = span, (self._begin.copy(), self._end.copy())
        return self._counts.copy()

    preview = counts

    def image(self, cut: PhotonCut) -> PhotonImage:
        """Return the photons per pixel, as `counting.image.count_image` does; that is asked for weighted sums."""
        if cut.weighted:
            return count_image(self.columns, cut)
        return as_image(self.columns, self.counts(bounds(self.info, cut)), cut)

    def counts_in_steps(self, start: int, step: int, nstep: int, asked: Bounds) -> Array:
        """Return the photons per step and resonator, uint32 (nstep, nresonator + 1), for playing through time.

        Parameters
        ----------
        start, step : int
            Microseconds. Steps are half open; the time bounds of `asked` do not matter.
        nstep : int
        asked : Bounds
        """
        from ifuview.engine.photons.counting import live_kernels as k

        self._seek(start, start + step * nstep)
        low, high = (asked.low, asked.high) if asked.by_value else (-np.inf, np.inf)
        codes = self._decide(low, high) if asked.by_value else _Codes(0, CODES + 1, np.full(2, UNDECIDED))
        size = 1 << 16
        while True:
            out = np.zeros((nstep, len(self._begin)), np.uint32)
            rows, cells = np.empty(size, np.int64), np.empty(size, np.int64)
            found = k.count_steps(self._code, self._time, self._begin, self._end, *codes, start, step, out, rows, cells)
            if found <= size:
                break
            size = found
        passed = cells[:found][self._pass(rows[:found], low, high)]
        np.add.at(out.reshape(-1), passed, 1)
        return out

    def _encode(self, ctx: JobContext) -> None:
        """Read the columns once."""
        from ifuview.engine.photons.counting import live_kernels as k

        value = np.empty(min(READ_ROWS, max(len(self._time), 1)), np.float32)
        for start in range(0, len(self._time), READ_ROWS):
            ctx.checkpoint(start / len(self._time), "photons to memory")
            stop = min(start + READ_ROWS, len(self._time))
            self.columns.read("time", start, self._time[start:stop])
            self.columns.read("value", start, value[: stop - start])
            out = self._code[start:stop]
            k.encode(value[: stop - start], self._zero, self._scale, out, self._smallest, self._largest)

    def _split(self, threads: int) -> list[tuple[int, int]]:
        """Resonators of each thread, with about as many rows each."""
        cuts = np.searchsorted(self._first[:-1], np.arange(1, threads) * (len(self._time) / threads)).tolist()
        ends = [0, *cuts, len(self._begin)]
        return [(a, b) for a, b in pairwise(ends) if b > a]

    def _each(self, kernel: Callable[..., None], *args: object) -> None:
        """Run a kernel over all resonators, in parts."""
        if self._pool is None:
            kernel(*args, 0, len(self._begin))
        else:
            list(self._pool.map(lambda part: kernel(*args, *part), self._parts))

    def _seek(self, first: int, last: int) -> None:
        """Set the rows of a time range."""
        from ifuview.engine.photons.counting import live_kernels as k

        last = max(first, last)
        for tick, known, place, whole in (
            (first, self._ticks[0], self._begin, self._first[:-1] if first <= 0 else None),
            (last, self._ticks[1], self._end, self._first[1:] if last > self.latest else None),
        ):
            if whole is not None:
                place[:] = whole
            elif tick != known:
                self._each(k.seek, self._first, self._time, tick, place)
        self._ticks = first, last

    def _decide(self, low: float, high: float) -> _Codes:
        """Which codes pass, and which have to be looked up."""
        (below, left), (above, right) = self._threshold(low), self._threshold(high)
        start = max(below, left + 1)  # an edge code itself is not inside
        stop = above if right == UNDECIDED else right
        return _Codes(start, max(stop - start, 0), np.array([left, right]))

    def _threshold(self, bound: float) -> tuple[int, int]:
        """(first code that is not below a bound, UNDECIDED), or the code that the bound cuts, twice."""
        if bound == np.inf:
            return CODES, UNDECIDED
        if bound == -np.inf:
            return 0, UNDECIDED
        code = int(min(max(np.floor((bound - self._zero) * self._scale), 0.0), CODES - 1.0))
        if self._smallest[code] >= bound:
            return code, UNDECIDED
        return (code + 1, UNDECIDED) if self._largest[code] < bound else (code, code)

    def _count(self, begin: Array, end: Array, codes: _Codes, span: tuple[float, float]) -> Array:
        """Photons per resonator in rows begin[i] to end[i]."""
        from ifuview.engine.photons.counting import live_kernels as k

        counts = np.zeros(len(begin), np.int64)
        if not span[0] < span[1]:
            return counts
        if (codes.edges == UNDECIDED).all():
            self._each(k.count_codes, self._code, begin, end, codes.base, codes.width, 1, counts)
            return counts
        near = np.zeros(len(begin), np.int64)
        edges = np.where(codes.edges == UNDECIDED, codes.edges.max(), codes.edges)
        left, right = (codes.edges != UNDECIDED).astype(int).tolist()
        wide = (
            (codes.base - left, codes.width + left + right) if edges[0] != edges[1] or left != right else (edges[0], 1)
        )
        self._each(k.count_and_mark, self._code, begin, end, codes.base, codes.width, *wide, counts, near)
        total = int(near.sum())
        if total:
            rows, owner = np.empty(total, np.int64), np.empty(total, np.int64)
            k.find_codes(codes=self._code, begin=begin, end=end, edges=edges, near=near, rows=rows, owner=owner)
            counts += np.bincount(owner[self._pass(rows, *span)], minlength=len(counts))
        return counts

    def _pass(self, rows: Array, low: float, high: float) -> Array:
        """Whether the values of single rows (ascending) are in [low, high)."""
        many = len(rows) > len(self._time) // MANY
        values = gather(self.columns, rows) if many else self.columns.pick("value", rows)
        exact = values.astype(np.float64)
        return np.asarray((exact >= low) & (exact < high))

    def _moved(self) -> int:
        """Rows that entered or left since the last image."""
        return int(np.abs(self._begin - self._counted[0]).sum() + np.abs(self._end - self._counted[1]).sum())

    def _shift(self, codes: _Codes, span: tuple[float, float]) -> None:
        """Count what entered and left a time range."""
        old_begin, old_end = self._counted
        for new, old, sign in ((self._end, old_end, 1), (self._begin, old_begin, -1)):
            for a, b, direction in ((old, new, sign), (new, old, -sign)):
                stop = np.maximum(a, b)
                if (stop > a).any():
                    self._counts += direction * self._count(a, stop, codes, span)


def live_image(columns: SortedColumns, ctx: JobContext = SILENT, memory: int = MEMORY) -> LiveImage | CoarseImage:
    """Return the live image of sorted columns: exact if they fit into `memory` (bytes), else with a preview."""
    fits = int(columns.first[-1]) * ROW_BYTES <= memory
    return LiveImage(columns, ctx) if fits else CoarseImage(columns, ctx)
