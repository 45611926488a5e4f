"""Electrons of a pixel to electrons per Angstrom to flux density, with variance; numbers of the telescope are given.

A response gives the energy that one electron of the extraction stands for. If it was made for amplitudes of the fiber
profile instead of the sum over it, `amplitude` is the sum over the profile per unit of that amplitude.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra

PER_ANGSTROM = "electron/Angstrom"
FLUX_DENSITY = "1e-17 erg/s/cm2/Angstrom"
FLUX_UNIT = 1e-17  # erg/s/cm2/Angstrom: squares of it stay within the range of float32
LEAST_RESPONSE = 0.02  # of a fiber against the others: below it nothing is known of the light


@dataclass(frozen=True, slots=True, eq=False)
class FluxScale:
    """What turns electrons into flux.

    Parameters
    ----------
    exptime : float, s
    area : float, cm2
        Of the mirror that is lit.
    transparency : float
    amplitude : float
        Sum over the fiber profile for each unit of what the response was made for.
    """

    exptime: float
    area: float
    transparency: float = 1.0
    amplitude: float = 1.0


def dispersion(wave: Array) -> NDArray[np.float64]:
    """Angstrom per pixel along the last axis, by central differences."""
    return np.abs(np.gradient(np.asarray(wave, np.float64), axis=-1))


def per_angstrom(spectra: FiberSpectra, throughput: Array | None = None) -> FiberSpectra:
    """Electrons per Angstrom of a fiber of usual throughput.

    Parameters
    ----------
    spectra : FiberSpectra
        In electrons per pixel.
    throughput : ndarray, shape (nfiber, nwave), optional
        Of each fiber against the mean of all. Samples below LEAST_RESPONSE become NO_DATA.

    Raises
    ------
    UsageError
        The spectra are in another unit.
    """
    if spectra.unit != "electron":
        raise UsageError(f"spectra are in {spectra.unit}, not in electrons")
    scale = dispersion(spectra.wave) * (1.0 if throughput is None else throughput)
    scale = np.broadcast_to(scale, spectra.flux.shape)
    return _scaled(spectra, scale, PER_ANGSTROM)


def to_flux(spectra: FiberSpectra, response_wave: Array, response: Array, exposure: FluxScale) -> FiberSpectra:
    """Flux density of spectra in electrons per Angstrom.

    Parameters
    ----------
    spectra : FiberSpectra
    response_wave, response : ndarray, shape (n,), Angstrom and erg/electron
        Outside of its range the last value holds, and EXTRAPOLATED is set.
    exposure : FluxScale

    Raises
    ------
    UsageError
        Another unit, or an exposure time that is not positive.
    """
    if spectra.unit != PER_ANGSTROM:
        raise UsageError(f"spectra are in {spectra.unit}, not in {PER_ANGSTROM}")
    if not exposure.exptime > 0:
        raise UsageError("the exposure time is not positive", todo="give it by hand")
    wave = spectra.wave
    light = exposure.exptime * exposure.area * exposure.transparency * exposure.amplitude * FLUX_UNIT
    scale = light / np.interp(wave, response_wave, response)
    out = _scaled(spectra, np.broadcast_to(scale, spectra.flux.shape), FLUX_DENSITY)
    step = np.median(np.diff(response_wave))
    beyond = (wave < response_wave[0] - step) | (wave > response_wave[-1] + step)
    bit = np.uint32(int(ReductionBit.EXTRAPOLATED))
    return replace(out, mask=out.mask | np.where(np.broadcast_to(beyond, out.mask.shape), bit, np.uint32(0)))


def _scaled(spectra: FiberSpectra, scale: Array, unit: str) -> FiberSpectra:
    """Divided by `scale`; what has no scale is masked."""
    known = np.isfinite(scale) & (scale > LEAST_RESPONSE * np.nanmedian(scale))
    by = np.where(known, scale, 1.0)
    flux = np.where(known, spectra.flux / by, 0.0)
    variance = np.where(known, spectra.variance / by / by, 0.0)
    bit = np.uint32(int(ReductionBit.NO_DATA))
    mask = spectra.mask | np.where(known, np.uint32(0), bit)
    return replace(spectra, flux=flux, variance=variance, mask=mask, unit=unit)
