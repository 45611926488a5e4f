"""Wavelength and fiber of each pixel of the detector, from the traces and wavelengths of the fibers."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.model.checks import Array


def wave_image(center: Array, wave: Array, nrow: int) -> NDArray[np.float32]:
    """Wavelength of each pixel, by straight lines between the traces of a column and on beyond the outermost ones.

    Parameters
    ----------
    center : ndarray, shape (nfiber, ncol), px
        Rows of the traces, rising; fibers with NaN are passed over.
    wave : ndarray, shape (nfiber, ncol), Angstrom
    nrow : int

    Returns
    -------
    ndarray of float32, shape (nrow, ncol)
        Zero in columns with fewer than two traces.
    """
    out = np.zeros((nrow, center.shape[1]), np.float32)
    _lines(np.ascontiguousarray(center, np.float64), np.ascontiguousarray(wave, np.float64), out)
    return out


def fiber_image(center: Array, nrow: int) -> NDArray[np.int16]:
    """Number of the fiber, from 1, on the four rows from the one below a trace's to two above; 0 elsewhere.

    Parameters
    ----------
    center : ndarray, shape (nfiber, ncol), px
    nrow : int
    """
    out = np.zeros((nrow, center.shape[1]), np.int16)
    column = np.arange(center.shape[1])
    known = np.isfinite(center)
    below = np.where(known, np.floor(np.where(known, center, 0.0)), -9).astype(int)
    for fiber in range(center.shape[0]):
        for step in (-1, 0, 1, 2):
            row = below[fiber] + step
            inside = known[fiber] & (row >= 0) & (row < nrow)
            out[row[inside], column[inside]] = fiber + 1
    return out


@njit(cache=True, nogil=True)
def _lines(center: Array, wave: Array, out: Array) -> None:
    nfiber, ncol = center.shape
    rows, values = np.empty(nfiber), np.empty(nfiber)
    for x in range(ncol):
        n = 0
        for k in range(nfiber):
            if np.isfinite(center[k, x]) and np.isfinite(wave[k, x]) and (n == 0 or center[k, x] > rows[n - 1]):
                rows[n], values[n] = center[k, x], wave[k, x]
                n += 1
        if n < 2:
            continue
        i = 0
        for y in range(out.shape[0]):
            while i < n - 2 and rows[i + 1] < y:
                i += 1
            slope = (values[i + 1] - values[i]) / (rows[i + 1] - rows[i])
            out[y, x] = values[i] + slope * (y - rows[i])
