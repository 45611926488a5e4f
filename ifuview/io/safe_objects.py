"""What a decoded pickle may hold, and how it is made: arrays, series and inert stand-ins, by this code alone.

Used by `ifuview.io.safe_pickle`. The names in a pickle are looked up in the
tables below and nowhere else.
"""

from __future__ import annotations

import re
from math import prod
from typing import Any

import numpy as np

from ifuview.errors import FileFormatError

MAX_DEPTH = 64  # nesting of containers
MAX_NODES = 1 << 23  # values that the data have when written out, shared parts counted each time
MAX_ARRAY_NESTING = 4  # object arrays directly in object arrays
MAX_ITEM = 1 << 16  # bytes of one element of an array
MAX_NAME = 200  # characters of a class name that are shown
MAX_UNICODE = 0x10FFFF

OBJECT, NDARRAY, DTYPE, ENCODE = "object", "ndarray", "dtype", "encode"
RECONSTRUCT, NEW, ARRAY, SCALAR, BUFFER = "reconstruct", "new", "array", "scalar", "buffer"
BYTES, MAPPING, SEQUENCE, SERIES = "bytes", "mapping", "sequence", "series"
CORE = ("numpy.core", "numpy._core")
BUILTINS = ("builtins", "__builtin__")
KNOWN: dict[tuple[str, str], str] = {
    ("numpy", "ndarray"): NDARRAY,
    ("numpy", "dtype"): DTYPE,
    ("_codecs", "encode"): ENCODE,
    ("collections", "OrderedDict"): MAPPING,
    **{(module, "_reconstructor"): RECONSTRUCT for module in ("copyreg", "copy_reg")},
    **{(module, "__newobj__"): NEW for module in ("copyreg", "copy_reg")},
    **{(f"{core}.multiarray", "_reconstruct"): ARRAY for core in CORE},
    **{(f"{core}.multiarray", "scalar"): SCALAR for core in CORE},
    **{(f"{core}.numeric", "_frombuffer"): BUFFER for core in CORE},
    **{(module, "object"): OBJECT for module in BUILTINS},
    **{(module, name): BYTES for module in BUILTINS for name in ("bytes", "bytearray")},
    **{(module, name): SEQUENCE for module in BUILTINS for name in ("set", "frozenset")},
}
SERIES_NAME = "MetadataSeries"  # of any module; values of a header key over time
CODE = re.compile(r"([|<>=]?)([biufcSUVO])(\d{0,10})")
KEYS = (str, int, float, bool, bytes, type(None))


class Inert:
    """What stands where a pickle has an object of a class that is not made.

    Parameters
    ----------
    module, name : str
        Of the class (or function).
    args : tuple or None
        What it would have been called with; None for the class itself.
    state : object
        Attributes: mostly a dict by name; None if there are none.
    items : list
        Elements of a list-like object, (key, value) of a dict-like one.
    """

    __slots__ = ("args", "items", "module", "name", "state")

    def __init__(self, module: str, name: str, args: tuple[Any, ...] | None = None) -> None:
        self.module, self.name, self.args = module, name, args
        self.state: Any = None
        self.items: list[Any] = []

    def __repr__(self) -> str:
        """The name alone; the state may be large."""
        return f"<inert {self.module}.{self.name}>"

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute of the object, if its state is a dict (or a pair with the dict of its slots)."""
        parts = self.state if isinstance(self.state, tuple) else (self.state,)
        return next((part[name] for part in parts if isinstance(part, dict) and name in part), default)


class Pending:
    """An array, dtype or series whose contents come with its state."""

    __slots__ = ("base", "final", "kind")

    def __init__(self, kind: str, base: Any = None) -> None:
        self.kind, self.base, self.final = kind, base, None


def named(module: str, name: str, tolerant: bool) -> Inert:
    """The marker of a class or function.

    Raises
    ------
    FileFormatError
        Strict decoding, and it is none of the few that stand for plain data.
    """
    if not tolerant and (module, name) not in KNOWN and name != SERIES_NAME:
        raise FileFormatError(f"holds an object of the class {module}.{name}"[:MAX_NAME] + ", which is not plain data")
    return Inert(module, name)


def _role(target: Any) -> str:
    """What a marker stands for; "" for none of the known."""
    if not isinstance(target, Inert) or target.args is not None:
        return ""
    return SERIES if target.name == SERIES_NAME else KNOWN.get((target.module, target.name), "")


def called(target: Any, args: tuple[Any, ...], tolerant: bool) -> Any:
    """What calling a marker would have made."""
    role = _role(target)
    if role == RECONSTRUCT and len(args) == 3:
        return created(args[0], (), tolerant)
    if role == NEW and args:
        return created(args[0], args[1:], tolerant)
    if role == ARRAY and args and _role(args[0]) == NDARRAY:
        return Pending(ARRAY)
    maker = _MAKERS.get(role)
    if maker is not None:
        return maker(*args)
    return created(target, args, tolerant)


def created(target: Any, args: Any, tolerant: bool) -> Any:
    """A new object of a class: a series, or inert."""
    if not isinstance(target, Inert) or type(args) is not tuple:
        raise ValueError("an object of what is no class")
    if _role(target) == SERIES:
        return Pending(SERIES)
    if not tolerant:
        raise FileFormatError(f"holds an object of the class {target.module}.{target.name}, which is not plain data")
    return Inert(target.module, target.name, args)


def built(target: Any, state: Any, tolerant: bool) -> Any:
    """The object with its state."""
    if isinstance(target, Inert) and target.args is not None:
        target.state = state
        return target
    if isinstance(target, Pending) and target.final is None:
        if target.kind == ARRAY:
            return _array_of_state(*_checked(state, 5))
        if target.kind == DTYPE:
            return _dtype_of_state(target.base, state)
        return _series(state)
    raise ValueError("a state for what has none")


def finished(value: Any, tolerant: bool) -> Any:
    """A value as it may lie in a container."""
    if not isinstance(value, Pending):
        return value
    if value.final is not None:
        return value.final
    if value.kind == DTYPE:
        return value.base
    raise ValueError("an object without its contents")


def hashable(key: Any) -> Any:
    """The key of a dict: a plain scalar, or a short tuple of them (no more, lest its hash take forever)."""
    if type(key) in KEYS or isinstance(key, (np.number, np.bool_, Inert)):
        return key
    if type(key) is tuple and len(key) <= MAX_DEPTH and all(type(part) in KEYS for part in key):
        return key
    raise ValueError("a key that is no scalar")


def _checked(state: Any, size: int) -> tuple[Any, ...]:
    if type(state) is not tuple or len(state) != size:
        raise ValueError("a state of another form")
    return state


def _series(state: Any) -> dict[str, Any]:
    """A header value over time."""
    parts = state if type(state) is tuple else (state,)
    found = {key: part[key] for part in parts if type(part) is dict for key in ("times", "values") if key in part}
    if set(found) != {"times", "values"}:
        raise ValueError("a series without times or values")
    return {"times": list(found["times"]), "values": list(found["values"])}


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Bytes as the older protocols write them."""
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise ValueError("bytes in an unknown encoding")
    return text.encode("latin-1")


