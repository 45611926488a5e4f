"""Photon lists that have a piece of the file for every resonator: its own table, or words in its own array."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError
from ifuview.io.hdf5.file import Watch, check_claim, child, dataset, h5_open, reading
from ifuview.io.photons.lists.head import OLD_COLUMNS, PER_RESONATOR, check_columns, old_info
from ifuview.io.photons.lists.table import BLOCK_ROWS, product
from ifuview.model.checks import Array
from ifuview.model.photons.lists import NO_RESONATOR, Beammap, PhotonBlock, PhotonInfo
from ifuview.model.photons.wording import unknown_resonators

if TYPE_CHECKING:
    from h5py import File
    from h5py.h5d import DatasetID
    from h5py.h5t import TypeID

UNIX_DIGITS = 10  # of a time in a file name
MICROSECOND = 1e-6
TIMED = 300  # pieces whose last photon tells how long the file is
FEW_ROWS = 1 << 16  # of a table; a claim of so many harms nobody
PIECES_AT_ONCE = 256  # between two checkpoints


class Piece(NamedTuple):
    """Where the photons of one resonator are: its place in `Beammap.ids`, and a path in the file."""

    place: int
    node: str


class PieceReader(Protocol):
    """Reads the photons of one piece."""

    def read(self, file: File, node: str) -> Iterator[tuple[Array, Array, Array | None]]:
        """(time uint32, value float32, weight float32 or None) in parts of bounded size."""

    def notes(self) -> tuple[str, ...]:
        """What was seen in all pieces read so far."""


class PieceSource:
    """Photons in many pieces; a source of photons.

    Parameters
    ----------
    path : str
    pieces : list of Piece
        By place.
    reader : PieceReader
    info : PhotonInfo
    """

    def __init__(self, path: str, pieces: list[Piece], reader: PieceReader, info: PhotonInfo) -> None:
        self.path = path
        self._pieces, self._reader, self._info = pieces, reader, info
        self._watch = Watch(path)
        self._passed = False

    @property
    def info(self) -> PhotonInfo:
        """What is known of the list; after the first pass also how many photons there are."""
        return self._info

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons, resonator by resonator."""
        total = unknown = 0
        in_order = True
        waiting: list[PhotonBlock] = []
        rows = 0
        with h5_open(self.path) as file:
            for number, piece in enumerate(self._pieces):
                if number % PIECES_AT_ONCE == 0:
                    ctx.checkpoint(number / len(self._pieces), "photons")
                for part in self._parts(file, piece, weight):
                    count = len(part.time)
                    total, rows = total + count, rows + count
                    unknown += count if piece.place == self._info.beammap.nresonator else 0
                    in_order = in_order and bool((part.time[1:] >= part.time[:-1]).all())
                    waiting.append(part if value else part._replace(value=None))
                    if rows >= BLOCK_ROWS:
                        self._watch.check()
                        yield PhotonBlock.join(waiting)
                        waiting, rows = [], 0
            self._watch.check()
            ctx.checkpoint(1.0, "photons")
            if waiting:
                yield PhotonBlock.join(waiting)
        self._learn(total, unknown, in_order)

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """All photons of a few resonators, by (resonator, time)."""
        wanted = {int(place) for place in resonators}
        self._watch.check()
        parts: list[PhotonBlock] = []
        with h5_open(self.path) as file:
            for piece in self._pieces:
                if piece.place in wanted and piece.place < self._info.beammap.nresonator:
                    parts += self._parts(file, piece, weight)
        return PhotonBlock.join(parts, weight=weight).ordered()

    def _parts(self, file: File, piece: Piece, weight: bool) -> Iterator[PhotonBlock]:
        """Photons of one piece."""
        for time, values, weights in self._reader.read(file, piece.node):
            if len(time):
                yield PhotonBlock(np.full(len(time), piece.place, np.int32), time, values, weights if weight else None)

    def _learn(self, total: int, unknown: int, in_order: bool) -> None:
        """Keep what the first whole pass showed."""
        if self._passed:
            return
        self._passed = True
        notes = [*self._info.notes, *self._reader.notes()]
        if unknown:
            notes.append(unknown_resonators(unknown))
        self._info = replace(self._info, nphoton=total, sorted=in_order, notes=tuple(notes))


