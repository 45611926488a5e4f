"""The wavelength calibration: laser exposures to an energy solution of each resonator.

Phases of photons that stand alone in time and are negative are put in histograms of 2 degrees, widened while they are
sparse; each is fitted with a Gaussian on a background (`wavecal_models`); the centers of a resonator give
E = c2 p^2 + c1 p + c0, weighted by their errors, or a straight line where that is all that two lasers allow, or the
parabola would turn among the lasers (a straight line that merely fits as well would promise too small errors beyond
the lasers: 1.9 times too small at 700 and 1500 nm for simulated lasers of 808 to 1310 nm).
A laser that failed is looked for again where the solution of the others has it. What failed is flagged with names that
published pipelines know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.calibration import wavecal_kernels as kernels
from ifuview.engine.photons.calibration.energy_kernels import FEW, NO_CONVERGENCE, NOT_MONOTONIC, NOT_VALID, SOLVED
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.lists import HC, TICK, PhotonSource
from ifuview.model.photons.resonators import grid_of, rows_of
from ifuview.model.photons.wavelength_solution import WAVE_BIT, HistogramStatus, LaserFits, WavelengthSolution

LOWEST = -480.0  # degree; peak and baseline at full scale together
BIN = 2.0  # degree
GAP = 500e-6  # s; the tail of a photon spoils the next
LEAST = 200  # photons in a histogram
FASTEST = 2000.0  # photons per second; more is a hot pixel
AT_ONCE = 200  # resonators between two checkpoints
LASER_RANGE = (100.0, 10_000.0)  # nm


class Phases(NamedTuple):
    """Phase histograms of one laser: photons, those that stand alone, histogram (n, nbin), and s."""

    seen: Array
    alone: Array
    histogram: Array
    duration: float


def bin_edges(width: float = BIN) -> Array:
    """Return the edges, degree, of the fine bins of all phase histograms."""
    return np.arange(round(LOWEST / width), 1) * width


def phase_histograms(source: PhotonSource, *, width: float = BIN, gap: float = GAP, ctx: JobContext = SILENT) -> Phases:
    """Return the phase histogram of each resonator of a list.

    Raises
    ------
    UsageError
        The list holds wavelengths.
    """
    info = source.info
    if info.calibrated:
        raise UsageError("the laser file holds wavelengths, not phases", info.path, "give it as it was before")
    number, edges = info.beammap.nresonator, bin_edges(width)
    histogram = np.zeros((number, len(edges) - 1), np.uint32)
    seen, alone, last = np.zeros(number, np.int64), np.zeros(number, np.int64), np.full(number, -1, np.int64)
    for block in source.blocks(value=True, ctx=ctx):
        assert block.value is not None
        kernels.add_phases(
            resonator=block.resonator, time=block.time, phase=block.value, gap=round(gap / TICK), low=float(edges[0]),
            width=width, last=last, seen=seen, alone=alone, histogram=histogram,
        )  # fmt: skip
    return Phases(seen, alone, histogram, max(info.duration, TICK))


def fit_wavelengths(
    lasers: Mapping[float, PhotonSource],
    *,
    name: str = "wavecal",
    width: float = BIN,
    gap: float = GAP,
    least: int = LEAST,
    fastest: float = FASTEST,
    ctx: JobContext = SILENT,
) -> WavelengthSolution:
    """Fit the energy solution of every resonator.

    Parameters
    ----------
    lasers : mapping of float to PhotonSource
        Wavelength in nm to the exposure; two or more, of the same array.
    name : str
        Of the solution.
    width : float, degree
        Of the finest bins.
    gap : float, s
        Photons that follow another by less do not count.
    least : int
        Photons that a histogram must have.
    fastest : float, photons per second
        Resonators that count faster are hot.

    Raises
    ------
    UsageError
        Fewer than two lasers, or wavelengths that are none.
    """
    waves = np.array(sorted(lasers), np.float64)
    _check(waves)
    first = lasers[waves[0]].info
    ids = np.unique(np.concatenate([lasers[w].info.beammap.ids for w in waves]))
    edges, shape = bin_edges(width), (len(ids), len(waves))
    histograms = np.zeros((*shape, len(edges) - 1), np.uint32)
    status, photons = np.zeros(shape, np.uint8), np.zeros(shape, np.int64)
    for k, wave in enumerate(waves):
        part = ctx.part(0.6 * k / len(waves), 0.6 * (k + 1) / len(waves))
        found = phase_histograms(lasers[wave], width=width, gap=gap, ctx=part)
        rows = rows_of(ids, lasers[wave].info.beammap.ids)
        histograms[rows, k] = found.histogram
        photons[rows, k] = found.histogram.sum(axis=1)
        status[rows, k] = _before_fit(found, photons[rows, k], least, fastest)
    return _fitted(
        waves, ids, histograms, edges, status=status, photons=photons, least=least, name=name,
        grid=grid_of(first.beammap), sources=tuple(lasers[w].info.path.rsplit("/", 1)[-1] for w in waves),
        ctx=ctx.part(0.6, 1.0),
    )  # fmt: skip


def _check(waves: Array) -> None:
    """Raise UsageError unless these are two laser wavelengths or more."""
    if len(waves) < 2:
        raise UsageError("a wavelength solution needs two lasers or more", todo="give more laser files")
    for wave in waves.tolist():
        if not LASER_RANGE[0] <= wave <= LASER_RANGE[1]:
            raise UsageError(f"{wave:g} nm is no laser", todo=f"give {LASER_RANGE[0]:g} to {LASER_RANGE[1]:g} nm")


def _before_fit(found: Phases, photons: Array, least: int, fastest: float) -> Array:
    """Status of histograms that are not to be fitted; 0 for the others."""
    out = np.zeros(len(photons), np.uint8)
    out[photons < least] = HistogramStatus.POSITIVE_CUT
    out[found.alone < least] = HistogramStatus.TIME_CUT
    out[found.seen < least] = HistogramStatus.NO_DATA
    out[found.seen > fastest * found.duration] = HistogramStatus.HOT
    return out


def _fitted(
    waves: Array, ids: Array, histograms: Array, edges: Array, *, status: Array, photons: Array, least: int,
    name: str, grid: Array, sources: tuple[str, ...], ctx: JobContext,
) -> WavelengthSolution:  # fmt: skip
    """Fit all histograms and make the solution."""
    n, m = status.shape
    values, parameters = np.full((n, m, kernels.LASER_VALUES), np.nan), np.full((n, m, 7), np.nan)
    join, resolution = np.ones((n, m), np.int16), np.full((n, m, 2), np.nan)
    coefficients, covariance, phases = np.full((n, 3), np.nan), np.full((n, 3, 3), np.nan), np.full((n, 2), np.nan)
    end, power = np.zeros(n, np.uint8), np.zeros(n, np.uint8)
    energy = HC / waves  # falling, as waves rise
    low, width = float(edges[0]), float(edges[1] - edges[0])
    for start in range(0, n, AT_ONCE):
        ctx.checkpoint(start / n, "fitting lasers")
        own = slice(start, start + AT_ONCE)
        kernels.fit_resonators(
            histograms=histograms[own], low=low, width=width, least=least, energy=energy, status=status[own],
            values=values[own], parameters=parameters[own], join=join[own], coefficients=coefficients[own],
            covariance=covariance[own], end=end[own], power=power[own], phases=phases[own], resolution=resolution[own],
        )  # fmt: skip
    flags = _flags(status, end, power)
    unsolved = end != SOLVED
    coefficients[unsolved], covariance[unsolved] = np.nan, np.nan
    fits = _laser_fits(status, values, resolution, photons=photons, parameters=parameters, width=join,
                       histograms=histograms, edges=edges)  # fmt: skip
    ctx.checkpoint(1.0, "fitting lasers")
    return WavelengthSolution(
        name=name, ids=ids, coefficients=coefficients, flags=flags, lasers=waves, covariance=covariance, phases=phases,
        fits=fits, grid=grid, sources=sources, form="fitted",
    )  # fmt: skip


def _laser_fits(status: Array, values: Array, resolution: Array, **others: Array) -> LaserFits:
    """What the kernels found, by name, where a fit stands; `others` as they are."""
    kept = np.where((status == HistogramStatus.GOOD)[..., None], values, np.nan)
    return LaserFits(
        status=status, center=kept[..., kernels.LASER_CENTER], center_error=kept[..., kernels.LASER_CENTER_ERROR],
        sigma=kept[..., kernels.LASER_SIGMA], sigma_error=kept[..., kernels.LASER_SIGMA_ERROR],
        chi2=kept[..., kernels.LASER_CHI2], resolution=resolution[..., kernels.POWER],
        resolution_error=resolution[..., kernels.POWER_ERROR], **others,
    )  # fmt: skip


def _flags(status: Array, end: Array, power: Array) -> Array:
    """Flag bits of each resonator."""
    flags = np.zeros(len(end), np.uint32)
    for value, flag in (
        (NOT_MONOTONIC, "wavecal.not_monotonic"),
        (NO_CONVERGENCE, "wavecal.failed_convergence"),
        (NOT_VALID, "wavecal.failed_validation"),
        (FEW, "wavecal.not_enough_histogram_fits"),
    ):
        flags[end == value] |= np.uint32(WAVE_BIT[flag] | WAVE_BIT["wavecal.bad"])
    thin = (HistogramStatus.NO_DATA, HistogramStatus.TIME_CUT, HistogramStatus.POSITIVE_CUT)
    empty = np.isin(status, thin).all(axis=1)
    flags[empty] = WAVE_BIT["wavecal.bad"] | WAVE_BIT["wavecal.no_histograms"]
    solved = end == SOLVED
    flags[solved & (power == 1)] |= np.uint32(WAVE_BIT["wavecal.linear"])
    flags[solved & (power == 2)] |= np.uint32(WAVE_BIT["wavecal.quadratic"])
    flags[solved & (status != HistogramStatus.GOOD).any(axis=1)] |= np.uint32(
        WAVE_BIT["wavecal.histogram_fit_problems"]
    )
    return flags
