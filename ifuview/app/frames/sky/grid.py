"""Lines of equal right ascension and declination over a part of an image, at round values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ifuview.app.frames.sky.maps import NOTHING, SkyMap
from ifuview.model.checks import Array

WANTED = 6  # lines of each kind, about
SAMPLES, VERTICES = 9, 49  # along each side of the part; along a line
ARCSEC = 3600.0
SECOND = 15.0  # arcsec of a second of time
TENS = (1.0, 2.0, 5.0)  # steps of digits
SIXTIES = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 18000, 36000, 54000, 108000)
POLE = 89.0  # degrees beyond which all right ascensions may be in view
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class GridLine:
    """One line.

    Parameters
    ----------
    x, y : ndarray, native px
        NaN where the image has no such place.
    label : str
        Its value.
    meridian : bool
        Of equal right ascension.
    """

    x: Array
    y: Array
    label: str
    meridian: bool


@lru_cache(maxsize=16)
def lines(sky: SkyMap, box: Box, sexagesimal: bool) -> tuple[GridLine, ...]:
    """The lines that cross a part (x0, y0, x1, y1) of an image; () where it has no sky."""
    x0, y0, x1, y1 = box
    places = [sky.read(x, y) for x in np.linspace(x0, x1, SAMPLES) for y in np.linspace(y0, y1, SAMPLES)]
    known = np.array([place for place in places if place is not None])
    if len(known) < 2:
        return ()
    lat = float(known[:, 1].min()), float(known[:, 1].max())
    lon = _around(known[:, 0])
    if max(abs(lat[0]), abs(lat[1])) > POLE:
        lon, lat = (0.0, 360.0), (max(lat[0] - (lat[1] - lat[0]), -90.0), min(lat[1] + (lat[1] - lat[0]), 90.0))
    steps = step_of(lon[1] - lon[0], sexagesimal, SECOND), step_of(lat[1] - lat[0], sexagesimal, 1.0)
    out = []
    for value in _values(lon, steps[0]):
        along = np.stack([np.full(VERTICES, value), np.linspace(*lat, VERTICES)], axis=1)
        out.append(_line(sky, along, label(value % 360.0, steps[0], sexagesimal, hours=True), meridian=True))
    for value in _values(lat, steps[1]):
        along = np.stack([np.linspace(*lon, VERTICES), np.full(VERTICES, value)], axis=1)
        out.append(_line(sky, along, label(value, steps[1], sexagesimal), meridian=False))
    return tuple(out)


def step_of(span: float, sexagesimal: bool, unit: float) -> float:
    """A round step (deg) for about `WANTED` lines over a span; of sexagesimal ones `unit` is that of a second."""
    wish = max(span / WANTED, 1e-12)
    if sexagesimal and (seconds := wish * ARCSEC / unit) >= SIXTIES[0]:
        return next((s for s in SIXTIES if s >= seconds), SIXTIES[-1]) * unit / ARCSEC
    scale = unit / ARCSEC if sexagesimal else 1.0
    power = 10.0 ** math.floor(math.log10(wish / scale))
    return next((t * power for t in TENS if t * power * scale >= wish), 10 * power) * scale


def label(value: float, step: float, sexagesimal: bool, *, hours: bool = False) -> str:
    """The value of a line, with the digits that its step needs."""
    if not sexagesimal:
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return f"{value:.{digits}f}°" if hours else f"{value:+.{digits}f}°"
    unit = SECOND if hours else 1.0
    fine = max(0, -math.floor(math.log10(step * ARCSEC / unit) + 1e-9))
    whole = round(abs(value) * ARCSEC / unit * 10**fine)
    minutes, seconds = divmod(whole, 60 * 10**fine)
    sign = "" if hours else "-" if value < 0 else "+"
    words = f"{sign}{minutes // 60:02d}{'h' if hours else '°'}{minutes % 60:02d}{'m' if hours else chr(8242)}"
    if step * ARCSEC / unit >= 60 - 1e-6:
        return words
    return f"{words}{seconds / 10**fine:0{3 + fine if fine else 2}.{fine}f}{'s' if hours else chr(8243)}"


def _around(lon: Array) -> tuple[float, float]:
    """First and last of longitudes that may go through 0."""
    order = np.sort(lon % 360.0)
    gaps = np.diff(order, append=order[0] + 360.0)
    first = float(order[(int(np.argmax(gaps)) + 1) % order.size])
    return first, first + 360.0 - float(gaps.max())


def _values(span: tuple[float, float], step: float) -> list[float]:
    """Multiples of a step in a span."""
    first, last = math.ceil(span[0] / step - 1e-9), math.floor(span[1] / step + 1e-9)
    return [n * step for n in range(first, min(last, first + 4 * WANTED) + 1)]


def _line(sky: SkyMap, places: Array, words: str, *, meridian: bool) -> GridLine:
    """A line through positions as they are read out."""
    if not sky.equatorial and sky.turn is not NOTHING:
        a, d = np.radians(places.T)
        own = np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=1) @ sky.turn
        places = np.degrees(np.stack([np.arctan2(own[:, 1], own[:, 0]), np.arcsin(np.clip(own[:, 2], -1, 1))], axis=1))
    pixels = sky.pixels(places)
    return GridLine(pixels[:, 0], pixels[:, 1], words, meridian)
