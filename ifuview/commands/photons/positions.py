"""Positions of a dithered exposure from a TOML file: start and stop of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from ifuview.errors import FileFormatError, UsageError
from ifuview.inputs import read_toml

MOST = 1000
LISTS = (("start", "stop"), ("startTimes", "stopTimes"))  # ours, and those of published dither configurations
OF_A_TABLE = ("name", "start", "stop")
MOST_NAMED = 12  # keys that a sentence lists
CLOCK = 1e8  # s; larger times are those of a clock (unix), not since the start of a list
EXAMPLE = "write start = [0, 30] and stop = [30, 60], or a table [[position]] with start and stop for each"


class Position(NamedTuple):
    """A position: its name, and start and stop in s since the start of the list."""

    name: str
    start: float
    stop: float


def read_positions(path: str, clock: float) -> tuple[Position, ...]:
    """Read positions, in the order of time.

    Parameters
    ----------
    path : str
        TOML: lists `start` and `stop` (or `startTimes`, `stopTimes`), or tables `[[position]]` with `start`, `stop`
        and a `name`; s since the start of the list, or unix times.
    clock : float, s
        Unix time at which the list starts.

    Raises
    ------
    FileFormatError, MissingDataError
        It is not there, or no TOML of this form.
    UsageError
        A position ends before it starts, or two overlap.
    """
    rows = _rows(read_toml(path), path)
    names = [str(row.get("name", k)) for k, row in enumerate(rows, 1)]
    if len(set(names)) < len(names):
        raise UsageError("two positions have the same name", path, "give each its own")
    out = sorted((_position(row, k, clock, path) for k, row in enumerate(rows, 1)), key=lambda p: p.start)
    for before, after in pairwise(out):
        if after.start < before.stop:
            raise UsageError(f"positions {before.name} and {after.name} overlap", path, "correct their times")
    return tuple(out)


def not_used(path: str) -> tuple[str, ...]:
    """A sentence about the keys of a file of positions that say nothing here; none if all are used."""
    found = read_toml(path)
    tables = found.get("position")
    if isinstance(tables, list):
        known: tuple[str, ...] = ("position",)
        inner = dict.fromkeys(f"position.{key}" for row in tables for key in row if key not in OF_A_TABLE)
    else:
        known = next(((a, b) for a, b in LISTS if a in found and b in found), ())
        inner = {}
    unknown = [*(key for key in found if key not in known), *inner]
    if not unknown:
        return ()
    listed = ", ".join(unknown[:MOST_NAMED]) + (f" and {len(unknown) - MOST_NAMED} more" * (len(unknown) > MOST_NAMED))
    return (f"{path}: not used: {listed}; known are start and stop, and name in a table [[position]].",)


def _rows(found: dict[str, object], path: str) -> list[dict[str, object]]:
    """One mapping a position."""
    tables = found.get("position")
    if isinstance(tables, list) and all(isinstance(row, Mapping) for row in tables):
        rows = [dict(row) for row in tables]
    else:
        start, stop = next(((found[a], found[b]) for a, b in LISTS if a in found and b in found), (None, None))
        if not isinstance(start, list) or not isinstance(stop, list):
            raise FileFormatError("has no positions", path, EXAMPLE)
        if len(start) != len(stop):
            raise FileFormatError(f"has {len(start)} starts and {len(stop)} stops", path, EXAMPLE)
        rows = [{"start": a, "stop": b} for a, b in zip(start, stop)]
    if not 0 < len(rows) <= MOST:
        raise FileFormatError(f"has {len(rows)} positions", path, f"give 1 to {MOST}")
    return rows


def _position(row: Mapping[str, object], number: int, clock: float, path: str) -> Position:
    """One position, checked."""
    name = str(row.get("name", number))[:60]
    start, stop = (_seconds(row.get(key), clock) for key in ("start", "stop"))
    if not (math.isfinite(start) and math.isfinite(stop)):
        raise FileFormatError(f"position {name} has no start and stop in seconds", path, EXAMPLE)
    if not stop > start:
        raise UsageError(f"position {name} ends at {stop:g} s, not after its start", path, "correct its times")
    return Position(name, start, stop)


def _seconds(value: object, clock: float) -> float:
    """Seconds since the start of the list; NaN for what is no time."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e12:
        return math.nan
    return round(value - clock, 6) if value > CLOCK else float(value)
