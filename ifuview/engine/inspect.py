"""One fiber of a detector image in full: its cross-section, its spectrum and whether its trace is right.

The fiber and its neighbors are fitted together in a band of the image (`profile.band`): an offset from the trace
per column bin with errors from the noise, a width, and the flux of every column. The verdict compares the offset with
limits in px and with its own error, so that a faint fiber is "not measured" rather than wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.profile import band as kernel
from ifuview.engine.verdict import VerdictLimits, judge
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.inspection import CrossSection, FiberSpectrum, ProfileComponent, TraceQuality, Verdict
from ifuview.model.trace import TraceSet

NEIGHBORS = 2  # fibers on each side that are fitted along
MARGIN = 9  # rows of the band beyond the outermost trace
BINS = 32  # along dispersion
START_SIGMA = 1.2  # px, where the trace file has no width
SIGMA_RANGE = (0.5, 4.0)  # px
MAX_STEP = 0.7  # px, of one Gauss-Newton round
ROUNDS = 4
NOISE_TURNS = (0, 2)  # rounds after which the noise is measured, if it is not known
CLIP_SIGMA = 5.0  # pixels farther from the model are left out (cosmics) ...
CLIP_PEAK = (1.0, 0.5, 0.25)  # ... plus this share of the nearest peak, by round: the offsets settle
COARSE = 4  # px, search range for light beside a trace
COARSE_MIN = 1.2  # px, nearer light is left to the fit
USEFUL_ERROR = 0.25  # px, worse centers are not measured
USEFUL_SENSITIVITY = 0.2  # of YY that must be signal rather than the noise of the fluxes
APERTURE = 2.5  # px, half width of the boxcar
VARIANCE_PIXELS = 20_000  # sampled for the noise
VARIANCE_BINS = 12  # of the model in which the noise is measured
MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class Noise:
    """Variance of a pixel = floor + per_count * counts, and where it comes from."""

    floor: float
    per_count: float
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class BandFit:
    """Result of the fit of a band: offsets, widths, fluxes, model; fibers in rising order."""

    rows: NDArray[np.intp]
    center: NDArray[np.float64]
    edges: NDArray[np.intp]
    offset: NDArray[np.float64]
    offset_err: NDArray[np.float64]
    sigma: NDArray[np.float64]
    sigma_err: NDArray[np.float64]
    flux: NDArray[np.float64]
    variance: NDArray[np.float64]
    chi2: NDArray[np.float64]
    model: NDArray[np.float32]
    noise: Noise

    @property
    def binned(self) -> NDArray[np.intp]:
        """Bin of each column."""
        return np.repeat(np.arange(self.edges.size - 1), np.diff(self.edges))


def band_rows(traces: TraceSet, row: int, nrow: int) -> tuple[int, int]:
    """Return the rows r0..r1-1 of the image that the inspection of trace `row` needs."""
    fibers = _group(traces, row)
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


def fit_band(
    band: Array,
    good: Array,
    traces: TraceSet,
    row: int,
    *,
    row0: int = 0,
    ivar: Array | None = None,
    gain: float | None = None,
    readnoise: float | None = None,
    ctx: JobContext = SILENT,
) -> BandFit:
    """Fit a fiber and its neighbors in a band; see `inspect_fiber` for the parameters."""
    band = np.ascontiguousarray(band, np.float32)
    rows = _group(traces, row)
    center = traces.center[rows] - row0
    nfiber, ncol = center.shape
    edges = np.unique(np.linspace(0, ncol, min(BINS, ncol) + 1).astype(np.intp))
    binned = np.repeat(np.arange(edges.size - 1), np.diff(edges))
    start = None if traces.sigma is None else np.nanmedian(traces.sigma[rows])
    sigma = np.full((nfiber, edges.size - 1), START_SIGMA if start is None or not start > 0 else start)
    offset = _coarse(band, good, center, edges)
    flux, variance = np.zeros((2, nfiber, ncol))
    sums = np.zeros((nfiber, edges.size - 1, kernel.NTERM))
    model = np.zeros_like(band)
    noise = _first_noise(band, good, gain, readnoise)
    used = good
    for turn in range(ROUNDS):
        ctx.checkpoint(0.1 + 0.7 * turn / ROUNDS)
        last = turn == ROUNDS - 1
        kernel.fit_step(
            band,
            used,
            center + offset[:, binned],
            sigma[:, binned],
            binned,
            noise.floor,
            noise.per_count,
            flux,
            variance,
            sums,
            model,
        )
        if turn in NOISE_TURNS and (gain is None or readnoise is None):
            noise = _measured_noise(band, used, model, ivar, noise)
        if not last:
            used = good & ~_outliers(band, model, noise, CLIP_PEAK[turn])
            offset, sigma = _stepped(offset, sigma, sums)
    dy, ey, ds, es = _solution(sums)
    chi2 = sums[..., kernel.CHI2] / np.maximum(sums[..., kernel.NPIX] - np.diff(edges), 1)
    chi2[sums[..., kernel.NPIX] == 0] = np.nan
    offset, sigma = np.where(np.isfinite(ey), offset + dy, np.nan), np.where(np.isfinite(es), sigma + ds, np.nan)
    return BandFit(rows, center, edges, offset, ey, sigma, es, flux, variance, chi2, model, noise)


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
        dy, ey, _, _ = _solution(sums)
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
        from ifuview.engine.extract.boxcar import boxcar

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


def _group(traces: TraceSet, row: int) -> NDArray[np.intp]:
    """Rows of the fiber and its neighbors on the detector, in rising order of center."""
    middle = np.full(traces.nfiber, np.nan)
    some = np.isfinite(traces.center).any(axis=1)
    middle[some] = np.nanmedian(traces.center[some], axis=1)
    order = np.argsort(middle, kind="stable")  # NaN last
    order = order[: int(some.sum())]
    at = np.flatnonzero(order == row)
    if at.size == 0:
        return np.array([row])
    return order[max(0, at[0] - NEIGHBORS) : at[0] + NEIGHBORS + 1]


def _good(band: Array, ivar: Array | None, mask: Array | None) -> NDArray[np.bool_]:
    """Pixels that carry information."""
    good = np.isfinite(band)
    if ivar is not None:
        good &= ivar > 0
    if mask is not None:
        good &= mask == 0
    return good


def _coarse(band: Array, good: Array, center: Array, edges: Array) -> NDArray[np.float64]:
    """Offset of light that lies clearly beside a trace, from the stacked rows about it; else 0."""
    nfiber, ncol = center.shape
    reach = np.arange(-COARSE, COARSE + 1)
    out = np.zeros((nfiber, edges.size - 1))
    clean = np.where(good, band, 0).astype(np.float64)
    columns = np.arange(ncol)
    for k in range(nfiber):
        known = np.isfinite(center[k])
        rows = np.where(known, np.round(np.where(known, center[k], 0)), -1000).astype(np.intp)[None] + reach[:, None]
        inside = (rows >= 0) & (rows < band.shape[0])
        stack = np.where(inside, clean[np.clip(rows, 0, band.shape[0] - 1), columns], 0)
        light = np.add.reduceat(stack, edges[:-1], axis=1)
        out[k] = [_nearest_peak(light[:, b]) for b in range(out.shape[1])]
    return out


def _nearest_peak(light: Array) -> float:
    """Parabola position of the local maximum nearest to the middle, 0 if it is near or not prominent."""
    inner = light[1:-1]
    peaks = np.flatnonzero((inner > light[:-2]) & (inner >= light[2:])) + 1
    if peaks.size == 0:
        return 0.0
    at = int(peaks[np.argmin(np.abs(peaks - COARSE))])
    if abs(at - COARSE) < COARSE_MIN or light[at] < 2 * max(light[COARSE], 0) or light[at] <= 0:
        return 0.0
    a, b, c = light[at - 1 : at + 2]
    return float(at - COARSE + 0.5 * (a - c) / (a - 2 * b + c))


def _outliers(band: Array, model: Array, noise: Noise, share: float) -> NDArray[np.bool_]:
    """Pixels far above or below the model, with their neighbors along dispersion: cosmics and bad pixels."""
    light = np.maximum(model, 0)
    peak = light.copy()
    for step in (1, 2, 3):
        peak[step:] = np.maximum(peak[step:], light[:-step])
        peak[:-step] = np.maximum(peak[:-step], light[step:])
    limit = CLIP_SIGMA * np.sqrt(noise.floor + noise.per_count * light) + np.float32(share) * peak
    with np.errstate(invalid="ignore"):
        bad = np.abs(band - model) > limit
    grown = bad.copy()
    grown[:, 1:] |= bad[:, :-1]
    grown[:, :-1] |= bad[:, 1:]
    return grown


def _first_noise(band: Array, good: Array, gain: float | None, readnoise: float | None) -> Noise:
    """Noise from gain and read noise, or a first guess from pixel differences along dispersion."""
    if gain is not None and readnoise is not None and gain > 0:
        return Noise(max(readnoise / gain, 1e-6) ** 2, 1 / gain, "gain and read noise")
    step = np.diff(band, axis=1)[good[:, 1:] & good[:, :-1]]
    spread = float(np.median(np.abs(step))) * MAD_TO_SIGMA / np.sqrt(2) if step.size else 1.0
    return Noise(max(spread, 1e-6) ** 2, 0.0, "the data themselves")


def _measured_noise(band: Array, good: Array, model: Array, ivar: Array | None, before: Noise) -> Noise:
    """Variance law from ivar or from the squared residuals, in bins of the model (never of the data)."""
    at = np.flatnonzero(good)
    at = at[:: max(1, at.size // VARIANCE_PIXELS)]
    level = np.maximum(model.ravel()[at], 0).astype(np.float64)
    if level.size < 20 * VARIANCE_BINS:
        return before
    if ivar is not None:
        sample, factor, source = 1 / ivar.ravel()[at].astype(np.float64), 1.0, "the inverse variance of the file"
    else:
        sample = np.abs(band.ravel()[at] - model.ravel()[at]).astype(np.float64)
        factor, source = MAD_TO_SIGMA, "the data themselves"
    edges = np.quantile(level, np.linspace(0, 1, VARIANCE_BINS + 1))
    index = np.clip(np.searchsorted(edges, level, side="right") - 1, 0, VARIANCE_BINS - 1)
    groups = [index == i for i in range(VARIANCE_BINS)]
    groups = [g for g in groups if g.sum() > 20]
    x = np.array([level[g].mean() for g in groups])
    y = np.array([np.median(sample[g]) * factor for g in groups])
    y = y if ivar is not None else y**2
    if x.size < 2 or np.ptp(x) <= 0:
        return Noise(max(float(np.median(y)), 1e-12), 0.0, source) if y.size else before
    weight = 1 / np.maximum(y, 1e-12)
    slope, floor = np.polyfit(x, y, 1, w=weight)
    if floor <= 0:
        floor = float(y.min())
        slope = float(np.sum(weight * x * (y - floor)) / np.sum(weight * x * x))
    return Noise(max(float(floor), 1e-12), max(float(slope), 0.0), source)


def _solution(sums: Array) -> tuple[Array, Array, Array, Array]:
    """Steps of center and width per fiber and bin with their errors, NaN where not measured."""
    yy, ys, ss = sums[..., kernel.YY], sums[..., kernel.YS], sums[..., kernel.SS]
    signal_y, signal_s = yy - sums[..., kernel.NOISE_YY], ss - sums[..., kernel.NOISE_SS]
    with np.errstate(divide="ignore", invalid="ignore"):
        dy, ds = sums[..., kernel.BY] / signal_y, sums[..., kernel.BS] / signal_s
        ey, es = np.sqrt(yy) / signal_y, np.sqrt(ss) / signal_s
        tied = 1 - ys * ys / (yy * ss)
    weak_y = ~(signal_y > USEFUL_SENSITIVITY * yy) | ~(ey < USEFUL_ERROR)
    weak_s = ~(signal_s > USEFUL_SENSITIVITY * ss) | ~(es < USEFUL_ERROR)
    tied = np.where(tied > 0.5, tied, 1.0)
    dy, ey = np.where(weak_y, np.nan, dy), np.where(weak_y, np.nan, ey / np.sqrt(tied))
    return dy, ey, np.where(weak_s, np.nan, ds), np.where(weak_s, np.nan, es / np.sqrt(tied))


def _stepped(offset: Array, sigma: Array, sums: Array) -> tuple[Array, Array]:
    """Offsets and widths after one damped step; where a bin is too faint the fiber's mean step is taken."""
    dy, _, ds, _ = _solution(sums)
    _, _, ds_all, _ = _solution(sums.sum(axis=1, keepdims=True))
    ds = np.where(np.isfinite(ds), ds, np.where(np.isfinite(ds_all), ds_all, 0.0))
    dy = np.where(np.isfinite(dy), dy, 0.0)
    sigma = np.clip(sigma + np.clip(ds, -MAX_STEP / 2, MAX_STEP / 2), *SIGMA_RANGE)
    return offset + np.clip(dy, -MAX_STEP, MAX_STEP), sigma


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
