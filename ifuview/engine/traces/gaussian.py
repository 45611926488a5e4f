"""Pixel-integrated Gaussian profiles of many columns at once, in single precision without branches.

Successive samples of a Gaussian have ratios that themselves form a geometric series, so that three exponentials per
fiber and column give all rows; the integral over a pixel is the sample times a series in Hermite polynomials (to 1e-6).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ifuview.model.checks import Array

F: Any = np.float32  # kernels work in single precision
NORM = F(0.3989422804014327)  # 1 / sqrt(2 pi)
C2, C4, C6 = F(1 / 24), F(24 / 1920), F(1920 / 322560)  # integral over a unit pixel: ratios of successive terms


@njit(fastmath=True, cache=True, nogil=True, error_model="numpy", inline="always")
def exp32(a: float) -> float:
    """Return exp(a) for -60 < a < 4 in single precision, to about 2e-6 for |a| < 8: a polynomial, squared six times."""
    a = a * F(1 / 64)
    p = F(1) + a * (F(1) + a * (F(0.5) + a * (F(1 / 6) + a * (F(1 / 24) + a * F(1 / 120)))))
    p = p * p
    p = p * p
    p = p * p
    p = p * p
    p = p * p
    return p * p


@njit(fastmath=True, cache=True, nogil=True, error_model="numpy", inline="always")
def pixel_factor(distance: float, inverse_variance: float) -> float:
    """Ratio of a Gaussian's integral over a unit pixel to its value in the middle of the pixel."""
    s = inverse_variance
    u = distance * distance * s
    h6 = u * (u * (u - F(15)) + F(45)) - F(15)
    h4 = u * (u - F(6)) + F(3)
    return F(1) + s * C2 * ((u - F(1)) + s * C4 * (h4 + s * C6 * h6))


@njit(fastmath=True, cache=True, nogil=True, error_model="numpy")
def start_series(offset: Array, sigma: Array, s: Array, up_value: Array, up: Array, down: Array, fall: Array) -> None:
    """First samples and ratios of the series for one fiber.

    Parameters
    ----------
    offset, sigma : float32 (n,), px
        Center minus the middle row, and width.
    s : float32 (n,), out
        1 / sigma^2.
    up_value : float32 (n,), out
        Normalized Gaussian at the middle row.
    up, down : float32 (n,), out
        Ratio of the next sample above and below.
    fall : float32 (n,), out
        Factor of both ratios from row to row.
    """
    for x in range(offset.size):
        d = offset[x]
        q = F(1) / (sigma[x] * sigma[x])
        s[x] = q
        up_value[x] = NORM / sigma[x] * exp32(F(-0.5) * d * d * q)
        up[x] = exp32((d - F(0.5)) * q)
        fall[x] = exp32(-q)
        down[x] = fall[x] / up[x]


@njit(fastmath=True, cache=True, nogil=True, error_model="numpy")
def advance(value: Array, ratio: Array, fall: Array) -> None:
    """Step the series by one row."""
    for x in range(value.size):
        value[x] *= ratio[x]
        ratio[x] *= fall[x]
