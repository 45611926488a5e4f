"""What shows a detection, and what speaks against it: its spectrum, the fibers around it, its place on the sky."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import CROSS, DASHED, DOTTED, NONE, ColorMap, Curve, Figure, Rule, Scale, Shade
from ifuview.model.night.detections import DetectionSpectrum, DetectionTable, PlaceFibers
from ifuview.model.reduction.detection import DOUBTS, Doubt

REACH = 9.0  # arcsec about a place that is looked at
LEAST_WIDTH = 5.0  # Angstrom, of a line
WIDTHS = 0.85  # of its FWHM to both sides of a line that count as the line
AROUND = 55.0  # Angstrom about a line in close-ups
BAND = 60.0  # Angstrom in place of a line where there is none: of a continuum all wavelengths count
ROWS = 5  # fibers of each exposure in the close-up
CELL, BLUR = 0.75, 1.9  # arcsec: cells of the picture of the sky, FWHM of the weights
SIGMA = 2.3548
BOUND = 6.0  # sigma of the colors
SMOOTH = 3  # px


@dataclass(frozen=True, slots=True, eq=False)
class DetectionEvidence:
    """Figures of a detection, and what speaks for and against it, a line each; `row`: which it is."""

    row: int
    line: Figure
    spectrum: Figure
    fibers: Figure
    place: Figure
    words: tuple[str, ...]


def evidence(table: DetectionTable, row: int, found: DetectionSpectrum, near: PlaceFibers) -> DetectionEvidence:
    """All that is shown of a detection."""
    wave, fwhm = float(table.wave[row]), float(table.fwhm[row])
    x, y = float(table.x[row]), float(table.y[row])
    inside = line_samples(near.wave, wave, fwhm)
    signal, error = in_line(near, inside, sides=bool(np.isfinite(wave)))
    return DetectionEvidence(
        row, _spectrum(found, wave, fwhm, close=True), _spectrum(found, wave, fwhm, close=False),
        _fibers(near, wave, fwhm), _place(near, signal, error, x, y), _words(table, row, near, signal, error),
    )  # fmt: skip


def line_samples(grid: Array, wave: float, fwhm: float) -> Array:
    """Which samples belong to a line; all of a continuum."""
    if not np.isfinite(wave):
        return np.ones(grid.size, bool)
    half = WIDTHS * max(fwhm if np.isfinite(fwhm) else 0.0, LEAST_WIDTH)
    return np.abs(grid - wave) <= half


def in_line(near: PlaceFibers, inside: Array, *, sides: bool) -> tuple[Array, Array]:
    """Light of each fiber in the samples and its error; `sides`: without what lies beside them."""
    good = np.isfinite(near.flux) & (near.error > 0)
    count = (good & inside).sum(axis=1)
    flux = np.where(good, near.flux, 0.0)
    variance = np.where(good, near.error, 0.0) ** 2
    level = np.zeros(len(flux))
    if sides and inside.any():
        middle, half = np.median(np.flatnonzero(inside)), inside.sum()
        away = np.abs(np.arange(inside.size) - middle)
        beside = (away > half) & (away <= 5 * half)
        around = np.where(good & beside, near.flux, np.nan)
        known = np.isfinite(around).sum(axis=1) > half
        level[known] = np.nanmedian(around[known], axis=1)
    signal = (flux * inside).sum(axis=1) - level * count
    error = np.sqrt((variance * inside).sum(axis=1))
    return np.where(count > 0, signal, np.nan), np.where(count > 0, error, np.nan)


def _spectrum(found: DetectionSpectrum, wave: float, fwhm: float, *, close: bool) -> Figure:
    """Spectrum with error and fit, about the line or all of it."""
    line = np.isfinite(wave)
    title = f"line, FWHM {fwhm:.1f} \u00c5" if line else "continuum"
    x = Scale("wavelength (\u00c5)", (wave - AROUND, wave + AROUND) if close and line else None)
    if not found.flux.size:
        return Figure(title, x, empty="the file has no spectrum of it")
    known = found.error > 0
    flux, error = np.where(known, found.flux, np.nan), np.where(known, found.error, np.nan)
    rules = (Rule(wave, label="" if close else f"{wave:.0f}"),) if line else ()
    shown = np.abs(found.wave - wave) <= AROUND if close and line else np.ones(found.wave.size, bool)
    flux, error, model, grid = flux[shown], error[shown], found.model[shown], found.wave[shown]
    curves = (
        Curve(grid, flux, "text", "spectrum", low=flux - error, high=flux + error),
        Curve(grid, np.where(np.isfinite(model), model, np.nan), 1, "fit", DASHED if not close else "solid", width=2),
    )
    return Figure(title, x, Scale("flux (1e-17 erg/s/cm\u00b2/\u00c5)"), curves, rules)


def _fibers(near: PlaceFibers, wave: float, fwhm: float) -> Figure:
    """Close-up of the nearest fibers of each exposure, in units of their errors; the nearest lies lowest."""
    if np.isfinite(wave):
        columns = np.abs(near.wave - wave) <= AROUND
    else:
        columns = np.ones(near.wave.size, bool)
    if not columns.any() or not near.row.size:
        return Figure("fibers", empty="the file has no fibers there")
    grid, numbers = near.wave[columns], np.unique(near.exposure)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(near.error > 0, near.flux / near.error, np.nan)[:, columns]
    rows = []
    for number in numbers:
        own = np.flatnonzero(near.exposure == number)[:ROWS]
        block = np.full((ROWS, grid.size), np.nan)
        block[: own.size] = ratio[own]
        rows += [block, np.full((1, grid.size), np.nan)]
    values = np.concatenate(rows[:-1])
    step = float(grid[1] - grid[0]) if grid.size > 1 else 1.0
    shown = ColorMap(
        values, (grid[0] - step / 2, grid[-1] + step / 2, 0.0, float(len(values))), (-BOUND, BOUND), "diverging",
        "sigma",
    )  # fmt: skip
    names = tuple(
        Rule(n * (ROWS + 1) + 0.5, vertical=False, stroke=NONE, label=f"exp. {number}", color="text", height=1.0)
        for n, number in enumerate(numbers)
    )
    spans = (Shade(wave - fwhm / 2, wave + fwhm / 2),) if np.isfinite(wave) and np.isfinite(fwhm) else ()
    across = Scale("wavelength (\u00c5)", (float(grid[0]), float(grid[-1])))
    return Figure(
        f"fibers, \u00b1{BOUND:g} \u03c3", across,
        Scale("fibers", (0.0, float(len(values)))), (), names, spans, shown,
    )  # fmt: skip


def _place(near: PlaceFibers, signal: Array, error: Array, x: float, y: float) -> Figure:
    """The sky around a detection in its light, in units of the error, with the fibers that see it."""
    axis = np.arange(-REACH, REACH + CELL / 2, CELL)
    cx, cy = np.meshgrid(x + axis, y + axis)
    known = np.isfinite(signal) & (error > 0)
    if not known.any():
        return Figure("place", empty="no fiber there has values")
    away2 = (cx[..., None] - near.x[known]) ** 2 + (cy[..., None] - near.y[known]) ** 2
    weight = np.exp(-0.5 * away2 / (BLUR / SIGMA) ** 2)
    total = (weight * signal[known] / error[known] ** 2).sum(axis=-1)
    scatter = np.sqrt((weight**2 / error[known] ** 2).sum(axis=-1))
    enough = weight.sum(axis=-1) > 0.2
    values = np.where(enough, total / np.where(scatter > 0, scatter, 1.0), np.nan)
    half = REACH + CELL / 2
    shown = ColorMap(values, (x - half, x + half, y - half, y + half), (-BOUND, BOUND), "diverging", "sigma")
    curves = (
        Curve(near.x, near.y, "faint", "fibers", NONE, "o", size=3),
        Curve(np.array([x]), np.array([y]), "bad", "detection", NONE, CROSS, size=14),
    )
    cross = Rule(x, stroke=DOTTED), Rule(y, vertical=False, stroke=DOTTED)
    return Figure(
        f"sky, \u00b1{BOUND:g} \u03c3", Scale("x in the IFU (\u2033)", (x - half, x + half)),
        Scale("y (\u2033)", (y - half, y + half)), curves, cross, (), shown, stretch=1.0,
    )  # fmt: skip


def _words(table: DetectionTable, row: int, near: PlaceFibers, signal: Array, error: Array) -> tuple[str, ...]:
    """What speaks against it, then what each exposure says, then through what it was read."""
    doubts = Doubt(int(table.doubts[row]))
    against = [text for bit, text in DOUBTS.items() if bit in doubts]
    lines = [f"may be false: {'; '.join(against)}" if against else "nothing speaks against it"]
    each = []
    for number in np.unique(near.exposure):
        own = np.flatnonzero((near.exposure == number) & np.isfinite(signal))
        each.append(f"{number}: {signal[own[0]] / error[own[0]]:+.1f} \u03c3" if own.size else f"{number}: masked")
    lines.append(f"nearest fiber of exposure {', '.join(each)}")
    first = [int(np.flatnonzero(near.exposure == n)[0]) for n in np.unique(near.exposure)]
    lost = float(np.mean(~np.isfinite(near.flux[first]))) if first else float("nan")
    names = ", ".join(f"{near.amplifier[k]} row {near.row[k]}" for k in first)
    lines.append(f"read through {names}; {lost:.0%} of these fibers is masked")
    return tuple(lines)
