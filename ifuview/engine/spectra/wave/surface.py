"""A smooth surface over columns and fibers through lines: how far beyond its column each is expected, in pixels.

It is a sum of products of Legendre polynomials. Lines weigh by their own errors and by what a list of lines can be
wrong (`LIST_ERROR`), so that a few bright lines do not decide alone; the degree along dispersion is the lowest one that
no other is clearly better than by the Bayesian information criterion (Schwarz 1978) of the mean residuals of the lines:
a bend that is not called for runs away where lines are far apart. Lines off by more than others allow are left out one
by one; the scatter of the line means that is left goes into the error of the surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.engine.spectra.wave.shape import DEGREE, WaveShape
from ifuview.errors import FitError
from ifuview.model.checks import Array

LIST_ERROR = 0.005  # px, how well lines are known
SAME_ERROR = 0.03  # px, how well light that is the same in all fibers tells a smooth difference of them
LEAST_ERROR = 0.002  # px, of one center
MAX_DEGREE = 5
FIBER_DEGREE = (4, 4, 3, 2, 2, 2)  # along fibers, for each degree along dispersion
FIBERS_PER_DEGREE = 6  # fibers that each degree along fibers needs
CLEARLY = 4.0  # of the criterion, that a higher degree is better: 2 to 6 is positive evidence (Kass & Raftery 1995)
LEAST_MISS = 0.3  # mean square of the lines' residuals in their errors: a better fit is chance
OWN = 0.01  # px: lines of one fiber weigh alike in its own offset when their errors are smaller
CLIP = 5.0  # robust sigma, of single centers
LINE_CLIP = 6.0  # sigma, of the mean of a line against the others
LINE_SCATTER = 0.005  # px, that lines scatter in any case
LEAST_FREE = 0.9  # lines beyond those that the terms take, without the one that may be off
ROUNDS = 4
LEAST_SHARE = 0.2  # of the fibers that must show a line


@dataclass(frozen=True, slots=True, eq=False)
class WaveSurface:
    """A fitted surface.

    Parameters
    ----------
    coeff : ndarray, shape (nterm,)
    spread : ndarray, shape (nterm, nterm)
        Covariance.
    terms : tuple of (int, int)
        Degree along columns and along fibers of each term.
    used : ndarray of bool, shape (nfiber, nline)
    line_scatter : float, px
        Of the line means about the surface, beyond their errors.
    line_spread : ndarray, shape (degree + 1, degree + 1)
        Covariance along columns from that scatter.
    chi2 : float
        For each degree of freedom.
    alike : ndarray, shape (degree + 1, degree + 1), 1/px2
        What is known beforehand of what is off in all fibers alike.
    criteria : tuple of float
        Information criterion of each degree along columns that was tried, from 1.
    """

    coeff: NDArray[np.float64]
    spread: NDArray[np.float64]
    terms: tuple[tuple[int, int], ...]
    used: NDArray[np.bool_]
    line_scatter: float
    line_spread: NDArray[np.float64]
    chi2: float
    alike: NDArray[np.float64]
    criteria: tuple[float, ...] = ()

    @property
    def degree(self) -> int:
        """Along columns."""
        return self.line_spread.shape[0] - 1

    @property
    def common(self) -> NDArray[np.float64]:
        """Coefficients along columns of what all fibers share, px."""
        return self.coeff[[n for n, (_, j) in enumerate(self.terms) if j == 0]]

    def at(self, u: Array, v: Array) -> NDArray[np.float64]:
        """Value at pairs of u and v of one shape."""
        return np.asarray(design(u, v, self.terms) @ self.coeff)

    def grid(self, u: Array, v: Array) -> NDArray[np.float64]:
        """Value at all fibers v and columns u, shape (nv, nu)."""
        across, along = _products(u, v, self.terms, self.coeff)
        return np.asarray(across @ along)

    def error(self, u: Array, v: Array) -> NDArray[np.float64]:
        """One sigma (px) at all fibers v and columns u, shape (nv, nu)."""
        few = np.linspace(0, u.size - 1, min(u.size, 65))
        some_u = np.interp(few, np.arange(u.size), u)
        uu, vv = np.meshgrid(some_u, v)
        rows = design(uu.ravel(), vv.ravel(), self.terms)
        square = np.einsum("ij,jk,ik->i", rows, self.spread, rows).reshape(uu.shape)
        lines = np.polynomial.legendre.legvander(some_u, self.line_spread.shape[0] - 1)
        square = np.sqrt(np.maximum(square + np.einsum("ij,jk,ik->i", lines, self.line_spread, lines), 0))
        at = np.arange(u.size)
        return np.array([np.interp(at, few, row) for row in square])

    def told(self, wave: Array, error: Array) -> str:
        """Which of the lines at `wave` it rests on, and the median `error` of its wavelengths (Angstrom), in words."""
        fitted = np.asarray(self.used[:, : wave.size]).any(axis=0)
        lacks = ", ".join(f"{one:.1f}" for one in np.asarray(wave)[~fitted])
        words = f"{np.count_nonzero(fitted)} of {wave.size} lines" + (f" (not {lacks} A)" if lacks else "")
        return f"{words}, formal error {np.median(error):.4f} A"


def design(u: Array, v: Array, terms: tuple[tuple[int, int], ...]) -> NDArray[np.float64]:
    """Products of Legendre polynomials at points, shape (n, nterm)."""
    along = np.polynomial.legendre.legvander(u, max(t[0] for t in terms))
    across = np.polynomial.legendre.legvander(v, max(t[1] for t in terms))
    i, j = (np.array(t) for t in zip(*terms, strict=True))
    return np.asarray(along[..., i] * across[..., j])


def _products(u: Array, v: Array, terms: tuple[tuple[int, int], ...], coeff: Array) -> tuple[Array, Array]:
    """Factors (nv, n) and (n, nu) of the values on a grid."""
    most_u, most_v = max(t[0] for t in terms), max(t[1] for t in terms)
    table = np.zeros((most_v + 1, most_u + 1))
    for (i, j), c in zip(terms, coeff, strict=True):
        table[j, i] = c
    return np.polynomial.legendre.legvander(v, most_v) @ table, np.polynomial.legendre.legvander(u, most_u).T


def fit_wave_surface(
    u: Array, v: Array, value: Array, error: Array, shape: WaveShape, degree: int = MAX_DEGREE, least: int = 1,
    unknown: int = 0,
) -> WaveSurface:  # fmt: skip
    """Fit a surface through the lines of a group of fibers.

    Parameters
    ----------
    u : ndarray, shape (nfiber, nline)
        Columns of the lines, on [-1, 1]; NaN: not measured.
    v : ndarray, shape (nfiber,)
        Place of the fibers, on [-1, 1].
    value : ndarray, shape (nfiber, nline), px
        To fit: how far beyond its own column each line is expected.
    error : ndarray, shape (nfiber, nline), px
        Of the columns.
    shape : WaveShape
        How far coefficients usually go.
    degree, least : int
        Along columns at most, and at least where there are lines enough.
    unknown : int
        How many of the lines, the last ones, are the same in all fibers but at an unknown wavelength.

    Raises
    ------
    FitError
        Fewer than two lines.
    """
    good = np.isfinite(u) & np.isfinite(value) & np.isfinite(error)
    good &= good.sum(axis=0) >= max(LEAST_SHARE * good.any(axis=1).sum(), 1)
    error = np.hypot(error, LEAST_ERROR)
    known = np.arange(good.shape[1]) < good.shape[1] - unknown
    while True:
        nline = int(good[:, known].any(axis=0).sum())
        if nline < 2:
            raise FitError("fewer than two lines are left to fit wavelengths")
        most = min(degree, max(nline - 1, DEGREE if shape.known else 1))
        first = min(max(least, DEGREE if shape.known else 1), most)
        tried = [_one_degree(u, v, value, error, good, known, d, shape) for d in range(first, most + 1)]
        best = tried[simplest([t[0] for t in tried])][1]
        found = replace(best, criteria=(*[np.inf] * (first - 1), *(t[0] for t in tried)))
        worst = _odd_line(u, v, value, error, known, found)
        if worst < 0:
            return found
        good[:, worst] = False


def simplest(criteria: Sequence[float]) -> int:
    """Place of the first of some criteria, of rising degrees, that none is clearly better than."""
    return int(np.flatnonzero(np.asarray(criteria) <= min(criteria) + CLEARLY)[0])


def _terms(degree: int, nfiber: int) -> tuple[tuple[int, int], ...]:
    """Terms of a surface of some degree along columns."""
    most = max(nfiber // FIBERS_PER_DEGREE, 0)
    return tuple((i, j) for i in range(degree + 1) for j in range(min(FIBER_DEGREE[i], most) + 1))


def _one_degree(
    u: Array, v: Array, value: Array, error: Array, good: Array, known: Array, degree: int, shape: WaveShape
) -> tuple[float, WaveSurface]:
    """Information criterion and surface of one degree."""
    terms = _terms(degree, int(good.any(axis=1).sum()))
    k, i = np.nonzero(good)
    prior = np.diag(np.asarray(shape.widths(terms) ** -2.0, np.float64))
    rows = design(u[k, i], v[k], terms)
    y, sigma = value[k, i], error[k, i]
    for line in np.unique(i[~known[i]]):  # it tells how fibers differ, not what they share
        own = i == line
        rows[own] -= np.average(rows[own], axis=0, weights=sigma[own] ** -2)
        y[own] -= np.average(y[own], weights=sigma[own] ** -2)
    alike = np.array([j == 0 for _, j in terms])
    rows[~known[i][:, None] & alike] = 0
    total = _sums(1 / sigma**2, i, good.shape[1])
    share = 1 / (1 + np.where(known, LIST_ERROR, SAME_ERROR) ** 2 * total)  # what that leaves of a line's weight
    weight = share[i] / sigma**2
    kept = np.ones(y.size, bool)
    for _ in range(ROUNDS):
        w = np.where(kept, weight, 0)
        normal = rows.T @ (w[:, None] * rows) + prior
        normal[np.diag_indices_from(normal)] *= 1 + 1e-12
        coeff = np.linalg.lstsq(normal, rows.T @ (w * y), rcond=1e-13)[0]
        residual = y - rows @ coeff
        off = residual - _line_means(residual, weight * kept, i, good.shape[1])[i]
        off -= _line_means(off, kept / (sigma**2 + OWN**2), k, good.shape[0])[k]  # a fiber's own offset
        pull = np.abs(off) / sigma
        new = pull < CLIP * max(MAD_TO_SIGMA * float(np.median(pull[kept])), 1.0)
        if (new == kept).all():
            break
        kept = new
    return _judged(terms, coeff, normal, residual, off, sigma, w, i, k, kept, u, good, known, degree, prior)


def _judged(
    terms: tuple[tuple[int, int], ...], coeff: Array, normal: Array, residual: Array, off: Array,
    sigma: Array, w: Array, i: Array, k: Array, kept: Array, u: Array, good: Array, known: Array, degree: int,
    prior: Array,
) -> tuple[float, WaveSurface]:  # fmt: skip
    """Information criterion of the line means, and the surface with its errors."""
    nline = good.shape[1]
    mean = _line_means(residual, w, i, nline)
    seen = known & np.array([kept[i == n].any() for n in range(nline)])
    total = _sums(1 / sigma[kept] ** 2, i[kept], nline)
    noise = np.where(seen, 1 / np.where(seen, total, 1), 1.0)
    count = int(seen.sum())
    miss = float((mean[seen] ** 2 / (LIST_ERROR**2 + noise[seen])).sum())
    criterion = count * np.log(max(miss / count, LEAST_MISS)) + (degree + 1) * np.log(max(count, 2))
    free = max(count - degree - 1, 1)
    scatter = float(np.sqrt(max(((mean[seen] ** 2).sum() - noise[seen].sum()) / free, 0.0)))
    chi2 = float((off[kept] ** 2 / sigma[kept] ** 2).mean())
    spread = np.linalg.pinv(normal) * max(chi2, 1.0)
    where = np.array([np.nanmean(u[good[:, n], n]) for n in np.flatnonzero(seen)])
    lines = np.polynomial.legendre.legvander(where, degree)
    alike: NDArray[np.float64] = prior[np.ix_(common := [n for n, (_, j) in enumerate(terms) if j == 0], common)]
    line_spread = np.asarray(np.linalg.pinv(lines.T @ lines / max(scatter, LIST_ERROR) ** 2 + alike), np.float64)
    used = np.zeros(good.shape, bool)
    used[k[kept], i[kept]] = True
    return criterion, WaveSurface(coeff, spread, terms, used, scatter, line_spread, chi2, alike)


def _sums(value: Array, line: Array, nline: int) -> NDArray[np.float64]:
    """Sum of each line."""
    return np.asarray(np.bincount(line, value, nline), np.float64)


def _line_means(residual: Array, weight: Array, line: Array, nline: int) -> NDArray[np.float64]:
    """Weighted mean residual of each line, or of each fiber."""
    total = np.bincount(line, weight, nline)
    return np.asarray(np.bincount(line, weight * residual, nline) / np.where(total > 0, total, 1))


def _odd_line(u: Array, v: Array, value: Array, error: Array, known: Array, found: WaveSurface) -> int:
    """The line that lies farthest off what the others say without it, if too far; -1: none does."""
    lines = np.flatnonzero(known & found.used.any(axis=0))
    miss, where = np.empty(lines.size), np.empty(lines.size)
    for n, line in enumerate(lines):
        k = np.flatnonzero(found.used[:, line])
        miss[n] = np.average(value[k, line] - found.at(u[k, line], v[k]), weights=1 / error[k, line] ** 2)
        where[n] = u[k, line].mean()
    rows = np.polynomial.legendre.legvander(where, found.degree)
    pull = found.alike @ -found.common  # back to what is usual
    odd = np.zeros(lines.size)
    for n in range(lines.size):
        kept = np.arange(lines.size) != n
        own, sigma = rows[kept], LINE_SCATTER
        for _ in range(2):
            spread = np.linalg.pinv(own.T @ own / sigma**2 + found.alike)
            left = miss[kept] - own @ (coeff := spread @ (own.T @ miss[kept] / sigma**2 + pull))
            free = kept.sum() - float(np.einsum("ij,jk,ik->", own, spread, own)) / sigma**2
            others = MAD_TO_SIGMA * float(np.median(np.abs(left))) * np.sqrt(kept.sum() / max(free, LEAST_FREE))
            sigma = max(others, LINE_SCATTER)
        if free > LEAST_FREE:
            odd[n] = abs(miss[n] - rows[n] @ coeff) / np.sqrt(sigma**2 + rows[n] @ spread @ rows[n])
    worst = int(np.argmax(odd)) if odd.size else 0
    return int(lines[worst]) if odd.size and odd[worst] > LINE_CLIP else -1
