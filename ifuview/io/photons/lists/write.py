"""Write photon lists in the modern layout: the table, its beammap and attributes that the published reader opens.

    /photons/photontable   resID, time (us), wavelength (nm, or phase in degree), weight; blosc, 250 rows a chunk
    /beammap/map, flag     [x, y]; resonator ids, and bits as the attribute `flags` names them
    /original/NAME         row for row, only if asked for: a column as it was before a calibration

No PyTables is needed. The file grows under a temporary name and takes its own when it is whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.files import keep_inputs, whole_file
from ifuview.io.hdf5.writing import check_space, h5_new
from ifuview.io.photons.flags import MODERN_FLAGS
from ifuview.io.photons.lists.attrs import SYSTEM, put
from ifuview.model.checks import Array, Header
from ifuview.model.photons.lists import NO_RESONATOR, TICK, Beammap, PhotonBlock, PhotonInfo, PhotonSource
from ifuview.model.photons.wording import are

if TYPE_CHECKING:
    from h5py import Dataset, File, Group

ROW = np.dtype([("resID", "<u4"), ("time", "<u4"), ("wavelength", "<f4"), ("weight", "<f4")])
CHUNK = 250  # rows; of the published writer
BLOSC = 32001  # filter id; hdf5plugin brings it
BUFFER = CHUNK * 4000  # rows that are written at a time, 16 MB
LEAST_ROW = 3  # bytes on disk, of lists that pack well; 7 to 10 are usual
EXTRA_CHUNK = 1 << 16  # rows
FILTERS = 67329  # the filter of the table as PyTables packs it into one number
ORIGINAL = "/original"
CALIBRATION_NAMES = ("wavecal", "flatcal", "speccal")  # attribute: name of the solution
CALIBRATION_DONE = ("pixcal", "lincal", "cosmiccal")  # attribute: whether it was done

Block = PhotonBlock | tuple[PhotonBlock, Mapping[str, Array]]


def write_photons(
    path: str | Path,
    photons: PhotonSource | Iterable[Block],
    info: PhotonInfo | None = None,
    *,
    header: Header | None = None,
    extra: Mapping[str, DTypeLike] | None = None,
    ctx: JobContext = SILENT,
) -> tuple[str, ...]:
    """Write photons to a file of the modern layout, in the order in which they come.

    Parameters
    ----------
    path : str or Path
        Replaced if it exists, when the new file is whole.
    photons : PhotonSource, or iterable of PhotonBlock or of (PhotonBlock, mapping of str to ndarray)
        The mapping holds the rows of `extra` columns. Photons of no resonator get the id 0xFFFFFFFF.
    info : PhotonInfo, optional
        Default: that of the source.
    header : mapping, optional
        Attributes that go before those of `info`.
    extra : mapping of str to dtype, optional
        Columns kept beside the table as `/original/NAME`.
    ctx : JobContext, optional
        Progress and cancellation; checked at every block. A cancelled file leaves nothing behind.

    Returns
    -------
    tuple of str
        One sentence for everything that the file could not keep, or that a reader may trip over.

    Raises
    ------
    UsageError
        The file would overwrite the one that is read, or cannot be written; an older file stays as it was.
    """
    if info is None:
        if not isinstance(photons, PhotonSource):
            raise UsageError("blocks of photons without a description cannot be written", str(path), "give `info`")
        info = photons.info
    path = Path(path)
    keep_inputs(str(path), (info.path,))
    check_space(path, LEAST_ROW * info.nphoton)
    blocks = photons.blocks(value=True, weight=True, ctx=ctx) if isinstance(photons, PhotonSource) else iter(photons)
    with whole_file(path) as part:
        return _write(Path(part), blocks, info, dict(header or {}), dict(extra or {}), ctx)


def _write(
    part: Path,
    blocks: Iterator[Block],
    info: PhotonInfo,
    header: Header,
    extra: Mapping[str, DTypeLike],
    ctx: JobContext,
) -> tuple[str, ...]:
    """Write the whole file under its temporary name."""
    import hdf5plugin  # noqa: F401  (registers the filter)

    with h5_new(part) as (file, disk):
        _describe(file, "GROUP", "1.0", "MKID Photon File")
        put(file, "PYTABLES_FORMAT_VERSION", "2.1")
        table = _Table(_described(file.create_group("photons"), "GROUP", "1.0", "Photon Information"), info)
        columns = _extra_columns(file, extra)
        for number, block in enumerate(blocks):
            done = table.nrow / info.nphoton if info.nphoton > 0 else 1 - 1 / (number + 1)
            ctx.checkpoint(done, "Writing photons")
            rows, more = (block, {}) if isinstance(block, PhotonBlock) else block
            table.add_photons(rows)
            for name, column in columns.items():
                column.add(np.asarray(more[name], column.dtype))
            disk.check()
        table.flush()
        for column in columns.values():
            column.flush()
        _write_beammap(file, info.beammap)
        lost = _write_attributes(table.node, _attributes(info, header))
        put(table.node, "NROWS", table.nrow)
        ctx.checkpoint(1.0, "Writing photons")
    return (*lost, *table.notes())


class _Column:
    """A growing dataset that is written in runs of whole chunks."""

    def __init__(self, group: Group, name: str, dtype: np.dtype, chunk: int, buffer: int) -> None:
        options = (2, 2, dtype.itemsize, chunk * dtype.itemsize, 1, 1, 1)  # level 1, shuffle, LZ4
        self.node = group.create_dataset(
            name, (0,), dtype, maxshape=(None,), chunks=(chunk,), compression=BLOSC, compression_opts=options
        )
        self.dtype, self.nrow = dtype, 0
        self._buffer, self._filled = np.empty(buffer, dtype), 0

    def add(self, values: Array) -> None:
        """Append rows."""
        for to, rows in self._runs(len(values)):
            self._buffer[to] = values[rows]

    def _runs(self, count: int) -> Iterator[tuple[slice, slice]]:
        """Places in the buffer of so many new rows, and which of them go there; the buffer is written when full."""
        start = 0
        while start < count:
            take = min(count - start, len(self._buffer) - self._filled)
            yield slice(self._filled, self._filled + take), slice(start, start + take)
            self._filled += take
            start += take
            if self._filled == len(self._buffer):
                self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._filled:
            self.node.resize((self.nrow + self._filled,))
            self.node[self.nrow :] = self._buffer[: self._filled]
            self.nrow += self._filled
            self._filled = 0


class _Table(_Column):
    """The photon table."""

    def __init__(self, group: Group, info: PhotonInfo) -> None:
        super().__init__(group, "photontable", ROW, CHUNK, BUFFER)
        _describe(self.node, "TABLE", "2.7", "Photon Datatable")
        for k, name in enumerate(ROW.names or ()):
            put(self.node, f"FIELD_{k}_NAME", name)
            put(self.node, f"FIELD_{k}_FILL", ROW[name].type(0))
        self._ids = np.append(info.beammap.ids, NO_RESONATOR).astype(np.uint32)
        self._unknown = info.beammap.nresonator
        self._strays = self._disorder = 0
        self._last = -1

    def add_photons(self, block: PhotonBlock) -> None:
        """Append one block of photons."""
        for to, rows in self._runs(len(block.time)):
            self._put(block, self._buffer[to], rows)

    def _put(self, block: PhotonBlock, own: Array, rows: slice) -> None:
        """Photons into their part of the buffer."""
        resonator = block.resonator[rows]
        own["resID"] = self._ids[resonator]
        own["time"] = block.time[rows]
        own["wavelength"] = 0 if block.value is None else block.value[rows]
        own["weight"] = 1 if block.weight is None else block.weight[rows]
        self._strays += int(np.count_nonzero(resonator == self._unknown))
        key = resonator.astype(np.int64) << 32 | own["time"]
        self._disorder += int(np.count_nonzero(key[1:] < key[:-1])) + int(key[0] < self._last)
        self._last = int(key[-1])

    def notes(self) -> tuple[str, ...]:
        """What a reader of the table should know."""
        notes = []
        if self._strays:
            what = are(self._strays, "photon of an unknown resonator", "photons of unknown resonators")
            notes.append(f"{what} kept with the resonator id {NO_RESONATOR}.")
        if self._disorder:
            notes.append("The photons are not sorted by resonator and time, which makes reading single pixels slow.")
        return tuple(notes)


def _extra_columns(file: File, extra: Mapping[str, DTypeLike]) -> dict[str, _Column]:
    """Columns beside the table."""
    if not extra:
        return {}
    group = _described(file.create_group(ORIGINAL), "GROUP", "1.0", "Columns before calibration")
    columns = {name: _Column(group, name, np.dtype(kind), EXTRA_CHUNK, EXTRA_CHUNK) for name, kind in extra.items()}
    for name, column in columns.items():
        _describe(column.node, "EARRAY", "1.1", f"{name} before calibration")
        column.node.attrs.create("EXTDIM", np.int32(0))
    return columns


def _write_beammap(file: File, beammap: Beammap) -> None:
    """Resonator ids and flags, x first."""
    group = _described(file.create_group("beammap"), "GROUP", "1.0", "Beammap Information")
    group.attrs.create("FILTERS", np.int64(FILTERS))
    ids = np.where(beammap.index < 0, NO_RESONATOR, np.append(beammap.ids, 0)[beammap.index])
    for name, values, title in (("map", ids, "resID map"), ("flag", beammap.flags, "flag map")):
        node = group.create_dataset(name, data=np.ascontiguousarray(values.T).astype(np.int64))
        _describe(node, "ARRAY", "2.4", title)
        put(node, "FLAVOR", "numpy")


def _attributes(info: PhotonInfo, header: Header) -> dict[str, object]:
    """Attributes of the table: what the file said before, what is known of the photons, what the caller says."""
    low, high = info.wave_range
    known: dict[str, object] = {
        **{name: info.calibrations.get(name, "") for name in CALIBRATION_NAMES},
        "flags": tuple(info.beammap.flag_names or MODERN_FLAGS),
        **{name: name in info.calibrations for name in CALIBRATION_DONE},
        "dead_time": _whole(info.dead_time / TICK),
        "UNIXSTR": _whole(info.start),
        "UNIXEND": _whole(info.start + info.duration),
        "EXPTIME": _whole(info.duration),
        "E_BMAP": "",
        "max_wavelength": _whole(high),
        "min_wavelength": _whole(low),
        "energy_resolution": float(info.energy_width),
        "data_path": info.path,
    }
    if info.instrument:
        known["INSTRUME"] = info.instrument
    if info.target:
        known["OBJECT"] = info.target
    if info.calibrated and not known["wavecal"]:
        known["wavecal"] = "unnamed"  # readers take the third column for phases if there is no name
    kept = {"E_BMAP", "data_path", "INSTRUME", "OBJECT"} & set(info.header)
    return {**info.header, **{k: v for k, v in known.items() if k not in kept}, **header}


def _whole(value: float) -> int | float:
    """A whole number as such: the published reader expects it."""
    return round(value) if abs(value - round(value)) < TICK else float(value)


def _write_attributes(node: Group | Dataset, attributes: Header) -> list[str]:
    """Write attributes; return a sentence for each that could not be kept."""
    lost = []
    for name, value in attributes.items():
        if name in SYSTEM or name.startswith("FIELD_"):
            continue  # of the layout, not of the data
        if isinstance(value, str) and value.startswith("opaque:"):
            lost.append(f"The header entry {name} could not be decoded and is left out.")
            continue
        try:
            put(node, name, value)
        except UsageError as problem:
            lost.append(f"The header entry {name} is left out: {problem.what}.")
    return lost


def _describe(node: Group | Dataset, kind: str, version: str, title: str) -> None:
    """Attributes by which PyTables knows a node."""
    for name, text in (("CLASS", kind), ("VERSION", version), ("TITLE", title)):
        put(node, name, text)


def _described(node: Group, kind: str, version: str, title: str) -> Group:
    """The group with its attributes."""
    _describe(node, kind, version, title)
    return node
