"""Regions drawn on an image, in 0-based pixel coordinates (the center of the first pixel is 0, 0)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Region:
    """One region of a ds9 region file.

    Parameters
    ----------
    shape : str
        "point", "circle", "ellipse", "box", "polygon", "line" or "annulus".
    points : tuple of (x, y)
        The center; two ends of a line; the corners of a polygon.
    sizes : tuple of float
        circle (radius,), ellipse (a, b), box (width, height), annulus (inner, outer); px.
    angle : float
        Degrees, counter-clockwise.
    text, color : str
    """

    shape: str
    points: tuple[tuple[float, float], ...]
    sizes: tuple[float, ...] = ()
    angle: float = 0.0
    text: str = ""
    color: str = "#00ff00"
