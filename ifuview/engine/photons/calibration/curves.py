"""What figures of single resonators show: phase histograms with their models, the energy solution, flat weights."""

from __future__ import annotations

import math

import numpy as np

from ifuview.engine.photons.calibration.flat_weights import flat_curve
from ifuview.engine.photons.calibration.wavecal_kernels import KIND, fitted_bins
from ifuview.engine.photons.calibration.wavecal_models import model_bins
from ifuview.model.checks import Array
from ifuview.model.photons.calibration_curves import FlatCurves, LaserCurves, WavecalCurves
from ifuview.model.photons.flat_solution import FlatSolution
from ifuview.model.photons.lists import HC
from ifuview.model.photons.resonators import pixel_of
from ifuview.model.photons.wavelength_solution import HistogramStatus, LaserFits, WavelengthSolution

FINE = 200  # points of a curve
BEYOND = 0.1  # of the span of the lasers on either side


def wavecal_curves(solution: WavelengthSolution, row: int) -> WavecalCurves:
    """Return what the figure of a resonator's wavelength solution shows.

    Without histograms, if the solution keeps none.
    """
    fits = solution.fits
    center, error, energy = np.empty(0), np.empty(0), np.empty(0)
    lasers: tuple[LaserCurves, ...] = ()
    if fits is not None:
        good = np.isfinite(fits.center[row]) & (fits.status[row] == HistogramStatus.GOOD)
        center, error, energy = fits.center[row, good], fits.center_error[row, good], HC / solution.lasers[good]
        lasers = tuple(laser_curves(fits, row, k, wave) for k, wave in enumerate(solution.lasers.tolist()))
    phase, curve, spread = np.empty(0), np.empty(0), np.empty(0)
    if solution.solved[row]:
        low, high = _span(solution, row, center)
        phase = np.linspace(low, high, FINE)
        curve, spread = solution.energy(phase, row), solution.energy_error(phase, row)
    pixel = pixel_of(solution.grid, int(solution.ids[row]))
    where = f"pixel {pixel[0]}, {pixel[1]}, " if pixel else ""
    text = solution.reason(row) or _median_power(fits, row)
    title = f"{where}resonator {int(solution.ids[row])}" + (f": {text}" if text else "")
    return WavecalCurves(
        resonator=int(solution.ids[row]), pixel=pixel, lasers=lasers, center=center, center_error=error, energy=energy,
        phase=phase, curve=curve, curve_error=spread, title=title,
    )  # fmt: skip


def _span(solution: WavelengthSolution, row: int, center: Array) -> tuple[float, float]:
    """Phases that the curve is drawn over."""
    if len(center) > 1:
        low, high = float(center.min()), float(center.max())
    elif solution.phases is not None and np.isfinite(solution.phases[row]).all():
        low, high = (float(p) for p in solution.phases[row])
    else:
        low, high = -150.0, -50.0
    return low - BEYOND * (high - low), high + BEYOND * (high - low)


def _median_power(fits: LaserFits | None, row: int) -> str:
    if fits is None or not np.isfinite(fits.resolution[row]).any():
        return ""
    return f"median R {np.nanmedian(fits.resolution[row]):.1f}"


def laser_curves(fits: LaserFits, row: int, laser: int, wave: float) -> LaserCurves:
    """Return one phase histogram as it was fitted, and its model if the fit stands."""
    status = HistogramStatus(int(fits.status[row, laser]))
    edges, counts = np.empty(0), np.empty(0)
    if fits.histograms is not None and fits.edges is not None and fits.histograms[row, laser].any():
        fine = fits.histograms[row, laser]
        edges, counts, _ = fitted_bins(fine, float(fits.edges[0]), float(fits.edges[1] - fits.edges[0]))
    model, background = np.empty(0), np.empty(0)
    own = fits.parameters[row, laser]
    if status is HistogramStatus.GOOD and len(counts) and np.isfinite(own[KIND]):
        signal, background = np.empty(len(counts)), np.empty(len(counts))
        parameters = np.ascontiguousarray(own[KIND + 1 :])
        model_bins(int(own[KIND]), parameters, edges, signal, background, np.empty((len(counts), 6)))
        model = signal + background
    values = (fits.center, fits.center_error, fits.sigma, fits.resolution, fits.chi2)
    numbers = (float(v[row, laser]) if math.isfinite(v[row, laser]) else math.nan for v in values)
    return LaserCurves(wave, status, edges, counts, model, background, *numbers)


def flat_curves(solution: FlatSolution, row: int) -> FlatCurves:
    """Return what the figure of a resonator's flat shows."""
    low, high = float(solution.waves[0]), float(solution.waves[-1])
    if solution.edges is not None:
        low, high = float(solution.edges[0]), float(solution.edges[-1])
    fine = np.linspace(low, high, FINE)
    pixel = pixel_of(solution.grid, int(solution.ids[row]))
    where = f"pixel {pixel[0]}, {pixel[1]}, " if pixel else ""
    title = f"{where}resonator {int(solution.ids[row])}, {solution.method}"
    return FlatCurves(
        resonator=int(solution.ids[row]), pixel=pixel, waves=solution.waves, weights=solution.weights[row],
        errors=solution.errors[row], fine=fine, used=flat_curve(solution, row, fine), title=title,
    )  # fmt: skip
