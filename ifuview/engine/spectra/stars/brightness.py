"""Magnitudes of stars from their light in chunks of wavelength, as the optics were measured with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from ifuview.engine.spectra.field.lenslet import SEEING_POWER, displacement, moffat_share
from ifuview.engine.spectra.field.point import FLOOR
from ifuview.engine.spectra.stars.optics import OpticsFit, StarLight, light_of
from ifuview.engine.spectra.stars.photometry import POGSON, magnitude_of
from ifuview.model.checks import Array

STEP = 2.0  # Angstrom, of the band
LEAST = 3  # chunks


def star_magnitudes(
    stars: tuple[StarLight, ...], wave: Array, fit: OpticsFit, reference: float, band_wave: Array, band: Array
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return magnitudes of the stars in a band and their errors, (nstar,) each; NaN where there is too little light.

    Parameters
    ----------
    stars : tuple of StarLight
        In 1e-17 erg/s/cm2/A; those that the fit was made of.
    wave : ndarray, shape (nchunk,), Angstrom
    fit : OpticsFit
    reference : float, Angstrom
        Of the fit's width.
    band_wave, band : ndarray, shape (n,)
        Transmission.
    """
    dx, dy = displacement(fit.dar, wave)
    width = fit.fwhm * (wave / reference) ** SEEING_POWER
    half = float(np.median(np.diff(wave))) / 2
    at = np.arange(max(wave[0] - half, band_wave[0]), min(wave[-1] + half, band_wave[-1]), STEP)
    photon = np.interp(at, band_wave, band) * at
    chunk = np.abs(at[:, None] - wave).argmin(axis=1)
    part = np.bincount(chunk, photon, wave.size)
    out = np.full((2, len(stars)), np.nan)
    for n, star in enumerate(stars):
        e = star.exposure
        own = replace(star.fibers, x=star.fibers.x + fit.dither[0, e], y=star.fibers.y + fit.dither[1, e])
        share = moffat_share(own, fit.x[n] + dx, fit.y[n] + dy, width, fit.beta) * fit.illumination[e]
        known = np.isfinite(star.variance)
        floor = (FLOOR * np.maximum(star.light, 0)) ** 2
        weight = np.where(known, 1 / (np.where(known, star.variance, 1.0) + floor), 0.0)
        light, norm = light_of(weight, share, star.light), (weight * share**2).sum(axis=1)
        good = norm > 0
        if good.sum() < LEAST:
            continue
        flux = PchipInterpolator(wave[good], light[good], extrapolate=True)(at)
        out[0, n] = magnitude_of(at, flux, band_wave, band)
        square = (part[good] ** 2 / norm[good]).sum()
        out[1, n] = POGSON * np.sqrt(square) / max(abs(float((part[good] * light[good]).sum())), 1e-300)
    return out[0], out[1]
