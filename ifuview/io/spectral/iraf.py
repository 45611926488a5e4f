"""Wavelengths that IRAF writes into WAT cards: equispec and linear (one solution) and multispec (one a spectrum).

After "IRAF spectral world coordinate systems" (Valdes): `specN = "aperture beam type w1 dw nw z low high ..."`, type 0
linear, 1 logarithmic, 2 functions 1 Chebyshev, 2 Legendre, 3 cubic spline, 4 linear spline, 5 pixels, 6 samples.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.polynomial import chebyshev, legendre

from ifuview.io.fits.cards import word
from ifuview.io.spectral.axis import Wavelengths, angstrom_per
from ifuview.model.checks import Array, Header

CARD = 68  # characters of a WAT card; those at its end may have been stripped
WEIGHT, ZERO, KIND, ORDER = 0, 1, 2, 3  # places in the list of a function
LINEAR, LOG, NONLINEAR = 0, 1, 2
HEAD = 9  # numbers before the functions


def attributes(header: Header, axis: int) -> str:
    """The WAT cards of an axis as one text."""
    cards = sorted(key for key in header if key.startswith(f"WAT{axis}_"))
    texts = [str(header[key]).ljust(CARD) for key in cards]
    return "".join(texts).strip()


def system(header: Header) -> str:
    """The kind of IRAF's coordinate system, "" without one."""
    found = re.search(r"system\s*=\s*(\w+)", word(header.get("WAT0_001")).lower())
    return found[1] if found else ""


def spectral_unit(header: Header, axis: int) -> str | None:
    """Unit of a wavelength axis as its WAT cards have it ("" unsaid); None if they speak of no wavelength."""
    text = attributes(header, axis).lower()
    unit = re.search(r"units\s*=\s*(\w+)", text)
    named = unit is not None and angstrom_per(unit[1]) is not None
    if not named and not re.search(r"label\s*=\s*\"?(wavelength|lambda)", text):
        return None
    return unit[1] if unit else ""


def multispec(header: Header, size: int, rows: int) -> Wavelengths:
    """Wavelengths of the rows of a multispec image, shape (rows, size), or (size,) where all are alike."""
    text = attributes(header, 2)
    found = {int(n): numbers for n, numbers in re.findall(r"spec(\d+)\s*=\s*\"([^\"]*)\"", text)}
    unit = spectral_unit(header, 1)
    factor = (1.0 if not unit else angstrom_per(unit)) if unit is not None else None
    if factor is None:
        return Wavelengths(None, notes=("there are no wavelengths: the multispec axis is none of wavelength",))
    try:
        lines = [_spectrum([float(x) for x in found[row + 1].split()], size) for row in range(max(rows, 1))]
    except (KeyError, ValueError, IndexError) as problem:
        why = f"spec{problem} is missing" if isinstance(problem, KeyError) else str(problem)
        return Wavelengths(None, notes=(f"there are no wavelengths: the multispec cards are damaged ({why})",))
    values = np.stack(lines) * factor
    return Wavelengths(values[0] if np.all(values == values[0]) else values)


def _spectrum(numbers: list[float], size: int) -> Array:
    """Wavelengths of one spectrum."""
    kind, first, step, redshift = int(numbers[2]), numbers[3], numbers[4], numbers[6]
    pixel = np.arange(size) + 1.0
    if kind == LINEAR:
        wave = first + step * (pixel - 1)
    elif kind == LOG:
        wave = 10.0 ** (first + step * (pixel - 1))
    elif kind == NONLINEAR:
        wave, rest = np.zeros(size), numbers[HEAD:]
        while rest:
            part, used = _function(rest, pixel)
            wave, rest = wave + rest[WEIGHT] * (rest[ZERO] + part), rest[used:]
    else:
        raise ValueError(f"dispersion type {kind} is none")
    return wave / (1 + redshift)


def _function(rest: list[float], pixel: Array) -> tuple[Array, int]:
    """One function of a spectrum, and how many numbers it takes."""
    kind, order = int(rest[KIND]), int(rest[ORDER])
    if kind in (5, 6):
        raise ValueError(f"function {kind} (a table) is not read")
    low, high = rest[4], rest[5]
    count = order if kind in (1, 2) else order + (3 if kind == 3 else 1)
    c = np.array(rest[6 : 6 + count])
    if len(c) < count or not high > low:
        raise ValueError("a function has too few numbers")
    x = (2 * pixel - (high + low)) / (high - low)
    if kind == 1:
        return chebyshev.chebval(x, c), 6 + count
    if kind == 2:
        return legendre.legval(x, c), 6 + count
    s = (pixel - low) / (high - low) * order
    j = np.clip(np.floor(s), 0, order - 1).astype(int)
    a, b = j + 1 - s, s - j
    if kind == 4:
        return c[j] * a + c[j + 1] * b, 6 + count
    if kind != 3:
        raise ValueError(f"function {kind} is unknown")
    z = (a**3, 1 + 3 * a * (1 + a * b), 1 + 3 * b * (1 + a * b), b**3)
    return sum((c[j + k] * z[k] for k in range(4)), np.zeros(pixel.size)), 6 + count
