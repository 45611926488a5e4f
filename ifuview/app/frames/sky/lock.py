"""Views that follow the sky: the same place at the center, the same scale, the same directions on the screen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.sky import maps
from ifuview.app.frames.sky.maps import SkyMap
from ifuview.app.frames.views.viewport import MAX_ZOOM, MIN_ZOOM, extent, matrix, turned
from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array

SQUARE = 1e-3  # of the ratio of both zooms; below it the pixels are taken as square
NEARLY = 0.01  # degrees from a right angle that are not seen: a third of a pixel in the corner of a large canvas
Shape = tuple[int, int]


def sky_of(slot: Slot) -> SkyMap | None:
    """Where the pixels of a frame lie on the sky; None where they do not, or a task still has to find out."""
    known = slot.sky is not None and slot.sky.cards is slot.image.wcs
    return slot.sky if known else maps.quick(slot.image)


def followed(view: ViewState, source: SkyMap, shape: Shape, target: SkyMap) -> ViewState | None:
    """The view of another image that shows the same sky as `view` does of an image of `shape` (ny, nx).

    Scale and directions are those at the center of the view, as ds9 does it; axes that are not at right angles on the
    sky stay so by halves.

    Returns
    -------
    ViewState or None
        None where either image has no sky at the center.
    """
    center = _center(view, shape)
    place = source.icrs(*center)
    there = None if place is None else target.pixel(*place)
    step = None if there is None else _step(source, center, target, there)
    if step is None or there is None:
        return None
    on_screen = _linear(view) @ np.linalg.inv(step)
    along, up = (float(np.linalg.norm(on_screen[:, k])) for k in (0, 1))
    flip = bool(np.linalg.det(on_screen) < 0)
    aspect = up / along
    out = replace(
        view, x=there[0], y=there[1], rotation=_angle(on_screen, flip), flip_x=flip, flip_y=False,
        zoom=min(max(along, MIN_ZOOM), MAX_ZOOM), aspect=1.0 if abs(aspect - 1) < SQUARE else aspect,
    )  # fmt: skip
    return replace(out, part=_part(view, shape, step, out)) if view.fit else out


def _angle(on_screen: Array, flip: bool) -> float:
    """By how much the axes of an image are turned on the screen, degrees; a right angle where it nearly is one."""
    unit = on_screen / np.linalg.norm(on_screen, axis=0) * (-1.0 if flip else 1.0, 1.0)
    angle = math.degrees(math.atan2(unit[1, 0] - unit[0, 1], unit[0, 0] + unit[1, 1])) % 360
    right = round(angle / 90) * 90
    return right % 360 if abs(angle - right) < NEARLY else angle


def follow_all(session: Session, leader: Slot) -> Session:
    """The session with every frame that has a sky on that of one of them."""
    sky = sky_of(leader)
    if sky is None:
        return session
    return replace(session, slots=tuple(s if s.key == leader.key else follow(s, leader, sky) for s in session.slots))


def follow(slot: Slot, leader: Slot, sky: SkyMap | None = None) -> Slot:
    """A frame with the view of the sky that another one has, if both know it."""
    source, target = sky or sky_of(leader), sky_of(slot)
    view = None
    if source is not None and target is not None:
        view = followed(leader.view, source, leader.image.shape, target)
    return slot if view is None else replace(slot, view=view)


def _center(view: ViewState, shape: Shape) -> tuple[float, float]:
    """What is at the center of the canvas, native px."""
    if not view.fit:
        return view.x, view.y
    x0, y0, x1, y1 = view.part or (-0.5, -0.5, shape[1] - 0.5, shape[0] - 0.5)
    return (x0 + x1) / 2, (y0 + y1) / 2


def _step(source: SkyMap, at: tuple[float, float], target: SkyMap, there: tuple[float, float]) -> Array | None:
    """Pixels of the target along its axes for a pixel of the source along each of its own, shape (2, 2)."""
    first, second = source.slopes(*at), target.slopes(*there)
    if first is None or second is None or not np.linalg.det(first) or not np.linalg.det(second):
        return None
    return np.linalg.solve(second, first)


def _part(view: ViewState, shape: Shape, step: Array, out: ViewState) -> tuple[float, float, float, float]:
    """The box of the target that is as large on the sky as what the view fits."""
    scale = math.sqrt(abs(float(np.linalg.det(step))))
    wide, high = (side * scale / 2 for side in extent(shape, view))
    half = (high, wide) if turned(out) else (wide, high)
    return out.x - half[0], out.y - half[1], out.x + half[0], out.y + half[1]


def _linear(view: ViewState) -> Array:
    """Screen px to the right and upwards for an image pixel along x and y."""
    aspect = view.aspect if view.aspect > 0 else 1.0
    m11, m12, m21, m22, _, _ = matrix(replace(view, aspect=aspect), (0, 0))
    return np.array([[m11, m21], [-m12, -m22]])
