"""What a reduction comes to in a few numbers, so that two of them can stand side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.spectra.field.separation import Separation
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.source import SourceSpectrum
from ifuview.model.reduction.spectra import WaveSolution
from ifuview.recipes.camera.values import ExtractedExposure, TracedFibers
from ifuview.recipes.lrs2.judge_sky import sky_pulls
from ifuview.recipes.lrs2.made import MadeSteps
from ifuview.recipes.lrs2.values import FieldSpectra


@dataclass(frozen=True, slots=True)
class StepNumber:
    """A number of a step: `form` is how it is written."""

    step: str
    name: str
    value: float
    unit: str = ""
    form: str = ".3g"

    @property
    def text(self) -> str:
        """Without its unit."""
        return f"{self.value:{self.form}}" if np.isfinite(self.value) else "-"


def numbers(state: MadeSteps) -> tuple[StepNumber, ...]:
    """The numbers of all steps that are made, in their order."""
    out: list[StepNumber] = []
    for step, result in state.steps.items():
        value = result.value
        if isinstance(value, TracedFibers):
            rms = float(np.nanmedian(np.asarray(value.traces.rms, float)))
            out.append(StepNumber(step, "trace rms, median", rms, "px", ".4f"))
        elif step == "wave" and isinstance(value, WaveSolution):
            out.append(StepNumber(step, "arc lines used", float(value.used.any(axis=0).sum()), "", ".0f"))
            out.append(StepNumber(step, "chi2 of the lines", value.chi2, "", ".2f"))
        elif isinstance(value, ExtractedExposure):
            out += _spectra(step, value)
        elif isinstance(value, Separation):
            out += _sky(step, value)
        elif isinstance(value, FieldSpectra):
            width, median, _ = sky_pulls(value, state.value("sky"))
            out.append(StepNumber(step, "sky pulls, width", width, "", ".3f"))
            out.append(StepNumber(step, "sky pulls, median", median, "", "+.3f"))
        elif isinstance(value, SourceSpectrum):
            out += _source(step, value)
    return tuple(out)


def _spectra(step: str, value: ExtractedExposure) -> list[StepNumber]:
    cosmic = np.count_nonzero(value.extraction.frame.mask & np.uint32(int(ReductionBit.COSMIC)))
    masked = 100 * (1 - float(value.extraction.spectra.usable().mean()))
    out = [StepNumber(step, "pixels hit by cosmic rays", float(cosmic), "", ".0f")]
    out.append(StepNumber(step, "samples masked", masked, "%", ".2f"))
    error = np.sqrt(value.extraction.spectra.variance)
    good = value.extraction.spectra.usable() & np.isfinite(error)
    out.append(StepNumber(step, "error of a sample, median", float(np.median(error[good])), "e", ".2f"))
    if value.shift is not None:
        out.append(StepNumber(step, "traces moved", value.shift.mean, "px", "+.3f"))
    return out


def _sky(step: str, value: Separation) -> list[StepNumber]:
    model = value.sky.model
    out = [StepNumber(step, "sky fibers", float(value.sky.fibers.sum()), "", ".0f")]
    out.append(StepNumber(step, "sky, median", float(np.nanmedian(model)), "", ".4g"))
    out.append(StepNumber(step, "sources", float(len(value.sources)), "", ".0f"))
    for one in value.sources[:1]:
        places = (("source x", one.x, "+.3f"), ("source y", one.y, "+.3f"), ("source FWHM", one.fwhm, ".3f"))
        out += [StepNumber(step, name, number, "arcsec", form) for name, number, form in places]
    return out


def _source(step: str, value: SourceSpectrum) -> list[StepNumber]:
    good = (value.variance > 0) & np.isfinite(value.flux)
    if not good.any():
        return []
    snr = np.median(value.flux[good] / np.sqrt(value.variance[good]))
    return [
        StepNumber(step, "flux of the source, median", float(np.median(value.flux[good])), "", ".4g"),
        StepNumber(step, "S/N a pixel, median", float(snr), "", ".1f"),
        StepNumber(step, "samples of the source known", 100 * float(good.mean()), "%", ".1f"),
    ]
