"""One line measured: place, wavelength, width and light by maximum likelihood in the fibers' own pixels.

The light is linear and solved for (Golub & Pereyra 1973); the other four are climbed to by halving steps, and their
errors are the inverse of the curvature of the likelihood there. Where fibers leave gaps, the place that noise makes
best lies too often where little light is caught, and the light there is too much: what is given as the light of a line
is its mean over all places that the data allow, by sources of all fluxes as frequent as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.detect.kernels import add_line, line_misfit, line_sums
from ifuview.engine.spectra.detect.light import FieldLight
from ifuview.model.checks import Array
from ifuview.model.reduction.detection import NO_DOUBT, Doubt

FREE = 3.0  # what the best of three free numbers adds to the square of the significance
FLOOR = 0.05  # of the light, that no profile describes
STEPS = np.array([0.35, 0.35, 1.2, 0.15])  # first ones: arcsec, arcsec, Angstrom, log of the width
HALVINGS = 6
WIDTH_PRIOR = 0.35  # of the log of the width, about that of the filter
MOST_MOVE = np.array([1.2, 1.2, 6.0, 1.0])
SMALL = np.array([0.05, 0.05, 0.15, 0.05])  # of the differences for the curvature
PLACES, AROUND, REACH = 9, 3.0, (0.15, 1.5)  # places along each axis, errors of the place, arcsec at least and most
COUNTS = 2.0  # power of the flux that the number of sources falls with, about that of emission lines
BLOT = 3.0  # sigma of a line, or samples, to either side of a cosmic ray
CORE = 0.05  # of the largest share: fibers below tell no shape


@dataclass(slots=True)
class LineFit:
    """A line at `theta`: x, y (arcsec), wavelength (Angstrom), log of its Gaussian sigma; the rest as in Detection.

    `flux` is that of a line right there, `light` and its error are those of wherever it may be.
    """

    theta: NDArray[np.float64]
    flux: float
    snr: float
    near: NDArray[np.intp]
    error: NDArray[np.float64] | None = None
    doubts: Doubt = NO_DOUBT
    exposures: NDArray[np.float64] | None = None
    chi2: float = float("nan")
    light: tuple[float, float] = (float("nan"), float("nan"))

    @property
    def significance(self) -> float:
        """Without what the choice of the best place adds."""
        return float(np.sqrt(max(self.snr**2 - FREE, 0.0)))

    @property
    def sigma(self) -> float:
        """Gaussian sigma, Angstrom."""
        return float(np.exp(self.theta[3]))


class NearFibers:
    """The fibers around a place."""

    def __init__(self, light: FieldLight, x: float, y: float) -> None:
        self.light, self.near = light, light.table.near(light.field, x, y)
        self.flux, self.ivar, self.wave = (a[self.near] for a in (light.flux, light.ivar, light.wave))

    def share(self, theta: Array) -> NDArray[np.float64]:
        """Of the source in each of them."""
        return self.light.table.share(self.light.field, theta[0], theta[1], theta[2], self.near)

    def told(self, theta: Array) -> NDArray[np.float64]:
        """Of the source in each of them, that sources beside, taken off, have left."""
        return self.light.share(float(theta[0]), float(theta[1]), float(theta[2]), self.near)

    def sums(self, theta: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sums of each fiber."""
        top, bottom = np.empty(self.near.size), np.empty(self.near.size)
        line_sums(
            self.flux, self.ivar, self.wave, self.told(theta), float(theta[2]), float(np.exp(theta[3])), top, bottom
        )
        return top, bottom

    def solve(self, theta: Array) -> tuple[float, float]:
        """Light and significance."""
        top, bottom = (float(a.sum()) for a in self.sums(theta))
        return (top / bottom, top / np.sqrt(bottom)) if bottom > 0 else (0.0, 0.0)


def climb(light: FieldLight, start: Array, width: float | None = None) -> LineFit:
    """Measure a line from near its place.

    Parameters
    ----------
    light : FieldLight
    start : ndarray, shape (4,)
        As `LineFit.theta`.
    width : float, optional
        Log of the width that the prior is about. Default: that of `start`.
    """
    around = NearFibers(light, float(start[0]), float(start[1]))
    prior = float(start[3]) if width is None else width

    def score(theta: Array) -> float:
        snr = around.solve(theta)[1]
        return snr * abs(snr) - ((theta[3] - prior) / WIDTH_PRIOR) ** 2

    theta, best, step = start.astype(np.float64), score(start), STEPS.copy()
    for _ in range(HALVINGS):
        moved = True
        while moved:
            moved = False
            for n in range(theta.size):
                for sign in (1, -1):
                    other = theta.copy()
                    other[n] += sign * step[n]
                    if abs(other[n] - start[n]) > MOST_MOVE[n]:
                        continue
                    value = score(other)
                    if value > best:
                        theta, best, moved = other, value, True
                        break
        step /= 2
    flux, snr = around.solve(theta)
    return LineFit(theta, flux, snr, around.near, _errors(score, theta))


