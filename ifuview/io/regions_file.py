"""ds9 region files: read through the `regions` package, written as plain text."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ifuview.errors import FileFormatError
from ifuview.files import whole_file
from ifuview.io.source import regular_file
from ifuview.model.region import Region, Shape

if TYPE_CHECKING:
    from regions import PixCoord, PixelRegion

Path = str | os.PathLike[str]
COLOR_KEYS = ("color", "facecolor", "edgecolor")
DEFAULT_COLOR = "green"
HEAD = ("# Region file format: DS9 version 4.1", f"global color={DEFAULT_COLOR}", "image")
SHAPES = {
    "Point": Shape.POINT,
    "Circle": Shape.CIRCLE,
    "Ellipse": Shape.ELLIPSE,
    "Rectangle": Shape.BOX,
    "Polygon": Shape.POLYGON,
    "Line": Shape.LINE,
    "CircleAnnulus": Shape.ANNULUS,
}
QUOTES = (("{", "}"), ('"', '"'), ("'", "'"))
FRAMES = ("image", "physical", "wcs", "fk4", "fk5", "icrs", "galactic", "ecliptic", "region file", "linear")
MAX_SIZE = 32 << 20  # bytes; region files are text written by hand or by small programs


class Regions(tuple[Region, ...]):
    """The regions of a file; `notes` says what was left out."""

    notes: tuple[str, ...] = ()


def read_regions(path: Path) -> Regions:
    """Read a ds9 region file in image or physical coordinates.

    Shapes that ifuview does not draw, and regions in sky coordinates, are left out with a note.

    Raises
    ------
    FileFormatError
        The file is no ds9 region file.
    """
    path = os.fspath(path)
    if regular_file(path).st_size > MAX_SIZE:
        raise FileFormatError("is too large for a region file", path)
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    from regions import Regions as Parser

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            parsed = Parser.parse(text, format="ds9")
    except Exception as problem:  # the parser raises almost anything on text that is no region file
        raise FileFormatError(f"is no ds9 region file ({' '.join(str(problem).split())})", path) from problem
    notes = [" ".join(str(warning.message).split()) for warning in caught]
    out = []
    for item in parsed:
        region = _from_parsed(item)
        if region is None:
            notes.append(f"a region of the kind {type(item).__name__} is left out")
        else:
            out.append(region)
    if not out and text.strip() and not any(frame in text.lower() for frame in FRAMES):
        raise FileFormatError("holds no ds9 regions", path)
    found = Regions(out)
    found.notes = tuple(dict.fromkeys(notes))
    return found


def write_regions(path: Path, regions: Iterable[Region]) -> None:
    """Write regions in image coordinates (1-based, as ds9 has them), through a temporary file."""
    text = "\n".join([*HEAD, *(_line(region) for region in regions), ""])
    with whole_file(path, "the regions", error=FileFormatError) as part, open(part, "w", encoding="utf-8") as file:
        file.write(text)


def _from_parsed(item: PixelRegion) -> Region | None:
    """One region of the parser; None if it is of a kind that is not drawn."""
    kind = type(item).__name__.removesuffix("PixelRegion")
    if kind.endswith("SkyRegion"):
        return None
    center = (_center(item.center),) if hasattr(item, "center") else ()
    angle = float(item.angle.to_value("deg")) if hasattr(item, "angle") else 0.0
    points: tuple[tuple[float, float], ...] = center
    size: tuple[float, ...] = ()
    shape = SHAPES.get(kind)
    if shape is None:
        return None
    if shape is Shape.CIRCLE:
        size = (float(item.radius),)
    elif shape is Shape.ELLIPSE:
        size = (float(item.width) / 2, float(item.height) / 2)
    elif shape is Shape.BOX:
        size = (float(item.width), float(item.height))
    elif shape is Shape.ANNULUS:
        size = (float(item.inner_radius), float(item.outer_radius))
    elif shape is Shape.POLYGON:
        points = tuple(zip(map(float, item.vertices.x), map(float, item.vertices.y)))
    elif shape is Shape.LINE:
        points = (_center(item.start), _center(item.end))
    visual, meta = item.visual, item.meta
    color = next((str(visual[key]) for key in COLOR_KEYS if visual.get(key)), DEFAULT_COLOR)
    tags = tuple(str(tag) for tag in meta.get("tag", ()))
    text = str(meta.get("text", meta.get("label", "")) or "")
    return Region(
        shape=shape, points=points, size=size, angle=angle, text=text, color=color, tags=tags,
        include=bool(meta.get("include", True)),
    )  # fmt: skip


def _center(point: PixCoord) -> tuple[float, float]:
    return float(point.x), float(point.y)


def _line(region: Region) -> str:
    """A region as ds9 writes it: 1-based image pixels."""
    numbers = [value + 1 for point in region.points for value in point] + list(region.size)
    if region.shape in (Shape.ELLIPSE, Shape.BOX):
        numbers.append(region.angle)
    marks = [f"color={region.color}"] if region.color != DEFAULT_COLOR else []
    marks += [f"text={_quoted(region.text)}"] if region.text else []
    marks += [f"tag={_quoted(tag)}" for tag in region.tags]
    sign = "" if region.include else "-"
    shape = f"{sign}{region.shape}({','.join(f'{number:.4f}' for number in numbers)})"
    return f"{shape} # {' '.join(marks)}" if marks else shape


def _quoted(text: str) -> str:
    """Text between marks that it does not hold itself."""
    text = " ".join(text.split())
    opening, closing = next((pair for pair in QUOTES if pair[1] not in text), QUOTES[0])
    return opening + text.replace(closing, "") + closing