def _bytes(*args: Any) -> bytes:
    """Empty bytes, or a copy of bytes."""
    if args and type(args[0]) is str:
        return _encode(*args)
    if args and type(args[0]) is not bytes:
        raise ValueError("bytes of what is none")
    return args[0] if args else b""


def _mapping(pairs: Any = ()) -> dict[Any, Any]:
    """A dict of pairs."""
    return {hashable(key): value for key, value in (tuple(_checked(tuple(pair), 2)) for pair in pairs)}


def _sequence(items: Any = ()) -> list[Any]:
    """A set, as a list."""
    if type(items) not in (list, tuple):
        raise ValueError("a set of what is no list")
    return list(items)


def _dtype(code: Any, align: Any = False, copy: Any = True) -> Pending:
    """The dtype of a code like "f8"; byte order and fields come with its state."""
    return Pending(DTYPE, plain_dtype(code))


def plain_dtype(code: Any) -> np.dtype[Any]:
    """A dtype of numbers, text, bytes, records or objects from its code; anything else is refused."""
    code = code.decode("ascii") if type(code) is bytes else code
    match = CODE.fullmatch(code) if type(code) is str else None
    if match is None:
        raise ValueError("an array of an unknown type")
    out: np.dtype[Any] = np.dtype(code)
    if out.itemsize > MAX_ITEM:
        raise ValueError("an array of elements that are too large")
    return out


def _dtype_of_state(base: np.dtype[Any], state: Any) -> np.dtype[Any]:
    """The dtype with byte order, and the fields of a record."""
    if type(state) is not tuple or not 7 <= len(state) <= 9:
        raise ValueError("a type of another form")
    order, subtype, names, fields, size = state[1:6]
    if subtype is not None:
        kind, shape = _checked(subtype, 2)
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


def _is_dtype(kind: Any) -> np.dtype[Any]:
    if not isinstance(kind, np.dtype) or kind.hasobject:
        raise ValueError("a field of an unknown type")
    return kind


def _small(kind: np.dtype[Any]) -> np.dtype[Any]:
    if not 0 < kind.itemsize <= MAX_ITEM:
        raise ValueError("an array of elements that are too large")
    return kind


def _shape(shape: Any) -> tuple[int, ...]:
    """A shape of at most eight axes."""
    shape = (shape,) if type(shape) is int else shape
    if type(shape) is not tuple or len(shape) > 8 or any(type(n) is not int or not 0 <= n < 1 << 40 for n in shape):
        raise ValueError("an array of an impossible shape")
    return shape


