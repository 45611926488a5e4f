"""What the functions of the plan take and give: plain arrays, dicts and tuples that carry a little more."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Image
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import TraceDiagnosis

PREFIX = "fiber_"  # of the fibers in the examples of the plan
Path = str | os.PathLike[str]
TraceRow = Mapping[str, object]
Traces = TraceSet | Mapping[str, TraceRow]
Positions = Array | FiberMap | Mapping[str, object]
X_NAMES = ("x", "xpos", "ifu_x", "focal_x", "ra")
Y_NAMES = ("y", "ypos", "ifu_y", "focal_y", "dec")


class RawSpectrum(np.ndarray):
    """A detector image (cross-dispersion, dispersion) as an array, with `header` and the `image` that it came from."""

    header: Mapping[str, object]
    image: Image | None

    def __new__(
        cls, pixels: Array, header: Mapping[str, object] | None = None, image: Image | None = None
    ) -> RawSpectrum:
        """Take pixels, shape (nrow, ncol), as they are."""
        out = np.asarray(pixels).view(cls)
        out.header = MappingProxyType(dict(header or {}))
        out.image = image
        return out

    def __array_finalize__(self, other: object) -> None:
        self.header = getattr(other, "header", MappingProxyType({}))
        self.image = getattr(other, "image", None)

    def pair(self) -> tuple[NDArray[np.float32], Mapping[str, object]]:
        """The plain pixels and the header."""
        return np.asarray(self), self.header


class TraceSolution(dict[str, dict[str, object]]):
    """Fiber id -> {x_pixels, y_pixels, wavelength, fiber_id}; `traces` is the TraceSet that they came from."""

    traces: TraceSet


class Pair(tuple[Array, Array]):
    """Two arrays that unpack, and everything else that was measured by name, as in a dict."""

    more: Mapping[str, object]

    def __new__(cls, first: Array, second: Array, more: Mapping[str, object]) -> Pair:
        """Both arrays stand in `more` too, under their names."""
        out = super().__new__(cls, (first, second))
        out.more = more
        return out

    @property
    def first(self) -> Array:
        """The first of both."""
        return tuple.__getitem__(self, 0)

    def __getitem__(self, key: Any) -> Any:
        """By name or place."""
        return self.more[key] if isinstance(key, str) else super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        """Whether a name is there."""
        return isinstance(key, str) and key in self.more

    def keys(self) -> Iterable[str]:
        """All names."""
        return self.more.keys()


class Metrics(dict[str, object]):
    """The numbers of a diagnosis, with the `diagnosis` and the image (nrow, ncol) that they came from."""

    diagnosis: TraceDiagnosis | None = None
    image: Array | None = None


def names_of(traces: Traces) -> tuple[str, ...]:
    """Fiber of each row: the keys of a mapping, the ids of a TraceSet."""
    return traces.fiber_id if isinstance(traces, TraceSet) else tuple(rows_of(traces))


def named(fiber: object, names: tuple[str, ...]) -> str:
    """The name of a fiber among those of the traces: its own, or its number in the plan's form, `fiber_010` for 10."""
    own = str(fiber)
    number = own.removeprefix(PREFIX).lstrip("0")
    return number if own not in names and own.startswith(PREFIX) and number in names else own


def traces_in(traces: Traces, image: Array | None = None) -> TraceSet:
    """The TraceSet of what `load_trace_solution` gave, or of a mapping in its form; curves between the points.

    Neither a mapping nor a file of points says how far the detector goes beyond the last of them: as far as `image`
    (nrow, ncol), if given.

    Raises
    ------
    UsageError
        There is no fiber in it.
    """
    from ifuview.io.traces.points import Points, traces_from_points
    from ifuview.model.orientation import Orientation

    if isinstance(traces, TraceSet):
        return traces
    rows = rows_of(traces)
    wide = np.shape(image)[1] if image is not None and np.ndim(image) == 2 else 0
    if isinstance(traces, TraceSolution) and wide <= traces.traces.ncol and _untouched(traces):
        return traces.traces
    points = [Points(name, *points_of(row), _wave(row)) for name, row in rows.items()]
    high, long = (max(float(np.nanmax(a, initial=0.0)) for a in axis) for axis in zip(*((p.y, p.x) for p in points)))
    ncol = traces.traces.ncol if isinstance(traces, TraceSolution) else int(np.ceil(long)) + 1
    return traces_from_points(points, "", (int(high) + 2, max(ncol, wide)), Orientation())


