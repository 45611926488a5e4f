"""What a recipe of a channel is given: tables of the instrument for its unit and date, and the exposures by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.night.calibrations import Calibrations, calibrations
from ifuview.errors import MissingDataError
from ifuview.files import size_and_time
from ifuview.instrument import instrument
from ifuview.instrument.tables import MOONS, Tables
from ifuview.io.archive.paths import split
from ifuview.io.night.raw_index import index_night
from ifuview.io.night.raw_read import read_frame
from ifuview.model.checks import digest
from ifuview.model.night.raw import ExposureKey, RawExposure, RawNight
from ifuview.recipes.graph import Given
from ifuview.recipes.lrs2.values import ChannelSetup

INPUTS = {"zeros": "zro", "twilights": "twi", "flats": "flt", "lamps": "cmp", "darks": "drk"}
ARC, LIT = "cmp", ("twi", "flt")
SKIES, SKY = "skies", "sci"  # light for amplifiers that no twilight has
SEARCHED = (7, 60, 0)  # days around a night, one after the other; 0: all


def night_around(root: str, name: str, date: int, ctx: JobContext = SILENT) -> RawNight:
    """A night with those around it: as few days as have what calibrates each of its detectors, else all there are.

    Parameters
    ----------
    root : str
        Folder of nights, or what was opened.
    name : str
        Of the instrument.
    date : int
        YYYYMMDD.
    ctx : JobContext

    Raises
    ------
    MissingDataError
        There is no such path.
    """
    found = index_night(root, name, ctx, night=date, days=SEARCHED[0])
    for days in SEARCHED[1:]:
        own = [exposure for exposure in found.exposures if exposure.date == date]
        if all(_calibrated(found, exposure, camera) for exposure in own for camera in exposure.cameras):
            break
        found = index_night(root, name, ctx, night=date, days=days)
    return found


def _calibrated(night: RawNight, exposure: RawExposure, camera: str) -> bool:
    """Whether there is light in all fibers and an arc for a detector; for other kinds a recipe has a way around."""
    return bool(near(night, exposure, camera, ARC).exposures) and any(
        near(night, exposure, camera, kind).exposures for kind in LIT
    )


def near(night: RawNight, exposure: RawExposure, camera: str, kind: str) -> Calibrations:
    """The exposures of a kind that calibrate a detector of an exposure."""
    raw = instrument(night.instrument).raw
    assert raw is not None
    own = next(amplifier for amplifier in exposure.amplifiers if amplifier.camera == camera)
    return calibrations(
        night.exposures, kind, camera, exposure.date, window=raw.windows.get(kind, 0), swaps=raw.swaps, unit=own.unit,
        objects=raw.lamps.get(camera, ()) if kind == ARC else (),
    )  # fmt: skip


def whole_exposures(night: RawNight, some: Sequence[RawExposure]) -> list[RawExposure]:
    """The exposures of a night that some are parts of, each once: all amplifiers of detectors of which one is there."""
    cameras: dict[ExposureKey, set[str]] = {}
    for one in some:
        cameras.setdefault(one.key, set()).update(one.cameras)
    known = {one.key: one for one in (*some, *night.exposures)}
    return [
        replace(
            known[key], amplifiers=tuple(a for a in known[key].amplifiers if a.camera in own),
            missing=tuple(one for one in known[key].missing if one[0] in own),
        )
        for key, own in cameras.items()
    ]  # fmt: skip


def channel_setup(tables: Tables, exposure: RawExposure, camera: str) -> ChannelSetup:
    """What is known of a channel on the night of an exposure.

    Raises
    ------
    MissingDataError
        The exposure has nothing of the channel, or a table knows nothing of it.
    """
    spec = instrument(tables.instrument)
    own = [amplifier for amplifier in exposure.amplifiers if amplifier.camera == camera]
    found = next((one for one in spec.cameras if one.name == camera), None)
    if spec.raw is None or not own or found is None:
        raise MissingDataError(f"the exposure has nothing of {camera}", f"{exposure.date} {exposure.observation:07d}")
    detector = spec.raw.detector(own[0].slot, own[0].name)
    assert detector is not None  # the index has put the amplifier there
    unit = own[0].unit
    rows = tuple(tables.rows(unit, name, exposure.date) for name in detector.amplifiers)
    ny, nx = spec.raw.shape[0], spec.raw.shape[1] - spec.raw.overscan
    return ChannelSetup(
        camera=camera, spec=spec, read=partial(read_frame, spec=spec), amplifiers=detector.amplifiers, shape=(ny, nx),
        layout=tables.fibers(camera, unit[2]), rows=rows, lines=tables.lines(camera),
        grid=np.linspace(found.wave_min, found.wave_max, nx), response=tables.response(camera),
        refraction=tables.refraction(camera), lenslet=spec.fiber_diameter or np.nan,
        sky=tables.counted_skies(camera, tables.response(camera)),
        skies=tuple(tables.sky(camera, moon) for moon in MOONS), air=tables.telluric(),
        correction=tables.correction(),
        notes=tuple(f"fiber rows of {one.date}" for one in rows[:1]),
    )  # fmt: skip


def given(night: RawNight, setup: ChannelSetup, exposure: RawExposure) -> tuple[dict[str, Given], tuple[str, ...]]:
    """The inputs of the recipe with their keys, and what is worth knowing of the calibrations."""
    camera = setup.camera
    key = f"{_key_of((exposure,), camera)} {exposure.transparency}"
    out = {"setup": Given(setup, _key_of_setup(setup)), "science_raw": Given(exposure, key)}
    notes: list[str] = []
    for name, kind in INPUTS.items():
        found = near(night, exposure, camera, kind)
        notes += found.notes
        if kind == ARC:  # of the others those who read them say it
            notes += _lacking(found.exposures, camera)
        if found.exposures:
            out[name] = Given(found.exposures, _key_of(found.exposures, camera))
    lit = [one for kind in LIT for one in near(night, exposure, camera, kind).exposures]
    if lit and set(setup.amplifiers) - {amplifier.name for one in lit for amplifier in one.of(camera)}:
        found = near(night, exposure, camera, SKY)
        out[SKIES] = Given(found.exposures, _key_of(found.exposures, camera))
    return out, tuple(notes)


def _lacking(exposures: tuple[RawExposure, ...], camera: str) -> list[str]:
    """Amplifiers of a detector that some exposures do not have, or not in use."""
    missing = [f"{e.object}: {camera} {name} is missing" for e in exposures for c, name in e.missing if c == camera]
    return missing + [
        f"{e.object}: {a.trouble}" for e in exposures for a in e.amplifiers if a.camera == camera and a.problem
    ]


def _key_of_setup(setup: ChannelSetup) -> str:
    numbers = digest(
        setup.reference, setup.dead, setup.layout.x, setup.layout.y, setup.lines.wave, setup.grid, setup.response.value,
        setup.refraction, *(() if setup.correction is None else (setup.correction.value,)),
    )  # fmt: skip
    return f"{setup.spec.name} {setup.camera} {numbers}"


def _key_of(exposures: tuple[RawExposure, ...], camera: str) -> str:
    """Changes with any of the files."""
    paths = [amplifier.path for exposure in exposures for amplifier in exposure.of(camera)]
    return "\n".join(f"{path} {size_and_time(split(path)[0])}" for path in paths)