def _array_of_state(version: Any, shape: Any, kind: Any, fortran: Any, raw: Any) -> np.ndarray[Any, Any]:
    """The array whose contents are bytes, or a list of objects."""
    if type(raw) is str:
        raw = _encode(raw)
    return _array(raw, kind, _shape(shape), "F" if fortran else "C")


def _array(raw: Any, kind: Any, shape: Any, order: str = "C") -> np.ndarray[Any, Any]:
    """An array whose size is that of its contents."""
    if not isinstance(kind, np.dtype):
        raise ValueError("an array without a type")
    shape = _shape(shape)
    if kind.hasobject:
        return _object_array(raw, kind, shape, order)
    if type(raw) is not bytes or kind.itemsize == 0 or prod(shape) * kind.itemsize != len(raw):
        raise ValueError("an array whose size is not that of its contents")
    out = np.frombuffer(raw, kind).reshape(shape, order="F" if order == "F" else "C")
    if kind.kind == "U" and out.size and int(np.frombuffer(raw, kind.byteorder + "u4").max()) > MAX_UNICODE:
        raise ValueError("text that is none")
    return out


def _object_array(items: Any, kind: np.dtype[Any], shape: tuple[int, ...], order: str) -> np.ndarray[Any, Any]:
    """An array of decoded objects."""
    if type(items) is not list or len(items) != prod(shape) or kind.kind != "O":
        raise ValueError("an object array whose size is not that of its contents")
    if _array_nesting(items) >= MAX_ARRAY_NESTING:
        raise ValueError("object arrays too deep in each other")
    out = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        out[i] = item
    return out.reshape(shape, order="F" if order == "F" else "C")


def _array_nesting(items: Any) -> int:
    """Levels of object arrays directly in each other among `items`; at most one more than allowed."""
    level, inside = 0, [item for item in items if _of_objects(item)]
    while inside and level < MAX_ARRAY_NESTING:
        level += 1
        inside = [part for array in inside for part in array.flat if _of_objects(part)][: 1 << 16]
    return level


def _of_objects(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "O"


def _scalar(kind: Any, raw: Any = None) -> Any:
    """A numpy scalar."""
    if type(raw) is str:
        raw = _encode(raw)
    if not isinstance(kind, np.dtype) or kind.hasobject:
        raise ValueError("a scalar of an unknown type")
    return _array(raw, kind, ())[()]


_MAKERS: dict[str, Any] = {
    ENCODE: _encode,
    BYTES: _bytes,
    MAPPING: _mapping,
    SEQUENCE: _sequence,
    DTYPE: _dtype,
    SCALAR: _scalar,
    BUFFER: _array,
}


def check_extent(root: Any, tolerant: bool = True) -> None:
    """Refuse data that are too deep, contain themselves, or grow beyond bounds when shared parts are written out.

    Inert objects count as leaves; what each of them holds is checked for itself.

    Raises
    ------
    FileFormatError
    """
    sizes: dict[int, int] = {}  # id of a container to its size written out; 0 while it is being walked
    roots = [root]
    seen: set[int] = set()
    while roots:
        start = roots.pop()
        if isinstance(start, Inert):
            if not tolerant:
                raise FileFormatError(f"holds the class {start.module}.{start.name}"[:MAX_NAME])
            if id(start) in seen:
                continue
            seen.add(id(start))
            for part in (start.state, start.args, start.items):
                _walk(part, sizes, roots)
        else:
            _walk(start, sizes, roots)


def _walk(start: Any, sizes: dict[int, int], inert: list[Any]) -> None:
    """Sizes of a container and all inside it, without recursion; inert objects are put aside."""
    if isinstance(start, Inert):
        inert.append(start)
        return
    if not _container(start) or id(start) in sizes:
        return
    sizes[id(start)] = 0
    path = [(start, iter(_parts(start)), 1)]
    while path:
        value, parts, size = path.pop()
        for part in parts:
            size += 1
            if isinstance(part, Inert):
                inert.append(part)
            elif _container(part):
                known = sizes.get(id(part))
                if known == 0:
                    raise FileFormatError("the pickled data contain themselves")
                if known is not None:
                    size += known
                else:
                    if len(path) >= MAX_DEPTH:
                        raise FileFormatError(f"the pickled data are nested deeper than {MAX_DEPTH}")
                    sizes[id(part)] = 0
                    path.append((value, parts, size))
                    path.append((part, iter(_parts(part)), 1))
                    break
            if size > MAX_NODES:
                raise FileFormatError(f"the pickled data grow beyond {MAX_NODES} values")
        else:
            sizes[id(value)] = size
            if path:
                outer, rest, so_far = path[-1]
                path[-1] = (outer, rest, so_far + size)


def _container(value: Any) -> bool:
    return type(value) in (list, tuple, dict) or _of_objects(value)


def _parts(value: Any) -> Any:
    if type(value) is dict:
        return [*value.values(), *(key for key in value if isinstance(key, Inert))]
    return value.flat if isinstance(value, np.ndarray) else value