class TableReader:
    """Reads the table of one resonator; there are thousands, so that this goes below the comfortable library."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._dtype: np.dtype | None = None
        self._type: TypeID | None = None  # as stored, of the last table
        self._memory: TypeID | None = None  # the same in memory

    def read(self, file: File, node: str) -> Iterator[tuple[Array, Array, Array | None]]:
        """Its photons."""
        import h5py

        with reading(self._path, f"photons of {node}"):
            table = self._open(file, node)
            total, everything = table.shape[0], h5py.h5s.ALL
        for start in range(0, total, BLOCK_ROWS):
            rows = np.empty(min(BLOCK_ROWS, total - start), self._dtype)
            with reading(self._path, f"photons of {node}"):
                if len(rows) == total:
                    table.read(everything, everything, rows, self._memory)
                else:
                    space = table.get_space()
                    space.select_hyperslab((start,), (len(rows),))
                    table.read(h5py.h5s.create_simple((len(rows),)), space, rows, self._memory)
            yield (
                np.ascontiguousarray(rows[OLD_COLUMNS.time], np.uint32),
                np.ascontiguousarray(rows[OLD_COLUMNS.value], np.float32),
                product([rows[name] for name in OLD_COLUMNS.weights]),
            )

    def _open(self, file: File, node: str) -> DatasetID:
        """The table, whose columns are as they must be."""
        import h5py

        table = h5py.h5d.open(file.id, node.encode())
        stored = table.get_type()
        elsewhere = table.get_create_plist().get_external_count()
        if self._type is None or stored != self._type or len(table.shape) != 1 or elsewhere:
            known = dataset(file, node)
            if known is None:
                raise MissingDataError(f"the file has no table {node}", self._path)
            check_columns(self._path, known, OLD_COLUMNS)
            self._type, self._dtype = stored, known.dtype
            self._memory = h5py.h5t.py_create(known.dtype)
        return table

    def notes(self) -> tuple[str, ...]:
        """Nothing."""
        return ()


def open_pixels(path: str, file: File, given: Beammap | None, ctx: JobContext = SILENT) -> PieceSource:
    """A photon list with one table per resonator."""
    info = old_info(path, file, given)
    sizes = _sizes(path, file, ctx)
    for resonator in (r for r, rows in sizes.items() if rows > FEW_ROWS):
        table = dataset(file, f"Photons/{resonator}")
        if table is not None:
            check_claim(path, table)
    if not sizes:
        raise MissingDataError("has the group Photons but no photon table in it", path)
    beammap = info.beammap
    pieces = [Piece(_place(beammap, resonator), f"Photons/{resonator}") for resonator in sorted(sizes)]
    pieces.sort(key=lambda piece: piece.place)
    notes = list(info.notes)
    start, duration = info.start, info.duration
    if not duration:
        start, duration = _times(path, file, pieces, start)
        notes.append("The file does not say how long it is; the duration is that of its images or photons.")
    info = replace(
        info, era=PER_RESONATOR, nphoton=sum(sizes.values()), start=start, duration=duration, notes=tuple(notes)
    )
    return PieceSource(path, pieces, TableReader(path), info)


def _place(beammap: Beammap, resonator: int) -> int:
    """Place of a resonator id; nresonator if no pixel shows it."""
    place = int(np.searchsorted(beammap.ids, resonator))
    return place if place < beammap.nresonator and beammap.ids[place] == resonator else beammap.nresonator


def _sizes(path: str, file: File, ctx: JobContext) -> dict[int, int]:
    """Rows of every resonator's table."""
    import h5py

    group = child(file, "Photons")
    assert isinstance(group, h5py.Group)  # the layout was recognized by it
    out = {}
    for count, name in enumerate(group):
        if count % 512 == 0:
            ctx.checkpoint(count / len(group), "resonators")
        if name.isascii() and name.isdigit() and int(name) < NO_RESONATOR:
            with reading(path, f"the table {name}"):
                if group.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
                    continue  # leads to another file
                table = h5py.h5d.open(group.id, name.encode())
                out[int(name)] = int(table.shape[0]) if len(table.shape) == 1 else 0
    return out


def _times(path: str, file: File, pieces: list[Piece], start: float) -> tuple[float, float]:
    """Start and duration by the images of every second, else by the file's name and the last photons of some pieces."""
    images = child(file, "Images")
    seconds = sorted(int(name) for name in images if name.isascii() and name.isdigit()) if images is not None else []
    if seconds:
        return float(seconds[0]), float(seconds[-1] - seconds[0] + 1)
    stem = Path(path).stem
    if not start and stem.isascii() and stem.isdigit() and len(stem) == UNIX_DIGITS:
        start = float(stem)
    last = 0
    for piece in pieces[:: max(len(pieces) // TIMED, 1)]:
        table = dataset(file, piece.node)
        if table is not None and table.shape[0]:
            check_columns(path, table, OLD_COLUMNS)
            with reading(path, f"photons of {piece.node}"):
                last = max(last, int(table[-1][OLD_COLUMNS.time]))
    return start, float(math.floor(last * MICROSECOND) + 1)
