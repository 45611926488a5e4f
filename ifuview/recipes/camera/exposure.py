"""One exposure of a detector: electrons, spectra of its fibers along moved traces, wavelengths moved to its sky."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.ccd.scattered import scattered_light
from ifuview.engine.context import JobContext
from ifuview.engine.spectra.fibers import extract_fibers
from ifuview.engine.spectra.flat.response import corrected
from ifuview.engine.spectra.wave.sky import measure_sky_match, moved
from ifuview.engine.traces.profile.fiber_profile import FiberProfile
from ifuview.engine.traces.slit.settle import lit_centers
from ifuview.engine.traces.slit.shift import measure_shift, shifted
from ifuview.errors import FitError, MissingDataError
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.ccd import CcdFrame, ReductionBit
from ifuview.model.reduction.params import param
from ifuview.model.reduction.spectra import WaveSolution
from ifuview.model.trace import TraceSet
from ifuview.recipes.camera.dark import Darkness, darkened
from ifuview.recipes.camera.read import ReadParams, problems, read_detector
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import Biases, DetectorFrame, ExtractedExposure, FiberFlat, TracedFibers

PROFILE, BOXCAR = "profile", "boxcar"


@dataclass(frozen=True, slots=True)
class ExtractParams:
    """How fibers are extracted."""

    cosmics: bool = param(True, "Look for cosmic rays")
    threshold: float = param(5.0, "Threshold of a cosmic ray", "sigma", 2.5, 50.0)
    method: str = param(PROFILE, "Extraction", choices=(PROFILE, BOXCAR))
    half_width: float = param(2.5, "Half width of the boxcar", "px", 0.5, 6.0)
    follow: bool = param(True, "Move the traces to the exposure's own light")


@dataclass(frozen=True, slots=True)
class DriftParams:
    """Wavelengths of the exposure against those of the lamps."""

    follow: bool = param(True, "Move the wavelengths to the sky's own lines")


def make_science(
    params: ReadParams, ctx: JobContext, setup: CameraSetup, science: RawExposure, biases: Biases | None,
    response: FiberFlat, dark: Darkness | None = None,
) -> DetectorFrame:  # fmt: skip
    """The exposure in electrons without dark current, divided by the response of the pixels.

    Raises
    ------
    MissingDataError
        No pixel of it can be used.
    """
    found = read_detector(params, ctx, setup, science, biases)
    if not found.frame.usable().any():
        full = all(one.saturated > 0.5 for one in found.reads if np.isfinite(one.gain))
        why = "it is saturated" if full else problems(found.reads) or "all of them are masked"
        raise MissingDataError(f"no pixel of the exposure can be used: {why}", found.what)
    return replace(found, frame=corrected(darkened(found, dark), response.pixels))


def make_spectra(
    params: ExtractParams, ctx: JobContext, setup: CameraSetup, science: DetectorFrame, traces: TracedFibers,
    profile: FiberProfile, wave: WaveSolution,
) -> ExtractedExposure:  # fmt: skip
    """Spectra of all fibers: traces moved to the light, scattered light taken off, cosmic rays told."""
    frame, own, notes = science.frame, traces.traces, list(science.notes)
    usable, shift = frame.usable(), None
    if params.follow:
        try:
            shift = measure_shift(
                frame.data, own, science.noise, usable=usable, background=_roughly_scattered(frame, traces),
                seams=setup.seams, ctx=ctx.part(0.0, 0.2),
            )  # fmt: skip
            own = shifted(own, shift, frame.shape[0])
        except FitError as problem:
            notes.append(f"{problem} The traces stay where the flat has them.")
    below = scattered_light(
        frame.data, lit_centers(own), np.asarray(own.sigma), science.noise, usable=usable, seams=setup.seams,
        profile=profile, untraced=_untraced(setup, own), full=_full(science),
        ctx=ctx.part(0.2, 0.4),
    )  # fmt: skip
    found = extract_fibers(
        frame, own, profile, wave.wave, background=below.image, cosmics=params.cosmics, threshold=params.threshold,
        half_width=params.half_width if params.method == BOXCAR else 0.0, medium=wave.medium, ctx=ctx.part(0.4, 1.0),
    )  # fmt: skip
    return ExtractedExposure(found, own, shift, below.image, tuple(notes))


def _untraced(setup: CameraSetup, traces: TraceSet) -> NDArray[np.bool_] | None:
    """Rows of amplifiers that the flat lacks; None: there are none."""
    lit = setup.block[np.isfinite(lit_centers(traces)).any(axis=1)]
    lost = [number not in lit for number in range(len(setup.amplifiers))]
    return np.repeat(lost, setup.shape[0]) if any(lost) else None


def _full(science: DetectorFrame) -> NDArray[np.bool_] | None:
    """Saturated pixels; None: there are none."""
    if not any(read.saturated > 0 for read in science.reads):
        return None
    return np.asarray((science.frame.mask & np.uint32(ReductionBit.SATURATED)) > 0)


def _roughly_scattered(frame: CcdFrame, traces: TracedFibers) -> NDArray[np.float32] | None:
    """Scattered light of the flat at the level of an exposure: enough for where the fibers lie, and quick."""
    light = float(traces.scattered.sum()) / traces.share if traces.share > 0 else 0.0
    if not light > 0:
        return None
    return traces.scattered * np.float32(max(float(np.where(frame.usable(), frame.data, 0).sum()), 0.0) / light)


def make_drift(
    params: DriftParams, ctx: JobContext, setup: CameraSetup, spectra: ExtractedExposure, wave: WaveSolution
) -> WaveSolution:
    """Wavelengths of this exposure."""
    if not params.follow or not setup.sky:
        return wave
    return moved(wave, measure_sky_match(spectra.extraction.spectra, setup.sky))
