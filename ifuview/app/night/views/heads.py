"""The fiber heads of a raw exposure on the focal plane: every amplifier as a cell, colored by what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ifuview.app.frames.views import colors
from ifuview.app.frames.views.text import axis, quantity
from ifuview.app.night.amplifiers.plane import AmplifierCell, FocalPlane, HeadPlace, focal_plane
from ifuview.app.night.state import AmplifierKey, HealthState
from ifuview.app.session import Session
from ifuview.model.checks import Array
from ifuview.model.night.exposures import Exposure, ExposureIndex
from ifuview.model.night.raw import HEAD
from ifuview.model.verdict import VerdictState

HEALTH, WORST = "health", "health, all exposures"
STATES = tuple(VerdictState)
TAILS = (2.0, 98.0)  # percent of the amplifiers inside the color range
COLORS, RAMP = 64, "viridis"


@dataclass(frozen=True, slots=True, eq=False)
class AmplifierNumber:
    """A quantity with its value for each cell, NaN where it is not known; `words` for each cell, or none."""

    name: str
    unit: str
    values: Array
    words: tuple[str, ...] = ()

    @property
    def states(self) -> bool:
        """Whether the values are places in STATES."""
        return self.name in (HEALTH, WORST)


@dataclass(frozen=True, slots=True, eq=False)
class HeadsView:
    """Everything that the dock shows.

    Parameters
    ----------
    expid : int
    title : str
        Of the exposure, for people.
    plane : FocalPlane
        Its heads and amplifiers.
    numbers : tuple of AmplifierNumber
    chosen : int
        Head on the canvas, -1 for none.
    camera : str
        Detector on the canvas.
    whole : bool
        The canvas shows all of a head.
    """

    expid: int
    title: str
    plane: FocalPlane
    numbers: tuple[AmplifierNumber, ...]
    chosen: int = -1
    camera: str = ""
    whole: bool = False

    @property
    def heads(self) -> tuple[HeadPlace, ...]:
        """Slots of the focal plane."""
        return self.plane.heads

    @property
    def cells(self) -> tuple[AmplifierCell, ...]:
        """Amplifiers of the exposure."""
        return self.plane.cells

    @property
    def size(self) -> float:
        """Side of a head, arcsec."""
        return self.plane.size

    def number(self, name: str) -> AmplifierNumber:
        """A quantity by its name; the first for one that is not there."""
        return next((one for one in self.numbers if one.name == name), self.numbers[0])

    def corner(self, cell: AmplifierCell) -> tuple[float, float]:
        """Lower left corner of a cell, arcsec."""
        head = self.heads[cell.head]
        wide, high = self.cell
        return head.x - self.size / 2 + cell.column * wide, head.y - self.size / 2 + cell.row * high

    @property
    def cell(self) -> tuple[float, float]:
        """Width and height of an amplifier, arcsec."""
        return self.size / self.plane.shape[0], self.size / self.plane.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class CellColors:
    """Color of each cell as 0xRRGGBB, whether it is known, and the ramp of the colors with its range."""

    color: Array
    known: Array
    ramp: Array
    low: float
    high: float


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    night = session.night
    index = None if night is None else night.index
    return (index, None if night is None else night.place, session.health, session.current, session.trends)


def make(session: Session) -> HeadsView | None:
    """The heads of the exposure on the canvas; None where no focal plane is shared by many."""
    from ifuview.app.night.open_night import here

    night, now = session.night, here(session)
    if night is None or not night.index.slots or not night.index.exposures:
        return None
    index: ExposureIndex = night.index
    exposure = index.find(None if now is None else now.expid) or index.exposures[0]
    plane = focal_plane(index, exposure)
    camera = "" if now is None else now.camera
    chosen = next((cell.head for cell in plane.cells if cell.camera == camera), -1)
    return HeadsView(
        expid=exposure.expid,
        title=f"{exposure.obstype} {exposure.night} {exposure.name}",
        plane=plane,
        numbers=(*_numbers(session.health, index, exposure.expid, plane.cells), *_followed(session, exposure, plane)),
        chosen=chosen,
        camera=camera,
        whole=now is not None and now.product == HEAD,
    )


def _numbers(
    state: HealthState | None, index: ExposureIndex, expid: int, cells: tuple[AmplifierCell, ...]
) -> tuple[AmplifierNumber, ...]:
    """What the read-out says of each cell."""
    if state is not None and state.night is not index:
        state = None
    found = [None if state is None else state.found.get(AmplifierKey(expid, c.camera, c.name)) for c in cells]
    health = [VerdictState.NOT_JUDGED if one is None else one.state for one in found]
    worst = {} if state is None else state.worst
    every = [worst.get((c.camera, c.name), VerdictState.NOT_JUDGED) for c in cells]
    nan = float("nan")
    noise = [nan if one is None else one.read.noise for one in found]
    level = [nan if one is None else one.read.level for one in found]
    full = [nan if one is None else 100 * one.read.saturated for one in found]
    return (
        AmplifierNumber(HEALTH, "", _places(health), tuple("" if one is None else one.text for one in found)),
        AmplifierNumber(WORST, "", _places(every)),
        AmplifierNumber("read noise", "electron", np.array(noise)),
        AmplifierNumber("overscan", "ADU", np.array(level)),
        AmplifierNumber("saturated", "%", np.array(full)),
    )


READ_OUT = ("readnoise", "overscan", "saturated")  # that the read-out itself has told


def _followed(session: Session, exposure: Exposure, plane: FocalPlane) -> tuple[AmplifierNumber, ...]:
    """Numbers of the amplifiers of this exposure that a reduction has written."""
    table = session.trends
    if table is None:
        return ()
    own = np.flatnonzero((table.night == exposure.night) & (table.exposure == exposure.name))
    values: dict[str, dict[str, float]] = {}
    for row in own.tolist():
        quantity = table.quantities[int(table.quantity[row])]
        values.setdefault(quantity.name, {})[str(table.place[row])] = float(table.value[row])
    out = []
    for one in table.quantities:
        found = values.get(one.name, {})
        numbers = [found.get(f"{plane.heads[c.head].slot} {c.name}", float("nan")) for c in plane.cells]
        if one.name not in READ_OUT and np.isfinite(numbers).any():
            out.append(AmplifierNumber(one.title, one.unit, np.array(numbers)))
    return tuple(out)


def _places(states: Sequence[VerdictState]) -> Array:
    return np.array([STATES.index(one) for one in states], float)


def shades(number: AmplifierNumber) -> CellColors:
    """Colors of the values of a quantity."""
    known = np.isfinite(number.values)
    values = number.values[known]
    low, high = (float(v) for v in np.percentile(values, TAILS)) if values.size else (0.0, 1.0)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    part = np.clip(np.where(known, (number.values - low) / (high - low), 0), 0, 1)
    ramp = np.round(colors.ramp(RAMP, np.linspace(0.0, 1.0, COLORS)) * 255).astype(np.uint32)
    rgb = ramp[:, 0] << 16 | ramp[:, 1] << 8 | ramp[:, 2]
    return CellColors(rgb[np.round(part * (COLORS - 1)).astype(np.intp)], known, rgb, low, high)


def label(number: AmplifierNumber) -> str:
    """A quantity with its unit."""
    return axis(number.name, number.unit)


def at(view: HeadsView, x: float, y: float) -> int | None:
    """The cell at a place of the focal plane; None beside all heads."""
    wide, high = view.cell
    for n, cell in enumerate(view.cells):
        left, low = view.corner(cell)
        if 0 <= x - left < wide and 0 <= y - low < high:
            return n
    return None


def about(view: HeadsView, x: float, y: float, name: str) -> str:
    """What is known of the amplifier at a place, or of a head that the exposure has nothing of; "" beside all."""
    cell = at(view, x, y)
    if cell is not None:
        return _of_cell(view, cell, name)
    near = (h for h in view.heads if abs(h.x - x) < view.size / 2 and abs(h.y - y) < view.size / 2)
    return next((f"{head.text}: not in this exposure" for head in near), "")


def _of_cell(view: HeadsView, cell: int, name: str) -> str:
    """What is known of a cell, the quantity that colors it first."""
    one, number = view.cells[cell], view.number(name)
    words = number.words[cell] if number.words else ""
    value = float(number.values[cell])
    said = str(STATES[int(value)]) if number.states else f"{number.name} {quantity(value, number.unit)}"
    head = view.heads[one.head].text
    return f"{one.camera} {one.name}: {said}" + (f": {words}" if words else "") + f" \u00b7 {head}"


def summary(view: HeadsView, name: str) -> str:
    """How many heads there are and how many amplifiers are not as they should be."""
    there = sum(head.there for head in view.heads)
    words = f"{view.title}: {there} of {len(view.heads)} IFUs, {len(view.cells)} amplifiers"
    number = view.number(name)
    if not number.states:
        return words
    counts = {state: int(np.sum(number.values == STATES.index(state))) for state in STATES}
    told = [f"{counts[state]} {state}" for state in STATES if counts[state]]
    return f"{words}: {', '.join(told)}" if told else words
