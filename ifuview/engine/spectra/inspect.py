"""One fiber of a detector image in full: its cross-section, its spectrum and whether its trace is right.

The trace doctor measures the fiber and its neighbors in a band of the image and judges the trace (`doctor.one`); the
profiles in the cross-section and the fluxes of the spectrum are those of the same fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.boxcar import boxcar
from ifuview.engine.traces.doctor.gather import Evidence, good_pixels
from ifuview.engine.traces.doctor.one import MARGIN, Band, band_rows, look_at, neighborhood, not_measured, quality_of
from ifuview.engine.traces.light import kernels as kernel
from ifuview.engine.traces.light.light_fit import LightFit
from ifuview.engine.traces.light.measure import offsets
from ifuview.engine.traces.light.shape import gaussian_table, profile
from ifuview.errors import FitError, UsageError
from ifuview.model.checks import Array
from ifuview.model.inspection import CrossSection, FiberSpectrum, ProfileComponent, TraceQuality
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import DoctorLimits

APERTURE = 2.5  # px, half width of the boxcar
SHOWN = 2  # fibers on each side that the cross-section shows
ROUNDS = 3  # of the fit of a cross-section
MOST_STEP = 0.35  # px, of one round
CHI2_ROWS = 7  # px on each side of the trace


@dataclass(frozen=True, slots=True, eq=False)
class _Band:
    """What is inspected: the pixels of the band and their use, the fiber, and what the doctor measured, if it could."""

    data: Array
    good: NDArray[np.bool_]
    traces: TraceSet
    row: int
    row0: int
    seen: Evidence | None
    fibers: NDArray[np.intp]  # the neighborhood

    @property
    def name(self) -> str:
        """The fiber."""
        return self.traces.fiber_id[self.row]


def inspect_fiber(
    band: Band,
    traces: TraceSet,
    row: int,
    *,
    column: int | None = None,
    ncolumns: int = 1,
    method: str = "optimal",
    aperture: float = APERTURE,
    limits: DoctorLimits | None = None,
    quality: TraceQuality | None = None,
    unit: str = "",
    label: str = "",
    ctx: JobContext = SILENT,
) -> tuple[CrossSection, FiberSpectrum, TraceQuality]:
    """Return cross-section, spectrum and trace quality of one fiber.

    Parameters
    ----------
    band : Band
    traces : TraceSet
        Of the whole image, same columns.
    row : int
        Row of the fiber in `traces`.
    column : int, optional
        Of the cross-section; default the middle.
    ncolumns : int
        Running median of the cross-section.
    method : str
        "optimal" or "boxcar".
    aperture : float, px
        Half width of the boxcar.
    limits : DoctorLimits, optional
    quality : TraceQuality, optional
        The answer of a diagnosis of the whole image; else the band is judged.

    Raises
    ------
    UsageError
        The band and the traces have different numbers of columns, or there is no such fiber.
    """
    _check(band.data, traces, row, method)
    ctx.checkpoint(0.0, f"Measuring fiber {traces.fiber_id[row]}")
    why, seen = "", None
    try:
        seen = look_at(band, traces, row, ctx.part(0.0, 0.8))
    except FitError as problem:
        why = problem.what
    good = good_pixels(band.data.T, band.ivar, band.mask).T > 0
    data = np.asarray(band.data, np.float32)
    part = _Band(data, good, traces, row, band.row0, seen, neighborhood(traces, row))
    column = traces.ncol // 2 if column is None else min(max(column, 0), traces.ncol - 1)
    section = cross_section(part, column, ncolumns, aperture, unit)
    spectrum = fiber_spectrum(part, method, aperture, unit, label)
    ctx.checkpoint(0.9, "Verdict")
    if quality is None:
        if seen is None:
            quality = not_measured(part.name, np.array([(traces.ncol - 1) / 2]), why)
        else:
            quality = quality_of(seen, part.name, limits or DoctorLimits())
    return section, spectrum, quality


def cross_section(part: _Band, column: int, ncolumns: int, aperture: float, unit: str = "") -> CrossSection:
    """Return the counts at a column, or their running median, with the fitted profiles of the fibers about it."""
    c0 = max(0, column - (ncolumns - 1) // 2)
    c1 = min(part.traces.ncol, c0 + max(ncolumns, 1))
    first, last = _shown_rows(part, column)
    counts, used = _median_column(part.data[:, c0:c1], part.good[:, c0:c1])
    position = np.arange(part.row0, part.row0 + counts.size, dtype=float)
    trace = float(part.traces.center[part.row, column])
    section = CrossSection(
        position[first:last], counts[first:last], None, ~used[first:last], column, c1 - c0, trace,
        (trace - aperture, trace + aperture), unit=unit,
    )  # fmt: skip
    if part.seen is None:
        return section
    shrink = 1.0 if c1 - c0 == 1 else np.pi / 2 / (c1 - c0)  # variance of a median
    fitted = _fit_column(part.seen, counts, used, column, shrink)
    near = used & (np.abs(position - trace) <= CHI2_ROWS)
    pull = (counts - fitted.model)[near] / fitted.error[near]
    shown = set(part.fibers.tolist()[slice(*_shown_fibers(part))])
    return CrossSection(
        position=section.position, counts=section.counts, error=fitted.error[first:last], masked=section.masked,
        column=column, ncolumns=section.ncolumns, trace=trace, aperture=section.aperture,
        model=fitted.model[first:last].astype(np.float32), components=fitted.components(part, shown, first, last),
        unit=unit, background=fitted.level[first:last],
        chi2=float(np.sum(pull**2) / max(near.sum() - 2, 1)) if near.any() else float("nan"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """Fit of one column: per slot center, flux, their errors, width and light (nslot, nrow); per row the rest."""

    center: Array
    center_err: Array
    flux: Array
    flux_err: Array
    width: Array
    light: Array
    level: Array
    model: Array
    error: Array

    def components(self, part: _Band, shown: set[int], first: int, last: int) -> tuple[ProfileComponent, ...]:
        """The light of each fiber that is shown."""
        assert part.seen is not None
        out = []
        rows = np.sort(part.fibers)
        for fiber, slot in zip(rows, part.seen.slots.of_fiber):
            if int(fiber) in shown and np.isfinite(self.center[slot]):
                out.append(
                    ProfileComponent(
                        part.traces.fiber_id[fiber], float(self.center[slot]) + part.row0,
                        float(self.center_err[slot]), float(self.flux[slot]), float(self.flux_err[slot]),
                        float(self.width[slot]), (self.flux[slot] * self.light[slot])[first:last],
                    )
                )  # fmt: skip
        return tuple(out)


def _fit_column(seen: Evidence, counts: Array, used: Array, column: int, shrink: float) -> _Fitted:
    """Fit the fluxes, and small steps of the centers, of all fibers of the band in one column."""
    fit = seen.fit
    nslot = fit.center.shape[0]
    one = np.zeros(1, np.intp)
    bin_ = int(np.clip(np.searchsorted(fit.edges, column, side="right") - 1, 0, fit.edges.size - 2))
    center = _path_at(fit, column)
    width = _width_at(fit, bin_)[None].astype(np.float32)
    shape = np.ascontiguousarray(fit.shape[:, bin_ : bin_ + 1])
    data, good = np.ascontiguousarray(counts[None], np.float32), np.ascontiguousarray(used[None]).view(np.uint8).copy()
    flux, variance = np.zeros((2, 1, nslot), np.float32)
    shift = np.zeros((1, nslot))
    for _ in range(ROUNDS):
        sums, ground = np.zeros((nslot, 1, kernel.NTERM)), np.zeros((shape.shape[0], 1, 2))
        kernel.fit_columns(
            data, good, one, one, one, np.zeros(1), center[:, None], shift, width, gaussian_table(), fit.group,
            fit.noise.floor * shrink, fit.noise.per_count * shrink, 0.0, 0.0, False, False, shape, flux, variance, sums,
            ground,
        )  # fmt: skip
        step, err = (a[:, 0] for a in offsets(sums))
        shift[0] += np.where(np.isfinite(err), np.clip(step, -MOST_STEP, MOST_STEP), 0)
    at = center + shift[0]
    edge = np.arange(counts.size + 1) - 0.5
    skew, kurt, level = shape[fit.group, 0].T.astype(float)
    light = profile((edge - at[:, None]) / width[0][:, None], skew, kurt)
    owner = np.clip(np.searchsorted((at[1:] + at[:-1]) / 2, edge[:-1] + 0.5), 0, nslot - 1)
    model = np.nan_to_num(flux[0][:, None] * light).sum(axis=0) + level[owner]
    error = np.sqrt(shrink * (fit.noise.floor + fit.noise.per_count * np.maximum(model, 0)))
    return _Fitted(at, err, flux[0], np.sqrt(variance[0]), width[0], light, level[owner], model, error)


def _path_at(fit: LightFit, column: int) -> NDArray[np.float64]:
    """Center of every slot's light in one column, as the profile of the fit has it."""
    from_bins = np.array([np.interp(column, fit.column, row) for row in np.where(
        np.isfinite(fit.center), fit.center, fit.path)])  # fmt: skip
    return from_bins


