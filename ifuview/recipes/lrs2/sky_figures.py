"""What the steps from an exposure's spectra to its source have made, as figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ifuview.engine.numeric.medians import MEDIAN_ERROR, robust_sigma
from ifuview.engine.spectra.field.centroid import measure_centroids
from ifuview.engine.spectra.field.lenslet import Lenslets, displacement
from ifuview.engine.spectra.field.point import measure_shares
from ifuview.engine.spectra.field.separation import Separation
from ifuview.model.checks import Array
from ifuview.model.figure import DASHED, DOT, NONE, Curve, Figure, Range, Rule, Scale, padded, robust
from ifuview.model.frames.units import unit_words
from ifuview.model.reduction.source import SkyCube, SourceFit, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.model.reduction.tables import WaveCurve
from ifuview.recipes.camera.values import ExtractedExposure
from ifuview.recipes.lrs2.made import MadeSteps
from ifuview.recipes.lrs2.values import FieldSpectra

WAVE, FIBER = Scale("Wavelength (\u00c5)"), Scale("Fiber")
BINS, CHUNKS = 64, 16  # along wavelength
ONE = Rule(1, False)
BOTH = ((0, "median"), (1, "width"))
ZERO = Rule(0, False)


def spectra(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    """Fit of the profile, what is masked, how the traces had moved."""
    assert isinstance(value, ExtractedExposure)
    own = value.extraction.spectra
    number = np.arange(1, own.nfiber + 1)
    out = []
    if own.chi2 is not None:
        chi2 = Curve(number, _medians(np.where(own.usable(), own.chi2, np.nan)), 0)
        out.append(
            Figure("Fit of the fiber profile", FIBER, Scale("chi2", robust((chi2,), 0.1, keep=(1.0,))), (chi2,), (ONE,))
        )
    masked = Curve(np.arange(own.flux.shape[1]), 100 * (1 - own.usable().mean(axis=0)), 1)
    out.append(Figure("Samples masked", Scale("Column (px)"), Scale("% of the fibers"), (masked,)))
    if value.shift is not None:
        before = state.value("traces")
        moved = value.traces.center - before.traces.center if before is not None else None  # type: ignore[attr-defined]
        curves = () if moved is None else tuple(
            Curve(number, 1000 * moved[:, at], c, name)
            for at, name, c in ((0, "blue", 0), (moved.shape[1] // 2, "middle", 2), (moved.shape[1] - 1, "red", 1))
        )  # fmt: skip
        out.append(
            Figure(
                "Traces moved to the exposure's light", FIBER, Scale("mpx", robust(curves, 0.1, keep=(0.0,))), curves
            )
        )
    return tuple(out)


def _medians(values: Array) -> Array:
    """Median of each row, NaN of one without values."""
    known = np.isfinite(values).any(axis=1)
    out = np.full(values.shape[0], np.nan)
    out[known] = np.nanmedian(values[known], axis=1)
    return out


def drift(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    """Wavelengths of the exposure against those of the lamps."""
    before = state.value("wave")
    assert isinstance(value, WaveSolution)
    if not isinstance(before, WaveSolution):
        return ()
    moved = 1000 * (value.wave - before.wave) / np.gradient(before.wave, axis=1)
    curve = Curve(np.arange(1, moved.shape[0] + 1), np.median(moved, axis=1), 0)
    return (Figure("Wavelengths moved to the sky's lines", FIBER, Scale("mpx"), (curve,), (ZERO,)),)


def flux(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    """All fibers."""
    assert isinstance(value, FiberSpectra)
    low, middle, high = np.nanpercentile(np.where(value.usable(), value.flux, np.nan), (16, 50, 84), axis=0)
    wave = value.wave[value.nfiber // 2] if value.wave.ndim == 2 else value.wave
    scale, unit = _scale(middle, value.unit)
    line = Curve(wave, middle * scale, 0, low=low * scale, high=high * scale)
    return (Figure("Fibers, median with 16 and 84 %", WAVE, Scale(unit, robust((line,), 0.1)), (line,)),)


def curve(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    """The response that is used, and that of the tables."""
    assert isinstance(value, WaveCurve) and state.setup is not None
    usual = state.setup.response
    used = Curve(value.wave, value.value, 1, "used")
    if np.array_equal(value.value, usual.value):
        return (Figure("Response of the tables", WAVE, Scale("Response (erg/e)"), (replace(used, label=""),)),)
    curves = (Curve(usual.wave, usual.value, "faint", "of the tables", DASHED), used)
    names = tuple((one.color, one.label) for one in curves)
    return (Figure("Response", WAVE, Scale("Response (erg/e)"), curves, notes=names),)


def _scale(values: Array, unit: str) -> tuple[float, str]:
    """A power of ten that brings values near one, and the unit with it."""
    level = float(np.nanmedian(np.abs(values)))
    power = int(np.floor(np.log10(level))) if level > 0 else 0
    scale, unit = (1.0, unit) if -3 < power < 4 else (10.0**-power, f"1e{power} {unit}")
    return scale, unit_words(unit)


def sky(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    """Spectrum of the sky, what is left at its lines, its brightness over the field."""
    base = state.value("flux")
    assert isinstance(value, Separation)
    if not isinstance(base, FiberSpectra):
        return ()
    chosen = value.sky.fibers & base.usable().any(axis=1)
    wave = base.wave[base.nfiber // 2] if base.wave.ndim == 2 else base.wave
    level = np.median(value.sky.model[chosen], axis=0) if chosen.any() else np.zeros(wave.size)
    scale, unit = _scale(level, base.unit)
    spectrum = Figure(f"Sky, from {int(chosen.sum())} fibers", WAVE, Scale(unit), (Curve(wave, scale * level, 0),))
    surface = Curve(np.arange(1, base.nfiber + 1), 100 * (value.surface.value - 1), 0, "brightness of the sky")
    single = Curve(surface.x, 100 * (value.surface.fiber - 1), 1, "response of the fiber", NONE, DOT, size=3)
    both = robust((surface, single), 0.1, keep=(0.0,))
    over = Figure("Over the field", FIBER, Scale("% of the mean", both), (single, surface), (ZERO,),
                  notes=((0, "brightness of the sky"), (1, "response of the fiber")))  # fmt: skip
    return (spectrum, *_left(base, value, chosen), over)


def _left(base: FiberSpectra, value: Separation, chosen: Array) -> tuple[Figure, ...]:
    """What is left of the sky in its own fibers, in its errors: everywhere, and against its brightness."""
    good = chosen[:, None] & base.usable() & (base.variance > 0)
    rest = np.where(good, (base.flux - value.sky.model) / np.sqrt(np.where(good, base.variance, 1)), np.nan)
    if good.sum() < 10 * BINS:
        return ()
    wave = np.broadcast_to(base.wave, base.flux.shape)
    edges = np.linspace(0, base.flux.shape[1], BINS + 1).astype(int)
    middle, width, at = np.full(BINS, np.nan), np.full(BINS, np.nan), np.full(BINS, np.nan)
    for n, (a, b) in enumerate(pairwise(edges)):
        part = rest[:, a:b][good[:, a:b]]
        if part.size > 20:
            middle[n], width[n], at[n] = np.median(part), robust_sigma(part), np.median(wave[:, a:b])
    along = (Curve(at, middle, 0, "median"), Curve(at, width, 1, "width"))
    bright = value.sky.model[good]
    rank = np.percentile(bright, np.linspace(0, 100, 13))
    inside = np.clip(np.searchsorted(rank, bright, side="right") - 1, 0, 11)
    pull = rest[good]
    by_light = np.array([(np.median(bright[inside == n]), np.median(pull[inside == n]), robust_sigma(pull[inside == n]))
                         for n in range(12) if np.count_nonzero(inside == n) > 20])  # fmt: skip
    level = np.median(bright) or 1.0
    lines = (
        Curve(by_light[:, 0] / level, by_light[:, 1], 0, "median", symbol=DOT),
        Curve(by_light[:, 0] / level, by_light[:, 2], 1, "width", symbol=DOT),
    )
    return (
        Figure(
            "What is left in the sky fibers, over its error",
            WAVE,
            Scale("sigma", (-0.5, 2.0)),
            along,
            (ZERO, ONE),
            notes=BOTH,
        ),
        Figure(
            "The same where the sky is brighter: at its lines",
            Scale("Sky / its median"),
            Scale("sigma"),
            lines,
            (ZERO, ONE),
        ),
    )


def field(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    """What is left of the sky, in parts of it."""
    found = state.value("sky")
    assert isinstance(value, FieldSpectra)
    if not isinstance(found, Separation):
        return ()
    own = value.subtracted
    good = found.sky.fibers[:, None] & own.usable() & (own.variance > 0) & (value.sky > 0)
    share = np.where(good, 100 * own.flux / np.where(value.sky > 0, value.sky, 1), np.nan)
    edges = np.linspace(0, own.flux.shape[1], BINS + 1).astype(int)
    rows = [share[:, a:b][good[:, a:b]] for a, b in pairwise(edges)]
    middle = np.array([np.median(r) if r.size > 20 else np.nan for r in rows])
    error = np.array([MEDIAN_ERROR * robust_sigma(r) / np.sqrt(r.size) if r.size > 20 else np.nan for r in rows])
    wave = np.array([np.mean(own.wave[a:b]) for a, b in pairwise(edges)])
    curve = Curve(wave, middle, 0, stroke=NONE, symbol=DOT, error=error)
    return (
        Figure(
            "What is left in the sky fibers",
            WAVE,
            Scale("% of the sky", robust((curve,), 0.2, bars=1.0)),
            (curve,),
            (ZERO,),
        ),
    )


def spectrum(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    """Spectrum of the source with its error, the share of its light that was caught, and where it lies."""
    found, made = state.value("sky"), state.value("field")
    assert isinstance(value, SourceSpectrum) and state.setup is not None
    out = [source_figure(value, f"Source: {value.method}")]
    if isinstance(found, Separation) and isinstance(made, FieldSpectra) and found.sources:
        out += centroid_figure(made, value, found.sources[0], state.setup.lenslets)
    if np.isfinite(value.fraction).any():
        out.append(
            Figure(
                "Share of the light in usable fibers",
                WAVE,
                Scale("", (0.0, 1.1)),
                (Curve(value.wave, value.fraction, 2),),
            )
        )
    return tuple(out)


def source_figure(value: SourceSpectrum, title: str) -> Figure:
    """A spectrum with its error as a band."""
    good = (value.variance > 0) & np.isfinite(value.flux)
    shown = np.where(good, value.flux, np.nan)
    error = np.sqrt(np.where(good, value.variance, np.nan))
    scale, unit = _scale(shown, value.unit)
    line = Curve(value.wave, scale * shown, 0, low=scale * (shown - error), high=scale * (shown + error))
    return Figure(title, WAVE, Scale(unit, _whole(line)), (line,))


def _whole(*curves: Curve) -> Range | None:
    """Up to the brightest line, down to what nearly all samples are above."""
    span = robust(curves, 0.1)
    top = max((float(np.nanmax(one.y)) for one in curves if np.isfinite(one.y).any()), default=0.0)
    return None if span is None else padded(span[0], max(top, span[1]), 0.03)


def centroid_figure(made: FieldSpectra, value: SourceSpectrum, source: SourceFit, lenslets: Lenslets) -> list[Figure]:
    """Where the source lies along wavelength: measured, and as its refraction has it."""
    own = made.subtracted
    good = own.usable() & (own.variance > 0)
    weight = np.where(good, 1 / np.where(good, own.variance, 1), 0)
    light = np.broadcast_to(np.maximum(value.flux, 0), own.flux.shape)
    wave = np.broadcast_to(own.wave, own.flux.shape)
    found = measure_centroids(measure_shares(own.flux, weight, light, wave, CHUNKS), lenslets, source)
    dx, dy = displacement(source.dar, own.wave)
    parts = (("x", found.x, found.x_error, source.x + dx, 0), ("y", found.y, found.y_error, source.y + dy, 1))
    curves = []
    for name, at, error, model, color in parts:
        curves.append(Curve(own.wave, model, color, stroke=DASHED))
        curves.append(Curve(found.wave, at, color, name, NONE, DOT, error=error))
    both = robust(curves, 0.15)
    words = ((0, "x"), (1, "y"), ("faint", "dashed: refraction used"))
    return [Figure("Place of the source along wavelength", WAVE, Scale("arcsec", both), tuple(curves), notes=words)]


def cubes(state: MadeSteps, value: object) -> tuple[Figure, ...]:
    """Light of the cube against that of the fibers."""
    made = state.value("field")
    assert isinstance(value, Mapping)
    if not isinstance(made, FieldSpectra):
        return ()
    cube, own = value["skysub"], made.subtracted
    assert isinstance(cube, SkyCube)
    whole = np.nansum(np.where(cube.mask == 0, cube.data, 0), axis=(1, 2))
    light = np.where(own.usable(), own.flux, 0).sum(axis=0)
    scale, unit = _scale(light, own.unit)
    curves = (Curve(own.wave, scale * light, 0, "fibers"), Curve(cube.wave, scale * whole, 1, "cube", DASHED))
    edges = np.linspace(0, own.wave.size, BINS + 1).astype(int)
    parts = [(own.wave[a:b].mean(), whole[a:b].sum(), light[a:b].sum()) for a, b in pairwise(edges)]
    ratio = Curve(
        np.array([p[0] for p in parts]), np.array([p[1] / p[2] if p[2] else np.nan for p in parts]), 2, symbol=DOT
    )
    return (
        Figure("Light without sky of the whole field", WAVE, Scale(unit, _whole(*curves)), curves),
        Figure(
            "Light of the cube over that of the fibers",
            WAVE,
            Scale("", robust((ratio,), 0.2, keep=(0.98, 1.02))),
            (ratio,),
            (ONE,),
        ),
    )
