"""Spectral axes of the FITS standard (Greisen et al. 2006) by astropy.wcs: any of their codes to wavelengths.

Linear coordinates along the axis are given; wcslib makes the world coordinate of them (-LOG, -F2W, -GRI ...), a few
lines of physics the wavelength in vacuum. Wavelengths in air (AWAV) stay as they are.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from ifuview.io.fits.cards import real, word
from ifuview.io.spectral.axis import AIR, VACUUM, Wavelengths
from ifuview.io.spectral.units import si_factor
from ifuview.model.checks import Array, Header

if TYPE_CHECKING:
    from astropy.wcs import WCS

LIGHT = 299792458.0  # m/s, exact
PLANCK = 6.62607015e-34  # J s, exact
ANGSTROM_PER_M = 1e10
LARGEST_REST = 1e-2  # m; a RESTWAV above it is in Angstrom, against the standard
SI = {"WAVE": "m", "AWAV": "m", "FREQ": "Hz", "AFRQ": "rad/s", "ENER": "J", "WAVN": "1/m", "ZOPT": "", "BETA": ""}
SHARED = ("RESTFRQ", "RESTFREQ", "RESTWAV", "VELREF", "SPECSYS", "SSYSOBS", "SSYSSRC", "VELOSYS", "ZSOURCE")


def wavelengths(header: Header, axis: int, along: Array) -> Wavelengths:
    """Wavelengths of intermediate coordinates of a spectral axis.

    Parameters
    ----------
    header : mapping
    axis : int
        FITS axis, 1-based.
    along : ndarray, shape (n,) or (m, n)
        Intermediate coordinate, in CUNIT of the axis.
    """
    from astropy.wcs import WcsError

    name = f"{word(header.get(f'CTYPE{axis}'))} axis {axis}"
    unit, wanted = word(header.get(f"CUNIT{axis}")), SI.get(word(header.get(f"CTYPE{axis}"))[:4].upper(), "m/s")
    factor = si_factor(unit, wanted) if unit else 1.0
    if factor is None:
        return Wavelengths(None, notes=(f"there are no wavelengths: {unit} is no unit of the {name}",))
    start = (real(header.get(f"CRVAL{axis}")) or 0.0) * factor
    header = {**header, f"CUNIT{axis}": wanted, f"CRVAL{axis}": start}
    along = along * factor
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            pixel = float(np.max(np.abs(along))) / along.shape[-1] or 1.0  # of about the size of the file's own
            wcs = _one_axis(header, axis, pixel)
            world = wcs.wcs_pix2world(along.reshape(-1, 1) / pixel, 0)[:, 0].reshape(along.shape)
            code = str(wcs.wcs.ctype[0])[:4].upper()
            values = _wavelength(code, world, _rest(header)) * ANGSTROM_PER_M
    except (WcsError, ValueError, KeyError, ArithmeticError) as problem:
        why = " ".join(str(problem).split())
        return Wavelengths(None, notes=(f"there are no wavelengths: the {name} is not understood ({why})",))
    if not np.all(np.isfinite(values)):
        return Wavelengths(None, notes=(f"there are no wavelengths: the {name} has values that are none",))
    return Wavelengths(values, AIR if code == "AWAV" else VACUUM if code != "WAVE" else "")


def _one_axis(header: Header, axis: int, pixel: float) -> WCS:
    """The axis by itself: pixel 0 (0-based) at the reference point, pixels of a length in units of the axis."""
    from astropy.io.fits import Header as Cards
    from astropy.wcs import WCS

    cards = Cards()
    for key in ("CTYPE", "CRVAL", "CUNIT"):
        value = header.get(f"{key}{axis}")
        if isinstance(value, (str, int, float)):
            cards[f"{key}1"] = value
    for key, value in header.items():
        if key.startswith(f"PV{axis}_") and real(value) is not None:
            cards[f"PV1_{key.partition('_')[2]}"] = value
        elif key in SHARED and isinstance(value, (str, int, float)):
            cards[key] = value
    cards["CRPIX1"], cards["CDELT1"] = 1.0, pixel
    return WCS(cards, naxis=1)


def _rest(header: Header) -> float:
    """Rest wavelength in vacuum, m; NaN without one."""
    wave = real(header.get("RESTWAV"))
    if wave:
        return wave if wave < LARGEST_REST else wave / ANGSTROM_PER_M
    frequency = real(header.get("RESTFRQ")) or real(header.get("RESTFREQ"))
    return LIGHT / frequency if frequency else float("nan")


def _wavelength(code: str, world: Array, rest: float) -> Array:
    """Wavelength, m, of a world coordinate in SI units."""
    if code in ("WAVE", "AWAV"):
        return world
    if code == "FREQ":
        return LIGHT / world
    if code == "AFRQ":
        return 2 * np.pi * LIGHT / world
    if code == "ENER":
        return PLANCK * LIGHT / world
    if code == "WAVN":
        return 1 / world
    if not rest > 0:
        raise ValueError("neither RESTWAV nor RESTFRQ is given")
    if code == "VRAD":
        return rest / (1 - world / LIGHT)
    if code == "VOPT":
        return rest * (1 + world / LIGHT)
    if code == "ZOPT":
        return rest * (1 + world)
    beta = world if code == "BETA" else world / LIGHT
    return rest * np.sqrt((1 + beta) / (1 - beta))
