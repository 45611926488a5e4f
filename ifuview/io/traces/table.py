"""Traces as points: `fiber_id, x_pixels, y_pixels, wavelength` in a FITS table, ECSV, CSV or JSON.

One row a point (long form), one row a fiber with lists in its cells, or a
dictionary of fibers: all become the same per-fiber arrays of native pixels,
which are then brought to every dispersion pixel by interpolation.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from ifuview.errors import FileFormatError, IfuviewError, MissingDataError
from ifuview.inputs import json_of, regular_file
from ifuview.io.fits.fast import FitsFile
from ifuview.io.fits.table import read_table
from ifuview.io.traces.points import Points, traces_from_points
from ifuview.model.checks import Array
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet

ALIASES = {
    "fiber_id": ("fiber_id", "fiberid", "fiber", "fibre", "fibre_id", "id"),
    "x_pixels": ("x_pixels", "x_pixel", "xpix", "x"),
    "y_pixels": ("y_pixels", "y_pixel", "ypix", "y"),
    "wavelength": ("wavelength", "wavelengths", "wave", "lambda"),
}
VALUES = ("x_pixels", "y_pixels", "wavelength")
NEEDED = ("fiber_id", "x_pixels", "y_pixels")
MAX_SIZE = 1 << 30  # bytes of a text file that is taken for traces
MAX_NAMES = 10  # columns listed in a message
LOOK = 4096  # characters that show whether cells are quoted
SEPARATORS = ",;\t|"

Shape = tuple[int, int]
Cells = TypeVar("Cells")  # of a column
Column = Sequence[object] | Array  # of a table, cells as the file has them


def fits_table_traces(fits: FitsFile, shape: Shape | None, orientation: Orientation | None) -> TraceSet:
    """Traces of the first table that has the columns."""
    problem: IfuviewError | None = None
    for hdu in fits.hdus:
        if hdu.info.kind != "table" or hdu.data is None:
            continue
        try:
            return _from_columns(read_table(hdu).columns, fits.path, shape, orientation)
        except MissingDataError as missing:
            problem = problem or missing
    raise problem or MissingDataError("holds no fiber traces", fits.path)


def read_text_traces(path: str, shape: Shape | None, orientation: Orientation | None) -> TraceSet:
    """Traces of an ECSV, CSV or JSON file, told by its first characters.

    Raises
    ------
    FileFormatError, MissingDataError
        Not traces; names the column that is missing or wrong.
    """
    if regular_file(path).st_size > MAX_SIZE:
        raise FileFormatError("is too large for a trace file", path)
    with open(path, "rb") as file:
        raw = file.read()
    if b"\0" in raw[:4096]:
        raise FileFormatError("is neither FITS nor a text file", path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise FileFormatError("is neither FITS nor a text file", path) from problem
    if text.lstrip()[:1] in ("{", "["):
        return traces_from_points(_json_points(text, path), path, shape, orientation)
    return _from_columns(_csv_columns(text, path), path, shape, orientation)


def _from_columns(
    columns: Mapping[str, Column], path: str, shape: Shape | None, orientation: Orientation | None
) -> TraceSet:
    """Traces of named columns in long or list form."""
    named = _named(columns, path)
    fiber = named["fiber_id"]
    first = named["x_pixels"]
    lists = isinstance(first, list) or getattr(first, "ndim", 1) > 1
    if lists:
        groups = [
            _points(fiber[row], {key: numbers(named[key][row], key, path) for key in VALUES if key in named})
            for row in range(len(fiber))
        ]
        return traces_from_points(groups, path, shape, orientation)
    values = {key: numbers(named[key], key, path) for key in VALUES if key in named}
    unique, start, inverse = np.unique(np.asarray(fiber), return_index=True, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    edges = np.searchsorted(inverse[order], np.arange(len(unique) + 1))
    rows = [order[edges[i] : edges[i + 1]] for i in range(len(unique))]
    groups = [
        _points(unique[i].item(), {key: column[rows[i]] for key, column in values.items()})
        for i in _fiber_order(unique, start, inverse)
    ]
    return traces_from_points(groups, path, shape, orientation)


def _fiber_order(unique: Array, start: Array, inverse: Array) -> Array:
    """Which fiber comes first: as in the file, or by number where the rows of the fibers are mixed without order.

    Parameters
    ----------
    unique : (nfiber,)
        Names, sorted; `start` (nfiber,) is the first row of each, `inverse` (nrow,) the fiber of each row.
    """
    runs = 1 + int(np.count_nonzero(np.diff(inverse)))
    fiber_by_fiber = runs == len(unique)
    column_by_column = int(start.max()) < len(unique)  # every fiber once before any comes again
    if fiber_by_fiber or column_by_column:
        return np.argsort(start)
    try:
        return np.argsort(unique.astype(np.float64), kind="stable")
    except ValueError:
        return np.arange(len(unique))


def _named(columns: Mapping[str, Cells], path: str) -> dict[str, Cells]:
    """The columns under the names of the trace plan."""
    lower = {str(name).strip().lower(): column for name, column in columns.items()}
    out = {
        key: next(lower[name] for name in names if name in lower)
        for key, names in ALIASES.items()
        if set(names) & set(lower)
    }
    missing = [key for key in NEEDED if key not in out]
    if missing:
        there = ", ".join([str(name) for name in columns][:MAX_NAMES] + ["..."] * (len(columns) > MAX_NAMES)) or "none"
        plural = "s" if len(missing) > 1 else ""
        raise MissingDataError(
            f"this is no table of traces: no column{plural} {', '.join(missing)} (the columns are: {there})",
            path,
            "a table of exposures is read with its folder, a catalog needs a column TARGETID or FIBER",
        )
    return out


def _points(fiber: object, values: Mapping[str, Array]) -> Points:
    """The points of one fiber from its columns."""
    return Points(identity(fiber), values["x_pixels"], values["y_pixels"], values.get("wavelength"))


def identity(value: object) -> str:
    """Fiber number as text; whole numbers without decimals."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def numbers(values: object, name: str, path: str) -> Array:
    """A column or cell as double precision."""
    if isinstance(values, str):
        values = values.strip().strip("[]()").replace(",", " ").replace(";", " ").split()
    try:
        out = np.atleast_1d(np.asarray(values))
        if out.dtype.kind not in "fiu":
            out = np.asarray([float(value) if str(value).strip() else np.nan for value in out.ravel().tolist()])
        out = out.astype(np.float64)
    except (TypeError, ValueError) as problem:
        raise FileFormatError(f"the column {name} holds something that is no number ({problem})", path) from problem
    if out.ndim != 1:
        raise FileFormatError(f"the column {name} has cells of {out.ndim} dimensions", path)
    return out


