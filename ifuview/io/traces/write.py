"""Traces to a file: FITS table, ECSV, CSV or JSON in the form of the trace plan, chosen by the suffix."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from ifuview.errors import FileFormatError, UsageError
from ifuview.model.checks import Array
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet

BLOCK, CARD = 2880, 80  # bytes, FITS standard 3.1 and 4.1
DIGITS = {"x_pixels": 4, "y_pixels": 4, "wavelength": 4}  # decimals of px and Angstrom in text files


def write_traces(
    path: str | os.PathLike[str],
    traces: TraceSet,
    orientation: Orientation | None = None,
    shape: tuple[int, int] | None = None,
) -> None:
    """Write one row a point, in native 0-based pixels; only where the trace is valid.

    Parameters
    ----------
    path : str or path
        Its suffix decides: .fits, .ecsv, .csv or .json.
    traces : TraceSet
    orientation : Orientation, optional
        Of the image they belong to. Default: canonical axes as they are.
    shape : (int, int), optional
        Native (ny, nx) of that image; needed for a flipped orientation.

    Raises
    ------
    UsageError
        Another suffix.
    FileFormatError
        The file cannot be written.
    """
    path = os.fspath(path)
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in WRITERS:
        raise UsageError(f'traces cannot be written as "{suffix}"', path, f"use {', '.join(WRITERS)}")
    content = WRITERS[suffix](_columns(traces, orientation or Orientation(), shape))
    temporary = f"{path}.part{os.getpid()}"
    try:
        with open(temporary, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError as problem:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise FileFormatError(f"cannot be written ({problem.strerror})", path) from problem


def _columns(traces: TraceSet, lies: Orientation, shape: tuple[int, int] | None) -> dict[str, Array]:
    """Long-form columns of all valid points."""
    if shape is None:
        size = (int(np.nanmax(traces.center)) + 2, traces.ncol)
        shape = (size[1], size[0]) if lies.transpose else size
    valid = np.isfinite(traces.center) if traces.valid is None else traces.valid & np.isfinite(traces.center)
    row, column = np.nonzero(valid)
    x, y = lies.to_native(traces.center[row, column], column.astype(float), shape)
    identity = np.array(traces.fiber_id)
    fiber = identity.astype(np.int64) if all(text.isdecimal() for text in traces.fiber_id) else identity
    out = {"fiber_id": fiber[row], "x_pixels": np.asarray(x, float), "y_pixels": np.asarray(y, float)}
    if traces.wave is not None:
        out["wavelength"] = np.asarray(traces.wave[row, column], float)
    return out


def _csv(columns: dict[str, Array]) -> bytes:
    """Comma-separated values."""
    cells = [[_cell(name, value) for value in column.tolist()] for name, column in columns.items()]
    return "\n".join([",".join(columns), *(",".join(row) for row in zip(*cells)), ""]).encode()


def _ecsv(columns: dict[str, Array]) -> bytes:
    """CSV with the header of astropy's ECSV 1.0."""
    lines = ["# %ECSV 1.0", "# ---", "# delimiter: ','", "# datatype:"]
    for name, column in columns.items():
        kind = {"i": "int64", "f": "float64"}.get(column.dtype.kind, "string")
        unit = {"x_pixels": ", unit: pix", "y_pixels": ", unit: pix", "wavelength": ", unit: Angstrom"}.get(name, "")
        lines.append(f"# - {{name: {name}{unit}, datatype: {kind}}}")
    return "\n".join([*lines, "# schema: astropy-2.0", ""]).encode() + _csv(columns)


def _json(columns: dict[str, Array]) -> bytes:
    """A dictionary of fibers."""
    fiber = columns["fiber_id"]
    edges = [0, *(np.flatnonzero(fiber[1:] != fiber[:-1]) + 1).tolist(), len(fiber)]
    tree = {}
    for start, stop in pairwise(edges):
        values = {
            name: np.round(columns[name][start:stop], digits).tolist()
            for name, digits in DIGITS.items()
            if name in columns
        }
        tree[str(fiber[start])] = {"fiber_id": fiber[start].item(), **values}
    return json.dumps(tree).encode()


def _fits(columns: dict[str, Array]) -> bytes:
    """A binary table in the first extension."""
    codes = {"i": ("K", ">i8"), "f": ("D", ">f8")}
    dtype, cards = [], []
    for number, (name, column) in enumerate(columns.items(), 1):
        width = max(column.dtype.itemsize // 4, 1)
        code, stored = codes.get(column.dtype.kind, (f"{width}A", f"S{width}"))
        dtype.append((name, stored))
        cards += [("TTYPE" + str(number), f"'{name}'"), ("TFORM" + str(number), f"'{code:<8}'")]
    rows = np.empty(len(columns["fiber_id"]), dtype=dtype)
    for name, column in columns.items():
        rows[name] = column
    head: list[tuple[str, object]] = [
        ("XTENSION", "'BINTABLE'"),
        ("BITPIX", 8),
        ("NAXIS", 2),
        ("NAXIS1", rows.dtype.itemsize),
    ]
    head += [("NAXIS2", len(rows)), ("PCOUNT", 0), ("GCOUNT", 1), ("TFIELDS", len(columns)), ("EXTNAME", "'TRACES  '")]
    data = rows.tobytes()
    primary = _header([("SIMPLE", "T"), ("BITPIX", 8), ("NAXIS", 0), ("EXTEND", "T")])
    return primary + _header([*head, *cards]) + data.ljust(-(-len(data) // BLOCK) * BLOCK, b"\0")


def _header(cards: list[tuple[str, object]]) -> bytes:
    """Header blocks."""
    lines = [
        f"{key:<8}= {value:<20}" if isinstance(value, str) and value[0] == "'" else f"{key:<8}= {value!s:>20}"
        for key, value in cards
    ]
    raw = "".join(line.ljust(CARD) for line in [*lines, "END"])
    return raw.ljust(-(-len(raw) // BLOCK) * BLOCK).encode("ascii")


def _cell(name: str, value: object) -> str:
    """A number with the digits it deserves."""
    return f"{value:.{DIGITS[name]}f}" if isinstance(value, float) else str(value)


WRITERS: dict[str, Callable[[dict[str, Array]], bytes]] = {".fits": _fits, ".ecsv": _ecsv, ".csv": _csv, ".json": _json}
