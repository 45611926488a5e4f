"""Light of all fibers on the rows about them in a few columns, all rows on the detector: Gaussian, or as measured."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.traces.profile.column import ABSENT, blend, lay
from ifuview.engine.traces.profile.fiber_profile import FiberProfile
from ifuview.model.checks import Array

HALF_ROWS = 6  # on each side of a fiber that get light of a Gaussian

Laid = tuple[NDArray[np.float64], NDArray[np.int64]]  # light (ncolumn, nfiber, nrows), its first rows (ncolumn, nfiber)


def laid_gaussians(center: Array, sigma: Array, nrow: int) -> Laid:
    """Gaussians of centers and widths (ncolumn, nfiber), px, on `nrow` rows; nothing of a fiber without a center."""
    light, first = _nothing(center, 2 * HALF_ROWS + 1)
    _gaussians(center, sigma, nrow, light, first)
    return light, first


def laid_profile(center: Array, profile: FiberProfile, columns: Array, nrow: int) -> Laid:
    """The same of a measured profile in some columns (ncolumn,)."""
    light, first = _nothing(center, 2 * profile.half_rows + 1)
    at, width = (np.ascontiguousarray(a[:, columns].T) for a in (profile.offset, profile.width))
    group, legendre = np.ascontiguousarray(profile.group), profile.legendre()[columns]
    _profiles(center + at, width, profile.tables(), legendre, profile.reach, group, nrow, light, first)
    return light, first


def _nothing(center: Array, rows: int) -> Laid:
    return np.zeros((*center.shape, rows)), np.zeros(center.shape, np.int64)


@njit(cache=True, nogil=True)
def _gaussians(center: Array, sigma: Array, nrow: int, light: Array, first: Array) -> None:
    half = light.shape[2] // 2
    for b in range(center.shape[0]):
        for k in range(center.shape[1]):
            middle = center[b, k]
            if not (-half < middle < nrow + half and sigma[b, k] > 0):
                continue
            low = min(max(math.floor(middle + 0.5) - half, 0), nrow - light.shape[2])
            first[b, k] = low
            scale = 1 / (sigma[b, k] * math.sqrt(2.0))
            edge = math.erf((low - 0.5 - middle) * scale)
            for j in range(light.shape[2]):
                upper = math.erf((low + j + 0.5 - middle) * scale)
                light[b, k, j] = 0.5 * (upper - edge)
                edge = upper


@njit(cache=True, nogil=True, error_model="numpy")
def _profiles(
    center: Array, width: Array, tables: Array, legendre: Array, reach: float, group: Array, nrow: int, light: Array,
    first: Array,
) -> None:  # fmt: skip
    table = np.zeros((tables.shape[0], tables.shape[2], 2))
    rows = light.shape[2]
    own, start = np.zeros((center.shape[1], rows)), np.zeros(center.shape[1], np.int64)
    for b in range(center.shape[0]):
        blend(tables, legendre[b], table)
        lay(center[b], width[b], table, reach, group, own, start)
        for k in range(start.size):
            if start[k] == ABSENT:
                continue
            first[b, k] = low = min(max(start[k], 0), nrow - rows)
            for j in range(max(start[k], low), min(start[k], low) + rows):
                light[b, k, j - low] = own[k, j - start[k]]
