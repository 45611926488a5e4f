"""Regions: shapes with a text and a color that lie above an image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """The shapes of ds9 that ifuview draws."""

    POINT = "point"
    CIRCLE = "circle"
    ELLIPSE = "ellipse"
    BOX = "box"
    POLYGON = "polygon"
    LINE = "line"
    ANNULUS = "annulus"
    PANDA = "panda"
    EPANDA = "epanda"
    BPANDA = "bpanda"
    VECTOR = "vector"
    TEXT = "text"
    RULER = "ruler"
    COMPASS = "compass"
    PROJECTION = "projection"


PHYSICAL = "physical"
SKY_FRAMES = ("fk4", "fk5", "icrs", "galactic", "ecliptic", "wcs")  # "wcs": the image's own celestial axes
TURNED = (Shape.ELLIPSE, Shape.BOX, Shape.EPANDA, Shape.BPANDA)  # that have an angle
PANDAS = (Shape.PANDA, Shape.EPANDA, Shape.BPANDA)
LINES = (Shape.LINE, Shape.VECTOR, Shape.RULER, Shape.PROJECTION)  # from a point to another
MARKS = (Shape.POINT, Shape.TEXT, Shape.COMPASS)  # that have a place and no inside


@dataclass(frozen=True, slots=True)
class Region:
    """One region in native pixels of the image; the center of the first pixel is (0, 0).

    As it is read from a file it may be in another `frame`, until the image is known that it lies on.

    Parameters
    ----------
    shape : Shape
    points : tuple of (float, float), px
        Center of a mark, circle, ellipse, box, annulus or panda; two points of a line (more of a segment), vector,
        ruler or projection; corners of a polygon.
    size : tuple of float, px
        Circle: radius. Annulus, panda: radii, rising. Ellipse: half axes; box: width and height; several pairs, rising,
        are rings; so are those of an epanda and a bpanda. Projection: its width. Compass: length of its arms.
    angle : float, degree
        Counter-clockwise from +x to the first axis of an ellipse, box, epanda or bpanda.
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
    sectors : tuple of float
        Of a panda: first and last angle (degrees, from the first axis), number of sectors, number of rings. Of a
        compass: angles of its arms from +x, where those are not along x and y.
    more : tuple of (str, str)
        Properties of ds9 that are kept for the file ("width", "dash", "font", "point" ...).
    home : Home or None
        Where it came from, if that was another frame.
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
    sectors: tuple[float, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    home: Home | None = None

    @property
    def geometry(self) -> tuple[object, ...]:
        """Where it lies and how large it is."""
        return self.points, self.size, self.angle, self.sectors


@dataclass(frozen=True, slots=True)
class Home:
    """How a region stood in its file, and where that was on the image: unmoved, it is written as it came."""

    given: Region
    placed: tuple[object, ...]

    @property
    def frame(self) -> str:
        """The frame that it is written in."""
        return self.given.frame
