"""ds9 region files, read and written as text."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable

from ifuview.errors import FileFormatError
from ifuview.files import whole_file
from ifuview.inputs import regular_file
from ifuview.io.regions_parse import COMMENTED, DEFAULT_COLOR, Reading
from ifuview.model.region import PANDAS, SKY_FRAMES, TURNED, Region, Shape

Path = str | os.PathLike[str]
HEAD = ("# Region file format: DS9 version 4.1", f"global color={DEFAULT_COLOR}", "image")
QUOTES = (("{", "}"), ('"', '"'), ("'", "'"))
MAX_SIZE = 32 << 20  # bytes; region files are text written by hand or by small programs


class Regions(tuple[Region, ...]):
    """The regions of a file; `notes` says what was left out."""

    notes: tuple[str, ...] = ()


def read_regions(path: Path) -> Regions:
    """Read a ds9 region file.

    Regions in image coordinates are in 0-based pixels; others keep their frame until the image is known
    (`ifuview.app.frames.opening.regions.placed`). What is left out or simplified is in the notes.

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
    reading = Reading()
    reading.read(text)
    if not reading.understood and text.strip():
        raise FileFormatError("holds no ds9 regions", path, "choose a region file as ds9 writes it")
    found = Regions(reading.regions)
    found.notes = tuple(dict.fromkeys(reading.notes))
    return found


def write_regions(path: Path, regions: Iterable[Region]) -> None:
    """Write regions, in image coordinates (1-based, as ds9 has them) unless they are in another frame, as a whole."""
    regions = tuple(regions)
    mixed = any(region.frame != "image" for region in regions)
    lines = [f"{region.frame}; {_line(region)}" if mixed else _line(region) for region in regions]
    text = "\n".join([*HEAD, *lines, ""])
    with (
        whole_file(path, "the regions", error=FileFormatError) as part,
        open(part, "w", encoding="utf-8", errors="backslashreplace") as file,
    ):
        file.write(text)


def _line(region: Region) -> str:
    """A region as ds9 writes it: 1-based image pixels, or degrees."""
    marks = [f"color={region.color}"] if region.color != DEFAULT_COLOR else []
    marks += [f"text={_quoted(region.text)}"] if region.text else []
    marks += [f"tag={_quoted(tag)}" for tag in region.tags]
    marks += [f"{key}={value}" for key, value in region.more]
    sign = "" if region.include else "-"
    name = "segment" if region.shape is Shape.LINE and len(region.points) > 2 else str(region.shape)
    name = f"# {name}" if name in COMMENTED else name
    shape = f"{sign}{name}({','.join(_numbers(region))})"
    return f"{shape}{'' if name.startswith('#') else ' #'} {' '.join(marks)}" if marks else shape


def _numbers(region: Region) -> list[str]:
    """Places, sizes and angles in the order of the shape."""
    sky, off = region.frame in SKY_FRAMES, 1.0 if region.frame == "image" else 0.0
    unit = region.size_unit or ("deg" if sky else "px")

    def length(value: float) -> str:
        return f'{value * 3600:.6f}"' if unit == "deg" else f"{value:.4f}{'i' * sky}"

    places = [f"{value:.9f}" if sky else f"{value + off:.4f}" for point in region.points for value in point]
    sizes = [length(size) for size in region.size]
    if region.shape in PANDAS:
        first, last, sectors, rings = region.sectors
        turned = [f"{region.angle:.4f}"] if region.shape in TURNED else []
        return [*places, f"{first:.4f}", f"{last:.4f}", f"{sectors:.0f}", *sizes, f"{rings:.0f}", *turned]
    if region.shape is Shape.VECTOR:
        (x, y), (x1, y1) = region.points
        dx, dy = x1 - x, y1 - y
        if sky:  # angles count from west over north
            dx = -((dx + 180) % 360 - 180) * math.cos(math.radians(y))
        return [*places[:2], length(math.hypot(dx, dy)), f"{math.degrees(math.atan2(dy, dx)) % 360:.6f}"]
    return [*places, *sizes, *([f"{region.angle:.4f}"] if region.shape in TURNED else [])]


def _quoted(text: str) -> str:
    """Text between marks that it does not hold itself."""
    text = " ".join(text.split())
    opening, closing = next((pair for pair in QUOTES if pair[1] not in text), QUOTES[0])
    return opening + text.replace(closing, "") + closing
