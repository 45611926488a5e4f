"""Calibrations of a detector out of the raw frames of a range of nights: which frames count, and the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import cast

import numpy as np

from ifuview.app.night.virus.gains import measured_gains
from ifuview.app.night.virus.setup import VIRUS, camera_setup, of_amplifier
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.night.calibrations import calibrations
from ifuview.errors import MissingDataError, UsageError
from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables
from ifuview.io.night.raw_index import index_night
from ifuview.io.night.raw_units import with_gains
from ifuview.model.night.raw import RawAmplifier, RawExposure, RawNight
from ifuview.model.reduction.calibration import AmplifierCalibration
from ifuview.model.reduction.tables import FiberLayout
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import TracedFibers
from ifuview.recipes.graph import Given, StepResult, run
from ifuview.recipes.virus.build import BUILD
from ifuview.recipes.virus.rows import ZEROS, calibration_rows, read_noise

INPUTS = {"zeros": "zro", "darks": "drk", "twilights": "twi", "flats": "flt", "lamps": "cmp", "skies": "sci"}
DARK_DAYS = 7  # more than for other kinds, on both sides
LAMPS = ("hg", "cd-a")  # whose lines are listed
NEEDED = ("traces", "wave", "response", "mask")
Choice = Mapping[str, Sequence[RawExposure]]


@dataclass(frozen=True, slots=True)
class NightRange:
    """Nights that calibrations are taken from: `days` from `start` (YYYYMMDD) on, and `dark_days` more for darks."""

    start: int
    days: int
    dark_days: int = DARK_DAYS

    def __post_init__(self) -> None:
        if self.days < 1:
            raise UsageError(f"{self.days} days are no range of nights", "-dl", "give a number from 1 on")
        try:
            date(self.start // 10000, self.start // 100 % 100, self.start % 100)
        except ValueError as problem:
            raise UsageError(f"{self.start} is no night", "-sd", "give it as 20190822") from problem

    @property
    def first(self) -> date:
        """The first night."""
        return date(self.start // 10000, self.start // 100 % 100, self.start % 100)

    @property
    def middle(self) -> int:
        """The night in the middle."""
        return _number(self.first + timedelta(days=(self.days - 1) // 2))

    def holds(self, night: int, kind: str) -> bool:
        """Whether a night counts for a kind."""
        more = timedelta(days=self.dark_days if kind == INPUTS["darks"] else 0)
        return _number(self.first - more) <= night <= _number(self.first + timedelta(days=self.days - 1) + more)


@dataclass(frozen=True, slots=True, eq=False)
class BuiltCamera:
    """Calibrations of one detector.

    Parameters
    ----------
    setup : CameraSetup
    steps : mapping of str to StepResult
    rows : tuple of AmplifierCalibration
        Empty where they could not be made.
    notes : tuple of str
    night : int
        YYYYMMDD of the light that its traces are of.
    """

    setup: CameraSetup
    steps: Mapping[str, StepResult]
    rows: tuple[AmplifierCalibration, ...]
    notes: tuple[str, ...] = ()
    night: int = 0


def night_of(root: str, nights: NightRange, ctx: JobContext = SILENT) -> RawNight:
    """The raw frames of a range of nights and of as many around as any kind may be searched in.

    Raises
    ------
    MissingDataError
        There is no such folder.
    """
    raw = instrument(VIRUS).raw
    assert raw is not None
    days = nights.days + max(nights.dark_days, *raw.windows.values())
    found = index_night(root, VIRUS, ctx, night=nights.middle, days=days)
    if not any(nights.holds(e.date, e.kind) for e in found.exposures):
        found = index_night(root, VIRUS, ctx)
    return found


def build_camera(
    night: RawNight, camera: str, tables: Tables, nights: NightRange, cache: ValueCache | None = None,
    ctx: JobContext = SILENT,
) -> BuiltCamera:  # fmt: skip
    """Make the calibrations of one detector; where one amplifier spoils them, of the other alone.

    Raises
    ------
    MissingDataError
        There are no frames with light of it.
    """
    reference = _reference(night, camera, nights)
    setup = camera_setup(tables, reference, camera)
    chosen, notes = frames_of(night, camera, nights, reference)
    slots = {a.slot for a in reference.amplifiers if a.camera == camera}
    gains = measured_gains([e for some in chosen.values() for e in some], slots, instrument(VIRUS))
    chosen = {name: with_gains(tuple(some), gains) for name, some in chosen.items()}
    found = _built(setup, chosen, reference, cache, ctx)
    if found.rows:
        return replace(found, notes=(*notes, *found.notes))
    alone = [_built(only(setup, name), chosen, reference, cache, ctx) for name in setup.amplifiers]
    reason = next(one.reason for one in found.steps.values() if one.value is None and one.step in NEEDED)
    said = [*notes, f"{camera}: both amplifiers together cannot be calibrated: {reason}"]
    for name, one in zip(setup.amplifiers, alone, strict=True):
        said += [] if one.rows else [f"{camera} {name} has no calibrations"]
    best = next((one for one in alone if one.rows), found)
    return replace(best, notes=(*said, *best.notes))


def frames_of(
    night: RawNight, camera: str, nights: NightRange, reference: RawExposure
) -> tuple[Choice, tuple[str, ...]]:
    """The exposures of each kind: those of the range, else the nearest ones, which is said.

    Only frames of the same spectrograph, head and controller count; of arcs each lamp's nearest night.
    """
    raw = instrument(VIRUS).raw
    assert raw is not None
    unit = next(a for a in reference.amplifiers if a.camera == camera)
    out: dict[str, Sequence[RawExposure]] = {}
    notes: list[str] = []
    for name, kind in INPUTS.items():
        inside = [e for e in night.exposures if nights.holds(e.date, kind)]
        named = LAMPS if kind == INPUTS["lamps"] else ()
        how = {"swaps": raw.swaps, "unit": unit.unit, "objects": named}
        found = calibrations(inside, kind, camera, reference.date, window=10**6, **how)  # type: ignore[arg-type]
        if not found.exposures:
            window = raw.windows.get(kind, 0)
            found = calibrations(night.exposures, kind, camera, reference.date, window=window, **how)  # type: ignore[arg-type]
            days = max((_days(e.date, reference.date) for e in found.exposures), default=0)
            what = f"frames up to {days} days away are taken" if found.exposures else "there are none at all"
            notes.append(f"{camera}: no {kind} in the range of nights: {what}")
        own = [e for e in found.exposures if _same(e, camera, unit)]
        out[name] = _nearest_lamps(own, reference.date) if named else own
    return out, tuple(notes)


def only(setup: CameraSetup, name: str) -> CameraSetup:
    """A detector of which one amplifier alone is looked at."""
    number = setup.amplifiers.index(name)
    own = setup.block == number
    layout = FiberLayout(setup.layout.x[own], setup.layout.y[own], (name,) * int(own.sum()))
    return replace(setup, amplifiers=(name,), rows=(setup.rows[number],), layout=layout)


def _built(
    setup: CameraSetup, chosen: Choice, reference: RawExposure, cache: ValueCache | None, ctx: JobContext
) -> BuiltCamera:
    """Run the steps."""
    text = f"{setup.camera} {','.join(setup.amplifiers)}"
    given = {"setup": Given(setup, text)}
    for name, exposures in chosen.items():
        if exposures:
            given[name] = Given(tuple(exposures), f"{text} {[a.path for e in exposures for a in e.of(setup.camera)]}")
    steps = run(BUILD, given, None, (), cache, ctx)
    notes = []
    for one in steps.values():
        said = getattr(one.value, "notes", ())
        notes += [of_amplifier(note, setup) for note in said]
    if any(steps[name].value is None for name in NEEDED):
        return BuiltCamera(setup, steps, (), tuple(notes))
    units = {a.name: a for a in reference.amplifiers if a.camera == setup.camera}
    some = next(iter(units.values()))
    named = {name: units.get(name, replace(some, name=name)) for name in setup.amplifiers}
    for number, name in enumerate(setup.amplifiers):
        noise, source = read_noise(name, number, steps)
        if source != ZEROS:
            notes.append(f"{setup.camera} {name}: the read noise, {noise:.2f} e, is from {source}")
    lit = np.atleast_1d(np.any(cast(TracedFibers, steps["traces"].value).traces.valid, axis=1))
    rows = []
    for number, row in enumerate(calibration_rows(setup, named, steps)):
        if lit[setup.block == number].any():
            rows.append(row)
        else:
            notes.append(f"{setup.camera} {row.amplifier} has no calibrations: no fiber of it shows light")
    return BuiltCamera(setup, steps, tuple(rows), tuple(notes), reference.date)


def _reference(night: RawNight, camera: str, nights: NightRange) -> RawExposure:
    """The first exposure of the range that lights all fibers, else the nearest one: it says which hardware counts."""
    for kind in (INPUTS["twilights"], INPUTS["flats"]):
        inside = [e for e in night.of_kind(kind, camera) if nights.holds(e.date, kind)]
        if inside:
            return inside[0]
        every = night.of_kind(kind, camera)
        if every:
            return min(every, key=lambda e: _days(e.date, nights.start))
    raise MissingDataError(
        f"there is no twilight and no lamp flat of {camera}", night.path, "widen the range of nights"
    )


def _same(exposure: RawExposure, camera: str, unit: RawAmplifier) -> bool:
    """Whether an exposure is of the same controller, as far as both say."""
    own = next((a for a in exposure.amplifiers if a.camera == camera), unit)
    return not (own.contid and unit.contid) or own.contid == unit.contid


def _nearest_lamps(exposures: Sequence[RawExposure], night: int) -> list[RawExposure]:
    """Exposures of each lamp from its nearest night."""
    out: list[RawExposure] = []
    for lamp in dict.fromkeys(e.object.strip().lower() for e in exposures):
        own = [e for e in exposures if e.object.strip().lower() == lamp]
        near = min(_days(e.date, night) for e in own)
        out += [e for e in own if _days(e.date, night) == near]
    return out


def _days(one: int, other: int) -> int:
    """Days between two nights; many where one is none."""
    try:
        first, second = (date(n // 10000, n // 100 % 100, n % 100) for n in (one, other))
    except ValueError:
        return 10**6
    return abs((first - second).days)


def _number(day: date) -> int:
    """A day as YYYYMMDD."""
    return day.year * 10000 + day.month * 100 + day.day
