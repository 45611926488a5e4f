"""The trace doctor: one image and its traces in, everything that is wrong with them out.

Find the light, measure it, fit what the fibers share, judge what is left of each, ask what it does to the spectra, and
correct what is significant. The steps are functions of the other modules of this folder.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.traces.doctor import advice, metrics
from ifuview.engine.traces.doctor.correct import REMEASURED, jitter
from ifuview.engine.traces.doctor.correlate import correlation
from ifuview.engine.traces.doctor.fibers import Measured, find_problems, mean_offset
from ifuview.engine.traces.doctor.gather import MIN_FLUX_SIGMA, MIN_LIT, PEAK, Evidence, gather
from ifuview.engine.traces.doctor.impact import crosstalk, extraction_impact
from ifuview.engine.traces.doctor.patterns.apart import other_kind
from ifuview.engine.traces.doctor.patterns.fit import TOLERANCE, ModeFit, fit_modes
from ifuview.engine.traces.doctor.patterns.left import chi2_deviate
from ifuview.engine.traces.doctor.patterns.shapes import patterns, surface
from ifuview.engine.traces.doctor.trace_sets import _trace_sets
from ifuview.engine.traces.doctor.trouble import find_trouble, untraced_light
from ifuview.engine.traces.light.masked import masked_areas
from ifuview.engine.traces.light.measure import at_columns
from ifuview.engine.traces.light.slots import typical
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.orientation import CANONICAL, AxisWords
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import UNKNOWN, DoctorLimits, FrameTrouble, Mode, Problem, Range, TraceDiagnosis

LARGEST = 0.98  # share of the fibers and bins below what is called the largest size of an error


def diagnose(
    image: Array,
    traces: TraceSet,
    *,
    ivar: Array | None = None,
    mask: Array | None = None,
    gain: float | None = None,
    readnoise: float | None = None,
    block: Array | None = None,
    limits: DoctorLimits | None = None,
    only: tuple[str, ...] = (),
    axes: AxisWords = CANONICAL,
    ctx: JobContext = SILENT,
) -> TraceDiagnosis:
    """Return all that is wrong with the traces of an image.

    Parameters
    ----------
    image : float32 (nrow, ncol)
        Canonical axes.
    traces : TraceSet
        Same columns.
    ivar, mask : (nrow, ncol), optional
        Pixels with ivar <= 0 or any mask bit are not used.
    gain, readnoise : float, optional
        Electrons per unit and electrons; else the noise is measured from `ivar` or from the residuals.
    block : (nfiber,), optional
        Block of each fiber; else from the gaps between the traces.
    limits : DoctorLimits, optional
    only : tuple of str
        Parts to compute besides the measurement: "correlation", "impact", "crosstalk", "trouble"; default all.
    axes : AxisWords
        How places are called in sentences.

    Raises
    ------
    FitError
        Nothing can be measured: the image is blank or saturated.
    """
    evidence = gather(
        image,
        traces,
        ivar=ivar,
        mask=mask,
        gain=gain,
        readnoise=readnoise,
        block=block,
        axes=axes,
        ctx=ctx.part(0, 0.8),
    )
    return judge(evidence, limits or DoctorLimits(), only=only, ctx=ctx.part(0.8, 1.0))


def judge(
    evidence: Evidence, limits: DoctorLimits, *, only: tuple[str, ...] = (), ctx: JobContext = SILENT
) -> TraceDiagnosis:
    """Make a diagnosis of what was measured; fast, so that limits can be changed and tried.

    Raises
    ------
    FitError
        No fiber shows light on its trace.
    """
    lit = np.isfinite(evidence.fit.error) & (evidence.fit.flux > MIN_FLUX_SIGMA * evidence.fit.flux_err)
    if lit.mean() < MIN_LIT:
        raise FitError("no fiber shows light on its trace", todo="choose an exposure with light, a flat or twilight")
    fit, slots, traces = evidence.fit, evidence.slots, evidence.traces
    center, error = fit.center[slots.of_fiber], fit.error[slots.of_fiber]
    offset = center - evidence.given
    on_trace = fit.center[slots.of_trace] - evidence.given
    ctx.checkpoint(0.0, "Shared patterns")
    apart = _apart(evidence, on_trace, limits)
    modes_fit, modes = shared_modes(evidence, on_trace, fit.error[slots.of_trace], limits, apart)
    model = modes_fit.model + _wiggle_model(modes, modes_fit)
    flux, flux_err = fit.flux[slots.of_fiber], fit.flux_err[slots.of_fiber]
    width, width_err = fit.width[slots.of_fiber], fit.width_err[slots.of_fiber]
    clipped = fit.clipped[slots.of_fiber]
    measured = Measured(
        offset, error, model, flux, flux_err, width, width_err, clipped, fit.edges, evidence.wave, slots.of_fiber,
        slots.of_trace, min(modes_fit.floor, TOLERANCE), traces.fiber_id, evidence.axes,
    )  # fmt: skip
    ctx.checkpoint(0.2, "Single fibers")
    problems = find_problems(measured, limits, apart)
    correction, jitter_rms, jitter_err = _correction(measured, problems, evidence.block, apart)
    corrected, seen = _trace_sets(evidence, measured, modes, problems, correction)
    bad = {p.fiber for p in problems if p.kind in (*REMEASURED, "dead")}
    sound = np.isfinite(offset) & np.isfinite(error)
    sound[sorted(bad)] = False
    ctx.checkpoint(0.4, "Correlation and impact")

    def wanted(name: str) -> bool:
        return not only or name in only

    found = correlation(offset - model, error, sound, evidence.block) if wanted("correlation") else None
    usual = np.where(np.isfinite(width), width, np.nanmedian(width))
    steps = extraction_impact(offset, error, usual, flux, center, evidence.given) if wanted("impact") else None
    talk = crosstalk(center, evidence.given, error, usual) if wanted("crosstalk") else None
    trouble: tuple[FrameTrouble, ...] = ()
    if wanted("trouble"):
        peak = float(np.nanmedian(flux)) / PEAK
        light = at_columns(slots.path[slots.of_fiber], fit.column)
        areas = masked_areas(evidence.good, fit.column, light, traces.fiber_id, evidence.axes)
        trouble = find_trouble(
            evidence.columns, evidence.good, fit.marks, fit.center, fit.background, fit.background_err, fit.edges, peak,
            fit.bad_rows, areas, evidence.axes,
        )  # fmt: skip
        trouble = (*_untraced(evidence), *areas, *trouble)
    numbers = metrics.all_metrics(measured, fit, modes_fit, slots, steps, jitter_rms, jitter_err)
    scatter = jitter_rms if correction.any() else 0.0
    verdict, sentence = advice.verdict(modes, problems, trouble, limits, traces.fiber_id, scatter)
    names = tuple(traces.fiber_id)
    return TraceDiagnosis(
        fiber_id=names, column=fit.column, wave=evidence.wave, offset=offset, offset_err=error, model=model,
        correction=at_columns(corrected.center, fit.column) - evidence.given, flux=flux, flux_err=flux_err, width=width,
        width_err=width_err, chi2=fit.chi2[slots.of_fiber], block=evidence.block, modes=modes, problems=problems,
        trouble=trouble, correlation=found, impact=steps, crosstalk=talk, global_metrics=numbers[0],
        per_fiber=numbers[1], noise_floor=numbers[2], verdict=verdict, sentence=sentence,
        advice=advice.recommendations(modes, problems, trouble, scatter, limits),
        given=traces, measured=seen, corrected=corrected, limits=limits, axes=evidence.axes,
    )  # fmt: skip


def _apart(evidence: Evidence, offset: Array, limits: DoctorLimits) -> Array:
    """Fibers whose traces are off alike while the others are not; see `other_kind`."""
    near = np.abs(offset - evidence.shift) < limits.swap_px
    error = evidence.fit.error[evidence.slots.of_trace]
    return other_kind(offset, error, near, evidence.block, limits.mode_warn_px)


def _untraced(evidence: Evidence) -> tuple[FrameTrouble, ...]:
    """Lit fibers without a trace, as one finding."""
    slots, fit = evidence.slots, evidence.fit
    alone = slots.found.copy()
    alone[slots.of_fiber] = alone[slots.of_trace] = False
    lit = (np.isfinite(fit.error) & (fit.flux > MIN_FLUX_SIGMA * fit.flux_err)).mean(axis=1) > 0.5
    return untraced_light(fit.center[alone & lit], evidence.traces.nfiber, evidence.traces.ncol)


def shared_modes(
    evidence: Evidence, offset: Array, error: Array, limits: DoctorLimits, apart: Array
) -> tuple[ModeFit, tuple[Mode, ...]]:
    """Fit the patterns and describe all of them, those in the model first; fibers that are `apart` have no part."""
    traces = evidence.traces
    u, v, w = _coordinates(evidence)
    usable = (np.abs(offset - evidence.shift) < limits.swap_px) & ~apart[:, None]
    shapes, smooth = patterns(u, v, w, evidence.block), surface(u, v, evidence.block)
    found = fit_modes(
        offset, error, usable, shapes, evidence.block, limits.mode_sigmas, smooth, together=evidence.fit.together
    )
    whole = (0.0, float(traces.ncol - 1))
    every = tuple(range(traces.nfiber))
    modes = []
    for test in found.tests:
        fibers = every
        if test.pattern.block >= 0:
            fibers = tuple(int(k) for k in np.flatnonzero(evidence.block == test.pattern.block))
        modes.append(
            Mode(
                test.pattern.name, test.amplitude, test.sigma, test.significance, fibers, whole,
                _waves(evidence, fibers), test.fitted and test.significance >= limits.mode_sigmas, test.fitted,
                _words(test.pattern.name, test.pattern.kind, test.amplitude, test.sigma, fibers, traces.fiber_id),
            )
        )  # fmt: skip
    return found, (*_strongest(modes), *_unknown(evidence, found), _wiggle(evidence, found, limits, whole, every))


def _unknown(evidence: Evidence, found: ModeFit) -> tuple[Mode, ...]:
    """The error of no known shape, where there is one: its largest size, its fibers and columns."""
    if found.unknown is None or not found.unknown.any():
        return ()
    size = np.where(found.used, np.abs(found.unknown), 0)
    largest = float(np.quantile(size[found.used], LARGEST))
    sigma = largest / max(found.unknown_pull, 1e-9)
    wide = size > largest / 2
    fibers = tuple(int(k) for k in np.flatnonzero(wide.any(axis=1)))
    bins = np.flatnonzero(wide.any(axis=0))
    edges = evidence.fit.edges
    text = f"an error of no known shape of up to {1000 * largest:.1f} mpx, {found.unknown_pull:.1f} sigma: see its map"
    return (
        Mode(
            UNKNOWN, largest, sigma, found.unknown_pull, fibers,
            (float(edges[bins[0]]), float(edges[bins[-1] + 1] - 1)),
            _waves(evidence, fibers), True, True, text,
        ),
    )  # fmt: skip


def _coordinates(evidence: Evidence) -> tuple[Array, Array, Array]:
    """Column and row on [-1, 1] and wavelength, or column, on [0, 1]."""
    fit, traces = evidence.fit, evidence.traces
    u = 2 * fit.column / max(traces.ncol - 1, 1) - 1
    nrow = evidence.columns.shape[1]
    v = 2 * np.nan_to_num(typical(traces.center), nan=nrow / 2) / max(nrow - 1, 1) - 1
    w = np.repeat((u[None] + 1) / 2, traces.nfiber, axis=0)
    if evidence.wave is not None and traces.wave is not None:
        low, high = traces.domain if traces.domain and traces.argument == "wave" else (None, None)
        low = np.nanmin(traces.wave) if low is None else low
        high = np.nanmax(traces.wave) if high is None else high
        share = (evidence.wave - low) / max(float(high - low), 1e-9)
        w = np.where(np.isfinite(share), np.clip(share, 0, 1), w)
    return u, v, w


def _strongest(modes: list[Mode]) -> list[Mode]:
    """One line a name: the fitted ones, else the most significant; every fitted block."""
    out = [m for m in modes if m.fitted]
    names = {m.name for m in out}
    for mode in sorted((m for m in modes if not m.fitted), key=lambda m: -m.significance):
        if mode.name not in names:
            names.add(mode.name)
            out.append(mode)
    return out


def _wiggle(evidence: Evidence, found: ModeFit, limits: DoctorLimits, whole: Range, every: tuple[int, ...]) -> Mode:
    """The common wiggle: rms of what all fibers share bin by bin, beyond the model and the noise."""
    known = np.isfinite(found.wiggle)
    if found.wiggle_dof < 1 or not known.any():
        return Mode("common_wiggle", float("nan"), float("nan"), 0.0, every, whole, _waves(evidence, every))
    significance = max(chi2_deviate(found.wiggle_chi2, found.wiggle_dof), 0.0)
    noise = found.wiggle_err[known] ** 2
    square = float(np.mean(found.wiggle[known] ** 2 - noise))
    rms = float(np.sqrt(max(square, 0.0)))
    sigma = float(np.sqrt(np.mean(noise)) / np.sqrt(2 * known.sum()))
    is_found = significance >= limits.mode_sigmas and rms > 0
    text = f"common wiggle {1000 * rms:.2f} ± {1000 * sigma:.2f} mpx rms, {significance:.1f} sigma"
    return Mode(
        "common_wiggle", rms, sigma, significance, every, whole, _waves(evidence, every), is_found, is_found, text
    )  # fmt: skip


def _wiggle_model(modes: tuple[Mode, ...], found: ModeFit) -> Array:
    """The wiggle as a part of the model, where it is significant."""
    if not any(m.name == "common_wiggle" and m.fitted for m in modes):
        return np.zeros((1, 1))
    known = np.isfinite(found.wiggle)
    at = np.arange(known.size)
    return np.interp(at, at[known], found.wiggle[known])[None]  # all fibers together: no need to smooth


def _waves(evidence: Evidence, fibers: tuple[int, ...]) -> Range | None:
    """Wavelengths of fibers."""
    if evidence.wave is None or not fibers:
        return None
    part = evidence.wave[list(fibers)]
    part = part[np.isfinite(part)]
    return (float(part.min()), float(part.max())) if part.size else None


def _words(name: str, kind: str, amplitude: float, sigma: float, fibers: tuple[int, ...], ids: tuple[str, ...]) -> str:
    """A mode in words."""
    label = name.replace("_", " ") + (f" ({kind})" if kind.startswith("from") else "")
    where = f" of fibers {ids[fibers[0]]} to {ids[fibers[-1]]}" if name == "block_shift" else ""
    pull = abs(amplitude) / sigma if sigma > 0 else 0.0
    return f"{label}{where}: {1000 * amplitude:+.2f} ± {1000 * sigma:.2f} mpx at most, {pull:.1f} sigma"


def _correction(
    m: Measured, problems: tuple[Problem, ...], block: Array, apart: Array
) -> tuple[NDArray[np.float64], float, float]:
    """Scatter of single fibers to take out, (nfiber,), its rms and the error of that."""
    means = [mean_offset(r, e) for r, e in zip(m.residual, m.error)]
    mean, err = np.array([x[0] for x in means]), np.array([x[1] for x in means])
    usable = np.isfinite(mean) & ~apart
    usable[sorted({p.fiber for p in problems if p.kind in (*REMEASURED, "dead") and p.kind != "offset"})] = False
    return jitter(mean, err, usable, block, m.floor)
