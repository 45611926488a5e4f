"""Each step of a channel judged by its own numbers: what is wrong, where, how sure; limits from the instrument file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.spectra.field.separation import Separation
from ifuview.model.inspection import VerdictState
from ifuview.model.quality import TraceBit
from ifuview.model.reduction.ccd import UNUSABLE, ReductionBit
from ifuview.model.reduction.source import SourceSpectrum
from ifuview.model.reduction.spectra import WaveSolution
from ifuview.recipes.camera.dark import Darkness
from ifuview.recipes.camera.values import DetectorFrame, ExtractedExposure, FiberFlat, TracedFibers
from ifuview.recipes.graph import StepResult, StepVerdict
from ifuview.recipes.lrs2.values import FieldSpectra

LIMITS: Mapping[str, tuple[float, float]] = {  # from where on a number wants a look, and is wrong
    "read_noise": (1.3, 2.0),  # times that of the header
    "hot": (0.01, 0.05),  # share of the pixels
    "lost_fibers": (1, 6),
    "trace_shift": (0.7, 2.0),  # px
    "wave_chi2": (4.0, 25.0),
    "wave_shift": (0.5, 2.0),  # px
    "low_fibers": (3, 15),
    "scattered": (0.08, 0.2),  # share of the light
    "profile_chi2": (2.0, 5.0),
    "masked": (0.1, 0.4),  # share of the samples
    "pull_width": (1.15, 1.5),  # and its inverse
}
DEAD_ZERO = 0.5  # share of the pixels that are exactly zero


def judged(
    steps: Mapping[str, StepResult], limits: Mapping[str, float] | None = None, names: Collection[str] = ()
) -> tuple[StepVerdict, ...]:
    """Verdicts of all steps that were made, in their order; a step that could not be made is wrong.

    Parameters
    ----------
    steps : mapping of str to StepResult
        Of `graph.run`.
    limits : mapping of str to float, optional
        Of the instrument: NAME is where a number is wrong, NAME_look where it wants a look.
    names : collection of str, optional
        Only these. Default: all.
    """
    judge = _Judge(dict(limits or {}))
    out = []
    for name, one in steps.items():
        if names and name not in names:
            continue
        if one.value is None:
            out.append(StepVerdict(name, VerdictState.WRONG if name != "spectrum" else VerdictState.LOOK, one.reason))
        elif (asked := ASKED.get(name)) is not None:
            out.append(asked(judge, name, one.value, steps))
        else:
            out.append(StepVerdict(name, VerdictState.NOT_JUDGED, "made; no number of it is judged"))
    return tuple(out)


class _Judge:
    """Numbers against limits."""

    def __init__(self, own: dict[str, float]) -> None:
        self.own = own

    def state(self, name: str, value: float) -> VerdictState:
        """Of a number that is better the smaller it is."""
        look, wrong = LIMITS[name]
        look, wrong = self.own.get(f"{name}_look", look), self.own.get(name, wrong)
        if not np.isfinite(value):
            return VerdictState.NOT_JUDGED
        return VerdictState.WRONG if value >= wrong else VerdictState.LOOK if value >= look else VerdictState.CLEAN


ORDER = (VerdictState.WRONG, VerdictState.LOOK, VerdictState.CLEAN, VerdictState.NOT_JUDGED)
Steps = Mapping[str, StepResult]


def _worst(step: str, found: list[tuple[VerdictState, str]], fibers: tuple[int, ...] = ()) -> StepVerdict:
    """The worst of several answers; its words first."""
    found.sort(key=lambda one: ORDER.index(one[0]))
    return StepVerdict(step, found[0][0], "; ".join(text for _, text in found), fibers)


def _detector(judge: _Judge, step: str, value: object, steps: Steps) -> StepVerdict:
    assert isinstance(value, DetectorFrame)
    found: list[tuple[VerdictState, str]] = []
    for read in value.reads:
        if np.isnan(read.gain):
            found.append((VerdictState.WRONG, f"amplifier {read.amplifier} is missing"))
        elif read.zero > DEAD_ZERO:
            found.append((VerdictState.WRONG, f"amplifier {read.amplifier} is {100 * read.zero:.0f} % zero"))
        else:
            known = _header_noise(value, read.noise)
            words = f"{read.amplifier}: read noise {read.noise:.2f} e"
            found.append((judge.state("read_noise", read.noise / known), words))
    return _worst(step, found)


def _header_noise(value: DetectorFrame, fallback: float) -> float:
    try:
        noise = float(str(value.header.get("RDNOISE", fallback)))
    except ValueError:
        return fallback
    return noise if noise > 0 else fallback


def _dark(judge: _Judge, step: str, value: object, steps: Steps) -> StepVerdict:
    assert isinstance(value, Darkness)
    if value.current is None:
        return StepVerdict(step, VerdictState.NOT_JUDGED, "; ".join(value.notes) or "no dark exposures are used")
    hot = float(np.mean(value.current.mask != 0))
    words = f"{3600 * float(np.median(value.current.rate)):.2f} e an hour, {100 * hot:.2f} % of the pixels hot or warm"
    return _worst(step, [(judge.state("hot", hot), words)])


def _traces(judge: _Judge, step: str, value: object, steps: Steps) -> StepVerdict:
    assert isinstance(value, TracedFibers)
    status = np.asarray(value.traces.status)
    lost = np.flatnonzero(status & np.uint32(TraceBit.LOST))
    dead = int(np.count_nonzero(status & np.uint32(TraceBit.DEAD)))
    rms = float(np.nanmedian(np.asarray(value.traces.rms)))
    words = f"{value.traces.nfiber - lost.size - dead} of {value.traces.nfiber} fibers traced, median rms {rms:.3f} px"
    gone = f"no light in {lost.size} fibers that the table does not call dead"
    found = [(judge.state("lost_fibers", lost.size), gone if lost.size else words)]
    found.append((judge.state("scattered", value.share), f"{100 * value.share:.1f} % of the light is scattered"))
    return _worst(step, found, tuple(map(int, lost)))


def _wave(judge: _Judge, step: str, value: object, steps: Steps) -> StepVerdict:
    assert isinstance(value, WaveSolution)
    seen = np.isfinite(value.center).any(axis=0)
    missed = ", ".join(f"{wave:.1f}" for wave in value.line[~seen][:6])
    words = f"{int(seen.sum())} of {seen.size} lines, chi2 {value.chi2:.2f}"
    found = [(judge.state("wave_chi2", value.chi2), words)]
    if missed:
        found.append((VerdictState.CLEAN, f"not seen: {missed} A"))
    return _worst(step, found)


def _response(judge: _Judge, step: str, value: object, steps: Steps) -> StepVerdict:
    assert isinstance(value, FiberFlat)
    low = np.flatnonzero((value.fibers.mask & np.uint32(ReductionBit.LOW_FIBER)).any(axis=1))
    words = f"{low.size} fibers with little light, {len(value.pixels.runs)} columns of low efficiency"
    return _worst(step, [(judge.state("low_fibers", low.size), words)], tuple(map(int, low)))


def _spectra(judge: _Judge, step: str, value: object, steps: Steps) -> StepVerdict:
    assert isinstance(value, ExtractedExposure)
    spectra = value.extraction.spectra
    found: list[tuple[VerdictState, str]] = []
    if value.shift is not None:
        words = f"traces moved by {value.shift.mean:+.3f} +- {float(value.shift.error[0]):.3f} px"
        found.append((judge.state("trace_shift", abs(value.shift.mean)), words))
    else:
        found.append((VerdictState.LOOK, "too little light to follow the traces"))
    if spectra.chi2 is not None:
        chi2 = float(np.nanmedian(spectra.chi2))
        found.append((judge.state("profile_chi2", chi2), f"chi2 of the profile {chi2:.2f}"))
    masked = 1 - float(spectra.usable().mean())
    found.append((judge.state("masked", masked), f"{100 * masked:.1f} % of the samples masked"))
    return _worst(step, found)


def _drift(judge: _Judge, step: str, value: object, steps: Steps) -> StepVerdict:
    assert isinstance(value, WaveSolution)
    before = steps["wave"].value
    assert isinstance(before, WaveSolution)
    moved = float(np.nanmedian((value.wave - before.wave) / np.gradient(before.wave, axis=1)))
    words = (
        f"lines of the sky {-moved:+.3f} px off the lamps" if moved else value.notes[-1] if value.notes else "as lamps"
    )
    return _worst(step, [(judge.state("wave_shift", abs(moved)), words)])


def _sky(judge: _Judge, step: str, value: object, steps: Steps) -> StepVerdict:
    assert isinstance(value, Separation)
    used = value.sky.fibers
    words = f"sky from {int(used.sum())} fibers, {len(value.sources)} sources"
    return _worst(step, [(VerdictState.CLEAN if used.sum() > 10 else VerdictState.LOOK, words)])


def _field(judge: _Judge, step: str, value: object, steps: Steps) -> StepVerdict:
    assert isinstance(value, FieldSpectra)
    width, median, count = sky_pulls(value, steps["sky"].value)
    state = judge.state("pull_width", max(width, 1 / width) if width > 0 else float("nan"))
    return _worst(
        step, [(state, f"what is left of the sky in {count} fibers: pulls {width:.2f} wide about {median:+.2f}")]
    )


def sky_pulls(field: FieldSpectra, sky: object) -> tuple[float, float, int]:
    """Robust width and median of residual over error in the fibers that the sky was made from, and their number."""
    assert isinstance(sky, Separation)
    good = sky.sky.fibers[:, None] & field.subtracted.usable() & (field.subtracted.variance > 0)
    pull = field.subtracted.flux[good] / np.sqrt(field.subtracted.variance[good])
    if pull.size < 100:
        return float("nan"), float("nan"), int(sky.sky.fibers.sum())
    return robust_sigma(pull), float(np.median(pull)), int(sky.sky.fibers.sum())


def _spectrum(judge: _Judge, step: str, value: object, steps: Steps) -> StepVerdict:
    assert isinstance(value, SourceSpectrum)
    masked = float(((value.mask & np.uint32(int(UNUSABLE))) > 0).mean())
    sky = steps["sky"].value
    assert isinstance(sky, Separation)
    words = f"extended source, {100 * masked:.1f} % masked"
    if sky.sources:
        one = sky.sources[0]
        words = f"source at x {one.x:+.2f} y {one.y:+.2f}, FWHM {one.fwhm:.2f} arcsec, {100 * masked:.1f} % masked"
    return _worst(step, [(judge.state("masked", masked), words)])


ASKED: Mapping[str, Callable[[_Judge, str, object, Steps], StepVerdict]] = {
    "dark": _dark, "flat": _detector, "science": _detector, "traces": _traces, "wave": _wave, "response": _response,
    "spectra": _spectra, "drift": _drift, "sky": _sky, "field": _field, "spectrum": _spectrum,
}  # fmt: skip
