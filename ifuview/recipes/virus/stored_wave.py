"""Wavelengths of a detector from a file of calibrations, checked against the arcs of the same file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import JobContext
from ifuview.engine.spectra.wave.lines import fit_lines
from ifuview.engine.spectra.wave.solve import SIGMA, line_widths, solve_wavelengths
from ifuview.errors import FitError
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.virus.values import APERTURE, USUAL_NOISE, Rows, StoredParams

OFF_WAVE = 0.5  # Angstrom, of a fiber of the file that is replaced
SURE_LINE, SURE_CENTER = 5.0, 0.3  # sigma of its flux, and px of its center, of a line that counts
LEAST_LINES = 4  # of a fiber that can be judged


def make_stored_wave(params: StoredParams, ctx: JobContext, setup: CameraSetup, calibration: Rows) -> WaveSolution:
    """Wavelengths of the file where they agree with its arcs, else those measured on these."""
    sizes = [rows.row.size for rows in setup.rows]
    ncol = setup.shape[1]
    given = np.concatenate(
        [np.full((n, ncol), np.nan) if row is None else row.wave for n, row in zip(sizes, calibration, strict=True)]
    )
    rising = np.isfinite(given).all(axis=1) & (np.diff(given, axis=1) > 0).all(axis=1)
    arcs = _arcs(setup, calibration, sizes) if params.check else None
    if arcs is None:
        return _as_stored(setup, given, rising, ())
    off, lsf = _deviation(setup, arcs, given, rising)
    known = np.isfinite(off)
    lit = arcs.usable().any(axis=1)
    if known.any() and rising.all() and not (lit & ~(off < OFF_WAVE)).any():
        return replace(_as_stored(setup, given, rising, ()), lsf=lsf)
    try:
        grid = (float(setup.grid[0]), float(setup.grid[-1]))
        own = solve_wavelengths(arcs, setup.lines, grid, block=setup.block, ctx=ctx)
    except FitError as problem:
        return _as_stored(setup, given, rising, (f"wavelengths of the file cannot be checked: {problem}",))
    miss = np.sqrt(np.mean((np.where(rising[:, None], given, np.inf) - own.wave) ** 2, axis=1))
    odd = ~(miss < OFF_WAVE)
    notes = list(own.notes)
    if odd.any():
        worst = miss[np.isfinite(miss)].max(initial=0)
        notes.append(
            f"{int(odd.sum())} fibers of the file do not fit its arcs (by up to {worst:.1f} A) and are replaced"
        )
    return replace(own, wave=np.where(odd[:, None], own.wave, given), notes=tuple(notes))


def _as_stored(
    setup: CameraSetup, given: NDArray[np.float64], rising: NDArray[np.bool_], notes: tuple[str, ...]
) -> WaveSolution:
    """Wavelengths of the file; those of the instrument, roughly, for fibers that have none."""
    straight = np.broadcast_to(np.linspace(setup.grid[0], setup.grid[-1], given.shape[1]), given.shape)
    lost = int((~rising).sum())
    lacks = (f"{lost} fibers of the file have no wavelengths: those of the instrument, roughly",) if lost else ()
    none = np.zeros((given.shape[0], 0))
    return WaveSolution(
        np.where(rising[:, None], given, straight), np.zeros(given.shape, np.float32), np.zeros(0), none, none,
        none.astype(bool), np.full(given.shape, np.nan, np.float32), setup.lines.medium, notes=(*notes, *lacks),
    )  # fmt: skip


def _arcs(setup: CameraSetup, calibration: Rows, sizes: Sequence[int]) -> FiberSpectra | None:
    """Arc spectra of the file; None where it has none."""
    ncol = setup.shape[1]
    parts = []
    for n, row in zip(sizes, calibration, strict=True):
        known = row is not None and "lampspec" in row.spectra
        parts.append(np.nan_to_num(row.spectra["lampspec"]) if row is not None and known else np.zeros((n, ncol)))
    flux = np.concatenate(parts).astype(np.float32)
    if not flux.any():
        return None
    noises = [row.read_noise for row in calibration if row is not None and np.isfinite(row.read_noise)]
    noise = np.mean(noises) if noises else USUAL_NOISE
    variance = np.maximum(flux, 0) + np.float32(2 * APERTURE * noise**2)
    mask = np.where(flux.any(axis=1, keepdims=True), 0, int(ReductionBit.NO_DATA)) * np.ones((1, ncol))
    return FiberSpectra(flux, variance, mask.astype(np.uint32), np.zeros(flux.shape), medium=setup.lines.medium)


def _deviation(
    setup: CameraSetup, arcs: FiberSpectra, given: NDArray[np.float64], rising: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """How far lines lie from where the file has them, Angstrom of each fiber (NaN: not seen); and the line width."""
    column = np.arange(given.shape[1])
    center = np.full((given.shape[0], setup.lines.wave.size), np.nan)
    for k in np.flatnonzero(rising):
        center[k] = np.interp(setup.lines.wave, given[k], column, left=np.nan, right=np.nan)
    fits = fit_lines(arcs.flux, arcs.variance, arcs.usable(), center, np.full(center.shape, SIGMA), fit_width=True)
    with np.errstate(invalid="ignore"):
        sure = (fits.flux > SURE_LINE * fits.flux_error) & (fits.center_error < SURE_CENTER)
    step = np.abs(np.gradient(np.where(rising[:, None], given, 0.0), axis=1)).mean(axis=1, keepdims=True)
    miss = np.where(sure, np.abs(fits.center - center) * step, np.nan)
    out = np.full(given.shape[0], np.nan)
    for k in np.flatnonzero(sure.sum(axis=1) >= LEAST_LINES):
        out[k] = float(np.nanmedian(miss[k]))
    lit = arcs.usable().any(axis=1)
    out[lit & ~np.isfinite(out)] = np.inf  # light, but no line where the file has one
    return out, line_widths(fits, setup.block, given.shape[1])
