"""Regions: shapes with a text and a color that lie above an image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """The shapes that ifuview draws."""

    POINT = "point"
    CIRCLE = "circle"
    ELLIPSE = "ellipse"
    BOX = "box"
    POLYGON = "polygon"
    LINE = "line"
    ANNULUS = "annulus"


@dataclass(frozen=True, slots=True)
class Region:
    """One region in native pixels of the image; the center of the first pixel is (0, 0).

    Parameters
    ----------
    shape : Shape
    points : tuple of (float, float), px
        Center of a point, circle, ellipse, box or annulus; both ends of a line; corners of a polygon.
    size : tuple of float, px
        Circle: radius. Ellipse: the two half axes. Box: width and height. Annulus: inner and outer radius.
    angle : float, degree
        Counter-clockwise from +x to the first axis of an ellipse or box.
    text : str
    color : str
        Name or #rrggbb.
    tags : tuple of str
        ds9's group names.
    include : bool
        False for ds9's excluded regions ("-circle(...)").
    """

    shape: Shape
    points: tuple[tuple[float, float], ...]
    size: tuple[float, ...] = ()
    angle: float = 0.0
    text: str = ""
    color: str = "green"
    tags: tuple[str, ...] = ()
    include: bool = True
