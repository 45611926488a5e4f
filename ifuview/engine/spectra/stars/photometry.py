"""Magnitudes of spectra in a passband, and the factor that brings them to those of a catalog.

AB magnitude of the photon-weighted mean flux in the band (Fukugita et al. 1996), over the wavelengths that the spectrum
and the band share. The factor is the median of the stars, weighted with their errors, those far off left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MEDIAN_ERROR, robust_sigma
from ifuview.engine.spectra.flux.scale import FLUX_UNIT
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import UNUSABLE
from ifuview.model.reduction.source import SourceSpectrum

LIGHT = 2.99792458e18  # Angstrom/s
ZERO = 48.60  # AB
COVERED = 0.8  # of the band that has to be usable
CLIP = 3.0
FLOOR = 0.01  # mag, that catalogs do not know better
POGSON = float(2.5 / np.log(10))  # mag for each relative error


@dataclass(frozen=True, slots=True)
class ZeroPoint:
    """Factor that fluxes are multiplied with, its relative error, and stars that it rests on."""

    factor: float
    error: float
    nstars: int


def magnitude_of(wave: Array, flux: Array, band_wave: Array, band: Array) -> float:
    """Return the AB magnitude of flux densities in 1e-17 erg/s/cm2/A at rising wavelengths; NaN for no light."""
    seen = np.interp(wave, band_wave, band, left=0.0, right=0.0) * np.gradient(wave)
    mean = float((seen * wave * flux).sum() / (LIGHT * (seen / wave).sum())) * FLUX_UNIT
    return -2.5 * float(np.log10(mean)) - ZERO if mean > 0 else float("nan")


def band_magnitude(spectrum: SourceSpectrum, band_wave: Array, band: Array) -> tuple[float, float]:
    """Return the AB magnitude of a spectrum and its error; NaN for no light or too few usable samples.

    Parameters
    ----------
    spectrum : SourceSpectrum
        1e-17 erg/s/cm2/A.
    band_wave, band : ndarray, shape (n,)
        Transmission by wavelength (Angstrom); zero outside.
    """
    wave = spectrum.wave
    usable = ((spectrum.mask & int(UNUSABLE)) == 0) & (spectrum.variance > 0)
    photon = np.interp(wave, band_wave, band, left=0.0, right=0.0) * wave * np.gradient(wave)
    if not (photon * usable).sum() > COVERED * photon.sum() > 0:
        return float("nan"), float("nan")
    flux = np.interp(wave, wave[usable], spectrum.flux[usable])
    light = max(abs(float((photon * flux).sum())), 1e-300)
    error = float(np.sqrt((photon**2 * spectrum.variance * usable).sum())) / light
    return magnitude_of(wave, flux, band_wave, band), POGSON * error


def zero_point(synthetic: Array, error: Array, catalog: Array) -> ZeroPoint:
    """Return the factor that makes magnitudes agree with the catalog's.

    Parameters
    ----------
    synthetic, error, catalog : ndarray, shape (nstar,), mag
        NaN: not known.
    """
    off = synthetic - catalog
    sigma = np.hypot(error, FLOOR)
    use = np.isfinite(off) & np.isfinite(sigma)
    if not use.any():
        return ZeroPoint(1.0, float("nan"), 0)
    middle = weighted_median(off[use], 1 / sigma[use])
    spread = max(robust_sigma(off[use], middle), FLOOR) if use.sum() > 2 else np.inf
    use &= np.abs(off - middle) < CLIP * np.hypot(spread, sigma)
    middle = weighted_median(off[use], 1 / sigma[use])
    weight = 1 / sigma[use] ** 2
    wrong = MEDIAN_ERROR * max(robust_sigma(off[use], middle), float(1 / np.sqrt(weight.mean()))) / np.sqrt(use.sum())
    return ZeroPoint(float(10 ** (0.4 * middle)), float(wrong) / POGSON, int(use.sum()))


def weighted_median(value: Array, weight: Array) -> float:
    """The value with half of the weight on either side."""
    order = np.argsort(value)
    total: NDArray[np.float64] = np.cumsum(weight[order]) - 0.5 * weight[order]
    return float(np.interp(0.5 * weight.sum(), total, value[order]))
