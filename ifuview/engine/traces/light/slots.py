"""Which light belongs to which fiber: the slots of the slit, found from the traces and from light without a trace.

The traces, cleaned of parts that no neighbor follows and of doubles, are the first slots; light between and beside
them that runs along with its neighbors is added; fibers take the slots in their order on the slit. So a swapped,
doubled or index-shifted trace is known to lie on another fiber's light, and where its own light is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import median_along
from ifuview.engine.traces.light.search import FAINT, brightness, coarse_shift, comb_holes, untraced
from ifuview.model.checks import Array

NODES = 32  # columns at which the shape of the traces is compared
NEIGHBORS = 4  # fibers on each side that a trace's shape is compared with
MAX_ODD = 1.0  # px, a trace whose shape departs more from its neighbors' is replaced there for the measurement
LEAVES = 0.1  # px, where such a departure begins
SAME = 0.5  # of the spacing; nearer traces lie on one fiber
COLUMNS = 256  # used to look for light
SORTED_SHARE = 0.8  # of neighbors in one order: the file's order is that of the slit
FEW_GAPS = 0.25  # of the distances, at least, are those of neighbors
BLOCK_GAP = 1.45  # spacings, begins a new block


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """Places of light on the slit.

    Parameters
    ----------
    path : float64 (nslot, ncol), px
        Rising from slot to slot.
    of_fiber : (nfiber,)
        Slot of each fiber's own light.
    of_trace : (nfiber,)
        Slot that the trace of each fiber lies on.
    found : bool (nslot,)
        Light without a trace.
    spacing : float, px
        Typical, within a block.
    """

    path: NDArray[np.float64]
    of_fiber: NDArray[np.intp]
    of_trace: NDArray[np.intp]
    found: NDArray[np.bool_]
    spacing: float


def blocks_of(center: Array) -> NDArray[np.intp]:
    """Block of each fiber from gaps that are wider than the usual spacing, in the order of position."""
    place = typical(center)
    order = np.argsort(place)
    gaps = np.diff(place[order])
    usual = spacing_of(place[order])
    block = np.zeros(place.size, np.intp)
    block[order] = np.concatenate([[0], np.cumsum(gaps > BLOCK_GAP * usual)])
    return block


def typical(center: Array) -> Array:
    """Median position of each trace, px; NaN where it has none."""
    return median_along(center[:, :: max(1, center.shape[1] // NODES)])


def spacing_of(place: Array) -> float:
    """Usual distance of neighbors in px, not that of fibers whose neighbors are missing; infinite for one fiber."""
    gaps = np.diff(np.sort(place[np.isfinite(place)]))
    gaps = gaps[gaps > 1]
    return float(np.median(gaps[gaps < BLOCK_GAP * np.quantile(gaps, FEW_GAPS)])) if gaps.size else np.inf


def find_slots(columns: Array, good: Array, center: Array, block: Array | None = None) -> Slots:
    """Find the slots of an image and give each fiber its own.

    Parameters
    ----------
    columns : float32 (ncol, nrow); good : uint8 (ncol, nrow)
    center : float64 (nfiber, ncol), px
        Given traces.
    block : (nfiber,), optional
        Block of each fiber as the instrument says.
    """
    nfiber, ncol = center.shape
    whole = filled(center)
    known = np.isfinite(center).any(axis=1) | ~np.isfinite(whole).any(axis=1)
    path = plain_paths(whole)
    place = typical(path)
    spacing = spacing_of(place)
    order = np.flatnonzero(known)[np.argsort(place[known])]
    slot_of_rank = np.concatenate([[0], np.cumsum(np.diff(place[order]) > SAME * min(spacing, 1e6))])
    of_trace = np.full(nfiber, -1, np.intp)
    of_trace[order] = slot_of_rank
    first = order[np.concatenate([[True], np.diff(slot_of_rank) > 0])]
    slots = path[first]
    chosen = np.unique(np.round(np.linspace(0, ncol - 1, min(ncol, COLUMNS))).astype(np.intp))
    few, usable = columns[chosen], (good[chosen] & 1) > 0
    slots = slots + coarse_shift(few, usable, slots[:, chosen], chosen, ncol, spacing)
    extra = untraced(few, usable, slots[:, chosen], spacing)
    found = np.zeros(slots.shape[0], bool)
    extra += [] if slots.shape[0] + len(extra) >= nfiber else _without_light(path[~known], slots, extra, spacing)
    if extra:
        slots, found, moved = _insert(slots, found, extra)
        of_trace = np.where(known, moved[of_trace], -1)
    if slots.shape[0] < nfiber:
        holes = comb_holes(slots, spacing, nfiber - slots.shape[0])
        slots, _, moved = _insert(slots, found, holes)
        found, of_trace = np.insert(found, [h[0] + 1 for h in holes], False), np.where(known, moved[of_trace], -1)
    dark = brightness(few, usable, slots[:, chosen]) < FAINT
    of_fiber = assign(place, of_trace, slots, dark | found, block, spacing)
    of_trace = np.where(known, of_trace, of_fiber)  # no trace claims no light
    return Slots(slots, of_fiber, of_trace, found, spacing)


def _without_light(
    path: Array, slots: Array, extra: list[tuple[int, float]], spacing: float
) -> list[tuple[int, float]]:
    """Places of fibers without a trace, away from all light, as (slot below, distance above it)."""
    middle = np.median(slots, axis=1)
    taken = np.array([*middle, *(middle[max(k, 0)] + at for k, at in extra)])
    out = []
    for place in np.median(path, axis=1):
        if np.abs(taken - place).min() > SAME * spacing:
            below = int(np.searchsorted(middle, place)) - 1
            out.append((below, float(place - middle[max(below, 0)])))
    return out


def filled(center: Array) -> Array:
    """The traces, with fibers that have none at all between their neighbors in the file, or a spacing beyond them."""
    none = ~np.isfinite(center).any(axis=1)
    known = np.flatnonzero(~none)
    if not none.any() or known.size < 2:
        return center
    out = np.array(center, np.float64)
    spacing = spacing_of(typical(center)) * np.sign(np.median(np.diff(typical(center)[known])))
    for k in np.flatnonzero(none):
        right = int(np.searchsorted(known, k))
        if 0 < right < known.size:
            a, b = known[right - 1], known[right]
            out[k] = center[a] + (center[b] - center[a]) * (k - a) / (b - a)
        else:
            near = known[0] if right == 0 else known[-1]
            out[k] = center[near] + (k - near) * spacing
    return out


def plain_paths(center: Array) -> NDArray[np.float64]:
    """The traces, with what departs from the shape of the neighbors replaced by their shape."""
    nfiber, ncol = center.shape
    node = np.unique(np.round(np.linspace(0, ncol - 1, min(ncol, NODES))).astype(np.intp))
    at = center[:, node]
    place = typical(center)
    with np.errstate(invalid="ignore"):
        own = at - place[:, None]
    order = np.argsort(place)
    shape = np.empty_like(own)
    half = min(NEIGHBORS, (nfiber - 1) // 2)
    padded = np.pad(own[order], ((half, half), (0, 0)), mode="reflect") if half else own[order]
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0)
    shape[order] = median_along(windows)
    shape -= median_along(shape)[:, None]
    own -= median_along(own - shape)[:, None]
    anchor = median_along(at - shape)
    with np.errstate(invalid="ignore"):
        odd = ~(np.abs(at - shape - anchor[:, None]) <= MAX_ODD)
    fibers = np.flatnonzero(odd.any(axis=1) | ~np.isfinite(center).all(axis=1))
    if not fibers.size:
        return np.array(center, np.float64)
    out = np.array(center, np.float64)
    x = np.arange(ncol)
    for k in fibers:
        smooth = np.interp(x, node, anchor[k] + np.nan_to_num(shape[k]))
        away = ~(np.abs(center[k] - smooth) <= LEAVES)
        run = np.cumsum(np.diff(away.astype(np.int8), prepend=0) > 0) * away  # number of the run of columns
        odd_runs = np.unique(run[~(np.abs(center[k] - smooth) <= MAX_ODD)])
        far = np.isin(run, odd_runs) & away
        out[k, far] = smooth[far]
    return out


def _insert(path: Array, found: Array, extra: list[tuple[int, float]]) -> tuple[Array, Array, Array]:
    """Paths with new slots, which are new, and the new index of each old slot."""
    new = np.array([path[max(k, 0)] + at for k, at in extra]).reshape(-1, path.shape[1])
    both = np.concatenate([path, new])
    order = np.argsort(np.median(both, axis=1), kind="stable")
    moved = np.empty(order.size, np.intp)
    moved[order] = np.arange(order.size)
    flags = np.concatenate([found, np.ones(len(new), bool)])[order]
    return both[order], flags, moved[: path.shape[0]]


def assign(
    place: Array, of_trace: Array, path: Array, spare: Array, block: Array | None, spacing: float
) -> NDArray[np.intp]:
    """Slot of each fiber's own light: in the order of the slit, if the file has one.

    Where there are more places of light than fibers, those of `spare` (dark ones, and light without a trace) may be of
    no fiber: those are left out that keep blocks regular and traces on the light that they lie on.
    """
    nfiber, nslot = place.size, path.shape[0]
    steps = np.diff(place)
    rising = float(np.mean(steps > -SAME * spacing)) if steps.size else 1.0
    if rising < SORTED_SHARE and rising > 1 - SORTED_SHARE:
        return of_trace
    if rising < 0.5:
        reverse = assign(place[::-1], of_trace[::-1], path, spare, None if block is None else block[::-1], spacing)
        return reverse[::-1].copy()
    if nslot < nfiber:
        return of_trace
    middle = np.median(path, axis=1)
    group = np.concatenate([[0], np.cumsum(np.diff(middle) > BLOCK_GAP * spacing)])
    usual = float(np.median(np.bincount(group)))  # of all places: traces may be missing in most blocks
    keep = np.ones(nslot, bool)
    for _ in range(nslot - nfiber):
        empty = np.flatnonzero(spare & keep)
        if not empty.size:
            return of_trace
        costs = [
            _cost(np.delete(np.flatnonzero(keep), np.searchsorted(np.flatnonzero(keep), e)), of_trace, group, usual)
            for e in empty
        ]
        keep[empty[int(np.argmin(costs))]] = False
    return np.flatnonzero(keep)


def _cost(kept: Array, of_trace: Array, group: Array, usual: float) -> float:
    """How unlikely an assignment is: blocks with too many fibers, then fibers whose trace is on another's light."""
    sizes = np.bincount(group[kept])
    n = min(kept.size, of_trace.size)
    return float(10 * np.sum(sizes > usual) * n + np.sum(kept[:n] != of_trace[:n]))
