"""Place and width of a source: an elliptical Gaussian or Moffat (1969) profile on a constant, averaged over the pixels.

Least squares with the errors of the pixels; where these are not known, with one error for all from the scatter of what
is left, as in Lupton's or DAOPHOT's practice. The Moffat profile is taken where it is better by more than its parameter
is worth. Pixels that neither describes, far from the center, are left out (neighbors, cosmic rays).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.errors import FitError
from ifuview.model.frames.source import ImageSource

Floats = NDArray[np.float64]

NODES = np.array([-0.3872983346207417, 0.0, 0.3872983346207417])  # Gauss-Legendre of a pixel, px from its center
WEIGHTS = np.array([5.0, 8.0, 5.0]) / 18.0
SEARCH = 4  # px about the start within which the brightest place is looked for
LEAST_RADIUS, WIDE = 5.0, 2.5  # px, FWHM: what is fitted
FIRST_FWHM, LEAST_FWHM = 3.0, 0.4  # px
BETA, BETAS = 3.0, (1.2, 25.0)
BETTER = 9.0  # gain in chi2 that the exponent must bring
OUTLIER, CORE = 5.0, 1.0  # sigma, FWHM from the center
SIGNIFICANT = 4.0  # sigma of the peak
LEAST_PIXELS = 12
MOST_CALLS = 60
A, BACK, X, Y, SIZE, E1, E2, EXPONENT = range(8)  # places of the parameters; SIZE is the logarithm of the FWHM


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Parameters with their covariance, chi2 and degrees of freedom."""

    values: Floats
    covariance: Floats
    chi2: float
    free: int


def measure_source(data: Floats, variance: Floats | None, x: float, y: float) -> ImageSource:
    """Measure the source nearest to a place.

    Parameters
    ----------
    data : ndarray, shape (ny, nx)
        NaN where nothing is known.
    variance : ndarray, shape (ny, nx), or None
        Of `data`; infinite or NaN where nothing is known. None: one error for all pixels, from the scatter.
    x, y : float, px
        Where to look; the center of the first pixel is (0, 0).

    Raises
    ------
    FitError
        There is no source, or too few pixels.
    """
    known = np.isfinite(data) if variance is None else np.isfinite(data) & np.isfinite(variance) & (variance > 0)
    start = _start(data, known, x, y)
    sigma = np.ones(data.shape) if variance is None else np.sqrt(np.where(known, variance, 1.0))
    yy, xx = (np.asarray(axis) for axis in np.indices(data.shape, np.float64))
    fit, use = None, known
    for beta in (0.0, BETA):  # which tell how wide it is, and what is none of its pixels
        use = known & _around(start, xx, yy)
        fit = _fitted(start, data, sigma, use, xx, yy, beta)
        start = fit.values
    assert fit is not None
    use = known & _around(start, xx, yy) & _described(fit, data, sigma, xx, yy, variance is None)
    fit, wings = (_fitted(start, data, sigma, use, xx, yy, beta) for beta in (0.0, BETA))
    better = fit.chi2 - wings.chi2 > BETTER * _scatter(wings, variance is None)
    return _source(wings if better else fit, data.shape, variance is None)


def _around(p: Floats, xx: Floats, yy: Floats) -> NDArray[np.bool_]:
    """Pixels within some widths of the center."""
    return np.asarray(np.hypot(xx - p[X], yy - p[Y]) <= max(WIDE * np.exp(p[SIZE]), LEAST_RADIUS))


def _start(data: Floats, known: NDArray[np.bool_], x: float, y: float) -> Floats:
    """Where the fit begins: at the brightest place near by, above the median of all."""
    if known.sum() < LEAST_PIXELS:
        raise FitError("there are too few pixels with a value for a source")
    level = float(np.median(data[known]))
    filled = np.where(known, data, level)
    padded = np.pad(filled, 1, mode="edge")
    ny, nx = data.shape
    smooth = np.mean([padded[j : j + ny, i : i + nx] for j in range(3) for i in range(3)], axis=0)
    yy, xx = np.indices(data.shape)
    near = (np.abs(xx - x) <= SEARCH) & (np.abs(yy - y) <= SEARCH)
    if not near.any():
        raise FitError("the place is outside the image")
    j, i = np.unravel_index(int(np.argmax(np.where(near, smooth, -np.inf))), data.shape)
    peak = max(float(filled[j, i]) - level, float(np.ptp(filled)) * 1e-3, 1e-30)
    return np.array([peak, level, float(i), float(j), np.log(FIRST_FWHM), 0.0, 0.0])


def _profile(p: Floats, xx: Floats, yy: Floats) -> Floats:
    """The model at places, averaged over pixels; `p` without EXPONENT is a Gaussian."""
    fwhm = np.exp(p[SIZE])
    length = np.sqrt(1 + p[E1] ** 2 + p[E2] ** 2)
    e1, e2 = p[E1] / length, p[E2] / length
    round_ = np.sqrt(max(1 - e1 * e1 - e2 * e2, 1e-12))
    dx = (xx - p[X])[..., None, None] + NODES[:, None]
    dy = (yy - p[Y])[..., None, None] + NODES
    reach = ((1 - e1) * dx * dx + (1 + e1) * dy * dy - 2 * e2 * dx * dy) / (round_ * (fwhm / 2) ** 2)
    if p.size > EXPONENT:
        shape = (1 + (2 ** (1 / p[EXPONENT]) - 1) * reach) ** -p[EXPONENT]
    else:
        shape = np.exp(-np.log(2) * reach)
    return np.asarray(p[BACK] + p[A] * np.einsum("...ij,i,j", shape, WEIGHTS, WEIGHTS))


