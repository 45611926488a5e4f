"""Fiber-to-fiber response from a twilight: each fiber over the spectrum that all share, smooth along wavelength.

The shared spectrum is made from all fibers at their own wavelengths, each divided by its response so far; the ratio
of a fiber to it is fitted with a low-order polynomial and its errors as weights, without the columns that stick out
in many fibers (low efficiency). Repeated until it rests. The median of the fibers is one everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.numeric.medians import known_medians
from ifuview.engine.numeric.polyfit import covariance, evaluate, fit_rows, legendre_basis, variance_series
from ifuview.engine.spectra.flat.common import CommonSpectrum, common_spectrum
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra

DEGREE = 5
ROUNDS = 2
FADED = 0.01  # share of the usual light of all wavelengths below which nothing is measured
MODEL_ERROR = 0.003  # share of the light: the shared spectrum is no better
LOW = 0.5  # response below which a fiber is low
LEAST_SAMPLES = 0.1  # share of the columns that a fiber needs


@dataclass(frozen=True, slots=True, eq=False)
class FiberResponse:
    """Response of the fibers.

    Parameters
    ----------
    flat, error : ndarray of float32, shape (nfiber, ncol)
        1 for the median fiber; 1 with infinite error where it is not known.
    mask : ndarray of uint32, shape (nfiber, ncol), ReductionBit
        DEAD_FIBER, LOW_FIBER for whole fibers.
    common : CommonSpectrum
        Of the median fiber, unit of the spectra.
    """

    flat: NDArray[np.float32]
    error: NDArray[np.float32]
    mask: NDArray[np.uint32]
    common: CommonSpectrum


def fiber_flat(
    spectra: FiberSpectra, *, degree: int = DEGREE, odd: Array | None = None, start: FiberResponse | None = None,
    ctx: JobContext = SILENT,
) -> FiberResponse:  # fmt: skip
    """Return the response of all fibers.

    Parameters
    ----------
    spectra : FiberSpectra
        Of a twilight or a lamp that lights all fibers alike, with wavelengths of each fiber.
    degree : int
        Of the response along columns.
    odd : ndarray of bool, shape (nfiber, ncol), optional
        Samples to leave out, such as columns of low efficiency.

    start : FiberResponse, optional
        To begin with, nearly right: one round is then enough.

    Raises
    ------
    FitError
        No fiber has light.
    """
    ncol = spectra.flux.shape[1]
    usable = spectra.usable() & (spectra.mask & np.uint32(ReductionBit.LOW_QE) == 0) & np.isfinite(spectra.wave)
    if odd is not None:
        usable &= ~odd
    flux = np.where(usable, spectra.flux, 0).astype(np.float64)
    variance = np.where(usable, spectra.variance, 1).astype(np.float64)
    known = usable.mean(axis=1) > LEAST_SAMPLES
    if not known.any():
        raise FitError("no fiber has light to measure its response with")
    level = known_medians(flux, usable, 0.0)
    usual = float(np.median(level[known]))
    flat = np.where(known & (level > 0), level / usual, 1.0)[:, None] * np.ones((1, ncol))
    if start is not None:
        flat = start.flat.astype(np.float64)
    basis = legendre_basis(np.arange(ncol), ncol, degree)
    good = usable & known[:, None]
    for _ in range(ROUNDS if start is None else 1):
        ctx.check()
        weight = np.where(good, flat**2 / (variance + (MODEL_ERROR * flux) ** 2), 0)
        common = common_spectrum(spectra.wave, flux / flat, weight)
        ctx.check()
        expected = common.at(np.nan_to_num(spectra.wave))
        lit = good & (expected > FADED * usual)
        safe = np.where(lit, expected, 1.0)
        ratio = np.where(lit, flux / safe, 1.0)
        spread = np.where(lit, safe**2 / (variance + (MODEL_ERROR * safe) ** 2), 0)
        ctx.check()
        coeff, _, kept = fit_rows(basis, ratio, spread)
        fitted = evaluate(np.nan_to_num(coeff), basis)
        measured = np.asarray(np.isfinite(coeff).all(axis=1))
        typical = measured & (fitted.mean(axis=1) > LOW)
        norm = np.median(fitted[typical], axis=0) if typical.any() else np.ones(ncol)
        flat = np.where(measured[:, None], np.maximum(fitted / norm, 1e-3), 1.0)
    ctx.check()
    error = _errors(basis, spread, kept, measured, ncol, degree)
    mask = np.zeros(flat.shape, np.uint32)
    mask[~measured] |= np.uint32(ReductionBit.DEAD_FIBER)
    mask[measured & (flat.mean(axis=1) < LOW)] |= np.uint32(ReductionBit.LOW_FIBER)
    return FiberResponse(flat.astype(np.float32), error, mask, common)


def _errors(basis: Array, weight: Array, kept: Array, measured: Array, ncol: int, degree: int) -> NDArray[np.float32]:
    """Formal errors, inf where nothing is known."""
    spread = variance_series(np.nan_to_num(covariance(basis, weight, kept)))
    square = evaluate(spread, legendre_basis(np.arange(ncol), ncol, 2 * degree))
    return np.where(measured[:, None], np.sqrt(np.abs(square)), np.inf).astype(np.float32)
