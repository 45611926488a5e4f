"""Do the rows of the fiber table stand where they belong: rising numbers, tables that agree, neighbors together?"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.questions.case import Case
from ifuview.engine.night.stats import middle
from ifuview.model.checks import Array
from ifuview.model.night.triage import ranges

NEAR = 10  # fibers on one side whose place tells where a fiber belongs
AWAY = 4.0  # spreads of those neighbors: no fiber of a group is so far from it
BACK = 2.5  # spreads within which an exchanged row finds its place
LEAST_SPREAD = 3.0  # mm


def tables(case: Case) -> None:
    """Rows of the fiber table that were exchanged."""
    if not case.asks("swapped-fibers"):
        return
    chain = case.chain
    told: set[int] = set()
    for fibers, why in (*_numbers(chain.fiber_id), *chain.table_faults):
        if new := tuple(f for f in fibers if f not in told):
            _add(case, new, why)
            told |= set(new)
    if chain.focal_x is None or chain.focal_y is None:
        return
    for one, two in exchanged(chain.focal_x, chain.focal_y):
        if one not in told and two not in told:
            _add(case, (one, two), "each has the place of the other one in the focal plane")


def _add(case: Case, fibers: tuple[int, ...], why: str) -> None:
    case.add(
        "swapped-fibers", "light", fibers=fibers, amplitude=float(len(fibers)), unit="fibers", significance=10.0,
        text=f"The rows of fibers {ranges(fibers)} in the fiber table are exchanged or moved: {why}",
    )  # fmt: skip


def _numbers(fiber_id: Array | None) -> list[tuple[tuple[int, ...], str]]:
    """Fibers whose number is not the one that their row asks for."""
    if fiber_id is None or fiber_id.size < 2:
        return []
    first = int(middle((fiber_id - np.arange(fiber_id.size)).astype(float)))
    wrong = np.flatnonzero(fiber_id != first + np.arange(fiber_id.size))
    if not wrong.size or wrong.size > fiber_id.size // 4:  # another numbering
        return []
    return [(tuple(int(f) for f in wrong), "their numbers are not those of their rows")]


def exchanged(x: Array, y: Array) -> list[tuple[int, int]]:
    """Pairs of fibers that have each other's place: far from their own neighbors, beside those of the other one."""
    known = np.isfinite(x) & np.isfinite(y)
    if np.count_nonzero(known) < 6 * NEAR:
        return []
    where = np.stack([np.where(known, x, np.nan), np.where(known, y, np.nan)], axis=1)
    padded = np.pad(where, ((NEAR, NEAR), (0, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, NEAR, axis=0)
    sides = []
    for near in (windows[: x.size], windows[NEAR + 1 :]):
        center = middle(near, axis=2)
        spread = middle(np.hypot(*np.moveaxis(near - center[:, :, None], 1, 0)), axis=1)
        sides.append((center, np.maximum(spread, LEAST_SPREAD)))

    def apart(place: Array, of: Array) -> Array:
        """Distance from the neighbors of fibers on the nearer side, in their own spread."""
        both = np.stack([np.hypot(*(place - center[of]).T) / spread[of] for center, spread in sides])
        return np.asarray(np.where(np.isnan(both), np.inf, both).min(axis=0))

    own = apart(where, np.arange(x.size))
    out = np.flatnonzero(np.isfinite(own) & (own > AWAY))
    pairs = []
    for k, one in enumerate(out):
        for two in out[k + 1 :]:
            back = apart(where[[two, one]], np.array([one, two]))
            if two - one > NEAR and (back < BACK).all():
                pairs.append((int(one), int(two)))
    return pairs
