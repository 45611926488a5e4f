"""Which pixels have their center inside a region."""

from __future__ import annotations

import math

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.region import Region, Shape

CLOSED = (Shape.POINT, Shape.CIRCLE, Shape.ELLIPSE, Shape.BOX, Shape.POLYGON, Shape.ANNULUS)  # with an inside


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
    if region.shape is Shape.BOX:
        return (np.abs(u) <= size[0] / 2) & (np.abs(v) <= size[1] / 2)
    if region.shape is Shape.ELLIPSE:
        return (u / size[0]) ** 2 + (v / size[1]) ** 2 <= 1
    distance = np.hypot(u, v)
    return (distance <= max(size)) & (distance >= (min(size) if region.shape is Shape.ANNULUS else 0.0))


def _in_polygon(corners: tuple[tuple[float, float], ...], x: Array, y: Array) -> Array:
    """Even and odd crossings of a ray."""
    odd = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0])):
        if y0 != y1:
            odd ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return odd
