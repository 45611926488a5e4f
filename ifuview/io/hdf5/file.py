"""HDF5 files opened read-only, with their errors in one sentence and their attributes as plain data."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.files import brackets, reason
from ifuview.inputs import regular_file
from ifuview.io.safe.pickle import looks_pickled, plain
from ifuview.model.checks import Array, Header

if TYPE_CHECKING:
    from h5py import Dataset, File, Group

MAGIC = b"\x89HDF\r\n\x1a\n"
MAGIC_AT = (0, 512, 1024, 2048)  # bytes; a user block may lie before the file proper
MAX_ATTRIBUTE = 4 << 20  # bytes
MAX_ARRAY = 1 << 27  # elements of an array that is read whole
SIZES = re.compile(r"\b(eof|stored_eof) = (\d+)")  # of a file that is cut off, as the library says it
MOST_PACKED = 16  # times the size of the file: claims up to here are believed without a count
MAX_TEXT = 2000  # characters of a reason
PYTABLES_OWN = ("CLASS", "VERSION", "TITLE", "NROWS", "FLAVOR")  # said by the format, not by the observer
DAMAGED = (OSError, LookupError, RuntimeError, ValueError, TypeError, MemoryError, OverflowError)


def is_h5(path: str) -> bool:
    """Whether a file begins as HDF5 does."""
    regular_file(path)
    with open(path, "rb") as file:
        for at in MAGIC_AT:
            file.seek(at)
            if file.read(len(MAGIC)) == MAGIC:
                return True
    return False


class Watch:
    """Size and time of a file when it was opened.

    Parameters
    ----------
    path : str
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen = self._now()

    def _now(self) -> tuple[int, int, int]:
        status = os.stat(self._path)
        return status.st_size, status.st_mtime_ns, status.st_ino

    def check(self) -> None:
        """Raise FileFormatError if the file is not what it was."""
        try:
            same = self._now() == self._seen
        except OSError:
            same = False
        if not same:
            raise FileFormatError("the file changed while it was open", self._path, "open it again")


@contextmanager
def h5_open(path: str) -> Iterator[File]:
    """The file, open for reading; what the library cannot do becomes a FileFormatError."""
    import h5py
    import hdf5plugin  # noqa: F401 - importing it makes its filters known to the library

    regular_file(path)
    try:
        file = h5py.File(path, "r", locking=False)
    except DAMAGED as problem:
        raise FileFormatError(_reason(problem), path, "copy or download it again") from problem
    try:
        with file:
            yield file
    except DAMAGED as problem:
        raise FileFormatError(f"the HDF5 file is damaged{brackets(problem)}", path, "copy it again") from problem


@contextmanager
def reading(path: str, what: str) -> Iterator[None]:
    """Errors of the library while something is read, as one sentence."""
    try:
        yield
    except DAMAGED as problem:
        raise FileFormatError(f"{what} cannot be read{brackets(problem)}", path, "copy the file again") from problem


def _reason(problem: BaseException) -> str:
    sizes = dict(SIZES.findall(str(problem)))
    if "truncated" in str(problem):
        of = f" ({sizes['eof']} of {sizes['stored_eof']} bytes)" if {"eof", "stored_eof"} <= sizes.keys() else ""
        return f"the HDF5 file is cut off{of}"
    return f"cannot be read as HDF5{brackets(problem)}"


def child(file: Group, name: str) -> Group | Dataset | None:
    """A group or dataset by its path; None if it is not there or leads elsewhere."""
    import h5py

    node = file
    for part in filter(None, name.split("/")):
        if not isinstance(node, h5py.Group) or not isinstance(node.get(part, getlink=True), h5py.HardLink):
            return None
        node = node[part]
    return node


def dataset(file: Group, name: str) -> Dataset | None:
    """A dataset by its path; None if it is no dataset, or if its bytes lie in other files."""
    import h5py

    node = child(file, name)
    if not isinstance(node, h5py.Dataset) or node.is_virtual or node.external:
        return None
    return node