def _fitted(
    start: Floats, data: Floats, sigma: Floats, use: NDArray[np.bool_], xx: Floats, yy: Floats, beta: float
) -> _Fit:
    """Least squares over some pixels."""
    from scipy.optimize import least_squares

    begin = np.append(start[:EXPONENT], beta) if beta else start[:EXPONENT]
    if use.sum() < max(LEAST_PIXELS, begin.size + 3):
        raise FitError("there are too few pixels with a value for a source")
    value, error, x, y = data[use], sigma[use], xx[use], yy[use]
    scale = max(float(np.ptp(value)), 1e-30)
    low = np.array([-np.inf, -np.inf, x.min() - 1, y.min() - 1, np.log(LEAST_FWHM), -20, -20, BETAS[0]])
    high = np.array([np.inf, np.inf, x.max() + 1, y.max() + 1, np.log(2 * max(data.shape)), 20, 20, BETAS[1]])
    begin = np.clip(begin, low[: begin.size], high[: begin.size])
    steps = np.array([scale, scale, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0])[: begin.size]
    rest: Callable[[Floats], Floats] = lambda p: (_profile(p, x, y) - value) / error  # noqa: E731
    done = least_squares(
        rest, begin, bounds=(low[: begin.size], high[: begin.size]), x_scale=steps, max_nfev=MOST_CALLS
    )
    covariance = np.linalg.pinv(done.jac.T @ done.jac)
    return _Fit(done.x, covariance, float(2 * done.cost), int(use.sum()) - begin.size)


def _scatter(fit: _Fit, unknown: bool) -> float:
    """Variance of the pixels in units of their errors; 1 where those are known."""
    return fit.chi2 / max(fit.free, 1) if unknown else 1.0


def _described(fit: _Fit, data: Floats, sigma: Floats, xx: Floats, yy: Floats, unknown: bool) -> NDArray[np.bool_]:
    """Pixels near the center, and those farther out that the model describes."""
    rest = (data - _profile(fit.values, xx, yy)) / sigma
    away = np.hypot(xx - fit.values[X], yy - fit.values[Y]) > CORE * np.exp(fit.values[SIZE])
    spread = robust_sigma(rest[np.isfinite(rest) & away]) if unknown else 1.0
    return ~away | (np.abs(rest) <= OUTLIER * max(spread, 1e-30))


def _source(fit: _Fit, shape: tuple[int, ...], unknown: bool) -> ImageSource:
    """The answer of a fit in the words of the model."""
    p, scatter = fit.values, _scatter(fit, unknown)
    error = np.sqrt(np.maximum(np.diag(fit.covariance) * scatter, 0.0))
    if not (p[A] > SIGNIFICANT * error[A] and error[A] > 0) or not np.isfinite(error).all():
        above = p[A] / error[A] if error[A] > 0 else 0.0
        raise FitError(f"there is no source here: the peak is {max(above, 0.0):.1f} sigma above its surroundings")
    if not (-0.5 <= p[X] <= shape[1] - 0.5 and -0.5 <= p[Y] <= shape[0] - 0.5):
        raise FitError("the center of the source is outside the image")
    fwhm, length = float(np.exp(p[SIZE])), np.sqrt(1 + p[E1] ** 2 + p[E2] ** 2)
    flat = float(np.hypot(p[E1], p[E2]) / length)
    flux, slope = _flux(p)
    return ImageSource(
        float(p[X]), float(p[Y]), float(error[X]), float(error[Y]), fwhm, fwhm * float(error[SIZE]),
        1 - float(np.sqrt((1 - flat) / (1 + flat))), float(np.degrees(np.arctan2(p[E2], p[E1]) / 2)),
        flux, float(np.sqrt(max(float(slope @ fit.covariance @ slope) * scatter, 0.0))), float(p[A]), float(p[BACK]),
        float(p[EXPONENT]) if p.size > EXPONENT else 0.0, float("nan") if unknown else fit.chi2 / max(fit.free, 1),
    )  # fmt: skip


def _flux(p: Floats) -> tuple[float, Floats]:
    """Volume of a profile and its slopes by the parameters."""
    area = np.pi * np.exp(2 * p[SIZE]) / 4
    slope = np.zeros(p.size)
    if p.size <= EXPONENT:
        volume = p[A] * area / np.log(2)
    else:
        b = p[EXPONENT]
        root = 2 ** (1 / b)
        volume = p[A] * area / ((root - 1) * (b - 1))
        slope[EXPONENT] = volume * (root * np.log(2) / (b * b * (root - 1)) - 1 / (b - 1))
    slope[A], slope[SIZE] = volume / p[A], 2 * volume
    return float(volume), slope
