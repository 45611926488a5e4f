"""How wavelengths usually run along a detector: what holds where no line of the lamps tells.

A list that says where its lines are expected gives the shape of the dispersion beyond a shift and a stretch, as well as
its columns are known. What fibers differ by, and bends that no list tells, are usually small. All this is a prior on
the coefficients of the wavelengths' surface: between many lines it weighs nothing, beyond the outermost ones it keeps a
polynomial from running away, and its width is in the errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.wave.identify import Identified
from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import ArcLines

DEGREE = 3  # of the expected shape, which a surface is fitted with at least where it is known
LEAST_LISTED = 6  # lines with columns that tell a shape
MORE = (0.1, 0.05)  # px, of bends of degree 4 and 5, which no list of few lines tells
FINE = (np.inf, np.inf, 1.0, 1.0, 0.6, 0.4)  # of the columns' error: no bend is larger that a table would have shown
POINTS = 101  # at which a shape is bent
NEWTON = 8  # steps to where a wavelength is expected
APART = (np.inf, np.inf, 0.3, 0.2, 0.05, 0.03)  # px, that fibers differ by in terms of each degree along columns


@dataclass(frozen=True, slots=True, eq=False)
class WaveShape:
    """Expected wavelengths, and how far they are usually off.

    Parameters
    ----------
    base : numpy polynomial
        Wavelength over columns on [-1, 1].
    width : ndarray, shape (ndegree,), px
        One sigma of each Legendre term along columns of what is off in all fibers alike.
    column_error : float, px
        How well a list of lines tells the shape; infinite: it does not.
    """

    base: np.polynomial.Polynomial
    width: NDArray[np.float64]
    column_error: float

    @property
    def known(self) -> bool:
        """Whether a list of lines tells the shape."""
        return bool(np.isfinite(self.column_error))

    def widths(self, terms: tuple[tuple[int, int], ...]) -> NDArray[np.float64]:
        """One sigma (px) of terms of some degree along columns and along fibers."""
        apart = np.minimum(APART, np.array(FINE) * self.column_error)
        return np.array([self.width[i] if j == 0 else apart[i] for i, j in terms])

    def place(self, wave: Array) -> NDArray[np.float64]:
        """Where on [-1, 1] wavelengths are expected, by Newton's method."""
        slope = self.base.deriv()
        u = (wave - self.base(0.0)) / slope(0.0)
        for _ in range(NEWTON):
            u = u - (self.base(u) - wave) / slope(u)
        return np.asarray(u, np.float64)

    def bent(self, coeff: Array) -> WaveShape:
        """The same about where a Legendre series on [-1, 1] moves it to."""
        u = np.linspace(-1, 1, POINTS)
        moved = self.base(u + np.polynomial.legendre.legval(u, coeff))
        return replace(self, base=_fitted(u, moved, self.base.degree()))


def expected_shape(best: Identified, lines: ArcLines, expected: Array, ncol: int) -> WaveShape:
    """Return the shape that a list expects, shifted and stretched onto the lines that were found.

    Parameters
    ----------
    best : Identified
    lines : ArcLines
    expected : ndarray, shape (nline,), px
        Where the list expects its lines.
    ncol : int

    Notes
    -----
    Where the list does not say columns, the pattern that was found is all that is known, and nothing is expected.
    """
    listed, seen = np.isfinite(lines.column), np.isfinite(best.column)
    if listed.sum() < LEAST_LISTED or seen.sum() < 2:
        u = best.expected * 2 / (ncol - 1) - 1
        inside = (u > -1.1) & (u < 1.1)
        base = _fitted(u[inside], lines.wave[inside], min(DEGREE, int(inside.sum()) - 1))
        return WaveShape(base, np.full(len(APART), np.inf), np.inf)
    onto = np.polynomial.Polynomial.fit(expected[seen], best.column[seen], 1)
    u = onto(expected[listed]) * 2 / (ncol - 1) - 1
    terms = np.polynomial.legendre.legvander(u, DEGREE)
    base = _fitted(u, lines.wave[listed], DEGREE)
    scale = abs(float(base.deriv()(0.0))) * 2 / (ncol - 1)
    miss = (lines.wave[listed] - base(u)) / scale
    known = max(lines.column_error, float(np.sqrt((miss**2).sum() / max(miss.size - DEGREE - 1, 1))))
    width = known * np.sqrt(np.diag(np.linalg.inv(terms.T @ terms)))
    width[:2] = np.inf
    return WaveShape(base, np.concatenate([width, np.minimum(MORE, known * np.array(FINE[4:]))]), known)


def _fitted(u: Array, wave: Array, degree: int) -> np.polynomial.Polynomial:
    return np.polynomial.Polynomial.fit(u, wave, degree, domain=[-1, 1], window=[-1, 1])
