"""Maps of a speckle pattern: constant, speckle and incoherent light of every pixel, with errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ifuview.model.checks import Array, readonly, same_shape
from ifuview.model.photons.lists import PhotonCut, PhotonInfo

PARTS = {"ic": "constant (coherent) light", "is": "speckle light", "ip": "incoherent light"}


@dataclass(frozen=True, slots=True, eq=False)
class SpeckleMaps:
    """Intensities per pixel in photons per second; NaN where nothing was measured.

    Parameters
    ----------
    ic, is_, ip : ndarray, float64, shape (ny, nx)
        Constant, speckle and incoherent light.
    ic_error, is_error, ip_error : ndarray, float64, shape (ny, nx)
        1 sigma; that of Ip is NaN where it was given, or is that of the whole array.
    steady_error : ndarray, float64, shape (ny, nx)
        1 sigma of Ic + Ip, which the data know better than either.
    lives : ndarray, float64, shape (ny, nx)
        How many independent intensities of its speckles a pixel has seen; errors grow where they are few.
    photons : ndarray, int64, shape (ny, nx)
        Used for the pixel.
    loglike : ndarray, float64, shape (ny, nx)
    converged : ndarray, bool, shape (ny, nx)
        Where the photons tell something; elsewhere all is NaN.
    excluded : ndarray, bool, shape (ny, nx)
        Pixels left out for their flags.
    info : PhotonInfo
    cut : PhotonCut
    method : str
        "binned" or "arrival".
    width : float
        s; time bin, or the longest gap that is used in full.
    start, stop : float
        s
    common : float
        Incoherent light that every pixel has at least, photons per second.
    """

    ic: Array
    is_: Array
    ip: Array
    ic_error: Array
    is_error: Array
    ip_error: Array
    steady_error: Array
    lives: Array
    photons: Array
    loglike: Array
    converged: Array
    excluded: Array
    info: PhotonInfo
    cut: PhotonCut
    method: str
    width: float
    start: float
    stop: float
    common: float = 0.0

    def __post_init__(self) -> None:
        for name in (
            "ic",
            "is_",
            "ip",
            "ic_error",
            "is_error",
            "ip_error",
            "steady_error",
            "lives",
            "photons",
            "loglike",
            "converged",
            "excluded",
        ):
            object.__setattr__(self, name, readonly(getattr(self, name), name, ndim=2))
            same_shape(name, getattr(self, name), self.info.beammap.shape)

    @property
    def steady(self) -> Array:
        """Ic + Ip."""
        return np.asarray(self.ic + self.ip)

    @property
    def usual_lives(self) -> float:
        """Independent intensities that a usual pixel has seen; NaN if no pixel has photons enough."""
        known = np.isfinite(self.lives)
        return float(np.median(self.lives[known])) if known.any() else float("nan")

    @property
    def nothing(self) -> str:
        """Why no pixel was measured; empty where some were."""
        if np.isfinite(self.is_).any():
            return ""
        if np.isfinite(self.lives).any():
            return f"speckles lived too long: a pixel saw about {self.usual_lives:.2g} independent intensities"
        return "no pixel has photons enough"

    def part(self, name: str) -> tuple[Array, Array]:
        """Values and errors of "ic", "is" or "ip"."""
        found = {"ic": (self.ic, self.ic_error), "is": (self.is_, self.is_error), "ip": (self.ip, self.ip_error)}
        return found[name]

    def snr(self, name: str) -> Array:
        """Signal to noise of "ic", "is" or "ip"; NaN where the error was not measured."""
        value, error = self.part(name)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(value / error)


class Decay(NamedTuple):
    """Autocorrelation of a light curve, and an exponential through it.

    lag : s, shape (n,)
    value, error : autocovariance over the squared mean at each lag, without the photon noise at lag 0 (NaN)
    life : s, in which it falls to 1/e; with 1 sigma error
    contrast : relative variance of the intensity, extrapolated to lag 0; with 1 sigma error
    """

    lag: Array
    value: Array
    error: Array
    life: float
    life_error: float
    contrast: float
    contrast_error: float
