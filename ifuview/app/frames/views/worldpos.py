"""Sky position of a pixel from WCS cards by a few lines of arithmetic, for the read-out.

The gnomonic projection (TAN) after Calabretta and Greisen (2002), section 5.1.3, without distortion terms, which are
below a pixel for the images shown here; anything else is left to astropy, and only if it is already loaded, because
the read-out must not wait.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, SupportsFloat

if TYPE_CHECKING:
    from astropy.wcs import WCS

Cards = tuple[tuple[str, object], ...]
KEEP = ("CTYPE", "CRVAL", "CRPIX", "CDELT", "CD", "PC", "CUNIT", "CROTA", "LONPOLE", "LATPOLE")
Matrix = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Tangent:
    """A TAN projection of axes 1 and 2: degrees throughout, reference pixel 1-based."""

    ra: float
    dec: float
    pixel: tuple[float, float]
    matrix: Matrix
    swapped: bool

    def sky(self, x: float, y: float) -> tuple[float, float]:
        """RA and Dec (deg) of a 0-based pixel position."""
        dx, dy = x + 1 - self.pixel[0], y + 1 - self.pixel[1]
        xi, eta = (math.radians(row[0] * dx + row[1] * dy) for row in self.matrix)
        if self.swapped:
            xi, eta = eta, xi
        sin, cos = math.sin(math.radians(self.dec)), math.cos(math.radians(self.dec))
        below = cos - eta * sin
        ra = math.radians(self.ra) + math.atan2(xi, below)
        dec = math.atan2(sin + eta * cos, math.hypot(xi, below))
        return math.degrees(ra) % 360.0, math.degrees(dec)


def sky_position(wcs: Mapping[str, object], x: float, y: float) -> tuple[float, float] | None:
    """Return RA and Dec in degrees of a 0-based pixel position, None where the cards have no celestial axes 1 and 2."""
    types = [str(wcs.get(f"CTYPE{k}", "")) for k in (1, 2)]
    if not any(t.startswith("RA--") for t in types) or not any(t.startswith("DEC-") for t in types):
        return None
    cards = tuple((k, v) for k, v in wcs.items() if k.startswith(KEEP))
    if all("TAN" in t for t in types):
        plane = _tangent(cards)
        return plane.sky(x, y) if plane is not None else None
    return _by_astropy(cards, x, y) if "astropy.wcs" in sys.modules else None


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
    """Position by astropy.wcs for other projections."""
    wcs = _astropy_wcs(cards)
    if wcs is None:
        return None
    ra, dec = wcs.wcs_pix2world([[x, y]], 0)[0][[wcs.wcs.lng, wcs.wcs.lat]]
    return (float(ra), float(dec)) if math.isfinite(ra) and math.isfinite(dec) else None


@lru_cache(maxsize=8)
def _astropy_wcs(cards: Cards) -> WCS | None:
    """The two celestial axes as astropy sees them."""
    from astropy.wcs import WCS, WcsError

    try:
        return WCS({k: v for k, v in cards if not k.endswith("3") and "_3" not in k and "3_" not in k}, naxis=2)
    except (WcsError, ValueError):
        return None
