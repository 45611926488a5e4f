"""Which pixels have their center inside a region."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.region import Region, Shape

CLOSED = (
    Shape.POINT, Shape.CIRCLE, Shape.ELLIPSE, Shape.BOX, Shape.POLYGON, Shape.ANNULUS, Shape.PANDA, Shape.EPANDA,
    Shape.BPANDA,
)  # fmt: skip
CIRCLE = 360.0  # degrees


def inside(region: Region, shape: tuple[int, int]) -> Array:
    """Pixels of an image of `shape` (ny, nx) whose center lies in a region, or on its edge; a point is its pixel.

    Raises
    ------
    ValueError
        The region has no inside (a line).
    """
    if region.shape not in CLOSED:
        raise ValueError(f"a {region.shape} has no inside")
    out = np.zeros(shape, bool)
    x0, y0, x1, y1 = _box(region, shape)
    if x1 > x0 and y1 > y0:
        y, x = np.mgrid[y0:y1, x0:x1].astype(np.float64)
        out[y0:y1, x0:x1] = _holds(region, x, y)
    return out


def _box(region: Region, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Columns and rows, first and behind the last, that the region can touch."""
    reach = math.hypot(*region.size[-2:]) if region.size else 0.5
    xs, ys = zip(*region.points)
    low = math.floor(max(min(xs) - reach, -1)), math.floor(max(min(ys) - reach, -1))
    high = math.ceil(min(max(xs) + reach, shape[1])) + 1, math.ceil(min(max(ys) + reach, shape[0])) + 1
    return max(low[0], 0), max(low[1], 0), min(high[0], shape[1]), min(high[1], shape[0])


def _holds(region: Region, x: Array, y: Array) -> Array:
    """Whether positions lie in a region."""
    if region.shape is Shape.POLYGON:
        return _in_polygon(region.points, x, y)
    u, v = x - region.points[0][0], y - region.points[0][1]
    if region.shape is Shape.POINT:
        return (np.abs(u) <= 0.5) & (np.abs(v) <= 0.5)
    cos, sin = math.cos(math.radians(region.angle)), math.sin(math.radians(region.angle))
    u, v = cos * u + sin * v, cos * v - sin * u
    size = region.size
    if region.shape in (Shape.BOX, Shape.BPANDA):
        found = _between(size, lambda a, b: np.maximum(np.abs(u) / (a / 2), np.abs(v) / (b / 2)))
    elif region.shape in (Shape.ELLIPSE, Shape.EPANDA):
        found = _between(size, lambda a, b: np.hypot(u / a, v / b))
    else:
        distance = np.hypot(u, v)
        found = (distance <= max(size)) & (distance >= (min(size) if len(size) > 1 else 0.0))
    return found & _in_sectors(region, u, v) if region.sectors else found


def _between(size: tuple[float, ...], part: Callable[[float, float], Array]) -> Array:
    """Within the outermost of several pairs of sizes, and not within the innermost; `part` is 1 on an edge."""
    found = part(*size[-2:] if len(size) > 1 else size * 2) <= 1
    return found & (part(*size[:2]) >= 1) if len(size) > 2 else found


def _in_sectors(region: Region, u: Array, v: Array) -> Array:
    """Between the first and the last angle of a panda."""
    first, last = region.sectors[:2]
    if last - first >= CIRCLE or first == last:
        return np.ones(u.shape, bool)
    return (np.degrees(np.arctan2(v, u)) - first) % CIRCLE <= (last - first) % CIRCLE


def _in_polygon(corners: tuple[tuple[float, float], ...], x: Array, y: Array) -> Array:
    """Even and odd crossings of a ray."""
    odd = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0])):
        if y0 != y1:
            odd ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return odd
