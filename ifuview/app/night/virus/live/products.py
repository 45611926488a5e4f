"""The products of a head that was reduced in the window: the same files as without one, with the page."""

from __future__ import annotations

import os
from typing import cast

from ifuview.app.night.reduction.state import ReductionState
from ifuview.app.night.virus.live.steps import HeadRaw
from ifuview.app.night.virus.output import shot_output
from ifuview.app.night.virus.request import ShotRequest
from ifuview.engine.context import JobContext
from ifuview.model.reduction.detection import FieldDetections
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.shot import IfuSpectra, ReducedIfu
from ifuview.model.reduction.solution import CatalogSpectrum, ShotSolution, StarCatalog
from ifuview.model.reduction.source import SkyCube
from ifuview.recipes.virus.place import head_products
from ifuview.recipes.virus.quality import head_quality


def write_products(state: ReductionState, folder: str, ctx: JobContext) -> tuple[str, ...]:
    """Write the observation with this head alone; names of the files.

    Raises
    ------
    UsageError
        They cannot be written.
    """
    raw = cast(HeadRaw, state.given["raw"].value)
    exposures = cast("tuple[IfuExposure, ...]", state.value("exposures"))
    fields, cube = cast(IfuSpectra, state.value("fields")), cast("SkyCube | None", state.value("cube"))
    stars = cast("tuple[CatalogSpectrum, ...] | None", state.value("stars")) or ()
    solution = cast(ShotSolution, state.value("solution"))
    found = cast("FieldDetections | None", state.value("detections"))
    catalog = cast("StarCatalog", state.given["catalog"].value) if "catalog" in state.given else None
    first = exposures[0]
    request = ShotRequest(
        date=first.date, observation=first.observation, slots=(raw.slot,), calibrations=raw.calibrations,
        output=folder,
    )  # fmt: skip
    head = head_products(
        ReducedIfu(fields, stars, cube), exposures, solution, () if found is None else found.detections, raw.record,
        tuple(state.notes),
    )  # fmt: skip
    with shot_output(request, catalog) as output:
        ctx.checkpoint(0.1, "Writing")
        output.add(head)
        output.judge(head_quality(exposures, fields, solution))
        output.finish(solution, str(raw.exposures[0].object))
    return tuple(os.path.join(folder, name) for name in output.names)
