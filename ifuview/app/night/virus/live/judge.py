"""What the steps of a fiber head say of themselves: verdicts, numbers that stand side by side, figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ifuview.app.night.virus.setup import SlotCalibration
from ifuview.model.figure import Curve, Figure, Rule, Scale
from ifuview.model.reduction.detection import LINE, FieldDetections
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.shot import IfuSpectra
from ifuview.model.reduction.solution import ShotSolution
from ifuview.model.reduction.source import SkyCube
from ifuview.model.verdict import VerdictState
from ifuview.recipes.graph import StepResult, StepVerdict
from ifuview.recipes.lrs2.numbers import StepNumber
from ifuview.recipes.virus.shot_values import HeadFlux, HeadPictures, HeadSkies

PULL = (1.15, 1.5)  # scatter over errors without sky, and its inverse: from where on it wants a look, and is wrong
MASKED = (0.1, 0.4)  # share of the samples, likewise
AMPLIFIERS = 4  # of a head
TELLING = ("first_sky", "sky", "fields")  # steps with figures
BINS = np.linspace(-6.0, 6.0, 61)

Steps = Mapping[str, StepResult]


def judged(one: StepResult) -> StepVerdict:
    """The verdict on one step; what says nothing of itself was not judged."""
    if one.value is None:
        return StepVerdict(one.step, VerdictState.WRONG, one.reason)
    state, text = _verdict(one.value)
    return StepVerdict(one.step, state, text)


def _verdict(value: object) -> tuple[VerdictState, str]:
    """State and words for a value of a step."""
    if isinstance(value, SlotCalibration):
        noise = ", ".join(f"{name} {row.read_noise:.1f} e" for name, row in value.rows.items())
        none = AMPLIFIERS - len(value.rows)
        state = VerdictState.LOOK if none > 0 else VerdictState.CLEAN
        return state, f"{len(value.rows)} amplifiers, read noise {noise}" + (f"; {none} have none" if none > 0 else "")
    if isinstance(value, tuple) and value and isinstance(value[0], IfuExposure):
        bad = [f"{a.name} of exposure {e.number}: {a.problem}" for e in value for a in e.amplifiers if a.problem]
        if bad:
            return VerdictState.WRONG, "; ".join(bad)
        return VerdictState.CLEAN, f"{len(value)} exposures, all amplifiers are used"
    if isinstance(value, HeadFlux):
        bad = [reason for reasons in value.reasons for reason in reasons if reason]
        lost = 1 - float(np.mean([one.usable().mean() for one in value.flux]))
        return (VerdictState.WRONG if bad else _level(lost, MASKED)), "; ".join(
            bad
        ) or f"{lost:.1%} of the samples masked"
    if isinstance(value, HeadSkies):
        crowded = any(one.crowded for one in value.skies)
        count = sum(int(np.sum(one.sky.fibers)) for one in value.skies)
        words = f"{count} sky fibers in {len(value.skies)} exposures"
        return (VerdictState.LOOK if crowded else VerdictState.CLEAN), "; ".join((words, *value.notes))
    if isinstance(value, ShotSolution):
        point, optics = value.pointing, value.optics
        words = f"seeing {optics.fwhm:.2f} arcsec from {optics.nstars} stars"
        if not point.measured:
            return VerdictState.LOOK, f"{words}; places are the header's: too few stars of the catalog"
        return VerdictState.CLEAN, f"{words}; moved by {point.ra_offset:+.2f}, {point.dec_offset:+.2f} arcsec"
    if isinstance(value, IfuSpectra):
        width, median = pulls(value)
        off = max(width, 1 / width) if width > 0 else np.inf
        return _level(off, PULL), f"scatter of sky fibers over errors {width:.3f}, median {median:+.3f}"
    if isinstance(value, FieldDetections):
        return VerdictState.CLEAN, _found(value)
    return VerdictState.NOT_JUDGED, ""


def _level(value: float, limits: tuple[float, float]) -> VerdictState:
    if not np.isfinite(value) or value >= limits[1]:
        return VerdictState.WRONG
    return VerdictState.LOOK if value >= limits[0] else VerdictState.CLEAN


def _found(value: FieldDetections) -> str:
    lines = sum(one.kind == LINE for one in value.detections)
    return f"{lines} lines, {len(value.detections) - lines} continua"


def pulls(fields: IfuSpectra) -> tuple[float, float]:
    """Robust scatter and median of what is left in sky fibers, in units of the errors."""
    ratio = _ratios(fields)
    if not ratio.size:
        return float("nan"), float("nan")
    low, middle, high = np.percentile(ratio, (15.87, 50.0, 84.13))
    return float(high - low) / 2, float(middle)


def _ratios(fields: IfuSpectra) -> np.ndarray:
    """What is left in sky fibers over its errors."""
    out = []
    for one in fields.fields:
        own = one.spectra
        good = own.usable() & (own.variance > 0) & np.asarray(one.sky_fibers)[:, None]
        out.append(own.flux[good] / np.sqrt(own.variance[good]))
    return np.concatenate(out) if out else np.zeros(0)


def line_of(slot: str, steps: Steps) -> str:
    """What came of a head in one line."""
    failed = next((one for one in steps.values() if one.value is None), None)
    if failed is not None:
        return f"{slot}: not reduced to the end: {failed.reason}"
    found, solution = steps["detections"].value, steps["solution"].value
    words = _found(found) if isinstance(found, FieldDetections) else ""
    seeing = f"seeing {solution.optics.fwhm:.2f} arcsec" if isinstance(solution, ShotSolution) else ""
    return f"{slot}: {words}; {seeing}"


def numbers(steps: Steps) -> tuple[StepNumber, ...]:
    """The numbers of all steps that are made, in their order."""
    out: list[StepNumber] = []
    for step, result in steps.items():
        value = result.value
        if isinstance(value, HeadFlux):
            lost = 100 * (1 - float(np.mean([one.usable().mean() for one in value.flux])))
            out.append(StepNumber(step, "samples masked", lost, "%", ".2f"))
        elif isinstance(value, HeadSkies) and step == "sky":
            level = float(np.nanmedian([np.nanmedian(one.sky.model) for one in value.skies]))
            out.append(
                StepNumber(step, "sky fibers", float(sum(one.sky.fibers.sum() for one in value.skies)), "", ".0f")
            )
            out.append(StepNumber(step, "sky, median", level, "1e-17 erg/s/cm2/A", ".4g"))
        elif isinstance(value, HeadPictures):
            out.append(StepNumber(step, "sources", float(len(value.peaks)), "", ".0f"))
        elif isinstance(value, ShotSolution):
            out.append(StepNumber(step, "seeing", value.optics.fwhm, "arcsec", ".3f"))
            out.append(StepNumber(step, "stars matched", float(value.pointing.nstars), "", ".0f"))
        elif isinstance(value, IfuSpectra):
            width, median = pulls(value)
            out.append(StepNumber(step, "sky pulls, width", width, "", ".3f"))
            out.append(StepNumber(step, "sky pulls, median", median, "", "+.3f"))
        elif isinstance(value, FieldDetections):
            out.append(StepNumber(step, "lines", float(sum(o.kind == LINE for o in value.detections)), "", ".0f"))
            best = max((one.sn for one in value.detections), default=float("nan"))
            out.append(StepNumber(step, "best S/N", best, "", ".1f"))
        elif isinstance(value, SkyCube):
            out.append(StepNumber(step, "light of the cube", float(np.nansum(value.data)), "", ".5g"))
    return tuple(out)


def figures(steps: Steps, step: str) -> tuple[Figure, ...]:
    """The figures of a step; none where it has none."""
    value = steps[step].value if step in steps else None
    if isinstance(value, HeadSkies):
        return (_sky_figure(value, steps),)
    if isinstance(value, IfuSpectra):
        return (_pull_figure(value),)
    return ()


def _sky_figure(skies: HeadSkies, steps: Steps) -> Figure:
    """Sky of each exposure in its median fiber."""
    flux = steps["flux"].value
    assert isinstance(flux, HeadFlux)
    curves = []
    for n, one in enumerate(skies.skies):
        k = one.sky.model.shape[0] // 2
        wave = np.asarray(flux.flux[n].wave)
        curves.append(Curve(wave[k] if wave.ndim == 2 else wave, one.sky.model[k], n, f"exposure {n + 1}"))
    scale = Scale("sky (1e-17 erg/s/cm\u00b2/\u00c5)")
    return Figure("sky of a middle fiber", Scale("wavelength (\u00c5)"), scale, tuple(curves))


def _pull_figure(fields: IfuSpectra) -> Figure:
    """How what is left in sky fibers is spread, beside a perfect Gaussian."""
    ratio = _ratios(fields)
    count, _ = np.histogram(ratio, BINS)
    middle = 0.5 * (BINS[1:] + BINS[:-1])
    density = count / max(ratio.size, 1) / (BINS[1] - BINS[0])
    wanted = np.exp(-0.5 * middle**2) / np.sqrt(2 * np.pi)
    width, median = pulls(fields)
    curves = (Curve(middle, wanted, "faint", "errors are right"), Curve(middle, density, 0, "sky fibers", width=2))
    return Figure(
        f"what is left over its error: width {width:.3f}, median {median:+.3f}", Scale("sigma"), Scale("share"), curves,
        (Rule(0.0),),
    )  # fmt: skip
