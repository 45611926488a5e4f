"""Sky position of a pixel from WCS cards, for the read-out.

The gnomonic projection (TAN) after Calabretta and Greisen (2002), section 5.1.3, is a few lines of arithmetic here.
Whatever else a header asks for (distortion, another projection or pole, galactic or ecliptic axes) is left to
astropy.wcs, loaded when such an image is first pointed at. A position that cannot be right is not given.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, SupportsFloat

if TYPE_CHECKING:
    from astropy.io.fits import HDUList
    from astropy.wcs import WCS

Cards = tuple[tuple[str, object], ...]
KEEP = (
    *(
        "CTYPE",
        "CRVAL",
        "CRPIX",
        "CDELT",
        "CD",
        "PC",
        "CUNIT",
        "CROTA",
        "LONPOLE",
        "LATPOLE",
        "PV",
        "RADESYS",
        "RADECSYS",
    ),
    *("EQUINOX", "EPOCH", "A_", "B_", "AP_", "BP_", "WAT"),
)
NAMED = ("RADESYS", "EQUINOX", "LONPOLE", "LATPOLE")
ALTERNATES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BENT = ("A_", "B_", "PV")  # of cards that TAN by itself does not know
DEGREES = ("", "deg", "degree", "degrees")
EQUATORIAL = ("RA", "DEC")
CELESTIAL = (("RA", "DEC"), ("GLON", "GLAT"), ("ELON", "ELAT"), ("SLON", "SLAT"))
SYSTEMS = {"GLON": "galactic", "ELON": "barycentricmeanecliptic", "SLON": "supergalactic"}
Matrix = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Tangent:
    """A TAN projection of axes 1 and 2: degrees throughout, reference pixel 1-based."""

    ra: float
    dec: float
    pixel_of: tuple[float, float]
    matrix: Matrix
    swapped: bool

    def sky(self, x: float, y: float) -> tuple[float, float]:
        """RA and Dec (deg) of a 0-based pixel position."""
        dx, dy = x + 1 - self.pixel_of[0], y + 1 - self.pixel_of[1]
        xi, eta = (math.radians(row[0] * dx + row[1] * dy) for row in self.matrix)
        if self.swapped:
            xi, eta = eta, xi
        sin, cos = math.sin(math.radians(self.dec)), math.cos(math.radians(self.dec))
        below = cos - eta * sin
        ra = math.radians(self.ra) + math.atan2(xi, below)
        dec = math.atan2(sin + eta * cos, math.hypot(xi, below))
        return math.degrees(ra) % 360.0, math.degrees(dec)

    @property
    def scale(self) -> float:
        """Degrees of a pixel."""
        (a, b), (c, d) = self.matrix
        return math.sqrt(abs(a * d - b * c))

    def pixel(self, ra: float, dec: float) -> tuple[float, float] | None:
        """The 0-based pixel position of RA and Dec (deg); None on the other half of the sky."""
        away, d = math.radians(ra - self.ra), math.radians(dec)
        sin, cos = math.sin(math.radians(self.dec)), math.cos(math.radians(self.dec))
        toward = sin * math.sin(d) + cos * math.cos(d) * math.cos(away)
        (a, b), (c, e) = self.matrix
        det = a * e - b * c
        if toward <= 0 or det == 0:
            return None
        xi = math.degrees(math.cos(d) * math.sin(away) / toward)
        eta = math.degrees((cos * math.sin(d) - sin * math.cos(d) * math.cos(away)) / toward)
        if self.swapped:
            xi, eta = eta, xi
        x, y = (e * xi - b * eta) / det, (a * eta - c * xi) / det
        return x + self.pixel_of[0] - 1, y + self.pixel_of[1] - 1


def sky_position(wcs: Mapping[str, object], x: float, y: float) -> tuple[float, float] | None:
    """Return RA and Dec in degrees of a 0-based pixel position.

    None where the cards have no celestial axes 1 and 2, or none that are understood. Equatorial axes are as the file
    has them; galactic and ecliptic ones are turned to ICRS.
    """
    wcs = with_sky(wcs)
    types = tuple(str(wcs.get(f"CTYPE{k}", "")).strip() for k in (1, 2))
    if not has_sky(wcs):
        return None
    cards = tuple((k, v) for k, v in wcs.items() if k.startswith(KEEP))
    if _is_tangent(cards, types):
        plane = _tangent(cards)
        return plane.sky(x, y) if plane is not None else None
    return _by_astropy(cards, x, y)


def with_sky(wcs: Mapping[str, object]) -> Mapping[str, object]:
    """The cards of the coordinate system that has a sky: the main one, else the first other (CTYPE1A ...) that has."""
    if has_sky(wcs):
        return wcs
    for letter in ALTERNATES:
        if f"CTYPE1{letter}" in wcs:
            own = {key[:-1]: value for key, value in wcs.items() if key.endswith(letter) and key[-2:-1].isdigit()}
            named = {key: wcs[key + letter] for key in NAMED if key + letter in wcs}
            if has_sky(own):
                return own | named
    return wcs


def has_sky(wcs: Mapping[str, object]) -> bool:
    """Whether axes 1 and 2 are called celestial."""
    axes = tuple(str(wcs.get(f"CTYPE{k}", "")).strip().partition("-")[0] for k in (1, 2))
    return axes in CELESTIAL or axes[::-1] in CELESTIAL


def is_listed(wcs: Mapping[str, object]) -> bool:
    """Whether positions along an axis are listed in a table (-TAB)."""
    return any(str(wcs.get(f"CTYPE{k}", "")).strip().endswith("-TAB") for k in (1, 2))


def tangent_of(wcs: Mapping[str, object]) -> Tangent | None:
    """The plain TAN projection of an image; None if its cards ask for anything else."""
    types = tuple(str(wcs.get(f"CTYPE{k}", "")).strip() for k in (1, 2))
    if not has_sky(wcs):
        return None
    cards = tuple((k, v) for k, v in wcs.items() if k.startswith(KEEP))
    return _tangent(cards) if _is_tangent(cards, types) else None


def sky_axes(wcs: Mapping[str, object]) -> WCS | None:
    """The celestial axes 1 and 2 of an image by astropy; None if there are none that it understands."""
    wcs = with_sky(wcs)
    return _celestial(tuple((k, v) for k, v in wcs.items() if k.startswith(KEEP))) if has_sky(wcs) else None


def _is_tangent(cards: Cards, types: tuple[str, ...]) -> bool:
    """Whether `Tangent` is all that the cards ask for."""
    if not all(t[t.find("-") :].strip("-") == "TAN" and t.startswith(EQUATORIAL) for t in types):
        return False
    get = dict(cards)
    pole = get.get("LONPOLE", 180.0)
    dec = get.get(f"CRVAL{2 if types[1].startswith('DEC') else 1}")
    usual = pole == 180.0 and not (isinstance(dec, (int, float)) and abs(dec) >= 90.0)
    degrees = all(str(get.get(f"CUNIT{k}", "")).strip().lower() in DEGREES for k in (1, 2))
    return usual and degrees and not any(k.startswith(BENT) for k, _ in cards)


@lru_cache(maxsize=32)
def _tangent(cards: Cards) -> Tangent | None:
    """The projection of these cards; None if a card is not a number."""
    get = dict(cards)
    try:
        value = [_number(get, f"CRVAL{k}") for k in (1, 2)]
        pixel = (_number(get, "CRPIX1"), _number(get, "CRPIX2"))
        swapped = str(get.get("CTYPE1", "")).startswith("DEC")
        ra, dec = value[::-1] if swapped else value
        return Tangent(ra, dec, pixel, _matrix(get), swapped)
    except (TypeError, ValueError):
        return None


def _number(cards: Mapping[str, object], name: str, usual: float = 0.0) -> float:
    """The number of a card; TypeError or ValueError if it holds none."""
    value = cards.get(name, usual)
    if not isinstance(value, str | SupportsFloat):
        raise TypeError(name)
    return float(value)


def _matrix(cards: Mapping[str, object]) -> Matrix:
    """Pixel to intermediate world coordinates: CD, else CDELT times PC or CROTA2."""
    if any(f"CD{i}_{j}" in cards for i in (1, 2) for j in (1, 2)):
        a, b, c, d = (_number(cards, f"CD{i}_{j}") for i in (1, 2) for j in (1, 2))
        return (a, b), (c, d)
    sx, sy = (_number(cards, f"CDELT{k}", 1.0) for k in (1, 2))
    if any(f"PC{i}_{j}" in cards for i in (1, 2) for j in (1, 2)):
        a, b, c, d = (_number(cards, f"PC{i}_{j}", float(i == j)) for i in (1, 2) for j in (1, 2))
        return (sx * a, sx * b), (sy * c, sy * d)
    angle = math.radians(_number(cards, "CROTA2"))
    sin, cos = math.sin(angle), math.cos(angle)
    return (sx * cos, -sy * sin), (sx * sin, sy * cos)


def _by_astropy(cards: Cards, x: float, y: float) -> tuple[float, float] | None:
    """Position by astropy.wcs."""
    wcs = _celestial(cards)
    if wcs is None:
        return None
    world = wcs.all_pix2world([[x, y]], 0)[0]
    lon, lat = (float(world[k]) for k in (wcs.wcs.lng, wcs.wcs.lat))
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return None
    system = wcs.wcs.lngtyp.strip()
    if system == "RA":
        return lon, lat
    from astropy.coordinates import SkyCoord

    place = SkyCoord(lon, lat, unit="deg", frame=SYSTEMS[system]).icrs
    return float(place.ra.deg), float(place.dec.deg)


@lru_cache(maxsize=8)
def _celestial(cards: Cards) -> WCS | None:
    """The two celestial axes 1 and 2 as astropy sees them; None if it does not understand them."""
    try:
        wcs = astropy_plane(dict(cards))
    except Exception:  # whatever wcslib and astropy raise on cards that contradict themselves
        return None
    return wcs if wcs.has_celestial else None


def astropy_plane(wcs: Mapping[str, object], file: HDUList | None = None) -> WCS:
    """The axes 1 and 2 of an image by astropy, with the tables of its file if any are asked for; it may raise."""
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = Header()
        for key, value in wcs.items():
            wanted = key.startswith(KEEP) or (file is not None and key.startswith("PS"))
            if wanted and isinstance(value, (str, int, float)) and not _of_other_axes(key):
                header[key] = value
        return WCS(header, file, naxis=2)


def _of_other_axes(key: str) -> bool:
    """Whether a card is of an axis that is neither 1 nor 2, or of an alternate system."""
    if key.startswith(("A_", "B_", "AP_", "BP_")):
        return False
    stem = key.rstrip("0123456789_")
    numbers = key[len(stem) :].split("_")
    axes = numbers[:1] if stem in ("PV", "PS", "WAT") else numbers
    return any(n not in ("", "0", "1", "2") for n in axes) or (
        bool(key) and key[-1].isalpha() and any(map(str.isdigit, key))
    )
