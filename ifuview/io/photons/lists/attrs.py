"""HDF5 attributes of photon tables, stored as the published writer (through PyTables) stores them.

Numbers and text are native attributes, an empty text has no extent, a truth value is a bit field of 8 bits, arrays
are arrays. Everything else that PyTables is given it pickles (protocol 0, which is text); readers of that family
need such a pickle for the list of flags. It is spelled out here by hand, for plain data and time series only; this
project reads them back without unpickling (`io.safe.pickle`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ifuview.errors import UsageError

if TYPE_CHECKING:
    from h5py import Dataset, Group

MAX_BYTES = 60_000  # an attribute that is longer does not fit into an object header (64 KiB)
SERIES = {"times", "values"}  # keys of a value that changes with time
SERIES_CLASS = "ccopy_reg\n_reconstructor\n(cmkidcore.metadata\nMetadataSeries\nc__builtin__\nobject\nNtR"
SYSTEM = ("CLASS", "VERSION", "TITLE", "NROWS", "FLAVOR", "EXTDIM", "FILTERS", "AUTO_INDEX", "BYTEORDER")


def put(node: Group | Dataset, name: str, value: object) -> None:
    """Set an attribute of an h5py object.

    Parameters
    ----------
    node : h5py.Group or h5py.Dataset
    name : str
    value : bool, int, float, str, numeric or structured ndarray, tuple, list, dict
        A dict of "times" and "values" is a time series.

    Raises
    ------
    UsageError
        The value is too long, or of a kind that cannot be stored.
    """
    if isinstance(value, (bool, np.bool_)):
        _put_bool(node, name, bool(value))
    elif isinstance(value, str):
        _put_text(node, name, value.encode("utf-8", "backslashreplace"), unicode=True)
    elif isinstance(value, (np.ndarray, np.generic)) and _native(value.dtype):
        if value.nbytes > MAX_BYTES:
            raise UsageError("is too long for an attribute", name)
        node.attrs.create(name, value)
    elif isinstance(value, int):
        node.attrs.create(name, np.int64(value))
    elif isinstance(value, float):
        node.attrs.create(name, np.float64(value))
    else:
        _put_text(node, name, pickled(value).encode("ascii"), unicode=False)


def pickled(value: object) -> str:
    """Plain data as a pickle of protocol 0.

    Raises
    ------
    UsageError
        It is no plain data.
    """
    return _spelled(value) + "."


def _spelled(value: object) -> str:
    """The operations that make one value."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        return "N"
    if isinstance(value, bool):
        return "I01\n" if value else "I00\n"
    if isinstance(value, int):
        return f"L{value}L\n" if abs(value) >= 1 << 31 else f"I{value}\n"
    if isinstance(value, float):
        return f"F{value!r}\n"
    if isinstance(value, str):
        return f"V{_escaped(value)}\n"
    if isinstance(value, tuple):
        return "(" + "".join(map(_spelled, value)) + "t"
    if isinstance(value, Mapping):
        pairs = "".join(f"{_spelled(key)}{_spelled(item)}s" for key, item in value.items())
        return f"{SERIES_CLASS}(d{pairs}b" if set(value) == SERIES else f"(d{pairs}"
    if isinstance(value, (list, Sequence)) and not isinstance(value, (bytes, bytearray)):
        return "(l" + "".join(f"{_spelled(item)}a" for item in value)
    raise UsageError(f"values of type {type(value).__name__} cannot be stored")


def _escaped(text: str) -> str:
    """Text as the protocol writes it: one line of ASCII."""
    return "".join(c if " " <= c <= "~" and c != "\\" else _code(ord(c)) for c in text)


def _code(point: int) -> str:
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def _native(dtype: np.dtype) -> bool:
    """Whether HDF5 has the type of an array."""
    return all(dtype[name].kind in "iuf" for name in dtype.names) if dtype.names else dtype.kind in "iuf"


def _put_bool(node: Group | Dataset, name: str, value: bool) -> None:
    from h5py import h5a, h5s, h5t

    kind = h5t.STD_B8LE.copy()
    attribute = h5a.create(node.id, name.encode(), kind, h5s.create(h5s.SCALAR))
    attribute.write(np.array(value, np.uint8), mtype=kind)


def _put_text(node: Group | Dataset, name: str, data: bytes, *, unicode: bool) -> None:
    from h5py import h5a, h5s, h5t

    if len(data) > MAX_BYTES:
        raise UsageError("is too long for an attribute", name)
    data = data.rstrip(b"\0")
    kind = h5t.C_S1.copy()
    kind.set_size(max(len(data), 1))
    if unicode:
        kind.set_cset(h5t.CSET_UTF8)
    space = h5s.create(h5s.SCALAR if data else h5s.NULL)
    attribute = h5a.create(node.id, name.encode(), kind, space)
    if data:
        attribute.write(np.array(data, f"S{len(data)}"), mtype=kind)
