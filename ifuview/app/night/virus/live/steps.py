"""All steps of one fiber head as one recipe: from raw amplifiers to detections and cube."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.app.night.virus.calibrate import NightRange, build_camera
from ifuview.app.night.virus.exposures import reduce_slot
from ifuview.app.night.virus.setup import SlotCalibration, cameras_of, slot_calibration
from ifuview.engine.context import JobContext
from ifuview.errors import MissingDataError
from ifuview.instrument.tables import Tables
from ifuview.model.night.raw import RawExposure, RawNight
from ifuview.model.reduction.calibration import AmplifierCalibration
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.products import ReductionRecord
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.camera.exposure import ExtractParams
from ifuview.recipes.graph import Recipe, RecipeStep
from ifuview.recipes.virus.light.stars import ShotStars, SolutionParams, make_shot_stars
from ifuview.recipes.virus.shot import HEAD, SHOT
from ifuview.recipes.virus.shot_values import HeadPictures, ShotSetup

NAME = "fiber head in the window"
FIRST = ("flux", "first_sky", "trails", "response", "pictures")  # steps of a head before what is known of the sky
REST = ("sky", "fields", "stars", "detections", "cube")
OF_CAMERA = 480 << 20  # bytes of calibrations that another extraction finds again


@dataclass(frozen=True, slots=True, eq=False)
class HeadRaw:
    """What a head is reduced from.

    Parameters
    ----------
    slot : str
    exposures : tuple of RawExposure
        Of one observation.
    night : RawNight
        With frames that calibrate them.
    tables : Tables
    calibrations : str
        File of calibrations; "": they are made from the night.
    cache : ValueCache
        Of the detectors.
    record : ReductionRecord
        What products are said to be made from.
    """

    slot: str
    exposures: tuple[RawExposure, ...]
    night: RawNight
    tables: Tables
    calibrations: str
    cache: ValueCache
    record: ReductionRecord


def make_calibration(params: None, ctx: JobContext, raw: HeadRaw) -> SlotCalibration:
    """Calibrations of the head: of the file, else made from the night."""
    if raw.calibrations:
        return slot_calibration(raw.calibrations, raw.slot)
    cameras = tuple(dict.fromkeys(c for e in raw.exposures for c in cameras_of(e, raw.slot)))
    rows: dict[str, AmplifierCalibration] = {}
    problems = []
    for n, camera in enumerate(cameras):
        part = ctx.part(n / len(cameras), (n + 1) / len(cameras))
        try:
            built = build_camera(raw.night, camera, raw.tables, NightRange(raw.exposures[0].date, 1), ctx=part)
        except MissingDataError as problem:
            problems.append(problem.what)
            continue
        rows |= {row.amplifier: row for row in built.rows}
        problems += [] if built.rows else list(built.notes[-1:])
    if not rows:
        raise MissingDataError(problems[0] if problems else "there are no calibrations", raw.slot)
    return SlotCalibration(rows, f"made from {raw.night.path} {raw.slot} {raw.exposures[0].date}")


def make_exposures(
    params: ExtractParams, ctx: JobContext, raw: HeadRaw, calibration: SlotCalibration
) -> tuple[IfuExposure, ...]:
    """Extracted spectra of all exposures."""
    return reduce_slot(
        raw.exposures, raw.slot, calibration, raw.tables, {"spectra": params}, raw.cache, ctx
    )  # fmt: skip


def make_seen(params: SolutionParams, ctx: JobContext, setup: ShotSetup, pictures: HeadPictures) -> ShotStars:
    """Stars of this head that tell the optics."""
    return make_shot_stars(params, ctx, setup, (pictures,))


WINDOW = Recipe(
    NAME,
    "one fiber head",
    ("setup", "raw", "header", "catalog", "others"),
    (
        RecipeStep("calibration", "calibrations", make_calibration, ("raw",), None, 6.0),
        RecipeStep("exposures", "spectra", make_exposures, ("raw", "calibration"), ExtractParams(), 8.0),
        *(HEAD.step(name) for name in FIRST),
        RecipeStep("seen", "bright stars", make_seen, ("setup", "pictures"), SolutionParams(), 0.5),
        RecipeStep(
            "solution",
            SHOT.step("solution").title,
            SHOT.step("solution").make,
            ("setup", "seen", "header", "catalog?"),
            SolutionParams(),
            0.2,
        ),
        *(HEAD.step(name) for name in REST),
    ),
)
