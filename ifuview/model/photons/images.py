"""What is counted from a photon list by pixel: images and cubes.

Arrays of the array are in image order (ny, nx); counts are whole numbers unless photons were weighted or pixels shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ifuview.model.checks import Array, readonly, same_shape
from ifuview.model.photons.lists import PhotonColumn, PhotonCut, PhotonInfo


class BinAxis(StrEnum):
    """What the bins of a cube, a light curve or a spectrum are bins of."""

    TIME = "time"  # s
    WAVE = "wave"  # nm
    PHASE = "phase"  # degree

    @property
    def unit(self) -> str:
        """Unit of the edges, as FITS writes it."""
        return {"time": "s", "wave": "nm", "phase": "deg"}[self.value]


def unit_of(info: PhotonInfo, axis: BinAxis) -> str:
    """Unit of an axis of a photon list, as FITS writes it: that of the axis, but for phases that are none."""
    return info.phase_unit if axis is BinAxis.PHASE else axis.unit


def value_name(info: PhotonInfo) -> str:
    """What the third column is, for a plot or a slider."""
    if info.calibrated:
        return "Wavelength"
    return "Phase" if info.phase_unit == BinAxis.PHASE.unit else "Pulse height"


def value_axis(info: PhotonInfo) -> BinAxis:
    """What the third column of a photon list is."""
    return BinAxis.WAVE if info.column is PhotonColumn.WAVELENGTH else BinAxis.PHASE


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
    axis : BinAxis
    image : PhotonImage
        The sum over the bins, and what all planes share.
    """

    counts: Array
    variance: Array
    edges: Array
    axis: BinAxis
    image: PhotonImage

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", readonly(self.counts, "cube", ndim=3))
        object.__setattr__(self, "variance", readonly(self.variance, "cube variance", ndim=3))
        object.__setattr__(self, "edges", readonly(self.edges, "cube edges", ndim=1, dtype=np.float64))