def check_claim(path: str, node: Dataset) -> None:
    """Raise FileFormatError if a dataset claims more rows than the file can hold of it.

    Rows that were never written take no room in the file, and all the time, memory and disk there are once they are
    read. Where the claim is so large that only packing could explain it, the pieces that are there are counted.
    """
    claimed = node.size * node.dtype.itemsize
    if claimed <= MOST_PACKED * os.path.getsize(path):
        return
    with reading(path, node.name):
        if node.chunks is None:
            held = node.id.get_storage_size() // max(node.dtype.itemsize, 1)
        else:
            held = node.id.get_num_chunks() * math.prod(node.chunks)
    if held < node.size:
        what = f"{node.name} claims {node.size} rows, and the file holds {held} at most"
        raise FileFormatError(what, path, "copy or download it again")


def array(path: str, file: File, name: str, *, ndim: int) -> Array:
    """A small array read whole.

    Raises
    ------
    MissingDataError
        It is not there.
    FileFormatError
        It has another number of axes, no numbers, or is too large.
    """
    node = dataset(file, name)
    if node is None:
        raise MissingDataError(f"the file has no {name}", path)
    if node.ndim != ndim or node.dtype.kind not in "iufb" or node.size > MAX_ARRAY:
        raise FileFormatError(f"{name} has shape {node.shape} and type {node.dtype}, which it cannot have", path)
    check_claim(path, node)
    with reading(path, name):
        out: Array = node[()]
    return out


def attributes(node: Group | Dataset) -> Header:
    """Attributes of a node as plain data, without those of the format; what cannot be decoded reads "opaque: why"."""
    found = {}
    for name in node.attrs:
        if name not in PYTABLES_OWN and not name.startswith("FIELD_"):
            found[name] = _attribute(node, name)
    return MappingProxyType(found)


def _attribute(node: Group | Dataset, name: str) -> object:
    """One attribute."""
    import h5py

    try:
        stored = h5py.h5a.open(node.id, name.encode("utf-8", "surrogateescape"))
        size = stored.get_space().get_simple_extent_npoints() * stored.get_type().get_size()
        if size > MAX_ATTRIBUTE:
            return f"opaque: {size} bytes"
        value = node.attrs[name]
    except DAMAGED as problem:
        return f"opaque: {reason(problem)}"
    return as_plain(value)


def as_plain(value: object) -> object:
    """A value of the library as plain Python, pickles decoded by the restricted decoder."""
    if value is None or type(value).__name__ == "Empty":
        return ""
    if isinstance(value, bytes):
        return _text_or_pickle(bytes(value))
    if isinstance(value, np.generic):
        return value.item() if value.dtype.kind in "iufb" else as_plain(value.item())
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "OS" and value.size <= MAX_TEXT:
            return tuple(as_plain(item) for item in value.ravel().tolist())
        return value if value.dtype.kind in "iufbVU" else f"opaque: array of {value.dtype}"
    return value if isinstance(value, (str, int, float, bool, tuple)) else f"opaque: {type(value).__name__}"


def _text_or_pickle(data: bytes) -> object:
    """Text; or what a pickle holds, if the bytes are one."""
    if looks_pickled(data):
        try:
            return plain(data)
        except FileFormatError as problem:
            if not _readable(data):
                return f"opaque: {problem.what}"
    return text(data)


def _readable(data: bytes) -> bool:
    """Whether bytes are one line of text that happens to end with a full stop."""
    return b"\n" not in data and all(32 <= byte < 127 for byte in data)


def text(data: object) -> str:
    """Bytes or text as text, without padding."""
    if not isinstance(data, bytes):
        return str(data)
    stored = bytes(data.split(b"\0", 1)[0])
    try:
        return stored.decode("utf-8").strip()
    except UnicodeDecodeError:
        return stored.decode("latin-1").strip()
