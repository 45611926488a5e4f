"""Light of a head in chunks of wavelength, without sky, and where sources put it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.blend import take_pictures
from ifuview.engine.spectra.field.lenslet import Lenslets, moffat_share
from ifuview.engine.spectra.stars.peaks import BETA, Peak, find_peaks
from ifuview.model.checks import Array
from ifuview.recipes.virus.shot_values import HeadFlux, HeadSkies

UNEVEN = 0.004  # of the sky, that fibers differ by without a source
WHITE = (4000.0, 5400.0)  # Angstrom, where sources are looked for
FEW = 11  # chunks


@dataclass(frozen=True, slots=True, eq=False)
class HeadLight:
    """Fibers of all exposures in chunks.

    Parameters
    ----------
    wave : ndarray, shape (nchunk,), Angstrom
    light, variance : ndarray, shape (nchunk, nexp * nfiber)
        Variance infinite where nothing is known.
    sky : ndarray, shape (nexp * nfiber,)
        Mean brightness of the sky.
    """

    wave: Array
    light: Array
    variance: Array
    sky: Array

    def white(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """As `white_light`."""
        return white_light(self.wave, self.light, self.variance)


def white_light(wave: Array, light: Array, variance: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean light of each fiber where most is seen, and its variance; infinite where a chunk is missing."""
    inside = (wave > WHITE[0]) & (wave < WHITE[1])
    inside = inside if inside.any() else np.ones(wave.size, bool)
    square = variance[inside]
    known = np.isfinite(square).all(axis=0)
    total = np.where(known, np.where(np.isfinite(square), square, 0).sum(axis=0), np.inf)
    return light[inside].mean(axis=0), total / inside.sum() ** 2


def take_light(flux: HeadFlux, skies: HeadSkies, chunks: int = FEW) -> HeadLight:
    """Light of a head; what fibers differ by without a source counts as error."""
    light, variance, level = [], [], []
    edge = np.linspace(0, flux.flux[0].flux.shape[1], chunks + 1).astype(int)
    wave = np.zeros(chunks)
    for one, sky in zip(flux.flux, skies.skies, strict=True):
        weight = np.where(one.usable() & (one.variance > 0), 1 / np.where(one.variance > 0, one.variance, 1), 0)
        found = take_pictures(one.flux - sky.sky.model, weight, np.asarray(one.wave), chunks)
        under = (np.add.reduceat(sky.sky.model, edge[:-1], axis=1) / np.diff(edge)).T
        light.append(found.light)
        variance.append(found.variance + (UNEVEN * under) ** 2)
        level.append(sky.sky.model.mean(axis=1))
        wave = found.wave
    return HeadLight(wave, np.concatenate(light, axis=1), np.concatenate(variance, axis=1), np.concatenate(level))


def over_sky(flux: HeadFlux, skies: HeadSkies) -> NDArray[np.float64]:
    """Light of the sources that stand out, in each fiber over that of the sky, (nexp, nfiber)."""
    found, lenslets = take_light(flux, skies), flux.lenslets()
    peaks = find_peaks(*found.white(), lenslets)
    if not peaks:
        return np.zeros((len(flux.flux), flux.exposures[0].nfiber))
    ratio: NDArray[np.float64] = peak_light(peaks, lenslets).sum(axis=0) / np.maximum(found.sky, 1e-30)
    return ratio.reshape(len(flux.flux), -1)


def peak_light(peaks: tuple[Peak, ...], lenslets: Lenslets) -> NDArray[np.float64]:
    """Light of each source in each fiber, (npeak, nfiber)."""
    x, y, light, fwhm = (np.array([getattr(peak, name) for peak in peaks]) for name in ("x", "y", "light", "fwhm"))
    return np.asarray(np.maximum(light, 0)[:, None] * moffat_share(lenslets, x, y, fwhm, BETA))
