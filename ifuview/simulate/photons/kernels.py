"""Photons of one resonator after the other, compiled; imported only when a long list is made."""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.model.checks import Array


@njit(cache=True, nogil=True)
def throw(rng: np.random.Generator, first: int, counts: Array, speckle: Array, kept: float, steps: int, ticks: int,
          waves: Array, coefficients: Array, sigma: Array, solved: Array, hc: float, resonator: Array, time: Array,
          value: Array) -> None:  # fmt: skip
    """Fill columns with photons of the resonators `first`..., by (resonator, time).

    Parameters
    ----------
    counts : ndarray, int64, shape (n,)
        Photons of each.
    speckle : ndarray, float64, shape (n,)
        Part of the light that is speckles, 0 to 1.
    kept : float
        What is left of the complex speckle field after one of `steps` equal steps of the exposure of `ticks`.
    waves : ndarray, float64
        Wavelengths that are equally likely, nm.
    coefficients, sigma, solved : ndarray, shape (n, 3), (n,), (n,)
        E = a p^2 + b p + c; width at 1 eV, of the root of the energy; whether the value is a wavelength.
    """
    bright = np.empty(steps)
    fresh = np.sqrt((1 - kept * kept) / 2)
    at = 0
    for k in range(counts.size):
        real, imaginary = rng.normal() * np.sqrt(0.5), rng.normal() * np.sqrt(0.5)
        total = 0.0
        for j in range(steps):
            real = kept * real + fresh * rng.normal()
            imaginary = kept * imaginary + fresh * rng.normal()
            bright[j] = 1 - speckle[k] + speckle[k] * (real * real + imaginary * imaginary)
            total += bright[j]
        start = at
        place = 0.0
        for _ in range(counts[k]):  # sums of exponentials over their whole are sorted uniform numbers
            place += rng.standard_exponential()
            value[at] = place
            at += 1
        place += rng.standard_exponential()
        scale = total / place
        step, passed = 0, 0.0
        a, b, c = coefficients[k, 0], coefficients[k, 1], coefficients[k, 2]
        for i in range(start, at):
            light = value[i] * scale
            while step < steps - 1 and passed + bright[step] <= light:
                passed += bright[step]
                step += 1
            part = min((light - passed) / bright[step], 1.0)
            time[i] = np.uint32(min((step + part) * ticks / steps, ticks - 1.0))
            resonator[i] = first + k
            energy = hc / waves[int(rng.random() * waves.size)]
            slope = np.sqrt(b * b - 4 * a * (c - energy))
            phase = 2 * (c - energy) / (slope - b) + rng.normal() * sigma[k] * np.sqrt(energy) / slope
            value[i] = hc / ((a * phase + b) * phase + c) if solved[k] else phase
