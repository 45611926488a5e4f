"""Fluxes of all fibers in one column: the solution of their normal equations, of which only next neighbors overlap.

One kernel for all fits of profiles, in the precision of the arrays that it is given. The sums stay with the fits: each
is shaped to its own rows and terms, and one function for both cost a tenth of the doctor's time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.model.checks import Array


@njit(nogil=True, error_model="numpy")
def solve_fluxes(
    diag: Array, off: Array, rhs: Array, ridge: float, down: Array, up: Array, flux: Array, variance: Array
) -> None:
    """Solve the equations, with the exact diagonal of the inverse from pivots of both directions.

    Parameters
    ----------
    diag, off, rhs : (nfiber,), in and out
    ridge : float
        The diagonal is taken so many times larger: two traces on one fiber stay solvable.
    down, up : (nfiber,), out
        Pivots from both ends.
    flux, variance : (nfiber,), out
        Variance is inf where nothing is known.
    """
    n = diag.size
    factor, one, zero = diag.dtype.type(ridge), diag.dtype.type(1), diag.dtype.type(0)
    for k in range(n):
        diag[k] = diag[k] * factor
        down[k] = diag[k]
        if k > 0 and down[k - 1] > 0:
            ratio = off[k - 1] / down[k - 1]
            down[k] -= off[k - 1] * ratio
            rhs[k] -= rhs[k - 1] * ratio
    for k in range(n - 1, -1, -1):
        up[k] = diag[k]
        known = down[k] > 0 and diag[k] > 0
        if k + 1 < n:
            if up[k + 1] > 0:
                up[k] -= off[k] * off[k] / up[k + 1]
            flux[k] = (rhs[k] - off[k] * flux[k + 1]) / down[k] if known else zero
        else:
            flux[k] = rhs[k] / down[k] if known else zero
        pivot = down[k] + up[k] - diag[k]
        variance[k] = one / pivot if known and pivot > 0 else np.inf
