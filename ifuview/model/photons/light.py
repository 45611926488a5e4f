"""Light of an aperture of a photon list: light curves, spectra, and histograms of counts and of intervals."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.photons.images import BinAxis
from ifuview.model.photons.lists import PhotonCut, PhotonInfo


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
    axis : BinAxis
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

    axis: BinAxis
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
