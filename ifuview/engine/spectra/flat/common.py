"""The spectrum that all fibers share, finer than their pixels, as every fiber samples it at other wavelengths.

Straight lines between knots half a pixel apart, least squares through all samples of all fibers at their own
wavelengths; one tridiagonal system.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.errors import FitError
from ifuview.model.checks import Array

KNOTS = 2.0  # for each px
STIFF = 1e-4  # of the mean weight of a knot: holds knots that no sample falls on


@dataclass(frozen=True, slots=True, eq=False)
class CommonSpectrum:
    """Values at equally spaced wavelengths, straight between: `low`, `step` in Angstrom, value (nknot,)."""

    low: float
    step: float
    value: NDArray[np.float64]

    def at(self, wave: Array) -> NDArray[np.float64]:
        """Value at some wavelengths."""
        knot = self.low + self.step * np.arange(self.value.size)
        return np.asarray(np.interp(wave, knot, self.value))


def common_spectrum(wave: Array, value: Array, weight: Array) -> CommonSpectrum:
    """Fit the spectrum that all fibers share.

    Parameters
    ----------
    wave, value, weight : ndarray, shape (nfiber, ncol)
        Weight 0: not to be used.

    Raises
    ------
    FitError
        No sample has weight.
    """
    use = (weight > 0) & np.isfinite(wave) & np.isfinite(value)
    if not use.any():
        raise FitError("no fiber has light that all could share")
    low, high = float(wave[use].min()), float(wave[use].max())
    rows = use.any(axis=1)
    step = float(np.nanmedian(np.abs(np.diff(wave[rows], axis=1)))) / KNOTS
    n = int(np.ceil((high - low) / step)) + 2
    diagonal, beside, right = np.zeros(n), np.zeros(n), np.zeros(n)
    _accumulate(
        np.ascontiguousarray(wave, np.float64), np.where(use, value, 0).astype(np.float64),
        np.where(use, weight, 0).astype(np.float64), low, step, diagonal, beside, right,
    )  # fmt: skip
    stiff = STIFF * float(diagonal.mean())
    diagonal[1:-1] += 2 * stiff
    diagonal[[0, -1]] += stiff
    beside[:-1] -= stiff
    _thomas(diagonal, beside, right)
    return CommonSpectrum(low, step, right)


@njit(cache=True, nogil=True)
def _accumulate(
    wave: Array, value: Array, weight: Array, low: float, step: float, diagonal: Array, beside: Array, right: Array
) -> None:
    for k in range(wave.shape[0]):
        for x in range(wave.shape[1]):
            w = weight[k, x]
            if w <= 0:
                continue
            t = (wave[k, x] - low) / step
            i = int(t)
            t -= i
            diagonal[i] += w * (1 - t) * (1 - t)
            diagonal[i + 1] += w * t * t
            beside[i] += w * t * (1 - t)
            right[i] += w * (1 - t) * value[k, x]
            right[i + 1] += w * t * value[k, x]


@njit(cache=True, nogil=True)
def _thomas(diagonal: Array, beside: Array, right: Array) -> None:
    """Solve a symmetric tridiagonal system in place; the answer is in `right`."""
    for i in range(1, diagonal.size):
        share = beside[i - 1] / diagonal[i - 1]
        diagonal[i] -= share * beside[i - 1]
        right[i] -= share * right[i - 1]
    right[-1] /= diagonal[-1]
    for i in range(diagonal.size - 2, -1, -1):
        right[i] = (right[i] - beside[i] * right[i + 1]) / diagonal[i]
