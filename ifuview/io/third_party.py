"""Readers of other packages: entry points of the group `ifuview.readers`, each an object with `name`, `score`, `read`.

The files `entry_points.txt` are read as they lie, since `importlib.metadata` costs fifty times as much (2026-11-28:
50 ms against 1 ms for 68 packages) and every file that is opened goes past here.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import NamedTuple, Protocol

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, IfuviewError
from ifuview.instrument import PLAIN, names
from ifuview.io.fits.spec import FileSpec
from ifuview.model.dataset import Dataset

GROUP = "ifuview.readers"
METADATA = (".dist-info", ".egg-info")
ENTRIES = "entry_points.txt"


class FileReader(Protocol):
    """What an entry point has to be."""

    name: str

    def score(self, path: str) -> float:
        """How well it fits the file, 0 (not at all) to 1; a sure one says 0.9. It must not raise."""

    def read(self, spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
        """Make the Dataset."""


class Entry(NamedTuple):
    """One entry point: its name, `module:object`, and the package that it comes from."""

    name: str
    target: str
    package: str


class Loaded(NamedTuple):
    """The reader of an entry point, or why there is none."""

    entry: Entry
    reader: FileReader | None
    problem: str = ""


@cache
def entries() -> tuple[Entry, ...]:
    """Entry points of the packages that are installed."""
    return tuple(entry for folder in dict.fromkeys(sys.path) for entry in _entries_in(folder or "."))


def _entries_in(folder: str) -> list[Entry]:
    """Entry points of the packages of one folder."""
    out: list[Entry] = []
    try:
        names = [name for name in os.listdir(folder) if name.endswith(METADATA)]
    except OSError:
        return out
    for name in names:
        try:
            with open(os.path.join(folder, name, ENTRIES), encoding="utf-8") as file:
                text = file.read()
        except (OSError, ValueError):
            continue
        if GROUP in text:
            out += _group(text, name.rpartition(".")[0])
    return out


def _group(text: str, package: str) -> list[Entry]:
    """The lines `name = module:object` of the group."""
    out, inside = [], False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line.strip("[] ") == GROUP
        elif inside and "=" in line and not line.startswith("#"):
            name, _, target = line.partition("=")
            out.append(Entry(name.strip(), target.strip(), package))
    return out


@cache
def loaded() -> tuple[Loaded, ...]:
    """The readers of all entry points; one that cannot be imported has a problem."""
    return tuple(_load(entry) for entry in entries())


def _load(entry: Entry) -> Loaded:
    """Import one reader."""
    module, _, name = entry.target.partition(":")
    where = f"the reader {entry.name} of {entry.package}"
    try:
        reader = getattr(import_module(module), name or "READER")
    except Exception as problem:  # whatever another package does when it is imported
        return Loaded(entry, None, f"{where} cannot be loaded ({type(problem).__name__}: {problem})")
    lacking = [word for word in ("name", "score", "read") if not hasattr(reader, word)]
    return Loaded(entry, None, f"{where} has no {', '.join(lacking)}") if lacking else Loaded(entry, reader)


def problems() -> tuple[str, ...]:
    """What is wrong with the readers of other packages, one sentence each."""
    return tuple(one.problem for one in loaded() if one.problem)


def best(path: str) -> tuple[FileReader | None, float]:
    """The reader of another package that fits a file best, and how well; (None, 0.0) if none does."""
    found: tuple[FileReader | None, float] = (None, 0.0)
    for one in loaded():
        if one.reader is None:
            continue
        try:
            score = float(one.reader.score(path))
        except Exception:  # a reader that fails on a file does not read it
            continue
        if score > found[1]:
            found = one.reader, score
    return found


def read(reader: FileReader, spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
    """Read a file with the reader of another package; an instrument that no instrument file describes is plain.

    Raises
    ------
    FileFormatError
        The reader failed.
    """
    try:
        found = reader.read(spec, ctx)
    except IfuviewError:
        raise
    except Exception as problem:
        text = f"the reader {reader.name} failed ({type(problem).__name__}: {problem})"
        raise FileFormatError(text, spec.path) from problem
    if not isinstance(found, Dataset):
        raise FileFormatError(f"the reader {reader.name} gave {type(found).__name__} in place of a Dataset", spec.path)
    return found if found.instrument in names() else replace(found, instrument=PLAIN)
