"""Photon lists: one row per photon of an array of single-photon detectors, and what its file says about the array.

Everything here is in image order: arrays of the array are (ny, nx), with x along the first axis of the beammap of the
file. A photon names its *resonator* by its place in the sorted list of resonator ids (`Beammap.ids`), so that two
pixels of an old beammap may share one resonator and a pixel may have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol, Self, runtime_checkable

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.model.checks import Array, Header, readonly

HC = 1239.8419843320025  # eV nm; CODATA 2018
TICK = 1e-6  # s; unit of photon times in every era
NO_RESONATOR = 0xFFFFFFFF  # resonator id that stands for none
PROBLEM_FLAGS = (  # left out of images unless asked for; the published set
    "pixcal.hot",
    "pixcal.cold",
    "pixcal.dead",
    "beammap.noDacTone",
    "wavecal.bad",
    "wavecal.failed_validation",
    "wavecal.failed_convergence",
    "wavecal.not_monotonic",
    "wavecal.not_enough_histogram_fits",
    "wavecal.no_histograms",
    "wavecal.not_attempted",
)


class PhotonColumn(StrEnum):
    """What the third column of a photon list holds."""

    WAVELENGTH = "wavelength"  # nm for resonators with a solution, still phase for the others
    PHASE = "phase"  # degree, negative


@dataclass(frozen=True, slots=True, eq=False)
class Beammap:
    """Which resonator every pixel shows, and what is wrong with the pixels.

    Parameters
    ----------
    ids : ndarray, int64, shape (nresonator,)
        Resonator ids, ascending, each once.
    index : ndarray, int32, shape (ny, nx)
        Place of the pixel's resonator in `ids`; -1 where there is none.
    flags : ndarray, uint64, shape (ny, nx)
        Bit `i` is `flag_names[i]`.
    flag_names : tuple of str
        Of this file; bit 0 first.
    flag_notes : mapping
        Flag name to a second meaning that its bit may have (files of 2018).
    """

    ids: Array
    index: Array
    flags: Array
    flag_names: tuple[str, ...] = ()
    flag_notes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", readonly(self.ids, "resonator ids", ndim=1, dtype=np.int64))
        object.__setattr__(self, "index", readonly(self.index, "beammap", ndim=2, dtype=np.int32))
        object.__setattr__(self, "flags", readonly(self.flags, "pixel flags", ndim=2, dtype=np.uint64))

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        return self.index.shape[0], self.index.shape[1]

    @property
    def nresonator(self) -> int:
        """Number of resonators."""
        return len(self.ids)

    def image(self, per_resonator: Array, empty: float = 0) -> Array:
        """Values per resonator as an image (..., ny, nx); `empty` where a pixel has no resonator.

        `per_resonator` is (..., n) with n >= nresonator; what is beyond belongs to no pixel.
        """
        out = np.take(per_resonator, np.maximum(self.index, 0), axis=-1)
        out[..., self.index < 0] = empty
        return out

    def flagged(self, names: Sequence[str]) -> Array:
        """Boolean (ny, nx): pixels that carry one of the flags; names that the file does not know count for nothing."""
        bits = sum(1 << i for i, name in enumerate(self.flag_names) if name in names)
        return (self.flags & np.uint64(bits)) != 0


@dataclass(frozen=True, slots=True, eq=False)
class PhotonInfo:
    """What is known of a photon list before a photon is read.

    Parameters
    ----------
    path : str
    era : str
        Layout: "modern", "consolidated", "per resonator", "packed", "packets".
    beammap : Beammap
    nphoton : int
        Rows; -1 if only reading tells.
    start : float
        Unix time of time 0, s.
    duration : float
        Nominal exposure, s; photons may lie beyond (converters ask for one second more).
    column : PhotonColumn
        What the third column holds.
    weighted : bool
        Whether the weights differ from 1, as far as the header tells.
    calibrations : mapping
        Calibration already applied in the file ("wavecal", "flatcal", ...) to its name.
    wave_range : (float, float)
        Valid wavelengths, nm.
    energy_width : float
        Width of the default spectral bins, eV.
    dead_time : float
        s
    instrument, target : str
    header : mapping
        Everything else that the file says, decoded; "opaque: ..." for what was not.
    notes : tuple of str
        What the reader wants the user to know, one sentence each.
    sorted : bool
        Rows come by (resonator, time).
    phase_range : (float, float)
        What the third column may hold if it is no wavelength.
    phase_unit : str
        Its unit, as FITS writes it: "deg"; "adu" for heights of pulses above their baseline.
    """

    path: str
    era: str
    beammap: Beammap
    nphoton: int
    start: float
    duration: float
    column: PhotonColumn = PhotonColumn.PHASE
    weighted: bool = False
    calibrations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    wave_range: tuple[float, float] = (700.0, 1500.0)
    energy_width: float = 0.1
    dead_time: float = 1e-5
    instrument: str = ""
    target: str = ""
    header: Header = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    sorted: bool = True
    phase_range: tuple[float, float] = (-180.0, 20.0)
    phase_unit: str = "deg"

    @property
    def calibrated(self) -> bool:
        """Whether the third column is a wavelength."""
        return self.column is PhotonColumn.WAVELENGTH


class PhotonBlock(NamedTuple):
    """Some photons, one array a column; arrays may be reused by the next block.

    resonator : int32, place in `Beammap.ids`; nresonator for a photon of none of them
    time : uint32, microseconds since `PhotonInfo.start`
    value : float32, nm or degree (`PhotonInfo.column`); None if not asked for
    weight : float32; None if not asked for, or all 1
    """

    resonator: Array
    time: Array
    value: Array | None = None
    weight: Array | None = None

    @classmethod
    def join(cls, blocks: Sequence[PhotonBlock], *, weight: bool = False) -> PhotonBlock:
        """Blocks one after another, with the columns that all of them have; of no blocks, no photons (nor weights)."""
        if not blocks:
            none = np.empty(0, np.float32)
            return cls(np.empty(0, np.int32), np.empty(0, np.uint32), none, none.copy() if weight else None)
        values = [block.value for block in blocks if block.value is not None]
        weights = [block.weight for block in blocks if block.weight is not None]
        return cls(
            np.concatenate([block.resonator for block in blocks]),
            np.concatenate([block.time for block in blocks]),
            np.concatenate(values) if len(values) == len(blocks) else None,
            np.concatenate(weights) if len(weights) == len(blocks) else None,
        )

    def rows(self, chosen: slice | Array) -> PhotonBlock:
        """Some photons: views for a slice, else copies."""
        value = None if self.value is None else self.value[chosen]
        weight = None if self.weight is None else self.weight[chosen]
        return PhotonBlock(self.resonator[chosen], self.time[chosen], value, weight)

    def ordered(self) -> PhotonBlock:
        """The photons by (resonator, time); itself if they are."""
        key = self.resonator.astype(np.int64) << 32 | self.time
        return self if (key[1:] >= key[:-1]).all() else self.rows(np.argsort(key, kind="stable"))

    def columns(self, *, value: bool, weight: bool) -> PhotonBlock:
        """The block with the columns that are asked for."""
        return self._replace(value=self.value if value else None, weight=self.weight if weight else None)


@runtime_checkable
class PhotonSource(Protocol):
    """Where photons come from: a file as it was written, its index, or arrays in memory."""

    @property
    def info(self) -> PhotonInfo:
        """What is known of the list."""

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = ...) -> Iterator[PhotonBlock]:
        """All photons in the order of the file, in blocks of bounded size; `ctx` (a JobContext) is asked at each."""

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """All photons of a few resonators, by (resonator, time)."""


@runtime_checkable
class MaskedPhotons(PhotonSource, Protocol):
    """A source some of whose times are masked."""

    def live_bins(self, edges: Array) -> Array:
        """Seconds of each time bin (edges in s) that are not masked."""


@runtime_checkable
class SortedColumns(PhotonSource, Protocol):
    """Columns sorted by (resonator, time), such as those of an index."""

    @property
    def first(self) -> Array:
        """Rows of resonator i are first[i] to first[i + 1]; int64 (nresonator + 2,)."""

    @property
    def latest(self) -> int:
        """Time of the last photon, microseconds; -1 for none."""

    def read(self, column: str, start: int, out: Array) -> None:
        """Fill `out` with rows of the column "time" or "value" from `start` on."""

    def pick(self, column: str, rows: Array) -> Array:
        """Single rows of a column."""


@runtime_checkable
class IndexedPhotons(SortedColumns, Protocol):
    """Sorted columns beside which derived values can be stored."""

    def with_values(
        self,
        key: str,
        fill: Callable[[PhotonBlock], Array | PhotonBlock],
        *,
        info: PhotonInfo | None = None,
        ctx: JobContext = ...,
    ) -> Self:
        """The same photons with values (and weights) that `fill` makes of each block, under the name `key`."""


@dataclass(frozen=True, slots=True)
class PhotonCut:
    """Which photons count.

    Parameters
    ----------
    start, stop : float
        s since the start of the file; half open. None: no bound.
    low, high : float
        Of the third column, nm or degree; half open. None: no bound. Photons of resonators without a solution,
        whose value is still a phase, do not pass a wavelength bound.
    exclude : tuple of str
        Pixels with one of these flags are left out.
    weighted : bool
        Sum the weights instead of counting.
    """

    start: float | None = None
    stop: float | None = None
    low: float | None = None
    high: float | None = None
    exclude: tuple[str, ...] = PROBLEM_FLAGS
    weighted: bool = False

    def ticks(self) -> tuple[int, int]:
        """Time bounds in microseconds, [first, last)."""
        first = 0 if self.start is None else round(self.start / TICK)
        last = 1 << 32 if self.stop is None else round(self.stop / TICK)
        return max(first, 0), min(max(last, 0), 1 << 32)

    def bounds(self) -> tuple[float, float]:
        """Bounds of the third column, [low, high)."""
        return (-np.inf if self.low is None else self.low), (np.inf if self.high is None else self.high)


@dataclass(frozen=True, slots=True, eq=False)
class PhotonList:
    """Photons in memory; a source of photons like a file or its index.

    Parameters
    ----------
    info : PhotonInfo
    resonator, time, value, weight
        Columns as in `PhotonBlock`; by (resonator, time).
    """

    info: PhotonInfo
    resonator: Array
    time: Array
    value: Array
    weight: Array | None = None

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons as one block."""
        ctx.checkpoint()
        yield PhotonBlock(self.resonator, self.time, self.value, self.weight).columns(value=value, weight=weight)

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """All photons of a few resonators, by (resonator, time)."""
        wanted = np.sort(np.asarray(resonators, dtype=self.resonator.dtype))
        first = np.searchsorted(self.resonator, wanted)
        last = np.searchsorted(self.resonator, wanted, side="right")
        rows = np.concatenate([np.arange(a, b) for a, b in zip(first, last)]) if len(wanted) else np.arange(0)
        block = PhotonBlock(self.resonator, self.time, self.value, self.weight if weight else None)
        return block.rows(rows)
