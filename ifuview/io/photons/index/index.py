"""The index of a photon list: its columns sorted by (resonator, time) beside the file, so that later passes are fast.

An index is a folder `.FILE.ifuview-index` beside the file, or in the cache folder of the user where that cannot be
written. It holds a JSON head, small arrays, and one plain column a file; deleting it costs only the time to make it
again. It is used while size, time of change and sampled bytes of the file are what they were. Columns are read by
offset into reused buffers, so that memory stays bounded for any number of photons.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.folders import user_folder
from ifuview.io.photons.index.columns import DTYPES, PROBLEMS, Fill, close, derive, open_columns, open_derived
from ifuview.io.photons.index.head import decode_info, fingerprint
from ifuview.model.checks import Array
from ifuview.model.photons.lists import PhotonBlock, PhotonInfo

FORMAT, VERSION = "ifuview photon index", 3  # another one whenever what is kept of the list changes
SUFFIX = ".ifuview-index"
HEAD = "index.json"
SMALL = ("first", "ids", "index", "flags")  # arrays that are read whole
BLOCK_ROWS = 1 << 18  # rows


class PhotonIndex:
    """A source of photons, sorted by (resonator, time); made by `build_index`, found by `open_index`.

    Attributes
    ----------
    info : PhotonInfo
        Of the file, with the number of photons counted and `weighted` as found.
    folder : str
        Where the index lies.
    first : ndarray, int64, shape (nresonator + 2,)
        Photons of resonator `i` are rows first[i] to first[i + 1]; those of no resonator come last.
    latest : int
        Time of the last photon, microseconds; -1 for none.
    key : str
        Name of the derived values that are read; "" for those of the file.
    """

    def __init__(
        self, info: PhotonInfo, folder: str, first: Array, latest: int, columns: Mapping[str, int], key: str = ""
    ) -> None:
        self.info, self.folder, self.first, self.latest, self.key = info, folder, first, latest, key
        self._columns = dict(columns)  # open for reading; a deleted index stays readable until it is let go
        weakref.finalize(self, close, list(self._columns.values()))

    @property
    def nphoton(self) -> int:
        """Rows."""
        return int(self.first[-1])

    @property
    def weighted(self) -> bool:
        """Whether any weight differs from 1."""
        return "weight" in self._columns

    def whole(self) -> tuple[Array, int]:
        """Photons per resonator, int64 (nresonator + 1,), and the latest time (microseconds), without reading any."""
        return np.diff(self.first), self.latest

    def read(self, column: str, start: int, out: Array) -> None:
        """Fill `out` with the rows of a column ("time", "value", "weight") from `start` on."""
        view, at = out.view(np.uint8).data, start * out.itemsize
        while len(view):
            done = os.preadv(self._columns[column], [view], at)
            if not done:
                raise FileFormatError("the index of the photons is cut short", self.folder, "delete it")
            view, at = view[done:], at + done

    def pick(self, column: str, rows: Array) -> Array:
        """Single rows of a column."""
        dtype, descriptor, pread = DTYPES[column], self._columns[column], os.pread
        size = dtype.itemsize
        found = b"".join([pread(descriptor, size, at) for at in (rows * size).tolist()])
        if len(found) != len(rows) * size:
            raise FileFormatError("the index of the photons is cut short", self.folder, "delete it")
        return np.frombuffer(found, dtype)

    def load(self, column: str) -> Array:
        """A whole column in memory."""
        out = np.empty(self.nphoton, DTYPES[column])
        self.read(column, 0, out)
        return out

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons by (resonator, time); the arrays are reused."""
        size = min(BLOCK_ROWS, max(self.nphoton, 1))
        resonator = np.empty(size, np.int32)
        wanted = ["time", *(["value"] if value else []), *(["weight"] if weight and self.weighted else [])]
        columns = {name: np.empty(size, DTYPES[name]) for name in wanted}
        for start in range(0, self.nphoton, size):
            ctx.checkpoint(start / self.nphoton, "photons")
            rows = min(size, self.nphoton - start)
            for name, column in columns.items():
                self.read(name, start, column[:rows])
            self._expand(start, resonator[:rows])
            found = {name: column[:rows] for name, column in columns.items()}
            yield PhotonBlock(resonator[:rows], found["time"], found.get("value"), found.get("weight"))

    def _expand(self, start: int, out: Array) -> None:
        """Resonator of each row from `start` on."""
        stop = start + len(out)
        here = int(np.searchsorted(self.first, start, side="right")) - 1
        while start < stop:
            end = min(int(self.first[here + 1]), stop)
            out[len(out) - (stop - start) : len(out) - (stop - end)] = here
            start, here = end, here + 1

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """All photons of a few resonators, by (resonator, time)."""
        known = {int(r) for r in resonators if 0 <= r < len(self.first) - 1}
        wanted = np.array(sorted(known), np.int32)
        begin, count = self.first[wanted], self.first[wanted + 1] - self.first[wanted]
        place = np.concatenate([[0], np.cumsum(count)])
        names = ["time", "value", *(["weight"] if weight and self.weighted else [])]
        columns = {name: np.empty(int(place[-1]), DTYPES[name]) for name in names}
        for at, low, high in zip(begin.tolist(), place[:-1].tolist(), place[1:].tolist()):
            for name in names:
                self.read(name, at, columns[name][low:high])
        return PhotonBlock(np.repeat(wanted, count), columns["time"], columns["value"], columns.get("weight"))

    def with_values(
        self, key: str, fill: Fill, *, info: PhotonInfo | None = None, ctx: JobContext = SILENT
    ) -> PhotonIndex:
        """The same photons with derived values, such as calibrated ones; made once and stored beside the columns.

        Parameters
        ----------
        key : str
            Says everything the values depend on besides the file, such as names and digests of the calibrations.
        fill : callable
            PhotonBlock (of the values of the file) to float32 values, or to a PhotonBlock whose values, and weights
            if any, count; called for block after block unless the values of that key are there already.
        info : PhotonInfo, optional
            Of the derived list: what its third column is, its calibrations. Default: that of this one.
        ctx : JobContext, optional
        """
        info = replace(self.info if info is None else info, nphoton=self.nphoton, sorted=True)
        found = open_derived(self.folder, key, self.nphoton)
        if found is None:
            derive(self.folder, key, self.blocks(value=True, weight=True, ctx=ctx), fill)
            found = open_derived(self.folder, key, self.nphoton)
        if found is None:
            raise FileFormatError("the derived values cannot be read again", self.folder, "delete the folder")
        columns = {"time": os.dup(self._columns["time"]), **found}
        if "weight" not in found and self.weighted:
            columns["weight"] = os.dup(self._columns["weight"])
        return PhotonIndex(
            replace(info, weighted="weight" in columns), self.folder, self.first, self.latest, columns, key
        )


