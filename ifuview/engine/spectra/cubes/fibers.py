"""Spectra of several fibers together, on the wavelengths of the first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ifuview.engine.spectra.cubes.spaxels import ENOUGH, RegionSpectrum
from ifuview.model.checks import Array
from ifuview.model.inspection import FiberSpectrum


def gather(spectra: Sequence[FiberSpectrum], how: str) -> RegionSpectrum:
    """The sum, mean or median of fibers.

    Fibers with other wavelengths are interpolated linearly; the variance of such a sample is that of the weighted two
    (that neighboring samples share noise then is not told). In a sum a fiber that is not known at a wavelength counts
    as the mean of the others.

    Returns
    -------
    RegionSpectrum
        `error` is None where no fiber has errors; a fiber without an error at a wavelength is left out there.
    """
    errors = any(s.error is not None for s in spectra)
    rows = [on_wavelengths(spectra[0].wave, s, errors) for s in spectra]
    flux, variance = np.stack([r[0] for r in rows]), np.stack([r[1] for r in rows])
    known = np.isfinite(flux) & np.isfinite(variance)
    count, total = known.sum(axis=0), len(rows)
    none = count == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        if how == "median":
            middle = np.ma.median(np.ma.masked_array(flux, ~known), axis=0).filled(np.nan)
            inverse = np.where(known, 1 / np.sqrt(variance), 0.0).sum(axis=0)
            result, noise = middle, np.sqrt(0.5 * np.pi * count) / inverse
        else:
            factor = (1.0 if how == "mean" else total) / count
            result = np.where(known, flux, 0.0).sum(axis=0) * factor
            noise = np.sqrt(np.where(known, variance, 0.0).sum(axis=0)) * factor
    result = np.where(none, np.nan, result)
    error = np.where(none, np.inf, noise) if errors else None
    return RegionSpectrum(result, error, count, count < max(ENOUGH * total, 1), total)


def on_wavelengths(wave: Array | None, spectrum: FiberSpectrum, errors: bool) -> tuple[Array, Array]:
    """Flux and variance of a fiber at some wavelengths; NaN where it is not known."""
    flux = np.where(spectrum.masked, np.nan, np.asarray(spectrum.flux, np.float64))
    variance = np.zeros_like(flux)
    if errors:
        variance = np.full_like(flux, np.nan) if spectrum.error is None else np.asarray(spectrum.error, float) ** 2
    own = spectrum.wave
    if wave is None or own is None or own is wave or np.array_equal(own, wave):
        return flux, variance
    order = np.argsort(own)
    place = np.interp(wave, own[order], np.arange(own.size), left=np.nan, right=np.nan)
    at = np.clip(np.nan_to_num(place).astype(int), 0, max(own.size - 2, 0))
    part = place - at
    low, high = order[at], order[np.minimum(at + 1, own.size - 1)]
    exact = part == 0  # so that a neighbor that is not known does no harm
    value = np.where(exact, flux[low], (1 - part) * flux[low] + part * flux[high])
    return value, np.where(exact, variance[low], (1 - part) ** 2 * variance[low] + part**2 * variance[high])
