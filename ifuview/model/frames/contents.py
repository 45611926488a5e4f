"""What is in a region of an image."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.model.checks import Array


@dataclass(frozen=True, slots=True, eq=False)
class RegionContents:
    """Statistics, values and radial profile of the pixels in a region.

    Parameters
    ----------
    npix, known : int
        Pixels inside, and those of them that have a value and are not masked.
    total, total_error : float
        Sum of those, and its 1-sigma error as for independent pixels, NaN without variances.
    mean, median, scatter : float
        `scatter` is the standard deviation of one pixel.
    low, high : float
        Smallest and largest value.
    x, y : float, px
        Native place of the mean of the positive light, NaN where there is none.
    columns, rows : ndarray of int, shape (npix,)
        The pixels.
    values, errors : ndarray, shape (npix,)
        NaN where masked or unknown; `errors` are NaN without variances.
    radius, profile, profile_error : ndarray, shape (nring,)
        Mean of the pixels in rings of a pixel about the center of the region, out to twice its size.
    """

    npix: int
    known: int
    total: float
    total_error: float
    mean: float
    median: float
    scatter: float
    low: float
    high: float
    x: float
    y: float
    columns: Array
    rows: Array
    values: Array
    errors: Array
    radius: Array
    profile: Array
    profile_error: Array
