"""Medians of what is known, and the scatter that they tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array

MAD_TO_SIGMA = 1.4826  # Gaussian sigma over median absolute deviation


def median_along(values: Array) -> NDArray[np.float64]:
    """Median along the last axis, NaN where nothing is known."""
    if np.isfinite(values).all():  # several times faster
        whole: NDArray[np.float64] = np.median(values, axis=-1)
        return whole
    known = np.isfinite(values)
    count = known.sum(axis=-1, keepdims=True)
    ordered = np.sort(np.where(known, values, np.nan), axis=-1)  # NaN last; nanmedian takes several times as long
    low, high = (np.take_along_axis(ordered, k, axis=-1)[..., 0] for k in (np.maximum(count - 1, 0) // 2, count // 2))
    out: NDArray[np.float64] = np.where(low == high, low, 0.5 * (low + high))
    return out


def robust_sigma(values: Array, about: float | None = None) -> float:
    """Gaussian sigma from the median absolute deviation of what is known, NaN where nothing is.

    Parameters
    ----------
    values : ndarray
    about : float, optional
        Default: their median.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan")
    middle = np.median(known) if about is None else about
    return MAD_TO_SIGMA * float(np.median(np.abs(known - middle)))
