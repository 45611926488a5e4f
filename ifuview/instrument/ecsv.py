"""Read an ECSV table of plain columns without a parser of YAML, and two older forms of tables as text."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.inputs import json_of, read_text
from ifuview.model.checks import Array

COLUMN = re.compile(
    r"# - \{name: (?P<name>[^,}]+)(?:, unit: (?P<unit>[^,}]+))?, datatype: (?P<type>\w+)"
    r"(?:, subtype: '?(?P<list>\w+)\[(?:null|\d+)\]'?)?\}"
)
META = re.compile(r"# - \{(?P<key>\w+): '?(?P<value>.*?)'?\}")
LIST = "[]"  # behind the type of what is a list in each row
TYPES = {"string": np.str_, "int64": np.int64, "float64": np.float64}


@dataclass(frozen=True, slots=True, eq=False)
class PlainTable:
    """Columns by name, their units, and what the header says besides (content, source, license)."""

    columns: dict[str, Array]
    units: dict[str, str] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)

    def where(self, **values: object) -> PlainTable:
        """The rows in which these columns have these values."""
        good = np.ones(len(next(iter(self.columns.values()))), bool)
        for name, value in values.items():
            good &= self.columns[name] == value
        return PlainTable({name: column[good] for name, column in self.columns.items()}, self.units, self.meta)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


def read_ecsv(path: Path, needed: tuple[str, ...] = ()) -> PlainTable:
    """Read a table.

    Raises
    ------
    FileFormatError
        It cannot be read, lacks a column, or has text where a number is due.
    """
    lines = _lines(path)
    head = [line for line in lines if line.startswith("#")]
    kinds: dict[str, str] = {}
    units: dict[str, str] = {}
    meta: dict[str, str] = {}
    for line in head:
        if (found := COLUMN.fullmatch(line.strip())) is not None:
            kinds[found["name"]] = f"{found['list']}{LIST}" if found["list"] else found["type"]
            units[found["name"]] = found["unit"] or ""
        elif (said := META.fullmatch(line.strip())) is not None:
            meta[said["key"]] = said["value"]
    rows = list(csv.reader((line for line in lines if line.strip() and not line.startswith("#")), delimiter=" "))
    names = rows[0] if rows else []
    lacking = [name for name in (*kinds, *needed) if name not in names]
    if lacking or not kinds:
        raise FileFormatError(f"is no ECSV table with {', '.join(lacking) or 'columns'}", str(path))
    wrong = next((n for n, row in enumerate(rows) if len(row) != len(names)), None)
    if wrong is not None:
        raise FileFormatError(f"row {wrong} has {len(rows[wrong])} values, not {len(names)}", str(path))
    try:
        columns = {
            name: _column(kinds.get(name, "string"), values)
            for name, values in zip(names, zip(*rows[1:]) if len(rows) > 1 else [()] * len(names))
        }
    except ValueError as problem:
        raise FileFormatError(f"has text where a number is due ({problem})", str(path)) from problem
    return PlainTable(columns, units, meta)


def _column(kind: str, values: tuple[str, ...]) -> Array:
    """The values of a column; each of a column of lists is an array."""
    if not kind.endswith(LIST):
        return np.array(values, TYPES.get(kind, np.str_))
    out = np.empty(len(values), object)
    for n, value in enumerate(values):
        out[n] = np.array(json_of(value, "a list of numbers"), TYPES[kind.removesuffix(LIST)])
    return out


def read_words(path: Path, least: int) -> list[list[str]]:
    """The rows of a table of words; `#` begins a comment, rows with fewer words than `least` are left out."""
    return [words for line in _lines(path) if len(words := line.partition("#")[0].split()) >= least]


def _lines(path: Path) -> list[str]:
    try:
        return read_text(path).splitlines()
    except MissingDataError as problem:
        raise FileFormatError(problem.what, str(path)) from problem
