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


PHYSICAL = "physical"
SKY_FRAMES = ("fk4", "fk5", "icrs", "galactic", "ecliptic", "wcs")  # "wcs": the image's own celestial axes


@dataclass(frozen=True, slots=True)
class Region:
    """One region in native pixels of the image; the center of the first pixel is (0, 0).

    As it is read from a file it may be in another `frame`, until the image is known that it lies on.

    Parameters
    ----------
    shape : Shape
    points : tuple of (float, float), px
        Center of a point, circle, ellipse, box or annulus; two points of a line or more; corners of a
        polygon.
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
    frame : str
        "image"; else "physical" (LTV and LTM of the image, 1-based px) or one of `SKY_FRAMES` (degrees; angles from
        west over north).
    size_unit : str
        "px" or "deg" where `size` is not in the unit of the frame.
    """

    shape: Shape
    points: tuple[tuple[float, float], ...]
    size: tuple[float, ...] = ()
    angle: float = 0.0
    text: str = ""
    color: str = "green"
    tags: tuple[str, ...] = ()
    include: bool = True
    frame: str = "image"
    size_unit: str = ""
