"""A whole observation reduced: every head as far as its pictures, what all share, every head to the end.

Products grow under temporary names, head after head, and are moved to their places as a set.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import cast

from ifuview import memory
from ifuview.app.night.reduction.run import raw_root, root_of, there_is
from ifuview.app.night.reduction.state import SCIENCE
from ifuview.app.night.virus.exposures import reduce_slot
from ifuview.app.night.virus.gains import measured_gains, wrong_gains
from ifuview.app.night.virus.heads import FirstTurn, HeldHeads, around, lenders_of, slots_of, value_of
from ifuview.app.night.virus.inputs import ShotInputs, check_request, flux_params, shot_inputs, simulated_source
from ifuview.app.night.virus.output import ShotOutput, shot_output
from ifuview.app.night.virus.request import ALL, HeadSummary, ReducedShot, ShotRequest, summary
from ifuview.app.night.virus.workers import SharedHeads, shared_heads
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, JobCancelled, MissingDataError, UsageError
from ifuview.files import told
from ifuview.instrument import instrument
from ifuview.io.archive.paths import split
from ifuview.io.night.raw_index import index_night
from ifuview.io.night.raw_units import Gains, with_gains
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.detection import Completeness, FieldDetections
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.placed import HeadProducts
from ifuview.model.reduction.quality import AmplifierQuality
from ifuview.model.reduction.shot import IfuSpectra, ReducedIfu
from ifuview.model.reduction.solution import CatalogSpectrum, ShotSolution
from ifuview.recipes.graph import Given, StepResult, run
from ifuview.recipes.virus.detect import measure_completeness
from ifuview.recipes.virus.light.sky import HeadSkyParams
from ifuview.recipes.virus.place import head_products
from ifuview.recipes.virus.quality import exposure_notes, head_findings, head_quality, uneven_amplifiers
from ifuview.recipes.virus.recipe import CAMERA
from ifuview.recipes.virus.shot import FIRST, HEAD, SHOT
from ifuview.recipes.virus.shot_values import HeadFlux, HeadPictures

VIRUS = "virus"
TODO = "choose another folder"
LAST = ("reduced", "detections")
UNPLACED = (
    "the stars found do not agree with the catalog, places are those of the header: its pointing, the catalog, or the "
    "light of an amplifier may be wrong"
)
NO_GAINS: Gains = MappingProxyType({})
Steps = Mapping[str, StepResult]
Told = Callable[[HeadSummary], None]


def reduce_shot(request: ShotRequest, ctx: JobContext = SILENT, told: Told | None = None) -> ReducedShot:
    """Reduce an observation and write its products.

    Parameters
    ----------
    request : ShotRequest
    ctx : JobContext
    told : callable, optional
        Gets each head as soon as it is done.

    Raises
    ------
    IfuviewError
        There is no such observation or slot, or files that were named cannot be read. What is wrong with single heads
        is said in the result.
    """
    check_request(request)
    root = raw_root(request.root)
    exposures = observation(root, request, ctx.part(0.0, 0.03))
    slots = wanted_slots(request, exposures)
    gains = measured_gains(exposures, slots, instrument(VIRUS))
    exposures = with_gains(exposures, gains)
    inputs = shot_inputs(request, root, exposures)
    # large files are read for it once
    begin = partial(in_process, checksums=dict(inputs.record.inputs), gains=gains)
    with memory.freed_kept(), _place(request) as folder, shared_heads(request, len(slots), folder, begin) as heads:
        shot = ShotReduction(request, exposures, inputs, folder)
        shot.first_turn(slots, ctx.part(0.03, 0.45), heads)
        shot.solve(ctx.part(0.45, 0.5))
        with shot_output(request, inputs.catalog) as output:
            shot.second_turn(output, ctx.part(0.5, 1.0), told, heads)
    files = tuple(str(Path(request.output) / name) for name in output.names)
    notes, wrong = (tuple(dict.fromkeys(some)) for some in (shot.notes, shot.wrong))
    return ReducedShot(request, tuple(shot.heads), shot.solution, files, notes, wrong)


@contextmanager
def _place(request: ShotRequest) -> Iterator[str]:
    """A folder for what has to be kept aside, gone at the end."""
    beside: str | None = None
    if request.output:
        place = Path(os.path.abspath(request.output))
        above = next(one for one in (place, *place.parents) if os.path.exists(one))
        if not above.is_dir():
            raise UsageError(f"the products cannot be written: {above} is no folder", request.output, TODO)
        beside = str(above)
    with ExitStack() as stack:
        with told(request.output, "the products", TODO):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=".held-", dir=beside))
        yield folder


def in_process(
    request: ShotRequest, folder: str, checksums: Mapping[str, str] | None = None, gains: Gains = NO_GAINS
) -> ShotReduction:
    """The reduction of some heads in a process of their own; what it keeps aside, any process may take."""
    memory.keep_freed()
    root = raw_root(request.root)
    exposures = with_gains(observation(root, request), gains)
    return ShotReduction(request, exposures, shot_inputs(request, root, exposures, checksums), folder)


def observation(root: str, request: ShotRequest, ctx: JobContext = SILENT) -> tuple[RawExposure, ...]:
    """The science exposures of the observation that is asked for.

    Raises
    ------
    MissingDataError
        There are none.
    """
    night = index_night(root, VIRUS, ctx, night=request.date, days=1)
    own = [e for e in night.of_kind(SCIENCE) if e.date == request.date]
    found = tuple(e for e in own if e.observation == request.observation)
    if not found:
        numbers = ", ".join(str(one) for one in sorted({e.observation for e in own}))
        what = f"there is no science observation {request.observation} of {request.date}"
        there = f"those of the night: {numbers}" if numbers else there_is(night, request.date)
        raise MissingDataError(what, root, there)
    return found


def observations_of(path: str, ctx: JobContext = SILENT) -> tuple[str, list[tuple[int, int, list[str]]]]:
    """The folder of nights of a path, and its science observations: date, number, and files that they are read from."""
    night = index_night(path, VIRUS, ctx)
    files: dict[tuple[int, int], set[str]] = {}
    for one in night.of_kind(SCIENCE):
        files.setdefault((one.date, one.observation), set()).update(split(a.path)[0] for a in one.amplifiers)
    return root_of(path, night), [(*key, sorted(names)) for key, names in sorted(files.items())]


def wanted_slots(request: ShotRequest, exposures: tuple[RawExposure, ...]) -> tuple[str, ...]:
    """Slots to reduce.

    Raises
    ------
    MissingDataError
        One that is named is not there.
    """
    here = slots_of(exposures)
    if ALL in request.slots:
        return here
    for slot in (*request.slots, *((request.sky_slot,) if request.sky_slot else ())):
        if slot not in here:
            raise MissingDataError(f"no exposure has anything of slot {slot}", "virus", f"it has {', '.join(here)}")
    return around(request.slots, here, request.neighbors)


class ShotReduction:
    """The reduction of one observation while it runs."""

    def __init__(
        self, request: ShotRequest, exposures: tuple[RawExposure, ...], inputs: ShotInputs, folder: str
    ) -> None:
        self.request, self.exposures, self.inputs = request, exposures, inputs
        self.held = HeldHeads(folder)
        self.pictures: dict[str, HeadPictures] = {}
        self.fluxes: dict[str, HeadFlux] = {}
        self.reasons: dict[str, str] = {}
        self.solution: ShotSolution | None = None
        self.heads: list[HeadSummary] = []
        self.quality: list[AmplifierQuality] = []
        self.notes, self.wrong = list(inputs.notes), list(inputs.wrong)
        known = {step.name for step in CAMERA.steps}
        self.camera_params = {name: one for name, one in request.params.items() if name in known}
        self.params = {name: one for name, one in request.params.items() if name not in known}
        self.params["flux"] = flux_params(request, exposures)

    def first_turn(self, slots: tuple[str, ...], ctx: JobContext, heads: SharedHeads | None = None) -> None:
        """Every head as far as its pictures; the one that the sky is taken from goes first."""
        sky = self.request.sky_slot
        if sky:
            slots = (sky, *(slot for slot in slots if slot != sky))
        if heads is not None:
            for slot, pictures, reason in heads.first(slots, ctx):
                self.pictures |= {} if pictures is None else {slot: pictures}
                self.reasons |= {slot: reason} if reason else {}
            return
        for number, slot in enumerate(slots):
            part = ctx.part(number / len(slots), (number + 1) / len(slots))
            try:
                self.first(slot, slot == sky, part)
            except JobCancelled:
                raise
            except IfuviewError as problem:
                self.reasons[slot] = problem.what
        if sky and sky in self.reasons:
            raise MissingDataError(f"the slot of the sky could not be reduced: {self.reasons[sky]}", sky)

    def first(self, slot: str, keep: bool, ctx: JobContext = SILENT) -> None:
        """One head as far as its pictures."""
        made = reduce_slot(
            self.exposures, slot, self.request.calibrations, self.inputs.tables, self.camera_params,
            ctx=ctx.part(0.0, 0.7),
        )  # fmt: skip
        steps = run(
            HEAD, self._given(slot, made, self._others(slot)), self._steps(slot), FIRST, None, ctx.part(0.7, 1.0)
        )
        pictures = cast(HeadPictures, value_of(steps, "pictures", slot))
        self.held.put(slot, FirstTurn(cast(HeadFlux, value_of(steps, "response", slot)), pictures))
        self.pictures[slot] = pictures
        if keep:
            self.fluxes[slot] = cast(HeadFlux, value_of(steps, "flux", slot))

    def solve(self, ctx: JobContext) -> None:
        """What all heads share.

        Raises
        ------
        MissingDataError
            No head could be reduced.
        """
        if not self.pictures:
            raise MissingDataError("no fiber head could be reduced", next(iter(self.reasons.values()), "no slot"))
        given = {
            "setup": self.inputs.setup, "heads": Given(tuple(self.pictures.values()), "heads"),
            "header": Given(self.exposures[0].header, "header"),
        }  # fmt: skip
        if self.inputs.catalog is not None:
            given["catalog"] = Given(self.inputs.catalog, "catalog")
        own = {"stars": self.inputs.pointing, "solution": self.inputs.pointing}
        steps = run(SHOT, given, own, (), None, ctx)
        self.solution = cast(ShotSolution, value_of(steps, "solution", "pointing"))
        self.notes += self.solution.notes
        if self.inputs.catalog is not None and not self.solution.pointing.measured:
            self.wrong.append(UNPLACED)

    def second_turn(
        self, output: ShotOutput, ctx: JobContext, told: Told | None, heads: SharedHeads | None = None
    ) -> None:
        """Every head to the end, its products written."""
        assert self.solution is not None
        todo = sorted(self.pictures)
        lenders = lenders_of(tuple(self.pictures.values())) if not self.request.sky_slot else {}
        for slot, reason in sorted(self.reasons.items()):
            self._tell(HeadSummary(slot, reason), told)
        made = self._heads(todo, lenders, ctx) if heads is None else heads.second(todo, lenders, self.solution, ctx)
        for slot, head, reason in made:
            if slot not in lenders.values():
                self.held.drop(slot)
            if head is not None:
                output.add(head)
                self.notes += head.notes
                rows = head_quality(head.exposures, head.done.spectra, self.solution)
                self.quality += rows
                self.wrong += head_findings(head.done.spectra, rows)
                self.wrong += wrong_gains(self.exposures, slot, uneven_amplifiers(head.exposures), instrument(VIRUS))
            self._tell(HeadSummary(slot, reason) if head is None else summary(head), told)
        output.judge(self.quality)
        output.finish(self.solution, str(self.exposures[0].object))

    def _heads(
        self, todo: list[str], lenders: Mapping[str, str], ctx: JobContext
    ) -> Iterator[tuple[str, HeadProducts | None, str]]:
        """The heads one after the other, or why one could not be made."""
        for number, slot in enumerate(todo):
            try:
                part = ctx.part(number / len(todo), (number + 1) / len(todo))
                head, reason = self.second(slot, lenders.get(slot, ""), part), ""
            except JobCancelled:
                raise
            except IfuviewError as problem:
                head, reason = None, problem.what
            yield slot, head, reason

    def _tell(self, one: HeadSummary, told: Told | None) -> None:
        self.heads.append(one)
        if told is not None:
            told(one)

    def second(self, slot: str, lender: str = "", ctx: JobContext = SILENT) -> HeadProducts:
        """One head to the end; `lender` has the sky where this one is full of light."""
        assert self.solution is not None
        first = self.held.get(slot)
        exposures = first.response.exposures
        lent = (self.held.get(lender).response,) if lender else self._others(slot)
        given = self._given(slot, exposures, lent)
        given["solution"] = Given(self.solution, "solution")
        if self.inputs.catalog is not None:
            given["catalog"] = Given(self.inputs.catalog, "catalog")
        if self.request.source is not None and (slot in self.request.slots or ALL in self.request.slots):
            source = simulated_source(self.request.source, self.inputs.setup_value, self.solution)
            given["source"] = Given(source, "source")
        made = {"response": first.response, "pictures": first.pictures}
        known = {} if lender else {name: StepResult(name, value, f"{name} {slot}") for name, value in made.items()}
        steps = run(HEAD, given, self._steps(slot), LAST, None, ctx.part(0.0, 0.8), known=known)
        done = cast(ReducedIfu, value_of(steps, "reduced", slot))
        found = cast(FieldDetections, value_of(steps, "detections", slot))
        notes = [f"{slot}: {note}" for note in found.notes] + list(exposure_notes(done.spectra))
        head = head_products(
            done, exposures, self.solution, found.detections, self.inputs.record, tuple(dict.fromkeys(notes))
        )
        head = replace(head, guided=self.inputs.guided)
        if self.request.completeness > 0:
            head = replace(head, completeness=self._completeness(steps, ctx.part(0.8, 0.95)))
        return head

    def _completeness(self, steps: Steps, ctx: JobContext) -> Completeness:
        """Simulated lines, found or not."""
        assert self.solution is not None
        return measure_completeness(
            self.params.get("detections"), ctx,
            cast(HeadFlux, steps["response"].value), cast(IfuSpectra, steps["fields"].value),
            cast("tuple[CatalogSpectrum, ...]", steps["stars"].value), self.solution, self.request.completeness,
        )  # fmt: skip

    def _given(self, slot: str, exposures: tuple[IfuExposure, ...], others: tuple[HeadFlux, ...]) -> dict[str, Given]:
        """Inputs of the recipe of a head; the sky may be taken from the others."""
        out = {"setup": self.inputs.setup, "exposures": Given(exposures, f"exposures {slot}")}
        if others:
            out["others"] = Given(others, f"others {' '.join(one.exposures[0].slot for one in others)}")
        return out

    def _others(self, slot: str) -> tuple[HeadFlux, ...]:
        """Head that the sky is asked to be of."""
        sky = self.request.sky_slot
        return (self.fluxes[sky],) if sky and slot != sky and sky in self.fluxes else ()

    def _steps(self, slot: str) -> Mapping[str, object]:
        """Parameters of the steps of a head."""
        if not self._others(slot) or not self.request.sky_slot:
            return self.params
        borrowed = {
            name: replace(cast(HeadSkyParams, self.params.get(name, HeadSkyParams())), source="others")
            for name in ("first_sky", "sky")
        }
        return {**self.params, **borrowed}