def _csv_columns(text: str, path: str) -> dict[str, Column]:
    """Columns of CSV or ECSV text; list cells are split later."""
    quick = _numeric_columns(text)
    if quick is not None:
        return quick
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) < 2:
        raise FileFormatError("holds no table of traces", path)
    separator = max(SEPARATORS, key=lines[0].count)
    if not lines[0].count(separator):
        separator = " "
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator, skipinitialspace=True))
    except csv.Error as problem:
        raise FileFormatError(f"is no table of comma-separated values ({problem})", path) from problem
    names = [name.strip() for name in rows[0]]
    body = [row for row in rows[1:] if any(cell.strip() for cell in row)]
    wrong = next((number for number, row in enumerate(body, 2) if len(row) != len(names)), None)
    if wrong is not None:
        raise FileFormatError(f"data line {wrong} has another number of columns than the first line", path)
    columns = {name: [row[i] for row in body] for i, name in enumerate(names)}
    return {name: _cells(cells) for name, cells in columns.items()}


def _numeric_columns(text: str) -> dict[str, Column] | None:
    """Columns of a table of numbers only, by numpy's parser; None if it is anything else."""
    start = 0
    while text.startswith("#", start) or text.startswith("\n", start):
        end = text.find("\n", start)
        if end < 0:
            return None
        start = end + 1
    first, _, body = text[start:].partition("\n")
    if "," not in first or '"' in body[:LOOK] or not body.strip():
        return None
    try:
        values = np.loadtxt(io.StringIO(body), delimiter=",", ndmin=2)
    except ValueError:
        return None
    names = [name.strip() for name in first.split(",")]
    return {name: values[:, i] for i, name in enumerate(names)} if values.shape[1] == len(names) else None


def _cells(cells: list[str]) -> Column:
    """A column of plain cells as an array, of list cells as they are."""
    if any(cell.lstrip().startswith(("[", "(")) or len(cell.split()) > 1 for cell in cells[:3]):
        return cells
    return np.asarray(cells)


def _json_points(text: str, path: str) -> list[Points]:
    """Points of a dictionary of fibers or a list of records."""
    tree = json_of(text, path)
    for key in ("fibers", "traces"):
        if isinstance(tree, dict) and isinstance(tree.get(key), (dict, list)):
            tree = tree[key]
    if isinstance(tree, dict) and is_columns(tree):
        count = len(tree["fiber_id"])
        tree = [{key: column[row] for key, column in tree.items() if len(column) == count} for row in range(count)]
    records: Iterable[tuple[object, object]] = tree.items() if isinstance(tree, dict) else enumerate(tree)
    out: list[Points] = []
    for place, record in records:
        if not isinstance(record, dict):
            raise FileFormatError("is JSON, but not of fiber traces", path, "see the help page on trace files")
        named = _named(record if _has_identity(record) else {"fiber_id": place, **record}, path)
        arrays = {name: numbers(named[name], name, path) for name in VALUES if name in named}
        out.append(_points(named["fiber_id"], arrays))
    return _joined(out)


def is_columns(tree: Mapping[str, object]) -> bool:
    """A dictionary of equally long columns rather than of fibers."""
    return isinstance(tree.get("fiber_id"), list) and all(isinstance(column, list) for column in tree.values())


def _has_identity(record: Mapping[str, object]) -> bool:
    return any(str(name).strip().lower() in ALIASES["fiber_id"] for name in record)


def _joined(points: list[Points]) -> list[Points]:
    """Records of one point each, put together by fiber."""
    if not points or any(len(p.x) != 1 for p in points) or len({p.fiber for p in points}) == len(points):
        return points
    groups: dict[str, list[Points]] = {}
    for point in points:
        groups.setdefault(point.fiber, []).append(point)
    return [
        Points(
            fiber,
            np.concatenate([p.x for p in group]),
            np.concatenate([p.y for p in group]),
            None
            if any(p.wave is None for p in group)
            else np.concatenate([p.wave for p in group if p.wave is not None]),
        )
        for fiber, group in groups.items()
    ]
