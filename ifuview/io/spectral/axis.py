"""What an axis says of wavelengths, and its linear coordinates; light enough for the first painted pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ifuview.io.fits.cards import real, word
from ifuview.model.checks import Array, Header
from ifuview.model.dataset import Table

Tables = Callable[[str, int], Table | None]  # the table of an EXTNAME and EXTVER
ANGSTROM = {
    "angstrom": 1.0,
    "angstroms": 1.0,
    "angstroem": 1.0,
    "ang": 1.0,
    "a": 1.0,
    "å": 1.0,
    "ã": 1.0,  # what is left of the same letter in UTF-8
    "0.1nm": 1.0,
    "nm": 10.0,
    "nanometer": 10.0,
    "nanometers": 10.0,
    "nanometre": 10.0,
    "nanometres": 10.0,
    "um": 1e4,
    "mum": 1e4,
    "micron": 1e4,
    "microns": 1e4,
    "micrometer": 1e4,
    "mm": 1e7,
    "cm": 1e8,
    "m": 1e10,
    "meter": 1e10,
}
AIR, VACUUM = "air", "vacuum"
IN_AIR = "the wavelengths are in air"
TILT = 0.01  # px of the spectral axis; a smaller change along another axis does not count


class Wavelengths(NamedTuple):
    """Wavelengths of an axis.

    Parameters
    ----------
    values : ndarray, shape (nwave,) or (nspec, nwave), Angstrom; or None
        None: the axis is spectral, but not by anything that could be read; `notes` say why.
    medium : str
        "air" or "vacuum", "" where the file does not tell.
    notes : tuple of str
    """

    values: Array | None
    medium: str = ""
    notes: tuple[str, ...] = ()


def angstrom_per(unit: str) -> float | None:
    """Angstrom of one unit of length, None for what is none."""
    known = ANGSTROM.get(unit.strip().lower())
    if known is not None or not unit.strip():
        return known
    from ifuview.io.spectral.units import si_factor

    factor = si_factor(unit, "m")
    return None if factor is None else factor * 1e10


def logarithm_of(unit: str) -> str | None:
    """The unit inside of log(unit), log10(unit) and dex(unit), "" where none is; None of what is no logarithm."""
    known = unit.strip().lower()
    return known.partition("(")[2].rstrip(")") if known.startswith(("log", "dex")) else None


def step_of(header: Header, axis: int) -> float | None:
    """Intermediate coordinate per pixel along an axis: CD, else CDELT times PC; None where none is given."""
    if any(f"CD{axis}_{j}" in header for j in range(1, 10)):
        return real(header.get(f"CD{axis}_{axis}")) or real(header.get(f"CDELT{axis}"))
    step = real(header.get(f"CDELT{axis}"))
    own = real(header.get(f"PC{axis}_{axis}", 1.0))
    if step is None:
        return own if f"PC{axis}_{axis}" in header else None
    return None if own is None else step * own


def offsets(header: Header, axis: int, size: int, rows: int = 0) -> tuple[Array, tuple[str, ...]]:
    """Intermediate coordinates along an axis, shape (size,), or (rows, size) where the other axis counts too."""
    pixel = real(header.get(f"CRPIX{axis}")) or 0.0
    step = step_of(header, axis) or 0.0
    along = (np.arange(size) + 1.0 - pixel) * step
    notes: tuple[str, ...] = ()
    for other in range(1, 10):
        tilt = _across(header, axis, other)
        length = real(header.get(f"NAXIS{other}")) or rows
        if other == axis or abs(tilt) * length < TILT * abs(step):
            continue
        if rows and {axis, other} == {1, 2}:
            place = np.arange(rows) + 1.0 - (real(header.get(f"CRPIX{other}")) or 0.0)
            along = along + (place * tilt)[:, None]
        else:
            notes = ("the wavelengths also change along another axis: shown are those of its reference pixel",)
    return along, notes


def _across(header: Header, axis: int, other: int) -> float:
    """Intermediate coordinate of `axis` per pixel of another axis."""
    if f"CD{axis}_{other}" in header:
        return real(header.get(f"CD{axis}_{other}")) or 0.0
    return (real(header.get(f"PC{axis}_{other}")) or 0.0) * (real(header.get(f"CDELT{axis}")) or 1.0)


def stated_medium(header: Header) -> str:
    """Air or vacuum from the cards that some programs write, "" without them."""
    text = word(header.get("AIRORVAC")).lower()
    if text.startswith((AIR, "vac")):
        return AIR if text.startswith(AIR) else VACUUM
    flag = header.get("VACUUM")
    return (VACUUM if flag else AIR) if type(flag) in (bool, int) else ""
