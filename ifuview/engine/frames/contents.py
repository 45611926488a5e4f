"""Statistics and radial profile of the pixels in a region, with errors from their variances."""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.frames.contents import RegionContents

Corner = tuple[int, int]


def measure_region(
    data: Array, variance: Array | None, inside: Array, corner: Corner, center: tuple[float, float]
) -> RegionContents:
    """Measure what is in a region.

    Parameters
    ----------
    data : ndarray, shape (ny, nx)
        A part of the image around the region, NaN where masked or unknown.
    variance : ndarray or None
        Of `data`; infinite where nothing is known. Such pixels are in no error, and no sum.
    inside : ndarray of bool, shape (ny, nx)
    corner : (int, int)
        Native column and row of the first pixel of `data`.
    center : (float, float), native px
        About which the profile is.
    """
    known = np.isfinite(data) if variance is None else np.isfinite(data) & np.isfinite(variance)
    use = inside & known
    rows, columns = np.nonzero(inside)
    values = data[use]
    noise = np.full(data.shape, np.nan) if variance is None else np.where(np.isfinite(variance), variance, np.nan)
    light = np.where(use & (data > 0), data, 0.0)
    y, x = np.mgrid[: data.shape[0], : data.shape[1]].astype(float)
    total_light = float(light.sum())
    nan = float("nan")
    radius, profile, error = _rings(data, noise, known, np.hypot(x + corner[0] - center[0], y + corner[1] - center[1]))
    some = values.size > 0
    return RegionContents(
        npix=int(inside.sum()), known=int(use.sum()),
        total=float(values.sum()) if some else nan,
        total_error=float(np.sqrt(noise[use].sum())) if some else nan,
        mean=float(values.mean()) if some else nan,
        median=float(np.median(values)) if some else nan,
        scatter=float(values.std(ddof=1)) if values.size > 1 else nan,
        low=float(values.min()) if some else nan,
        high=float(values.max()) if some else nan,
        x=float((light * x).sum() / total_light) + corner[0] if total_light > 0 else nan,
        y=float((light * y).sum() / total_light) + corner[1] if total_light > 0 else nan,
        columns=columns + corner[0], rows=rows + corner[1],
        values=np.where(known, data, np.nan)[inside], errors=np.sqrt(noise)[inside],
        radius=radius, profile=profile, profile_error=error,
    )  # fmt: skip


def _rings(data: Array, noise: Array, known: Array, distance: Array) -> tuple[Array, Array, Array]:
    """Mean radius, mean and its error in rings of a pixel; rings without a known pixel are left out."""
    ring = np.round(distance[known]).astype(int)
    if not ring.size:
        return np.empty(0), np.empty(0), np.empty(0)
    count = np.bincount(ring)
    with np.errstate(divide="ignore", invalid="ignore"):
        radius = np.bincount(ring, distance[known]) / count
        profile = np.bincount(ring, data[known]) / count
        error = np.sqrt(np.bincount(ring, noise[known])) / count
    some = count > 0
    return radius[some], profile[some], error[some]
