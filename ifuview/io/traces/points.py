"""Trace points of each fiber, in native pixels, to a center at every dispersion pixel."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ifuview.errors import FileFormatError
from ifuview.model.checks import Array
from ifuview.model.orientation import Orientation
from ifuview.model.quality import TraceBit
from ifuview.model.trace import Provenance, TraceSet

LONGEST = 1e9  # Angstrom: a number beyond it, or none, is no wavelength
EDGE = 0.05  # fraction of the dispersion axis that a trace is carried on in a straight line beyond its last point
MAX_PIXEL = 20_000  # px; larger coordinates are no detector
MAX_FIBERS = 20_000
CURVE_POINTS, DENSE = 5, 2.0  # least points of a curve; px between points that need none
SLOPE_POINTS = 8  # points that the straight line beyond the end is fitted to


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The points of one fiber: x and y in 0-based native pixels, wavelength in Angstrom or None."""

    fiber: str
    x: Array
    y: Array
    wave: Array | None = None


def traces_from_points(
    fibers: list[Points], path: str, shape: tuple[int, int] | None, orientation: Orientation | None
) -> TraceSet:
    """Return the traces of all fibers in canonical axes.

    Points out of order are sorted, points that are no number are left out, both with a note.

    Raises
    ------
    FileFormatError
        No fiber, a fiber twice, coordinates of unequal length, no number at all, or beyond the detector.
    """
    _check_fibers(fibers, path)
    lies = orientation or orientation_of(fibers)
    ncross, ndisp = _size(fibers, lies, path, shape)
    native = (ndisp, ncross) if lies.transpose else (ncross, ndisp)
    center, wave = np.full((len(fibers), ndisp), np.nan), np.full((len(fibers), ndisp), np.nan)
    valid, status = np.zeros(center.shape, bool), np.zeros(len(fibers), np.uint32)
    nsorted = dropped = 0
    for row, points in enumerate(fibers):
        found = _path_of(points, lies, native, path)
        dropped, nsorted = dropped + found.dropped, nsorted + found.mixed
        if not len(found.disp):
            status[row] = TraceBit.NOT_FITTED
            continue
        center[row], valid[row] = _at_columns(found.disp, found.cross, ndisp)
        known = np.zeros(0, bool) if found.wave is None else np.abs(found.wave) < LONGEST
        if found.wave is not None and known.sum() > 1:
            wave[row] = _at_columns(found.disp[known], found.wave[known], ndisp)[0]
        status[row] = 0 if valid[row].all() else TraceBit.EXTRAPOLATED
    notes = []
    if nsorted:
        notes.append(f"the points of {nsorted} fibers were not in order and have been sorted")
    if dropped:
        notes.append(f"{dropped} trace points that are no numbers are left out")
    return TraceSet(
        fiber=np.arange(len(fibers)), center=center, wave=wave if np.isfinite(wave).any() else None, valid=valid,
        status=status, fiber_id=tuple(p.fiber for p in fibers), provenance=Provenance(step="read", notes=tuple(notes)),
    )  # fmt: skip


def _check_fibers(fibers: list[Points], path: str) -> None:
    """Raise FileFormatError unless there are fibers, each once, with coordinates of equal length."""
    if not fibers:
        raise FileFormatError("the trace file has no fibers", path)
    twice = [name for name, count in Counter(p.fiber for p in fibers).items() if count > 1]
    if twice:
        raise FileFormatError(f"the trace file has fibers more than once: {', '.join(twice[:5])}", path)
    if len(fibers) > MAX_FIBERS:
        raise FileFormatError(f"{len(fibers)} fibers are more than any camera has", path)
    for points in fibers:
        lengths = {len(points.x), len(points.y)} | ({len(points.wave)} if points.wave is not None else set())
        if len(lengths) > 1:
            raise FileFormatError(f"the coordinates of fiber {points.fiber} have unequal lengths", path)


