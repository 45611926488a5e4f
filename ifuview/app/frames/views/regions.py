"""Regions under the hand: where their handles are, what a point hits, and what a drag makes of them. Native pixels."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TypeVar

from ifuview.model.region import LINES, MARKS, TURNED, Region, Shape

# bright on a dark image; any two differ by 0.07 (OKLab) for a deuteranope and a protanope, too
PALETTE = ("#EFAD1A", "#438F75", "#EC55A3", "#5DE5F0", "#CDEA0E", "#DB803F", "#71A5F6", "#57D88D")
BOXES, OVALS = (Shape.BOX, Shape.BPANDA), (Shape.ELLIPSE, Shape.EPANDA)
ROUND = (Shape.CIRCLE, Shape.ANNULUS, Shape.PANDA)
DRAWN = ("box", "circle", "ellipse", "polygon", "annulus", "line", "vector", "text")  # by hand
INNER = 0.5  # radius of an annulus that is drawn, of its outer one
SMALLEST = 0.5  # px; half of the width of a region, or its radius, is never less
Point = tuple[float, float]
T = TypeVar("T")


def next_color(regions: tuple[Region, ...]) -> str:
    """A color of the palette that no region has yet, else the one that fewest have."""
    used = [r.color.upper() for r in regions]
    return min(PALETTE, key=lambda color: used.count(color.upper()))


def next_label(regions: tuple[Region, ...]) -> str:
    """The smallest number that no region is called by."""
    used = {r.text for r in regions}
    return next(str(n) for n in range(1, len(used) + 2) if str(n) not in used)


def drawn(shape: str, start: Point, stop: Point, *, text: str = "", color: str = "green") -> Region:
    """Return what a drag draws: round shapes from their center to their edge, a box between corners, lines, a text."""
    if shape in (Shape.CIRCLE, Shape.ANNULUS):
        radius = max(math.dist(start, stop), SMALLEST)
        radii = (radius,) if shape == Shape.CIRCLE else (INNER * radius, radius)
        return Region(Shape(shape), (start,), radii, text=text, color=color)
    if shape == Shape.ELLIPSE:
        half = tuple(max(abs(b - a), SMALLEST) for a, b in zip(start, stop))
        return Region(Shape.ELLIPSE, (start,), half, text=text, color=color)
    if shape in LINES:
        return Region(Shape(shape), (start, stop), text=text, color=color)
    if shape in MARKS:
        return Region(Shape(shape), (stop,), text=text, color=color)
    center = (start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2
    size = tuple(max(abs(b - a), 2 * SMALLEST) for a, b in zip(start, stop))
    return Region(Shape.BOX, (center,), size, text=text, color=color)


def moved(region: Region, dx: float, dy: float) -> Region:
    """Return the region somewhere else."""
    return replace(region, points=tuple((x + dx, y + dy) for x, y in region.points))


def rotated(region: Region, start: Point, stop: Point) -> Region:
    """Return the region turned about its center, as a hand turns it from one place to another."""
    cx, cy = region.points[0] if region.size and region.shape not in LINES else center(region)
    angle = math.degrees(math.atan2(stop[1] - cy, stop[0] - cx) - math.atan2(start[1] - cy, start[0] - cx))
    if region.shape in TURNED:
        return replace(region, angle=(region.angle + angle) % 360.0)
    if region.shape is Shape.PANDA:
        first, last = region.sectors[:2]
        begin = (first + angle) % 360.0
        return replace(region, sectors=(begin, begin + last - first, *region.sectors[2:]))
    turned = (_turned(x - cx, y - cy, angle) for x, y in region.points)
    return replace(region, points=tuple((cx + u, cy + v) for u, v in turned))


def scaled(region: Region, factor: float) -> Region:
    """Return the region larger or smaller about its center."""
    if region.size and region.shape not in LINES:
        least = 2 * SMALLEST if region.shape is Shape.BOX else SMALLEST
        factor = max(factor, least / min(region.size))
        return replace(region, size=tuple(s * factor for s in region.size))
    cx, cy = center(region)
    return replace(region, points=tuple((cx + factor * (x - cx), cy + factor * (y - cy)) for x, y in region.points))


def center(region: Region) -> Point:
    """Mean of the points of a region."""
    n = len(region.points)
    return sum(x for x, _ in region.points) / n, sum(y for _, y in region.points) / n


def pairs(region: Region) -> tuple[tuple[float, float], ...]:
    """The sizes of an ellipse or box, or of its rings, two by two."""
    return tuple(zip(region.size[::2], region.size[1::2])) or ((region.size[0], region.size[0]),)


def handles(region: Region) -> tuple[Point, ...]:
    """Places where a region can be taken to change its size: corners, ends of axes or points."""
    (x, y), size = region.points[0], region.size
    if region.shape in BOXES:
        corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        return tuple(_out(region, sx * w / 2, sy * h / 2) for w, h in pairs(region) for sx, sy in corners)
    if region.shape in OVALS:
        return tuple(_out(region, *at) for a, b in pairs(region) for at in ((a, 0), (0, b), (-a, 0), (0, -b)))
    if region.shape in ROUND:
        return tuple((x + r * dx, y + r * dy) for r in size for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1)))
    return region.points if region.shape not in MARKS else ()


def resized(region: Region, handle: int, x: float, y: float) -> Region:
    """Return the region after one of its handles was dragged to a place; the opposite corner of a box stays."""
    if region.shape is Shape.BOX and len(region.size) <= 2:
        fixed = handles(region)[(handle + 2) % 4]
        u, v = _turned(x - fixed[0], y - fixed[1], -region.angle)
        size = tuple(max(abs(w), 2 * SMALLEST) for w in (u, v))
        middle = _turned(math.copysign(size[0], u) / 2, math.copysign(size[1], v) / 2, region.angle)
        return replace(region, points=((fixed[0] + middle[0], fixed[1] + middle[1]),), size=size)
    if region.shape in BOXES:
        u, v = _in(region, x, y)
        new = _with(region.size, 2 * (handle // 4), max(2 * abs(u), 2 * SMALLEST))
        return replace(region, size=_with(new, 2 * (handle // 4) + 1, max(2 * abs(v), 2 * SMALLEST)))
    if region.shape in OVALS:
        at = handle % 2
        length = max(abs(_in(region, x, y)[at]), SMALLEST)
        return replace(region, size=_with(region.size, 2 * (handle // 4) + at, length))
    if region.shape in ROUND:
        radius = max(math.dist(region.points[0], (x, y)), SMALLEST)
        return replace(region, size=tuple(sorted(_with(region.size, handle // 4, radius))))
    return replace(region, points=_with(region.points, handle, (x, y)))


def handle_at(region: Region, x: float, y: float, slop: Point) -> int | None:
    """Number of the handle within `slop` px (along x and y) of a place."""
    near = [(max(abs(hx - x) / slop[0], abs(hy - y) / slop[1]), n) for n, (hx, hy) in enumerate(handles(region))]
    best = min(near, default=(math.inf, -1))
    return best[1] if best[0] <= 1 else None


def hit(regions: tuple[Region, ...], x: float, y: float, slop: Point) -> int | None:
    """Number of the region under a place, the one drawn last if there are several."""
    return next((n for n in reversed(range(len(regions))) if _holds(regions[n], x, y, slop)), None)


def _holds(region: Region, x: float, y: float, slop: Point) -> bool:
    """Whether a place lies in a region, or within `slop` of one that has no inside."""
    u, v = _in(region, x, y)
    if region.shape in BOXES:
        w, h = pairs(region)[-1]
        return abs(u) <= w / 2 + slop[0] and abs(v) <= h / 2 + slop[1]
    if region.shape in OVALS:
        a, b = pairs(region)[-1]
        return (u / (a + slop[0])) ** 2 + (v / (b + slop[1])) ** 2 <= 1
    if region.shape in ROUND:
        return math.hypot(u, v) <= max(region.size) + max(slop)
    if region.shape is Shape.POLYGON:
        return _inside(region.points, x, y)
    if region.shape in LINES:
        return min(_to_line(a, b, (x, y)) for a, b in zip(region.points, region.points[1:])) <= max(slop)
    return abs(u) <= 2 * slop[0] and abs(v) <= 2 * slop[1]


def _with(values: tuple[T, ...], place: int, value: T) -> tuple[T, ...]:
    """The tuple with one entry replaced."""
    return tuple(value if n == place else v for n, v in enumerate(values))


def _turned(u: float, v: float, angle: float) -> Point:
    """A vector turned counter-clockwise by `angle` degrees."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return cos * u - sin * v, sin * u + cos * v


def _out(region: Region, u: float, v: float) -> Point:
    """Native place of a point given along the axes of a region."""
    dx, dy = _turned(u, v, region.angle)
    return region.points[0][0] + dx, region.points[0][1] + dy


def _in(region: Region, x: float, y: float) -> Point:
    """A native place along the axes of a region, from its first point."""
    return _turned(x - region.points[0][0], y - region.points[0][1], -region.angle)


def _inside(corners: tuple[Point, ...], x: float, y: float) -> bool:
    """Whether a place lies in a polygon."""
    odd = False
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0])):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            odd = not odd
    return odd


def _to_line(a: Point, b: Point, at: Point) -> float:
    """Distance of a place from a piece of a line."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    t = 0.0 if length == 0 else min(max(((at[0] - a[0]) * dx + (at[1] - a[1]) * dy) / length, 0.0), 1.0)
    return math.dist(at, (a[0] + t * dx, a[1] + t * dy))
