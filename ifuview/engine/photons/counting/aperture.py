"""Which resonators a pixel, a box or a circle on the array takes in, and with what weight.

Pixel (x, y) covers x - 0.5 .. x + 0.5. A circle weighs each pixel with the exact area that the two share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.light import Aperture
from ifuview.model.photons.lists import Beammap


def pixel(beammap: Beammap, x: int, y: int) -> Aperture:
    """Return one pixel; its flags do not matter, who points at a pixel wants to see it.

    Raises
    ------
    UsageError
        There is no such pixel, or it shows no resonator.
    """
    ny, nx = beammap.shape
    if not (0 <= x < nx and 0 <= y < ny):
        raise UsageError(f"pixel {x},{y} lies outside the array", todo=f"x is 0 to {nx - 1}, y is 0 to {ny - 1}")
    resonator = int(beammap.index[y, x])
    if resonator < 0:
        raise UsageError(f"pixel {x},{y} shows no resonator", todo="choose another pixel")
    return Aperture(f"pixel {x},{y}", np.array([resonator], np.int32), np.ones(1), center=(float(x), float(y)))


def box(beammap: Beammap, x0: int, y0: int, x1: int, y1: int, exclude: Sequence[str] = ()) -> Aperture:
    """Return the whole pixels of a box, both ends in, without those that carry a flag of `exclude`.

    Raises
    ------
    UsageError
        No usable pixel lies in the box.
    """
    (x0, x1), (y0, y1) = sorted((x0, x1)), sorted((y0, y1))
    weights = np.zeros(beammap.shape)
    weights[max(y0, 0) : max(y1 + 1, 0), max(x0, 0) : max(x1 + 1, 0)] = 1
    label = f"box {x0},{y0} to {x1},{y1}"
    area = (x1 - x0 + 1) * (y1 - y0 + 1)
    return _aperture(
        beammap=beammap, label=label, weights=weights, ring=None, exclude=exclude,
        center=((x0 + x1) / 2, (y0 + y1) / 2), area=area,
    )  # fmt: skip


def circle(
    beammap: Beammap, x: float, y: float, radius: float, *, inner: float | None = None, outer: float | None = None,
    exclude: Sequence[str] = (),
) -> Aperture:  # fmt: skip
    """Return a circle of pixels by exact overlap, with an annulus of background from `inner` to `outer`.

    Raises
    ------
    UsageError
        A radius makes no sense, or no usable pixel lies in the circle.
    """
    if not radius > 0:
        raise UsageError(f"a radius of {radius:g} px is not above zero", todo="choose a larger radius")
    weights = circle_overlap(beammap.shape, x, y, radius)
    ring = None
    if inner is not None and outer is not None:
        if not 0 <= inner < outer:
            todo = "give the inner radius first"
            raise UsageError(f"an annulus from {inner:g} to {outer:g} px makes no sense", todo=todo)
        ring = circle_overlap(beammap.shape, x, y, outer)
        if inner > 0:
            ring = ring - circle_overlap(beammap.shape, x, y, inner)
    made = _aperture(
        beammap=beammap, label=f"circle {x:g},{y:g} r {radius:g} px", weights=weights, ring=ring, exclude=exclude,
        center=(x, y), area=np.pi * radius * radius,
    )  # fmt: skip
    return replace(made, radius=radius, annulus=(0.0, 0.0) if inner is None or outer is None else (inner, outer))


def _aperture(
    beammap: Beammap, label: str, weights: Array, ring: Array | None, exclude: Sequence[str],
    center: tuple[float, float], area: float,
) -> Aperture:  # fmt: skip
    """Resonators of the usable pixels with a weight."""
    usable = ~beammap.flagged(exclude) & (beammap.index >= 0)
    resonators, chosen = _resonators(beammap, np.where(usable, weights, 0))
    if not len(resonators):
        todo = "choose another place, or exclude fewer flags"
        raise UsageError(f"there is no usable pixel in the {label}", todo=todo)
    nothing = np.zeros(beammap.shape)
    background = _resonators(beammap, nothing if ring is None else np.where(usable, ring, 0))
    return Aperture(label, resonators, chosen, *background, center=center, dropped=area - float(chosen.sum()))


def _resonators(beammap: Beammap, weights: Array) -> tuple[Array, Array]:
    """Resonators, ascending, with the weight of their pixel; the larger one if two pixels share a resonator."""
    inside = weights > 1e-12
    full = np.zeros(beammap.nresonator)
    np.maximum.at(full, beammap.index[inside], weights[inside])
    chosen = np.flatnonzero(full)
    return chosen.astype(np.int32), full[chosen]


def circle_overlap(shape: tuple[int, int], x: float, y: float, radius: float) -> Array:
    """Return the area that each pixel of an (ny, nx) array shares with a circle, px^2."""
    right = (np.arange(shape[1] + 1) - 0.5 - x) / radius
    top = (np.arange(shape[0] + 1) - 0.5 - y) / radius
    corner = _corner(right[None, :], top[:, None]) * radius * radius
    area = corner[1:, 1:] - corner[:-1, 1:] - corner[1:, :-1] + corner[:-1, :-1]
    area[area < 1e-12] = 0.0
    return np.asarray(np.minimum(area, 1.0))


def _corner(x: Array, y: Array) -> Array:
    """Area of the unit disk left of x and below y.

    A corner inside the disk cuts it into four parts. Opposite parts differ by S(x) + S(y) - pi, with S the area on one
    side of a line; the two pairs differ by 4 x y (differentiate with respect to y: the chord's halves differ by 2 x).
    """
    side_x, side_y = _side(x), _side(y)
    inside = x * y + (side_x + side_y) / 2 - np.pi / 4
    first = side_x + side_y - np.pi
    second = np.where(y >= 0, side_x, 0.0)
    fourth = np.where(x >= 0, side_y, 0.0)
    outside = np.where((x >= 0) & (y >= 0), first, np.where(y >= 0, second, fourth))
    return np.maximum(np.where(x * x + y * y < 1, inside, outside), 0.0)


def _side(x: Array) -> Array:
    """Area of the unit disk left of x."""
    x = np.clip(x, -1.0, 1.0)
    return np.asarray(np.pi / 2 + np.arcsin(x) + x * np.sqrt(1 - x * x))
