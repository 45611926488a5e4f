"""Arrays, scalars and types of numpy from what a pickle says of them, with sizes checked and no type but plain ones.

Used by `ifuview.io.safe.objects`; ValueError says what is wrong.
"""

from __future__ import annotations

import re
from math import prod
from typing import Any

import numpy as np

from ifuview.model.checks import Array

MAX_ARRAY_NESTING = 4  # object arrays directly in object arrays; freeing them takes the C stack
MAX_ITEM = 1 << 16  # bytes of one element of an array
MAX_UNICODE = 0x10FFFF
CODE = re.compile(r"([|<>=]?)([biufcSUVO])(\d{0,10})")


def checked(state: object, size: int) -> tuple[object, ...]:
    """The state, a tuple of `size` parts."""
    if type(state) is not tuple or len(state) != size:
        raise ValueError("a state of another form")
    return state


def encode(text: str, encoding: str = "latin1") -> bytes:
    """Bytes as the older protocols write them."""
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise ValueError("bytes in an unknown encoding")
    return text.encode("latin-1")


def plain_dtype(code: object) -> np.dtype:
    """A dtype of numbers, text, bytes, records or objects from its code; anything else is refused."""
    code = code.decode("ascii") if type(code) is bytes else code
    if type(code) is not str or CODE.fullmatch(code) is None:
        raise ValueError("an array of an unknown type")
    out: np.dtype = np.dtype(code)
    if out.itemsize > MAX_ITEM:
        raise ValueError("an array of elements that are too large")
    return out


def dtype_of_state(base: np.dtype, state: object) -> np.dtype:
    """The dtype with byte order, and the fields of a record."""
    if type(state) is not tuple or not 7 <= len(state) <= 9:
        raise ValueError("a type of another form")
    order, subtype, names, fields, size = state[1:6]
    if subtype is not None:
        kind, shape = checked(subtype, 2)
        return _small(np.dtype((_is_dtype(kind), _shape(shape))))
    if names is None:
        order = order.decode("ascii") if type(order) is bytes else order
        return base.newbyteorder(">") if order == ">" and base.kind in "iufcU" else base
    if type(names) is not tuple or type(fields) is not dict:
        raise ValueError("a record without fields")
    parts = [fields[name] for name in names]
    spec: Any = {
        "names": list(names),
        "formats": [_is_dtype(part[0]) for part in parts],
        "offsets": [part[1] for part in parts],
        "itemsize": size,
    }
    return _small(np.dtype(spec))


def _is_dtype(kind: object) -> np.dtype:
    if not isinstance(kind, np.dtype) or kind.hasobject:
        raise ValueError("a field of an unknown type")
    return kind


def _small(kind: np.dtype) -> np.dtype:
    if not 0 < kind.itemsize <= MAX_ITEM:
        raise ValueError("an array of elements that are too large")
    return kind


def _shape(shape: object) -> tuple[int, ...]:
    """A shape of at most eight axes."""
    shape = (shape,) if type(shape) is int else shape
    if type(shape) is not tuple or len(shape) > 8 or any(type(n) is not int or not 0 <= n < 1 << 40 for n in shape):
        raise ValueError("an array of an impossible shape")
    return shape


def array_of_state(state: object, levels: dict[int, int]) -> Array:
    """The array of its state: contents are bytes, or a list of objects.

    `levels` remembers by `id` how many object arrays lie directly in each other.
    """
    _, shape, kind, fortran, raw = checked(state, 5)
    order = "F" if fortran else "C"
    if isinstance(kind, np.dtype) and kind.hasobject:
        return _object_array(raw, kind, _shape(shape), order, levels)
    return array_of_bytes(encode(raw) if type(raw) is str else raw, kind, shape, order)


def array_of_bytes(raw: object, kind: object, shape: object, order: str = "C") -> Array:
    """An array whose size is that of its contents."""
    if not isinstance(kind, np.dtype) or kind.hasobject:
        raise ValueError("an array of an unknown type")
    shape = _shape(shape)
    if type(raw) is not bytes or kind.itemsize == 0 or prod(shape) * kind.itemsize != len(raw):
        raise ValueError("an array whose size is not that of its contents")
    out = np.frombuffer(raw, kind).reshape(shape, order="F" if order == "F" else "C")
    if kind.kind == "U" and out.size and int(np.frombuffer(raw, kind.byteorder + "u4").max()) > MAX_UNICODE:
        raise ValueError("text that is none")
    return out


def _object_array(items: object, kind: np.dtype, shape: tuple[int, ...], order: str, levels: dict[int, int]) -> Array:
    """An array of decoded objects."""
    if type(items) is not list or len(items) != prod(shape) or kind.kind != "O":
        raise ValueError("an object array whose size is not that of its contents")
    level = 1 + max((levels[id(item)] for item in items if of_objects(item)), default=0)
    if level > MAX_ARRAY_NESTING:
        raise ValueError("object arrays too deep in each other")
    out = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        out[i] = item
    out = out.reshape(shape, order="F" if order == "F" else "C")
    levels[id(out)] = level
    return out


def of_objects(value: object) -> bool:
    """Whether a value is an array of objects."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "O"


def scalar(kind: object, raw: object = None) -> object:
    """A numpy scalar."""
    if type(raw) is str:
        raw = encode(raw)
    if not isinstance(kind, np.dtype) or kind.hasobject:
        raise ValueError("a scalar of an unknown type")
    return array_of_bytes(raw, kind, ())[()]
