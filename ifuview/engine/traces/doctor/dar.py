"""Differential atmospheric refraction: Filippenko (1982) with the refractive index of Ciddor (1996).

Light of a point source moves on the sky, and so between fibers, with wavelength. It never moves a trace: the tilt of
traces along wavelength is the spectrograph's own.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array

ARCSEC = 206264.80625  # per radian
CO2 = 450.0  # ppm
K = (238.0185, 5792105.0, 57.362, 167917.0)  # dispersion of dry air, um^-2; Ciddor 1996, eq. 1
W = (295.235, 2.6422, -0.032380, 0.004028)  # dispersion of water vapor; eq. 3
SVP = (1.2378847e-5, -1.9121316e-2, 33.93711047, -6.3431645e3)  # saturation pressure, Pa; appendix A
FACTOR = (1.00062, 3.14e-8, 5.6e-7)  # enhancement of water vapor in air
Z_A = (1.58123e-6, -2.9331e-8, 1.1043e-10)  # compressibility; appendix A, eq. 12
Z_B, Z_C = (5.707e-6, -2.051e-8), (1.9898e-4, -2.376e-6)
Z_D, Z_E = 1.83e-11, -0.765e-8
GAS, WATER = 8.314510, 0.018015  # J / (mol K), kg / mol
KELVIN = 273.15


def refractive_index(
    wave: Array, temperature: float = 10.0, pressure: float = 800.0, humidity: float = 0.3
) -> NDArray[np.float64]:
    """Return the refractive index of moist air.

    Parameters
    ----------
    wave : (n,), Angstrom
        In vacuum.
    temperature : float, degree Celsius
    pressure : float, hPa
    humidity : float
        Relative, 0 to 1.
    """
    s2 = (1e4 / np.asarray(wave, float)) ** 2
    dry = 1e-8 * (K[1] / (K[0] - s2) + K[3] / (K[2] - s2)) * (1 + 0.534e-6 * (CO2 - 450))
    wet = 1.022e-8 * (W[0] + W[1] * s2 + W[2] * s2**2 + W[3] * s2**3)
    p, t = 100 * pressure, temperature + KELVIN
    saturation = math.exp(SVP[0] * t**2 + SVP[1] * t + SVP[2] + SVP[3] / t)
    share = (FACTOR[0] + FACTOR[1] * p + FACTOR[2] * temperature**2) * humidity * saturation / p
    mass = 1e-3 * (28.9635 + 12.011e-6 * (CO2 - 400))
    standard_dry = 101325 * mass / (_compressibility(101325, 15.0, 0.0) * GAS * 288.15)
    standard_wet = 1333 * WATER / (_compressibility(1333, 20.0, 1.0) * GAS * 293.15)
    z = _compressibility(p, temperature, share)
    rho_dry = p * mass * (1 - share) / (z * GAS * t)
    rho_wet = p * WATER * share / (z * GAS * t)
    out: NDArray[np.float64] = 1 + dry * rho_dry / standard_dry + wet * rho_wet / standard_wet
    return out


def _compressibility(p: float, celsius: float, share: float) -> float:
    """Compressibility of moist air; p in Pa, share of water vapor."""
    t = celsius + KELVIN
    first = Z_A[0] + Z_A[1] * celsius + Z_A[2] * celsius**2
    first += (Z_B[0] + Z_B[1] * celsius) * share + (Z_C[0] + Z_C[1] * celsius) * share**2
    return 1 - p / t * first + (p / t) ** 2 * (Z_D + Z_E * share**2)


def refraction(
    wave: Array,
    zenith: float,
    *,
    reference: float = 5000.0,
    temperature: float = 10.0,
    pressure: float = 800.0,
    humidity: float = 0.3,
) -> NDArray[np.float64]:
    """Return by how much light of each wavelength is raised towards the zenith, against the reference; arcsec.

    Parameters
    ----------
    wave : (n,), reference : Angstrom, vacuum
    zenith : float, degree
        Zenith distance.
    """
    n = refractive_index(wave, temperature, pressure, humidity)
    n0 = refractive_index(np.array([reference]), temperature, pressure, humidity)[0]
    out: NDArray[np.float64] = ARCSEC * (n - n0) * math.tan(math.radians(zenith))
    return out


def centroids(flux: Array, error: Array | None, positions: Array) -> tuple[Array, Array]:
    """Return the flux-weighted center of a source in each wavelength bin and its error, shape (nbin, 2).

    Parameters
    ----------
    flux : (nfiber, nbin), sky-subtracted
    error : (nfiber, nbin), optional
    positions : (nfiber, 2), arcsec
    """
    known = np.isfinite(flux) & np.asarray(np.isfinite(positions).all(axis=1))[:, None]
    light = np.where(known, flux, 0)
    light = np.where(light > 0.05 * light.max(axis=0, initial=0), light, 0)  # the source, not its sky
    total = light.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        center = (light[..., None] * np.nan_to_num(positions)[:, None]).sum(axis=0) / total[:, None]
        sigma = np.where(light > 0, np.sqrt(np.maximum(light, 0)) if error is None else error, 0)
        away = np.nan_to_num(positions)[:, None] - center[None]
        err = np.sqrt((sigma[..., None] ** 2 * away**2).sum(axis=0)) / total[:, None]
    return center, err
