"""Values of steps by their keys, as many as there is room for."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock

import numpy as np

CACHE_BYTES = 700 << 20


class ValueCache:
    """Values by their keys, the ones not used for longest given up first.

    Parameters
    ----------
    limit : int, bytes
    """

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self.limit = limit
        self._values: OrderedDict[str, tuple[object, int]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Bytes that are held."""
        return self._size

    def get(self, key: str) -> tuple[bool, object]:
        """Whether the value is there, and the value."""
        with self._lock:
            if key not in self._values:
                return False, None
            self._values.move_to_end(key)
            return True, self._values[key][0]

    def put(self, key: str, value: object) -> None:
        """Hold the value as long as there is room."""
        size = nbytes(value)
        with self._lock:
            self._size += size - self._values.pop(key, (None, 0))[1]
            self._values[key] = value, size
            while self._size > self.limit and len(self._values) > 1:
                _, (_, gone) = self._values.popitem(last=False)
                self._size -= gone

    def clear(self) -> None:
        """Hold nothing."""
        with self._lock:
            self._values.clear()
            self._size = 0


class LastCaches:
    """The caches of what was made last; those of another give way to it.

    Parameters
    ----------
    *limits : int, bytes
        One for each cache.
    """

    def __init__(self, *limits: int) -> None:
        self._limits = limits
        self._held: tuple[str, tuple[ValueCache, ...]] = "", ()

    def of(self, key: str) -> tuple[ValueCache, ...]:
        """Those of a key; empty ones if that of before was another."""
        if self._held[0] != key or not self._held[1]:
            self._held = key, tuple(ValueCache(limit) for limit in self._limits)
        return self._held[1]


def nbytes(value: object, seen: set[int] | None = None) -> int:
    """Bytes of all arrays in a value; an array that is there twice counts once."""
    seen = set() if seen is None else seen
    if isinstance(value, np.ndarray):
        owner = value if value.base is None else value.base
        if id(owner) in seen:
            return 0
        seen.add(id(owner))
        return value.nbytes
    if dataclasses.is_dataclass(value):
        return sum(nbytes(getattr(value, one.name), seen) for one in dataclasses.fields(value))
    if isinstance(value, Mapping):
        return sum(nbytes(one, seen) for one in value.values())
    if isinstance(value, (tuple, list)):
        return sum(nbytes(one, seen) for one in value)
    return 0
