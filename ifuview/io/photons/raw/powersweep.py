"""Resonator frequencies from power-sweep text: lines of 3 columns (id, Hz, attenuation) or 9 (frequency the fifth)."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.model.checks import Array

FREQUENCY_COLUMN = {3: 1, 9: 4}  # columns of a line to that of the frequency, from 0
HERTZ = (1e6, 1e12)  # Hz; what a resonator can have
MAX_BYTES = 64 << 20
MAX_ID = 2**63 - 1


def read_powersweeps(paths: Sequence[str]) -> tuple[Array, Array]:
    """Resonator ids, ascending, and their frequencies in Hz; the last file that has a resonator counts.

    Raises
    ------
    FileFormatError, MissingDataError
        A file is not there, or is no such text.
    """
    found: dict[int, float] = {}
    for path in paths:
        found.update(_read(path))
    ids = np.array(sorted(found), np.int64)
    return ids, np.array([found[i] for i in ids.tolist()])


def _read(path: str) -> dict[int, float]:
    """Ids and frequencies of one file."""
    if not os.path.isfile(path):
        raise MissingDataError("there is no such file", path, "check the name")
    if os.path.getsize(path) > MAX_BYTES:
        raise FileFormatError("is too large for a power sweep", path)
    out: dict[int, float] = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            column = FREQUENCY_COLUMN.get(len(words))
            try:
                resonator, frequency = int(float(words[0])), float(words[column or 0])
            except (ValueError, OverflowError):
                column = None
            if column is None or not 0 <= resonator <= MAX_ID:
                raise FileFormatError(f"is no power sweep (line {number})", path, "give 3 or 9 columns of numbers")
            if HERTZ[0] < frequency < HERTZ[1]:
                out[resonator] = frequency
    if not out:
        raise FileFormatError("has no resonator frequencies", path)
    return out
