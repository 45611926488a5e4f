"""Calibrations of photon lists: wavelength solutions, flat weights, and the stack of steps that uses them.

Solutions are per resonator, in the order of their ids, so that they fit any list of the same array.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import numpy as np

from ifuview.errors import FileFormatError, UsageError
from ifuview.model.checks import Array, readonly, same_shape
from ifuview.model.photons.lists import HC, NO_RESONATOR, Beammap
from ifuview.model.photons.products import TimeMask

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
FLAT_FLAGS = ("flatcal.bad", "flatcal.not_all_weights_valid")
FLAT_BIT = MappingProxyType({name: 1 << i for i, name in enumerate(FLAT_FLAGS)})
CUT_OUT = 0.9  # of the pixels of a list lie in the array of a solution as in the list, if it is a part of that
SHARED_IDS = 0.5  # of the resonators of a list must be in a solution for it to be of the same array


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


def _frozen(value: Any, name: str, ndim: int, kind: Any) -> Array:
    return readonly(value, name, ndim=ndim, dtype=kind)


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
        As the model of `engine.photons.wavecal_models` wants them: kind of background and six numbers.
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
            object.__setattr__(self, name, _frozen(getattr(self, name), name, 2, kind))
        for name in ("center", "center_error", "sigma", "sigma_error", "chi2", "resolution", "resolution_error"):
            object.__setattr__(self, name, _frozen(getattr(self, name), name, 2, np.float64))
            same_shape(name, getattr(self, name), shape)


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
            object.__setattr__(self, name, _frozen(getattr(self, name), name, ndim, kind))
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

    def resolution(self) -> Array:
        """Median resolving power and its median deviation of each laser: float64 (m, 2)."""
        if self.fits is None or not len(self.lasers):
            return np.empty((0, 2))
        out = np.full((len(self.lasers), 2), np.nan)
        for k, column in enumerate(self.fits.resolution.T):
            good = column[np.isfinite(column) & self.solved]
            if len(good):
                out[k] = np.median(good), np.median(np.abs(good - np.median(good)))
        return out

    def summary(self) -> dict[str, Any]:
        """Numbers of the whole array."""
        photons = None if self.fits is None or not self.fits.photons.any() else self.fits.photons
        count = {name: int(((self.flags & np.uint32(bit)) != 0).sum()) for name, bit in WAVE_BIT.items()}
        resolution = self.resolution()
        thin = (HistogramStatus.NO_DATA, HistogramStatus.TIME_CUT, HistogramStatus.POSITIVE_CUT)
        tried = None if photons is None or self.fits is None else (~np.isin(self.fits.status, thin)).sum(axis=1) > 1
        return {
            "resonators": len(self.ids),
            "with_two_histograms": None if tried is None else int(tried.sum()),
            "with_photons": None if photons is None else int((photons > 0).any(axis=1).sum()),
            "solved": int(self.solved.sum()),
            "flags": {name: n for name, n in count.items() if n},
            "lasers_nm": self.lasers.tolist(),
            "resolution": [None if np.isnan(r) else round(float(r), 3) for r in resolution[:, 0]],
        }

    def digest(self) -> str:
        """Says what it does to photons."""
        return _digest(self.ids, self.coefficients, self.solved)


@dataclass(frozen=True, slots=True, eq=False)
class FlatSolution:
    """Weights that make the array respond evenly, by resonator and wavelength.

    Parameters
    ----------
    name : str
    ids : ndarray, int64 (n,)
        Resonator ids, ascending.
    waves : ndarray, float64 (m,)
        nm; middles of the bins, ascending.
    weights, errors : ndarray, float64 (n, m)
        NaN where there is no weight.
    flags : ndarray, uint32 (n,)
        Bits of FLAT_FLAGS.
    edges : ndarray, float64 (m + 1,), optional
        nm
    polynomial : ndarray, float64 (n, k), optional
        Coefficients of a polynomial in nm, highest power first.
    method : str
        "interpolation" (linear between the middles of the bins, constant beyond) or "polynomial".
    counts : ndarray, float64 (n, m), optional
        Photons behind each weight.
    grid, sources, form
        As in `WavelengthSolution`.
    source : str
        "white" or "laser".
    """

    name: str
    ids: Array
    waves: Array
    weights: Array
    errors: Array
    flags: Array
    edges: Array | None = None
    polynomial: Array | None = None
    method: str = "interpolation"
    counts: Array | None = None
    grid: Array | None = None
    sources: tuple[str, ...] = ()
    source: str = "white"
    form: str = ""

    def __post_init__(self) -> None:
        for name, ndim, kind in (("ids", 1, np.int64), ("waves", 1, np.float64), ("weights", 2, np.float64),
                                 ("errors", 2, np.float64), ("flags", 1, np.uint32)):  # fmt: skip
            object.__setattr__(self, name, _frozen(getattr(self, name), name, ndim, kind))
        shape = (len(self.ids), len(self.waves))
        same_shape("weights", self.weights, shape)
        same_shape("errors", self.errors, shape)
        same_shape("flags", self.flags, shape[:1])
        if self.method not in FLAT_METHODS:
            raise UsageError(f"there is no flat method {self.method!r}", todo=f"choose {' or '.join(FLAT_METHODS)}")
        if self.method == "polynomial" and self.polynomial is None:
            raise UsageError("the flat has no polynomials", self.name, "choose interpolation")
        if len(self.ids) and (np.diff(self.ids) <= 0).any():
            raise FileFormatError("the resonators of a flat are not each there once, in order")
        if not len(self.waves) or (np.diff(self.waves) <= 0).any():
            raise FileFormatError("the wavelengths of a flat do not rise")

    @property
    def usable(self) -> Array:
        """Boolean (n,): resonators with a weight in at least one bin."""
        bad: Array = (self.flags & np.uint32(FLAT_BIT["flatcal.bad"])) != 0
        return ~bad & np.isfinite(self.weights).any(axis=1)

    def using(self, method: str) -> FlatSolution:
        """The same weights used by the other method."""
        return replace(self, method=method)

    def digest(self) -> str:
        """Says what it does to photons."""
        own = self.weights if self.method == "interpolation" else self.polynomial
        return _digest(self.ids, self.waves, own, self.usable) + self.method[0]


FLAT_METHODS = ("interpolation", "polynomial")


def _digest(*arrays: Array | None) -> str:
    found = hashlib.blake2b(digest_size=12)
    for array in arrays:
        if array is not None:
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


@dataclass(frozen=True, slots=True)
class WaveStep:
    """Phases become wavelengths."""

    solution: WavelengthSolution
    on: bool = True
    key: str = field(default="wavecal", init=False)


@dataclass(frozen=True, slots=True)
class FlatStep:
    """Weights are multiplied by those of a flat."""

    solution: FlatSolution
    on: bool = True
    key: str = field(default="flatcal", init=False)


@dataclass(frozen=True, slots=True)
class LinearityStep:
    """Weights make up for the dead time: 1 / (1 - N tau / (2 dt)), N photons within dt on either side."""

    window: float = 1e-3  # s
    dead_time: float = 1e-5  # s
    on: bool = True
    key: str = field(default="lincal", init=False)


@dataclass(frozen=True, slots=True)
class MaskStep:
    """Photons of some times are left out; `key` is "cosmiccal" for cosmic rays, "timemask" for others."""

    mask: TimeMask
    key: str = "cosmiccal"
    method: str = "poisson"
    on: bool = True


@dataclass(frozen=True, slots=True)
class FlagStep:
    """Pixel flags are set: name to boolean image (ny, nx)."""

    flags: Mapping[str, Array]
    method: str = "threshold"
    on: bool = True
    key: str = field(default="pixcal", init=False)


Step = WaveStep | FlatStep | LinearityStep | MaskStep | FlagStep
STEP_ORDER = ("lincal", "wavecal", "flatcal", "pixcal", "cosmiccal", "timemask")


@dataclass(frozen=True, slots=True)
class CalibrationStack:
    """Steps on top of the columns of a file; each is there once and can be switched off.

    Whatever the order in which they are given, they act in the order of STEP_ORDER: neighbors are counted among all
    photons, weights of a flat need wavelengths, and masked photons go last.
    """

    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        keys = [step.key for step in self.steps]
        if len(set(keys)) < len(keys):
            raise UsageError("a calibration step is there twice", todo="take one away")
        object.__setattr__(self, "steps", tuple(sorted(self.steps, key=lambda step: STEP_ORDER.index(step.key))))

    def get(self, key: str) -> Step | None:
        """The step of that key."""
        return next((step for step in self.steps if step.key == key), None)

    def active(self, key: str) -> Any:
        """The step of that key if it is switched on."""
        step = self.get(key)
        return step if step is not None and step.on else None

    def with_step(self, step: Step) -> CalibrationStack:
        """The stack with a step added, or put in the place of the one of its key."""
        return CalibrationStack((*(s for s in self.steps if s.key != step.key), step))

    def without(self, key: str) -> CalibrationStack:
        """The stack without a step."""
        return CalibrationStack(tuple(s for s in self.steps if s.key != key))

    def switched(self, key: str, on: bool) -> CalibrationStack:
        """The stack with a step switched on or off."""
        return CalibrationStack(tuple(replace(s, on=on) if s.key == key else s for s in self.steps))


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


def rows_of(ids: Array, wanted: Array) -> Array:
    """Place of each wanted id in ascending `ids`; -1 where it is not there."""
    if not len(ids):
        return np.full(np.shape(wanted), -1, np.int64)
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[place] == wanted, place, -1)


def grid_of(beammap: Beammap) -> Array:
    """Resonator id of each pixel (ny, nx), -1 for none."""
    return np.where(beammap.index < 0, -1, np.append(beammap.ids, -1)[beammap.index])


def pixel_of(grid: Array | None, resonator: int) -> tuple[int, int] | None:
    """(x, y) of the first pixel of a resonator."""
    if grid is None:
        return None
    found = np.argwhere(grid == resonator)
    return (int(found[0][1]), int(found[0][0])) if len(found) else None


def image_of(solution: WavelengthSolution | FlatSolution, values: Array, empty: float = np.nan) -> Array:
    """Values per resonator of a solution as an image (..., ny, nx); of the solution's own pixels.

    Raises
    ------
    UsageError
        The solution does not say where its resonators are.
    """
    if solution.grid is None:
        raise UsageError("the solution does not say where its resonators are", solution.name, "use another form of it")
    rows = rows_of(solution.ids, solution.grid)
    out = np.take(values, np.maximum(rows, 0), axis=0).astype(np.float64)
    out[rows < 0] = empty
    return np.moveaxis(out, (0, 1), (-2, -1))


def check_same_array(solution: WavelengthSolution | FlatSolution, beammap: Beammap, where: str = "") -> None:
    """Raise FileFormatError, one sentence, if a solution is of another array than a photon list.

    Arrays of different instruments number their resonators alike, so that the size counts too; a list of a part of
    the array is no other array.
    """
    grid = solution.grid
    if grid is not None and grid.shape != beammap.shape and not _part_of(grid, beammap):
        own, other = (f"{shape[1]} x {shape[0]}" for shape in (grid.shape, beammap.shape))
        raise FileFormatError(
            f"the calibration is of an array of {own} pixels, the photons of one of {other}",
            where or solution.name, "choose the one of this array",
        )  # fmt: skip
    known = beammap.ids[beammap.ids != NO_RESONATOR]
    shared = int(np.isin(known, solution.ids).sum())
    if not shared or shared < SHARED_IDS * min(len(known), len(solution.ids)):
        raise FileFormatError(
            f"the calibration is of another array: it shares {shared} of {len(known)} resonators",
            where or solution.name, "choose the one of this array",
        )  # fmt: skip


def _part_of(grid: Array, beammap: Beammap) -> bool:
    """Whether the pixels of a list lie side by side in a larger array as in the list."""
    own = grid_of(beammap)
    if any(small > large for small, large in zip(own.shape, grid.shape)):
        return False
    order = np.argsort(grid.ravel(), kind="stable")
    y, x = np.nonzero(own >= 0)
    rows = rows_of(grid.ravel()[order], own[y, x])
    there = rows >= 0
    if there.mean() < SHARED_IDS if len(rows) else True:
        return False
    at = np.stack(np.unravel_index(order[rows[there]], grid.shape)) - np.stack([y[there], x[there]])
    return bool((at == np.median(at, axis=1).astype(int)[:, None]).all(axis=0).mean() > CUT_OUT)


def merged_flags(beammap: Beammap, names: Sequence[str], bits: Mapping[str, Array], full: Sequence[str]) -> Beammap:
    """A beammap whose flags `names` are what `bits` (name to boolean image) says, and no more.

    Names that the file does not know are added at the end; `full` is the list to start with if it has none at all.
    """
    listed = list(beammap.flag_names) or list(full)
    listed += [name for name in names if name not in listed]
    flags = np.array(beammap.flags)
    for name in names:
        bit = np.uint64(1 << listed.index(name))
        flags &= ~bit
        if name in bits:
            flags[np.asarray(bits[name], bool)] |= bit
    return Beammap(beammap.ids, beammap.index, flags, tuple(listed), beammap.flag_notes)


def array_fields(value: Any) -> dict[str, Array]:
    """Arrays of a solution by name."""
    found = {f.name: getattr(value, f.name) for f in fields(value)}
    return {name: item for name, item in found.items() if isinstance(item, np.ndarray)}