def open_index(path: str, folder: str | None = None) -> PhotonIndex | None:
    """The index of a photon file; None if there is none, or the file is no longer what was indexed.

    Parameters
    ----------
    path : str
    folder : str, optional
        Where indexes are kept. Default: beside the file, then the cache folder.
    """
    for place in places(path, folder):
        try:
            return _open(path, place)
        except PROBLEMS:
            continue
    return None


def places(path: str, folder: str | None = None) -> list[str]:
    """Folders that the index of a file may be in, the best first."""
    path = os.path.abspath(path)
    name = f".{os.path.basename(path)}{SUFFIX}"
    if folder is not None:
        return [os.path.join(folder, name)]
    cache = user_folder("cache") / "photons"
    distinct = blake2b(os.fsencode(path), digest_size=8).hexdigest()
    return [os.path.join(os.path.dirname(path), name), os.path.join(cache, f"{distinct}{name}")]


def _open(path: str, place: str) -> PhotonIndex:
    """The index at a place; one of PROBLEMS if it is not that of the file."""
    with open(os.path.join(place, HEAD), encoding="utf-8") as file:
        head = json.load(file)
    if (head["format"], head["version"]) != (FORMAT, VERSION) or head["source"] != fingerprint(path):
        raise ValueError("of another file or version")
    arrays = {}
    for name in SMALL:
        with open(os.path.join(place, f"{name}.npy"), "rb") as file:
            if blake2b(file.read(), digest_size=16).hexdigest() != head["arrays"][name]:
                raise ValueError("damaged")
            file.seek(0)
            arrays[name] = np.load(file, allow_pickle=False)
    info = decode_info(head["info"], arrays, path)
    first, latest = arrays["first"], int(head["latest"])
    return PhotonIndex(info, place, first, latest, open_columns(place, head["columns"], int(first[-1])))
