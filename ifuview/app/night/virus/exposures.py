"""From raw exposures to one value for each fiber head and exposure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from ifuview.app.night.virus.setup import camera_setup, cameras_of, given, slot_calibration
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError
from ifuview.instrument.tables import Tables
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.spectra import WaveSolution
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import DetectorFrame, ExtractedExposure, FiberFlat
from ifuview.recipes.graph import StepResult, run
from ifuview.recipes.virus.exposure import CameraExposure, ifu_exposure, sky_shift
from ifuview.recipes.virus.recipe import CAMERA
from ifuview.recipes.virus.values import FiberLamps


def reduce_slot(
    exposures: Sequence[RawExposure],
    slot: str,
    calibrations: str,
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
    calibrations : str
        File of calibrations.
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
        No exposure has anything of the slot, or nothing of it can be used.
    """
    own = [(e, cameras_of(e, slot)) for e in exposures]
    own = [(e, cameras) for e, cameras in own if cameras]
    if not own:
        raise MissingDataError(f"no exposure has anything of slot {slot}", "virus", "see which slots there are")
    found = slot_calibration(calibrations, slot)
    cache = cache or ValueCache()
    done: list[tuple[RawExposure, list[CameraExposure]]] = []
    problems: list[str] = []
    total = sum(len(cameras) for _, cameras in own)
    count = 0
    for exposure, cameras in own:
        good: list[CameraExposure] = []
        for camera in cameras:
            part = ctx.part(count / total, (count + 1) / total)
            count += 1
            setup = camera_setup(tables, exposure, camera, found)
            steps = run(CAMERA, given(setup, exposure, found), params, (), cache, part, made)
            try:
                good.append(_camera_exposure(setup, steps))
            except MissingDataError as problem:
                problems.append(str(problem))
        if good:
            done.append((exposure, good))
    if not done:
        raise MissingDataError(problems[0] if problems else f"nothing of slot {slot} can be used", slot)
    drift = sky_shift([camera for _, cameras in done for camera in cameras])
    return tuple(ifu_exposure(cameras, exposure, drift) for exposure, cameras in done)


def _camera_exposure(setup: CameraSetup, steps: Mapping[str, StepResult]) -> CameraExposure:
    """The values of the steps.

    Raises
    ------
    MissingDataError
        One of them was not made.
    """
    failed = next((one for one in steps.values() if one.value is None), None)
    if failed is not None:
        raise MissingDataError(f"{failed.step} was not made: {failed.reason}", setup.camera)
    return CameraExposure(
        setup=setup, science=cast(DetectorFrame, steps["science"].value),
        spectra=cast(ExtractedExposure, steps["spectra"].value), wave=cast(WaveSolution, steps["wave"].value),
        response=cast(FiberFlat, steps["response"].value), lamps=cast(FiberLamps, steps["lamps"].value),
    )  # fmt: skip
