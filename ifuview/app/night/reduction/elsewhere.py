"""What exposures are to each other: a standard star gives the response, another one the sky, all one spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ifuview import __version__
from ifuview.app.night.reduction.channel import Params, ReducedChannel, reduce_channel
from ifuview.app.night.reduction.setup import night_around
from ifuview.app.night.reduction.state import SCIENCE, SkyChannel
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError, UsageError
from ifuview.instrument.tables import Tables
from ifuview.io.products.lrs2.combined import CombinedTarget, common_grid, write_combined
from ifuview.io.products.lrs2.folders import target_name
from ifuview.model.checks import digest
from ifuview.model.night.raw import RawExposure, RawNight
from ifuview.model.reduction.products import ProductName, ReductionRecord
from ifuview.model.reduction.source import SourceSpectrum
from ifuview.model.reduction.tables import WaveCurve
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.graph import Given, StepResult
from ifuview.recipes.lrs2.others import lent_sky, one_spectrum, star_response
from ifuview.recipes.lrs2.recipe import CALIBRATIONS
from ifuview.recipes.lrs2.science import STAR, CurveParams

OTHER_SOURCE = 1.5  # arcsec, beyond what refraction moves a source between channels
At = tuple[int, int]  # night (YYYYMMDD) and observation


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where to look.

    Parameters
    ----------
    standard : (int, int) or None
        Night and observation of a standard star whose response is taken.
    sky : (int, int) or None
        Night and observation whose sky is taken.
    """

    standard: At | None = None
    sky: At | None = None


NOTHING = Elsewhere()


def lent(
    elsewhere: Elsewhere, night: RawNight, camera: str, tables: Tables, params: Params | None = None,
    ctx: JobContext = SILENT,
) -> tuple[Params, dict[str, Given], tuple[str, ...]]:  # fmt: skip
    """The parameters and inputs of a channel with what comes from elsewhere, and what is to be said of it.

    Raises
    ------
    MissingDataError
        There is no such exposure, or it could not be reduced.
    """
    notes: list[str] = []
    more: dict[str, Given] = {}
    if elsewhere.standard is not None:
        around, exposure = _exposure(night, elsewhere.standard, camera, "standard star")
        more["star"], said = star_given(around, exposure, camera, tables, params, ctx)
        params = {**(params or {}), "curve": CurveParams(STAR)}
        notes.append(said)
    if elsewhere.sky is not None:
        around, exposure = _exposure(night, elsewhere.sky, camera, "sky")
        done = reduce_channel(around, exposure, camera, tables, _plain(params), None, ctx, wanted=("sky",))
        sky = lent_sky(done.steps["sky"])
        if sky is None:
            why = done.steps["sky"].reason
            raise MissingDataError(f"the sky cannot be taken from there: {why}", done.exposure.object)
        more["other_sky"] = sky
        notes.append(f"{camera}: sky of {exposure.date} {exposure.observation:07d} {exposure.object}")
    return params or {}, more, tuple(notes)


def star_given(
    night: RawNight, exposure: RawExposure, camera: str, tables: Tables, params: Params | None = None,
    ctx: JobContext = SILENT, cache: ValueCache | None = None,
) -> tuple[Given, str]:  # fmt: skip
    """The response that a standard star gives as an input, and what is to be said of it; raises as `new_response`."""
    curve, error = new_response(night, exposure, camera, tables, params, ctx, cache)
    said = f"{camera}: response of {curve.source}, known to {100 * error:.1f} %"
    return Given(curve, f"{curve.source} {digest(curve.value)}"), said


def nearest_star(night: RawNight, exposure: RawExposure, camera: str, tables: Tables) -> RawExposure:
    """The standard star whose flux is known that was exposed next to an exposure, or it itself.

    Raises
    ------
    MissingDataError
        There is none.
    """
    known = []
    for one in night.of_kind(SCIENCE, camera):
        try:
            tables.star_flux(one.object)
        except MissingDataError:
            continue
        known.append(one)
    if not known:
        raise MissingDataError(
            f"no star with a known flux was exposed in {camera}", night.path,
            "put its flux beside the raw nights, where Fiber_Locations lies, as NAME.dat: wavelength and flux",
        )  # fmt: skip
    return min(known, key=lambda one: (abs(one.date - exposure.date), abs(one.observation - exposure.observation)))


def new_response(
    night: RawNight, exposure: RawExposure, camera: str, tables: Tables, params: Params | None = None,
    ctx: JobContext = SILENT, cache: ValueCache | None = None,
) -> tuple[WaveCurve, float]:  # fmt: skip
    """The response that a standard star gives, and its median relative error.

    Raises
    ------
    MissingDataError
        No star, or nothing is known of its flux.
    """
    known = tables.star_flux(exposure.object)
    done = reduce_channel(night, exposure, camera, tables, _plain(params), cache, ctx, wanted=("spectrum",))
    star = done.value("spectrum")
    where = f"{camera} {exposure.date} {exposure.observation:07d} {exposure.object}"
    if not isinstance(star, SourceSpectrum):
        raise MissingDataError(f"it gives no response: {done.steps['spectrum'].reason}", where)
    curve, error = star_response(star, known, tables.telluric(), done.setup.response)
    return replace(curve, source=f"{exposure.object} of {exposure.date} {exposure.observation:07d}"), error


