"""Fiber peaks of one cross-section: local maxima above a level that follows the illumination."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array

SMOOTH = np.array([0.06, 0.24, 0.40, 0.24, 0.06])  # about a Gaussian of 1 px
FLOOR_REACH = 12  # px, half window of the local minimum
PEAKS_AROUND = 12  # peaks on each side whose median height is the local standard
MIN_SHARE = 0.1  # of the local standard
MIN_SIGMA = 8.0  # of the noise above the local minimum, which itself lies about 2 sigma low
MIN_SPACING = 3.0  # px
EDGE = 3  # px at both ends without peaks


def find_peaks(counts: Array, error: Array | float) -> NDArray[np.float64]:
    """Return rows of the fiber peaks in rising order, to a fraction of a px.

    Parameters
    ----------
    counts : ndarray, shape (nrow,)
        Mean of a few columns.
    error : ndarray or float
        1 sigma of `counts`.
    """
    counts = np.nan_to_num(np.asarray(counts, np.float64))
    smooth = np.convolve(counts, SMOOTH, "same")
    noise = np.broadcast_to(np.asarray(error, np.float64), counts.shape) * np.sqrt((SMOOTH**2).sum())
    at = np.flatnonzero((smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])) + 1
    at = at[(at >= EDGE) & (at < counts.size - EDGE)]
    if at.size == 0:
        return np.zeros(0)
    height = smooth[at] - _local_floor(smooth)[at]
    at, height = (a[height > MIN_SIGMA * noise[at]] for a in (at, height))
    if at.size == 0:
        return np.zeros(0)
    keep = height > MIN_SHARE * _local_standard(height)
    at, height = _spaced(at[keep], height[keep])
    below, here, above = smooth[at - 1], smooth[at], smooth[at + 1]
    curvature = below - 2 * here + above
    shift: NDArray[np.float64] = np.where(
        curvature < 0, 0.5 * (below - above) / np.where(curvature < 0, curvature, -1), 0.0
    )
    return at + shift


def _local_floor(smooth: Array) -> NDArray[np.float64]:
    """Smallest value within FLOOR_REACH."""
    padded = np.pad(smooth, FLOOR_REACH, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * FLOOR_REACH + 1).min(axis=1)


def _local_standard(height: Array) -> NDArray[np.float64]:
    """Upper quartile of the heights of the peaks around each."""
    reach = min(PEAKS_AROUND, max(height.size - 1, 0))
    padded = np.pad(height, reach, mode="reflect") if reach else height
    return np.quantile(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), 0.75, axis=1)


def _spaced(at: Array, height: Array) -> tuple[Array, Array]:
    """Of two peaks that are too close the higher one."""
    keep = np.ones(at.size, bool)
    for i in np.flatnonzero(np.diff(at) < MIN_SPACING):
        keep[i if height[i] < height[i + 1] else i + 1] = False
    return at[keep], height[keep]
