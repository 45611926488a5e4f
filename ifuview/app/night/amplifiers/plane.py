"""Where the amplifiers of an exposure lie: fiber heads on the focal plane, the amplifiers of each by detector."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ifuview.instrument import instrument
from ifuview.model.night.exposures import Exposure, ExposureIndex
from ifuview.model.night.raw import RawAmplifier

UNKNOWN_PITCH = 100.0  # arcsec between heads of which the focal plane is not known
FILL = 0.86  # of the distance between heads that one is wide
ALIKE = 0.1  # of that distance, that places on the same grid may differ by


@dataclass(frozen=True, slots=True)
class HeadPlace:
    """One slot of the focal plane: its middle (arcsec), what is plugged in, whether the exposure has anything of it."""

    slot: str
    x: float
    y: float
    specid: str = ""
    ifuid: str = ""
    contid: str = ""
    there: bool = False

    @property
    def text(self) -> str:
        """As people name it."""
        words = (f"spectrograph {self.specid}", f"IFU {self.ifuid}", f"controller {self.contid}")
        known = [word for word, value in zip(words, (self.specid, self.ifuid, self.contid), strict=True) if value]
        return ", ".join((f"slot {self.slot}", *known))


@dataclass(frozen=True, slots=True)
class AmplifierCell:
    """One amplifier: which head (number in the plane), detector and name; its column and row within the head."""

    head: int
    camera: str
    name: str
    column: int
    row: int


@dataclass(frozen=True, slots=True, eq=False)
class FocalPlane:
    """Heads and amplifiers of an exposure.

    Parameters
    ----------
    heads : tuple of HeadPlace
    cells : tuple of AmplifierCell
    pitch : float, arcsec
        From head to head.
    shape : (int, int)
        Columns and rows of amplifiers in a head; asked for with every cell that is drawn.
    """

    heads: tuple[HeadPlace, ...]
    cells: tuple[AmplifierCell, ...]
    pitch: float
    shape: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        columns, rows = (max((getattr(one, axis) for one in self.cells), default=0) for axis in ("column", "row"))
        object.__setattr__(self, "shape", (1 + columns, 1 + rows))

    @property
    def size(self) -> float:
        """Side of a head as it is drawn, arcsec."""
        return FILL * self.pitch

    def steps(self, head: int) -> tuple[int, int]:
        """Column and row of a head in the grid of all that are there, from lower left."""
        there = [one for one in self.heads if one.there]
        x0, y0 = min(one.x for one in there), min(one.y for one in there)
        one = self.heads[head]
        return round((one.x - x0) / self.pitch), round((one.y - y0) / self.pitch)


_LAST: list[tuple[Exposure, FocalPlane]] = []  # it is asked for with every change of what is known


def focal_plane(index: ExposureIndex, exposure: Exposure) -> FocalPlane:
    """Heads and their amplifiers; those without a place of their own on it stand below the focal plane."""
    if not _LAST or _LAST[0][0] is not exposure:
        _LAST[:] = [(exposure, _made(index, exposure))]
    return _LAST[0][1]


def _made(index: ExposureIndex, exposure: Exposure) -> FocalPlane:
    parts: dict[str, list[RawAmplifier]] = {}
    for part in exposure.parts:
        parts.setdefault(part.slot, []).append(part)
    places, pitch = _slots(index, parts)
    x, y = ([getattr(one, axis) for one in places.values()] or [0.0] for axis in "xy")
    lost = sorted(set(parts) - set(places))
    width = max(round((max(x) - min(x)) / pitch) + 1, math.isqrt(len(lost)))
    for n, slot in enumerate(lost):
        row, column = divmod(n, width)
        places[slot] = HeadPlace(slot, min(x) + column * pitch, min(y) - (row + 1) * pitch)
    for slot, own in parts.items():
        one, known = own[0], places[slot]
        places[slot] = replace(
            known, there=True, specid=one.specid or known.specid, ifuid=one.ifuid or known.ifuid, contid=one.contid
        )  # fmt: skip
    number = {slot: n for n, slot in enumerate(places)}
    cells = [cell for slot, own in parts.items() for cell in _cells(index, number[slot], own)]
    return FocalPlane(tuple(places.values()), tuple(cells), pitch)


def _cells(index: ExposureIndex, head: int, own: Sequence[RawAmplifier]) -> list[AmplifierCell]:
    """Amplifiers of a head as its detectors lie."""
    raw = None if index.raw_night is None else instrument(index.raw_night.instrument).raw
    out = []
    for column, detector in enumerate(raw.detectors if raw is not None else ()):
        of = {part.name: part.camera for part in own if part.name in detector.amplifiers}
        out += [
            AmplifierCell(head, of[name], name, column, row)
            for row, name in enumerate(detector.amplifiers)
            if name in of
        ]
    return out


def _slots(index: ExposureIndex, there: Collection[str]) -> tuple[dict[str, HeadPlace], float]:
    """Slots in use, or in which something is, with their places, and the usual distance between them.

    Heads between those of the grid are of other instruments: they are left out, so that none lies over another. The
    axes of the table are those of the focal plane swapped.
    """
    used = [one for one in index.slots if one.used or one.slot in there]
    if len(used) < 2:
        return {one.slot: HeadPlace(one.slot, one.y, one.x, one.specid, one.ifuid) for one in used}, UNKNOWN_PITCH
    x, y = np.array([(one.y, one.x) for one in used]).T
    dx, dy = np.abs(x[:, None] - x), np.abs(y[:, None] - y)
    away = np.hypot(dx, dy)
    np.fill_diagonal(away, np.inf)
    pitch = float(np.median(away.min(axis=1)))
    covered = (np.maximum(dx, dy) < FILL * pitch) & np.isfinite(away)
    steps = np.stack([dx, dy]) / pitch
    alike = np.abs(steps - np.round(steps)).max(axis=0) < ALIKE
    between = covered.any(axis=1) & (alike.mean(axis=1) < 1 / 2)
    return {
        one.slot: HeadPlace(one.slot, one.y, one.x, one.specid, one.ifuid)
        for one, other in zip(used, between, strict=True)
        if not other
    }, pitch
