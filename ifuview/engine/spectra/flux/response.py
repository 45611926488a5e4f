"""A response from a standard star, and the absorption of the atmosphere's lines from its spectrum.

Response: known flux over measured electrons, smooth in wavelength: what is smooth of their ratio is fitted with
Legendre polynomials where neither the star's lines nor those of the atmosphere lie. Absorption: a mean transmission to
the power that leaves least of its lines in the spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.smooth_fit import smooth_fit
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.source import SourceSpectrum

DEGREE = 8
ABSORBED = 0.99  # transmission below which a wavelength tells nothing of the response
LEAST = 50  # wavelengths
MOST_ERROR = 0.3  # of the flux, of a wavelength that counts
STEP = 16  # wavelengths whose mean is one point of the fit
LEAST_TRANSMISSION = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class ResponseFit:
    """Energy for each electron of the extraction.

    Parameters
    ----------
    wave : ndarray of float64, shape (nwave,), Angstrom
    response, error : ndarray of float64, shape (nwave,), unit of the flux / unit of the spectrum
    used : ndarray of bool, shape (nwave,)
        Wavelengths it rests on.
    scatter : float
        Robust, of the points about the curve, relative.
    """

    wave: NDArray[np.float64]
    response: NDArray[np.float64]
    error: NDArray[np.float64]
    used: NDArray[np.bool_]
    scatter: float


def fit_response(
    wave: Array, measured: Array, variance: Array, known: Array, *, transmission: Array | None = None,
    leave_out: Array | None = None, degree: int = DEGREE,
) -> ResponseFit:  # fmt: skip
    """Fit the response to the spectrum of a standard star.

    Parameters
    ----------
    wave : ndarray, shape (nwave,), Angstrom
    measured, variance : ndarray, shape (nwave,)
        All light of the star, per Angstrom, second, and area; variance 0 where unknown.
    known : ndarray, shape (nwave,)
        Flux density of the star above the atmosphere at the same wavelengths and line spread.
    transmission : ndarray, shape (nwave,), optional
        Of the atmosphere's lines: where it is below ABSORBED nothing is used.
    leave_out : ndarray of bool, shape (nwave,), optional
        More that is not used: lines of the star.
    degree : int
        Of the polynomial of log response.

    Raises
    ------
    FitError
        Too few wavelengths are usable.
    """
    used = (variance > 0) & (measured > 0) & (known > 0) & np.isfinite(known)
    used &= np.sqrt(np.maximum(variance, 0)) < MOST_ERROR * np.abs(measured)
    if transmission is not None:
        used &= transmission > ABSORBED
    if leave_out is not None:
        used &= ~leave_out
    if used.sum() < LEAST:
        raise FitError("too few wavelengths of the standard star are usable")
    light = np.where(used, measured, 1.0)
    ratio = np.where(used, np.log(np.where(used, known, 1.0) / light), 0.0)
    weight = np.where(used, light**2 / np.where(used, variance, 1.0), 0.0)
    edge = np.arange(0, wave.size, STEP)
    total = np.add.reduceat(weight, edge)
    by = np.where(total > 0, total, 1.0)
    center = np.where(total > 0, np.add.reduceat(weight * wave, edge) / by, np.nan)
    point = np.where(total > 0, np.add.reduceat(weight * ratio, edge) / by, np.nan)
    fit = smooth_fit(center, point, np.where(total > 0, by**-0.5, np.nan), min(degree, int((total > 0).sum()) - 2))
    low, high = np.nanmin(center), np.nanmax(center)
    basis = np.polynomial.legendre.legvander(2 * (wave - low) / (high - low) - 1, fit.degree)
    response = np.exp(basis @ fit.coeff)
    scatter = float(np.sqrt(np.mean(fit.residual[fit.kept] ** 2)))
    error = response * np.hypot(np.sqrt((basis**2) @ (fit.coeff_err**2)), scatter / np.sqrt(fit.kept.sum()))
    return ResponseFit(np.asarray(wave, np.float64), response, error, used, scatter)


def without_absorption(spectrum: SourceSpectrum, transmission: Array) -> tuple[SourceSpectrum, float]:
    """Return a spectrum without the absorption of the atmosphere's lines, and their strength.

    The strength is that of `fit_strength`; where it is not known the curve is taken as it is. Samples that less than
    LEAST_TRANSMISSION of the light reaches are marked, none is invented.

    Parameters
    ----------
    spectrum : SourceSpectrum
    transmission : ndarray, shape (nwave,)
        At its wavelengths.
    """
    known = np.where(np.isfinite(transmission), transmission, 1.0)
    power, error = fit_strength(spectrum.wave, spectrum.flux, spectrum.variance, known)
    power = power if np.isfinite(error) else 1.0
    through = np.clip(known, LEAST_TRANSMISSION, 1.0) ** power
    dark = through <= LEAST_TRANSMISSION
    mask = np.asarray(spectrum.mask) | np.where(known < ABSORBED, np.uint32(int(ReductionBit.TELLURIC)), np.uint32(0))
    mask |= np.where(dark, np.uint32(int(ReductionBit.NO_DATA)), np.uint32(0))
    method = f"{spectrum.method}, lines of the atmosphere taken off ({power:.2f} times the mean)"
    return replace(
        spectrum, flux=spectrum.flux / through, variance=np.where(dark, 0.0, spectrum.variance / through**2),
        mask=mask, method=method,
    ), power  # fmt: skip


def fit_strength(
    wave: Array, flux: Array, variance: Array, transmission: Array, most: float = 3.0
) -> tuple[float, float]:
    """Strength of the atmosphere's lines: the power of the curve that leaves least of them, and its error.

    Each strength is judged by what is left of lines after a running median: the sum of squared residuals in units of
    the noise, from the curve where it is below ABSORBED. 1 and infinity where there are no lines.

    Parameters
    ----------
    wave, flux, variance, transmission : ndarray, shape (nwave,)
    most : float
        Largest power tried.
    """
    lines = (transmission < ABSORBED) & (variance > 0)
    if lines.sum() < LEAST:
        return 1.0, float("inf")
    power = np.linspace(0, most, 61)
    clipped = np.clip(transmission, LEAST_TRANSMISSION, 1.0)
    around = np.flatnonzero((transmission >= ABSORBED) & (variance > 0))
    smooth = np.interp(wave, wave[around], _running(flux[around]))
    loss = np.array([np.sum(((flux - smooth * clipped**p) ** 2 / np.where(lines, variance, 1))[lines]) for p in power])
    best = int(np.clip(np.argmin(loss), 1, power.size - 2))
    a, b, c = loss[best - 1 : best + 2]
    bend = max(a - 2 * b + c, 1e-12)
    step = power[1] - power[0]
    chi2 = max(b / max(int(lines.sum()) - 1, 1), 1.0)
    found = power[best] + 0.5 * step * (a - c) / bend
    return float(np.clip(found, 0, most)), float(step * np.sqrt(2 * chi2 / bend))


def _running(values: Array, width: int = 25) -> NDArray[np.float64]:
    """Running median."""
    padded = np.pad(np.asarray(values, np.float64), width // 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
