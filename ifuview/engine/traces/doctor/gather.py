"""What is judged: the light measured about the traces, and the noise of the pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.cores import turned
from ifuview.engine.traces.doctor.census import with_untraced
from ifuview.engine.traces.doctor.placed import common_shift
from ifuview.engine.traces.light.hot_rows import hot_rows
from ifuview.engine.traces.light.light_fit import LightFit, Noise
from ifuview.engine.traces.light.masked import barely_seen, filled
from ifuview.engine.traces.light.measure import BINS, at_columns, fit_light
from ifuview.engine.traces.light.slots import Slots, blocks_of, find_slots
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.orientation import CANONICAL, AxisWords
from ifuview.model.trace import TraceSet

MIN_FLUX_SIGMA = 3.0  # of a bin, to count as lit

MIN_LIT = 0.02  # of all fibers and bins; less is a blank image

PEAK = 2.6  # flux of a usual fiber over its peak


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What was measured, before anything is judged; `judge` makes a diagnosis of it with any limits."""

    traces: TraceSet
    slots: Slots
    fit: LightFit
    block: NDArray[np.int32]
    given: NDArray[np.float64]
    wave: NDArray[np.float64] | None
    good: Array
    columns: Array
    shift: float = 0.0  # px, of all traces, that was too large for the fit
    axes: AxisWords = CANONICAL


def gather(
    image: Array,
    traces: TraceSet,
    *,
    ivar: Array | None = None,
    mask: Array | None = None,
    gain: float | None = None,
    readnoise: float | None = None,
    block: Array | None = None,
    bins: int = BINS,
    axes: AxisWords = CANONICAL,
    ctx: JobContext = SILENT,
) -> Evidence:
    """Measure in at most so many column bins; see `diagnose`."""
    if image.shape[1] != traces.ncol:
        raise FitError(f"the traces have {traces.ncol} columns, the image has {image.shape[1]}")
    ctx.checkpoint(0.0, "Preparing the image")
    columns = turned(image, np.float32)
    good = good_pixels(columns, ivar, mask)
    zero = filled(columns)
    if zero.any() and not zero.all():
        good &= ~zero
    if not good.all():
        columns = np.where(np.isfinite(columns), columns, np.float32(0)) if not np.isfinite(columns).all() else columns
    _not_flat(columns, good)
    ctx.checkpoint(0.05, "Looking for the light of every fiber")
    number = blocks_of(traces.center) if block is None else np.asarray(block)
    noise = pixel_noise(columns, good, ivar, gain, readnoise)
    shift = common_shift(columns, good, traces.center)
    slots, fit = _measured(columns, good, traces, shift, number, noise, bins, ctx.part(0.1, 0.9))
    rows = hot_rows(columns, good, _of_slots(traces.center + shift, slots), fit)
    if rows:
        without = good.copy()
        for row, first, last in rows:
            without[first : last + 1, row] = 0
        slots, fit = _measured(columns, without, traces, shift, number, noise, bins, ctx.part(0.9, 1.0))
        fit = replace(fit, bad_rows=(*rows, *fit.bad_rows))
    if not good.all():
        fit = replace(fit, error=np.where(barely_seen(good, fit), np.nan, fit.error))
    known_wave = traces.wave is not None and np.isfinite(traces.wave).any()
    wave = at_columns(np.asarray(traces.wave), fit.column) if known_wave else None
    given = np.where(_beyond(traces, fit.column), np.nan, at_columns(traces.center, fit.column))
    return Evidence(traces, slots, fit, number.astype(np.int32), given, wave, good, columns, shift, axes)


def _measured(
    columns: Array, good: Array, traces: TraceSet, shift: float, number: Array, noise: Noise, bins: int, ctx: JobContext
) -> tuple[Slots, LightFit]:
    """The light of an image, and the slots that it lies in."""
    level = pedestal(columns, good)
    slots = with_untraced(columns, good, find_slots(columns, good, traces.center + shift, number), level)
    same = slots.path.shape[0] == traces.nfiber
    own_block = number[np.argsort(slots.of_fiber)] if same else None
    sigma = _widths(traces.sigma, slots)
    fit = fit_light(
        columns,
        good,
        slots.path,
        noise,
        sigma=sigma,
        block=own_block,
        background=level,
        bins=bins,
        ctx=ctx,
    )
    return slots, fit


