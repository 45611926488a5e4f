"""Trace all fibers of a flat from nothing: bin, find, follow, measure, smooth.

Columns are binned with cosmics left out; peaks are found in the middle and followed to both ends; widths are measured
on a sparse set of bins and smoothed; then all bins are measured by Gauss-Newton steps with neighbors subtracted and a
Legendre polynomial is fitted to each fiber with its own errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.numeric.polyfit import covariance, evaluate, fit_rows, legendre_basis, variance_series
from ifuview.engine.traces.binning import bin_columns
from ifuview.engine.traces.follow import follow_peaks
from ifuview.engine.traces.measure_flat import refine
from ifuview.engine.traces.peaks import find_peaks
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.quality import TraceBit
from ifuview.model.trace import Provenance, TraceSet

BIN = 16  # columns
SPARSE = 32  # bins that widths are measured on
DEGREE, WIDTH_DEGREE, START_DEGREE, FLUX_DEGREE = 5, 3, 3, 2
START_SIGMA = 1.25  # px
PEAK_TO_FLUX = 3.1  # flux of a Gaussian of START_SIGMA over its peak
WIDTH_ROUNDS = 5  # neighbors' widths settle together
FULL_ROUNDS = 2
MIDDLE_BINS = 2  # on each side of the middle, whose mean is searched for peaks
MIN_KEPT = 0.5  # share of the bins that a trace must keep
FLUX_SIGMA = 3.0  # median significance of the flux below which a trace is lost
MIN_BINS = 8

Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredFlat:
    """Centers of the fibers in the column bins and what was fitted to them, shapes (nfiber, nbin)."""

    center: Float
    error: Float
    sigma: Float
    flux: Float
    coeff: NDArray[np.float64]
    residual: Float
    kept: NDArray[np.bool_]


def trace_flat(
    image: Array,
    readnoise: float,
    *,
    degree: int = DEGREE,
    width: int = BIN,
    start: Array | None = None,
    ctx: JobContext = SILENT,
) -> TraceSet:
    """Return the smooth traces of all fibers that a flat shows.

    Parameters
    ----------
    image : ndarray of float32, shape (nrow, ncol), electron
        A flat in canonical axes, without pedestal. Not-finite pixels are left out.
    readnoise : float, electron
    degree : int
        Of the Legendre polynomials in column.
    width : int
        Columns per bin, a multiple of 4.
    start : ndarray, shape (nfiber, ncol), px, optional
        Traces to start from instead of peaks.

    Returns
    -------
    TraceSet
        In rising order. `error` is the propagated 1 sigma of the smooth trace, `rms` that of the bins about it. A fiber
        that was found but not followed or fitted stays in the set, with `TraceBit` in its status and NaN centers.

    Raises
    ------
    FitError
        No fiber is found, or the image is too narrow.
    """
    nrow, ncol = image.shape
    width = min(width, max(4, ncol // MIN_BINS // 4 * 4))
    if ncol // width < MIN_BINS or nrow < 16:
        raise FitError(f"an image of {nrow} x {ncol} pixels is too small to trace")
    binned = bin_columns(image, width, readnoise, ctx.part(0.0, 0.2))
    middle = np.arange(binned.shape[1]) * width + (width - 1) / 2
    sparse = slice(max(1, binned.shape[1] // SPARSE) // 2, None, max(1, binned.shape[1] // SPARSE))
    center = (
        _start(binned, sparse, readnoise, width) if start is None else start[:, np.round(middle[sparse]).astype(int)]
    )
    if center.shape[0] == 0:
        raise FitError("no fiber is found in the middle of the image", todo="trace a flat, in the right orientation")
    first = _first_fit(binned, center.astype(np.float32), middle, sparse, ncol, readnoise, width, ctx.part(0.2, 0.6))
    found = _full_fit(binned, first, legendre_basis(middle, ncol, degree), readnoise, width, ctx.part(0.6, 0.95))
    ctx.checkpoint(0.95, "Smoothing traces")
    return _traces(found, legendre_basis(middle, ncol, degree), first[3], nrow, ncol, degree)


def _start(binned: Array, sparse: slice, readnoise: float, width: int) -> Array:
    """Coarse paths from the peaks in the middle, in the sparse bins."""
    few = np.ascontiguousarray(np.nan_to_num(binned[:, sparse]))
    half = binned.shape[1] // 2
    block = binned[:, half - MIDDLE_BINS : half + MIDDLE_BINS]
    known = np.asarray(np.isfinite(block).any(axis=1))
    counts = np.zeros(binned.shape[0])
    counts[known] = np.nanmean(block[known], axis=1)
    error = np.sqrt((readnoise**2 + np.maximum(counts, 0)) / (2 * MIDDLE_BINS * width))
    first = int(np.argmin(np.abs(np.arange(binned.shape[1])[sparse] - half)))
    return follow_peaks(few, find_peaks(counts, error), first)


def _first_fit(
    binned: Array, center: Float, middle: Array, sparse: slice, ncol: int, readnoise: float, width: int, ctx: JobContext
) -> tuple[Float, Float, Float, NDArray[np.float64]]:
    """Smooth centers, widths and fluxes of all bins from the sparse ones, and the coefficients of the widths."""
    few = np.ascontiguousarray(np.nan_to_num(binned[:, sparse]))
    start = legendre_basis(middle[sparse], ncol, START_DEGREE)
    center = _smoothed(start, center, np.ones_like(center))
    sigma = np.full_like(center, START_SIGMA)
    rows = np.clip(np.rint(center), 0, few.shape[0] - 1).astype(np.intp)
    flux = few[rows, np.arange(few.shape[1])] * np.float32(PEAK_TO_FLUX)
    center, sigma, flux, error = refine(few, center, sigma, flux, readnoise, width, ctx=ctx)
    center = _smoothed(start, center, _weight(error))
    for turn in range(WIDTH_ROUNDS + 1):
        center, sigma, flux, error = refine(few, center, sigma, flux, readnoise, width, fit_width=turn > 0, ctx=ctx)
    weight = _weight(error)
    uniform = (weight > 0).astype(np.float32)

    def everywhere(values: Array, weights: Array, degree: int) -> tuple[Float, NDArray[np.float64]]:
        coeff = fit_rows(legendre_basis(middle[sparse], ncol, degree), values, weights)[0]
        return evaluate(coeff, legendre_basis(middle, ncol, degree), np.float32), coeff

    wide, width_coeff = everywhere(sigma, uniform, WIDTH_DEGREE)
    path, _ = everywhere(center, weight, START_DEGREE + 1)
    light, _ = everywhere(flux, uniform, FLUX_DEGREE)
    return path, np.where(wide > 0, wide, np.float32(START_SIGMA)), light, width_coeff


def _full_fit(
    binned: Array,
    first: tuple[Float, Float, Float, NDArray[np.float64]],
    basis: Array,
    readnoise: float,
    width: int,
    ctx: JobContext,
) -> MeasuredFlat:
    """All bins measured from the smooth start, and fitted."""
    path, sigma, flux, _ = first
    lost = ~np.asarray(np.isfinite(path).all(axis=1))
    path, flux = np.where(lost[:, None], np.float32(-100), path), np.where(np.isfinite(flux) & ~lost[:, None], flux, 0)
    flux = flux.astype(np.float32)
    for turn in range(FULL_ROUNDS):
        step = ctx.part(turn / FULL_ROUNDS, (turn + 1) / FULL_ROUNDS)
        center, _, flux, error = refine(binned, path, sigma, flux, readnoise, width, ctx=step)
        weight = _weight(error)
        weight[lost] = 0
        coeff, residual, kept = fit_rows(basis, center, weight, rounds=1 + (turn == FULL_ROUNDS - 1))
        path = np.nan_to_num(evaluate(coeff, basis, np.float32), nan=-100)
    return MeasuredFlat(center, error, sigma, flux, coeff, residual, kept)


def _traces(found: MeasuredFlat, basis: Array, width_coeff: Array, nrow: int, ncol: int, degree: int) -> TraceSet:
    """The TraceSet of the fitted fibers with errors and status."""
    columns = np.arange(ncol)
    center = evaluate(found.coeff, legendre_basis(columns, ncol, degree))
    sigma = evaluate(width_coeff, legendre_basis(columns, ncol, WIDTH_DEGREE), np.float32)
    spread = variance_series(covariance(basis, _weight(found.error), found.kept))
    error = evaluate(spread, legendre_basis(columns, ncol, 2 * degree), np.float32)
    np.sqrt(np.abs(error, out=error), out=error)
    status = _status(found, evaluate(found.coeff, basis), nrow)
    bad = (status & np.uint32(TraceBit.NOT_FITTED)) > 0
    center[bad] = np.nan
    count = found.kept.sum(axis=1)
    rms = np.sqrt(np.where(found.kept, found.residual, 0).astype(np.float64) ** 2 @ np.ones(found.kept.shape[1]))
    rms /= np.sqrt(np.maximum(count - degree - 1, 1))
    return TraceSet(
        fiber=np.arange(center.shape[0]), center=center, sigma=sigma, error=error,
        valid=_inside(center, status, nrow), coeff=found.coeff, domain=(0.0, float(ncol - 1)), basis="legendre",
        rms=rms, status=status, provenance=Provenance(step="trace_flat"),
    )  # fmt: skip


def _status(found: MeasuredFlat, center: Array, nrow: int) -> NDArray[np.uint32]:
    """Bits of fibers that could not be fitted, followed, or that leave the image."""
    kept = found.kept.mean(axis=1)
    unfitted = ~np.isfinite(found.coeff).all(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        signal = np.median(found.sigma / found.error, axis=1)  # flux / its error, to a factor near 1
        outside = (center < 0) | (center > nrow - 1)
    status = np.zeros(kept.size, np.uint32)
    status[unfitted] |= np.uint32(TraceBit.NOT_FITTED)
    status[(kept < MIN_KEPT) | (signal < FLUX_SIGMA)] |= np.uint32(TraceBit.LOST)
    status[outside.any(axis=1) & ~unfitted] |= np.uint32(TraceBit.EXTRAPOLATED)
    return status


def _inside(center: Array, status: Array, nrow: int) -> NDArray[np.bool_]:
    """Where traces lie on the image; looked up only for fibers with a status."""
    out = np.ones(center.shape, np.bool_)
    odd = np.flatnonzero(status)
    with np.errstate(invalid="ignore"):
        out[odd] = (center[odd] >= 0) & (center[odd] <= nrow - 1)
    return out


def _weight(error: Array) -> Float:
    """1 / error^2, 0 where there is none."""
    good = np.isfinite(error) & (error > 0)
    out = np.zeros(error.shape, np.float32)
    out[good] = error[good] ** np.float32(-2)
    return out


def _smoothed(basis: Array, values: Array, weight: Array) -> Float:
    """Values of a fit of each row; where it fails the values themselves."""
    coeff = fit_rows(basis, values, weight)[0]
    smooth = evaluate(coeff, basis, np.float32)
    return np.where(np.isfinite(smooth), smooth, values).astype(np.float32)
