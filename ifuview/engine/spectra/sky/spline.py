"""Spectra common to many fibers, each seen at the fiber's own wavelengths: a least-squares B-spline of several terms.

sample(fiber, wave) = sum over terms t of share_t(fiber, wave) * spectrum_t(wave). With one term and shares of one this
is the oversampled sky of Kelson (2003); with the shares of a source as second term sky and source are found together,
so that the source's wings are not taken for sky. A fiber with a wider line spread sees the spectrum convolved, to first
order spectrum + (sigma2 - mean sigma2) / 2 * second derivative, which a cubic B-spline has at hand.
Banded normal equations; variance from the inverse within the band (Takahashi et al. 1973).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.cores import blocks, spread
from ifuview.model.checks import Array

STIFFNESS = 1e-7  # of the smoothness, against what a typical coefficient is weighted with: bridges gaps, bends nothing


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What a spline is fitted to or evaluated at.

    Parameters
    ----------
    wave : ndarray of float64, shape (nfiber, nwave), Angstrom
    share : ndarray of float32, shape (nterm, nfiber, nwave)
    extra : ndarray of float32, shape (nfiber, nwave), Angstrom2
        Half of what the square of the line spread's sigma is above its mean.
    """

    wave: Array
    share: Array
    extra: Array


@dataclass(frozen=True, slots=True, eq=False)
class CommonSpectra:
    """Cubic B-splines on equally spaced knots.

    Parameters
    ----------
    start, step : float, Angstrom
        Of the knots.
    coeff : ndarray of float64, shape (ncoeff, nterm)
    spread : ndarray of float64, shape (ncoeff * nterm, 4 * nterm)
        Covariance of a coefficient with itself and those after it, terms running fastest.
    """

    start: float
    step: float
    coeff: NDArray[np.float64]
    spread: NDArray[np.float64]

    def values(self, samples: Samples, term: int = 0) -> NDArray[np.float32]:
        """One term as each fiber sees it, share included; shape (nfiber, nwave)."""
        return self._evaluated(samples, term, np.empty((0, 0), np.float32))

    def evaluate(self, samples: Samples, term: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One term as each fiber sees it, and its variance."""
        variance = np.empty(samples.wave.shape, np.float32)
        return self._evaluated(samples, term, variance), variance

    def _evaluated(self, samples: Samples, term: int, variance: Array) -> NDArray[np.float32]:
        out = np.empty(samples.wave.shape, np.float32)
        share = samples.share[term]

        def some(part: tuple[int, int]) -> None:
            _evaluate(
                samples.wave, share, samples.extra, self.start, self.step, self.coeff, self.spread, term, part[0],
                part[1], out, variance,
            )  # fmt: skip

        spread(some, blocks(len(out)))
        return out

    def at(self, wave: Array, term: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One term with a share of one at wavelengths (nwave,), and its variance."""
        row = np.ascontiguousarray(wave, np.float64)[None]
        one = np.zeros((self.coeff.shape[1], *row.shape), np.float32)
        one[term] = 1.0
        value, variance = self.evaluate(Samples(row, one, np.zeros(row.shape, np.float32)), term)
        return value[0], variance[0]

    def alone(self) -> CommonSpectra:
        """The first term without the others."""
        nterm = self.coeff.shape[1]
        coeff, wide = (np.ascontiguousarray(a) for a in (self.coeff[:, :1], self.spread[::nterm, ::nterm]))
        return CommonSpectra(self.start, self.step, coeff, wide)


def fit_common(samples: Samples, value: Array, weight: Array, step: float) -> CommonSpectra:
    """Fit all terms together.

    Parameters
    ----------
    samples : Samples
    value, weight : ndarray of float32, shape (nfiber, nwave)
        Weight = 1 / variance, zero for what is left out.
    step : float, Angstrom
        Between knots.
    """
    wave = samples.wave
    low, high = float(wave.min()), float(wave.max())
    count = math.ceil((high - low) / step) + 4
    terms = samples.share.shape[0]
    parts = blocks(wave.shape[0])
    normals, rights = np.zeros((len(parts), count * terms, 4 * terms)), np.zeros((len(parts), count * terms))

    kernel = _accumulate_one if terms == 1 else _accumulate

    def add(n: int) -> None:
        first, last = parts[n]
        args = samples.share, samples.extra, value, weight
        kernel(wave, *args, low, step, first, last, normals[n], rights[n])

    spread(add, range(len(parts)))
    normal, right = normals.sum(axis=0), rights.sum(axis=0)
    _stiffen(normal, terms, STIFFNESS)
    _factor(normal)
    _solve(normal, right)
    _invert(normal)
    return CommonSpectra(low, step, right.reshape(count, terms), normal)


@njit(cache=True, nogil=True, inline="always")
def _basis(t: float, b: Array) -> None:
    """The four cubic B-splines at a fraction t between knots."""
    s = 1 - t
    b[0] = s * s * s / 6
    b[1] = (3 * t * t * t - 6 * t * t + 4) / 6
    b[2] = (3 * s * s * s - 6 * s * s + 4) / 6
    b[3] = t * t * t / 6


@njit(cache=True, nogil=True, inline="always")
def _bend(t: float, by: float, b: Array) -> None:
    """Add `by` times the second derivative (in knots)."""
    b[0] += by * (1 - t)
    b[1] += by * (3 * t - 2)
    b[2] += by * (1 - 3 * t)
    b[3] += by * t


@njit(cache=True, nogil=True, fastmath={"contract"})
def _accumulate(
    wave: Array, share: Array, extra: Array, value: Array, weight: Array, low: float, step: float, first: int,
    last: int, normal: Array, right: Array,
) -> None:  # fmt: skip
    """Upper band of the normal matrix, row by row, and the right side, of some fibers."""
    terms, _, nwave = share.shape
    b, row = np.empty(4), np.empty(4 * terms)
    for k in range(first, last):
        for i in range(nwave):
            w = weight[k, i]
            if not w > 0:
                continue
            u = (wave[k, i] - low) / step
            j = int(u)
            _basis(u - j, b)
            if extra[k, i] != 0:
                _bend(u - j, extra[k, i] / (step * step), b)
            for m in range(4):
                for c in range(terms):
                    row[m * terms + c] = b[m] * share[c, k, i]
            for m in range(4 * terms):
                if row[m] == 0:
                    continue
                wr = w * row[m]
                right[j * terms + m] += wr * value[k, i]
                for n in range(m, 4 * terms):
                    normal[j * terms + m, n - m] += wr * row[n]


@njit(cache=True, nogil=True, fastmath={"contract"})
def _accumulate_one(
    wave: Array, share: Array, extra: Array, value: Array, weight: Array, low: float, step: float, first: int,
    last: int, normal: Array, right: Array,
) -> None:  # fmt: skip
    """The same for a single term, without loops over terms: three times as fast."""
    b = np.empty(4)
    knots, bent = 1 / step, 1 / (step * step)
    for k in range(first, last):
        for i in range(wave.shape[1]):
            w = weight[k, i]
            if not w > 0:
                continue
            u = (wave[k, i] - low) * knots
            j = int(u)
            _basis(u - j, b)
            if extra[k, i] != 0:
                _bend(u - j, extra[k, i] * bent, b)
            s = float(share[0, k, i])
            b0, b1, b2, b3 = s * b[0], s * b[1], s * b[2], s * b[3]
            w0, w1, w2, w3, v = w * b0, w * b1, w * b2, w * b3, float(value[k, i])
            right[j] += w0 * v
            right[j + 1] += w1 * v
            right[j + 2] += w2 * v
            right[j + 3] += w3 * v
            normal[j, 0] += w0 * b0
            normal[j, 1] += w0 * b1
            normal[j, 2] += w0 * b2
            normal[j, 3] += w0 * b3
            normal[j + 1, 0] += w1 * b1
            normal[j + 1, 1] += w1 * b2
            normal[j + 1, 2] += w1 * b3
            normal[j + 2, 0] += w2 * b2
            normal[j + 2, 1] += w2 * b3
            normal[j + 3, 0] += w3 * b3


@njit(cache=True, nogil=True)
def _stiffen(normal: Array, terms: int, share: float) -> None:
    """Add a little smoothness of each term: the square of the second difference of neighboring coefficients."""
    n = normal.shape[0]
    for c in range(terms):
        total, count = 0.0, 0
        for i in range(c, n, terms):
            if normal[i, 0] > 0:
                total += normal[i, 0]
                count += 1
        w = share * total / max(count, 1) + 1e-300
        for i in range(c, n - 2 * terms, terms):
            for m in range(3):
                for k in range(m, 3):
                    a = 1.0 if m != 1 else -2.0
                    d = 1.0 if k != 1 else -2.0
                    normal[i + m * terms, (k - m) * terms] += w * a * d
        for i in range(c, n, terms):
            normal[i, 0] += 1e-4 * w


@njit(cache=True, nogil=True)
def _factor(a: Array) -> None:
    """U^T U in place, upper band by rows; what is not positive is made harmless."""
    n, width = a.shape
    for i in range(n):
        d = math.sqrt(a[i, 0]) if a[i, 0] > 0 else 1e150
        a[i, 0] = d
        last = min(width, n - i)
        for k in range(1, last):
            a[i, k] /= d
        for k in range(1, last):
            f = a[i, k]
            if f != 0:
                for m in range(k, last):
                    a[i + k, m - k] -= f * a[i, m]


@njit(cache=True, nogil=True)
def _solve(a: Array, x: Array) -> None:
    """Both triangles, in place."""
    n, width = a.shape
    for i in range(n):
        x[i] /= a[i, 0]
        for k in range(1, min(width, n - i)):
            x[i + k] -= a[i, k] * x[i]
    for i in range(n - 1, -1, -1):
        total = x[i]
        for k in range(1, min(width, n - i)):
            total -= a[i, k] * x[i + k]
        x[i] = total / a[i, 0]


@njit(cache=True, nogil=True)
def _invert(a: Array) -> None:
    """Replace U by the band of the inverse of U^T U, from the last row to the first."""
    n, width = a.shape
    u = np.empty(width)
    for i in range(n - 1, -1, -1):
        last = min(width, n - i)
        u[:last] = a[i, :last]
        for k in range(last - 1, -1, -1):
            total = 1 / u[0] if k == 0 else 0.0
            for m in range(1, last):
                if m == k or k == 0:
                    z = a[i + m, 0] if k != 0 else a[i, m]
                elif m < k:
                    z = a[i + m, k - m]
                else:
                    z = a[i + k, m - k]
                total -= u[m] * z
            a[i, k] = total / u[0]


@njit(cache=True, nogil=True, fastmath={"contract"})
def _evaluate(
    wave: Array, share: Array, extra: Array, low: float, step: float, coeff: Array, spread: Array, term: int,
    first: int, last: int, out: Array, variance: Array,
) -> None:  # fmt: skip
    terms, most = coeff.shape[1], coeff.shape[0] - 4
    knots, bent = 1 / step, 1 / (step * step)
    b = np.empty(4)
    for k in range(first, last):
        for i in range(wave.shape[1]):
            u = (wave[k, i] - low) * knots
            j = min(max(int(u), 0), most)
            _basis(min(max(u - j, 0.0), 1.0), b)
            if extra[k, i] != 0:
                _bend(u - j, extra[k, i] * bent, b)
            total, square = 0.0, 0.0
            for m in range(4):
                total += b[m] * coeff[j + m, term]
            out[k, i] = share[k, i] * total
            if variance.size == 0:
                continue
            for m in range(4):
                at = (j + m) * terms + term
                square += b[m] * b[m] * spread[at, 0]
                for n in range(m + 1, 4):
                    square += 2 * b[m] * b[n] * spread[at, (n - m) * terms]
            variance[k, i] = share[k, i] * share[k, i] * square