def _beyond(traces: TraceSet, column: Array) -> NDArray[np.bool_]:
    """Where a fiber has no trace of its own but for what continues it beyond its points, shape (nfiber, nbin)."""
    valid = np.asarray(traces.valid, bool)
    part = valid.any(axis=1, keepdims=True)
    out: NDArray[np.bool_] = part & ~valid[:, np.rint(column).astype(np.intp)]
    return out


def _widths(sigma: Array | None, slots: Slots) -> Array | None:
    """Widths of the slots by those of their fibers, shape (nslot, ncol); the nearest for one of no fiber."""
    if sigma is None:
        return None
    order = np.argsort(slots.of_fiber)
    place = slots.of_fiber[order]
    near = np.searchsorted((place[1:] + place[:-1]) / 2, np.arange(slots.path.shape[0]))
    return np.asarray(sigma)[order[near]]


def _of_slots(center: Array, slots: Slots) -> NDArray[np.float64]:
    """Traces in the order of the slots that they lie on, shape (nslot, ncol); NaN for a slot without one."""
    out = np.full(slots.path.shape, np.nan)
    placed = np.flatnonzero(slots.of_trace >= 0)
    out[slots.of_trace[placed]] = center[placed]
    return out


def good_pixels(columns: Array, ivar: Array | None, mask: Array | None) -> NDArray[np.uint8]:
    """1 where a pixel can be used, dispersion axis first."""
    good = np.isfinite(columns)
    if ivar is not None:
        good &= turned(ivar, ivar.dtype) > 0
    if mask is not None:
        good &= turned(mask, mask.dtype) == 0
    return good.view(np.uint8)


def _not_flat(columns: Array, good: Array) -> None:
    """Raise FitError for a blank or a saturated image."""
    few = columns[:: max(1, columns.shape[0] // 128)]
    used = few[(good[:: max(1, columns.shape[0] // 128)] & 1) > 0]
    if used.size < 100:
        raise FitError("the image has no usable pixels")
    low, high = np.percentile(used, [1, 99])
    if low == high:
        what = "the image is blank" if low <= 0 else "the image is blank or saturated"
        raise FitError(
            f"{what}: nearly all pixels read {low:.6g}", todo="choose an exposure with light that is not saturated"
        )
    if (used >= high).mean() > 0.3:
        share = 100 * float((used >= high).mean())
        raise FitError(
            f"the image is saturated: {share:.0f} % of the pixels read the highest value, {high:.6g}",
            todo="choose a shorter exposure",
        )


def pedestal(columns: Array, good: Array) -> float:
    """Level that lies under everything, to start from: the low end of the image."""
    few = (slice(None, None, max(1, columns.shape[0] // 64)), slice(None, None, max(1, columns.shape[1] // 1024)))
    known = columns[few][(good[few] & 1) > 0]
    if not known.size:
        return 0.0
    low = np.sort(known)[: max(known.size // 10, 1)]  # the noise makes the lowest pixels too low
    narrow = max(low.size // 4, 1)
    step = low[narrow:] - low[:-narrow]
    first = int(np.argmin(step)) if step.size else 0
    return float(low[first : first + narrow].mean())


def pixel_noise(columns: Array, good: Array, ivar: Array | None, gain: float | None, readnoise: float | None) -> Noise:
    """Variance of a pixel from gain and read noise, else from ivar, else a guess to be scaled by the fit."""
    if gain and readnoise is not None and readnoise > 0:
        return Noise((readnoise / gain) ** 2, 1 / gain, "gain and read noise")
    step = max(1, columns.shape[0] // 64)
    few, usable = columns[::step], (good[::step] & 1) > 0
    if ivar is not None:
        variance = 1 / np.asarray(ivar.T[::step])[usable]
        counts = few[usable]
        order = np.argsort(counts)[:: max(1, counts.size // 20000)]
        slope, floor = np.polyfit(counts[order], variance[order], 1)
        smallest = float(np.percentile(variance, 1))
        return Noise(max(float(floor), 0.3 * smallest, 1e-12), max(float(slope), 0.0), "ivar")
    values = few[usable]
    dark = values[values < np.percentile(values, 30)]
    spread = float(np.percentile(dark, 84) - np.percentile(dark, 16)) / 2 if dark.size > 10 else 1.0
    return Noise(max(spread**2, 1e-12), 1.0 if gain is None else 1 / gain, "data")
