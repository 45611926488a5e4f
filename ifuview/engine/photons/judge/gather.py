"""What all questions to a photon list rest on, counted in one pass over its photons in the order of the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cut import source_range
from ifuview.engine.photons.judge.kernels import take
from ifuview.model.checks import Array
from ifuview.model.photons.lists import TICK, PhotonCut, PhotonInfo, PhotonSource, SortedColumns

BINS, FINE_BINS = 100, 2000  # of time: for each resonator, for all together
VALUE_BINS = 100  # of the third column, for each resonator
MARGIN = 0.35  # of the valid wavelengths that are looked at beyond them
FIRST = 1_500_000  # photons among which those of the same moment are looked for
FEEDLINE = 10_000  # resonator ids are this times the feedline, plus the number in it
BOARD = 1024  # resonators of the first of the two boards of a feedline
FAST, MOST_FAST = 1e-4, 2048  # s; a short bin, and how many there are at most in a fine one
NOTHING = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class PhotonSums:
    """Sums over the photons of a list; n resonators.

    Parameters
    ----------
    info : PhotonInfo
        Of the list.
    edges : ndarray, shape (BINS + 1,), s
        Of the time bins.
    binned : ndarray, int64, shape (n, BINS)
        Photons in them.
    fine : ndarray, int64, shape (nboard, FINE_BINS)
        Photons of each board in finer bins of the same time.
    fast : ndarray, uint16, shape (a multiple of FINE_BINS,)
        Resonators that saw a photon in short bins, about `FAST`.
    earliest, latest : ndarray, int64, shape (n,), microseconds
        The first and the last photon; latest is -1 where there is none.
    gap, gap_start : ndarray, float64, shape (n,), s
        The longest time without a photon, the beginning and the end counted.
    back, short : ndarray, int64, shape (n,)
        Photons before the one that the file has before them; photons within the dead time of that.
    back_binned : ndarray, int64, shape (BINS,)
        When the former happened.
    ordered : bool
        The photons came in the order of the file; else `back` is zero whatever that is.
    values : ndarray, int64, shape (n, VALUE_BINS)
        Photons in bins of the third column; the outermost hold all beyond.
    value_edges : ndarray, shape (VALUE_BINS + 1,)
    unsolved : ndarray, int64, shape (n,)
        Photons of a list of wavelengths that have none.
    weights, weights_bad : ndarray or None
        Sum of the weights; photons with a weight that is none (negative, infinite, NaN).
    first_time, first_resonator : ndarray
        The photons of the beginning, at most about `FIRST`, by time (microseconds).
    """

    info: PhotonInfo
    edges: Array
    binned: Array
    fine: Array
    fast: Array
    earliest: Array
    latest: Array
    gap: Array
    gap_start: Array
    back: Array
    short: Array
    back_binned: Array
    ordered: bool
    values: Array
    value_edges: Array
    unsolved: Array
    weights: Array | None
    weights_bad: Array | None
    first_time: Array
    first_resonator: Array

    @property
    def counts(self) -> Array:
        """Photons of each resonator until the end; int64 (n,)."""
        counts: Array = self.binned.sum(axis=1)
        return counts

    @property
    def duration(self) -> float:
        """s"""
        return float(self.edges[-1])

    @property
    def feedline(self) -> Array:
        """Of each resonator; int64 (n,)."""
        line: Array = self.info.beammap.ids // FEEDLINE
        return line

    @property
    def board(self) -> Array:
        """Row of `fine` of each resonator; int64 (n,)."""
        return boards(self.info)


def boards(info: PhotonInfo) -> Array:
    """Number of the board of each resonator, of which a feedline has two; int64 (n,)."""
    ids = info.beammap.ids
    place: Array = np.unique(ids // FEEDLINE * 2 + (ids % FEEDLINE >= BOARD), return_inverse=True)[1]
    return place


def gather(source: PhotonSource, *, weights: bool = False, ctx: JobContext = SILENT) -> PhotonSums:
    """Return the sums over all photons of a source.

    Parameters
    ----------
    source : PhotonSource
    weights : bool
        Add up the weights too.
    ctx : JobContext
        Asked at each block.
    """
    info = source.info
    stop = max(source_range(source, PhotonCut())[1], TICK)
    number = info.beammap.nresonator
    value_edges = _value_edges(info)
    last, binned = np.full(number, -1, np.int64), np.zeros((number, BINS), np.int64)
    back, short, gap, gap_start, unsolved = (np.zeros(number, np.int64) for _ in range(5))
    line = boards(info)
    fine = np.zeros((int(line.max(initial=0)) + 1, FINE_BINS), np.int64)
    values = np.zeros((number, VALUE_BINS), np.int64)
    fast = np.zeros(FINE_BINS * int(np.clip(round(stop / FAST / FINE_BINS), 1, MOST_FAST)), np.uint16)
    held, latest = np.full(number, -1, np.int64), np.full(number, -1, np.int64)
    earliest = np.full(number, np.iinfo(np.int64).max)
    back_binned = np.zeros(BINS, np.int64)
    weight = np.zeros((2, number + 1)) if weights else None
    share = stop / TICK if info.nphoton <= FIRST else stop / TICK * FIRST / info.nphoton
    kept: list[tuple[Array, Array]] = []
    for block in source.blocks(value=True, weight=weights, ctx=ctx):
        take(
            resonator=block.resonator, time=block.time, value=NOTHING if block.value is None else block.value,
            line=line, dead=round(info.dead_time / TICK), bin_ticks=stop / TICK / BINS,
            fine_ticks=stop / TICK / FINE_BINS, waves=info.calibrated, low=float(value_edges[0]),
            per_unit=float(VALUE_BINS / (value_edges[-1] - value_edges[0])), last=last,
            back=back, short=short, gap=gap, gap_start=gap_start, binned=binned, fine=fine, fast=fast,
            held=held, earliest=earliest, latest=latest, values=values, unsolved=unsolved, back_binned=back_binned,
        )  # fmt: skip
        if weight is not None:
            _weigh(block.resonator, block.weight, weight)
        early = block.time < share
        kept.append((block.time[early], block.resonator[early]))
    end = np.where(last >= 0, stop / TICK - last, 0)  # until the end of time
    gap_start, gap = np.where(end > gap, last, gap_start), np.maximum(gap, end)
    return PhotonSums(
        info=source.info, edges=np.linspace(0.0, stop, BINS + 1), binned=binned, fine=fine, fast=fast,
        earliest=earliest, latest=latest, gap=gap * TICK,
        gap_start=gap_start * TICK, back=back, short=short, back_binned=back_binned,
        ordered=not isinstance(source, SortedColumns), values=values, value_edges=value_edges, unsolved=unsolved,
        weights=None if weight is None else weight[0, :-1],
        weights_bad=None if weight is None else weight[1, :-1], **_by_time(kept, number),
    )  # fmt: skip


def _value_edges(info: PhotonInfo) -> Array:
    """Bins of the third column: a little more than what is valid."""
    if not info.calibrated:
        return np.linspace(*info.phase_range, VALUE_BINS + 1)
    low, high = info.wave_range
    margin = MARGIN * (high - low)
    return np.linspace(max(low - margin, 0.0), high + margin, VALUE_BINS + 1)


def _weigh(resonator: Array, weight: Array | None, sums: Array) -> None:
    """Add the weights of a block to sums (good ones, number of bad ones) of each resonator."""
    if weight is None:
        sums[0] += np.bincount(resonator, minlength=sums.shape[1])
        return
    good = np.isfinite(weight) & (weight >= 0)
    sums[0] += np.bincount(resonator, np.where(good, weight, 0), minlength=sums.shape[1])
    sums[1] += np.bincount(resonator[~good], minlength=sums.shape[1])


def _by_time(kept: list[tuple[Array, Array]], number: int) -> dict[str, Array]:
    """The first photons in the order of their times, those of no resonator left out."""
    time = np.concatenate([t for t, _ in kept]) if kept else np.empty(0, np.uint32)
    resonator = np.concatenate([r for _, r in kept]) if kept else np.empty(0, np.int32)
    known = (resonator >= 0) & (resonator < number)
    order = np.argsort(time[known], kind="stable")
    return {"first_time": time[known][order].astype(np.int64), "first_resonator": resonator[known][order]}
