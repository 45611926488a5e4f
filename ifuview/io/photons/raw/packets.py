"""Raw packets as a photon list: one file, or all seconds of a folder, opened as they were written.

A photon has the time of its packet; packets may lie in the file of the second before or after. The phase is peak height
plus baseline less the median baseline of all photons that are read, as the published converter has it, or the height
alone. Nothing is left out but the fillers that close packets and what the notes count.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil, floor

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError, UsageError
from ifuview.io.photons.flags import BEAMMAP_FLAGS, MODERN_FLAGS
from ifuview.io.photons.raw.beammap_text import SIZES
from ifuview.io.photons.raw.packet_files import Lost, Photons, find, is_packets, read
from ifuview.model.checks import Array
from ifuview.model.photons.lists import TICK, Beammap, PhotonBlock, PhotonColumn, PhotonInfo
from ifuview.model.photons.wording import are, counted, was

__all__ = ["PacketSource", "is_packets", "open_packets"]

SIDE = 1024  # pixels along x and y that a photon word can name
HEIGHT_LSB = 57.2957795131 / 32768  # degree
BASELINE_LSB = 57.2957795131 / 16384  # degree
LEVELS = 1 << 17  # values of a baseline
LONGEST = (1 << 32) * TICK  # s; times are 32 bits of microseconds
GROUP = 3_000_000  # photons sorted at a time; some 450 MiB in all
MOST_OUTSIDE = 1e-3  # of the photons may lie outside an array whose size is told from them
FILLED = 0.3  # of the pixels of an array have photons; then it is told from them
MOST_NAMED = 5  # gaps between files that are named
PER_SECOND = round(1 / TICK)
CHANGED = "has changed while it was read"


def open_packets(
    path: str | os.PathLike[str],
    beammap: Beammap | None = None,
    ctx: JobContext = SILENT,
    *,
    start: float | None = None,
    duration: float | None = None,
    raw_peak: bool = False,
) -> PacketSource:
    """Open a packet file, or the packet files of a folder.

    Parameters
    ----------
    path : str or path
    beammap : Beammap, optional
        Default: pixels are named by their place, id = x * ny + y.
    ctx : JobContext, optional
        All words are read once, to count.
    start : float, optional
        Unix time, s, of the first photon wanted and of time 0. Default: the second of the first file, or that of the
        first photon if it is earlier.
    duration : float, optional
        Photons of start <= t < start + duration are wanted. Default: to the last one.
    raw_peak : bool, optional
        Values are the heights of the peaks alone.

    Raises
    ------
    FileFormatError, MissingDataError, UsageError
        One sentence about what is wrong with the files or the wish.
    """
    text = os.fspath(path)
    files = find(text)
    notes: list[str] = []
    if duration is not None and not 0 < duration <= LONGEST:
        raise UsageError(f"a duration of {duration:g} s cannot be read", text, f"give 0 to {LONGEST:.0f} s")
    if start is not None or duration is not None:
        begin = min(files) if start is None else start
        end = max(files) + 1 if duration is None else begin + duration
        files = _wanted(files, begin, end, text, notes)
    notes += _gaps(files)
    return PacketSource(
        path=text, files=files, beammap=beammap, start=start, duration=duration, raw_peak=raw_peak, notes=notes, ctx=ctx
    )


class PacketSource:
    """Photons of packet files, in the order in which they arrived; `sorted_blocks` has them by resonator and time."""

    def __init__(
        self, path: str, files: dict[int, str], beammap: Beammap | None, start: float | None, duration: float | None,
        raw_peak: bool, notes: Sequence[str], ctx: JobContext,
    ) -> None:  # fmt: skip
        self._files, self._raw_peak = files, raw_peak
        self._inside = _cells_inside(beammap.shape if beammap else (SIDE, SIDE))
        self._first = round(start / TICK) if start is not None else -(1 << 62)
        self._stop = 1 << 62
        if duration is not None:
            self._first = round((min(files) if start is None else start) / TICK)
            self._stop = self._first + round(duration / TICK)
        self._lost = Lost()
        counts, span = self._scan(ctx)
        if not counts.any():
            raise MissingDataError("there is no photon", path, "choose another time")
        if start is None and duration is None:
            self._first = min(min(files) * PER_SECOND, floor(span[0] * TICK) * PER_SECOND)
        length = (
            duration if duration is not None else max(max(files) + 1, ceil((span[1] + 1) * TICK)) - self._first * TICK
        )
        if span[1] - self._first >= LONGEST / TICK:
            raise FileFormatError(f"its photons span {length:.0f} s", path, f"choose at most {LONGEST:.0f} s")
        own = _by_place(counts) if beammap is None else _with_all_names(beammap)
        self._table = np.full(SIDE * SIDE, own.nresonator, np.int32)
        y, x = np.indices(own.shape)
        self._table[x * SIDE + y] = np.where(own.index < 0, own.nresonator, own.index)
        self._inside &= _cells_inside(own.shape)
        self._lost.outside += int(counts[~self._inside].sum())
        self.per_resonator = np.bincount(
            self._table[self._inside], counts[self._inside], minlength=own.nresonator + 1
        ).astype(np.int64)
        self.info = PhotonInfo(
            path=path, era="packets", beammap=own, nphoton=int(self.per_resonator.sum()), start=self._first * TICK,
            duration=float(length), column=PhotonColumn.PHASE, header={"data_path": path}, sorted=False,
            notes=(*notes, *self._notes(beammap is None), *_other_array(counts, own.shape)),
        )  # fmt: skip

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons as they arrived."""
        for photons in self._photons(ctx):
            yield PhotonBlock(
                self._table[photons.cell],
                (photons.time - self._first).astype(np.uint32),
                self._phase(photons) if value else None,
            )

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """All photons of a few resonators, by (resonator, time); all files are read for them."""
        wanted = np.zeros(self.info.beammap.nresonator + 1, bool)
        wanted[np.asarray(resonators, dtype=np.int64)] = True
        return self._sorted(wanted, SILENT)

    def sorted_blocks(self, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons by (resonator, time), as they arrived within one; reads the files once per GROUP photons."""
        total = np.cumsum(self.per_resonator)
        group = (total - self.per_resonator) // GROUP
        for k, number in enumerate(np.unique(group)):
            yield self._sorted(group == number, ctx.part(k / (group[-1] + 1), (k + 1) / (group[-1] + 1)))

    def _sorted(self, wanted: Array, ctx: JobContext) -> PhotonBlock:
        """Photons of the resonators that are True, sorted."""
        count = int(self.per_resonator[wanted].sum())
        resonator, time = np.empty(count, np.int32), np.empty(count, np.uint32)
        value = np.empty(count, np.float32)
        filled = 0
        for block in self.blocks(ctx=ctx):
            own = np.flatnonzero(wanted[block.resonator])
            rows = slice(filled, filled + len(own))
            assert block.value is not None
            if rows.stop > count:
                raise FileFormatError(CHANGED, self.info.path)
            resonator[rows], time[rows], value[rows] = block.resonator[own], block.time[own], block.value[own]
            filled = rows.stop
        if filled < count:
            raise FileFormatError(CHANGED, self.info.path)
        return PhotonBlock(resonator, time, value).ordered()

    def _photons(self, ctx: JobContext) -> Iterator[Photons]:
        """Photons of the array and the time, file by file."""
        lost = Lost()  # counted already
        for k, (second, path) in enumerate(self._files.items()):
            part = ctx.part(k / len(self._files), (k + 1) / len(self._files))
            for photons in read(path, second, self._inside, lost, part):
                time = photons.time
                if len(time) and (time.min() < self._first or time.max() >= self._stop):
                    kept = (time >= self._first) & (time < self._stop)
                    photons = Photons(*(column[kept] for column in photons))
                yield photons

    def _scan(self, ctx: JobContext) -> tuple[Array, Array]:
        """Photons per cell and the first and last time; sets the median baseline."""
        from ifuview.io.photons.raw.packet_kernels import tally

        counts, levels = np.zeros(SIDE * SIDE, np.int64), np.zeros(LEVELS, np.int64)
        span = np.array([1 << 62, -(1 << 62)])
        for k, (second, path) in enumerate(self._files.items()):
            part = ctx.part(k / len(self._files), (k + 1) / len(self._files))
            for photons in read(path, second, self._inside, self._lost, part):
                tally(
                    cells=photons.cell, times=photons.time, baselines=photons.baseline, first=self._first,
                    stop=self._stop, counts=counts, levels=levels, span=span,
                )  # fmt: skip
        self._median = _median(levels)
        return counts, span

    def _phase(self, photons: Photons) -> Array:
        """Degrees."""
        phase = photons.height * HEIGHT_LSB
        if not self._raw_peak:
            phase += (photons.baseline - self._median) * BASELINE_LSB
        return phase.astype(np.float32)

    def _notes(self, mapless: bool) -> Iterator[str]:
        """What the user should know."""
        if mapless:
            yield "No beam map was given: pixels are named by their place, x times the height plus y."
        if self._lost.timeless:
            yield f"{are(self._lost.timeless, 'photon')} left out: no usable time."
        if self._lost.outside:
            number = self._lost.outside
            yield f"{counted(number, 'photon')} of pixels that the array does not have {was(number)} left out."


def _other_array(counts: Array, shape: tuple[int, int]) -> Iterator[str]:
    """A sentence if the photons fill an array that is known, smaller than the beam map (ny, nx), and nothing else."""
    seen = counts.reshape(SIDE, SIDE) > 0
    for nx, ny in SIZES:
        smaller = nx <= shape[1] and ny <= shape[0] and (ny, nx) != shape
        if smaller and not seen[nx:].any() and not seen[:, ny:].any() and seen.sum() > FILLED * nx * ny:
            yield (f"The beam map has {shape[1]} x {shape[0]} pixels, but no photon lies outside {nx} x {ny}: "
                   "it may be the map of another array.")  # fmt: skip
            return


def _wanted(files: dict[int, str], begin: float, end: float, path: str, notes: list[str]) -> dict[int, str]:
    """Files whose packets may be of the time wanted: its seconds and one at either side."""
    first, last = floor(begin), ceil(end) - 1
    inside = [second for second in files if first <= second <= last]
    if not inside:
        text = f"there is no packet file of the seconds {first} to {last}"
        raise MissingDataError(text, path, f"the files are of {min(files)} to {max(files)}")
    missing = [second for second in (first - 1, last + 1) if second not in files]
    if missing:
        text = " and ".join(f"{second}.bin" for second in missing)
        notes.append(f"No {text}: photons that arrived late or early at the edge may be missing.")
    for side, absent in (("begin", inside[0] - first), ("end", last - inside[-1])):
        if absent:
            notes.append(f"The first packet file is {absent} s after the start." if side == "begin" else
                         f"The last packet file is {absent} s before the end.")  # fmt: skip
    return {second: file for second, file in files.items() if first - 1 <= second <= last + 1}


def _gaps(files: dict[int, str]) -> list[str]:
    """A sentence if seconds are missing in between."""
    seconds = np.array(list(files))
    holes = np.flatnonzero(np.diff(seconds) > 1)
    if not len(holes):
        return []
    absent = int(seconds[-1] - seconds[0] + 1 - len(seconds))
    spans = [(int(seconds[i]) + 1, int(seconds[i + 1]) - 1) for i in holes[:MOST_NAMED]]
    named = [f"{a}.bin" if a == b else f"{a}.bin to {b}.bin" for a, b in spans]
    more = f" and {counted(len(holes) - MOST_NAMED, 'more gap')}" if len(holes) > MOST_NAMED else ""
    missing = are(absent, "packet file")
    return [f"{missing} missing in between ({', '.join(named)}{more}): their photons are not counted."]


def _cells_inside(shape: tuple[int, int]) -> Array:
    """Which cells belong to an array (ny, nx)."""
    inside = np.zeros((SIDE, SIDE), bool)
    inside[: shape[1], : shape[0]] = True
    return inside.ravel()


def _by_place(counts: Array) -> Beammap:
    """A beammap that names pixels by their place, for an array that has (nearly) all photons."""
    image = counts.reshape(SIDE, SIDE)
    most = (1 - MOST_OUTSIDE) * counts.sum()
    fitting = [size for size in SIZES if image[: size[0], : size[1]].sum() >= most]
    nx, ny = fitting[0] if fitting else (int(np.flatnonzero(image.any(axis=k)).max()) + 1 for k in (1, 0))
    index = np.arange(nx * ny).reshape(nx, ny).T
    return Beammap(np.arange(nx * ny), index, np.zeros((ny, nx), np.uint64), MODERN_FLAGS)


def _with_all_names(beammap: Beammap) -> Beammap:
    """The beammap with the names of all flags, if it has but those of a beam map."""
    return replace(beammap, flag_names=MODERN_FLAGS) if beammap.flag_names == BEAMMAP_FLAGS else beammap


def _median(levels: Array) -> float:
    """Median of baselines from their histogram."""
    total = np.cumsum(levels)
    low, high = np.searchsorted(total, [(total[-1] + 1) // 2, total[-1] // 2 + 1])
    return (float(low) + float(high)) / 2 - LEVELS // 2
