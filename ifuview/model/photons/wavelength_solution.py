"""Wavelength solutions of photon lists: energy by phase for each resonator, and the laser fits that they come from.

Solutions are per resonator, in the order of their ids, so that they fit any list of the same array.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple, TypedDict

import numpy as np

from ifuview.errors import FileFormatError
from ifuview.model.checks import Array, digest, readonly, same_shape
from ifuview.model.photons.lists import HC

WAVE_FLAGS = (  # bit 0 first; names of the pixel flags of photon lists
    "wavecal.bad",
    "wavecal.failed_validation",
    "wavecal.failed_convergence",
    "wavecal.not_monotonic",
    "wavecal.not_enough_histogram_fits",
    "wavecal.not_attempted",
    "wavecal.no_histograms",
    "wavecal.histogram_fit_problems",
    "wavecal.linear",
    "wavecal.quadratic",
)
WAVE_BIT = MappingProxyType({name: 1 << i for i, name in enumerate(WAVE_FLAGS)})


class HistogramStatus(IntEnum):
    """How the fit of one phase histogram ended; numbers of the published models."""

    GOOD = 0
    NO_DATA = 1  # too few photons
    HOT = 2  # counts faster than allowed
    TIME_CUT = 3  # too few photons left that do not follow closely on another
    POSITIVE_CUT = 4  # too few photons left with a negative phase
    FEW_BINS = 5
    CONVERGENCE = 6
    VALIDATION = 7

    @property
    def meaning(self) -> str:
        """In words."""
        return MEANING[self]


MEANING = {
    HistogramStatus.GOOD: "fitted",
    HistogramStatus.NO_DATA: "too few photons",
    HistogramStatus.HOT: "counts too fast",
    HistogramStatus.TIME_CUT: "too few photons that stand alone in time",
    HistogramStatus.POSITIVE_CUT: "too few photons with a negative phase",
    HistogramStatus.FEW_BINS: "too few bins with photons",
    HistogramStatus.CONVERGENCE: "the fit did not converge",
    HistogramStatus.VALIDATION: "the fit makes no sense",
}


@dataclass(frozen=True, slots=True, eq=False)
class LaserFits:
    """Phase histograms of the lasers and what was fitted to them; n resonators, m lasers, NaN where nothing is.

    Parameters
    ----------
    status : ndarray, uint8 (n, m)
        `HistogramStatus`.
    photons : ndarray, int64 (n, m)
        In the histogram.
    center, center_error, sigma, sigma_error : ndarray, float64 (n, m)
        Of the Gaussian of the laser, degree.
    parameters : ndarray, float64 (n, m, 7)
        As the model of `engine.photons.calibration.wavecal_models` wants them: kind of background and six numbers.
    chi2 : ndarray, float64 (n, m)
        Reduced.
    resolution, resolution_error : ndarray, float64 (n, m)
        Resolving power E / FWHM.
    width : ndarray, int16 (n, m)
        Bins of `histograms` that were fitted as one.
    histograms : ndarray, uint32 (n, m, nbin), optional
    edges : ndarray, float64 (nbin + 1,), optional
        degree
    """

    status: Array
    photons: Array
    center: Array
    center_error: Array
    sigma: Array
    sigma_error: Array
    parameters: Array
    chi2: Array
    resolution: Array
    resolution_error: Array
    width: Array
    histograms: Array | None = None
    edges: Array | None = None

    def __post_init__(self) -> None:
        shape = np.shape(self.status)
        for name, kind in (("status", np.uint8), ("photons", np.int64), ("width", np.int16)):
            object.__setattr__(self, name, readonly(getattr(self, name), name, ndim=2, dtype=kind))
        for name in ("center", "center_error", "sigma", "sigma_error", "chi2", "resolution", "resolution_error"):
            object.__setattr__(self, name, readonly(getattr(self, name), name, ndim=2, dtype=np.float64))
            same_shape(name, getattr(self, name), shape)


class LaserPowers(NamedTuple):
    """Median resolving power E / FWHM of each laser and its median deviation: float64 (m,), NaN where none is known."""

    power: Array
    deviation: Array


class WavecalNumbers(TypedDict):
    """A wavelength solution of a whole array in numbers; None: not known."""

    resonators: int
    with_two_histograms: int | None
    with_photons: int | None
    solved: int
    flags: dict[str, int]
    lasers_nm: list[float]
    resolution: list[float | None]


@dataclass(frozen=True, slots=True, eq=False)
class WavelengthSolution:
    """E = c2 p^2 + c1 p + c0 of each resonator: photon energy in eV, phase in degree.

    Parameters
    ----------
    name : str
        Goes into the header of what it is applied to.
    ids : ndarray, int64 (n,)
        Resonator ids, ascending.
    coefficients : ndarray, float64 (n, 3)
        c2, c1, c0; NaN where there is no solution.
    flags : ndarray, uint32 (n,)
        Bits of WAVE_FLAGS.
    lasers : ndarray, float64 (m,)
        nm, ascending; may be empty.
    covariance : ndarray, float64 (n, 3, 3), optional
        Of the coefficients.
    phases : ndarray, float64 (n, 2), optional
        Degree; the phases that the lasers span.
    fits : LaserFits, optional
    grid : ndarray, int64 (ny, nx), optional
        Resonator id of each pixel, -1 for none.
    sources : tuple of str
        Names of the files it was made from.
    form : str
        What kind of file it was read from.
    """

    name: str
    ids: Array
    coefficients: Array
    flags: Array
    lasers: Array
    covariance: Array | None = None
    phases: Array | None = None
    fits: LaserFits | None = None
    grid: Array | None = None
    sources: tuple[str, ...] = ()
    form: str = ""

    def __post_init__(self) -> None:
        for name, ndim, kind in (("ids", 1, np.int64), ("coefficients", 2, np.float64), ("flags", 1, np.uint32),
                                 ("lasers", 1, np.float64)):  # fmt: skip
            object.__setattr__(self, name, readonly(getattr(self, name), name, ndim=ndim, dtype=kind))
        same_shape("coefficients", self.coefficients, (len(self.ids), 3))
        same_shape("flags", self.flags, (len(self.ids),))
        if len(self.ids) and (np.diff(self.ids) <= 0).any():
            raise FileFormatError("the resonators of a wavelength solution are not each there once, in order")

    @property
    def solved(self) -> Array:
        """Boolean (n,): resonators with a solution."""
        bad: Array = (self.flags & np.uint32(WAVE_BIT["wavecal.bad"])) != 0
        return np.isfinite(self.coefficients).all(axis=1) & ~bad

    def flag_names(self, row: int) -> tuple[str, ...]:
        """Names of the flags of a resonator."""
        return tuple(name for name, bit in WAVE_BIT.items() if int(self.flags[row]) & bit)

    def reason(self, row: int) -> str:
        """Why a resonator has no solution, in words; empty if it has one."""
        if self.solved[row]:
            return ""
        names = [n.removeprefix("wavecal.").replace("_", " ") for n in self.flag_names(row) if n != "wavecal.bad"]
        text = ", ".join(names) or "no solution"
        if self.fits is None:
            return text
        status, count = self.fits.status[row], self.fits.photons[row]
        parts = []
        for value in np.unique(status[status != HistogramStatus.GOOD]).tolist():
            which = ", ".join(f"{w:g}" for w in self.lasers[status == value])
            photons = f" ({int(count[status == value].max())} at most)" if value == HistogramStatus.NO_DATA else ""
            parts.append(f"{which} nm: {HistogramStatus(value).meaning}{photons}")
        return f"{text} ({'; '.join(parts)})" if parts else text

    def energy(self, phase: Array | float, row: int) -> Array:
        """Energy, eV, of phases of a resonator."""
        c2, c1, c0 = self.coefficients[row]
        p = np.asarray(phase, np.float64)
        return np.asarray((c2 * p + c1) * p + c0)

    def energy_error(self, phase: Array | float, row: int) -> Array:
        """One sigma of `energy`, eV; NaN without a covariance."""
        p = np.asarray(phase, np.float64)
        if self.covariance is None:
            return np.full(p.shape, np.nan)
        terms = np.stack([p * p, p, np.ones_like(p)], axis=-1)
        variance = np.einsum("...i,ij,...j->...", terms, self.covariance[row], terms)
        return np.asarray(np.sqrt(np.maximum(variance, 0)))

    def wavelength(self, phase: Array | float, row: int) -> Array:
        """Wavelength, nm, of phases of a resonator."""
        with np.errstate(divide="ignore"):
            return np.asarray(HC / self.energy(phase, row))

    def resolution(self) -> LaserPowers:
        """Resolving power of each laser over the resonators that are solved; empty without fits."""
        if self.fits is None:
            return LaserPowers(np.empty(0), np.empty(0))
        power, deviation = np.full((2, len(self.lasers)), np.nan)
        for k, column in enumerate(self.fits.resolution.T):
            good = column[np.isfinite(column) & self.solved]
            if len(good):
                power[k] = np.median(good)
                deviation[k] = np.median(np.abs(good - power[k]))
        return LaserPowers(power, deviation)

    def summary(self) -> WavecalNumbers:
        """Numbers of the whole array."""
        photons = None if self.fits is None or not self.fits.photons.any() else self.fits.photons
        count = {name: int(((self.flags & np.uint32(bit)) != 0).sum()) for name, bit in WAVE_BIT.items()}
        thin = (HistogramStatus.NO_DATA, HistogramStatus.TIME_CUT, HistogramStatus.POSITIVE_CUT)
        tried = None if photons is None or self.fits is None else (~np.isin(self.fits.status, thin)).sum(axis=1) > 1
        return {
            "resonators": len(self.ids),
            "with_two_histograms": None if tried is None else int(tried.sum()),
            "with_photons": None if photons is None else int((photons > 0).any(axis=1).sum()),
            "solved": int(self.solved.sum()),
            "flags": {name: n for name, n in count.items() if n},
            "lasers_nm": self.lasers.tolist(),
            "resolution": [None if np.isnan(r) else round(float(r), 3) for r in self.resolution().power],
        }

    def digest(self) -> str:
        """Says what it does to photons."""
        return digest(self.ids, self.coefficients, self.solved)
