"""Small systems of normal equations inside kernels, by Cholesky's factors."""

from __future__ import annotations

import math

from numba import njit

from ifuview.model.checks import Array


@njit(cache=True, nogil=True)
def factored(normal: Array, least: float) -> bool:
    """Replace the lower half of a matrix by its factor; False if a pivot is not above `least` of its diagonal."""
    for i in range(normal.shape[0]):
        for j in range(i + 1):
            total = normal[i, j]
            for k in range(j):
                total -= normal[i, k] * normal[j, k]
            if i > j:
                normal[i, j] = total / normal[j, j]
            elif total > least * abs(normal[i, i]):
                normal[i, i] = math.sqrt(total)
            else:
                return False
    return True


@njit(cache=True, nogil=True)
def solve_factored(factor: Array, right: Array, out: Array) -> None:
    """Solve with a factor of `factored`; `out` may be `right`."""
    m = right.size
    for i in range(m):
        total = right[i]
        for k in range(i):
            total -= factor[i, k] * out[k]
        out[i] = total / factor[i, i]
    for i in range(m - 1, -1, -1):
        total = out[i]
        for k in range(i + 1, m):
            total -= factor[k, i] * out[k]
        out[i] = total / factor[i, i]