def _width_at(fit: LightFit, bin_: int) -> NDArray[np.float64]:
    """Width of every slot in one bin; the usual one where it is not measured."""
    known = np.isfinite(fit.width)
    usual = float(np.median(fit.width[known])) if known.any() else 1.0
    return np.where(known[:, bin_], fit.width[:, bin_], usual)


def _shown_fibers(part: _Band) -> tuple[int, int]:
    """First and last + 1 of the neighborhood that the cross-section shows."""
    rows = part.fibers
    at = int(np.flatnonzero(rows == part.row)[0])
    return max(at - SHOWN, 0), at + SHOWN + 1


def _shown_rows(part: _Band, column: int) -> tuple[int, int]:
    """First and last + 1 row of the band that the cross-section shows: to where the light of other fibers begins."""
    nrow = part.data.shape[0]
    rows = part.fibers
    if not rows.size:
        return 0, nrow
    center = part.traces.center[rows]
    at = np.where(np.isfinite(center[:, column]), center[:, column], np.nanmedian(center, axis=1)) - part.row0
    i, j = _shown_fibers(part)
    first = (at[i - 1] + at[i]) / 2 + 1 if i > 0 else at[0] - MARGIN
    last = (at[j - 1] + at[j]) / 2 - 1 if j < rows.size else at[-1] + MARGIN
    return max(int(np.ceil(first)), 0), min(int(last) + 1, nrow)


