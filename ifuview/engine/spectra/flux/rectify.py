"""All fibers on one grid of wavelengths: values of flux density between samples, by cubic interpolation.

Lagrange's cubic through the two neighbors on either side, in the pixels of the fiber, which leaves the width of a line
as it is (a straight line widens an unresolved line by up to 0.25 px2); a straight line where one of the outer two is
masked. A sample is masked where one of the inner two is. Variance: squared coefficients; neighbors on the grid are
correlated, which `variance` does not tell.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import UNUSABLE, ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra

EDGE = int(ReductionBit.EDGE)


def rectify(spectra: FiberSpectra, grid: Array) -> FiberSpectra:
    """Return the spectra on the rising wavelengths `grid`, shape (nwave,), in the same unit, which is a density."""
    grid = np.ascontiguousarray(grid, np.float64)
    flux, variance, mask = _on_grid(spectra.flux, spectra.variance, spectra.mask, spectra.wave, grid)
    return replace(spectra, flux=flux, variance=variance, mask=mask, wave=grid, chi2=None)


def rectify_values(values: Array, wave: Array, grid: Array) -> NDArray[np.float32]:
    """Values without noise or mask, as of a model, on the grid.

    Parameters
    ----------
    values : ndarray, shape (nfiber, nwave)
    wave : ndarray, shape (nfiber, nwave) or (nwave,), Angstrom
    grid : ndarray, shape (n,), Angstrom

    Returns
    -------
    ndarray of float32, shape (nfiber, n)
        Zero outside of the fiber's range.
    """
    nothing = np.zeros(values.shape, np.uint32)
    return _on_grid(values, values, nothing, wave, np.ascontiguousarray(grid, np.float64))[0]


def _on_grid(
    flux: Array, variance: Array, mask: Array, wave: Array, grid: Array
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint32]]:
    own = np.ascontiguousarray(np.broadcast_to(wave, flux.shape), np.float64)
    shape = (flux.shape[0], grid.size)
    out, spread, bits = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.uint32)
    light, square = np.ascontiguousarray(flux, np.float32), np.ascontiguousarray(variance, np.float32)
    _interpolate(light, square, np.ascontiguousarray(mask), own, grid, int(UNUSABLE), EDGE, out, spread, bits)
    return out, spread, bits


@njit(cache=True, nogil=True)
def _interpolate(
    flux: Array, variance: Array, mask: Array, wave: Array, grid: Array, unusable: int, edge: int,
    out: Array, spread: Array, bits: Array,
) -> None:  # fmt: skip
    """One fiber after the other, with a pointer that runs along."""
    n = flux.shape[1]
    c = np.empty(4)
    for k in range(flux.shape[0]):
        i = 0
        for j in range(grid.size):
            w = grid[j]
            if w < wave[k, 0] or w > wave[k, n - 1]:
                bits[k, j] = edge
                continue
            while i < n - 2 and wave[k, i + 1] <= w:
                i += 1
            t = (w - wave[k, i]) / (wave[k, i + 1] - wave[k, i])
            whole = i > 0 and i < n - 2
            if whole:
                whole = (mask[k, i - 1] & unusable) == 0 and (mask[k, i + 2] & unusable) == 0
            if whole:
                c[0] = -t * (t - 1) * (t - 2) / 6
                c[1] = (t + 1) * (t - 1) * (t - 2) / 2
                c[2] = -(t + 1) * t * (t - 2) / 2
                c[3] = (t + 1) * t * (t - 1) / 6
            else:
                c[0], c[1], c[2], c[3] = 0.0, 1 - t, t, 0.0
            total, square = 0.0, 0.0
            for m in range(4):
                if c[m] != 0.0:
                    total += c[m] * flux[k, i - 1 + m]
                    square += c[m] * c[m] * variance[k, i - 1 + m]
            out[k, j] = total
            spread[k, j] = square
            near = mask[k, i] if t < 1 else np.uint32(0)  # of what counts
            bits[k, j] = near | (mask[k, i + 1] if t > 0 else np.uint32(0))
