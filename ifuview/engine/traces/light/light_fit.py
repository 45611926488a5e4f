"""What the fit of the light gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """Variance of a pixel = floor + per_count * counts, and where it comes from."""

    floor: float
    per_count: float
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class LightFit:
    """Fit of all slots; arrays (nslot, nbin) unless said.

    Parameters
    ----------
    edges : (nbin + 1,)
        First columns of the bins.
    center : float64
        Measured mean of the light at the middle of the bins; NaN where not measured.
    path : (nslot, nbin)
        Smooth center that was used in the last round, at the middle of the bins.
    error : px
        1 sigma of `center`, scaled by the chi2 of the image where that exceeds one.
    width, width_err, flux, flux_err, chi2, clipped
    shape : (ngroup, nbin, 3)
        Skewness, kurtosis, background.
    background, background_err : (ngroup, nbin), counts
        Measured in each bin.
    group : (nslot,)
    full_flux, full_variance : float32 (ncol, nslot)
    marks : uint8 (ncol, nrow)
        `kernel.USED` and `kernel.MARKED`.
    scale : float
        Chi2 per degree of freedom of the whole image.
    with_next : (nslot, nbin)
        Correlation of the error of `center` with that of the next slot: where profiles overlap.
    bad_rows : tuple of (row, first column, last column)
        Left out because they stick out along dispersion.
    """

    edges: NDArray[np.intp]
    center: Array
    path: Array
    error: Array
    width: Array
    width_err: Array
    flux: Array
    flux_err: Array
    chi2: Array
    clipped: Array
    shape: Array
    background: Array
    background_err: Array
    group: Array
    full_flux: Array
    full_variance: Array
    marks: Array
    noise: Noise
    scale: float
    with_next: Array
    bad_rows: tuple[tuple[int, int, int], ...] = ()

    @property
    def together(self) -> float:
        """Variance of a mean of the centers of many neighbors, over that of independent errors."""
        weight = np.where(np.isfinite(self.error), 1 / np.where(np.isfinite(self.error), self.error, 1), 0)
        shared = float((self.with_next[:-1] * weight[:-1] * weight[1:]).sum())
        return 1 + 2 * shared / max(float((weight**2).sum()), 1e-30)

    @property
    def column(self) -> Array:
        """Middle of the bins, px."""
        return (self.edges[:-1] + self.edges[1:] - 1) / 2