def whole_light(around: NearFibers, fit: LineFit) -> tuple[float, float]:
    """Light of a line and its error, wherever it may be.

    The mean of the inverse, as errors of place make it too much rather than too little.
    """
    error = np.where(np.isfinite(fit.error[:2]), fit.error[:2], REACH[1]) if fit.error is not None else np.zeros(2)
    along = np.linspace(-1, 1, PLACES)[:, None] * np.clip(AROUND * error, *REACH)
    places = [fit.theta + np.array([dx, dy, 0.0, 0.0]) for dx in along[:, 0] for dy in along[:, 1]]
    flux, snr = np.array([around.solve(theta) for theta in places]).T
    known = (flux > 0) & (snr > 1)
    if not known.any():
        return fit.flux, fit.flux / max(fit.snr, 1e-9)
    flux, snr = flux[known], snr[known]
    chance = np.exp((snr**2 - snr.max() ** 2) / 2) * (snr / flux) ** (COUNTS - 1) / snr**COUNTS
    chance /= chance.sum()
    mean = float(chance @ (1 / flux))
    scatter = float(chance @ ((1 + snr**-2.0) / flux**2)) - mean**2
    own = np.sqrt(max(1 - (FREE - 2) / fit.snr**2, 0.0)) / mean  # the best of what else is free
    return float(own), float(own * np.sqrt(scatter) / mean)


def _errors(score: object, theta: Array) -> NDArray[np.float64]:
    """Errors of the four numbers from the curvature; infinite where there is none."""
    assert callable(score)
    n = theta.size
    middle = score(theta)
    half = np.zeros((n, n))
    for i in range(n):
        for j in range(i, n):
            total = 0.0
            for a, b in ((1, 1), (-1, -1)) if i == j else ((1, 1), (-1, -1), (1, -1), (-1, 1)):
                other = theta.copy()
                other[i] += a * SMALL[i]
                other[j] += b * SMALL[j] if i != j else 0.0
                total += a * b * score(other) if i != j else score(other)
            curve = (total - 2 * middle) / SMALL[i] ** 2 if i == j else total / (4 * SMALL[i] * SMALL[j])
            half[i, j] = half[j, i] = -curve / 2
    try:
        covariance = np.linalg.inv(half)
    except np.linalg.LinAlgError:
        return np.full(n, np.inf)
    spread = np.diag(covariance)
    return np.where(spread > 0, np.sqrt(np.maximum(spread, 0)), np.inf)


def put(light: FieldLight, fit: LineFit, amount: float, floor: float = 0.0) -> None:
    """Add a line of this light (negative: take it off); `floor` of it counts as error."""
    x, y, wave = (float(v) for v in fit.theta[:3])
    share = light.share(x, y, wave)
    own = np.flatnonzero(share)
    flux, ivar = light.flux[own], light.ivar[own]
    add_line(flux, ivar, light.wave[own], share[own], float(fit.theta[2]), fit.sigma, amount, floor)
    light.flux[own], light.ivar[own] = flux, ivar


def blot(light: FieldLight, fit: LineFit) -> None:
    """Mask the light of a peak that is no source, in the fiber where it stands out most."""
    around = NearFibers(light, float(fit.theta[0]), float(fit.theta[1]))
    top, bottom = around.sums(fit.theta)
    pull = np.where(bottom > 0, (top - fit.flux * bottom) / np.sqrt(np.where(bottom > 0, bottom, 1.0)), 0.0)
    k = around.near[int(np.argmax(pull))]
    reach = max(BLOT * fit.sigma, BLOT * float(np.median(np.diff(light.wave[k]))))
    light.ivar[k, np.abs(light.wave[k] - fit.theta[2]) < reach] = 0.0


def misfit(around: NearFibers, fit: LineFit, free: int = 5) -> tuple[float, int]:
    """Squared residuals for each degree of freedom, and those."""
    share = around.told(fit.theta)
    own = share > CORE * share.max()
    total, count = line_misfit(
        around.flux[own], around.ivar[own], around.wave[own], share[own], float(fit.theta[2]), fit.sigma, fit.flux,
        FLOOR,
    )  # fmt: skip
    return (total / (count - free), count - free) if count > free else (float("nan"), 0)
