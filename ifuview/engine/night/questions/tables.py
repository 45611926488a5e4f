"""Do the rows of the fiber table stand where they belong: rising numbers, tables that agree, neighbors together?"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.questions.case import Case
from ifuview.engine.night.stats import middle
from ifuview.model.checks import Array
from ifuview.model.night.triage import ranges

NEAREST = 12  # fibers in the field whose place on the slit tells where a fiber belongs
SLIT = 50  # fibers on the slit that are neighbors in the field
ALONE, BETTER = 0.2, 0.5  # of the nearest ones: its own neighbors, at most; more are those of the other fiber
# more, of both together: 2500 right fields have at most 1.67; where the light says the same, 150 have 0.75
CLEAR, BOTH = 1.7, 0.8


def tables(case: Case) -> None:
    """Rows of the fiber table that were exchanged."""
    if not case.asks("swapped-fibers"):
        return
    chain = case.chain
    told: set[int] = set()
    for fibers, why in (*_numbers(chain.fiber_id), *chain.table_faults):
        if new := tuple(f for f in fibers if f not in told):
            add_exchanged(case, new, why)
            told |= set(new)
    if chain.focal_x is None or chain.focal_y is None:
        return
    for one, two in exchanged(chain.focal_x, chain.focal_y):
        if one not in told and two not in told:
            add_exchanged(case, (one, two), "each has the place of the other one in the focal plane")


def add_exchanged(case: Case, fibers: tuple[int, ...], why: str) -> None:
    """Note rows of the fiber table that do not stand where they belong."""
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
    """Pairs of fibers that have each other's place: among the neighbors of the other one, not among their own."""
    belongs = belonging(x, y)
    if belongs is None:
        return []
    own = np.diagonal(belongs)
    gain = belongs - own[:, None]
    away = own <= ALONE
    pairs = [
        (float(gain[a, b] + gain[b, a]), int(a), int(b))
        for a in np.flatnonzero(away)
        for b in np.flatnonzero(away & (gain[a] >= BETTER))
        if b - a > SLIT and gain[b, a] >= BETTER and gain[a, b] + gain[b, a] >= CLEAR
    ]
    out: list[tuple[int, int]] = []
    for _, a, b in sorted(pairs, reverse=True):
        if not any({a, b} & set(pair) for pair in out):
            out.append((a, b))
    return out


def partner(x: Array | None, y: Array | None, fiber: int, dark: Array) -> int | None:
    """The fiber of those in `dark` that has the place of a fiber, and it that of the fiber; None if none has.

    The light says already that one of the two is taken for the other: places need not be as clear as without.
    """
    belongs = None if x is None or y is None else belonging(x, y)
    if belongs is None or not dark.any():
        return None
    own = np.diagonal(belongs)
    gain = np.where(dark, np.minimum(belongs[fiber] - own[fiber], belongs[:, fiber] - own), -1.0)
    both = belongs[fiber] - own[fiber] + belongs[:, fiber] - own
    best = int(np.argmax(np.where(gain >= 0, both, -1.0)))
    return best if gain[best] >= 0 and both[best] >= BOTH else None


def belonging(x: Array, y: Array) -> Array | None:
    """Part of the nearest fibers in the field of each place that are near each fiber on the slit, by [place, fiber].

    None where too few places are known; 1 on the diagonal where a place is not known.
    """
    known = np.isfinite(x) & np.isfinite(y)
    if np.count_nonzero(known) < 6 * NEAREST:
        return None
    at = np.flatnonzero(known)
    apart = (x[at][:, None] - x[at]) ** 2 + (y[at][:, None] - y[at]) ** 2
    np.fill_diagonal(apart, np.inf)
    beside = at[np.argpartition(apart, NEAREST, axis=1)[:, :NEAREST]]
    count = np.zeros((x.size, x.size + 1))
    for near in beside.T:
        count[at, near + 1] += 1
    total = np.cumsum(count, axis=1)
    fiber = np.arange(x.size)
    first, last = np.maximum(fiber - SLIT, 0), np.minimum(fiber + SLIT + 1, x.size)
    out = (total[:, last] - total[:, first]) / NEAREST
    out[~known] = 0.0
    out[~known, ~known] = 1.0
    return np.asarray(out)