def rows_of(traces: Mapping[str, TraceRow]) -> dict[str, TraceRow]:
    """The entries that are fibers, by name.

    Raises
    ------
    UsageError
        There is none.
    """
    rows = {str(key): row for key, row in traces.items() if isinstance(row, Mapping) and "x_pixels" in row}
    if not rows:
        raise UsageError("these are no traces", todo="give what load_trace_solution returns")
    return rows


def points_of(row: TraceRow) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y of the points of a fiber, px."""
    return _numbers(row, "x_pixels"), _numbers(row, "y_pixels")


def _numbers(row: TraceRow, name: str) -> NDArray[np.float64]:
    """One column of a fiber."""
    return np.atleast_1d(np.asarray(row[name], float))


def _wave(row: TraceRow) -> NDArray[np.float64] | None:
    """Wavelengths of a fiber, None if it has none."""
    return None if row.get("wavelength") is None else _numbers(row, "wavelength")


def _untouched(solution: TraceSolution) -> bool:
    """Whether the entries still say what the TraceSet does."""
    given = solution.traces
    if tuple(solution) != given.fiber_id:
        return False
    column = np.arange(given.ncol)
    for row, center, valid in zip(solution.values(), given.center, np.asarray(given.valid)):
        good = valid & np.isfinite(center)
        same = (
            np.array_equal(_numbers(row, name), own[good]) for name, own in (("x_pixels", column), ("y_pixels", center))
        )
        if not all(same):
            return False
    return True


def positions_in(positions: Positions, names: tuple[str, ...]) -> tuple[NDArray[np.float64], str]:
    """Place of each fiber in the head, shape (nfiber, 2), and its unit ("" where nobody says).

    Parameters
    ----------
    positions : ndarray (nfiber, 2), FiberMap, or mapping of fiber to (x, y) or to a dict with x and y
    names : tuple of str
        Fibers of the traces, for a mapping.

    Raises
    ------
    UsageError
        They are not of these fibers.
    """
    if isinstance(positions, FiberMap):
        if positions.focal_x is None or positions.focal_y is None:
            raise UsageError("this table of fibers has no positions", todo="give one with the place of each fiber")
        found, unit = np.column_stack([positions.focal_x, positions.focal_y]).astype(float), positions.focal_unit
    elif isinstance(positions, Mapping):
        found, unit = np.array([_place(positions.get(name)) for name in names]), ""
    else:
        found, unit = np.atleast_2d(np.asarray(positions, float)), ""
    if found.ndim != 2 or found.shape[1] < 2 or (names and len(found) < len(names)):
        text = f"positions of shape {found.shape} are not of these {len(names)} fibers"
        raise UsageError(text, todo="give x and y of each")
    return found[:, :2], unit


def _place(entry: object) -> tuple[float, float]:
    """x and y of one fiber, NaN where not known."""
    if entry is None:
        return np.nan, np.nan
    if isinstance(entry, Mapping):
        known = {str(key).lower(): value for key, value in entry.items()}
        x, y = (next((known[n] for n in names if n in known), np.nan) for names in (X_NAMES, Y_NAMES))
        return float(x), float(y)
    pair = np.asarray(entry, float).ravel()
    return (float(pair[0]), float(pair[1])) if pair.size >= 2 else (np.nan, np.nan)
