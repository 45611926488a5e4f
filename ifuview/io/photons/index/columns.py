"""The columns of a photon index on disk: written, checked and opened; derived values beside those of the file."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from hashlib import blake2b
from typing import IO

import numpy as np

from ifuview.errors import IfuviewError
from ifuview.files import put
from ifuview.io.photons.index.head import samples
from ifuview.model.checks import Array
from ifuview.model.photons.lists import PhotonBlock

DTYPES = {"time": np.dtype("<u4"), "value": np.dtype("<f4"), "weight": np.dtype("<f4")}
ONES_AT_ONCE = 1 << 21  # rows
MOST_DERIVED = 4  # sets of derived values that are kept
PROBLEMS = (OSError, ValueError, KeyError, TypeError, EOFError)  # of an index that is damaged or of another version
Fill = Callable[[PhotonBlock], "Array | PhotonBlock"]


class ColumnFiles:
    """Columns on the way to their files; weights are written from the first that is not 1."""

    def __init__(self, folder: str, names: tuple[str, ...], prefix: str = "") -> None:
        self.folder, self.prefix, self.rows, self.latest, self._stack = folder, prefix, 0, -1, ExitStack()
        self.files = {name: self._open(name) for name in names}

    def _open(self, name: str) -> IO[bytes]:
        return self._stack.enter_context(open(self._path(name), "wb", buffering=0))

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, f"{self.prefix}{name}.{DTYPES[name].str[1:]}")

    def add(self, time: Array | None, value: Array, weight: Array | None) -> None:
        """Append some rows."""
        if weight is not None and "weight" not in self.files and bool((weight != 1).any()):
            self.files["weight"] = self._open("weight")
            for start in range(0, self.rows, ONES_AT_ONCE):
                self._write("weight", np.ones(min(ONES_AT_ONCE, self.rows - start), DTYPES["weight"]))
        if time is not None and len(time):
            self._write("time", time)
            self.latest = max(self.latest, int(time.max()))
        self._write("value", value)
        if "weight" in self.files:
            self._write("weight", np.ones(len(value)) if weight is None else weight)
        self.rows += len(value)

    def _write(self, name: str, column: Array) -> None:
        view = np.ascontiguousarray(column, DTYPES[name]).view(np.uint8).data
        while len(view):
            view = view[self.files[name].write(view) :]

    def close(self) -> dict[str, dict[str, str]]:
        """Close the files; what a head says of them."""
        self._stack.close()
        out = {}
        for name in self.files:
            descriptor = os.open(self._path(name), os.O_RDONLY)
            try:
                digest = samples(descriptor, os.fstat(descriptor).st_size)
            finally:
                os.close(descriptor)
            out[name] = {"file": os.path.basename(self._path(name)), "digest": digest}
        return out

    def __enter__(self) -> ColumnFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def open_columns(folder: str, columns: Mapping[str, Mapping[str, str]], rows: int) -> dict[str, int]:
    """Open the columns that a head lists and check that they are whole."""
    out: dict[str, int] = {}
    try:
        for name, column in columns.items():
            out[name] = os.open(os.path.join(folder, column["file"]), os.O_RDONLY)
            size = os.fstat(out[name]).st_size
            if size != rows * DTYPES[name].itemsize or samples(out[name], size) != column["digest"]:
                raise ValueError("damaged")
    except BaseException:
        close(list(out.values()))
        raise
    return out


def derived_head(folder: str, key: str) -> str:
    """The file that describes the derived values of a key."""
    return os.path.join(
        folder, f"derived-{blake2b(key.encode('utf-8', 'backslashreplace'), digest_size=8).hexdigest()}.json"
    )


def open_derived(folder: str, key: str, rows: int) -> dict[str, int] | None:
    """Columns of derived values; None if they are not there."""
    try:
        with open(derived_head(folder, key), encoding="utf-8") as file:
            head = json.load(file)
        return open_columns(folder, head["columns"], rows) if head["key"] == key else None
    except PROBLEMS:
        return None


def close(descriptors: Iterable[int]) -> None:
    """Close open files."""
    for descriptor in descriptors:
        os.close(descriptor)


def derive(folder: str, key: str, blocks: Iterable[PhotonBlock], fill: Fill) -> None:
    """Write the values that `fill` makes of the blocks of an index beside its columns."""
    head = derived_head(folder, key)
    prefix = f"{os.path.splitext(os.path.basename(head))[0]}-"
    _drop_old(folder)
    work = ""
    try:
        work = tempfile.mkdtemp(prefix="part-", dir=folder)
        with ColumnFiles(work, ("value",), prefix) as columns:
            for block in blocks:
                found = fill(block)
                if isinstance(found, PhotonBlock):
                    assert found.value is not None
                    columns.add(None, found.value, found.weight)
                else:
                    columns.add(None, found, None)
            names = columns.close()
        for column in names.values():
            os.replace(os.path.join(work, column["file"]), os.path.join(folder, column["file"]))
        put(head, json.dumps({"key": key, "columns": names}))
    except OSError as problem:
        todo = "free some space or delete the folder"
        raise IfuviewError(f"the derived values cannot be written ({problem})", folder, todo) from problem
    finally:
        if work:
            shutil.rmtree(work, ignore_errors=True)


def _drop_old(folder: str) -> None:
    """Make room for one more set of derived values: the oldest go."""
    with suppress(OSError):
        heads = [e for e in os.scandir(folder) if e.name.startswith("derived-") and e.name.endswith(".json")]
        heads.sort(key=lambda e: e.stat().st_mtime_ns)
        for old in heads[: max(len(heads) - MOST_DERIVED + 1, 0)]:
            stem = os.path.splitext(old.name)[0]
            for entry in list(os.scandir(folder)):
                if entry.name == old.name or entry.name.startswith(f"{stem}-"):
                    os.remove(entry.path)
