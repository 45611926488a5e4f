"""What all forms of a calibration have in common: kinds, names, resonator ids, flags, words of a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ifuview.errors import FileFormatError
from ifuview.model.checks import Array
from ifuview.model.photons.lists import NO_RESONATOR
from ifuview.model.photons.wavelength_solution import WAVE_BIT

if TYPE_CHECKING:
    from h5py import File

OWN = "ifuview calibration"  # root attribute `format`
WAVECAL, FLATCAL = "wavelength solution", "flat"
MAX_RESONATORS = 1 << 20
MAX_WORD = 60_000  # bytes of an attribute
UNKNOWN = "is no {0} (old or modern, or one of ifuview)"


def solution_name(path: str) -> str:
    """The name of a solution: that of its file, without folder and suffix."""
    return os.path.splitext(os.path.basename(path))[0]


def pixel_grid(ids: Array) -> Array:
    """Resonator ids of a file [x, y] as (ny, nx), -1 for none."""
    ids = np.asarray(ids).T.astype(np.int64)
    return np.where((ids < 0) | (ids == NO_RESONATOR), -1, ids)


def unique_rows(ids: Array, path: str) -> tuple[Array, Array]:
    """Ids that are there once, ascending, and their rows: an id that is there twice names nothing for sure."""
    ids = np.asarray(ids).reshape(-1).astype(np.int64)
    if len(ids) > MAX_RESONATORS:
        raise FileFormatError(f"lists {len(ids)} resonators", path)
    known, first, count = np.unique(ids, return_index=True, return_counts=True)
    keep = (count == 1) & (known >= 0) & (known != NO_RESONATOR)
    return known[keep], first[keep]


def wave_bits(names: tuple[str, ...]) -> int:
    """The flags of those names."""
    return sum(WAVE_BIT[name] for name in names)


def root_word(file: File, name: str) -> str:
    """A root attribute of fixed length as text; "" if there is none. Others are left to the library, which may hang."""
    from h5py import h5a, h5t

    key = name.encode()
    if not h5a.exists(file.id, key):
        return ""
    stored = h5a.open(file.id, key)
    kind = stored.get_type()
    if not isinstance(kind, h5t.TypeStringID) or kind.is_variable_str() or kind.get_size() > MAX_WORD or stored.shape:
        return ""
    return as_text(file.attrs[name])


def as_text(value: object) -> str:
    """Bytes or text as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
