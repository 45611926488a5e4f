"""A picture of fibers: each pixel belongs to the nearest fiber, if that is near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ifuview.model.checks import Array

FINE = 6.0  # pixels of the picture over the usual distance of neighboring fibers
REACH = 0.62  # of that distance that a fiber covers: neighbors on a hexagonal grid touch at 0.58
MOST = 1200  # pixels along a side


@dataclass(frozen=True, slots=True, eq=False)
class FiberPicture:
    """Where the pixels of a picture lie.

    Parameters
    ----------
    row : ndarray of int, shape (ny, nx)
        Fiber of each pixel, -1 for none.
    x0, y0, step : float
        Place of the first pixel and distance of neighbors, in the unit of the positions.
    """

    row: Array
    x0: float
    y0: float
    step: float

    def values(self, of_fibers: Array, blank: float) -> Array:
        """The picture of a value of each fiber, single precision."""
        padded = np.append(np.asarray(of_fibers, np.float32), np.float32(blank))
        return padded[self.row]


def paint_fibers(x: Array, y: Array) -> FiberPicture | None:
    """The picture of fibers at positions (n,), NaN where one is not known; None for fewer than two places."""
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    places = np.unique(np.stack([x[known], y[known]], axis=1), axis=0)
    if len(places) < 2:
        return None
    apart, _ = cKDTree(places).query(places, k=2)
    spacing = float(np.median(apart[:, 1]))
    low, high = places.min(axis=0) - spacing, places.max(axis=0) + spacing
    step = max(spacing / FINE, float(np.max(high - low)) / MOST)
    nx, ny = (int(np.ceil(n)) + 1 for n in (high - low) / step)
    grid = np.stack(np.meshgrid(low[0] + step * np.arange(nx), low[1] + step * np.arange(ny)), axis=-1)
    away, nearest = cKDTree(np.stack([x[known], y[known]], axis=1)).query(grid.reshape(-1, 2))
    row = np.where(away <= REACH * spacing, known[nearest], -1).reshape(ny, nx)
    return FiberPicture(row, float(low[0]), float(low[1]), step)
