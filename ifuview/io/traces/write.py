"""Traces to a file: FITS table, ECSV, CSV or JSON in the form of the trace plan, chosen by the suffix."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from ifuview.errors import FileFormatError, UsageError
from ifuview.files import whole_file
from ifuview.model.checks import Array, is_whole
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet

DIGITS = {"x_pixels": 4, "y_pixels": 4, "wavelength": 4}  # decimals of px and Angstrom in text files
UNITS = {"x_pixels": "pix", "y_pixels": "pix", "wavelength": "Angstrom"}


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
    with whole_file(path, "the traces", error=FileFormatError) as part, open(part, "wb") as file:
        file.write(content)


def _columns(traces: TraceSet, lies: Orientation, shape: tuple[int, int] | None) -> dict[str, Array]:
    """Long-form columns of all valid points."""
    if shape is None:
        size = (int(np.nanmax(traces.center)) + 2, traces.ncol)
        shape = (size[1], size[0]) if lies.transpose else size
    valid = np.isfinite(traces.center) if traces.valid is None else traces.valid & np.isfinite(traces.center)
    row, column = np.nonzero(valid)
    x, y = lies.to_native(traces.center[row, column], column.astype(float), shape)
    identity = np.array(traces.fiber_id)
    fiber = identity.astype(np.int64) if all(map(is_whole, traces.fiber_id)) else identity
    out = {"fiber_id": fiber[row], "x_pixels": np.asarray(x, float), "y_pixels": np.asarray(y, float)}
    if traces.wave is not None:
        out["wavelength"] = np.asarray(traces.wave[row, column], float)
    return out


def _csv(columns: dict[str, Array]) -> bytes:
    """Comma-separated values."""
    cells = [[_cell(name, value) for value in column.tolist()] for name, column in columns.items()]
    return "\n".join([",".join(columns), *(",".join(row) for row in zip(*cells)), ""]).encode(
        "utf-8", "backslashreplace"
    )


def _ecsv(columns: dict[str, Array]) -> bytes:
    """CSV with the header of astropy's ECSV 1.0."""
    lines = ["# %ECSV 1.0", "# ---", "# delimiter: ','", "# datatype:"]
    for name, column in columns.items():
        kind = {"i": "int64", "f": "float64"}.get(column.dtype.kind, "string")
        unit = f", unit: {UNITS[name]}" if name in UNITS else ""
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
    return json.dumps(tree).encode("utf-8", "backslashreplace")


def _fits(columns: dict[str, Array]) -> bytes:
    """A binary table in the first extension."""
    from astropy.io import fits
    from astropy.table import Table

    table = Table(columns, units={name: unit for name, unit in UNITS.items() if name in columns})
    hdu = fits.table_to_hdu(table)
    hdu.name = "TRACES"
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(out)
    return out.getvalue()


def _cell(name: str, value: object) -> str:
    """A number with the digits it deserves."""
    return f"{value:.{DIGITS[name]}f}" if isinstance(value, float) else str(value)


WRITERS: dict[str, Callable[[dict[str, Array]], bytes]] = {".fits": _fits, ".ecsv": _ecsv, ".csv": _csv, ".json": _json}
