"""One smooth curve through points that hold outliers: robust, weighted, of the degree that the points ask for.

Legendre polynomials on [-1, 1]; outliers beyond some robust sigma are left out, the degree is the one of the smallest
Bayesian information criterion (Schwarz 1978) of a bounded loss, so that outliers do not choose it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MAD_TO_SIGMA, robust_sigma
from ifuview.errors import FitError
from ifuview.model.checks import Array

MAX_DEGREE = 8
OUTLIER_SIGMA = 4.0
ROUNDS = 4
CHOSEN_FROM = 256  # points that the degree is chosen from
LEAST_NOISE = 1e-5  # of the range of y
THIRD = np.sqrt(20.0)  # rms of the third difference of independent noise of 1


@dataclass(frozen=True, slots=True, eq=False)
class SmoothFit:
    """A fitted curve.

    Parameters
    ----------
    coeff, coeff_err : ndarray, shape (degree + 1,)
        Legendre coefficients on [-1, 1] over the range of x.
    fit, residual : ndarray, shape (n,)
    kept : ndarray of bool, shape (n,)
    sigma : ndarray, shape (n,)
        Error of each point, given or from the scatter.
    chi2_per_dof : float
    """

    coeff: NDArray[np.float64]
    coeff_err: NDArray[np.float64]
    fit: NDArray[np.float64]
    residual: NDArray[np.float64]
    kept: NDArray[np.bool_]
    sigma: NDArray[np.float64]
    chi2_per_dof: float

    @property
    def degree(self) -> int:
        """Of the polynomial."""
        return int(self.coeff.size) - 1

    @property
    def outliers(self) -> NDArray[np.intp]:
        """Points beyond OUTLIER_SIGMA, where the scatter about the curve counts as the error if it is larger."""
        return np.flatnonzero(np.abs(self.residual) > OUTLIER_SIGMA * self.sigma * max(np.sqrt(self.chi2_per_dof), 1))


def smooth_fit(x: Array, y: Array, error: Array | None = None, degree: int | None = None) -> SmoothFit:
    """Fit a curve through (x, y).

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Points that are no numbers are left out.
    error : ndarray, shape (n,), optional
        1 sigma of `y`; default: from the scatter from point to point.
    degree : int, optional
        Default: chosen.

    Raises
    ------
    FitError
        Fewer than two points.
    """
    known = np.isfinite(x) & np.isfinite(y)
    if error is not None:
        known &= np.isfinite(error) & (error > 0)
    if known.sum() < 2:
        raise FitError("there are fewer than two points to fit")
    low, high = float(np.min(x[known])), float(np.max(x[known]))
    u = np.where(known, 2 * (x - low) / max(high - low, 1e-12) - 1, 0.0)
    value = np.where(known, y, 0.0)
    sigma = np.where(known, error if error is not None else _noise(value[known]), 1.0)
    if degree is None:
        some = np.flatnonzero(known)
        some = some[np.unique(np.linspace(0, some.size - 1, CHOSEN_FROM).round().astype(int))]
        degree = _degree(u[some], value[some], sigma[some])
    return _fitted(u, value, sigma, known, min(degree, int(known.sum()) - 1))


def _noise(y: Array) -> float:
    """Scatter from point to point that no cubic explains."""
    least = max(LEAST_NOISE * float(np.ptp(y)), 1e-12)  # a curve without noise is not fitted to its last digit
    third = np.diff(y, 3)
    if third.size < 3:
        return max(float(np.ptp(y)), least)
    return max(robust_sigma(third, 0.0) / THIRD, least)


def _degree(u: Array, y: Array, sigma: Array) -> int:
    """The degree of the smallest information criterion."""
    scores = []
    for m in range(min(MAX_DEGREE, u.size - 2) + 1):
        found = _fitted(u, y, sigma, np.ones(u.size, bool), m)
        pull = np.abs(found.residual / sigma)
        bound = OUTLIER_SIGMA * MAD_TO_SIGMA * float(np.median(pull))  # by its own scatter: errors may be too small
        square = float((np.minimum(pull, bound) ** 2).mean())
        scores.append(u.size * np.log(max(square, 1e-30)) + (m + 1) * np.log(u.size))
    return int(np.argmin(scores)) if scores else 0


def _fitted(u: Array, y: Array, sigma: Array, known: Array, degree: int) -> SmoothFit:
    """The curve of one degree."""
    basis = np.polynomial.legendre.legvander(u, degree)
    kept = known.copy()
    for _ in range(ROUNDS):
        w = np.where(kept, 1 / sigma**2, 0)
        normal = basis.T @ (w[:, None] * basis)
        coeff = np.linalg.lstsq(normal, basis.T @ (w * y), rcond=None)[0]
        residual = y - basis @ coeff
        spread = max(robust_sigma(residual[kept] / sigma[kept], 0.0), 1.0)
        new = known & (np.abs(residual) < OUTLIER_SIGMA * spread * sigma)
        if new.sum() <= degree + 1 or (new == kept).all():
            break
        kept = new
    dof = max(int(kept.sum()) - degree - 1, 1)
    chi2 = float(((residual / sigma)[kept] ** 2).sum()) / dof
    error = np.sqrt(np.maximum(np.diag(np.linalg.pinv(normal)), 0)) * np.sqrt(max(chi2, 1.0))
    return SmoothFit(
        coeff=coeff, coeff_err=error, fit=basis @ coeff, residual=np.where(known, residual, np.nan), kept=kept,
        sigma=sigma, chi2_per_dof=chi2,
    )  # fmt: skip
