"""WCS cards of an image, and the wavelengths they give along one axis, without any WCS library."""

from __future__ import annotations

import numpy as np

from ifuview.io.fits.cards import real, word
from ifuview.model.checks import Array, Header

INDEXED = ("CTYPE", "CRVAL", "CRPIX", "CDELT", "CUNIT", "CROTA", "CNAME", "PC", "CD", "PV", "PS", "LTV", "LTM", "WAT")
SIP = ("A_", "B_", "AP_", "BP_")
WHOLE = (
    *("LONPOLE", "LATPOLE", "RADESYS", "RADECSYS", "EQUINOX", "EPOCH", "WCSAXES", "WCSNAME", "SPECSYS"),
    *("RESTWAV", "RESTFRQ", "DC-FLAG"),
)
ANGSTROM = {
    "angstrom": 1.0,
    "angstroms": 1.0,
    "a": 1.0,
    "0.1nm": 1.0,
    "nm": 10.0,
    "nanometer": 10.0,
    "nanometers": 10.0,
    "um": 1e4,
    "micron": 1e4,
    "microns": 1e4,
    "mm": 1e7,
    "cm": 1e8,
    "m": 1e10,
    "meter": 1e10,
}
SPECTRAL = ("WAVE", "AWAV", "LAMBDA", "VACWAVE", "WAVELENGTH", "LINEAR-WAVE")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
LIGHT = 2.99792458e18  # Angstrom/s, exact
GUESSES = ((1e-4, 1e10), (30.0, 1e4))  # a wavelength below the first number, without unit, is in m; then um


def wcs_cards(header: Header) -> dict[str, object]:
    """The world coordinate cards of a header."""
    return {key: value for key, value in header.items() if _is_wcs(key)}


def axis_wavelength(header: Header, axis: int, size: int) -> tuple[Array, tuple[str, ...]] | None:
    """Wavelength along FITS axis `axis` (1-based) from its WCS cards.

    Parameters
    ----------
    header : mapping
    axis : int
    size : int
        Number of pixels of that axis.

    Returns
    -------
    (wave, notes) or None
        wave : ndarray, shape (size,), Angstrom; None if the axis is not spectral.
    """
    ctype, factor = word(header.get(f"CTYPE{axis}")).upper(), ANGSTROM.get(word(header.get(f"CUNIT{axis}")).lower())
    start = real(header.get(f"CRVAL{axis}"))
    step = real(header.get(f"CD{axis}_{axis}")) or real(header.get(f"CDELT{axis}"))
    spectral = ctype.startswith(SPECTRAL) or factor is not None
    frequency = ctype.startswith("FREQ")
    linear_spectrum = int(real(header.get("NAXIS")) or 0) == 1 and ctype in ("", "LINEAR", "PIXEL")
    if start is None or not step or not (spectral or frequency or linear_spectrum):
        return None
    notes = ["the wavelengths are in air"] if ctype.startswith("AWAV") else []
    offset = (np.arange(size) + 1.0 - (real(header.get(f"CRPIX{axis}")) or 0.0)) * step
    if frequency:
        with np.errstate(divide="ignore", invalid="ignore"):
            return LIGHT / (start + offset), tuple(notes)
    with np.errstate(over="ignore", invalid="ignore"):
        if real(header.get("DC-FLAG")) == 1:
            wave = 10.0 ** (start + offset)
        elif ctype.endswith("-LOG") and start:
            wave = start * np.exp(offset / start)
        else:
            wave = start + offset
    if factor is None:
        factor = _guess(float(np.max(np.abs(wave))))
        if spectral:
            notes.append("the wavelength axis names no unit; taken from the size of its numbers")
    return wave * factor, tuple(notes)


def _guess(largest: float) -> float:
    """Angstrom per unit where none is given."""
    return next((factor for limit, factor in GUESSES if largest < limit), 1.0)


def shifted(cards: Header, x0: int, y0: int, block: int) -> dict[str, object]:
    """WCS cards of a section that begins at 0-based (x0, y0), `block` pixels summed into one."""
    out = dict(cards)
    for axis, first in ((1, x0), (2, y0)):
        pixel = real(cards.get(f"CRPIX{axis}"))
        if pixel is not None:
            out[f"CRPIX{axis}"] = (pixel - first - 0.5) / block + 0.5
        for key in (f"CDELT{axis}", f"CD1_{axis}", f"CD2_{axis}"):
            value = real(cards.get(key))
            if value is not None:
                out[key] = value * block
    return out


def _is_wcs(key: str) -> bool:
    """Whether a keyword belongs to the world coordinates (alternate systems included)."""
    if key.startswith(WHOLE):
        return True
    if not key.startswith(INDEXED + SIP):
        return False
    return key.lstrip(LETTERS).rstrip(LETTERS).replace("_", "").isdigit() or key in ("A_ORDER", "B_ORDER")
