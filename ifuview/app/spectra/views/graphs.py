"""The row and the column of the image through the cursor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.app.frames.views.sampling import pixel_at, shown_plane
from ifuview.app.frames.views.text import axis, quantity
from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array
from ifuview.model.figure import DOTTED, Curve, Figure, Rule, Scale

ROBUST = (0.1, 99.9)  # percentiles that the vertical range covers
ROW_READS, COLUMN_READS = 100_000, 6000  # pixels that are read at most; of a column each may be another page


@dataclass(frozen=True, slots=True, eq=False)
class GraphsView:
    """Values along x and along y through one pixel."""

    row: Figure
    column: Figure
    text: str


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = session.slot()
    place = (session.selection.x, session.selection.y)
    return (*place, None if slot is None else (slot.image, slot.plane))


def make(session: Session) -> GraphsView | None:
    """Row and column through the crosshair; None without one."""
    slot = session.slot()
    return None if slot is None else _through(slot, session.selection.x, session.selection.y)


def hover(session: Session, key: int, x: float, y: float) -> GraphsView | None:
    """Row and column through the cursor; None outside the image."""
    slot = session.slot(key)
    return None if slot is None else _through(slot, x, y)


def robust(values: Array, at: float) -> tuple[float, float] | None:
    """Vertical range of all but the most extreme values, and of the one at the cursor."""
    good = values[np.isfinite(values)]
    if good.size == 0:
        return None
    lo = float(np.percentile(good, ROBUST[0], method="higher"))
    hi = float(np.percentile(good, ROBUST[1], method="lower"))
    if np.isfinite(at):
        lo, hi = min(lo, at), max(hi, at)
    margin = 0.06 * (hi - lo) or 1.0
    return lo - margin, hi + margin


def _through(slot: Slot, x: float | None, y: float | None) -> GraphsView | None:
    """The cuts through a native position."""
    at = pixel_at(slot, x, y)
    if at is None:
        return None
    ix, iy = at
    pixels = shown_plane(slot)
    label = axis("Value", slot.image.unit)
    text = f"({ix}, {iy}): {quantity(pixels.value(iy, ix), slot.image.unit, 6)}"
    ny, nx = pixels.shape
    columns, rows = _some(ix, nx, ROW_READS), _some(iy, ny, COLUMN_READS)
    along = _cut("x (px)", np.arange(nx)[columns], pixels.physical(pixels.raw[iy, columns]), ix, label)
    across = _cut("y (px)", np.arange(ny)[rows], pixels.physical(pixels.raw[rows, ix]), iy, label)
    return GraphsView(along, across, text)


def _cut(name: str, x: Array, values: Array, at: int, label: str) -> Figure:
    """One cut with a line at the cursor."""
    near = np.flatnonzero(x == at)
    limits = robust(values, float(values[near[0]]) if near.size else float("nan"))
    cursor = Rule(at, stroke=DOTTED)
    span = (float(x[0]), float(x[-1])) if x.size > 1 else None
    return Figure("", Scale(name, span), Scale(label, limits), (Curve(x, values, 0),), (cursor,))


def _some(at: int, size: int, most: int) -> slice:
    """All places of an axis; every n-th of a very long one, that of the cursor among them."""
    step = -(-size // most)
    return slice(at % step, size, step)
