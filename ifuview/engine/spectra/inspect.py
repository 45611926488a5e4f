"""One fiber of a detector image in full: its cross-section, its spectrum and whether its trace is right.

The fiber and its neighbors are fitted together in a band of the image (`profile.fit`): an offset from the trace
per column bin with errors from the noise, a width, and the flux of every column. The verdict compares the offset with
limits in px and with its own error, so that a faint fiber is "not measured" rather than wrong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.traces import band as kernel
from ifuview.engine.traces.fit import MAX_STEP, START_SIGMA, BandFit, fit_band, neighborhood, solution
from ifuview.engine.traces.verdict import VerdictLimits, judge
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.inspection import CrossSection, FiberSpectrum, ProfileComponent, TraceQuality, Verdict
from ifuview.model.trace import TraceSet

MARGIN = 9  # rows of the band beyond the outermost trace
APERTURE = 2.5  # px, half width of the boxcar


def band_rows(traces: TraceSet, row: int, nrow: int) -> tuple[int, int]:
    """Return the rows r0..r1-1 of the image that the inspection of trace `row` needs."""
    fibers = neighborhood(traces, row)
    center = traces.center[fibers]
    if not np.isfinite(center).any():
        return 0, min(nrow, 2 * MARGIN)
    r0 = int(np.floor(np.nanmin(center))) - MARGIN
    r1 = int(np.ceil(np.nanmax(center))) + MARGIN + 1
    r0 = min(max(r0, 0), max(nrow - 2 * MARGIN, 0))
    return r0, max(min(r1, nrow), min(r0 + 2 * MARGIN, nrow))


def inspect_fiber(
    band: Array,
    traces: TraceSet,
    row: int,
    *,
    row0: int = 0,
    ivar: Array | None = None,
    mask: Array | None = None,
    gain: float | None = None,
    readnoise: float | None = None,
    column: int | None = None,
    ncolumns: int = 1,
    method: str = "optimal",
    aperture: float = APERTURE,
    limits: VerdictLimits | None = None,
    unit: str = "",
    label: str = "",
    ctx: JobContext = SILENT,
) -> tuple[CrossSection, FiberSpectrum, TraceQuality]:
    """Return cross-section, spectrum and trace quality of one fiber.

    Parameters
    ----------
    band : ndarray of float32, shape (nrow, ncol)
        Rows row0..row0+nrow-1 of the canonical image; `band_rows` says which are needed.
    traces : TraceSet
        Of the whole image, same columns.
    row : int
        Row of the fiber in `traces`.
    ivar, mask : ndarray, shape (nrow, ncol), optional
        Pixels with ivar <= 0 or any mask bit are not used.
    gain, readnoise : float, optional
        Electrons per unit and electrons. With both the noise is modeled; else it is measured from `ivar`, else from
        the residuals of the fit.
    column : int, optional
        Of the cross-section; default the middle.
    ncolumns : int
        Running median of the cross-section.
    method : str
        "optimal" or "boxcar".
    aperture : float, px
        Half width of the boxcar.
    limits : VerdictLimits, optional

    Raises
    ------
    UsageError
        The band and the traces have different numbers of columns, or there is no such fiber.
    """
    _check(band, traces, row, method)
    ctx.checkpoint(0.0, f"Measuring fiber {traces.fiber_id[row]}")
    good = _good(band, ivar, mask)
    fit = fit_band(band, good, traces, row, row0=row0, ivar=ivar, gain=gain, readnoise=readnoise, ctx=ctx)
    column = traces.ncol // 2 if column is None else min(max(column, 0), traces.ncol - 1)
    section = cross_section(band, good, fit, traces, row, row0, column, ncolumns, aperture, unit)
    spectrum = fiber_spectrum(band, good, fit, traces, row, method, aperture, unit, label)
    ctx.checkpoint(0.9, "Verdict")
    return section, spectrum, trace_quality(fit, traces, row, limits or VerdictLimits())


def trace_quality(fit: BandFit, traces: TraceSet, row: int, limits: VerdictLimits) -> TraceQuality:
    """Judge the trace of one fiber of a fitted band."""
    k = int(np.flatnonzero(fit.rows == row)[0])
    offset, err = fit.offset[k], fit.offset_err[k]
    count = np.add.reduceat(np.isfinite(fit.variance), fit.edges[:-1], axis=1)
    flux = np.add.reduceat(fit.flux, fit.edges[:-1], axis=1) / np.maximum(count, 1)
    variance = np.where(np.isfinite(fit.variance), fit.variance, 0)
    flux_err = np.sqrt(np.add.reduceat(variance, fit.edges[:-1], axis=1)) / np.maximum(count, 1)
    flux_err[count == 0] = np.inf
    middle = (fit.edges[:-1] + fit.edges[1:] - 1) / 2
    below, above = _spacing(fit, k)
    found = judge(middle, offset, err, flux, flux_err, k, _crossing(traces, row), limits, fit.noise.source)
    return TraceQuality(
        fiber_id=traces.fiber_id[row],
        column=middle,
        offset=offset,
        offset_err=err,
        sigma=fit.sigma[k],
        sigma_err=fit.sigma_err[k],
        flux=flux[k],
        flux_err=flux_err[k],
        chi2=fit.chi2[k],
        spacing_below=below,
        spacing_above=above,
        mean_offset=found.mean,
        mean_offset_err=found.mean_err,
        shape_chi2=found.shape_chi2,
        shape_dof=found.shape_dof,
        significance=found.significance,
        floor=float(np.median(err[np.isfinite(err)])) if np.isfinite(err).any() else float("nan"),
        verdict=found.verdict,
        text=found.text,
    )


def cross_section(
    band: Array,
    good: Array,
    fit: BandFit,
    traces: TraceSet,
    row: int,
    row0: int,
    column: int,
    ncolumns: int,
    aperture: float,
    unit: str = "",
) -> CrossSection:
    """Return the counts at a column, or their running median, with the fitted profiles of the fibers in the band."""
    c0 = max(0, column - (ncolumns - 1) // 2)
    c1 = min(traces.ncol, c0 + max(ncolumns, 1))
    counts, used = _median_column(band[:, c0:c1], good[:, c0:c1])
    bin_ = int(np.searchsorted(fit.edges, column, side="right")) - 1
    offset = np.where(np.isfinite(fit.offset[:, bin_]), fit.offset[:, bin_], 0.0)[:, None]
    usual = float(np.median(fit.sigma[np.isfinite(fit.sigma)])) if np.isfinite(fit.sigma).any() else START_SIGMA
    sigma = np.where(np.isfinite(fit.sigma[:, bin_]), fit.sigma[:, bin_], usual)[:, None]
    shrink = 1.0 if c1 - c0 == 1 else np.pi / 2 / (c1 - c0)  # variance of a median
    center = fit.center[:, column : column + 1]
    flux, variance = np.zeros((2, center.shape[0], 1))
    sums = np.zeros((center.shape[0], 1, kernel.NTERM))
    model = np.zeros((band.shape[0], 1), np.float32)
    floor, per_count = fit.noise.floor * shrink, fit.noise.per_count * shrink
    data = np.ascontiguousarray(counts[:, None])
    for _ in range(3):
        kernel.fit_step(
            data,
            used[:, None],
            center + offset,
            sigma,
            np.zeros(1, np.intp),
            floor,
            per_count,
            flux,
            variance,
            sums,
            model,
        )
        dy, ey, _, _ = solution(sums)
        offset = np.where(np.isfinite(ey), offset + np.clip(dy, -MAX_STEP / 2, MAX_STEP / 2), offset)
    position = np.arange(row0, row0 + band.shape[0], dtype=float)
    parts = _components(position - row0, fit, traces, center + offset, ey, sigma, flux, variance)
    error = np.sqrt(floor + per_count * np.maximum(model[:, 0], 0))
    trace = float(traces.center[row, column])
    near = used & (np.abs(position - trace) <= kernel.HALF_ROWS)
    pull = (counts - model[:, 0])[near] / error[near]
    return CrossSection(
        position=position,
        counts=counts,
        error=error.astype(np.float64),
        masked=~used,
        column=column,
        ncolumns=c1 - c0,
        trace=trace,
        aperture=(trace - aperture, trace + aperture),
        model=model[:, 0],
        components=parts,
        unit=unit,
        chi2=float(np.sum(pull**2) / max(near.sum() - 2, 1)) if near.any() else float("nan"),
    )


def fiber_spectrum(
    band: Array,
    good: Array,
    fit: BandFit,
    traces: TraceSet,
    row: int,
    method: str = "optimal",
    aperture: float = APERTURE,
    unit: str = "",
    label: str = "",
) -> FiberSpectrum:
    """Return the spectrum of the fiber: de-blended optimal fluxes of the fit, or the sum of an aperture."""
    k = int(np.flatnonzero(fit.rows == row)[0])
    touched = _touched(good, fit.center[k], aperture)
    if method == "optimal":
        flux, variance = fit.flux[k], fit.variance[k]
        masked = ~np.isfinite(variance)
    else:
        from ifuview.engine.spectra.boxcar import boxcar

        pixel_variance = fit.noise.floor + fit.noise.per_count * np.maximum(fit.model, 0)
        flux2, variance2 = boxcar(np.where(good, band, 0), fit.center[k : k + 1], aperture, variance=pixel_variance)
        assert variance2 is not None
        flux, variance = flux2[0].astype(float), variance2[0].astype(float)
        masked = touched | ~np.isfinite(flux)
    wave = None if traces.wave is None else traces.wave[row]
    return FiberSpectrum(
        fiber_id=traces.fiber_id[row],
        pixel=np.arange(traces.ncol),
        wave=wave,
        flux=np.where(np.isfinite(variance), flux, np.nan),
        error=np.sqrt(variance),
        masked=masked,
        method=method,
        unit=unit,
        label=label,
    )


def _check(band: Array, traces: TraceSet, row: int, method: str) -> None:
    """Refuse what cannot be inspected."""
    if not 0 <= row < traces.nfiber:
        raise UsageError(f"there is no fiber {row}", todo=f"choose 0 to {traces.nfiber - 1}")
    if band.ndim != 2 or band.shape[1] != traces.ncol:
        raise UsageError(
            f"the image has {band.shape[-1]} columns and the traces {traces.ncol}",
            todo="load the traces of this detector",
        )
    if method not in ("optimal", "boxcar"):
        raise UsageError(f"there is no extraction called {method}", todo='choose "optimal" or "boxcar"')


def _good(band: Array, ivar: Array | None, mask: Array | None) -> NDArray[np.bool_]:
    """Pixels that carry information."""
    good = np.isfinite(band)
    if ivar is not None:
        good &= ivar > 0
    if mask is not None:
        good &= mask == 0
    return good


def _spacing(fit: BandFit, k: int) -> tuple[Array, Array]:
    """Measured distances to the fibers below and above in each bin, NaN at the ends."""
    middle = (fit.edges[:-1] + fit.edges[1:] - 1) // 2
    at = fit.center[:, middle] + fit.offset
    none = np.full(middle.size, np.nan)
    return (at[k] - at[k - 1] if k > 0 else none), (at[k + 1] - at[k] if k + 1 < at.shape[0] else none)


def _crossing(traces: TraceSet, row: int) -> str:
    """The id of a fiber whose trace this one crosses or lies on, or of whose order it falls out; "" if none."""
    center = traces.center
    near = np.nanmin(np.abs(center - center[row]), axis=1, initial=np.inf, where=np.isfinite(center - center[row]))
    near[row] = np.inf
    if not np.isfinite(near).any():
        return ""
    other = int(np.argmin(near))
    if near[other] < 1.0:
        return traces.fiber_id[other]
    order = np.array([r for r in (row - 2, row - 1, row, row + 1, row + 2) if 0 <= r < traces.nfiber])
    middle = center[order, traces.ncol // 2]
    rising = np.sign(np.nanmedian(np.diff(center[:, traces.ncol // 2])))
    me = int(np.flatnonzero(order == row)[0])
    wrong = [o for o, m in zip(order, middle) if o != row and (m - middle[me]) * (o - row) * rising < 0]
    return traces.fiber_id[int(wrong[0])] if wrong else ""


def _median_column(band: Array, good: Array) -> tuple[Array, Array]:
    """Median over columns of good pixels, and where there is one."""
    used = np.asarray(good.any(axis=1))
    if band.shape[1] == 1:
        return np.where(used, band[:, 0], 0).astype(np.float32), used
    counts = np.zeros(band.shape[0], np.float32)
    counts[used] = np.nanmedian(np.where(good, band, np.nan)[used], axis=1)
    return counts, used


def _components(
    position: Array,
    fit: BandFit,
    traces: TraceSet,
    center: Array,
    err: Array,
    sigma: Array,
    flux: Array,
    variance: Array,
) -> tuple[ProfileComponent, ...]:
    """The light of each fiber in the cross-section."""
    from math import erf

    out = []
    row0 = float(traces.center[fit.rows[0], 0] - fit.center[0, 0]) if np.isfinite(fit.center[0, 0]) else 0.0
    for k, row in enumerate(fit.rows):
        if not np.isfinite(center[k, 0]):
            continue
        edges = (np.append(position, position[-1] + 1) - 0.5 - center[k, 0]) / (sigma[k, 0] * np.sqrt(2))
        light = 0.5 * np.diff([erf(float(e)) for e in edges])
        out.append(
            ProfileComponent(
                traces.fiber_id[row],
                float(center[k, 0]) + row0,
                float(err[k, 0]),
                float(flux[k, 0]),
                float(np.sqrt(variance[k, 0])),
                float(sigma[k, 0]),
                flux[k, 0] * light,
            )
        )
    return tuple(out)


def _touched(good: Array, center: Array, half: float) -> NDArray[np.bool_]:
    """Columns with an unusable pixel within the aperture or with an aperture outside the band."""
    nrow, ncol = good.shape
    known = np.isfinite(center)
    lo = np.floor(np.where(known, center, 0) - half + 0.5).astype(np.intp)
    hi = np.floor(np.where(known, center, 0) + half + 0.5).astype(np.intp)
    count = np.concatenate((np.zeros((1, ncol), np.intp), np.cumsum(~good, axis=0)))
    columns = np.arange(ncol)
    bad = count[np.clip(hi + 1, 0, nrow), columns] - count[np.clip(lo, 0, nrow), columns] > 0
    return bad | ~known | (lo < 0) | (hi >= nrow)


__all__ = ["Verdict", "VerdictLimits", "band_rows", "inspect_fiber"]
