"""Medians of what is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array


def median_along(values: Array) -> NDArray[np.float64]:
    """Median along the last axis, NaN where nothing is known."""
    empty = np.asarray(~np.isfinite(values).any(axis=-1))
    out: NDArray[np.float64] = np.nanmedian(np.where(empty[..., None], 0.0, values), axis=-1)
    out[empty] = np.nan
    return out
