"""The values along the line that was drawn last on the current frame, with their errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ifuview.app.frames.sky.lock import sky_of
from ifuview.app.frames.views.sampling import mask_plane, shown_plane
from ifuview.app.frames.views.text import axis
from ifuview.app.session import Session, Slot
from ifuview.engine.frames.cut import CutPlan, cut_values, plan_cut
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.figure import Curve, Figure, Scale
from ifuview.model.region import Region, Shape

HINT = "Draw a line on the image (Shift+X) to see the values along it."


@dataclass(frozen=True, slots=True, eq=False)
class CutView:
    """A cut.

    Parameters
    ----------
    figure : Figure
    text : str
        Where it is.
    width : int, px
    distance, value : ndarray, shape (nstep,)
    error : ndarray or None
        None: not known.
    """

    figure: Figure
    text: str
    width: int
    distance: Array
    value: Array
    error: Array | None


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = session.slot()
    return (session.cut_width, None if slot is None else (slot.image, slot.plane, line_of(slot)))


def line_of(slot: Slot) -> Region | None:
    """The line that was drawn last."""
    return next((r for r in reversed(slot.regions) if r.shape is Shape.LINE and len(r.points) > 1), None)


def make(session: Session) -> CutView | None:
    """The cut; None without a line."""
    slot = session.slot()
    line = None if slot is None else line_of(slot)
    if slot is None or line is None:
        return None
    parts, start = [], 0.0
    for a, b in zip(line.points, line.points[1:]):
        try:
            plan = plan_cut(a, b, session.cut_width, slot.image.shape)
        except FitError as problem:
            if len(line.points) == 2:
                return _nothing(str(problem), session.cut_width)
            continue
        parts.append((start + plan.distance, *_values(slot, plan)))
        start += float(plan.distance[-1])
    if not parts:
        return _nothing("no part of the line lies on the image", session.cut_width)
    distance, value = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    errors = [part[2] for part in parts if part[2] is not None]
    error = np.concatenate(errors) if len(errors) == len(parts) else None
    return CutView(_figure(slot, distance, value, error), _words(slot, line), session.cut_width, distance, value, error)


def _values(slot: Slot, plan: CutPlan) -> tuple[Array, Array | None]:
    """Means along a line and their errors."""
    pixels, mask, ivar = shown_plane(slot), mask_plane(slot), slot.image.ivar
    value = np.asarray(pixels.physical(pixels.raw[plan.y, plan.x]), np.float64)
    if mask is not None:
        value[mask.raw[plan.y, plan.x] != 0] = np.nan
    if ivar is None:
        return cut_values(plan, value)
    own = ivar.plane(slot.plane)
    weight = np.asarray(own.physical(own.raw[plan.y, plan.x]), np.float64)
    with np.errstate(divide="ignore"):
        return cut_values(plan, value, np.where(weight > 0, 1 / weight, np.inf))


def _figure(slot: Slot, distance: Array, value: Array, error: Array | None) -> Figure:
    """Values against distance."""
    low, high = (None, None) if error is None else (value - error, value + error)
    label = "Distance along the line (px)"
    return Figure(
        "", Scale(label), Scale(axis("Value", slot.image.unit)), (Curve(distance, value, 0, low=low, high=high),)
    )


def _nothing(why: str, width: int) -> CutView:
    empty = np.empty(0)
    return CutView(Figure(empty=f"{why[:1].upper()}{why[1:]}."), "", width, empty, empty, None)


def _words(slot: Slot, line: Region) -> str:
    """From where to where, how long, at which angle."""
    (x0, y0), (x1, y1) = line.points[0], line.points[-1]
    length = sum(math.dist(a, b) for a, b in zip(line.points, line.points[1:]))
    sky = sky_of(slot)
    far = f" = {length * sky.scale * 3600:.4g}\N{DOUBLE PRIME}" if sky is not None and sky.scale > 0 else ""
    angle = math.degrees(math.atan2(y1 - y0, x1 - x0))
    return f"({x0:.1f}, {y0:.1f}) to ({x1:.1f}, {y1:.1f}): {length:.1f} px{far} at {angle:.1f}\N{DEGREE SIGN}"
