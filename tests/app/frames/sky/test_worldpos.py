"""Sky positions of any celestial WCS are those of astropy, or not given."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from ifuview.app.frames.sky.worldpos import sky_position

BASE = {"CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 25.0, "CRPIX2": 20.0, "CD1_1": -1e-4, "CD1_2": 2e-5, "CD2_1": 1e-5,
        "CD2_2": 1e-4}  # fmt: skip
SIP = {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-3, "A_1_1": -2e-4, "B_0_2": 2e-3}
TPV = {"PV1_0": 1e-5, "PV1_1": 1.01, "PV1_4": 3.0, "PV2_1": 0.99, "PV2_5": -2.0}
PLACES = ((0.0, 0.0), (49.0, 39.0), (12.5, 30.0))


def axes(lon: str, lat: str, projection: str) -> dict[str, str]:
    """CTYPE of both axes."""
    return {"CTYPE1": f"{lon:-<5}{projection:->3}"[:8], "CTYPE2": f"{lat:-<5}{projection:->3}"[:8]}


@pytest.mark.parametrize("cards", [
    axes("RA", "DEC", "TAN"), axes("RA", "DEC", "TAN") | {"LONPOLE": 0.0}, axes("RA", "DEC", "TAN") | {"CRVAL2": 90.0},
    {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"} | SIP, axes("RA", "DEC", "TAN") | SIP,
    axes("RA", "DEC", "TPV") | TPV, axes("RA", "DEC", "AZP") | {"PV2_1": 2.0, "PV2_2": 30.0},
    axes("RA", "DEC", "TAN") | {"CUNIT1": "arcsec", "CUNIT2": "arcsec", "CRVAL1": 540000.0, "CRVAL2": 7200.0},
    axes("RA", "DEC", "ZEA"), axes("RA", "DEC", "CAR"), axes("RA", "DEC", "SIN") | {"CTYPE3": "WAVE-TAB", "PV3_1": 1},
    {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": 2.0, "CRVAL2": 150.0},
])  # fmt: skip
def test_equatorial_axes_of_any_form(cards: dict[str, object]) -> None:
    given = BASE | cards
    wcs = WCS(fits.Header({k: v for k, v in given.items() if "3" not in k}), naxis=2)
    for x, y in PLACES:
        right = wcs.all_pix2world([[x, y]], 0)[0][[wcs.wcs.lng, wcs.wcs.lat]]
        assert sky_position(given, x, y) == pytest.approx(tuple(right), abs=1e-9)


OBLIQUITY = np.radians(23.4392794)  # IAU 2006 at J2000
NORTH, NODE = np.radians([192.85948, 27.12825]), np.radians(122.93192)  # galactic pole; its longitude of the north pole


@pytest.mark.parametrize("system", ["galactic", "ecliptic"])
def test_other_axes_are_turned_to_equatorial(system: str) -> None:
    given = BASE | (axes("GLON", "GLAT", "TAN") if system == "galactic" else axes("ELON", "ELAT", "TAN"))
    lon, lat = np.radians(WCS(fits.Header(given)).all_pix2world([[3, 4]], 0)[0])
    if system == "ecliptic":
        sin = np.sin(lat) * np.cos(OBLIQUITY) + np.cos(lat) * np.sin(OBLIQUITY) * np.sin(lon)
        y = np.cos(lat) * np.sin(lon) * np.cos(OBLIQUITY) - np.sin(lat) * np.sin(OBLIQUITY)
        ra = np.arctan2(y, np.cos(lat) * np.cos(lon))
    else:
        sin = np.sin(lat) * np.sin(NORTH[1]) + np.cos(lat) * np.cos(NORTH[1]) * np.cos(NODE - lon)
        y = np.cos(lat) * np.sin(NODE - lon)
        ra = NORTH[0] + np.arctan2(
            y, np.sin(lat) * np.cos(NORTH[1]) - np.cos(lat) * np.sin(NORTH[1]) * np.cos(NODE - lon)
        )
    found = sky_position(given, 3, 4)
    assert found == pytest.approx((np.degrees(ra) % 360, np.degrees(np.arcsin(sin))), abs=0.1 / 3600)


@pytest.mark.parametrize("cards", [
    axes("HPLN", "HPLT", "TAN"), axes("RA", "DEC", "TAB"), axes("RA", "DEC", "XYZ"),
    {"CTYPE1": "RA---TAN", "CTYPE2": "WAVE"}, {"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"},
])  # fmt: skip
def test_what_is_not_understood_is_not_given(cards: dict[str, object]) -> None:
    assert sky_position(BASE | cards, 3, 4) is None


def test_a_pixel_beyond_the_sky_has_no_position() -> None:
    given = BASE | axes("RA", "DEC", "SIN") | {"CD1_1": -1.0, "CD2_2": 1.0}
    assert sky_position(given, 1e4, 1e4) is None
    assert np.isfinite(sky_position(given, 25, 20)).all()
