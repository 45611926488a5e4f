"""The text of a ds9 region file as regions in the frame they are written in.

After the ds9 reference manual, "Regions": one statement a line or between semicolons, an optional frame before, the
properties behind a `#`. Every shape is kept with all its numbers, and the properties that are not drawn for the file;
what is not understood is said with its line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ifuview.model.region import PHYSICAL, SKY_FRAMES, Region, Shape

DEFAULT_COLOR = "green"
FRAMES = {
    "image": "image",
    "physical": PHYSICAL,
    "detector": PHYSICAL,
    "amplifier": PHYSICAL,
    "linear": "wcs",
    "fk4": "fk4",
    "b1950": "fk4",
    "fk5": "fk5",
    "j2000": "fk5",
    "icrs": "icrs",
    "galactic": "galactic",
    "ecliptic": "ecliptic",
    "wcs": "wcs",
}
EQUATORIAL = ("fk4", "fk5", "icrs", "wcs")
KEPT = ("width", "dash", "dashlist", "font")  # global properties that go with each region, for the file
HARMLESS = ("tile", "wcs[a-z]", "composite")
COMMENTED = ("text", "vector", "ruler", "segment", "compass", "projection", "composite")  # written behind a "#"
STATEMENT = re.compile(r"([-+!&|]*)\s*([a-z]+(?:\s+point)?)\s*(?:\(|\s|$)\s*([^)]*)\)?", re.IGNORECASE)
PROPERTY = re.compile(r"(\w+)\s*=\s*(\{[^}]*\}|\"[^\"]*\"|'[^']*'|\S+)")
SEVERAL = re.compile(r"\b(point|line|compass|dashlist)\s*=\s*((?:(?!\s+\w+\s*=).)*)")  # of more than one word
COLONS = re.compile(r"([+-]?)(\d+):(\d+):([\d.]+)")
LETTERS = re.compile(r"([+-]?)(\d+)([hd])(\d+)m([\d.]+)s")
UNITS = {'"': 1 / 3600, "'": 1 / 60, "d": 1.0, "r": math.degrees(1.0)}  # degrees
HOUR = 15.0  # degrees
Point = tuple[float, float]


class Reading:
    """One file while it is read: `regions`, `notes`, and whether anything at all was `understood`."""

    def __init__(self) -> None:
        self.regions: list[Region] = []
        self.notes: list[str] = []
        self.understood = False
        self._frame, self._usual = PHYSICAL, {"color": DEFAULT_COLOR}  # ds9's own default
        self._kept: dict[str, str] = {}

    def read(self, text: str) -> None:
        """Read all statements."""
        for number, line in enumerate(text.splitlines(), 1):
            for body, properties in statements(line):
                try:
                    self._statement(body, properties)
                except (ValueError, IndexError) as problem:
                    why = str(problem) if isinstance(problem, ValueError) else "numbers are missing"
                    self.notes.append(f"line {number} is left out ({body.strip()[:60]}): {why}")

    def _statement(self, body: str, properties: str) -> None:
        """A frame, a global property or a shape."""
        word = body.strip().lower()
        if word.startswith("global"):
            self._usual |= {k: v for k, v in PROPERTY.findall(body) if k == "color"}
            self._kept |= {k: v for k, v in PROPERTY.findall(body) if k in KEPT}
            self.understood = True
        elif word in FRAMES or re.fullmatch("|".join(HARMLESS), word.partition(" ")[0].partition("(")[0]):
            self._switch(word)
        elif not word:
            self.understood |= "region file format" in properties.lower()
        else:
            self._shape(body.strip(), properties)

    def _switch(self, word: str) -> None:
        """Another frame from here on, or a word without a shape."""
        self.understood = True
        if word in FRAMES:
            self._frame = FRAMES[word]
        elif word.startswith("wcs"):
            self._frame = "wcs"
            self.notes.append(f"{word} is taken as the main coordinate system of the image")
        elif word.startswith("composite"):
            self.notes.append("a composite is read as the regions in it")
        if word in ("detector", "amplifier"):
            self.notes.append(f"{word} coordinates are taken as physical ones")

    def _shape(self, body: str, properties: str) -> None:
        """One region."""
        found = STATEMENT.match(body)
        name = "" if found is None else found[2].lower()
        name = "point" if name.endswith("point") else name
        if found is None or name not in MAKERS:
            raise ValueError(f"{name or body[:20]} is no shape of ds9")
        values = Values([v for v in re.split(r"[\s,]+", found[3]) if v], self._frame)
        made = MAKERS[name](values)
        given = _given(properties)
        own = {**self._usual, **dict(given)}
        self.understood = True
        self.regions.append(Region(
            shape=made.shape, points=tuple(made.points), size=tuple(made.size), angle=made.angle,
            sectors=made.sectors, text=_bare(own.get("text", "")),
            color=_bare(own["color"]), tags=tuple(_bare(v) for k, v in given if k == "tag"),
            include="-" not in found[1] and "!" not in found[1], frame=values.frame, size_unit=values.size_unit,
            more=tuple((k, v) for k, v in self._kept.items() if k not in dict(given))
            + tuple((k, v) for k, v in given if k not in ("text", "color", "tag")),
        ))  # fmt: skip
        self.notes += [made.word] if made.word else []
        rest = body[found.end() :].strip(" |")
        if rest:  # circle(...)-circle(...) as other programs write it
            self._shape(rest, properties)


class Values:
    """The numbers of a statement, and the frame that they are of."""

    def __init__(self, words: list[str], frame: str) -> None:
        self.words, self.frame = words, frame
        self.units: set[str] = set()

    @property
    def size_unit(self) -> str:
        """Unit of the sizes, "" for that of the frame."""
        if len(self.units) > 1:
            raise ValueError("its sizes have different units")
        usual = "deg" if self.frame in SKY_FRAMES else "px"
        unit = next(iter(self.units), usual)
        return "" if unit == usual else unit

    def point(self, at: int) -> Point:
        """A position; 0-based in image coordinates."""
        x, y = self.words[at], self.words[at + 1]
        for mark, frame in (("i", "image"), ("p", PHYSICAL)):
            if x.endswith(mark) and y.endswith(mark):
                self.frame, x, y = frame, x[:-1], y[:-1]
        if self.frame not in SKY_FRAMES:
            off = 1.0 if self.frame == "image" else 0.0
            return float(x) - off, float(y) - off
        return _degrees(x, hours=self.frame in EQUATORIAL), _degrees(y)

    def points(self, count: int | None = None) -> list[Point]:
        """Positions, all there are or `count`."""
        n = len(self.words) // 2 if count is None else count
        if n < 1 or (count is None and len(self.words) % 2):
            raise ValueError("a coordinate is missing")
        return [self.point(2 * k) for k in range(n)]

    def size(self, at: int) -> float:
        """A length, in degrees or pixels."""
        word = self.words[at]
        if word[-1] in UNITS:
            self.units.add("deg")
            return float(word[:-1]) * UNITS[word[-1]]
        if word[-1] in "ip":
            self.units.add("px")
            return float(word[:-1])
        self.units.add("deg" if self.frame in SKY_FRAMES else "px")
        return float(word)

    def sizes(self, start: int, stop: int | None = None) -> list[float]:
        """Lengths."""
        return [self.size(k) for k in range(start, len(self.words) if stop is None else stop)]

    def angle(self, at: int) -> float:
        """An angle, degrees; 0 where it is not given."""
        return _degrees(self.words[at]) if at < len(self.words) else 0.0


class Statement(NamedTuple):
    """What a statement says: shape, places, sizes, angle, sectors of a panda, and a word on what is not drawn."""

    shape: Shape
    points: list[Point]
    size: list[float]
    angle: float = 0.0
    sectors: tuple[float, ...] = ()
    word: str = ""


def statements(line: str) -> Iterator[tuple[str, str]]:
    """Statements of a line, each with its properties."""
    rest = line.strip()
    while rest:
        body, mark, tail = rest.partition("#")
        if ";" in body:
            body, _, rest = rest.partition(";")
            yield body, ""
            continue
        stop = _end(tail)
        properties, rest = tail[:stop], tail[stop + 1 :].strip()
        first = re.match(r"\s*(\w+)\s*\(", properties)
        if mark and not body.strip() and first is not None and first[1].lower() in COMMENTED:
            body, _, more = properties.partition(")")
            properties = more
        yield body, properties


def _end(text: str) -> int:
    """Where the properties end: at a semicolon that is in no quotes."""
    closing = ""
    for k, letter in enumerate(text):
        if closing:
            closing = "" if letter == closing else closing
        elif letter in "{\"'" and text[:k].rstrip().endswith("="):
            closing = "}" if letter == "{" else letter
        elif letter == ";":
            return k
    return len(text)


def _given(text: str) -> list[tuple[str, str]]:
    """The properties behind a shape, each with all its words."""
    several = {key: value.strip() for key, value in SEVERAL.findall(text)}
    return [(key, several.get(key, value)) for key, value in PROPERTY.findall(text)]


def _bare(value: str) -> str:
    """A property without its quotes."""
    return value[1:-1] if value[:1] in ("{", '"', "'") and len(value) > 1 else value


def _degrees(word: str, hours: bool = False) -> float:
    """An angle; with colons in hours where those are usual."""
    found = COLONS.fullmatch(word)
    if found is not None:
        sign, whole, minutes, seconds, factor = *found.groups(), HOUR if hours else 1.0
    else:
        letters = LETTERS.fullmatch(word)
        if letters is None:
            return float(word[:-1]) * UNITS[word[-1]] if word[-1] in UNITS else float(word)
        sign, whole, unit, minutes, seconds = letters.groups()
        factor = HOUR if unit == "h" else 1.0
    value = (float(whole) + float(minutes) / 60 + float(seconds) / 3600) * factor
    return -value if sign == "-" else value


def _circle(v: Values) -> Statement:
    return Statement(Shape.CIRCLE, v.points(1), v.sizes(2, 3))


def _pair(shape: Shape) -> Callable[[Values], Statement]:
    def make(v: Values) -> Statement:
        center, n = v.points(1), len(v.words) - 2
        last = 2 + n - n % 2
        sizes = v.sizes(2, last)
        return Statement(shape, center, sizes if len(sizes) > 1 else [sizes[0]] * 2, v.angle(last))

    return make


def _annulus(v: Values) -> Statement:
    radii = v.sizes(2)
    return Statement(Shape.ANNULUS, v.points(1), sorted(radii) if len(radii) > 1 else [radii[0], v.size(3)])


def _panda(v: Values) -> Statement:
    rings = float(v.words[7]) if len(v.words) > 7 else 1.0
    return Statement(Shape.PANDA, v.points(1), v.sizes(5, 7), 0.0, (v.angle(2), v.angle(3), float(v.words[4]), rings))


def _wide_panda(shape: Shape) -> Callable[[Values], Statement]:
    def make(v: Values) -> Statement:
        rings = float(v.words[9]) if len(v.words) > 9 else 1.0
        sectors = (v.angle(2), v.angle(3), float(v.words[4]), rings)
        return Statement(shape, v.points(1), v.sizes(5, 9), v.angle(10), sectors)

    return make


def _line(shape: Shape, all_points: bool = False) -> Callable[[Values], Statement]:
    return lambda v: Statement(shape, v.points(None if all_points else 2), [])


def _projection(v: Values) -> Statement:
    return Statement(Shape.PROJECTION, v.points(2), v.sizes(4, 5) or [0.0])


def _vector(v: Values) -> Statement:
    (x, y), length, angle = v.point(0), v.size(2), math.radians(v.angle(3))
    if v.size_unit:
        raise ValueError("a vector's length and place have different units")
    v.units.clear()
    dx, dy = length * math.cos(angle), length * math.sin(angle)
    if v.frame in SKY_FRAMES:  # angles count from west over north
        dx /= -max(math.cos(math.radians(y)), 1e-9)
    return Statement(Shape.VECTOR, [(x, y), (x + dx, y + dy)], [])


def _mark(shape: Shape) -> Callable[[Values], Statement]:
    return lambda v: Statement(shape, v.points(1), v.sizes(2, 3) if shape is Shape.COMPASS and len(v.words) > 2 else [])


def _polygon(v: Values) -> Statement:
    points = v.points()
    if len(points) < 3:
        raise ValueError("a polygon has three corners or more")
    return Statement(Shape.POLYGON, points, [])


MAKERS: dict[str, Callable[[Values], Statement]] = {
    "circle": _circle,
    "ellipse": _pair(Shape.ELLIPSE),
    "rotellipse": _pair(Shape.ELLIPSE),
    "box": _pair(Shape.BOX),
    "rotbox": _pair(Shape.BOX),
    "annulus": _annulus,
    "panda": _panda,
    "cpanda": _panda,
    "epanda": _wide_panda(Shape.EPANDA),
    "bpanda": _wide_panda(Shape.BPANDA),
    "polygon": _polygon,
    "line": _line(Shape.LINE),
    "ruler": _line(Shape.RULER),
    "projection": _projection,
    "segment": _line(Shape.LINE, True),
    "vector": _vector,
    "compass": _mark(Shape.COMPASS),
    "text": _mark(Shape.TEXT),
    "point": _mark(Shape.POINT),
}
