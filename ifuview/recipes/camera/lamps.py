"""From lamps and twilight: traces, fiber profile, wavelengths, response of the fibers; once a night and channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ifuview.engine.ccd.scattered import scattered_light
from ifuview.engine.context import JobContext
from ifuview.engine.spectra.fibers import extract_fibers
from ifuview.engine.spectra.flat.amplitude import profile_amplitude
from ifuview.engine.spectra.flat.response import measure_response, sample_ground
from ifuview.engine.spectra.wave.solve import solve_wavelengths
from ifuview.engine.traces.profile.fiber_profile import FiberProfile
from ifuview.engine.traces.slit.profile import slit_profile
from ifuview.engine.traces.slit.settle import lit_centers, trace_and_scattered
from ifuview.engine.traces.slit.shift import measure_shift, shifted
from ifuview.errors import FitError, MissingDataError
from ifuview.model.checks import Array
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.ccd import CcdFrame
from ifuview.model.reduction.params import param
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.model.trace import TraceSet
from ifuview.recipes.camera.complete import (
    FLATS,
    alike,
    completed,
    from_arcs,
    kinds_of,
    only_twilight,
    traced_each,
    without_faint,
)
from ifuview.recipes.camera.read import ReadParams, combined, problems, read_all
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import Biases, DetectorFrame, FiberFlat, TracedFibers

MOST_SATURATED = 0.1  # share of an amplifier's pixels
LEAST_LIGHT = 30.0  # electrons, of the brightest quarter of a lamp that can be traced
SOME = 4  # rows and columns of which one tells the level of a frame
MOST_ARC = 3000.0  # electrons, median of an arc above which it is none


@dataclass(frozen=True, slots=True)
class FlatParams(ReadParams):
    """What lights the fibers evenly."""

    use_flat: bool = param(False, "Lamp flat instead of twilight", hint="where there is one")


@dataclass(frozen=True, slots=True)
class TraceParams:
    """How the traces are fitted."""

    degree: int = param(5, "Degree along columns", "", 2, 8)


def make_flat(
    params: FlatParams, ctx: JobContext, setup: CameraSetup, biases: Biases | None,
    twilights: Sequence[RawExposure] | None, flats: Sequence[RawExposure] | None,
    skies: Sequence[RawExposure] | None = None,
) -> DetectorFrame:  # fmt: skip
    """All twilights as one; lamp flats where these are wanted, or where there is no twilight.

    An amplifier that has no light there is that of lamp flats or of the sky of other exposures.

    Raises
    ------
    MissingDataError
        There is neither, or none with light.
    """
    order = ((FLATS, flats), ("twilights", twilights))
    made = evenly_lit(
        setup, order if params.use_flat else order[::-1],
        lambda exposures, lost: read_all(params, ctx, setup, exposures, biases, lost),
        lambda one: float(np.percentile(one.frame.data[::SOME, ::SOME], 75)) > LEAST_LIGHT,
        lambda lit, what: combined(lit, what, scale=True),
    )  # fmt: skip
    return completed(
        setup, made, kinds_of(setup, flats, skies), lambda exposures: read_all(params, ctx, setup, exposures, biases)
    )


def evenly_lit(
    setup: CameraSetup,
    order: Sequence[tuple[str, Sequence[RawExposure] | None]],
    read: Callable[[Sequence[RawExposure], list[str]], Sequence[DetectorFrame]],
    is_lit: Callable[[DetectorFrame], bool],
    joined: Callable[[list[DetectorFrame], str], DetectorFrame],
) -> DetectorFrame:
    """One frame of the first kind of exposures of which any has light, with notes on what was passed over.

    `read` says of exposures that it leaves out why.

    Raises
    ------
    MissingDataError
        None has light.
    """
    notes, lost, passed = list[str](), list[str](), list[str]()
    for what, exposures in order:
        found = read(exposures or (), lost)
        lit = [one for one in found if is_lit(one)]
        if len(lit) < len(found):
            notes.append(f"{setup.camera}: {len(found) - len(lit)} of {len(found)} {what} have no usable light.")
            lost += [f"{one.what}: {_why_unlit(one)}" for one in found if not is_lit(one)]
        if lit:
            made = joined(lit, what)
            notes += [f"{setup.camera}: {what} are used in place of {' and '.join(passed)}."] if passed else []
            return replace(made, notes=(*made.notes, *notes, *lost))
        notes += [] if found else [f"{setup.camera}: there are no {what}."]
        passed.append(what)
    names = " and ".join(f"no {what.removesuffix('s')}" for what, _ in sorted(order, reverse=True))
    why = f": {lost[0].rstrip('.')}" if lost else ""
    raise MissingDataError(
        f"{names} has usable light{why}", setup.camera, "give a night with one, or a wider range of nights"
    )


def _why_unlit(frame: DetectorFrame) -> str:
    """Why a frame does not serve."""
    if any(one.saturated > MOST_SATURATED for one in frame.reads):
        return "it is saturated"
    return problems(frame.reads) or "it has too little light, or too much"


def make_traces(params: TraceParams, ctx: JobContext, setup: CameraSetup, flat: DetectorFrame) -> TracedFibers:
    """Traces of all fibers and the smooth light between them."""

    def traced(usable: Array) -> TracedFibers:
        traces, light = trace_and_scattered(
            flat.frame.data, flat.noise, setup.reference, column=setup.column, dead=setup.dead, block=setup.block,
            usable=usable, seams=setup.seams, degree=params.degree, ctx=ctx,
        )  # fmt: skip
        return TracedFibers(traces, light.image, light.share)

    return traced_each(setup, flat, traced)


def make_profile(
    params: None, ctx: JobContext, setup: CameraSetup, flat: DetectorFrame, traces: TracedFibers
) -> FiberProfile:
    """The fibers' own profile, of the light that evenly lights them.

    Raises
    ------
    FitError
        No fiber has light.
    """
    if not np.isfinite(lit_centers(traces.traces)).any():
        raise FitError("no fiber has light", setup.camera)
    return slit_profile(
        flat.frame.data, without_faint(setup, flat, traces.traces), traces.scattered, flat.noise,
        usable=flat.frame.usable(), block=setup.block, ctx=ctx,
    )  # fmt: skip


def make_arcs(
    params: ReadParams, ctx: JobContext, setup: CameraSetup, biases: Biases | None, arcs: Sequence[RawExposure],
    traces: TracedFibers, profile: FiberProfile,
) -> FiberSpectra:  # fmt: skip
    """Spectra of the lamps together: each lamp's exposures are combined first, then the lamps added up.

    Raises
    ------
    MissingDataError
        No arc has light of lines alone.
    """
    by_lamp: dict[str, list[RawExposure]] = {}
    for exposure in arcs:
        by_lamp.setdefault(exposure.object.strip().lower(), []).append(exposure)
    total: CcdFrame | None = None
    for number, (lamp, exposures) in enumerate(by_lamp.items()):
        part = ctx.part(0.5 * number / len(by_lamp), 0.5 * (number + 1) / len(by_lamp))
        frames = read_all(params, part, setup, exposures, biases)
        frames = [one for one in frames if float(np.median(one.frame.data[::SOME, ::SOME])) < MOST_ARC]
        if not frames:
            continue
        frame = combined(frames, lamp).frame
        del frames  # as large as all that is known by now
        total = frame if total is None else _added(total, frame, len(setup.amplifiers))
    if total is None:
        raise MissingDataError("no arc can be used", setup.camera, "give a night with arcs")
    return spectra_of_arcs(setup, total, traces.traces, profile, ctx.part(0.5, 1.0))


def spectra_of_arcs(
    setup: CameraSetup, frame: CcdFrame, traces: TraceSet, profile: FiberProfile, ctx: JobContext
) -> FiberSpectra:
    """Spectra of the lamps along traces moved to their own light: off them the profile does not fit bright lines."""
    usable, noise = (
        frame.usable(),
        float(np.sqrt(np.median(frame.variance[::SOME, ::SOME]))),
    )  # most pixels of an arc have no line
    try:
        shift = measure_shift(frame.data, traces, noise, usable=usable, seams=setup.seams, ctx=ctx.part(0.0, 0.2))
        traces = shifted(traces, shift, frame.shape[0])
    except FitError:
        pass  # too few lines: they stay
    return extract_fibers(frame, traces, profile, cosmics=False, ctx=ctx.part(0.2, 1.0)).spectra


def _added(one: CcdFrame, other: CcdFrame, count: int) -> CcdFrame:
    """Light of two lamps; one of the `count` amplifiers that only one frame has keeps the light of that."""
    parts = []
    for a, b in zip(_amplifiers(one, count), _amplifiers(other, count), strict=True):
        if not b.usable().any():
            parts.append(a)
        elif not a.usable().any():
            parts.append(b)
        else:
            parts.append(CcdFrame(a.data + b.data, a.variance + b.variance, a.mask | b.mask))
    return CcdFrame(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("data", "variance", "mask")))


def _amplifiers(frame: CcdFrame, count: int) -> list[CcdFrame]:
    """The frame of each amplifier."""
    split = [np.split(values, count) for values in (frame.data, frame.variance, frame.mask)]
    return [CcdFrame(*values) for values in zip(*split, strict=True)]


@dataclass(frozen=True, slots=True)
class WaveParams:
    """How wavelengths are fitted."""

    degree: int = param(5, "Degree along columns at most", "", 1, 5, hint="as many of it as the lines call for")


def make_wave(
    params: WaveParams, ctx: JobContext, setup: CameraSetup, arc_spectra: FiberSpectra,
    flat: DetectorFrame | None = None, traces: TracedFibers | None = None, profile: FiberProfile | None = None,
) -> WaveSolution:  # fmt: skip
    """Wavelength of every pixel of every fiber; with the light of a twilight where lamps are missing."""
    grid = float(setup.grid[0]), float(setup.grid[-1])
    if flat is None or traces is None or profile is None:
        return solve_wavelengths(arc_spectra, setup.lines, grid, block=setup.block, degree=params.degree, ctx=ctx)

    def same() -> FiberSpectra:
        return only_twilight(setup, _lit_spectra(ctx, flat, traces, profile), flat)

    return solve_wavelengths(
        arc_spectra, setup.lines, grid, block=setup.block, degree=params.degree, same=same, ctx=ctx
    )


def _lit_spectra(
    ctx: JobContext, flat: DetectorFrame, traces: TracedFibers, profile: FiberProfile, wave: Array | None = None
) -> FiberSpectra:
    """Spectra of what lights the fibers evenly, without the picture of its model."""
    return extract_fibers(
        flat.frame, traces.traces, profile, wave, background=traces.scattered, cosmics=False, ctx=ctx
    ).spectra


def make_response(
    params: None, ctx: JobContext, setup: CameraSetup, flat: DetectorFrame, traces: TracedFibers,
    profile: FiberProfile, wave: WaveSolution, arcs: FiberSpectra | None = None,
) -> FiberFlat:  # fmt: skip
    """Response of fibers and pixels, and what turns sums over the profile into the amplitude of the response tables."""
    spectra = alike(setup, _lit_spectra(ctx, flat, traces, profile, wave.wave), flat)
    ground = sample_ground(traces.scattered, traces.traces.center, np.asarray(traces.traces.sigma))
    ctx.check()
    fibers, pixels = measure_response(
        spectra, traces.traces.center, flat.frame.shape[0], block=setup.block, ground=ground, ctx=ctx
    )
    if arcs is not None:
        fibers = from_arcs(setup, fibers, flat, arcs, wave)
    amplitude = profile_amplitude(profile, lit_centers(traces.traces))
    known = amplitude[np.isfinite(amplitude)]
    return FiberFlat(fibers, pixels, float(np.median(known)) if known.size else float("nan"), spectra)


def make_clean_response(
    params: None, ctx: JobContext, setup: CameraSetup, flat: DetectorFrame, traces: TracedFibers,
    profile: FiberProfile, wave: WaveSolution, arcs: FiberSpectra | None = None,
) -> FiberFlat:  # fmt: skip
    """The same from a twilight whose scattered light is taken off as that of an exposure is, by the profile.

    Traces are found above a smooth ground, when the profile is not known yet. It lies a fifth of a twilight's
    scattered light off where groups of fibers begin and end: 0.3 % of the response of whole groups.
    """
    try:
        below = scattered_light(
            flat.frame.data, lit_centers(traces.traces), np.asarray(traces.traces.sigma), flat.noise,
            usable=flat.frame.usable(), seams=setup.seams, profile=profile, ctx=ctx.part(0.0, 0.2),
        )  # fmt: skip
        traces = replace(traces, scattered=below.image, share=below.share)
    except FitError:
        pass  # the smooth ground serves
    return make_response(params, ctx.part(0.2, 1.0), setup, flat, traces, profile, wave, arcs)
