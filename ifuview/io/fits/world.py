"""WCS cards of an image, and the wavelengths they give along one axis, without any WCS library."""

from __future__ import annotations

import math

import numpy as np

from ifuview.io.fits.cards import real, word
from ifuview.io.spectral.axis import (
    AIR,
    ANGSTROM,
    VACUUM,
    Tables,
    Wavelengths,
    angstrom_per,
    logarithm_of,
    offsets,
    stated_medium,
    step_of,
)
from ifuview.model.checks import Array, Header

INDEXED = ("CTYPE", "CRVAL", "CRPIX", "CDELT", "CUNIT", "CROTA", "CNAME", "PC", "CD", "PV", "PS", "LTV", "LTM", "WAT")
SIP = ("A_", "B_", "AP_", "BP_")
WHOLE = (
    *("LONPOLE", "LATPOLE", "RADESYS", "RADECSYS", "EQUINOX", "EPOCH", "WCSAXES", "WCSNAME", "SPECSYS"),
    *("RESTWAV", "RESTFRQ", "RESTFREQ", "VELREF", "DC-FLAG"),
)
WORDS = {"FREQUENC": "FREQ", "WAVENUMB": "WAVN", "ENERGY": "ENER"}  # how CTYPEs of no standard begin, to its codes
LENGTHS = ("WAVELEN", "LAMBDA", "VACWAVE", "AIRWAVE", "ANGSTROM", "LINEAR-WAVE")  # CTYPEs of no standard
STANDARD = ("WAVE", "AWAV", "FREQ", "AFRQ", "ENER", "WAVN", "VRAD", "VOPT", "ZOPT", "VELO", "FELO", "BETA")
FREQUENCIES = {"": 1.0, "hz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9, "thz": 1e12}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
LIGHT = 2.99792458e18  # Angstrom/s, exact
GUESSES = ((1e-4, 1e10), (30.0, 1e4), (900.0, 10.0))  # below the first number, without unit: in m; then um; then nm
OPTICAL = (900.0, 30000.0)  # Angstrom; numbers that nothing calls wavelengths must lie within
LENGTH = (1.0, 1e8)  # Angstrom; so must an axis that only its unit calls one
NO_LENGTHS = ("a", "pixel", "pixels", "s", "d", "deg")  # units that no length is meant by where nothing else says so
NO_UNIT = "the wavelengths name no unit; it is taken from the size of the numbers"
NO_NUMBERS = "there are no wavelengths: axis {} ({}) has no value or no step in its cards"
LOG10, LN = (2.0, 5.5), (5.5, 13.0)  # where the logarithms of wavelengths in Angstrom lie


def wcs_cards(header: Header) -> dict[str, object]:
    """The world coordinate cards of a header."""
    return {key: value for key, value in header.items() if is_wcs(key)}


def axis_wavelength(
    header: Header, axis: int, size: int, rows: int = 0, tables: Tables | None = None
) -> Wavelengths | None:
    """Wavelengths along FITS axis `axis` (1-based) from its cards.

    Linear axes of wavelength, frequency and logarithm are a few lines of arithmetic here; other codes of the standard,
    tables and IRAF's functions are left to `ifuview.io.spectral`, loaded only for them.

    Parameters
    ----------
    header : mapping
    axis : int
    size : int
        Number of pixels of that axis.
    rows : int
        Number of spectra of a two-dimensional image, which may have their own wavelengths; 0 for none.
    tables : callable, optional
        Gives the table of an EXTNAME and EXTVER, for axes that are listed in one (-TAB).

    Returns
    -------
    Wavelengths or None
        None if the axis is not spectral.
    """
    with np.errstate(all="ignore"):
        found = _of_axis(header, axis, size, rows, tables)
    if found is None or found.values is None or np.all(np.isfinite(found.values)):
        return found
    return Wavelengths(None, notes=(f"there are no wavelengths: axis {axis} has values that are none",))


def _of_axis(header: Header, axis: int, size: int, rows: int, tables: Tables | None) -> Wavelengths | None:
    """Wavelengths of an axis, whatever numbers its cards give."""
    if "WAT0_001" in header:
        from ifuview.io.spectral import iraf

        if axis == 1 and iraf.system(header) == "multispec":
            return iraf.multispec(header, size, rows)
        unit = iraf.spectral_unit(header, axis)
        if unit is not None and not word(header.get(f"CUNIT{axis}")):
            header = {**header, f"CUNIT{axis}": unit or "Angstrom"}
    if axis == 1 and real(header.get("COEFF0")) is not None and real(header.get("COEFF1")):
        header = {**header, "CRVAL1": header["COEFF0"], "CDELT1": header["COEFF1"], "CRPIX1": 1.0, "LOGLAM": 1}
        header = {key: value for key, value in header.items() if not key.startswith(("CD1_", "PC1_"))}
    ctype, start = word(header.get(f"CTYPE{axis}")).upper(), real(header.get(f"CRVAL{axis}"))
    code = next((code for begin, code in WORDS.items() if ctype.startswith(begin)), None)
    if code is not None:
        header, ctype = {**header, f"CTYPE{axis}": code}, code
    if start is None or not step_of(header, axis):
        named = ctype[:4] in STANDARD and ctype[4:5] in ("", "-")
        return Wavelengths(None, notes=(NO_NUMBERS.format(axis, ctype),)) if named else None
    along, notes = offsets(header, axis, size, rows)
    if ctype[:4] in STANDARD and ctype[4:5] in ("", "-"):
        found: Wavelengths | None = _standard(header, axis, along, tables)
    elif ctype.startswith((*LENGTHS, "LOG")) or ctype in ("", "LINEAR"):
        found = _loose(header, axis, start + along)
    else:
        return None
    if found is None:
        return None
    return found._replace(medium=found.medium or stated_medium(header), notes=found.notes + notes)


def _standard(header: Header, axis: int, along: Array, tables: Tables | None) -> Wavelengths:
    """Wavelengths of an axis with a code of the standard."""
    ctype, unit = word(header.get(f"CTYPE{axis}")).upper(), word(header.get(f"CUNIT{axis}"))
    code, algorithm = ctype[:4], ctype[5:8]
    start = real(header.get(f"CRVAL{axis}")) or 0.0
    medium = AIR if code == "AWAV" else ""
    if code in ("WAVE", "AWAV"):
        if not algorithm and not _says_log(header, axis):
            return _length(start + along, unit, medium)
        if algorithm in ("", "LOG") and (found := _logarithm(header, axis, start + along)) is not None:
            return found._replace(medium=medium)
    if code == "FREQ" and not algorithm and unit.lower() in FREQUENCIES:
        return Wavelengths(LIGHT / ((start + along) * FREQUENCIES[unit.lower()]), VACUUM)
    from ifuview.io.spectral import lookup, standard

    if algorithm == "TAB":
        world = lookup.world_of(header, axis, along, tables)
        if isinstance(world, Wavelengths):
            return world
        along, unit = world
        header = {**header, f"CTYPE{axis}": code, f"CUNIT{axis}": unit, f"CRVAL{axis}": 0.0}
    return standard.wavelengths(header, axis, along)


def _loose(header: Header, axis: int, values: Array) -> Wavelengths | None:
    """Wavelengths of an axis with a name of no standard, or with none; None if nothing speaks for wavelengths."""
    ctype, unit = word(header.get(f"CTYPE{axis}")).upper(), word(header.get(f"CUNIT{axis}"))
    if _says_log(header, axis):
        return _logarithm(header, axis, values)
    medium = AIR if ctype.startswith("AIR") else VACUUM if ctype.startswith("VAC") else ""
    if ctype.startswith(LENGTHS):
        return _length(values, unit or ("Angstrom" if ctype.startswith("ANGSTROM") else ""), medium)
    factor = None if not unit or unit.lower() in NO_LENGTHS else angstrom_per(unit)
    low, high = float(np.min(values)), float(np.max(values))
    if factor is not None and not _other_lengths(header, axis):
        plausible = LENGTH[0] <= low * factor and high * factor <= LENGTH[1]
        return Wavelengths(values * factor, medium) if plausible else None
    if unit or not _is_one_row(header):
        return None
    factor = 1e10 if high < GUESSES[0][0] else 1.0  # a spectrum whose header says no more than a start and a step
    if OPTICAL[0] <= low * factor and high * factor <= OPTICAL[1]:
        return Wavelengths(values * factor, medium)
    return Wavelengths(None, notes=("nothing says that the axis is one of wavelength: its numbers are not shown",))


def _is_one_row(header: Header) -> bool:
    """Whether an image is one spectrum: one axis, or others that are one pixel long."""
    naxis = int(real(header.get("NAXIS")) or 0)
    return naxis == 1 or (naxis > 1 and sum((real(header.get(f"NAXIS{k + 1}")) or 0) > 1 for k in range(naxis)) == 1)


def _other_lengths(header: Header, axis: int) -> bool:
    """Whether another axis has a unit of length too: a plane in space, not a spectrum."""
    units = (word(header.get(f"CUNIT{other}")).lower() for other in range(1, 10) if other != axis)
    return any(unit in ANGSTROM for unit in units)


def _says_log(header: Header, axis: int) -> bool:
    """Whether a header calls the numbers of an axis logarithms."""
    ctype, unit = word(header.get(f"CTYPE{axis}")).upper(), word(header.get(f"CUNIT{axis}")).lower()
    flagged = real(header.get("DC-FLAG")) == 1 or header.get("LOGLAM") in (1, True)
    return flagged or ctype.startswith("LOG") or ctype.endswith(("-LOG", "-LOG10")) or logarithm_of(unit) is not None


def _logarithm(header: Header, axis: int, values: Array) -> Wavelengths | None:
    """Wavelengths of logarithms; None where the numbers are wavelengths themselves (-LOG of the standard)."""
    unit = word(header.get(f"CUNIT{axis}")).lower()
    logarithm = logarithm_of(unit)
    inside = unit if logarithm is None else logarithm
    factor = 1.0 if not inside else angstrom_per(inside)
    ctype = word(header.get(f"CTYPE{axis}")).upper()
    standard = ctype[4:] == "-LOG" and logarithm is None
    if factor is None or (standard and factor != 1.0):
        return None
    low, high = float(np.min(values)), float(np.max(values))
    decimal = LOG10[0] <= low + np.log10(factor) and high + np.log10(factor) <= LOG10[1]
    natural = LN[0] <= low + np.log(factor) and high + np.log(factor) <= LN[1]
    if natural and (standard or ctype.startswith("LOG")):
        note = ("the logarithms of the wavelengths are taken as natural ones, from their size",)
        return Wavelengths(np.exp(values) * factor, notes=note)
    if decimal:
        return Wavelengths(10.0**values * factor)
    if standard:
        return None
    return Wavelengths(None, notes=("there are no wavelengths: the logarithms of the axis are none of wavelengths",))


def _length(values: Array, unit: str, medium: str) -> Wavelengths:
    """Wavelengths in a unit of length; where none is given it is taken from the size of the numbers."""
    if unit:
        factor = angstrom_per(unit)
        if factor is None:
            return Wavelengths(None, notes=(f"there are no wavelengths: {unit} is no unit of length",))
        return Wavelengths(values * factor, medium)
    return Wavelengths(values * angstrom_by_size(values), medium, (NO_UNIT,))


def angstrom_by_size(values: Array) -> float:
    """Angstrom per unit where none is given, from the usual size of the numbers: some of them may be no wavelengths."""
    usual = float(np.median(np.abs(values[np.isfinite(values)]))) if np.isfinite(values).any() else math.inf
    return next((factor for limit, factor in GUESSES if usual < limit), 1.0)


def spectral_axis(header: Header, shape: tuple[int, ...], tables: Tables | None = None) -> tuple[int, Wavelengths]:
    """The FITS axis (1-based) of an image that is spectral, with its wavelengths; 0, without values, if none is.

    The usual one is asked first: the third of a cube, the first of spectra.
    """
    order = range(1, len(shape) + 1) if len(shape) < 3 else (*range(3, len(shape) + 1), 1, 2)
    notes: list[str] = []
    for axis in order:
        size = shape[len(shape) - axis]
        rows = shape[-2] if len(shape) == 2 and axis == 1 else shape[-1] if len(shape) == 2 else 0
        found = axis_wavelength(header, axis, size, rows, tables) if size > 1 or len(shape) == 1 else None
        if found is not None and found.values is not None:
            return axis, found
        notes += found.notes if found is not None else ()
    return 0, Wavelengths(None, notes=tuple(dict.fromkeys(notes)))


def turned_axes(n: int, axis: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """How to put FITS axis `axis` of `n` where wavelength belongs: third of a cube, else first.

    Returns
    -------
    transposition : tuple of int
        Of the array axes.
    order : tuple of int
        The old FITS axis of each new one.
    """
    old = list(range(n, 0, -1))  # FITS axis of each array axis
    old.remove(axis)
    old.insert(len(old) - 2 if n > 2 else 1, axis)
    return tuple(n - a for a in old), tuple(reversed(old))


def permuted(cards: Header, order: tuple[int, ...]) -> dict[str, object]:
    """WCS cards after the axes of an image were put into another order; `order` has the old axis of each new one."""
    new = {str(old): str(n + 1) for n, old in enumerate(order)}
    out: dict[str, object] = {}
    for key, value in cards.items():
        stem = key.rstrip("0123456789_")
        numbers = key[len(stem) :].split("_")
        if stem in ("PV", "PS"):
            numbers[0] = new.get(numbers[0], numbers[0])
        elif stem in INDEXED and stem != "WAT":
            numbers = [new.get(number, number) for number in numbers]
        out[stem + "_".join(numbers)] = value
    return out


def shifted(cards: Header, x0: int, y0: int, block: int) -> dict[str, object]:
    """WCS cards of a section that begins at 0-based (x0, y0), `block` pixels summed into one."""
    out = dict(cards)
    for axis, first in ((1, x0), (2, y0)):
        for letter in ("", *(L for L in LETTERS if f"CTYPE1{L}" in cards)):
            pixel = real(cards.get(f"CRPIX{axis}{letter}"))
            if pixel is not None:
                out[f"CRPIX{axis}{letter}"] = (pixel - first - 0.5) / block + 0.5
            for key in (f"CDELT{axis}{letter}", f"CD1_{axis}{letter}", f"CD2_{axis}{letter}"):
                value = real(cards.get(key))
                if value is not None:
                    out[key] = value * block
        physical, scale = real(cards.get(f"LTV{axis}")), real(cards.get(f"LTM{axis}_{axis}"))
        if physical is not None or scale is not None or first or block > 1:
            out[f"LTV{axis}"] = ((physical or 0.0) - first - 0.5) / block + 0.5
            out[f"LTM{axis}_{axis}"] = (1.0 if scale is None else scale) / block
    if block > 1 and any(key.startswith(SIP) for key in cards):  # the terms are of single pixels
        out = {key: value for key, value in out.items() if not key.startswith("CTYPE")}
    return out


def is_wcs(key: str) -> bool:
    """Whether a keyword belongs to the world coordinates (alternate systems included)."""
    if key.startswith(WHOLE):
        return True
    if not key.startswith(INDEXED + SIP):
        return False
    return key.lstrip(LETTERS).rstrip(LETTERS).replace("_", "").isdigit() or key in ("A_ORDER", "B_ORDER")