def _size(fibers: list[Points], lies: Orientation, path: str, shape: tuple[int, int] | None) -> tuple[int, int]:
    """Canonical (ncross, ndisp) of the detector, which has room for all points."""
    along = [p.y if lies.transpose else p.x for p in fibers]
    largest = max((float(np.nanmax(a)) for a in along if len(a) and np.isfinite(a).any()), default=np.nan)
    if not np.isfinite(largest):
        raise FileFormatError("the trace positions are all not-a-number", path)
    across = max(float(np.nanmax(p.x if lies.transpose else p.y, initial=0)) for p in fibers)
    below = min(float(np.nanmin(a, initial=0)) for p in fibers for a in (p.x, p.y))
    if below < -MAX_PIXEL:
        raise FileFormatError(f"a trace position of {below:.3g} px is on no detector", path)
    if max(largest, across) > MAX_PIXEL:
        raise FileFormatError(f"a trace position of {max(largest, across):.0f} px is on no detector", path)
    ncross, ndisp = shape if shape is not None else (int(across) + 2, int(np.ceil(largest)) + 1)
    if largest > ndisp - 1 + max(1.0, EDGE * ndisp):
        text = f"the traces reach pixel {largest:.0f} along dispersion, the image has {ndisp}"
        raise FileFormatError(text, path, "open the traces of this detector")
    return ncross, ndisp


class _Path(NamedTuple):
    """Canonical points of one fiber, rising along dispersion; how many were no numbers, and whether they were mixed."""

    cross: Array
    disp: Array
    wave: Array | None
    dropped: int
    mixed: bool


def _path_of(points: Points, lies: Orientation, native: tuple[int, int], path: str) -> _Path:
    """The points of one fiber in the order of its dispersion pixels."""
    cross, disp = (np.asarray(a, float) for a in lies.from_native(points.x, points.y, native))
    good = np.isfinite(cross) & np.isfinite(disp)
    dropped = int((~good).sum())
    cross, disp = cross[good], disp[good]
    wave = None if points.wave is None else points.wave[good]
    if not (np.diff(disp) <= 0).any():
        return _Path(cross, disp, wave, dropped, False)
    ndisp = native[0] if lies.transpose else native[1]
    order = np.unique(disp, return_index=True)[1]
    if order.size < disp.size and np.ptp(disp) > ndisp / 2:  # else the axes are swapped, which is said later
        text = f"fiber {points.fiber} has several positions at one pixel: is it there twice?"
        raise FileFormatError(text, path, "give every fiber a number of its own")
    mixed = bool((np.diff(disp if not lies.flip_disp else disp[::-1]) < 0).any())
    return _Path(cross[order], disp[order], None if wave is None else wave[order], dropped, mixed)


def orientation_of(fibers: list[Points]) -> Orientation:
    """Wavelength runs along the axis that the fibers are longer in."""
    wide = [float(np.nanmax(p.x) - np.nanmin(p.x)) for p in fibers if np.isfinite(p.x).any()]
    high = [float(np.nanmax(p.y) - np.nanmin(p.y)) for p in fibers if np.isfinite(p.y).any()]
    return Orientation(transpose=bool(wide and high) and float(np.median(high)) > float(np.median(wide)))


def _between(position: Array, value: Array, column: Array) -> Array:
    """A curve through points that are apart: Akima's, which one bad point disturbs only nearby.

    Straight between points that are dense, or whose numbers are so large or near that slopes are none.
    """
    if len(position) < CURVE_POINTS or float(np.median(np.diff(position))) <= DENSE:
        return np.interp(column, position, value)
    from scipy.interpolate import Akima1DInterpolator

    try:
        curve: Array = Akima1DInterpolator(position, value)(np.clip(column, position[0], position[-1]))
    except ValueError:
        return np.interp(column, position, value)
    return curve


def _slope(position: Array, value: Array) -> float:
    """Slope of the straight line through some points; 0 where they lie at one place."""
    away = position - position.mean()
    spread = float((away * away).sum())
    return float((away * (value - value.mean())).sum()) / spread if spread > 0 else 0.0


def _at_columns(position: Array, value: Array, ndisp: int) -> tuple[Array, Array]:
    """Value at pixels 0..ndisp-1, straight for a short way beyond the ends, NaN further out; and where it is inside."""
    column = np.arange(ndisp, dtype=float)
    out = _between(position, value, column)
    inside = (column >= position[0] - 0.5) & (column <= position[-1] + 0.5)
    if len(position) > 1:
        for end, part in ((0, slice(None, SLOPE_POINTS)), (-1, slice(-SLOPE_POINTS, None))):
            beyond = column < position[0] if end == 0 else column > position[-1]
            slope = _slope(position[part], value[part])
            out[beyond] = value[end] + slope * (column[beyond] - position[end])
    reach = EDGE * ndisp
    out[(column < position[0] - reach) | (column > position[-1] + reach)] = np.nan
    return out, inside
