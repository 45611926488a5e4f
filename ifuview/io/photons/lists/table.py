"""Photons of one HDF5 table, as its writer left it: in blocks, or those of a few resonators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.io.hdf5.file import Watch, dataset, h5_open, reading
from ifuview.model.checks import Array
from ifuview.model.photons.lists import Beammap, PhotonBlock, PhotonInfo
from ifuview.model.photons.wording import are, unknown_resonators

if TYPE_CHECKING:
    from h5py import Dataset, File

BLOCK_ROWS = 1 << 18
MAX_RUNS = 1 << 21  # runs of one resonator that are remembered; more are in a file that is not sorted by resonator
MAX_TABLE = 1 << 24  # largest resonator id that is looked up in a table
SAMPLE = 64  # rows looked at to see whether a table is sorted


class TableColumns(NamedTuple):
    """Names of the columns; the weight is the product of those in `weights`."""

    resonator: str
    time: str
    value: str
    weights: tuple[str, ...]


class Lookup:
    """Resonator ids to places in `Beammap.ids`; those of no pixel to nresonator.

    Parameters
    ----------
    beammap : Beammap
    """

    def __init__(self, beammap: Beammap) -> None:
        self._ids, self.unknown = beammap.ids, beammap.nresonator
        top = int(self._ids[-1]) if self.unknown else -1
        self._table: Array | None = None
        if top < MAX_TABLE:
            self._table = np.full(top + 2, self.unknown, np.int32)
            self._table[self._ids] = np.arange(self.unknown, dtype=np.int32)

    def __call__(self, ids: Array) -> Array:
        """Places (int32) of ids (unsigned)."""
        if self._table is not None:
            return self._table[np.minimum(ids, len(self._table) - 1)]
        place = np.searchsorted(self._ids, ids)
        hit = self._ids[np.minimum(place, self.unknown - 1)] == ids
        return np.where(hit, place, self.unknown).astype(np.int32)


class Runs:
    """Where in the file the rows of every resonator are, gathered while it is read.

    Parameters
    ----------
    nresonator : int
    """

    def __init__(self, nresonator: int) -> None:
        self.nresonator = nresonator
        self.nrow = self.nunknown = self.nnan = self._nrun = 0
        self.by_resonator = self.by_time = True
        self._starts: list[Array] = []
        self._places: list[Array] = []
        self._last = (-1, 0)
        self.start = self.place = np.empty(0, np.int64)

    @property
    def kept(self) -> bool:
        """Whether there are few enough runs to look rows up."""
        return self._nrun <= MAX_RUNS

    def add(self, heads: Array, places: Array, ids: Array, time: Array, changed: Array) -> None:
        """Note a block: rows where runs begin, the places there, its ids and times, and where ids change."""
        first = ids[heads]
        if int(first[0]) < self._last[0] or (first[1:] < first[:-1]).any():
            self.by_resonator = False
        if self.by_time:
            falls = time[1:] < time[:-1]
            falls &= ~changed
            seam = int(first[0]) == self._last[0] and int(time[0]) < self._last[1]
            self.by_time = not (seam or bool(falls.any()))
        self._last = int(ids[-1]), int(time[-1])
        lengths = np.diff(heads, append=len(ids))
        self.nunknown += int(lengths[places == self.nresonator].sum())
        self._nrun += len(heads)
        if self.kept:
            self._starts.append(heads + self.nrow)
            self._places.append(places)
        else:
            self._starts, self._places = [], []
        self.nrow += len(ids)

    def close(self) -> None:
        """All rows are noted."""
        if self.kept and self._starts:
            self.start, self.place = np.concatenate(self._starts), np.concatenate(self._places)
        self._starts, self._places = [], []

    def ranges(self, wanted: Array) -> list[tuple[int, int, int]]:
        """(resonator, first row, row after the last) of the wanted resonators."""
        hit = np.flatnonzero(np.isin(self.place, wanted))
        stop = np.append(self.start[1:], self.nrow)
        return [(int(self.place[i]), int(self.start[i]), int(stop[i])) for i in hit]


class TableSource:
    """A photon table in an HDF5 file; a source of photons.

    Parameters
    ----------
    path : str
    node : str
        Path of the table in the file.
    columns : TableColumns
    info : PhotonInfo
    """

    def __init__(self, path: str, node: str, columns: TableColumns, info: PhotonInfo) -> None:
        self.path, self.node, self.columns = path, node, columns
        self._info = info
        self._lookup = Lookup(info.beammap)
        self._watch = Watch(path)
        self._runs: Runs | None = None

    @property
    def info(self) -> PhotonInfo:
        """What is known of the list; after the first pass also how it is sorted, and photons of no pixel."""
        return self._info

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons in the order of the file; the arrays are reused."""
        runs = Runs(self._info.beammap.nresonator) if self._runs is None else None
        names = [self.columns.resonator, self.columns.time]
        names += [self.columns.value] if value else []
        names += self.columns.weights if weight else []
        with h5_open(self.path) as file:
            self._watch.check()
            for ids, time, *rest in _columns(self._table(file), self.path, names, ctx):
                self._watch.check()
                place = self._places(ids, time, runs)
                values = rest.pop(0) if value else None
                if runs is not None and values is not None and len(values) and np.isnan(values.min()):
                    runs.nnan += int(np.count_nonzero(np.isnan(values)))
                yield PhotonBlock(place, time, values, product(rest))
        if runs is not None:
            self._learn(runs)

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """All photons of a few resonators, by (resonator, time).

        The first call reads the whole table to find where the rows of every resonator are, if no pass did before.
        """
        wanted = np.unique(np.asarray(resonators, dtype=np.int64))
        wanted = wanted[(wanted >= 0) & (wanted < self._info.beammap.nresonator)]
        self._watch.check()
        if self._runs is None:
            for _ in self.blocks(value=False):
                pass
        if self._runs is None or not self._runs.kept:
            return self._filtered(wanted, weight)
        parts = []
        with h5_open(self.path) as file:
            table = self._table(file)
            for place, start, stop in self._runs.ranges(wanted):
                with reading(self.path, "photons"):
                    rows = table[start:stop]
                parts.append((np.full(stop - start, place, np.int32), rows))
        return self._joined(parts, weight)

    def _table(self, file: File) -> Dataset:
        """The table, which is still what it was."""
        table = dataset(file, self.node)
        if table is None or table.shape != (self._info.nphoton,):
            raise FileFormatError("the file changed while it was open", self.path, "open it again")
        return table

    def _places(self, ids: Array, time: Array, runs: Runs | None) -> Array:
        """Places of the resonators of a block, run by run where they come in runs."""
        changed = ids[1:] != ids[:-1]
        heads = np.append(0, np.flatnonzero(changed) + 1)
        places = self._lookup(ids[heads])
        if runs is not None:
            runs.add(heads, places, ids, time, changed)
        return np.repeat(places, np.diff(heads, append=len(ids)))

    def _learn(self, runs: Runs) -> None:
        """Keep what the first whole pass showed."""
        runs.close()
        if runs.nrow != self._info.nphoton:
            return
        self._runs = runs
        notes = list(self._info.notes)
        if runs.nunknown:
            notes.append(unknown_resonators(runs.nunknown))
        if runs.nnan:
            notes.append(f"{are(runs.nnan, 'photon')} without a {self._info.column} and in no range of it.")
        if not runs.by_resonator:
            notes.append("The rows are not sorted by resonator, so that the photons of a pixel are found slowly.")
        self._info = replace(self._info, sorted=runs.by_resonator and runs.by_time, notes=tuple(notes))

    def _filtered(self, wanted: Array, weight: bool) -> PhotonBlock:
        """Photons of a table that is not sorted: one pass."""
        parts = []
        for block in self.blocks(value=True, weight=weight):
            hit = np.isin(block.resonator, wanted)
            if hit.any():
                parts.append(block.rows(hit))
        return PhotonBlock.join(parts, weight=weight).ordered()

    def _joined(self, parts: list[tuple[Array, Array]], weight: bool) -> PhotonBlock:
        """Rows read range by range as one block."""
        if not parts:
            return PhotonBlock.join([], weight=weight)
        rows = np.concatenate([rows for _, rows in parts])
        chosen = product([rows[name] for name in self.columns.weights]) if weight else None
        return PhotonBlock(
            np.concatenate([place for place, _ in parts]),
            np.ascontiguousarray(rows[self.columns.time], np.uint32),
            np.ascontiguousarray(rows[self.columns.value], np.float32),
            chosen,
        ).ordered()


