"""Where the fibers sit on the focal plane or the sky, colored by their role or by a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ifuview.app.session import Session
from ifuview.app.views import colors
from ifuview.app.views.fiber_table import fiber_map
from ifuview.app.views.text import axis
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap, FiberRole

ROLE = "role"
COLORS = 64  # of the ramp
TAILS = (1.0, 99.0)  # percentiles that the color range spans
RAMP = "viridis"


@dataclass(frozen=True, slots=True, eq=False)
class FocalPlaneView:
    """Positions and what can color them.

    Parameters
    ----------
    x, y : ndarray, shape (nfiber,)
    xlabel, ylabel : str
    mirror : bool
        x rises to the left (right ascension).
    stretch : float
        Length of a unit of y over that of x.
    ids : tuple of str
    roles : tuple of FiberRole
    fiber : int or None
    fibers : tuple of int
    choices : tuple of str
        Names that `values` knows, after "role".
    numbers : tuple of (name, ndarray)
    source : FiberMap
        The same object means the same positions.
    title : str
    """

    x: Array
    y: Array
    xlabel: str
    ylabel: str
    mirror: bool
    stretch: float
    ids: tuple[str, ...]
    roles: tuple[FiberRole, ...]
    fiber: int | None
    fibers: tuple[int, ...]
    numbers: tuple[tuple[str, Array], ...]
    source: FiberMap
    title: str

    @property
    def choices(self) -> tuple[str, ...]:
        """What the fibers can be colored by."""
        return (ROLE, *(name for name, _ in self.numbers))


@dataclass(frozen=True, slots=True, eq=False)
class Shades:
    """Color of each fiber as 0xRRGGBB of a ramp: index (nfiber,), -1 where unknown; the ramp; its range."""

    index: Array
    ramp: Array
    lo: float
    hi: float


def inputs(session: Session) -> tuple[Any, ...]:
    """What the view depends on."""
    slot = session.slot()
    return (None if slot is None else fiber_map(slot), session.selection, session.metrics, session.current)


def make(session: Session) -> FocalPlaneView | None:
    """Positions of the fibers of the current frame; None when they are not known."""
    slot = session.slot()
    fibermap = None if slot is None else fiber_map(slot)
    if slot is None or fibermap is None:
        return None
    if fibermap.focal_x is not None and fibermap.focal_y is not None:
        unit = fibermap.focal_unit
        place = (fibermap.focal_x, fibermap.focal_y, axis("Focal plane x", unit), axis("Focal plane y", unit))
        mirror, stretch = False, 1.0
    elif fibermap.ra is not None and fibermap.dec is not None:
        place = (fibermap.ra, fibermap.dec, axis("Right ascension", "°"), axis("Declination", "°"))
        known = fibermap.dec[np.isfinite(fibermap.dec)]
        cosine = float(np.cos(np.radians(known.mean()))) if known.size else 1.0
        mirror, stretch = True, 1.0 / max(cosine, 1e-3)
    else:
        return None
    return FocalPlaneView(
        *place,
        mirror=mirror,
        stretch=stretch,
        ids=fibermap.fiber_id,
        roles=fibermap.role,
        fiber=session.selection.fiber,
        fibers=session.selection.fibers,
        numbers=_numbers(fibermap, session.metrics, slot.dataset.block),
        source=fibermap,
        title=slot.title,
    )


def shades(view: FocalPlaneView, name: str) -> Shades | None:
    """Colors by a number; None for the role or a name that is not there."""
    values = dict(view.numbers).get(name)
    if values is None:
        return None
    values = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(values)
    lo, hi = (float(v) for v in np.percentile(values[finite], TAILS)) if finite.any() else (0.0, 1.0)
    if hi <= lo:
        lo, hi = lo - 0.5, hi + 0.5
    place = np.clip((np.where(finite, values, lo) - lo) / (hi - lo) * (COLORS - 1), 0, COLORS - 1)
    index = np.where(finite, np.round(place), -1).astype(np.intp)
    rgb = np.round(colors.ramp(RAMP, np.linspace(0.0, 1.0, COLORS)) * 255).astype(np.uint32)
    return Shades(index, rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2], lo, hi)


def describe(view: FocalPlaneView, row: int, name: str = ROLE) -> str:
    """One fiber in words."""
    text = f"Fiber {view.ids[row]} ({view.roles[row]}) at {view.x[row]:.4g}, {view.y[row]:.4g}"
    values = dict(view.numbers).get(name)
    return text if values is None else f"{text}, {name} {float(values[row]):.4g}"


def nearest(view: FocalPlaneView, x: float, y: float) -> int | None:
    """Row of the fiber nearest to a position."""
    distance = np.hypot(view.x - x, (view.y - y) * view.stretch)
    return None if not np.isfinite(distance).any() else int(np.nanargmin(distance))


def _numbers(fibermap: FiberMap, metrics: tuple[tuple[str, Array], ...], block: str) -> tuple[tuple[str, Array], ...]:
    """Everything with one number per fiber: block, metrics, columns of the table."""
    out: dict[str, Array] = {block: np.asarray(fibermap.block)}
    out.update((name, v) for name, v in metrics if len(v) == fibermap.nfiber)
    for name, values in fibermap.table.items():
        v = np.asarray(values)
        if v.shape == (fibermap.nfiber,) and v.dtype.kind in "iufb":
            out.setdefault(name, v)
    return tuple(out.items())
