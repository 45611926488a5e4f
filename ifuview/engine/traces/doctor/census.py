"""Lit fibers that have no trace at all: the peaks of the image counted beside the places that are known.

The slots of `slots.py` know light in gaps of the comb and just beyond its ends. Traces of some fibers only (every other
one, one block, another instrument's) leave far more; a look at a few places along dispersion tells whether to trace.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MAD_TO_SIGMA, median_along
from ifuview.engine.traces.flat import trace_flat
from ifuview.engine.traces.light.search import BROAD, FEW, NARROWER
from ifuview.engine.traces.light.slots import Slots
from ifuview.engine.traces.peaks import find_peaks
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.quality import TraceBit

PLACES = (0.25, 0.4, 0.55, 0.75)  # of the dispersion axis, that are looked at ...
ENOUGH = 3  # of which must show light without a trace
WIDTH = 16  # columns of a place
NEAR_PX = 3.0  # px, light nearer to a slot is that slot's ...
NEAR_SHARE = 0.45  # ... or this share of the spacing of the peaks, if smaller
BESIDE = 0.75  # of the columns in which a new trace must lie beside all slots
READNOISE = 3.0  # where it is not known; traces only start from it


def with_untraced(columns: Array, good: Array, slots: Slots, level: float) -> Slots:
    """The slots with those of lit fibers that have no trace, marked as found.

    Parameters
    ----------
    columns : float32 (ncol, nrow); good : uint8 (ncol, nrow)
    slots : Slots
    level : float, counts
        What lies under all fibers.
    """
    seen = [_beside(columns, good, slots.path, share) for share in PLACES]
    if sum(count > 0 for count in seen) < ENOUGH:
        return slots
    image = np.where((good & 1) > 0, columns - np.float32(level), np.float32(np.nan)).T.astype(np.float32)
    try:
        traced = trace_flat(image, READNOISE)
    except FitError:
        return slots
    whole = (np.asarray(traced.status) & np.uint32(TraceBit.LOST | TraceBit.NOT_FITTED)) == 0
    center = np.asarray(traced.center)[whole & np.isfinite(traced.center).all(axis=1)]
    return _inserted(slots, center[_is_beside(center, slots.path)])


def _beside(columns: Array, good: Array, path: Array, share: float) -> int:
    """Number of peaks away from all slots at one place."""
    at = int(share * (columns.shape[0] - WIDTH)) if columns.shape[0] > WIDTH else 0
    part = slice(at, at + WIDTH)
    usable = (good[part] & 1) > 0
    block = columns[part] if usable.all() else np.where(usable, columns[part], np.nan)
    known = usable.sum(axis=0) > block.shape[0] // 2
    counts, error = np.zeros(block.shape[1]), np.zeros(block.shape[1])
    counts[known] = median_along(block[:, known].T)
    scatter = MAD_TO_SIGMA * median_along(np.abs(block[:, known] - counts[known].astype(np.float32)).T)
    error[known] = np.maximum(scatter, np.median(scatter) if scatter.size else 0.0) / np.sqrt(block.shape[0])
    peaks = find_peaks(counts, error)
    if peaks.size < 2:
        return 0
    row = np.rint(peaks).astype(np.intp)
    floor = np.median(counts[known])
    low = np.minimum(floor, np.minimum(counts[row - 1], counts[row + 1]))
    ratio = (np.minimum(counts[row - 1], counts[row + 1]) - low) / (counts[row] - low)
    beside = _distance(peaks, np.sort(path[:, at + WIDTH // 2])) > _near(peaks)
    usual = NARROWER * np.quantile(ratio[~beside], FEW) if not beside.all() else BROAD
    return int(np.sum(beside & (ratio >= min(BROAD, usual))))


def _near(peaks: Array) -> float:
    """Distance within which light belongs to a slot, px."""
    return float(min(NEAR_PX, NEAR_SHARE * np.median(np.diff(peaks)))) if peaks.size > 1 else NEAR_PX


def _distance(values: Array, known: Array) -> Array:
    """Distance of each value to the nearest of sorted ones."""
    known = known[np.isfinite(known)]
    if not known.size:
        return np.full(values.shape, np.inf)
    right = np.clip(np.searchsorted(known, values), 0, known.size - 1)
    left = np.maximum(right - 1, 0)
    return np.minimum(np.abs(values - known[right]), np.abs(values - known[left]))


def _is_beside(center: Array, path: Array) -> NDArray[np.bool_]:
    """Which new traces lie beside all slots in most columns."""
    few = np.unique(np.linspace(0, center.shape[1] - 1, 33).astype(int))
    near = _near(np.sort(center[:, few[few.size // 2]]))
    away = np.stack([_distance(center[:, x], np.sort(path[:, x])) > near for x in few], axis=1)
    out: NDArray[np.bool_] = away.mean(axis=1) >= BESIDE
    return out


def _inserted(slots: Slots, new: Array) -> Slots:
    """Slots with new paths in their places."""
    if not new.size:
        return slots
    both = np.concatenate([slots.path, new])
    order = np.argsort(np.median(both, axis=1), kind="stable")
    moved = np.empty(order.size, np.intp)
    moved[order] = np.arange(order.size)
    found = np.concatenate([slots.found, np.ones(len(new), bool)])[order]
    spacing = float(np.median(np.diff(np.median(both[order], axis=1))))
    return Slots(both[order], moved[slots.of_fiber], moved[slots.of_trace], found, min(spacing, slots.spacing))
