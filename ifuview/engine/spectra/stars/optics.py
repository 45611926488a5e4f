"""Point spread, refraction, dithers and illumination of an observation, from all its stars in one fit.

Each star is seen by few fibers in several exposures and in chunks of wavelength. Its place and its light in each chunk
are its own; width and exponent of the Moffat profile, what refraction and dithers differ from what is expected, and the
brightness of each exposure are common. Variable projection (Golub & Pereyra 1973, Kaufman's form) with Gauss-Newton
steps damped after Marquardt. What no profile describes counts as error in proportion to the light, as in `fit_point`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.lenslet import SEEING_POWER, Lenslets, displacement, moffat_slopes
from ifuview.engine.spectra.field.point import BETA, FLOOR, TAIL
from ifuview.errors import FitError
from ifuview.model.checks import Array

BETA_PRIOR = 0.2  # about the published exponent

BEND_PRIOR = 0.1  # arcsec at 1000 Angstrom from where nothing is displaced: refraction against the table
DITHER_PRIOR = 0.05  # arcsec, of a dither against what is asked for
LIGHT_PRIOR = 0.3  # of the logarithm of an exposure's brightness
BENDS = 2  # powers of wavelength in which refraction may differ, along each axis
KILO = 1000.0  # Angstrom
ROUNDS, REWEIGHED, STEADY = 30, 3, 2e-4
CLIP, MOST_DAMPING = 7.0, 1e7
WIDTHS, BETAS = (0.5, 8.0), (1.8, 8.0)


@dataclass(frozen=True, slots=True, eq=False)
class StarLight:
    """A star in the fibers around it, of all exposures.

    Parameters
    ----------
    x, y : float, arcsec
        Roughly where it is.
    fibers : Lenslets
        Near it, dithers included.
    exposure : ndarray of int, shape (nfiber,)
    light, variance : ndarray, shape (nchunk, nfiber)
        Without sky; variance infinite where nothing is known.
    """

    x: float
    y: float
    fibers: Lenslets
    exposure: NDArray[np.intp]
    light: Array
    variance: Array


@dataclass(frozen=True, slots=True, eq=False)
class OpticsFit:
    """What the stars tell.

    Parameters
    ----------
    fwhm, fwhm_error, beta : float
        At the reference wavelength, arcsec.
    dar : ndarray, shape (3, n)
        Refraction, the table bent.
    illumination, illumination_error : ndarray, shape (nexp,)
        Brightness of each exposure over the mean.
    dither : ndarray, shape (2, nexp), arcsec
        To be added to the places of the fibers.
    x, y, error : ndarray, shape (nstar,), arcsec
    chi2 : ndarray, shape (nstar,)
        For each degree of freedom.
    """

    fwhm: float
    fwhm_error: float
    beta: float
    dar: NDArray[np.float64]
    illumination: NDArray[np.float64]
    illumination_error: NDArray[np.float64]
    dither: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    error: NDArray[np.float64]
    chi2: NDArray[np.float64]


def fit_optics(
    stars: tuple[StarLight, ...], wave: Array, dar: Array, nexp: int, *, fwhm: float, reference: float,
    dither_error: float | None = None,
) -> OpticsFit:  # fmt: skip
    """Fit all stars together.

    Parameters
    ----------
    stars : tuple of StarLight
        Isolated, well exposed.
    wave : ndarray, shape (nchunk,), Angstrom
    dar : ndarray, shape (3, n)
        Refraction expected.
    nexp : int
        Exposures.
    fwhm : float, arcsec
        To begin with, at `reference`.
    reference : float, Angstrom
    dither_error : float, arcsec, optional
        Of the dithers in the places of the fibers. Default: DITHER_PRIOR.

    Raises
    ------
    FitError
        No star.
    """
    if not stars:
        raise FitError("no star tells the point spread of the observation")
    model = _Model(stars, np.asarray(wave, np.float64), dar, nexp, reference, dither_error or DITHER_PRIOR)
    theta = model.start(fwhm)
    damping = 1e-3
    now = model.system(theta)
    for turn in range(ROUNDS):
        normal, right, chi2 = now
        step = np.linalg.lstsq(normal + damping * np.diag(np.diag(normal) + 1e-12), right, rcond=None)[0]
        new = model.bounded(theta + np.clip(step, -0.5, 0.5))
        then = model.system(new)
        if then[2] > chi2 * (1 + 1e-9):
            damping *= 10
            if damping > MOST_DAMPING:
                break
            continue
        done = turn >= REWEIGHED and bool((np.abs(new - theta) < STEADY).all())
        theta, damping, now = new, damping / 10, then
        if turn < REWEIGHED:
            model.weigh(theta)
            now = model.system(theta)
        if done:
            break
    return model.result(theta, now[0])


class _Model:
    """Residuals and derivatives of all stars, the light in each chunk solved for."""

    def __init__(
        self, stars: tuple[StarLight, ...], wave: Array, dar: Array, nexp: int, reference: float, dither: float
    ) -> None:
        self.stars, self.wave, self.dar, self.nexp = stars, wave, np.asarray(dar, np.float64), nexp
        self.widen = (wave / reference) ** SEEING_POWER
        self.origin = _zero(self.dar)
        self.dx, self.dy = displacement(self.dar, wave)
        power = np.arange(1, BENDS + 1)
        self.bend = ((wave - self.origin) / KILO)[None] ** power[:, None]
        # log width, exponent, bends of x and y, then of exposures after the first: x, y, log brightness
        self.common = 2 + 2 * BENDS + 3 * (nexp - 1)
        free = nexp - 1
        self.center = np.zeros(self.common)
        self.center[1] = BETA
        sigma = [np.inf, BETA_PRIOR, *[BEND_PRIOR] * 2 * BENDS, *[dither] * 2 * free, *[LIGHT_PRIOR] * free]
        self.prior = 1 / np.array(sigma) ** 2
        self.weights = [np.where(np.isfinite(s.variance), 1 / s.variance, 0.0) for s in stars]
        self.free = np.ones(len(stars))
        self.miss = np.ones(len(stars))

    def start(self, fwhm: float) -> NDArray[np.float64]:
        """Parameters to begin with: common ones, then x and y of each star."""
        theta = np.concatenate([self.center, np.array([[s.x, s.y] for s in self.stars]).ravel()])
        theta[0] = np.log(fwhm)
        self.weigh(theta)
        return theta

    def bounded(self, theta: Array) -> NDArray[np.float64]:
        """Within what a profile can be."""
        out = np.array(theta)
        out[0] = np.clip(out[0], *np.log(WIDTHS))
        out[1] = np.clip(out[1], *BETAS)
        return out

    def _parts(self, theta: Array) -> tuple[Array, Array, Array]:
        """Bends (2, BENDS), dithers (2, nexp) and log brightness (nexp,)."""
        free, at = self.nexp - 1, 2 + 2 * BENDS
        bends = theta[2:at].reshape(2, BENDS)
        move, light = np.zeros((2, self.nexp)), np.zeros(self.nexp)
        move[:, 1:] = theta[at : at + 2 * free].reshape(2, free)
        light[1:] = theta[at + 2 * free : self.common]
        return bends, move, light

    def profile(self, theta: Array, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Share and its derivatives (5, nchunk, nfiber), and brightness of each fiber's exposure."""
        star = self.stars[n]
        bends, move, light = self._parts(theta)
        x, y = theta[self.common + 2 * n : self.common + 2 * n + 2]
        e = star.exposure
        own = replace(star.fibers, x=star.fibers.x - move[0, e], y=star.fibers.y - move[1, e])
        dx, dy = self.dx + bends[0] @ self.bend, self.dy + bends[1] @ self.bend
        found = moffat_slopes(own, x + dx, y + dy, np.exp(theta[0]) * self.widen, float(theta[1]))
        return found, np.exp(light[e])

    def weigh(self, theta: Array) -> None:
        """Weights from the errors and from what the profile leaves; samples far off left out."""
        for n, star in enumerate(self.stars):
            found, gain = self.profile(theta, n)
            share = found[0] * gain
            amplitude = light_of(self.weights[n], share, star.light)
            floor = amplitude[:, None] * (FLOOR * share + TAIL * share.max(axis=1, keepdims=True))
            total = np.where(np.isfinite(star.variance), star.variance, 1.0) + floor**2
            pull = (star.light - amplitude[:, None] * share) / np.sqrt(total)
            far = np.abs(pull) > CLIP * max(1.0, float(np.median(np.abs(pull))) / 0.67)
            self.weights[n] = np.where(np.isfinite(star.variance) & ~far, 1 / total, 0.0)

    def system(self, theta: Array) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Normal matrix, right side and chi2, priors included."""
        size = theta.size
        normal, right = np.zeros((size, size)), np.zeros(size)
        off = self.center - theta[: self.common]
        off[0] = 0.0
        normal[range(self.common), range(self.common)] += self.prior
        right[: self.common] += self.prior * off
        total = float((self.prior * off**2).sum())
        for n, star in enumerate(self.stars):
            slope, left = self._projected(theta, n, star)
            at = np.concatenate([np.arange(self.common), self.common + 2 * n + np.arange(2)])
            normal[np.ix_(at, at)] += slope @ slope.T
            right[at] += slope @ left
            own = float(left @ left)
            self.free[n] = max(int((self.weights[n] > 0).sum()) - self.wave.size - 2, 1)
            self.miss[n] = own / self.free[n]
            total += own
        return normal, right, total

    def _projected(self, theta: Array, n: int, star: StarLight) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weighted derivatives (nparameter, nsample) without what the light takes up, and residuals (nsample,)."""
        found, gain = self.profile(theta, n)
        root = np.sqrt(self.weights[n])
        share = found[0] * gain
        amplitude = light_of(self.weights[n], share, star.light)
        scale = root * amplitude[:, None] * gain
        by_x, by_y = scale * found[1], scale * found[2]
        slopes = [scale * found[3], scale * found[4]]
        slopes += [by_x * b[:, None] for b in self.bend] + [by_y * b[:, None] for b in self.bend]
        later = [star.exposure == e for e in range(1, self.nexp)]
        slopes += [by_x * own for own in later] + [by_y * own for own in later]
        slopes += [scale * found[0] * own for own in later] + [by_x, by_y]
        line = root * share
        norm = (line**2).sum(axis=1, keepdims=True)
        line = line / np.sqrt(np.where(norm > 0, norm, 1.0))
        out = [s - line * (line * s).sum(axis=1, keepdims=True) for s in slopes]
        left = root * (star.light - amplitude[:, None] * share)
        return np.stack([s.ravel() for s in out]), left.ravel()

    def result(self, theta: Array, normal: Array) -> OpticsFit:
        """Numbers with errors, chi2 counted."""
        miss = float(np.average(self.miss, weights=self.free))
        cover = np.linalg.pinv(normal, hermitian=True) * max(miss, 1.0)
        bends, move, light = self._parts(theta)
        fwhm = float(np.exp(theta[0]))
        bright = np.exp(light)
        free = self.nexp - 1
        at = np.arange(self.common - free, self.common)
        jac = (np.eye(self.nexp) - bright / bright.sum())[:, 1:]
        spread = np.einsum("ei,ij,ej->e", jac, cover[np.ix_(at, at)], jac)
        u = (self.dar[0] - self.origin) / KILO
        terms = u[None] ** np.arange(1, BENDS + 1)[:, None]
        dar = np.stack([self.dar[0], self.dar[1] + bends[0] @ terms, self.dar[2] + bends[1] @ terms])
        place = theta[self.common :].reshape(-1, 2)
        error = np.sqrt(np.diag(cover)[self.common :].reshape(-1, 2).mean(axis=1))
        return OpticsFit(
            fwhm=fwhm, fwhm_error=fwhm * float(np.sqrt(cover[0, 0])), beta=float(theta[1]), dar=dar,
            illumination=bright / bright.mean(), illumination_error=bright / bright.mean() * np.sqrt(spread),
            dither=-move, x=place[:, 0], y=place[:, 1], error=error, chi2=np.array(self.miss),
        )  # fmt: skip


def light_of(weight: Array, share: Array, light: Array) -> NDArray[np.float64]:
    """Light of a star in each chunk, by its share in the fibers and their weights, (nchunk,)."""
    bottom = (weight * share**2).sum(axis=1)
    top = (weight * share * light).sum(axis=1)
    return np.asarray(np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), 0.0))


def _zero(dar: Array) -> float:
    """Wavelength at which the table displaces nothing."""
    apart = np.hypot(dar[1], dar[2])
    return float(dar[0][int(np.argmin(apart))])