def product(weights: list[Array]) -> Array | None:
    """Weights multiplied; None for none."""
    if not weights:
        return None
    out: Array = np.array(weights[0], np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # damaged weights are no reason to warn
        for other in weights[1:]:
            out *= other
    return out


def _columns(table: Dataset, path: str, names: list[str], ctx: JobContext) -> Iterator[tuple[Array, ...]]:
    """TableColumns of the table in blocks, each contiguous; reused."""
    from ifuview.io.hdf5.blosc_chunks import iter_columns

    if table.shape[0]:
        for columns in iter_columns(table, path, names, BLOCK_ROWS, ctx):
            yield tuple(native(column) for column in columns)


def native(column: Array) -> Array:
    """The column in the byte order of this machine."""
    return column if column.dtype.isnative else column.astype(column.dtype.newbyteorder("="))


def looks_sorted(table: Dataset, path: str, columns: TableColumns) -> bool:
    """Whether a sample of rows comes by resonator."""
    if table.shape[0] < 2:
        return True
    with reading(path, "photons"):
        rows = np.unique(np.linspace(0, table.shape[0] - 1, SAMPLE).astype(np.int64))
        ids = np.array([int(table[int(row)][columns.resonator]) for row in rows])
    return bool((ids[1:] >= ids[:-1]).all())
