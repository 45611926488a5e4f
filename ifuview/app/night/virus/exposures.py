"""From raw exposures to one value for each fiber head and exposure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from ifuview.app.night.virus.setup import (
    SlotCalibration,
    amplifiers_of,
    camera_setup,
    cameras_of,
    given,
    of_amplifier,
    slot_calibration,
)
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError
from ifuview.instrument.tables import Tables
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.spectra import WaveSolution
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import DetectorFrame, ExtractedExposure, FiberFlat, TracedFibers
from ifuview.recipes.graph import StepResult, run
from ifuview.recipes.virus.exposure import CameraExposure, camera_exposure, ifu_exposure, sky_shifts
from ifuview.recipes.virus.recipe import CAMERA
from ifuview.recipes.virus.values import FiberLamps

ONE_CAMERA = 240 << 20  # bytes of values: calibrations of a detector, and one exposure of it


def reduce_slot(
    exposures: Sequence[RawExposure],
    slot: str,
    calibrations: str | SlotCalibration,
    tables: Tables,
    params: Mapping[str, object] | None = None,
    cache: ValueCache | None = None,
    ctx: JobContext = SILENT,
    made: Callable[[StepResult], None] | None = None,
) -> tuple[IfuExposure, ...]:
    """Extract the exposures of one observation that a slot is in.

    Parameters
    ----------
    exposures : sequence of RawExposure
        Of one observation.
    slot : str
    calibrations : str or SlotCalibration
        File of calibrations, or those of the slot.
    tables : Tables
    params : mapping of str to object, optional
        Parameters by step.
    cache : ValueCache, optional
    ctx : JobContext
    made : callable, optional
        Told of each step.

    Raises
    ------
    MissingDataError
        No exposure has anything of the slot, or no amplifier of it can be used.
    """
    cameras = sorted({camera for e in exposures for camera in cameras_of(e, slot)})
    if not cameras:
        raise MissingDataError(f"no exposure has anything of slot {slot}", "virus", "see which slots there are")
    done: dict[int, list[CameraExposure]] = {}
    problems: list[str] = []
    for number, camera in enumerate(cameras):
        own = [n for n, e in enumerate(exposures) if camera in e.cameras]
        found = calibrations
        if isinstance(found, str):
            found = slot_calibration(found, slot, amplifiers_of(exposures[own[0]], camera))
        whole = ctx.part(number / len(cameras), (number + 1) / len(cameras))
        kept = ValueCache(ONE_CAMERA) if cache is None else cache
        for count, n in enumerate(own):
            part = whole.part(count / len(own), (count + 1) / len(own))
            setup = camera_setup(tables, exposures[n], camera, found)
            steps = run(CAMERA, given(setup, exposures[n], found), params, (), kept, part, made)
            try:
                good = _camera_exposure(setup, steps)
            except MissingDataError as problem:
                problems.append(problem.what)
            else:
                done.setdefault(n, []).append(good)
            del steps  # of the size of a detector
    if not done:
        raise MissingDataError(problems[0] if problems else f"nothing of slot {slot} can be used", slot)
    read = [one.problem for good in done.values() for camera in good for one in camera.reads]
    if all(read):
        raise MissingDataError(f"no amplifier of slot {slot} can be used: {read[0]}", slot)
    drifts = iter(sky_shifts([one for good in done.values() for one in good]))
    moved = {n: [next(drifts) for _ in good] for n, good in done.items()}
    return tuple(ifu_exposure(good, exposures[n], moved[n]) for n, good in sorted(done.items()))


def _camera_exposure(setup: CameraSetup, steps: Mapping[str, StepResult]) -> CameraExposure:
    """The values of the steps.

    Raises
    ------
    MissingDataError
        One of them was not made.
    """
    failed = next((one for one in steps.values() if one.value is None), None)
    if failed is not None:
        raise MissingDataError(f"{failed.step} was not made: {failed.reason.rstrip('.')}", setup.camera)
    flat, traces = cast(DetectorFrame, steps["flat"].value), cast(TracedFibers, steps["traces"].value)
    wave = cast(WaveSolution, steps["wave"].value)
    said = (*flat.notes, *traces.traces.provenance.notes, *wave.notes)
    notes = tuple(of_amplifier(note, setup) for note in said)
    return camera_exposure(
        setup, flat, cast(DetectorFrame, steps["science"].value), cast(ExtractedExposure, steps["spectra"].value),
        wave, cast(FiberFlat, steps["response"].value), cast(FiberLamps, steps["lamps"].value), notes,
    )  # fmt: skip
