"""What is known of an instrument beforehand, as numbers: where fibers lie, response, refraction, focal plane."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.model.checks import Array


@dataclass(frozen=True, slots=True, eq=False)
class FiberLayout:
    """Where the fibers of a detector lie in the fiber head, in the order of the traces from bottom to top.

    Parameters
    ----------
    x, y : ndarray of float64, shape (nfiber,), arcsec
    amplifier : tuple of str
        That each fiber falls on.
    """

    x: Array
    y: Array
    amplifier: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FiberRows:
    """Where the fibers of one amplifier were on some day.

    Parameters
    ----------
    row : ndarray of float64, shape (nfiber,), px
        In the oriented amplifier, from 0, at `fraction` of its columns.
    dead : ndarray of bool, shape (nfiber,)
    date : int
        YYYYMMDD of that day.
    fraction : float
    source : str
        Where the numbers come from.
    """

    row: Array
    dead: Array
    date: int
    fraction: float
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class WaveCurve:
    """A quantity over wavelength.

    Parameters
    ----------
    wave : ndarray of float64, shape (n,), Angstrom
    value : ndarray of float64, shape (n,), `unit`
    unit, medium, source : str
    """

    wave: Array
    value: Array
    unit: str = ""
    medium: str = "air"
    source: str = ""


@dataclass(frozen=True, slots=True)
class FocalSlot:
    """One slot of the focal plane: where it lies (arcsec) and what is plugged in; `rotation` in degrees."""

    slot: str
    x: float
    y: float
    specid: str
    ifuid: str
    rotation: float = 0.0
    used: bool = True
