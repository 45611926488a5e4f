"""What exposures are to each other: a standard star gives the response, another one the sky."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ifuview.app.night.reduction.channel import Params, reduce_channel
from ifuview.app.night.reduction.setup import night_around
from ifuview.app.night.reduction.state import SCIENCE
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError, UsageError
from ifuview.instrument.tables import Tables
from ifuview.model.checks import digest
from ifuview.model.night.raw import RawExposure, RawNight
from ifuview.model.reduction.source import SourceSpectrum
from ifuview.model.reduction.tables import WaveCurve
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.graph import Given
from ifuview.recipes.lrs2.others import lent_sky, star_response
from ifuview.recipes.lrs2.recipe import CALIBRATIONS
from ifuview.recipes.lrs2.science import STAR, CurveParams

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
