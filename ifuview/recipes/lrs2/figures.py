"""What a step of a reduction has made, as figures: the lamps' side of it. The side of the sky is `sky_figures`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ifuview.engine.numeric.medians import MEDIAN_ERROR
from ifuview.engine.traces.profile.fiber_profile import FiberProfile
from ifuview.model.checks import Array
from ifuview.model.figure import DASHED, DOT, DOWN, NONE, Color, Curve, Figure, Rule, Scale, padded, robust
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.recipes.camera.values import Biases, DetectorFrame, FiberFlat, TracedFibers
from ifuview.recipes.lrs2 import sky_figures as sky
from ifuview.recipes.lrs2.made import MadeSteps

PLACES = ((0.1, "blue", 0), (0.5, "middle", 2), (0.9, "red", 1))  # share of the columns, name, color
FIBER, COLUMN, WAVE = Scale("Fiber"), Scale("Column (px)"), Scale("Wavelength (\u00c5)")


def figures_of(state: MadeSteps, step: str) -> tuple[Figure, ...]:
    """The figures of a step; none where it has not been made or has none."""
    value = state.value(step)
    make = FIGURES.get(step)
    return () if value is None or make is None else make(state, value)


def columns(count: int) -> list[tuple[int, str, int]]:
    """Columns at which fibers are compared: column, name, color."""
    return [(round(place * (count - 1)), name, color) for place, name, color in PLACES]


def fibers(count: int) -> Array:
    """Fibers as they are counted."""
    return np.arange(1, count + 1)


def key(*curves: Curve) -> tuple[tuple[Color, str], ...]:
    """The names of curves in their colors."""
    return tuple((one.color, one.label) for one in curves if one.label)


def _biases(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    assert isinstance(value, Biases)
    if not value.frames:
        return ()
    curves = [
        Curve(np.arange(frame.shape[1]), np.median(frame.data, axis=0), number, name)
        for number, (name, frame) in enumerate(value.frames.items())
    ]
    noise = [("text", f"{name}: read noise {n:.2f} \u00b1 {e:.2f} e") for name, (n, e) in value.noise.items()]
    span = robust(curves, 0.1)
    title = "Bias structure, median of the rows"
    return (Figure(title, COLUMN, Scale("Bias (e)", span), tuple(curves), notes=tuple(noise)),)


def _detector(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    assert isinstance(value, DetectorFrame)
    image, middle = value.frame, value.frame.shape[1] // 2
    cut = np.where(image.usable()[:, middle - 2 : middle + 3], image.data[:, middle - 2 : middle + 3], np.nan)
    with np.errstate(all="ignore"):
        known = np.isfinite(cut).any(axis=1)
        across = np.full(cut.shape[0], np.nan)
        across[known] = np.nanmedian(cut[known], axis=1)
    light = Curve(np.arange(across.size), across, 0)
    seams = () if state.setup is None else tuple(Rule(row - 0.5, label="amplifier") for row in state.setup.seams)
    level = robust((light,), 0.08)
    return (
        Figure(f"Across the fibers at column {middle}", Scale("Row (px)"), Scale("Light (e)", level), (light,), seams),
    )


def _traces(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    assert isinstance(value, TracedFibers)
    traces = value.traces
    number, out = fibers(traces.nfiber), []
    if traces.rms is not None:
        rms = Curve(number, 1000 * np.asarray(traces.rms, float), 0, stroke=NONE, symbol=DOT, size=3)
        out.append(
            Figure(
                "How far single measurements lie off the traces",
                FIBER,
                Scale("rms (mpx)", robust((rms,), 0.1, keep=(0.0,))),
                (rms,),
            )
        )
    if traces.sigma is not None:
        sigma = np.asarray(traces.sigma)
        curves = tuple(Curve(number, sigma[:, at], c, name) for at, name, c in columns(sigma.shape[1]))
        out.append(
            Figure("Width of the fibers", FIBER, Scale("sigma (px)", robust(curves, 0.1)), curves, notes=key(*curves))
        )
    order = np.argsort(traces.center[:, traces.center.shape[1] // 2])
    gaps = tuple(
        Curve(number[:-1], np.diff(traces.center[order, at]), c, name)
        for at, name, c in columns(traces.center.shape[1])
    )
    out.append(Figure("Distance to the next fiber", FIBER, Scale("px", robust(gaps, 0.1)), gaps, notes=key(*gaps)))
    return tuple(out)


def _profile(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    assert isinstance(value, FiberProfile)
    ngroup, ncol = value.coeff.shape[0], value.width.shape[1]
    curves = []
    for at, name, color in columns(ncol):
        u, density = value.density(ngroup // 2, float(at))
        curves.append(Curve(u, np.maximum(density, 1e-6), color, name))
    gauss = Curve(curves[0].x, np.exp(-0.5 * curves[0].x ** 2) / np.sqrt(2 * np.pi), "faint", "Gaussian", DASHED)
    shape = Figure(
        f"Fiber profile, group {ngroup // 2 + 1} of {ngroup}", Scale("Distance from the center (widths)"),
        Scale("Density", (1e-5, 1.0), log=True), (gauss, *curves),
        notes=key(*curves, gauss),
    )  # fmt: skip
    number = fibers(value.width.shape[0])
    widths = tuple(Curve(number, value.width[:, at], c, name) for at, name, c in columns(ncol))
    offset = tuple(Curve(number, 1000 * value.offset[:, at], c, name) for at, name, c in columns(ncol))
    out = [shape, Figure("Width", FIBER, Scale("px", robust(widths, 0.1)), widths, notes=key(*widths))]
    if np.nanmax(np.abs(value.offset)) > 0:
        span = robust(offset, 0.1)
        out.append(Figure("Center of the profile off the trace", FIBER, Scale("mpx", span), offset, notes=key(*offset)))
    return tuple(out)


def _arcs(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    assert isinstance(value, FiberSpectra)
    lit = np.flatnonzero(value.usable().mean(axis=1) > 0.5)
    if lit.size == 0:
        return ()
    fiber = int(lit[lit.size // 2])
    found = state.value("wave")
    flux = np.where(value.usable()[fiber], value.flux[fiber], np.nan)
    title = f"Lamps in fiber {fiber + 1}"
    if not isinstance(found, WaveSolution):
        line = Curve(np.arange(flux.size), np.maximum(flux, 1.0), 0)
        return (Figure(title, COLUMN, Scale("Light (e)", log=True), (line,)),)
    used, seen = found.used.any(axis=0), np.isfinite(found.center).any(axis=0)
    kinds = ((used, 2, "used"), (seen & ~used, 1, "seen, not used"), (~seen, "bad", "missed"))
    rules = tuple(Rule(float(w), color=c, stroke=DASHED) for chosen, c, _ in kinds for w in found.line[chosen])
    notes = tuple((c, f"{int(chosen.sum())} {name}") for chosen, c, name in kinds)
    line = Curve(found.wave[fiber], np.maximum(flux, 1.0), "text")
    return (Figure(title, WAVE, Scale("Light (e)", log=True), (line,), rules, notes=notes), *_lines(found))


def _lines(found: WaveSolution) -> tuple[Figure, ...]:
    """Residuals of the lines against the solution."""
    step = np.gradient(found.wave, axis=1)
    near = np.clip(np.nan_to_num(np.rint(found.center)), 0, found.wave.shape[1] - 1).astype(np.intp)
    at = np.take_along_axis(found.wave, near, 1) + (found.center - near) * np.take_along_axis(step, near, 1)
    rest = 1000 * (found.line - at) / np.take_along_axis(step, near, 1)
    some = np.isfinite(found.center).any(axis=0)
    mean, error = np.full(found.line.size, np.nan), np.full(found.line.size, np.nan)
    for n in np.flatnonzero(some):
        good = np.isfinite(rest[:, n])
        mean[n], error[n] = np.median(rest[good, n]), MEDIAN_ERROR * np.std(rest[good, n]) / np.sqrt(good.sum())
    used = found.used.any(axis=0)
    marks = tuple(
        Curve(found.line[chosen], mean[chosen], color, name, NONE, symbol, error=error[chosen])
        for chosen, color, name, symbol in ((used, 2, "used", DOT), (some & ~used, 1, "not used", DOWN))
    )
    by_line = Figure(
        "Lines off the solution, median of the fibers",
        WAVE,
        Scale("mpx", robust(marks[:1] if used.any() else marks, 0.15)),
        marks,
        (Rule(0, False),),
    )
    by_fiber = np.full(rest.shape[0], np.nan)
    known = (np.isfinite(rest) & found.used).any(axis=1)
    by_fiber[known] = np.nanmedian(np.where(found.used, rest, np.nan)[known], axis=1)
    row = Curve(fibers(rest.shape[0]), by_fiber, 0, stroke=NONE, symbol=DOT, size=3)
    width = tuple(
        Curve(fibers(rest.shape[0]), found.lsf[:, at], c, name) for at, name, c in columns(found.lsf.shape[1])
    )
    return (
        by_line,
        Figure(
            "Lines off the solution, by fiber", FIBER, Scale("mpx", robust((row,), 0.15)), (row,), (Rule(0, False),)
        ),
        Figure("Line spread", FIBER, Scale("sigma (px)", robust(width, 0.1)), width, notes=key(*width)),
    )


def _wave(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    assert isinstance(value, WaveSolution)
    return _lines(value)


def _response(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    assert isinstance(value, FiberFlat)
    flat, number = value.fibers.flat, fibers(value.fibers.flat.shape[0])
    curves = tuple(Curve(number, flat[:, at], c, name) for at, name, c in columns(flat.shape[1]))
    wave = value.spectra.wave
    middle = wave[wave.shape[0] // 2] if wave.ndim == 2 else wave
    spread = np.nanpercentile(np.where(value.fibers.mask == 0, flat, np.nan), (5, 50, 95), axis=0)
    span = padded(float(np.nanmin(spread)), float(np.nanmax(spread)), 0.1)
    band = Curve(middle, spread[1], 0, "median", low=spread[0], high=spread[2])
    return (
        Figure(
            "Response of the fibers",
            FIBER,
            Scale("Relative", robust(curves, 0.1)),
            curves,
            (Rule(1, False),),
            notes=key(*curves),
        ),
        Figure("Along wavelength, with 5 and 95 % of the fibers", WAVE, Scale("Relative", span), (band,)),
    )


FIGURES: Mapping[str, Callable[[MadeSteps, object], tuple[Figure, ...]]] = {
    "biases": _biases, "flat": _detector, "science": _detector, "traces": _traces, "profile": _profile, "arcs": _arcs,
    "wave": _wave, "response": _response, "spectra": sky.spectra, "drift": sky.drift, "flux": sky.flux,
    "curve": sky.curve, "sky": sky.sky, "field": sky.field, "spectrum": sky.spectrum, "cubes": sky.cubes,
}  # fmt: skip
