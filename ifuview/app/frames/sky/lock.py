"""Views that follow the sky: the same place at the center, the same scale, the nearest right angle on the screen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.sky import maps
from ifuview.app.frames.sky.maps import SkyMap
from ifuview.app.frames.views.viewport import MAX_ZOOM, MIN_ZOOM, matrix
from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array

SQUARE = 1e-3  # of the ratio of both zooms; below it the pixels are taken as square
TURNS = tuple((rotation, flip) for flip in (False, True) for rotation in (0, 90, 180, 270))
Shape = tuple[int, int]


def sky_of(slot: Slot) -> SkyMap | None:
    """Where the pixels of a frame lie on the sky; None where they do not, or a task still has to find out."""
    known = slot.sky is not None and slot.sky.cards is slot.image.wcs
    return slot.sky if known else maps.quick(slot.image)


def followed(view: ViewState, source: SkyMap, shape: Shape, target: SkyMap) -> ViewState | None:
    """The view of another image that shows the same sky as `view` does of an image of `shape` (ny, nx).

    Scale and orientation are those at the center of the view. The canvas turns by right angles: what is left of the
    angle between both stays (`askew`).

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
    rotation, flip = max(TURNS, key=lambda turn: float(np.sum(_unit(*turn) * on_screen)))
    aspect = up / along
    out = replace(
        view, x=there[0], y=there[1], rotation=rotation, flip_x=flip, flip_y=False,
        zoom=min(max(along, MIN_ZOOM), MAX_ZOOM), aspect=1.0 if abs(aspect - 1) < SQUARE else aspect,
    )  # fmt: skip
    return replace(out, part=_part(view, shape, step, there)) if view.fit else out


def askew(view: ViewState, source: SkyMap, shape: Shape, target: SkyMap) -> float:
    """Angle (deg) by which the sky of the other image stays turned on the screen; 0 where nothing is known."""
    center = _center(view, shape)
    place, after = source.icrs(*center), followed(view, source, shape, target)
    step = None if place is None or after is None else _step(source, center, target, (after.x, after.y))
    if step is None or after is None:
        return 0.0
    left = _unit(after.rotation, after.flip_x).T @ _linear(replace(view, aspect=1.0)) @ np.linalg.inv(step)
    return math.degrees(math.atan2(left[1, 0] - left[0, 1], left[0, 0] + left[1, 1]))


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


def _part(view: ViewState, shape: Shape, step: Array, there: tuple[float, float]) -> tuple[float, float, float, float]:
    """The box of the target that is as large on the sky as what the view fits."""
    x0, y0, x1, y1 = view.part or (-0.5, -0.5, shape[1] - 0.5, shape[0] - 0.5)
    scale = math.sqrt(abs(float(np.linalg.det(step))))
    across = abs(step[0, 1]) > abs(step[0, 0])
    half = np.array([y1 - y0, x1 - x0] if across else [x1 - x0, y1 - y0]) * scale / 2
    return there[0] - half[0], there[1] - half[1], there[0] + half[0], there[1] + half[1]


def _linear(view: ViewState) -> Array:
    """Screen px to the right and upwards for an image pixel along x and y."""
    aspect = view.aspect if view.aspect > 0 else 1.0
    m11, m12, m21, m22, _, _ = matrix(replace(view, aspect=aspect), (0, 0))
    return np.array([[m11, m21], [-m12, -m22]])


def _unit(rotation: int, flip: bool) -> Array:
    """The same for a zoom of 1."""
    return _linear(ViewState(rotation=rotation, flip_x=flip))
