"""What is counted from a photon list: images, cubes, light curves, spectra, histograms, bad pixels.

Arrays of the array are in image order (ny, nx); counts are whole numbers unless photons were weighted or pixels shared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from ifuview.model.checks import Array, readonly, same_shape
from ifuview.model.photons.lists import TICK, Column, PhotonCut, PhotonInfo


class Axis(StrEnum):
    """What the bins of a cube, a light curve or a spectrum are bins of."""

    TIME = "time"  # s
    WAVE = "wave"  # nm
    PHASE = "phase"  # degree

    @property
    def unit(self) -> str:
        """Unit of the edges, as FITS writes it."""
        return {"time": "s", "wave": "nm", "phase": "deg"}[self.value]


def unit_of(info: PhotonInfo, axis: Axis) -> str:
    """Unit of an axis of a photon list, as FITS writes it: that of the axis, but for phases that are none."""
    return info.phase_unit if axis is Axis.PHASE else axis.unit


def value_name(info: PhotonInfo) -> str:
    """What the third column is, for a plot or a slider."""
    if info.calibrated:
        return "Wavelength"
    return "Phase" if info.phase_unit == Axis.PHASE.unit else "Pulse height"


def value_axis(info: PhotonInfo) -> Axis:
    """What the third column of a photon list is."""
    return Axis.WAVE if info.column is Column.WAVELENGTH else Axis.PHASE


@dataclass(frozen=True, slots=True, eq=False)
class PhotonImage:
    """Photons per pixel.

    Parameters
    ----------
    counts : ndarray, shape (ny, nx)
        int64; float64 sums of weights if `cut.weighted`. 0 where a pixel is left out.
    variance : ndarray, float64, shape (ny, nx)
        Of `counts`: the counts, or the sums of the squares of the weights.
    excluded : ndarray, bool, shape (ny, nx)
        Pixels left out for their flags.
    info : PhotonInfo
        Of the list that was counted.
    cut : PhotonCut
        Which photons count.
    photons : int
        Photons that count, each once.
    start, stop : float
        s; the time range in fact.
    exposure : float
        s; what of it was not masked.
    last : float
        s; time of the last photon that counts, -1 for none.
    """

    counts: Array
    variance: Array
    excluded: Array
    info: PhotonInfo
    cut: PhotonCut
    photons: int
    start: float
    stop: float
    exposure: float
    last: float = -1.0

    def __post_init__(self) -> None:
        for name in ("counts", "variance", "excluded"):
            object.__setattr__(self, name, readonly(getattr(self, name), name, ndim=2))
            same_shape(name, getattr(self, name), self.info.beammap.shape)

    @property
    def exposure_map(self) -> Array:
        """s per pixel; 0 where a pixel is left out or shows no resonator."""
        seen = ~self.excluded & (self.info.beammap.index >= 0)
        return np.where(seen, self.exposure, 0.0)

    @property
    def rate(self) -> Array:
        """Photons per second; NaN where a pixel is left out."""
        return np.where(self.excluded, np.nan, self.counts / self.exposure if self.exposure > 0 else np.nan)

    @property
    def npixel_excluded(self) -> int:
        """Pixels left out for their flags."""
        return int(np.count_nonzero(self.excluded))

    @property
    def total(self) -> float:
        """Sum of the image; a whole number unless weighted."""
        return self.counts.sum().item()


@dataclass(frozen=True, slots=True, eq=False)
class PhotonCube:
    """Photons per pixel in bins of time or of the third column.

    Parameters
    ----------
    counts, variance : ndarray, shape (nbin, ny, nx)
        As of `PhotonImage`; `variance` is `counts` itself unless weighted.
    edges : ndarray, float64, shape (nbin + 1,)
        s, nm or degree; bins are half open.
    axis : Axis
    image : PhotonImage
        The sum over the bins, and what all planes share.
    """

    counts: Array
    variance: Array
    edges: Array
    axis: Axis
    image: PhotonImage

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", readonly(self.counts, "cube", ndim=3))
        object.__setattr__(self, "variance", readonly(self.variance, "cube variance", ndim=3))
        object.__setattr__(self, "edges", readonly(self.edges, "cube edges", ndim=1, dtype=np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Aperture:
    """Resonators with weights whose photons are added, and a background region.

    Parameters
    ----------
    label : str
    resonators : ndarray, int32, shape (n,)
        Places in `Beammap.ids`, ascending.
    weights : ndarray, float64, shape (n,)
        Overlap of the pixel and the region, px^2.
    background, background_weights : ndarray
        The same for the background; empty without one.
    center : (float, float)
        x, y in pixels.
    dropped : float
        px^2 of the region that flags, missing resonators or the border took.
    radius : float
        px; 0 for what is no circle.
    annulus : (float, float)
        Radii of the background region, px; (0, 0) without one.
    """

    label: str
    resonators: Array
    weights: Array
    background: Array = field(default_factory=lambda: np.empty(0, np.int32))
    background_weights: Array = field(default_factory=lambda: np.empty(0))
    center: tuple[float, float] = (0.0, 0.0)
    dropped: float = 0.0
    radius: float = 0.0
    annulus: tuple[float, float] = (0.0, 0.0)

    @property
    def area(self) -> float:
        """px^2 that are added up."""
        return float(self.weights.sum())

    @property
    def background_scale(self) -> float:
        """Factor from sums over the background region to the area of the aperture; 0 without a background."""
        total = float(self.background_weights.sum())
        return self.area / total if total > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class BinnedLight:
    """Light of an aperture in bins of time (a light curve) or of the third column (a spectrum).

    Parameters
    ----------
    axis : Axis
    edges : ndarray, float64, shape (nbin + 1,)
        s, nm or degree; half open.
    counts, variance : ndarray, shape (nbin,)
        Sum over the aperture; int64 for whole pixels and no weights.
    background, background_variance : ndarray, shape (nbin,)
        Expected in the aperture from its background region; 0 without one.
    exposure : ndarray, shape (nbin,)
        s that each bin was looked at.
    aperture : Aperture
    info : PhotonInfo
    cut : PhotonCut
    """

    axis: Axis
    edges: Array
    counts: Array
    variance: Array
    background: Array
    background_variance: Array
    exposure: Array
    aperture: Aperture
    info: PhotonInfo
    cut: PhotonCut

    @property
    def center(self) -> Array:
        """Middle of the bins."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    @property
    def net(self) -> Array:
        """Counts without the background."""
        return self.counts - self.background

    @property
    def error(self) -> Array:
        """1 sigma of `net`."""
        return np.sqrt(self.variance + self.background_variance)

    @property
    def rate(self) -> Array:
        """`net` per second; NaN where a bin was not looked at."""
        return self._per_second(self.net)

    @property
    def rate_error(self) -> Array:
        """1 sigma of `rate`."""
        return self._per_second(self.error)

    def _per_second(self, values: Array) -> Array:
        return np.divide(values, self.exposure, out=np.full(len(values), np.nan), where=self.exposure > 0)


