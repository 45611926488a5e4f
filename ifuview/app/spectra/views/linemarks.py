"""Known sky lines to mark in a spectrum, from the line lists of the resources."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ifuview import resources
from ifuview.model.figure import DOTTED, Rule

FOLDER = "linelists"
SHORTEST_IN_AIR = 2000.0  # Angstrom; below it wavelengths are given in vacuum everywhere
MAX_MARKS = 30  # more would hide the spectrum; the strongest stay


@dataclass(frozen=True, slots=True)
class LineMark:
    """One line: wavelength in Angstrom, what it is, relative strength."""

    wave: float
    label: str
    weight: float = 1.0


def sky_lines(lo: float, hi: float, limit: int = MAX_MARKS, medium: str = "") -> tuple[LineMark, ...]:
    """The strongest sky lines from `lo` to `hi` Angstrom, by wavelength; empty when no list is installed.

    `medium` is that of the spectrum they are marked in: "air" converts the lists, which are in vacuum.
    """
    inside = [line for line in _in_medium(_load(), medium) if lo <= line.wave <= hi]
    strongest = sorted(inside, key=lambda line: -line.weight)[:limit]
    return tuple(sorted(strongest, key=lambda line: line.wave))


def rest_lines(name: str, lo: float, hi: float, redshift: float = 0.0, medium: str = "") -> tuple[LineMark, ...]:
    """The lines of a list that an object at a redshift shows from `lo` to `hi` Angstrom, at the observed wavelength.

    Light is shifted in vacuum; where the spectrum is in air, the observed wavelength is converted.
    """
    stretch = 1.0 + redshift
    moved = _in_medium((LineMark(line.wave * stretch, line.label, line.weight) for line in _list(name)), medium)
    return tuple(sorted((line for line in moved if lo <= line.wave <= hi), key=lambda line: line.wave))


def in_air(wave: float) -> float:
    """Wavelength in standard air, Angstrom, of one in vacuum (IAU formula, Morton 1991); below 2000 unchanged."""
    if wave < SHORTEST_IN_AIR:
        return wave
    wavenumber = (1e4 / wave) ** 2  # 1/um^2
    return wave / (1.0 + 6.4328e-5 + 2.94981e-2 / (146.0 - wavenumber) + 2.5540e-4 / (41.0 - wavenumber))


def _in_medium(lines: Iterable[LineMark], medium: str) -> Iterable[LineMark]:
    """The lines where a spectrum of that medium has them."""
    return (replace(line, wave=in_air(line.wave)) for line in lines) if medium == "air" else lines


@cache
def _list(name: str) -> tuple[LineMark, ...]:
    """The lines of one file of the resources; none if it is not there."""
    file = resources.path(FOLDER) / f"{name}.txt"
    return tuple(parse(file.read_text(encoding="utf-8"))) if os.path.isfile(file) else ()


def spaced(lines: tuple[LineMark, ...], distance: float) -> set[int]:
    """Which lines can bear a name when names need `distance` Angstrom each; the strongest first."""
    chosen: list[int] = []
    for i in sorted(range(len(lines)), key=lambda i: -lines[i].weight):
        if all(abs(lines[i].wave - lines[j].wave) >= distance for j in chosen):
            chosen.append(i)
    return set(chosen)


@cache
def _load() -> tuple[LineMark, ...]:
    """All lines of the files whose name begins with "sky"."""
    folder = resources.path(FOLDER)
    if not folder.is_dir():
        return ()
    lines: list[LineMark] = []
    for file in sorted(folder.glob("sky*")):
        lines += parse(file.read_text(encoding="utf-8"))
    return tuple(lines)


def parse(text: str) -> list[LineMark]:
    """Lines of a list with columns wavelength, ion and, optionally, weight; other rows are left out."""
    out = []
    for row in text.splitlines():
        cells = [c.strip().strip('"') for c in (row.split(",") if "," in row else row.split())]
        if not cells or row.lstrip().startswith("#"):
            continue
        try:
            wave = float(cells[0])
        except ValueError:  # the row of column names
            continue
        weight = 1.0
        if len(cells) > 2:
            try:
                weight = float(cells[2])
            except ValueError:
                weight = 1.0
        out.append(LineMark(wave, cells[1] if len(cells) > 1 else "", weight))
    return out


def rules(lines: tuple[LineMark, ...], stretch: float, room: float, color: int, height: float) -> tuple[Rule, ...]:
    """Marks of lines on an axis whose values are Angstrom over `stretch`, named where there is `room` (of the axis)."""
    named = spaced(lines, stretch * room)
    return tuple(
        Rule(line.wave / stretch, color=color, stroke=DOTTED, label=line.label if i in named else "", height=height)
        for i, line in enumerate(lines)
    )


def slider_redshift(place: int, steps: int, most: float) -> float:
    """Redshift at a place of a slider that is even in log(1 + z)."""
    return float(np.expm1(place / steps * np.log1p(most)))


def redshift_slider(redshift: float, steps: int, most: float) -> int:
    """Place of a redshift on that slider."""
    return round(float(np.log1p(max(redshift, 0.0)) / np.log1p(most)) * steps)
