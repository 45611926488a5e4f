"""Sources in the field: matched filters over the lenslets, in the whole spectrum and in windows of it.

At each place of a lattice the profile of a point source and a constant are fitted to the residual light of a window;
significance is amplitude over error, where the noise of a window is what the scatter of its fibers tells if that is
more than the errors say. The threshold keeps the chance of one false source in an exposure below FALSE_ALARM by the
number of places and windows tried, so that an empty field gives none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.spectra.field.lenslet import Lenslets, displacement, moffat_share
from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import FiberSpectra

FALSE_ALARM = 1e-4
LEAST_SNR = 6.0
WIDTHS = (1.0, 1.8)  # arcsec, FWHM tried
BETA = 3.5
BLUR = 0.68  # of a lenslet's size, what its face adds to the width
LATTICE = 0.8  # of a lenslet's size
BROAD, NARROW = 256, 16  # px, windows
UNEVEN = 0.01  # of the sky, what single fibers differ by without a source
LEAST_FIBERS = 10


@dataclass(frozen=True, slots=True)
class FoundSource:
    """A place with light.

    Parameters
    ----------
    x, y : float, arcsec
    fwhm : float, arcsec
        The one that fits best of those tried.
    snr : float
    wave : tuple of float, Angstrom
        First and last wavelength of the window that shows it best.
    """

    x: float
    y: float
    fwhm: float
    snr: float
    wave: tuple[float, float]


def find_source(residual: FiberSpectra, sky: Array, lenslets: Lenslets, dar: Array) -> FoundSource | None:
    """Find the most significant source, None if there is none.

    Parameters
    ----------
    residual : FiberSpectra
        Sky-subtracted, all fibers on one grid; sources that are known taken off and their errors widened.
    sky : ndarray, shape (nfiber, nwave)
        What was taken off: a hundredth of it counts as noise of each fiber.
    lenslets : Lenslets
    dar : ndarray, shape (3, n)
        As in SourceFit.
    """
    start, stop = _windows(residual.flux.shape[1])
    light, variance = _light(residual, sky, start, stop)
    weight = _weights(light, variance)
    middle = residual.wave[np.minimum((start + stop) // 2, residual.wave.size - 1)]
    px, py = _lattice(lenslets)
    best: FoundSource | None = None
    trials = px.size * len(WIDTHS) * start.size
    limit = max(LEAST_SNR, -float(ndtri(FALSE_ALARM / trials)))
    shift = np.stack(displacement(dar, middle), axis=1)
    groups = np.unique(np.round(shift / (lenslets.size / 4)), axis=0, return_inverse=True)[1].ravel()
    for fwhm in WIDTHS:
        for group in np.unique(groups):
            own = np.flatnonzero(groups == group)
            at = shift[own].mean(axis=0)
            share = moffat_share(lenslets, px + at[0], py + at[1], np.hypot(fwhm, BLUR * lenslets.size), BETA, 1)
            snr = _significance(light[own], weight[own], share)
            place = np.unravel_index(int(np.argmax(snr)), snr.shape)
            if snr[place] > (limit if best is None else best.snr):
                w, p = own[place[0]], place[1]
                span = (float(residual.wave[start[w]]), float(residual.wave[stop[w] - 1]))
                best = FoundSource(float(px[p]), float(py[p]), fwhm, float(snr[place]), span)
    return best


def _windows(nwave: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and one past the last sample of each window."""
    spans = [(0, nwave)]
    for width in (BROAD, NARROW):
        spans += [(a, min(a + width, nwave)) for a in range(0, max(nwave - width // 2, 1), width // 2)]
    first, last = np.array(spans).T
    return first, last


def _light(
    residual: FiberSpectra, sky: Array, start: Array, stop: Array
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean light of each fiber in each window and its variance, (nwindow, nfiber); infinite where little is usable."""
    usable = residual.usable() & (residual.variance > 0)
    inverse = np.where(usable, 1 / np.where(usable, residual.variance, 1.0), 0.0)
    alive = usable.any(axis=1)
    column = np.median(inverse[alive], axis=0) if alive.any() else inverse[0]
    weight = usable * column

    def sums(values: Array) -> NDArray[np.float64]:
        running = np.concatenate([np.zeros((values.shape[0], 1)), np.cumsum(values, axis=1, dtype=np.float64)], axis=1)
        return (running[:, stop] - running[:, start]).T

    total, whole = sums(weight), sums(column[None])
    known = (total > 0.5 * whole) & (total > 0)
    by = np.where(known, total, 1.0)
    level = UNEVEN * sums(weight * sky) / by
    variance = sums(weight**2 * residual.variance) / by**2 + level**2
    return np.where(known, sums(weight * residual.flux) / by, 0.0), np.where(known, variance, np.inf)


def _lattice(lenslets: Lenslets) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places that are tried: the field and half a lenslet around it."""
    step, edge = LATTICE * lenslets.size, lenslets.size / 2
    x = np.arange(lenslets.x.min() - edge, lenslets.x.max() + edge + step, step)
    y = np.arange(lenslets.y.min() - edge, lenslets.y.max() + edge + step, step)
    px, py = np.meshgrid(x, y)
    return px.ravel(), py.ravel()


def _weights(light: Array, variance: Array) -> NDArray[np.float64]:
    """Inverse variance, smaller where the scatter of the fibers is more than the errors; zero in poor windows."""
    weight = np.where(np.isfinite(variance), 1 / variance, 0.0)
    for n in range(light.shape[0]):
        known = weight[n] > 0
        if known.sum() < LEAST_FIBERS:
            weight[n] = 0
            continue
        pull = (light[n] - np.median(light[n][known])) * np.sqrt(weight[n])
        weight[n] /= max(robust_sigma(pull[known]), 1.0) ** 2
    return weight


def _significance(light: Array, weight: Array, share: Array) -> NDArray[np.float64]:
    """Amplitude over error at each place in each window, with a constant fitted beside; shape (nwindow, nplace)."""
    top = np.sqrt(np.maximum(weight.max(axis=1, keepdims=True), 1e-300))
    light, weight, share = (a.astype(np.float32) for a in (light * top, weight / top**2, share))
    s1, sd = weight.sum(axis=1, keepdims=True), (weight * light).sum(axis=1, keepdims=True)
    sp, spp, spd = weight @ share.T, weight @ (share**2).T, (weight * light) @ share.T
    with np.errstate(invalid="ignore", divide="ignore"):
        bottom = spp - sp**2 / s1
        snr = np.where(bottom > 1e-3 * spp, (spd - sp * sd / s1) / np.sqrt(bottom), 0.0)
    return np.nan_to_num(snr, posinf=0.0, neginf=0.0)
