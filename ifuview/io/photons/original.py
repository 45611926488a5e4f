"""What a calibrated photon file keeps of the file it was made from, so that it can be undone bit by bit.

/original/wavelength, weight   row for row, the columns before (those that changed)
/original/flag                 [x, y]; pixel flags before; attributes of the group: header entries before
/original/removed              photons that were left out: row in the file before, resID, time, wavelength, weight
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError, UsageError
from ifuview.io.hdf5.file import array, attributes, child, dataset, h5_open, reading
from ifuview.io.photons.lists.attrs import put
from ifuview.io.photons.lists.layouts import open_h5
from ifuview.io.photons.lists.table import Lookup
from ifuview.io.photons.lists.write import BLOSC, EXTRA_CHUNK, ORIGINAL
from ifuview.model.checks import Array
from ifuview.model.photons.lists import NO_RESONATOR, Beammap, PhotonBlock, PhotonColumn, PhotonInfo

if TYPE_CHECKING:
    from h5py import Dataset, File, Group

REMOVED = np.dtype([("row", "<i8"), ("resID", "<u4"), ("time", "<u4"), ("wavelength", "<f4"), ("weight", "<f4")])
STATE = "ifuview.before"  # attribute of the group: what the file was, as JSON
OTHER_ORDER = "The rows come by resonator and time; before calibration they were in another order."
AT_ONCE = 1 << 18  # rows


class Removed:
    """Photons that are left out, kept aside on disk until they are written.

    Parameters
    ----------
    folder : str
        Where there is room.
    beammap : Beammap
    """

    def __init__(self, folder: str, beammap: Beammap) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (closed by `close`)
        self._ids = np.append(beammap.ids, NO_RESONATOR).astype(np.uint32)
        self.count = 0

    def add(self, start: int, block: PhotonBlock, gone: Array) -> None:
        """Note the photons `gone` (bool) of a block of the file before, which begins at row `start`."""
        rows = np.empty(int(gone.sum()), REMOVED)
        rows["row"] = start + np.flatnonzero(gone)
        rows["resID"] = self._ids[block.resonator[gone]]
        rows["time"] = block.time[gone]
        rows["wavelength"] = 0 if block.value is None else block.value[gone]
        rows["weight"] = 1 if block.weight is None else block.weight[gone]
        self._file.write(rows.tobytes())
        self.count += len(rows)

    def write(self, group: Group) -> None:
        """Write them as a table."""
        self._file.seek(0)
        chunk = min(EXTRA_CHUNK, self.count)
        options = (2, 2, REMOVED.itemsize, chunk * REMOVED.itemsize, 1, 1, 1)
        node = group.create_dataset(
            "removed", (self.count,), REMOVED, chunks=(chunk,), compression=BLOSC, compression_opts=options
        )
        for start in range(0, self.count, EXTRA_CHUNK):
            size = min(EXTRA_CHUNK, self.count - start)
            node[start : start + size] = np.frombuffer(self._file.read(size * REMOVED.itemsize), REMOVED)

    def close(self) -> None:
        """Let go of the disk."""
        self._file.close()


def keep_original(path: str, before: PhotonInfo, removed: Removed | None, *, in_order: bool = True) -> tuple[str, ...]:
    """Add to a written file what it was before; return a sentence for each header entry that could not be kept.

    Not `in_order`: the photons were sorted, so that the rows are no longer where they were.
    """
    import h5py
    import hdf5plugin  # noqa: F401  (registers the filter)

    lost = []
    with h5py.File(path, "r+") as file:
        group = file.require_group(ORIGINAL)
        group.create_dataset("flag", data=np.ascontiguousarray(before.beammap.flags.T).astype(np.int64))
        for name, value in before.header.items():
            try:
                put(group, name, value)
            except UsageError:
                lost.append(f"The header entry {name} of the file before is not kept.")
        state = {
            "flags": list(before.beammap.flag_names), "column": str(before.column), "weighted": before.weighted,
            "calibrations": dict(before.calibrations), "era": before.era, "nphoton": before.nphoton,
            "sorted": not in_order,
        }  # fmt: skip
        put(group, STATE, json.dumps(state))
        if removed is not None and removed.count:
            removed.write(group)
    return tuple(lost)


def has_original(path: str) -> bool:
    """Whether a photon file keeps what it was made from."""
    with h5_open(path) as file:
        group = child(file, ORIGINAL.strip("/"))
        return group is not None and STATE in group.attrs


class OriginalSource:
    """The photons of a calibrated file as they were before; a source that is read once, block by block.

    Raises
    ------
    MissingDataError
        The file does not keep them.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._now = open_h5(path)
        now: PhotonInfo = self._now.info
        with h5_open(path) as file:
            group = child(file, ORIGINAL.strip("/"))
            if group is None or STATE not in group.attrs:
                raise MissingDataError("the file does not keep the columns before calibration", path)
            state = _state(attributes(group).get(STATE), path)
            header = {k: v for k, v in attributes(group).items() if k != STATE}
            flags = array(path, file, f"{ORIGINAL}/flag", ndim=2).T.astype(np.int64).astype(np.uint64)
            self._names = [n for n in ("wavelength", "weight") if dataset(file, f"{ORIGINAL}/{n}") is not None]
            for name in self._names:
                if self._column(file, name).shape != (now.nphoton,):
                    raise FileFormatError(f"the original column {name} has another length than the table", path)
            self._gone = self._removed(file)
        if flags.shape != now.beammap.shape:
            raise FileFormatError("the original flags have another size than the beam map", path)
        beammap = Beammap(now.beammap.ids, now.beammap.index, flags, tuple(state["flags"]))
        self._lookup = Lookup(beammap)
        self.info = replace(
            now, beammap=beammap, column=PhotonColumn(state["column"]), weighted=bool(state["weighted"]),
            calibrations=MappingProxyType({str(k): str(v) for k, v in state["calibrations"].items()}),
            header=MappingProxyType(header), nphoton=now.nphoton + len(self._gone),
            notes=(OTHER_ORDER,) if state.get("sorted") else (),
        )  # fmt: skip

    def _column(self, file: File, name: str) -> Dataset:
        """One of the columns as they were."""
        node = dataset(file, f"{ORIGINAL}/{name}")
        if node is None:
            raise MissingDataError(f"the file has no original column {name}", self.path)
        return node

    def _removed(self, file: File) -> Array:
        """Photons that were left out."""
        node = dataset(file, f"{ORIGINAL}/removed")
        if node is None:
            return np.empty(0, REMOVED)
        if node.dtype != REMOVED or node.ndim != 1:
            raise FileFormatError("the table of photons that were left out is damaged", self.path)
        with reading(self.path, "photons that were left out"):
            return np.asarray(node[:])

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons as they were, in the order in which they were; values and weights always."""
        before = self._gone["row"] - np.arange(len(self._gone))  # rows that are left before each that is not
        if len(before) and ((np.diff(before) < 0).any() or before[0] < 0 or before[-1] > self._now.info.nphoton):
            raise FileFormatError("the table of photons that were left out is damaged", self.path)
        start = done = 0
        with h5_open(self.path) as file:
            columns = {name: self._column(file, name) for name in self._names}
            for block in self._now.blocks(value=True, weight=True, ctx=ctx):
                stop = start + len(block.time)
                with reading(self.path, "the original columns"):
                    own = {name: np.asarray(node[start:stop], np.float32) for name, node in columns.items()}
                found = block._replace(value=own.get("wavelength", block.value), weight=own.get("weight", block.weight))
                end = int(np.searchsorted(before, stop))
                yield self._with(found, before[done:end] - start, self._gone[done:end])
                start, done = stop, end
        if done < len(self._gone):
            empty = PhotonBlock.join([], weight=True)
            yield self._with(empty, np.zeros(len(self._gone) - done, np.int64), self._gone[done:])

    def _with(self, block: PhotonBlock, places: Array, rows: Array) -> PhotonBlock:
        """A block with rows put in before some of its own."""
        if not len(rows):
            return block
        own = (self._lookup(rows["resID"]), rows["time"], rows["wavelength"], rows["weight"])
        return PhotonBlock(*(np.insert(c, places, v.astype(c.dtype)) for c, v in zip(block, own) if c is not None))


def _state(text: object, path: str) -> Mapping[str, Any]:
    """What the file was before."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    wanted = {"flags": list, "column": str, "weighted": bool, "calibrations": dict}
    if not isinstance(found, dict) or not all(isinstance(found.get(k), kind) for k, kind in wanted.items()):
        raise FileFormatError("what the file was before calibration cannot be read", path)
    if found["column"] not in tuple(PhotonColumn):
        raise FileFormatError(f"the original column {found['column']!r} is unknown", path)
    return found
