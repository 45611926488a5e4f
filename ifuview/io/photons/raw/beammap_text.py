"""Beam-map text files: which resonator lies at which pixel, one resonator a line.

A line is `id flag x y` and possibly a frequency; x and y may be fractions, of
which the floor counts. Flags are values: 0 is good, v stands for bit v - 1.
"""

from __future__ import annotations

import numpy as np

from ifuview.errors import FileFormatError
from ifuview.inputs import regular_file
from ifuview.io.photons import flags as photon_flags
from ifuview.model.checks import Array
from ifuview.model.photons.lists import NO_RESONATOR, Beammap

MAX_BYTES = 64 << 20
MAX_SIDE = 4096  # pixels
SIZES = ((80, 125), (140, 146))  # (nx, ny) of arrays that were built; for maps whose failed resonators have no place
FAR = 1e9  # a position beyond all that is refused, which an integer can hold
COLUMNS = 4  # least number
NO_TONE = np.uint64(1)  # flag of a pixel that no resonator has


def read_beammap(path: str, shape: tuple[int, int] | None = None) -> Beammap:
    """Read a beam map.

    Where two resonators claim a pixel, the one with the better flag has it.

    Parameters
    ----------
    path : str
    shape : (ny, nx), optional
        Size of the array; default: told by the lines.

    Raises
    ------
    FileFormatError
        A line that is none, or a map of another size.
    """
    rows = _rows(path)
    if not (np.isfinite(rows[:, :2]) & (np.abs(rows[:, :2]) < FAR * FAR)).all():
        raise FileFormatError("has a resonator or a flag that is no whole number", path, "see the first two columns")
    ids, values = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    placed: Array = np.all(np.isfinite(rows[:, 2:4]) & (rows[:, 2:4] >= 0), axis=1)
    x, y = np.floor(np.minimum(np.where(placed[:, None], rows[:, 2:4], 0), FAR)).astype(np.int64).T
    ny, nx = _size(path, len(rows), x[placed], y[placed], shape)
    placed &= (x < nx) & (y < ny)
    order = np.argsort(-values, kind="stable")  # the best of a pixel is written last
    order = order[placed[order]]
    at_id = np.full((ny, nx), NO_RESONATOR, np.int64)
    flags = np.full((ny, nx), NO_TONE, np.uint64)
    at_id[y[order], x[order]] = ids[order]
    flags[y[order], x[order]] = photon_flags.bits_of_values(values[order])
    there = at_id != NO_RESONATOR
    known, place = np.unique(at_id[there], return_inverse=True)
    index = np.full((ny, nx), -1, np.int32)
    index[there] = place.reshape(-1)
    return Beammap(known, index, flags, photon_flags.complete(photon_flags.BEAMMAP_FLAGS, flags))


def _size(path: str, nline: int, x: Array, y: Array, shape: tuple[int, int] | None) -> tuple[int, int]:
    """(ny, nx) of the array."""
    if not len(x):
        raise FileFormatError("the beam map places no resonator", path)
    nx, ny = int(x.max()) + 1, int(y.max()) + 1
    if shape is not None:
        if nx > shape[1] or ny > shape[0]:
            raise FileFormatError(f"the beam map needs {nx} x {ny} pixels, the array has {shape[1]} x {shape[0]}", path)
        return shape
    built = [size for size in SIZES if size[0] * size[1] == nline and nx <= size[0] and ny <= size[1]]
    if built:
        nx, ny = built[0]
    if nx > MAX_SIDE or ny > MAX_SIDE:
        raise FileFormatError(f"the beam map has a position beyond {MAX_SIDE} pixels", path)
    return ny, nx


def _rows(path: str, least: int = COLUMNS) -> Array:
    """The numbers of all lines, shape (nline, ncolumn)."""
    if regular_file(path).st_size > MAX_BYTES:
        raise FileFormatError("is too large for a beam map", path)
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [(number, line.split()) for number, line in enumerate(file, 1)]
    lines = [(number, words) for number, words in lines if words and not words[0].startswith("#")]
    width = len(lines[0][1]) if lines else 0
    if width < least:
        raise FileFormatError("is no beam map (lines of: resonator flag x y)", path)
    out = np.empty((len(lines), width))
    for row, (number, words) in enumerate(lines):
        try:
            out[row] = [float(word) for word in words]
        except ValueError as problem:
            raise FileFormatError(f"line {number} is not {width} numbers", path) from problem
    if not (np.isfinite(out[:, :2]) & (out[:, :2] >= 0) & (out[:, :2] < NO_RESONATOR)).all():
        raise FileFormatError("a resonator id or flag of the beam map is no number from 0", path)
    return out
