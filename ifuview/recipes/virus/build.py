"""Calibrations of a detector out of the raw frames of many nights: the steps and their graph.

Fibers move by some hundredths of a px from night to night, and a mean of frames that are apart has no place. So the
first twilight with light is the reference, others count where they lie on it, and arcs are those of the nearest night.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ifuview.engine.ccd.dark import DarkCurrent, master_dark
from ifuview.engine.ccd.masters import combine, frame_noise
from ifuview.engine.context import JobContext
from ifuview.engine.spectra.boxcar import boxcar
from ifuview.engine.traces.profile.fiber_profile import FiberProfile
from ifuview.engine.traces.slit.offset import frame_offset
from ifuview.errors import MissingDataError
from ifuview.model.checks import Array
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.ccd import CcdFrame, ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.recipes.camera.lamps import (
    TraceParams,
    WaveParams,
    evenly_lit,
    make_profile,
    make_response,
    make_traces,
    make_wave,
    spectra_of_arcs,
)
from ifuview.recipes.camera.read import ReadParams, combined, make_biases, read_all
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import Biases, DetectorFrame, FiberFlat, TracedFibers
from ifuview.recipes.graph import Recipe, RecipeStep
from ifuview.recipes.virus.values import APERTURE, DetectorGround

LEAST_EVEN, LEAST_SKY, MOST_LIGHT = 50.0, 1.0, 50000.0  # electrons, mean of a frame that is accepted
MOST_FRAMES = 9  # of a kind: more add little and take their time
TOGETHER = 0.02  # px, within which frames are combined
LOW_QE = 0.9  # response of a pixel below which the pixel mask has it


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class DarkMaster:
    """The dark of a detector.

    Parameters
    ----------
    frame : CcdFrame
        Mean of the exposures, with the structure of the bias taken off.
    current : DarkCurrent
    exptime : float, s
    noise : mapping of str to (float, float), electrons
        Read noise and its error, of pairs of exposures; by amplifier.
    notes : tuple of str
    """

    frame: CcdFrame
    current: DarkCurrent
    exptime: float
    noise: Mapping[str, tuple[float, float]]
    notes: tuple[str, ...] = ()


def make_darks(
    params: ReadParams, ctx: JobContext, setup: CameraSetup, biases: Biases | None, darks: Sequence[RawExposure]
) -> DarkMaster:
    """Dark current, hot pixels and warm columns.

    Raises
    ------
    MissingDataError
        No dark can be read.
    """
    frames = [one for one in read_all(params, ctx, setup, few(darks), biases) if one.exptime > 0]
    if not frames:
        raise MissingDataError("there is no dark", setup.camera)
    times = [one.exptime for one in frames]
    noise = {}
    for number, name in enumerate(setup.amplifiers):
        rows = slice(number * setup.shape[0], (number + 1) * setup.shape[0])
        if len(frames) > 1 and np.ptp(times) < 1.0:
            noise[name] = frame_noise([_part(one.frame, rows) for one in frames])
    notes = tuple(note for one in frames for note in one.notes)
    exptime = float(np.median(times))
    scaled = [
        CcdFrame(f.frame.data * k, f.frame.variance * k**2, f.frame.mask)
        for f, k in zip(frames, (np.float32(exptime / t) for t in times), strict=True)
    ]
    mean = combine(scaled)
    return DarkMaster(mean, master_dark([mean], [exptime], len(frames)), exptime, noise, notes)


def make_even(
    params: ReadParams, ctx: JobContext, setup: CameraSetup, biases: Biases | None,
    twilights: Sequence[RawExposure] | None, flats: Sequence[RawExposure] | None,
) -> DetectorFrame:  # fmt: skip
    """Twilights that lie on one another as one frame; lamp flats where there is no twilight.

    Raises
    ------
    MissingDataError
        There is neither, or none with light.
    """
    return _even(params, ctx, setup, biases, (("twilights", twilights), ("lamp flats", flats)))


def make_lamp(
    params: ReadParams, ctx: JobContext, setup: CameraSetup, biases: Biases | None,
    flats: Sequence[RawExposure],
) -> DetectorFrame:  # fmt: skip
    """Lamp flats as one frame.

    Raises
    ------
    MissingDataError
        None has light.
    """
    return _even(params, ctx, setup, biases, (("lamp flats", flats),))


def _even(
    params: ReadParams, ctx: JobContext, setup: CameraSetup, biases: Biases | None,
    order: Sequence[tuple[str, Sequence[RawExposure] | None]],
) -> DetectorFrame:  # fmt: skip
    """The first kind of exposures with light, as far as they lie on one another."""
    return evenly_lit(
        setup, order, lambda exposures, lost: read_all(params, ctx, setup, few(exposures), biases, lost),
        lambda one: _is_accepted(one, LEAST_EVEN), lambda lit, what: _aligned(setup, lit, what),
    )  # fmt: skip


def make_sky_frame(
    params: ReadParams, ctx: JobContext, setup: CameraSetup, biases: Biases | None, skies: Sequence[RawExposure]
) -> DetectorFrame:
    """Mean of science exposures without what only one of them has.

    Raises
    ------
    MissingDataError
        None has light.
    """
    lit = [one for one in read_all(params, ctx, setup, few(skies), biases) if _is_accepted(one, LEAST_SKY)]
    if not lit:
        raise MissingDataError("no science exposure has light", setup.camera)
    return combined(lit, "science exposures")


def make_lamp_frames(
    params: ReadParams, ctx: JobContext, setup: CameraSetup, biases: Biases | None, lamps: Sequence[RawExposure]
) -> DetectorFrame:
    """Sum over lamps of the mean frame of each.

    Raises
    ------
    MissingDataError
        No lamp can be read.
    """
    total: DetectorFrame | None = None
    for name in dict.fromkeys(one.object.strip().lower() for one in lamps):
        own = read_all(params, ctx, setup, few([e for e in lamps if e.object.strip().lower() == name]), biases)
        if not own:
            continue
        mean = combined(own, name)
        frame = mean.frame
        if total is not None:
            frame = CcdFrame(
                total.frame.data + frame.data, total.frame.variance + frame.variance, total.frame.mask | frame.mask
            )
        total = replace(mean, frame=frame)
    if total is None:
        raise MissingDataError("no arc can be read", setup.camera)
    return total


def make_arc_spectra(
    params: None, ctx: JobContext, setup: CameraSetup, arc_frame: DetectorFrame, traces: TracedFibers,
    profile: FiberProfile,
) -> FiberSpectra:  # fmt: skip
    """Spectra of all lamps together, electrons."""
    return spectra_of_arcs(setup, arc_frame.frame, traces.traces, profile, ctx)


def make_mask(
    params: None, ctx: JobContext, setup: CameraSetup, dark: DarkMaster | None, response: FiberFlat
) -> DetectorGround:
    """Pixels that are not to be used: hot ones, warm columns, columns of low efficiency."""
    shape = (len(setup.amplifiers) * setup.shape[0], setup.shape[1])
    mask = np.zeros(shape, np.uint32) if dark is None else np.array(dark.current.mask)
    mask[response.pixels.response < LOW_QE] |= np.uint32(ReductionBit.LOW_QE)
    notes = () if dark is not None else (f"{setup.camera}: there is no dark: hot pixels are not known",)
    return DetectorGround(Biases(), None if dark is None else dark.current, mask, notes)


def make_sky_spectra(
    params: None, ctx: JobContext, setup: CameraSetup, sky: DetectorFrame, traces: TracedFibers
) -> Array:
    """The mean sky in each fiber, electrons."""
    return np.nan_to_num(boxcar(sky.frame.data, traces.traces.center, APERTURE, ctx=ctx)[0])


def few(exposures: Sequence[RawExposure]) -> Sequence[RawExposure]:
    """At most so many exposures of a kind, evenly out of all."""
    if len(exposures) <= MOST_FRAMES:
        return exposures
    return [exposures[n] for n in np.linspace(0, len(exposures) - 1, MOST_FRAMES).round().astype(int)]


def _is_accepted(one: DetectorFrame, least: float) -> bool:
    """Whether a frame has light and is not saturated, by the mean of the pixels that may be used."""
    good = one.frame.usable()
    return bool(good.any()) and least < float(one.frame.data[good].mean()) < MOST_LIGHT


def _aligned(setup: CameraSetup, frames: Sequence[DetectorFrame], what: str) -> DetectorFrame:
    """The frames that lie on the first one, combined."""
    first = frames[0]
    notes: list[str] = []
    offset = [
        frame_offset(one.frame.data, first.frame.data, one.frame.usable() & first.frame.usable()) for one in frames
    ]
    near = [one for one, off in zip(frames, offset, strict=True) if abs(off) < TOGETHER]
    near = near or [first]
    for one, off in zip(frames, offset, strict=True):
        if not abs(off) < TOGETHER:
            notes.append(f"{setup.camera}: {one.what} lies {off:+.3f} px off {first.what} and is left out")
    made = combined(near, what, scale=True)
    return replace(made, notes=(*made.notes, *notes))


def _part(frame: CcdFrame, rows: slice) -> CcdFrame:
    """Some rows."""
    return CcdFrame(frame.data[rows], frame.variance[rows], frame.mask[rows])


BUILD = Recipe(
    "virus-cal",
    "VIRUS calibrations",
    ("setup", "zeros", "darks", "twilights", "flats", "lamps", "skies"),
    (
        RecipeStep("biases", "bias", make_biases, ("setup", "zeros?"), ReadParams(), 0.2),
        RecipeStep("dark", "dark", make_darks, ("setup", "biases?", "darks"), ReadParams(), 0.2),
        RecipeStep("flat", "twilight", make_even, ("setup", "biases?", "twilights?", "flats?"), ReadParams(), 0.3),
        RecipeStep("lamp", "lamp flat", make_lamp, ("setup", "biases?", "flats"), ReadParams(), 0.2),
        RecipeStep("traces", "traces", make_traces, ("setup", "flat"), TraceParams(), 0.6),
        RecipeStep("profile", "fiber profile", make_profile, ("setup", "flat", "traces"), None, 0.3),
        RecipeStep("arc_frame", "arc frame", make_lamp_frames, ("setup", "biases?", "lamps"), ReadParams(), 0.2),
        RecipeStep("arcs", "arcs", make_arc_spectra, ("setup", "arc_frame", "traces", "profile"), None, 0.4),
        RecipeStep("wave", "wavelengths", make_wave, ("setup", "arcs", "flat", "traces", "profile"), WaveParams(), 0.2),
        RecipeStep("response", "fiber flat", make_response, ("setup", "flat", "traces", "profile", "wave"), None, 0.4),
        RecipeStep("mask", "bad pixels", make_mask, ("setup", "dark?", "response"), None, 0.1),
        RecipeStep("sky_frame", "sky", make_sky_frame, ("setup", "biases?", "skies"), ReadParams(), 0.2),
        RecipeStep("sky_spectra", "sky spectra", make_sky_spectra, ("setup", "sky_frame", "traces"), None, 0.1),
    ),
)


def arc_flux(spectra: FiberSpectra) -> Array:
    """Arc spectra as the file has them: no number where there is none."""
    return np.where(spectra.usable(), spectra.flux, 0).astype(np.float32)