@dataclass(frozen=True, slots=True, eq=False)
class CountLaw:
    """Expected number of bins for each count under one law.

    Parameters
    ----------
    name : str
    expected : ndarray, shape (nmax + 1,)
    ic, is_, ip, ic_error, is_error, ip_error : float
        photons/s; NaN where the law has none.
    """

    name: str
    expected: Array
    ic: float = np.nan
    is_: float = np.nan
    ip: float = np.nan
    ic_error: float = np.nan
    is_error: float = np.nan
    ip_error: float = np.nan


@dataclass(frozen=True, slots=True, eq=False)
class IntensityHistogram:
    """How many time bins held n photons, with the laws that may explain it.

    Parameters
    ----------
    histogram : ndarray, int64, shape (nmax + 1,)
    width : float
        s; of the time bins.
    curves : tuple of CountLaw
        Poisson, modified Rician by moments, by maximum likelihood.
    mean, variance : float
        Photons per bin.
    """

    histogram: Array
    width: float
    curves: tuple[CountLaw, ...]
    mean: float
    variance: float


@dataclass(frozen=True, slots=True, eq=False)
class IntervalHistogram:
    """Time from each photon to the next of the same resonator.

    Parameters
    ----------
    edges : ndarray, shape (nbin + 1,)
        s
    counts : ndarray, int64, shape (nbin,)
    expected : ndarray, shape (nbin,)
        For steady light of the same mean and the dead time.
    rate : float
        photons/s of one resonator, corrected for dead time; the mean of all that are in the aperture.
    dead_time : float
        s
    shorter : int
        Intervals below the dead time.
    """

    edges: Array
    counts: Array
    expected: Array
    rate: float
    dead_time: float
    shorter: int


@dataclass(frozen=True, slots=True, eq=False)
class BadPixels:
    """Pixels whose number of photons cannot be light.

    Parameters
    ----------
    hot, cold, dead : ndarray, bool, shape (ny, nx)
        A pixel is one of them at most.
    significance : ndarray, float64, shape (ny, nx)
        Signed; sigma of the deviation from what the method expects.
    method : str
    """

    hot: Array
    cold: Array
    dead: Array
    significance: Array
    method: str

    @property
    def bad(self) -> Array:
        """Hot, cold or dead."""
        return self.hot | self.cold | self.dead


@dataclass(frozen=True, slots=True, eq=False)
class TimeMask:
    """Times whose photons do not count.

    Parameters
    ----------
    start, stop : ndarray, int64, shape (n,)
        Microseconds since the start of the list; [start, stop), ascending, apart from each other.
    reasons : tuple of str
        One for each.
    """

    start: Array
    stop: Array
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", readonly(self.start, "starts of masked times", ndim=1, dtype=np.int64))
        object.__setattr__(self, "stop", readonly(self.stop, "ends of masked times", ndim=1, dtype=np.int64))
        same_shape("ends of masked times", self.stop, self.start.shape)

    @property
    def total(self) -> float:
        """Masked time, s."""
        return float((self.stop - self.start).sum()) * TICK
