"""What a decoded pickle may hold, and how it is made: arrays, series and inert stand-ins, by this code alone.

Used by `ifuview.io.safe.pickle`. The names in a pickle are looked up in the
tables below and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ifuview.errors import FileFormatError
from ifuview.io.safe.arrays import (
    array_of_bytes,
    array_of_state,
    checked,
    dtype_of_state,
    encode,
    of_objects,
    plain_dtype,
    scalar,
)

MAX_DEPTH = 64  # nesting of containers
MAX_NODES = 1 << 23  # values that the data have when written out, shared parts counted each time
MAX_NAME = 200  # characters of a class name that are shown

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

    def __init__(self, module: str, name: str, args: tuple[object, ...] | None = None) -> None:
        self.module, self.name, self.args = module, name, args
        self.state: object = None
        self.items: list[object] = []

    def __repr__(self) -> str:
        """The name alone; the state may be large."""
        return f"<inert {self.module}.{self.name}>"

    def get(self, name: str, default: object = None) -> object:
        """An attribute of the object, if its state is a dict (or a pair with the dict of its slots)."""
        parts = self.state if isinstance(self.state, tuple) else (self.state,)
        return next((part[name] for part in parts if isinstance(part, dict) and name in part), default)


class Rules:
    """How one pickle is decoded.

    Parameters
    ----------
    tolerant : bool
        Other classes become inert instead of being refused.
    """

    __slots__ = ("levels", "tolerant")

    def __init__(self, tolerant: bool) -> None:
        self.tolerant = tolerant
        self.levels: dict[int, int] = {}  # of object arrays in object arrays


class Unbuilt:
    """An array, dtype or series whose contents come with its state."""

    __slots__ = ("base", "final", "kind")

    def __init__(self, kind: str, base: object = None) -> None:
        self.kind, self.base = kind, base
        self.final: object = None


def named(module: str, name: str, rules: Rules) -> Inert:
    """The marker of a class or function.

    Raises
    ------
    FileFormatError
        Strict decoding, and it is none of the few that stand for plain data.
    """
    if not rules.tolerant and (module, name) not in KNOWN and name != SERIES_NAME:
        raise FileFormatError(f"holds an object of the class {module}.{name}"[:MAX_NAME] + ", which is not plain data")
    return Inert(module, name)


def _role(target: object) -> str:
    """What a marker stands for; "" for none of the known."""
    if not isinstance(target, Inert) or target.args is not None:
        return ""
    return SERIES if target.name == SERIES_NAME else KNOWN.get((target.module, target.name), "")


def called(target: object, args: tuple[object, ...], rules: Rules) -> object:
    """What calling a marker would have made."""
    role = _role(target)
    if role == RECONSTRUCT and len(args) == 3:
        return created(args[0], (), rules)
    if role == NEW and args:
        return created(args[0], args[1:], rules)
    if role == ARRAY and args and _role(args[0]) == NDARRAY:
        return Unbuilt(ARRAY)
    maker = _MAKERS.get(role)
    if maker is not None:
        return maker(*args)
    return created(target, args, rules)


def created(target: object, args: object, rules: Rules) -> object:
    """A new object of a class: a series, or inert."""
    if not isinstance(target, Inert) or type(args) is not tuple:
        raise ValueError("an object of what is no class")
    if _role(target) == SERIES:
        return Unbuilt(SERIES)
    if not rules.tolerant:
        raise FileFormatError(f"holds an object of the class {target.module}.{target.name}, which is not plain data")
    return Inert(target.module, target.name, args)


def built(target: object, state: object, rules: Rules) -> object:
    """The object with its state."""
    if isinstance(target, Inert) and target.args is not None:
        target.state = state
        return target
    if isinstance(target, Unbuilt) and target.final is None:
        if target.kind == ARRAY:
            return array_of_state(state, rules.levels)
        if target.kind == DTYPE and isinstance(target.base, np.dtype):
            return dtype_of_state(target.base, state)
        return _series(state)
    raise ValueError("a state for what has none")


def finished(value: object) -> object:
    """A value as it may lie in a container."""
    if not isinstance(value, Unbuilt):
        return value
    if value.final is not None:
        return value.final
    if value.kind == DTYPE:
        return value.base
    raise ValueError("an object without its contents")


def hashable(key: object) -> object:
    """The key of a dict: a plain scalar, or a short tuple of them (no more, lest its hash take forever)."""
    if type(key) in KEYS or isinstance(key, (np.number, np.bool_, Inert)):
        return key
    if type(key) is tuple and len(key) <= MAX_DEPTH and all(type(part) in KEYS for part in key):
        return key
    raise ValueError("a key that is no scalar")


def _series(state: object) -> dict[str, object]:
    """A header value over time."""
    parts = state if type(state) is tuple else (state,)
    found = {key: part[key] for part in parts if type(part) is dict for key in ("times", "values") if key in part}
    if set(found) != {"times", "values"}:
        raise ValueError("a series without times or values")
    return {"times": list(found["times"]), "values": list(found["values"])}


def _bytes(value: object = b"", encoding: str = "latin1") -> bytes:
    """Empty bytes, or a copy of bytes."""
    if type(value) is str:
        return encode(value, encoding)
    if type(value) is not bytes:
        raise ValueError("bytes of what is none")
    return value


def _mapping(pairs: Iterable[Iterable[object]] = ()) -> dict[object, object]:
    """A dict of pairs."""
    return {hashable(key): value for key, value in (tuple(checked(tuple(pair), 2)) for pair in pairs)}


def _sequence(items: object = ()) -> list[object]:
    """A set, as a list."""
    if type(items) is list or type(items) is tuple:
        return list(items)
    raise ValueError("a set of what is no list")


def _dtype(code: object, align: object = False, copy: object = True) -> Unbuilt:
    """The dtype of a code like "f8"; byte order and fields come with its state."""
    return Unbuilt(DTYPE, plain_dtype(code))


_MAKERS: dict[str, Callable[..., object]] = {
    ENCODE: encode,
    BYTES: _bytes,
    MAPPING: _mapping,
    SEQUENCE: _sequence,
    DTYPE: _dtype,
    SCALAR: scalar,
    BUFFER: array_of_bytes,
}


def check_extent(root: object, tolerant: bool = True) -> None:
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


def _walk(start: object, sizes: dict[int, int], inert: list[object]) -> None:
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
            _bounded(size)
        else:
            sizes[id(value)] = _bounded(size)
            if path:
                outer, rest, so_far = path[-1]
                path[-1] = (outer, rest, so_far + size)


def _bounded(size: int) -> int:
    """The size, which is not beyond bounds."""
    if size > MAX_NODES:
        raise FileFormatError(f"the pickled data grow beyond {MAX_NODES} values")
    return size


def _container(value: object) -> bool:
    return type(value) in (list, tuple, dict) or of_objects(value)


def _parts(value: object) -> Iterable[object]:
    """What lies in a container."""
    if type(value) is dict:
        return [*value.values(), *(key for key in value if isinstance(key, Inert))]
    if isinstance(value, np.ndarray):
        return value.flat
    return value if type(value) is list or type(value) is tuple else ()
