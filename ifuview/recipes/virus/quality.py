"""Numbers that judge an amplifier: of its calibrations, as the published pages have them, and of one exposure; and what
is wrong with a head, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import numpy as np

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.model.checks import Array
from ifuview.model.frames.units import unit_words
from ifuview.model.night.triage import ranges
from ifuview.model.reduction.calibration import AmplifierCalibration
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.ifu import IfuAmplifier, IfuExposure
from ifuview.model.reduction.quality import AmplifierQuality, QualityNumber
from ifuview.model.reduction.shot import IfuField, IfuSpectra
from ifuview.model.reduction.solution import ShotSolution
from ifuview.model.reduction.spectra import WaveSolution
from ifuview.model.verdict import VerdictState
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import FiberFlat, TracedFibers
from ifuview.recipes.graph import StepResult

LIMITS: Mapping[str, tuple[str, str, float, float]] = {  # title, unit, look, wrong: those of the published pages
    "readnoise": ("read noise", "electron", 4.5, 6.0),
    "bad_wavelengths": ("share of bad wavelengths", "", 0.05, 0.20),
    "failed_traces": ("fibers whose trace failed", "", 5, 20),
    "trace_rms": ("median rms of traces", "px", 0.2, 0.5),
    "arc_rms": ("median rms of arc lines", "Angstrom", 0.2, 0.5),
    "masked_spectra": ("share of masked samples", "", 0.05, 0.20),
    "flat_blue": ("scatter of the fiber flat, blue", "", 0.05, 0.10),
    "flat_center": ("scatter of the fiber flat, center", "", 0.05, 0.10),
    "flat_red": ("scatter of the fiber flat, red", "", 0.05, 0.10),
    "masked_pixels": ("share of bad pixels", "", 0.01, 0.10),
    "trace_shift": ("shift of traces", "px", 0.7, 2.0),
    "wave_shift": ("shift of wavelengths", "Angstrom", 1.0, 4.0),
    "scattered": ("share of scattered light", "", 0.08, 0.20),
    "saturated": ("share of saturated pixels", "", 0.005, 0.5),
    "changed": ("change of the fibers' response since the twilight", "", 0.02, 0.04),
}
TRACE_FAILS = 0.5  # px, rms of a fiber whose trace failed
NOTHING_READ = 1e-6  # electrons of read noise below which all numbers are zero
BAND = 201  # px, of each band of the fiber flat
PLAIN: Mapping[str, tuple[str, str]] = {  # title and unit of numbers that are not judged
    "overscan": ("overscan", "ADU"), "temperature": ("temperature", "C"), "sky": ("sky level", "1e-17 erg/s/cm2/A"),
    "residual": ("residual of the sky", "%"), "throughput": ("throughput", ""), "fwhm": ("seeing", "arcsec"),
}  # fmt: skip
OF_EXPOSURE, AT_EXPOSURE = re.compile(r" of \d{7} exp\d{2}"), re.compile(r"exposure (\d+): ")  # in notes
UNEVEN, FAINT = 1.25, 25.0  # of the light of amplifiers; percent of the fibers that are fainter
TEMPERATURE = ("AMBTEMP", "CCDTEMP", "DETTEMP", "DET_TEMP")


def calibration_quality(
    row: AmplifierCalibration, setup: CameraSetup, steps: Mapping[str, StepResult], night: int
) -> AmplifierQuality:
    """Return the numbers of the calibrations of an amplifier.

    Parameters
    ----------
    row : AmplifierCalibration
    setup : CameraSetup
        Of its detector.
    steps : mapping of str to StepResult
        Of `build.BUILD`.
    night : int
        YYYYMMDD.
    """
    number = setup.amplifiers.index(row.amplifier)
    fibers = setup.block == number
    traces = cast(TracedFibers, steps["traces"].value).traces
    solution = cast(WaveSolution, steps["wave"].value)
    lit = np.asarray(traces.valid).any(axis=1) & fibers
    rms = np.full(traces.nfiber, np.nan) if traces.rms is None else np.asarray(traces.rms)
    lost = fibers & ~lit & ~setup.dead
    values = {
        "readnoise": row.read_noise,
        "bad_wavelengths": float(np.mean(~_good_wave(row.wave))),
        "failed_traces": int(np.sum(lost)) + int(np.sum(lit & (rms > TRACE_FAILS))),
        "trace_rms": _median(rms[lit]),
        "arc_rms": _arc_rms(solution, lit),
        "masked_spectra": float(np.mean(row.spectra["maskspec"])) if "maskspec" in row.spectra else np.nan,
        "masked_pixels": float(row.bad.mean()),
        **_flat_scatter(cast(FiberFlat, steps["response"].value).fibers.flat[lit]),
    }
    empty = np.isfinite(row.read_noise) and row.read_noise <= NOTHING_READ
    problem = "no read noise: all numbers are probably zero" if empty else ""
    return AmplifierQuality(
        row.slot, row.specid, row.ifuid, row.contid, row.amplifier, night, 0, 0,
        tuple(_number(name, value) for name, value in values.items()), tuple(solution.notes), problem,
    )  # fmt: skip


def head_quality(
    exposures: Sequence[IfuExposure], spectra: IfuSpectra, solution: ShotSolution
) -> tuple[AmplifierQuality, ...]:
    """Return the numbers of all amplifiers of a reduced fiber head in all exposures."""
    fields = {one.number: one for one in spectra.fields}
    return tuple(
        row for one in exposures for row in exposure_quality(one, fields.get(one.number), solution)
    )  # fmt: skip


def exposure_quality(
    done: IfuExposure, field: IfuField | None = None, solution: ShotSolution | None = None
) -> tuple[AmplifierQuality, ...]:
    """Return the numbers of all amplifiers of a fiber head in one exposure, with those of its light where it is
    reduced."""
    return tuple(
        _of_exposure(
            done,
            one,
            {} if field is None or solution is None else _of_light(field, solution, done, one),
        )
        for one in done.amplifiers
    )


def head_findings(spectra: IfuSpectra, quality: Sequence[AmplifierQuality]) -> tuple[str, ...]:
    """Return what is wrong with a head, one sentence for each cause.

    Parameters
    ----------
    spectra : IfuSpectra
    quality : sequence of AmplifierQuality
        Of its amplifiers in all exposures.
    """
    lost: dict[str, dict[int, str]] = {}
    for field in spectra.fields:
        for state in field.amplifiers:
            if state.reason:
                lost.setdefault(state.name, {})[field.number] = state.reason
    out = [
        f"{spectra.slot} {name} is not used in {exposures_words(found)}: {next(iter(found.values()))}"
        for name, found in lost.items()
    ]
    wrong: dict[tuple[str, str], dict[int, str]] = {}
    for row in quality:
        for one in row.numbers if row.exposure not in lost.get(row.amplifier, {}) else ():
            if one.state is VerdictState.WRONG:
                words = f"{one.value:.3g} {unit_words(one.unit)}".rstrip()
                wrong.setdefault((row.amplifier, one.title), {})[row.exposure] = words
    out += [
        f"{spectra.slot} {name}, {exposures_words(found)}: {title} {next(iter(found.values()))}"
        for (name, title), found in wrong.items()
    ]
    trail = np.uint32(int(ReductionBit.TRAIL))
    for field in spectra.fields:
        below = int(((field.spectra.mask & trail) != 0).any(axis=1).sum())
        out += [f"{spectra.slot}, exposure {field.number}: {below} fibers are below a trail"] * (below > 0)
    return tuple(out)


def uneven_amplifiers(exposures: Sequence[IfuExposure]) -> dict[str, float]:
    """Return amplifiers whose faintest fibers are brighter or fainter than those of others of the head, by how much.

    In all exposures alike: a gain that is not right does so, and a large galaxy.
    """
    ratios: dict[str, list[float]] = {}
    for one in exposures:
        with np.errstate(divide="ignore", invalid="ignore"):
            light = np.where(one.spectra.usable() & (one.fiber_flat > 0), one.spectra.flux / one.fiber_flat, np.nan)
        level = {a.name: _faintest(light[a.fibers]) for a in one.amplifiers if not a.problem}
        for name, own in level.items():
            others = [value for other, value in level.items() if other != name and np.isfinite(value)]
            if others and np.isfinite(own):
                ratios.setdefault(name, []).append(own / float(np.median(others)))
    return {
        name: float(np.median(own)) for name, own in ratios.items()
        if len(own) == len(exposures) and (min(own) > UNEVEN or max(own) < 1 / UNEVEN)
    }  # fmt: skip


def _faintest(light: Array) -> float:
    """Light of the fainter fibers, NaN where none is known."""
    known = light[np.isfinite(light).mean(axis=1) > 1 / 2]
    return float(np.nanpercentile(np.nanmedian(known, axis=1), FAINT)) if len(known) else np.nan


def exposure_notes(spectra: IfuSpectra) -> tuple[str, ...]:
    """Return the notes of all exposures of a head, each of them once with the exposures that it is of."""
    found: dict[str, list[int]] = {}
    for field in spectra.fields:
        for note in dict.fromkeys(field.notes):
            own = OF_EXPOSURE.sub("", note)
            head = AT_EXPOSURE.match(own)
            if head is None or int(head[1]) == field.number:  # else that exposure says it
                found.setdefault(own if head is None else own[head.end() :], []).append(field.number)
    every = [field.number for field in spectra.fields]
    out = []
    for note, numbers in found.items():
        where = "" if note.startswith(spectra.slot) else f"{spectra.slot}: "
        out.append(f"{where}{note}" if numbers == every else f"{where}{note} ({exposures_words(numbers)})")
    return tuple(out)


def _of_light(field: IfuField, solution: ShotSolution, done: IfuExposure, one: IfuAmplifier) -> dict[str, float]:
    """What an amplifier has seen: sky, what is left of it where there is no source, response, and the seeing."""
    own = one.fibers
    usable = field.spectra.usable()[own]
    level = _median(field.sky[own][usable])
    dark = usable & field.sky_fibers[own][:, None]
    left = _median(field.spectra.flux[own][dark])
    light = next((s.transparency * s.illumination for s in solution.surveys if s.number == field.number), np.nan)
    response = _median(field.response[own][usable]) * solution.throughput(done.slot)
    return {
        "sky": level, "residual": 100 * left / level if level > 0 else np.nan, "throughput": response * light,
        "fwhm": solution.optics.fwhm, "changed": _changed(field.response[own], done.fiber_flat[own], usable),
    }  # fmt: skip


def _changed(response: Array, flat: Array, usable: Array) -> float:
    """Scatter over fibers of their response in the light against that in the twilight."""
    alive = np.flatnonzero(usable.any(axis=1) & (np.median(flat, axis=1) > 0))
    if not alive.size:
        return np.nan
    ratio = np.median(response[alive], axis=1) / np.median(flat[alive], axis=1)
    return robust_sigma(ratio / np.median(ratio), 1.0)


def _of_exposure(done: IfuExposure, one: IfuAmplifier, light: Mapping[str, float]) -> AmplifierQuality:
    """The numbers of one amplifier."""
    read, spectra = one.read, done.spectra
    values = {
        "readnoise": np.nan if read is None else read.noise,
        "trace_shift": one.trace_shift,
        "wave_shift": one.wave_shift,
        "scattered": one.scattered,
        "saturated": np.nan if read is None else read.saturated,
        "masked_spectra": float(np.mean(~spectra.usable()[one.fibers])),
        "overscan": np.nan if read is None else read.level,
        "temperature": next((float(v) for k in TEMPERATURE if _real(v := done.header.get(k))), np.nan),  # type: ignore[arg-type]
        **light,
    }
    return AmplifierQuality(
        done.slot, done.specid, done.ifuid, done.contid, one.name, done.date, done.observation, done.number,
        tuple(_number(name, value) for name, value in values.items()), () if read is None else read.notes, one.problem,
    )  # fmt: skip


def _number(name: str, value: float) -> QualityNumber:
    """A number with its limits."""
    if name in PLAIN:
        title, unit = PLAIN[name]
        return QualityNumber(name, title, value, unit)
    title, unit, look, wrong = LIMITS[name]
    return QualityNumber(name, title, value, unit, look, wrong)


def _good_wave(wave: Array) -> Array:
    """Samples whose wavelength is a number and rises along the fiber."""
    step = np.diff(wave, axis=1, append=wave[:, -1:] + 1.0)
    return np.isfinite(wave) & (wave > 0) & (step > 0)


def _arc_rms(solution: WaveSolution, lit: Array) -> float:
    """Median over fibers of the rms of the lines used about the solution, Angstrom."""
    out = []
    column = np.arange(solution.wave.shape[1])
    for k in np.flatnonzero(lit):
        used = solution.used[k] & np.isfinite(solution.center[k])
        if used.sum() > 1:
            found = np.interp(solution.center[k][used], column, solution.wave[k])
            out.append(float(np.sqrt(np.mean((found - solution.line[used]) ** 2))))
    return _median(np.array(out))


def _flat_scatter(flat: Array) -> dict[str, float]:
    """Scatter over fibers of the response in three bands."""
    ncol = flat.shape[1]
    bands = {"flat_blue": 0, "flat_center": (ncol - BAND) // 2, "flat_red": ncol - BAND}
    if not len(flat):
        return dict.fromkeys(bands, float("nan"))
    # that a fiber has more or less light as a whole is no fault
    level = flat / np.median(flat, axis=1, keepdims=True)
    return {name: float(np.std(np.median(level[:, x : x + BAND], axis=1))) for name, x in bands.items()}


def _median(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _real(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def exposures_words(numbers: Iterable[int]) -> str:
    """Some exposures in words."""
    own = tuple(sorted(numbers))
    return f"exposure{'s' * (len(own) > 1)} {ranges(own)}"
