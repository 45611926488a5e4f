"""Numbers of many exposures side by side: of amplifiers, cameras or fibers, as triage, batch and reductions write them.

What programs write and this reads is one JSON list; each entry is about one amplifier (or detector, or fiber) of one
exposure::

    {"ifuslot": "047", "amp": "LL", "date": 20190822, "observation": 11, "exposure": 1,
     "numbers": {"readnoise": {"value": 3.1, "unit": "electron", "look": 4.5, "wrong": 6.0, "state": "clean"}, ...}}

A `value` of null was not measured. Further keys (specid, ifuid, contid, notes ...) are for people. The numbers in use:
readnoise, overscan, saturated, trace_shift (px), wave_shift (Angstrom), temperature (C), scattered, masked_spectra,
throughput, sky (1e-17 erg/s/cm2/A), residual (share of the sky), fwhm (arcsec); any other name is shown as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ifuview.model.checks import Array, same_shape

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class TrendQuantity:
    """What is followed: its name, its unit, and from where on a value wants a look, or is wrong (NaN: nobody knows)."""

    name: str
    unit: str = ""
    look: float = NAN
    wrong: float = NAN

    @property
    def title(self) -> str:
        """For people."""
        return self.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One number: of which quantity, of what ("047 LL", "r6", "r6 fiber 12"), of which night and exposure."""

    quantity: str
    place: str
    night: int
    exposure: str
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class TrendTable:
    """Many numbers as columns of shape (n,), in the order of their exposures.

    Parameters
    ----------
    quantities : tuple of TrendQuantity
    quantity : ndarray of int
        Place in `quantities`.
    place, exposure : ndarray of str
    night : ndarray of int
        YYYYMMDD, 0 unknown.
    value : ndarray of float64
    """

    quantities: tuple[TrendQuantity, ...]
    quantity: Array
    place: Array
    night: Array
    exposure: Array
    value: Array

    def __post_init__(self) -> None:
        for name in ("place", "night", "exposure", "value"):
            same_shape(name, getattr(self, name), self.quantity.shape)

    def __len__(self) -> int:
        return int(self.value.size)

    def rows(self, name: str) -> Array:
        """Which rows are of a quantity."""
        numbers = [n for n, one in enumerate(self.quantities) if one.name == name]
        return np.flatnonzero(self.quantity == numbers[0]) if numbers else np.zeros(0, np.intp)


def trend_table(quantities: Sequence[TrendQuantity], points: Sequence[TrendPoint]) -> TrendTable:
    """Numbers as a table: of several of one place and exposure the last one counts; what is no number is left out."""
    by_name = {one.name: one for one in quantities}
    last = {(p.quantity, p.place, p.night, p.exposure): p for p in points if np.isfinite(p.value)}
    own = sorted(last.values(), key=lambda p: (p.night, exposure_rank(p.exposure)))
    names = list(dict.fromkeys((*by_name, *(p.quantity for p in own))))
    number = {name: n for n, name in enumerate(names)}
    return TrendTable(
        tuple(by_name.get(name, TrendQuantity(name)) for name in names),
        np.array([number[p.quantity] for p in own], np.intp),
        np.array([p.place for p in own], np.str_),
        np.array([p.night for p in own], np.int64),
        np.array([p.exposure for p in own], np.str_),
        np.array([p.value for p in own], np.float64),
    )


def exposure_rank(name: str) -> tuple[int, ...]:
    """Numbers of the name of an exposure: 11/2 comes before 104/1."""
    words = re.findall("[0-9]{1,18}", name)
    return tuple(int(word) for word in words)


def joined(one: TrendTable, other: TrendTable) -> TrendTable:
    """Both; where both know a number, the second's counts."""
    points = [
        TrendPoint(t.quantities[q].name, str(p), int(n), str(e), float(v))
        for t in (one, other)
        for q, p, n, e, v in zip(t.quantity, t.place, t.night, t.exposure, t.value, strict=True)
    ]
    return trend_table((*one.quantities, *other.quantities), points)
