"""What a cut means for one photon list: bounds in its own units, the time range in fact, what makes no sense."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.lists import (
    TICK,
    MaskedPhotons,
    PhotonColumn,
    PhotonCut,
    PhotonInfo,
    PhotonSource,
    SortedColumns,
)

LATE = 1.0  # s; photons may lie this far beyond the nominal exposure: converters ask for one second more
NO_WAVELENGTH = float(np.finfo(np.float32).tiny)  # nm; below it a value of a calibrated list is still a phase


class Bounds(NamedTuple):
    """[first, last) in microseconds and [low, high) of the third column; `by_value` if the latter matters."""

    first: int
    last: int
    low: float
    high: float
    by_value: bool


def bounds(info: PhotonInfo, cut: PhotonCut) -> Bounds:
    """Return what a cut asks of each photon; a phase never passes a bound on the wavelength."""
    first, last = cut.ticks()
    low, high = cut.bounds()
    by_value = cut.low is not None or cut.high is not None
    if by_value and info.column is PhotonColumn.WAVELENGTH:
        low = max(low, NO_WAVELENGTH)
    return Bounds(first, last, low, high, by_value)


def check(info: PhotonInfo, cut: PhotonCut) -> None:
    """Raise UsageError for a cut that cannot mean anything in this list: bounds out of order or outside the file."""
    start = 0.0 if cut.start is None else cut.start
    for value in (cut.start, cut.stop):
        if value is not None and not np.isfinite(value):
            raise UsageError(f"{value:g} is no time", info.path, "give seconds since the start of the file")
    for value in (cut.low, cut.high):
        if value is not None and not np.isfinite(value):
            raise UsageError(f"{value:g} is no end of a range", info.path, "give numbers")
    known = info.duration > 0
    span = f"the file holds 0 to {info.duration:g} s" if known else "choose other times"
    if cut.start is not None and cut.stop is not None and cut.stop <= start:
        raise UsageError(f"the time range ends at {cut.stop:g} s, not after its start at {start:g} s", info.path, span)
    if start < 0 or (known and start >= info.duration + LATE):
        raise UsageError(f"the time range starts at {start:g} s, outside the file", info.path, span)
    if cut.stop is not None and (cut.stop <= 0 or (known and cut.stop > info.duration + LATE)):
        raise UsageError(f"the time range ends at {cut.stop:g} s, outside the file", info.path, span)
    low, high = cut.bounds()
    if not low < high:
        unit = "nm" if info.calibrated else {"deg": "degree"}.get(info.phase_unit, info.phase_unit)
        raise UsageError(f"the range {low:g} to {high:g} {unit} is empty", info.path, "give the lower end first")


def unknown_flags(info: PhotonInfo, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that no bit of the file has."""
    return tuple(name for name in names if name not in info.beammap.flag_names)


def time_range(info: PhotonInfo, cut: PhotonCut, latest: int = -1) -> tuple[float, float]:
    """Return start and stop in fact, s; whole seconds beyond the nominal exposure if photons lie there.

    `latest` is the time of the last photon that counts, microseconds.
    """
    start = max(0.0, cut.start or 0.0)
    end = info.duration
    if latest >= 0 and (latest + 1) * TICK > end:
        end = float(np.ceil((latest + 1) * TICK))
    return start, end if cut.stop is None else cut.stop


def source_range(source: PhotonSource, cut: PhotonCut) -> tuple[float, float]:
    """Return start and stop in fact, s; where the file does not say how long it is, its photons are asked."""
    latest = -1
    if source.info.duration <= 0 and cut.stop is None:
        known = at_once(source)
        times = [known[1]] if known is not None else (int(b.time.max(initial=0)) for b in source.blocks(value=False))
        latest = max(times, default=-1)
    return time_range(source.info, cut, latest)


def at_once(source: PhotonSource) -> tuple[Array, int] | None:
    """All photons per resonator and the latest time of a source whose columns are sorted and can be read by row."""
    if not isinstance(source, SortedColumns):
        return None
    counts, last, latest = np.diff(source.first), np.empty(1, np.uint32), -1
    for row in (source.first[1:] - 1)[counts > 0].tolist():
        source.read("time", row, last)
        latest = max(latest, int(last[0]))
    return counts, latest


def live_time(source: PhotonSource, start: float, stop: float) -> float:
    """Return the seconds between start and stop that the source did not mask."""
    return float(live_bins(source, np.array([start, max(start, stop)]))[0])


def live_bins(source: PhotonSource, edges: Array) -> Array:
    """Return the seconds of each time bin that the source did not mask."""
    return source.live_bins(edges) if isinstance(source, MaskedPhotons) else np.asarray(np.diff(edges))


def inner_edges(info: PhotonInfo, keys: Array, cut: PhotonCut, time_like: bool) -> Array:
    """Return bin edges (microseconds or values) such that the cut on the binned column itself holds too.

    Bins outside the cut become empty.

    Raises
    ------
    UsageError
        Nothing is left.
    """
    asked = bounds(info, cut)
    low, high = (float(asked.first), float(asked.last)) if time_like else (asked.low, asked.high)
    inner = np.clip(keys, max(low, keys[0]), min(high, keys[-1]))
    if not inner[-1] > inner[0]:
        raise UsageError("the bins and the cut have nothing in common", info.path, "choose other bins")
    return np.asarray(inner)


def other_limits(asked: Bounds, time_like: bool) -> tuple[float, float]:
    """Return the bounds of the column that is not binned: of the values for time bins, else of the times."""
    return (asked.low, asked.high) if time_like else (float(asked.first), float(asked.last))
