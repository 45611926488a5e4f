"""Which of the traces found is which fiber of a table of reference rows.

The shift between table and light is the one under which most fibers of the table meet a trace, each within a third of
the spacing; among equal ones the smallest. A fiber of the table without a trace (dead, or too faint) gets the path of
its neighbors, at the distance that the table has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.errors import FitError
from ifuview.model.checks import Array

MAX_SHIFT, STEP = 20.0, 0.25  # px, that light may lie off the table
NEAR = 1 / 3  # of the usual spacing, within which a trace belongs to a fiber
LEAST_SHARE = 0.5  # of the fibers that must be met
NEIGHBORS = 8  # met fibers around one that tell the local shift
TIE = 0.02  # share of the fibers that a larger shift must gain to be preferred


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Traces of the fibers of a table.

    Parameters
    ----------
    trace : ndarray of intp, shape (nfiber,)
        Row of the traces found, -1 where there is none.
    shift : float, px
        Of the light against the table.
    """

    trace: NDArray[np.intp]
    shift: float


def match_fibers(found: Array, reference: Array, dead: Array | None = None) -> Matched:
    """Return which trace is which fiber.

    Parameters
    ----------
    found : ndarray, shape (ntrace,), px
        Rows of the traces at the column of the table; NaN: not known there.
    reference : ndarray, shape (nfiber,), px
        Rows of the table, rising.
    dead : ndarray of bool, shape (nfiber,), optional
        Fibers that the table calls dead: they are matched too, but do not count.

    Raises
    ------
    FitError
        Too few fibers are met under any shift.
    """
    reference = np.asarray(reference, np.float64)
    rows = np.sort(found[np.isfinite(found)])
    if rows.size == 0 or reference.size == 0:
        raise FitError("there are no traces to compare with the table of fibers")
    alive = np.ones(reference.size, bool) if dead is None else ~np.asarray(dead, bool)
    spacing = float(np.median(np.diff(reference))) if reference.size > 1 else 2 * STEP / NEAR
    shifts = np.arange(-MAX_SHIFT, MAX_SHIFT + STEP / 2, STEP)
    score = np.array([_met(reference[alive] + s, rows, NEAR * spacing) for s in shifts])
    score -= TIE * alive.sum() * np.abs(shifts) / MAX_SHIFT
    shift = float(shifts[int(np.argmax(score))])
    if score.max() < LEAST_SHARE * min(alive.sum(), rows.size):
        raise FitError(
            "the traces do not fit the table of fibers",
            todo="look at the orientation of the amplifier and at the date of the table",
        )
    for _ in range(3):  # the light may be stretched against the table: the shift follows it
        local = _local(reference, rows, shift, spacing)
        trace = _nearest(reference + local, found, NEAR * spacing)
        met = trace >= 0
        shift = float(np.median(found[trace[met]] - reference[met])) if met.any() else shift
    return Matched(trace, shift)


def _met(expected: Array, rows: Array, reach: float) -> float:
    """Fibers that meet a trace, those in the middle of the reach in full."""
    distance = np.abs(rows[_closest(expected, rows)] - expected)
    return float(np.maximum(1 - (distance / reach) ** 2, 0).sum())


def _closest(expected: Array, rows: Array) -> NDArray[np.intp]:
    """Index of the closest of rising rows."""
    right = np.clip(np.searchsorted(rows, expected), 1, max(rows.size - 1, 1))
    if rows.size == 1:
        return np.zeros(expected.size, np.intp)
    left = right - 1
    return np.where(np.abs(rows[left] - expected) <= np.abs(rows[right] - expected), left, right)


def _local(reference: Array, rows: Array, shift: float, spacing: float) -> NDArray[np.float64]:
    """Shift at each fiber: a running median over those that are met."""
    at = _closest(reference + shift, rows)
    off = rows[at] - reference
    met = np.abs(off - shift) < spacing / 2
    if met.sum() < 3:
        return np.full(reference.size, shift)
    known = np.flatnonzero(met)
    reach = min(NEIGHBORS, known.size // 2)
    padded = np.pad(off[known], reach, mode="edge")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    return np.interp(np.arange(reference.size), known, smooth)


def _nearest(expected: Array, found: Array, reach: float) -> NDArray[np.intp]:
    """Trace of each fiber within reach, each once; -1: none."""
    out = np.full(expected.size, -1, np.intp)
    order = np.argsort(np.where(np.isfinite(found), found, np.inf))
    rows = found[order]
    rows = rows[np.isfinite(rows)]
    at = _closest(expected, rows)
    near = np.abs(rows[at] - expected) < reach
    out[near] = order[at[near]]
    for trace in np.unique(out[out >= 0]):
        rivals = np.flatnonzero(out == trace)
        if rivals.size > 1:
            best = rivals[np.argmin(np.abs(expected[rivals] - found[trace]))]
            out[rivals[rivals != best]] = -1
    return out
