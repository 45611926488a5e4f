"""A point source measured: place, width and exponent of its Moffat profile, and refraction where the light tells it.

For each chunk of wavelength the shares of the source's light in the fibers are known with errors; their amplitude and
a constant are free in each chunk, place, FWHM (at one wavelength) and beta are common. Variable projection
(Golub & Pereyra 1973) with Gauss-Newton steps damped after Marquardt; beta is held near its usual value by a prior that
bright sources overrule. What the profile cannot describe counts as error in proportion to the light.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from ifuview.engine.spectra.field.lenslet import SEEING_POWER, Lenslets, displacement, moffat_slopes
from ifuview.engine.spectra.sky.spline import CommonSpectra
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SourceFit

BETA, BETA_PRIOR = (
    3.5,
    0.35,
)  # of usual seeing, and sigma: what is not seen of faint wings changes all light by 9 % a unit
FLOOR = 0.01  # of the light in a fiber, that no profile describes
REACH = 4.5  # arcsec from the source, fibers used
TAIL = 3e-4  # of the light in the brightest fiber, the same of the far wings
ROUNDS, REWEIGHED, STEADY = 25, 3, 1e-4
MOST_STEP = np.array([0.7, 0.7, 0.4, 0.7])  # of x, y (arcsec), log FWHM, beta
LOW = np.array([-1.0, -1.0, np.log(0.3), 1.6])  # bounds: of x and y about where they are
HIGH = np.array([1.0, 1.0, np.log(12.0), 9.0])
WITHIN = np.array([1.0, 1.0, 0.0, 0.0])
MOST_DAMPING = 1e7
LEAST_FIBERS = 8
BROAD, SURE = 401, 3.0  # half px, sigma: what of a spectrum is smooth, and structure
LOWEST = 0.3  # of its mean level
SIGNIFICANT = 4.0  # sigma of a refraction that differs from the table


@dataclass(frozen=True, slots=True, eq=False)
class SourceShares:
    """Share of a source's light in each fiber, measured in chunks of wavelength.

    Parameters
    ----------
    wave : ndarray, shape (nchunk,), Angstrom
    share, variance : ndarray, shape (nchunk, nfiber)
        Variance infinite where nothing is known.
    """

    wave: Array
    share: Array
    variance: Array


def measure_shares(
    value: Array, weight: Array, spectrum: Array, wave: Array, chunks: int
) -> SourceShares:  # fmt: skip
    """Fit a source's spectrum to each fiber, chunk by chunk of its samples.

    Parameters
    ----------
    value, weight, spectrum, wave : ndarray, shape (nfiber, nwave)
        Without sky, 1 / variance, spectrum of the source at the fiber's own wavelengths, those wavelengths.
    chunks : int
    """
    edge = np.linspace(0, value.shape[1], chunks + 1).astype(int)[:-1]
    top = np.add.reduceat(weight * value * spectrum, edge, axis=1, dtype=np.float64).T
    bottom = np.add.reduceat(weight * spectrum * spectrum, edge, axis=1, dtype=np.float64).T
    whole = np.add.reduceat(spectrum.astype(np.float64) ** 2, edge, axis=1).T
    center = np.add.reduceat(spectrum.astype(np.float64) ** 2 * wave, edge, axis=1).T / np.maximum(whole, 1e-300)
    known = bottom > 0
    by = np.where(known, bottom, 1.0)
    middle = np.median(center, axis=1)
    return SourceShares(middle, np.where(known, top / by, 0.0), np.where(known, 1 / by, np.inf))


def steady(common: CommonSpectra, term: int, grid: Array, wave: Array) -> NDArray[np.float32]:
    """A source's spectrum to weigh fibers with, at their own wavelengths: without its noise, and positive.

    Structure counts as far as it is sure (shrunk by SURE sigma): a noisy spectrum agrees best with the fibers that it
    was made from, and would draw the source to them.
    """
    fine = np.linspace(grid[0], grid[-1], 2 * grid.size)
    value, variance = (np.asarray(v, np.float64) for v in common.at(fine, term))
    smooth = uniform_filter1d(value, BROAD, mode="nearest")
    off = value - smooth
    kept = smooth + off * np.maximum(1 - SURE**2 * variance / np.maximum(off**2, 1e-300), 0)
    level = float(np.median(kept))
    if not level > 0:
        return np.ones(wave.shape, np.float32)
    return np.interp(wave, fine, np.maximum(kept, LOWEST * level)).astype(np.float32)


def fit_point(
    shares: SourceShares, lenslets: Lenslets, dar: Array, start: SourceFit, *, refraction: bool = True
) -> SourceFit:
    """Measure a source from its shares.

    Parameters
    ----------
    shares : SourceShares
    lenslets : Lenslets
    dar : ndarray, shape (3, n)
        Refraction of the table, relative to `start.wave`.
    start : SourceFit
        Where to begin, and the wavelength that place and width are given at.
    refraction : bool
        Correct the table where the centroids differ from it significantly, by a straight line in wavelength.

    Raises
    ------
    FitError
        Too few fibers with light around the place.
    """
    near = np.hypot(lenslets.x - start.x, lenslets.y - start.y) < REACH + start.fwhm
    use = near & (np.isfinite(shares.variance).sum(axis=0) > 0)
    if use.sum() < LEAST_FIBERS:
        raise FitError("fewer than eight usable fibers around the source")
    model = _Model(shares, lenslets, dar, start.wave, use)
    theta = np.array([start.x, start.y, np.log(start.fwhm), start.beta])
    theta, covariance, chi2 = model.minimize(theta)
    fit = _as_fit(theta, covariance, chi2, start, dar)
    if refraction:
        better = model.refraction(theta, dar)
        if better is not None:
            model.move(better)
            theta, covariance, chi2 = model.minimize(theta)
            fit = _as_fit(theta, covariance, chi2, start, better)
    return fit


def _as_fit(theta: Array, covariance: Array, chi2: float, start: SourceFit, dar: Array) -> SourceFit:
    error = np.sqrt(np.diag(covariance) * max(chi2, 1.0))
    fwhm = float(np.exp(theta[2]))
    return replace(
        start, x=float(theta[0]), y=float(theta[1]), x_error=float(error[0]), y_error=float(error[1]), fwhm=fwhm,
        fwhm_error=float(error[2]) * fwhm, beta=float(theta[3]), chi2=chi2, dar=dar,
    )  # fmt: skip


class _Model:
    """Profile of the source in all chunks, with amplitude and constant of each chunk solved for."""

    def __init__(self, shares: SourceShares, lenslets: Lenslets, dar: Array, wave: float, use: Array) -> None:
        self.lenslets = Lenslets(lenslets.x[use], lenslets.y[use], lenslets.size, lenslets.face)
        self.value, self.variance = shares.share[:, use], shares.variance[:, use]
        self.wave = np.asarray(shares.wave, np.float64)
        self.fwhm = (self.wave / wave) ** SEEING_POWER
        self.amplitude = np.ones(self.wave.size)
        self.weight = np.zeros_like(self.value)
        self.move(dar)

    def move(self, dar: Array) -> None:
        """Take another refraction."""
        self.dx, self.dy = displacement(dar, self.wave)

    def profile(self, theta: Array) -> NDArray[np.float64]:
        """Share and its derivatives by the four parameters, (5, nchunk, nfiber)."""
        width = np.exp(theta[2]) * self.fwhm
        return moffat_slopes(self.lenslets, theta[0] + self.dx, theta[1] + self.dy, width, float(theta[3]))

    def weigh(self, share: Array) -> None:
        """Weights from the errors and from what the profile leaves."""
        left = self.amplitude[:, None] * (FLOOR * share + TAIL * share.max(axis=1, keepdims=True))
        variance = self.variance + left**2
        self.weight = np.where(np.isfinite(variance), 1 / variance, 0.0)

    def residual(self, theta: Array, share: Array) -> NDArray[np.float64]:
        """Weighted residuals and the prior, flat; keeps amplitude and constant."""
        w = self.weight
        s1, sp, spp = w.sum(axis=1), (w * share).sum(axis=1), (w * share**2).sum(axis=1)
        sd, spd = (w * self.value).sum(axis=1), (w * share * self.value).sum(axis=1)
        bottom = spp * s1 - sp**2
        good = bottom > 1e-9 * spp * s1
        by = np.where(good, bottom, 1.0)
        self.amplitude = np.where(good, (spd * s1 - sp * sd) / by, 0.0)
        self.constant = np.where(good, (spp * sd - sp * spd) / by, 0.0)
        left = self.value - self.amplitude[:, None] * share - self.constant[:, None]
        return np.append((left * np.sqrt(w)).ravel(), (theta[3] - BETA) / BETA_PRIOR)

    def slopes(self, profile: Array) -> NDArray[np.float64]:
        """Derivatives of the residuals, with what amplitude and constant take up left out (Kaufman 1975)."""
        root = np.sqrt(self.weight)
        out = np.empty((root.size + 1, 4))
        linear = np.stack([root * profile[0], root], axis=2)
        gram = np.einsum("cfi,cfj->cij", linear, linear) + 1e-300 * np.eye(2)
        inverse = np.linalg.pinv(gram)
        for i in range(4):
            slope = -root * self.amplitude[:, None] * profile[1 + i]
            taken = np.einsum("cij,cfj,cf->ci", inverse, linear, slope)
            out[:-1, i] = (slope - np.einsum("cfi,ci->cf", linear, taken)).ravel()
        out[-1] = (0, 0, 0, 1 / BETA_PRIOR)
        return out

    def minimize(self, theta: Array) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Place, log FWHM and beta, their covariance, chi2 for each degree of freedom."""
        damping = 1e-3
        profile = self.profile(theta)
        self.weigh(profile[0])
        now = self.residual(theta, profile[0])
        for turn in range(ROUNDS):
            slope = self.slopes(profile)
            normal = slope.T @ slope
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-12), -slope.T @ now)
            new = np.clip(theta + np.clip(step, -MOST_STEP, MOST_STEP), LOW + theta * WITHIN, HIGH + theta * WITHIN)
            tried = self.profile(new)
            then = self.residual(new, tried[0])
            if then @ then > (now @ now) * (1 + 1e-9):
                damping *= 10
                self.residual(theta, profile[0])
                if damping > MOST_DAMPING:
                    break
                continue
            done = bool((np.abs(new - theta) < STEADY).all()) and turn >= REWEIGHED
            theta, profile, damping = new, tried, damping / 10
            if turn < REWEIGHED:
                self.weigh(profile[0])
            now = self.residual(theta, profile[0])
            if done:
                break
        slope = self.slopes(profile)
        free = max(int((self.weight > 0).sum()) - 2 * self.wave.size - 4, 1)
        spread = np.asarray(np.linalg.pinv(slope.T @ slope), np.float64)
        return theta, spread, float(now[:-1] @ now[:-1]) / free

    def refraction(self, theta: Array, dar: Array) -> NDArray[np.float64] | None:
        """Refraction with a straight line of wavelength added, None if the centroids agree with the table."""
        profile = self.profile(theta)
        now = self.residual(theta, profile[0])[:-1]
        bend = [self.amplitude[:, None] * profile[i] * np.sqrt(self.weight) for i in (1, 2)]
        reach = float(np.ptp(self.wave)) or 1.0
        along = (self.wave - self.wave.mean()) / reach
        columns = [b * f for b in bend for f in (np.ones((along.size, 1)), along[:, None])]
        design = np.stack([c.ravel() for c in columns], axis=1)
        normal = design.T @ design
        found = np.linalg.lstsq(normal, design.T @ now, rcond=None)[0]
        left = now - design @ found
        chi2 = max(float(left @ left) / max(int((self.weight > 0).sum()) - 4, 1), 1.0)
        error = np.sqrt(np.diag(np.linalg.pinv(normal)) * chi2)
        if not (np.abs(found[[1, 3]]) > SIGNIFICANT * error[[1, 3]]).any():
            return None
        slope = (dar[0] - self.wave.mean()) / reach
        return np.stack([dar[0], dar[1] + found[1] * slope, dar[2] + found[3] * slope])