def _plain(params: Params | None) -> Params:
    """The parameters without those that are about one exposure."""
    return {name: one for name, one in (params or {}).items() if name in CALIBRATIONS}


def _exposure(night: RawNight, at: At, camera: str, what: str) -> tuple[RawNight, RawExposure]:
    """An exposure by night and observation, with the nights around it."""
    date, number = at
    around = night
    if not any(one.date == date and one.observation == number for one in night.exposures):
        around = night_around(night.path, night.instrument, date)
    for one in around.of_kind(SCIENCE, camera):
        if (one.date, one.observation) == at:
            return around, one
    raise MissingDataError(
        f"there is no science exposure {number} of {date} with {camera} ({what})", night.path, "see ifuview DIR"
    )


def at_of(date: str | None, number: str | None, here: str | None, words: str) -> At | None:
    """Night and observation of two words of the command line; the night is that of the command where it is left out.

    Raises
    ------
    UsageError
        Words that are no such numbers, or a night without observation.
    """
    if date is None and number is None:
        return None
    night = date or here
    if number is None or night is None:
        raise UsageError("a night and an observation are needed", words, f"give {words}_date and {words}_obsid")
    try:
        return int(night), int(number)
    except ValueError as problem:
        raise UsageError(f"{night} {number} are no night and observation", words, "as in 20181201 and 9") from problem


def combined(done: Sequence[ReducedChannel]) -> tuple[CombinedTarget, ...]:
    """Each target of some reduced channels; none of those without a source, nor of heads that it is not in.

    The first channel in wavelength keeps its flux; neighbors are brought to one level where they overlap.
    """
    targets: dict[str, list[ReducedChannel]] = {}
    for one in done:
        there = isinstance(one.steps["spectrum"].value if "spectrum" in one.steps else None, SourceSpectrum)
        if there and one.setup.aimed(one.exposure.object) is not False:
            targets.setdefault(target_name(one.exposure.object).upper(), []).append(one)
    return tuple(_target(own) for own in targets.values())


def of_field(channel: SkyChannel) -> ReducedChannel:
    """A channel of the window as a reduction: what its spectrum is combined from."""
    values = {"sky": channel.made.sky, "spectrum": channel.made.spectrum}
    steps = {name: StepResult(name, value, "") for name, value in values.items()}
    return ReducedChannel(channel.raw, channel.made.setup, steps, header=channel.header)


def _target(own: Sequence[ReducedChannel]) -> CombinedTarget:
    own = sorted(own, key=lambda one: (float(one.setup.grid[0]), one.exposure.date, one.exposure.observation))
    spectra = [spectrum for one in own if isinstance(spectrum := one.value("spectrum"), SourceSpectrum)]
    names = [
        ProductName(one.exposure.date, one.exposure.observation, one.exposure.number, one.setup.camera) for one in own
    ]
    found = one_spectrum(spectra, common_grid(), [name.text for name in names])
    record = ReductionRecord({"combine.match": "True"}, {}, (*found.notes, *_other_sources(own)), __version__)
    return CombinedTarget(
        min(one.exposure.date for one in own), own[0].header, found.spectrum, found.count, names, found.factor,
        found.factor_error, record,
    )  # fmt: skip


def _other_sources(own: Sequence[ReducedChannel]) -> tuple[str, ...]:
    """Channels of one fiber head and exposure whose spectra are of different sources, in words."""
    first: dict[tuple[object, ...], tuple[str, float, float]] = {}
    notes = []
    for one in own:
        sources = getattr(one.value("sky"), "sources", ())
        if not sources:
            continue
        x, y, slot = float(sources[0].x), float(sources[0].y), one.exposure.of(one.setup.camera)[0].slot
        camera, x0, y0 = first.setdefault((one.exposure.date, one.exposure.observation, one.exposure.number, slot),
                                          (one.setup.camera, x, y))  # fmt: skip
        if np.hypot(x - x0, y - y0) > OTHER_SOURCE:
            notes.append(
                f"the spectra of {camera} and {one.setup.camera} are of different sources, at x {x0:+.2f} y {y0:+.2f} "
                f"and x {x:+.2f} y {y:+.2f}: say which one by --source_x and --source_y"
            )
    return tuple(notes)


def combine_targets(done: Sequence[ReducedChannel], output: str, config: str = "") -> list[str]:
    """Write the combined products of all targets; what was written, one line each.

    Raises
    ------
    UsageError
        They cannot be written.
    """
    standards, lines = Tables("lrs2", config).standards(), []
    for target in combined(done):
        path = write_combined(output, target, standards)
        off = [abs(factor - 1) for factor in target.factor]
        lines.append(f"{len(target.names)} spectra, borders within {100 * float(np.max(off)):.1f} %: {path}")
        lines += target.record.notes
    return lines or ["no channel has a source to combine"]
