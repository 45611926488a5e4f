"""What the figures of one resonator's calibration show."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.model.checks import Array
from ifuview.model.photons.wavelength_solution import HistogramStatus


@dataclass(frozen=True, slots=True, eq=False)
class LaserCurves:
    """One phase histogram with its model: bin edges (degree), counts, model and background per bin."""

    wave: float
    status: HistogramStatus
    edges: Array
    counts: Array
    model: Array
    background: Array
    center: float
    center_error: float
    sigma: float
    resolution: float
    chi2: float


@dataclass(frozen=True, slots=True, eq=False)
class WavecalCurves:
    """What a figure of one resonator's wavelength solution shows.

    Parameters
    ----------
    resonator : int
        Its id.
    pixel : (int, int) or None
        x, y.
    lasers : tuple of LaserCurves
    center, center_error, energy : ndarray
        Points of the energy solution, of the lasers that were fitted: degree, degree, eV.
    phase, curve, curve_error : ndarray
        The solution; empty if there is none.
    title : str
    """

    resonator: int
    pixel: tuple[int, int] | None
    lasers: tuple[LaserCurves, ...]
    center: Array
    center_error: Array
    energy: Array
    phase: Array
    curve: Array
    curve_error: Array
    title: str


@dataclass(frozen=True, slots=True, eq=False)
class FlatCurves:
    """What a figure of one resonator's flat shows: bin middles (nm), weights, errors, and the function that is used."""

    resonator: int
    pixel: tuple[int, int] | None
    waves: Array
    weights: Array
    errors: Array
    fine: Array
    used: Array
    title: str
