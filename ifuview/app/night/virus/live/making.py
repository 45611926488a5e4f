"""The recipe of a fiber head run in the window: what it is made from, told step by step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ifuview.app.night.reduction.run import root_of
from ifuview.app.night.reduction.setup import SEARCHED
from ifuview.app.night.reduction.state import SCIENCE, ReductionState
from ifuview.app.night.virus.gains import measured_gains
from ifuview.app.night.virus.inputs import shot_inputs
from ifuview.app.night.virus.live.judge import judged, line_of
from ifuview.app.night.virus.live.steps import OF_CAMERA, WINDOW, HeadRaw
from ifuview.app.night.virus.request import ShotRequest
from ifuview.app.night.virus.setup import VIRUS
from ifuview.engine.context import JobContext
from ifuview.errors import FileFormatError, MissingDataError, UsageError
from ifuview.files import size_and_time
from ifuview.instrument import instrument
from ifuview.io.archive.paths import split
from ifuview.io.night.raw_index import index_night
from ifuview.io.night.raw_units import with_gains
from ifuview.io.products.virus.cals import calibration_slots
from ifuview.model.night.raw import RawExposure, RawNight
from ifuview.recipes.cache import CACHE_BYTES, LastCaches, ValueCache
from ifuview.recipes.graph import Given, StepResult, StepVerdict, run
from ifuview.recipes.virus.light.sky import LENT, NEAREST, HeadSkyParams
from ifuview.recipes.virus.shot_values import ShotSetup

_LENT: dict[str, Given] = {}  # the head that has lent its sky last
_CACHES = LastCaches(CACHE_BYTES, OF_CAMERA)  # of the head that was reduced last: its steps, its detectors


def begun(
    folder: str, night: RawNight, raw: RawExposure, expid: int, camera: str, params: Mapping[str, object],
    ctx: JobContext, detectors: ValueCache | None = None,
) -> ReductionState:  # fmt: skip
    """What the steps of the head of a detector are made from; nothing is made yet.

    `detectors` holds the values of its detectors in place of the caches of the head that is looked at.

    Raises
    ------
    MissingDataError
        The exposure has nothing of the detector.
    """
    slot = next((a.slot for a in raw.amplifiers if a.camera == camera), "")
    own = tuple(
        e for e in night.exposures
        if e.kind == SCIENCE and (e.date, e.observation) == (raw.date, raw.observation)
        and any(a.slot == slot and not a.problem for a in e.amplifiers)
    )  # fmt: skip
    if not own:
        raise MissingDataError(f"there is no science exposure of {camera}", str(raw.date), "choose another exposure")
    own = with_gains(own, measured_gains(own, (slot,), instrument(VIRUS)))
    root = root_of(folder, night)
    calibrations = calibration_file((folder, root, os.path.dirname(root)), slot)
    whole = night if calibrations else index_night(root, VIRUS, ctx, night=raw.date, days=SEARCHED[0])
    beside = calibrations or split(own[0].amplifiers[0].path)[0]
    request = ShotRequest(
        date=raw.date, observation=raw.observation, slots=(slot,), calibrations=beside, root=root, params=params
    )
    inputs = shot_inputs(request, root, own)
    files = "\n".join(
        f"{a.path} {size_and_time(split(a.path)[0])}" for e in own for a in e.amplifiers if a.slot == slot
    )
    cache = _CACHES.of(f"{slot} {root}")[1] if detectors is None else detectors
    made_of = HeadRaw(slot, own, whole, inputs.tables, calibrations, cache, inputs.record)
    given = {
        "setup": inputs.setup, "raw": Given(made_of, f"{calibrations} {files}"),
        "header": Given(own[0].header, f"header {own[0].start}"),
    }  # fmt: skip
    if inputs.catalog is not None:
        given["catalog"] = Given(inputs.catalog, f"catalog {inputs.catalog.source}")
    said = f"calibrations of {calibrations}" if calibrations else "calibrations are made from the night"
    return ReductionState(
        expid, camera, f"{raw.date}-{raw.observation:07d}-{slot}", raw=raw, recipe=WINDOW, notes=(said, *inputs.notes),
        params=params, given=given, running=WINDOW.steps[0].name, folder=root,
    )  # fmt: skip


def calibration_file(folders: tuple[str, ...], slot: str) -> str:
    """A file of calibrations of a slot in the first of some folders that has one; "" where none has."""
    for folder in dict.fromkeys(folders):
        for path in sorted(Path(folder).glob("*.h5")) if os.path.isdir(folder) else ():
            try:
                if slot in calibration_slots(str(path)):
                    return str(path)
            except (FileFormatError, MissingDataError):
                continue
    return ""


def lending_slots(state: ReductionState) -> tuple[str, ...]:
    """Other slots of the exposure, the nearest head first."""
    setup, raw = state.given["setup"].value, state.given["raw"].value
    assert isinstance(setup, ShotSetup) and isinstance(raw, HeadRaw) and state.raw is not None
    there = {a.slot for a in state.raw.amplifiers if not a.problem} - {raw.slot}
    place = {slot: setup.focal(slot) for slot in (raw.slot, *there)}
    off = {slot: float(np.hypot(*np.subtract(place[slot], place[raw.slot]))) for slot in there}
    return tuple(sorted(there, key=lambda slot: (np.nan_to_num(off[slot], nan=np.inf), slot)))


def _with_lender(state: ReductionState, ctx: JobContext) -> ReductionState:
    """With another head among what is given, where the sky is to be taken from it.

    Raises
    ------
    UsageError
        The exposure has no other head.
    """
    wishes = [state.params_of(step) for step in ("first_sky", "sky")]
    slots = [one.slot for one in wishes if isinstance(one, HeadSkyParams) and one.source in LENT]
    if not slots:
        return replace(state, given={name: one for name, one in state.given.items() if name != "others"})
    near, raw = lending_slots(state), state.given["raw"].value
    slot = next((one for one in slots if one != NEAREST), next(iter(near), ""))
    if slot not in near or state.raw is None:
        raise UsageError(
            f"there is no head {slot} to take the sky from", state.title, f"choose of {', '.join(near) or 'none'}"
        )
    assert isinstance(raw, HeadRaw)
    camera = next(a.camera for a in state.raw.amplifiers if a.slot == slot and not a.problem)
    key = f"{slot} {state.folder}"
    if key not in _LENT:
        _LENT.clear()
        other = begun(
            state.folder, raw.night, state.raw, state.expid, camera, {}, ctx.part(0.0, 0.1), ValueCache(OF_CAMERA)
        )
        assert other.recipe is not None
        steps = run(other.recipe, other.given, {}, ("response",), ValueCache(1), ctx.part(0.1, 1.0))
        lent = steps["response"]
        if lent.value is None:
            raise UsageError(f"the head {slot} cannot lend its sky: {lent.reason}", state.title, "choose another")
        _LENT[key] = Given((lent.value,), f"{key} {lent.key}")
    return replace(state, given={**state.given, "others": _LENT[key]})


def made(state: ReductionState, ctx: JobContext) -> ReductionState:
    """All steps made, judged and told to the context one by one; those whose inputs are as before are there at once.

    Raises
    ------
    UsageError, JobCancelled
    """
    state = _with_lender(state, ctx.part(0.0, 0.5))
    assert state.recipe is not None
    found: dict[str, StepResult] = {}
    verdicts: list[StepVerdict] = []
    titles = dict(state.plan)
    after = dict(zip(titles, (*list(titles)[1:], ""), strict=True))
    raw = state.given["raw"].value
    assert isinstance(raw, HeadRaw)

    def tell(one: StepResult) -> None:
        found[one.step] = one
        verdicts.append(replace(judged(one), title=titles[one.step]))
        ctx.tell(replace(state, steps=dict(found), verdicts=tuple(verdicts), running=after[one.step]))

    steps = run(state.recipe, state.given, state.params, (), _CACHES.of(f"{raw.slot} {state.folder}")[0], ctx, tell)
    return replace(state, steps=steps, verdicts=tuple(verdicts), line=line_of(raw.slot, steps), running="")
