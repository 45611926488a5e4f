"""Fit of a few neighboring fibers about their traces: offsets, widths and fluxes with errors from the noise.

Gauss-Newton rounds of `profile.band` with cosmics left out. The noise of a pixel is a floor plus a share of the modeled
counts: from gain and read noise where they are known, else from ivar, else from the residuals of the fit itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.traces import band as kernel
from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet

NEIGHBORS = 2  # fibers on each side that are fitted along
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
    rows = neighborhood(traces, row)
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
    dy, ey, ds, es = solution(sums)
    chi2 = sums[..., kernel.CHI2] / np.maximum(sums[..., kernel.NPIX] - np.diff(edges), 1)
    chi2[sums[..., kernel.NPIX] == 0] = np.nan
    offset, sigma = np.where(np.isfinite(ey), offset + dy, np.nan), np.where(np.isfinite(es), sigma + ds, np.nan)
    return BandFit(rows, center, edges, offset, ey, sigma, es, flux, variance, chi2, model, noise)


def neighborhood(traces: TraceSet, row: int) -> NDArray[np.intp]:
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


def solution(sums: Array) -> tuple[Array, Array, Array, Array]:
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
    dy, _, ds, _ = solution(sums)
    _, _, ds_all, _ = solution(sums.sum(axis=1, keepdims=True))
    ds = np.where(np.isfinite(ds), ds, np.where(np.isfinite(ds_all), ds_all, 0.0))
    dy = np.where(np.isfinite(dy), dy, 0.0)
    sigma = np.clip(sigma + np.clip(ds, -MAX_STEP / 2, MAX_STEP / 2), *SIGMA_RANGE)
    return offset + np.clip(dy, -MAX_STEP, MAX_STEP), sigma