def fiber_spectrum(
    part: _Band, method: str = "optimal", aperture: float = APERTURE, unit: str = "", label: str = ""
) -> FiberSpectrum:
    """Return the spectrum of the fiber: de-blended optimal fluxes of the fit, or the sum of an aperture."""
    traces, row, seen = part.traces, part.row, part.seen
    center = traces.center[row] - part.row0
    if seen is None:
        flux, variance = np.full((2, traces.ncol), np.nan)
        masked = np.ones(traces.ncol, bool)
    elif method == "optimal":
        slot = int(seen.slots.of_trace[np.flatnonzero(np.sort(part.fibers) == row)[0]])
        flux, variance = seen.fit.full_flux[:, slot].astype(float), seen.fit.full_variance[:, slot].astype(float)
        masked = ~np.isfinite(variance)
    else:
        noise = seen.fit.noise
        clean = np.where(part.good, part.data, 0)
        pixel_variance = noise.floor + noise.per_count * np.maximum(model_of(seen), 0)
        flux2, variance2 = boxcar(clean, center[None], aperture, variance=pixel_variance.astype(np.float32))
        assert variance2 is not None
        flux, variance = flux2[0].astype(float), variance2[0].astype(float)
        masked = _touched(part.good, center, aperture) | ~np.isfinite(flux)
    return FiberSpectrum(
        fiber_id=part.name,
        pixel=np.arange(traces.ncol),
        wave=None if traces.wave is None else traces.wave[row],
        flux=np.where(np.isfinite(variance), flux, np.nan),
        error=np.sqrt(variance),
        masked=masked,
        method=method,
        unit=unit,
        label=label,
    )


def model_of(seen: Evidence) -> NDArray[np.float32]:
    """Light of all fibers of the band with the background below it, (nrow, ncol)."""
    fit = seen.fit
    ncol, nrow = seen.columns.shape
    whole = np.arange(ncol)
    bins = np.repeat(np.arange(fit.edges.size - 1), np.diff(fit.edges))
    out = np.zeros((nrow, ncol), np.float32)
    reach = np.arange(2 * kernel.HALF_ROWS + 2)
    for k in range(fit.center.shape[0]):
        middle = np.interp(whole, fit.column, np.where(np.isfinite(fit.center[k]), fit.center[k], fit.path[k]))
        first = np.floor(middle + 0.5).astype(np.intp) - kernel.HALF_ROWS
        width = np.interp(whole, fit.column, np.array([_width_at(fit, b)[k] for b in range(fit.column.size)]))
        shape = fit.shape[fit.group[k], bins]
        light = profile((first[:, None] + reach - 0.5 - middle[:, None]) / width[:, None], shape[:, 0], shape[:, 1])
        rows = first[:, None] + reach[:-1]
        inside = (rows >= 0) & (rows < nrow)
        x = np.broadcast_to(whole[:, None], rows.shape)
        out[rows[inside], x[inside]] += (np.nan_to_num(fit.full_flux[:, k])[:, None] * light)[inside]
    return out + fit.shape[:, bins, 2].mean(axis=0)[None]


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


def _median_column(band: Array, good: Array) -> tuple[Array, Array]:
    """Median over columns of good pixels, and where there is one."""
    used = np.asarray(good.any(axis=1))
    if band.shape[1] == 1:
        return np.where(used, band[:, 0], 0).astype(np.float32), used
    counts = np.zeros(band.shape[0], np.float32)
    counts[used] = np.nanmedian(np.where(good, band, np.nan)[used], axis=1)
    return counts, used


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


__all__ = ["Band", "band_rows", "inspect_fiber"]
