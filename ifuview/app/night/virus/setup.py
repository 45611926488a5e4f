"""What the recipe of a fiber head is given: tables of the instrument, and the rows of a file of calibrations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np

from ifuview.errors import MissingDataError
from ifuview.files import size_and_time
from ifuview.instrument import instrument
from ifuview.instrument.tables import FRACTION, Tables
from ifuview.io.archive.paths import split
from ifuview.io.night.raw_read import read_frame
from ifuview.io.products.virus.cals import read_calibrations
from ifuview.model.checks import digest
from ifuview.model.night.raw import RawAmplifier, RawExposure
from ifuview.model.reduction.calibration import AmplifierCalibration
from ifuview.model.reduction.tables import FiberLayout, FiberRows
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.graph import Given
from ifuview.recipes.virus.shot_values import electron_energy

VIRUS = "virus"
MOSTLY = 0.9  # share of the samples of a fiber that are masked when it is dead
USED_IMAGES = ("masterdark", "masterflt", "mastertwi", "mastersci", "masterbias")


@dataclass(frozen=True, slots=True, eq=False)
class SlotCalibration:
    """Rows of a file of calibrations that are of one slot, and a key that is another one when the file is.

    Parameters
    ----------
    rows : mapping of str to AmplifierCalibration
        By amplifier.
    key : str
    """

    rows: Mapping[str, AmplifierCalibration]
    key: str


def slot_calibration(path: str, slot: str, amplifiers: Collection[str] = ()) -> SlotCalibration:
    """The calibrations of a slot, of some of its amplifiers or of all.

    Raises
    ------
    MissingDataError, FileFormatError
        The file has none, or is none.
    """
    rows = {row.amplifier: row for row in read_calibrations(path, (slot,), USED_IMAGES, amplifiers)}
    return SlotCalibration(rows, f"{path} {slot} {size_and_time(path)}")


def amplifiers_of(exposure: RawExposure, camera: str) -> tuple[str, ...]:
    """Amplifiers of a detector, also those that are missing in the exposure."""
    spec, own = instrument(VIRUS), next(a for a in exposure.amplifiers if a.camera == camera)
    assert spec.raw is not None
    detector = spec.raw.detector(own.slot, own.name)
    return (own.name,) if detector is None else detector.amplifiers


def cameras_of(exposure: RawExposure, slot: str) -> tuple[str, ...]:
    """Detectors of a slot in an exposure."""
    return tuple(dict.fromkeys(a.camera for a in exposure.amplifiers if a.slot == slot))


def camera_setup(
    tables: Tables, exposure: RawExposure, camera: str, rows: SlotCalibration | None = None
) -> CameraSetup:
    """What is known of a detector of a fiber head on the night of an exposure.

    Raises
    ------
    MissingDataError
        The exposure has nothing of it, or a table knows nothing of it.
    """
    spec = instrument(tables.instrument)
    own = [amplifier for amplifier in exposure.amplifiers if amplifier.camera == camera]
    if spec.raw is None or not own:
        raise MissingDataError(f"the exposure has nothing of {camera}", f"{exposure.date} {exposure.observation:07d}")
    detector = spec.raw.detector(own[0].slot, own[0].name)
    assert detector is not None  # the index has put the amplifier there
    unit = own[0].unit
    ny, nx = spec.raw.shape[0], spec.raw.shape[1] - spec.raw.overscan
    found = spec.cameras[0]
    layout = tables.fibers(camera, unit[2])
    return CameraSetup(
        camera=camera, spec=spec, read=partial(read_frame, spec=spec), amplifiers=detector.amplifiers, shape=(ny, nx),
        layout=_positions(layout, detector.amplifiers, rows), lines=tables.lines(camera),
        rows=tuple(
            _rows(tables, unit, name, exposure.date, None if rows is None else rows.rows.get(name))
            for name in detector.amplifiers
        ),
        grid=np.linspace(found.wave_min, found.wave_max, nx),
        sky=tables.counted_skies(camera, electron_energy(tables.throughput()[0])),
    )  # fmt: skip


def _rows(
    tables: Tables, unit: tuple[str, str, str], name: str, night: int, known: AmplifierCalibration | None
) -> FiberRows:
    """Where the fibers of an amplifier were: by the tables, also of the slot that is meant where headers named another
    one; for hardware that no table knows as the traces of its calibrations say.

    Raises
    ------
    MissingDataError
        Nothing is known.
    """
    specid, slot, ifuid = unit
    for one in dict.fromkeys((slot, tables.real_slot(slot, night))):
        with suppress(MissingDataError):
            return tables.rows((specid, one, ifuid), name, night)
    if known is None:
        return tables.rows((specid, slot, ifuid), name, night)  # says what is not known
    at = int(FRACTION * known.trace.shape[1])
    masked = known.spectra.get("maskspec")
    dead = np.zeros(known.trace.shape[0], bool) if masked is None else masked.mean(axis=1) > MOSTLY
    return FiberRows(known.trace[:, at].astype(np.float64), dead, 0, FRACTION, known.source)


def _positions(layout: FiberLayout, amplifiers: tuple[str, ...], rows: SlotCalibration | None) -> FiberLayout:
    """Places of the fibers: those of the file of calibrations, which is of this very head, before those of tables."""
    x, y = np.array(layout.x), np.array(layout.y)
    for name in amplifiers if rows is not None else ():
        row = rows.rows.get(name) if rows is not None else None
        own = np.array([one == name for one in layout.amplifier])
        if row is not None and row.positions.shape[0] == own.sum() and np.isfinite(row.positions).all():
            x[own], y[own] = row.positions.T
    return FiberLayout(x, y, layout.amplifier)


def rows_for(
    setup: CameraSetup, exposure: RawExposure, found: SlotCalibration
) -> tuple[AmplifierCalibration | None, ...]:
    """Rows of the amplifiers of a detector, from bottom to top; None for one that the file does not have.

    Raises
    ------
    MissingDataError
        The file has none of them, or they are of another spectrograph, fiber head or controller.
    """
    own = next(a for a in exposure.amplifiers if a.camera == setup.camera)
    rows = tuple(found.rows.get(name) for name in setup.amplifiers)
    known = [row for row in rows if row is not None]
    if not known:
        raise MissingDataError(f"the calibration file has nothing of {setup.camera}", found.key.split(" ")[0])
    for row in known:
        if differs := _other_hardware(row, own):
            words = f"calibrations of {row.text} are of another {differs} than the exposure"
            raise MissingDataError(words, row.source, "give a file made from frames of the same hardware")
        if row.trace.shape[1] != setup.shape[1] or row.bad.shape != setup.shape:
            words = f"calibrations of {row.text} are of another size, {row.bad.shape[1]} x {row.bad.shape[0]} px"
            raise MissingDataError(words, row.source, "give a file of this instrument")
    return rows


def _other_hardware(row: AmplifierCalibration, own: RawAmplifier) -> str:
    """What a row and a raw amplifier differ by, "" where they agree as far as both say."""
    pairs = (
        ("spectrograph", row.specid, own.specid), ("fiber head", row.ifuid, own.ifuid),
        ("controller", row.contid, own.contid),
    )  # fmt: skip
    return next((f"{what} ({a}, not {b})" for what, a, b in pairs if a and b and a != b), "")


def given(setup: CameraSetup, exposure: RawExposure, found: SlotCalibration) -> dict[str, Given]:
    """The inputs of the recipe with their keys."""
    numbers = digest(setup.reference, setup.dead, setup.layout.x, setup.layout.y, setup.lines.wave, setup.grid)
    paths = [amplifier.path for amplifier in exposure.of(setup.camera)]
    files = "\n".join(f"{path} {size_and_time(split(path)[0])}" for path in paths)
    return {
        "setup": Given(setup, f"{setup.spec.name} {setup.camera} {numbers}"),
        "calibration": Given(rows_for(setup, exposure, found), found.key),
        "science_raw": Given(exposure, files),
    }


def of_amplifier(note: str, setup: CameraSetup) -> str:
    """A note of the calibrations with the name of the amplifier, or else of the detector, that it is of."""
    for number, name in enumerate(setup.amplifiers):
        note = note.replace(f"block {number}:", f"{setup.camera} {name}:", 1)
    return note if setup.camera in note else f"{setup.camera}: {note}"
