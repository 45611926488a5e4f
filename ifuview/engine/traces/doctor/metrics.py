"""The numbers of a diagnosis, each with its error: of the whole image, of each fiber, and of the noise."""

from __future__ import annotations

import numpy as np

from ifuview.engine.numeric.medians import MEDIAN_ERROR, robust_sigma
from ifuview.engine.traces.doctor.fibers import Measured, mean_offset, throughput
from ifuview.engine.traces.doctor.patterns.fit import ModeFit
from ifuview.engine.traces.light.light_fit import LightFit
from ifuview.engine.traces.light.slots import Slots
from ifuview.model.checks import Array
from ifuview.model.traces.doctor import Impact

Numbers = dict[str, float | None]


def all_metrics(
    m: Measured,
    fit: LightFit,
    modes: ModeFit,
    slots: Slots,
    impact: Impact | None,
    jitter: float,
    jitter_err: float,
) -> tuple[Numbers, dict[str, Array], Numbers]:
    """Return global metrics, per-fiber metrics and the noise floor."""
    fibers = per_fiber(m, fit, slots, impact)
    return overall(m, fit, fibers, jitter, jitter_err), fibers, noise_floor(m, fit, modes)


def per_fiber(m: Measured, fit: LightFit, slots: Slots, impact: Impact | None) -> dict[str, Array]:
    """Columns of the table of fibers; NaN where not measured."""
    n, nbin = m.offset.shape
    known = np.isfinite(m.offset) & np.isfinite(m.error) & (m.error > 0)
    weight = np.where(known, 1 / np.where(known, m.error, 1) ** 2, 0)
    value = np.where(known, m.offset, 0)
    total = weight.sum(axis=1)
    count = known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        some = total > 0
        mean = np.where(some, (weight * value).sum(axis=1) / total, np.nan)
        mean_err = np.where(some, total**-0.5, np.nan)
        square = np.where(count > 1, (weight * value**2).sum(axis=1) / total - count / total, np.nan)
        rms = np.sqrt(np.maximum(square, 0))
        rms_err = np.sqrt(1 / total / 2)
        u = 2 * (np.arange(nbin) + 0.5) / nbin - 1
        mu = (weight * u).sum(axis=1) / total
        var = (weight * (u - mu[:, None]) ** 2).sum(axis=1)
        slope = np.where(count > 1, (weight * value * (u - mu[:, None])).sum(axis=1) / var, np.nan)
        slope_err = np.where(count > 1, var**-0.5, np.nan)
    size = np.where(known, np.abs(m.offset), -1)
    worst = size.argmax(axis=1)
    rows = np.arange(n)
    deviation = np.where(count > 0, size[rows, worst], np.nan)
    deviation_err = np.where(count > 0, m.error[rows, worst], np.nan)
    spacing, spacing_err = _spacing(fit.center[slots.of_fiber], fit.error[slots.of_fiber])
    ratio, ratio_err, _ = throughput(m)
    flux, flux_err = np.nanmedian(m.flux, axis=1), _flux_err(m)
    width = [mean_offset(w, e) for w, e in zip(m.width, m.width_err)]
    chi2 = np.array([np.nanmedian(c) if np.isfinite(c).any() else np.nan for c in fit.chi2[slots.of_fiber]])
    per_bin = np.diff(fit.edges).mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        snr = np.nanmedian(m.flux / m.flux_err, axis=1) / np.sqrt(per_bin)
    efficiency, efficiency_err = np.full(n, np.nan), np.full(n, np.nan)
    if impact is not None:
        loss = np.where(known, impact.boxcar_loss, np.nan)
        some = known.any(axis=1)
        efficiency[some] = 1 - np.nanmean(loss[some], axis=1)
        efficiency_err[some] = np.nanmean(np.where(known, impact.boxcar_loss_err, np.nan)[some], axis=1) / np.sqrt(
            count[some]
        )
    return {
        "trace_rms": rms, "trace_rms_err": rms_err,
        "max_deviation": deviation, "max_deviation_err": deviation_err,
        "mean_offset_px": mean, "mean_offset_px_err": mean_err,
        "slope_px": slope, "slope_px_err": slope_err,
        "spacing_to_neighbors": spacing, "spacing_to_neighbors_err": spacing_err,
        "extraction_efficiency": efficiency, "extraction_efficiency_err": efficiency_err,
        "flux": flux, "flux_err": flux_err,
        "throughput": ratio, "throughput_err": ratio_err,
        "width_px": np.array([w[0] for w in width]), "width_px_err": np.array([w[1] for w in width]),
        "chi2_per_dof": chi2, "chi2_per_dof_err": np.sqrt(2 / np.maximum(8 * per_bin * nbin, 1)) * np.ones(n),
        "snr": snr, "snr_err": 1 / np.sqrt(np.maximum(count, 1)),
    }  # fmt: skip


def _flux_err(m: Measured) -> Array:
    """Error of the median flux of each fiber."""
    good = np.isfinite(m.flux_err)
    safe = np.where(good, m.flux_err, 0)
    return np.where(
        good.any(axis=1), MEDIAN_ERROR * np.sqrt((safe**2).sum(axis=1)) / np.maximum(good.sum(axis=1), 1), np.nan
    )


def _spacing(center: Array, error: Array) -> tuple[Array, Array]:
    """Mean distance to the neighbors' light and its error."""
    n = center.shape[0]
    out, err = np.full(n, np.nan), np.full(n, np.nan)
    if n < 2:
        return out, err
    gap, gap_err = np.abs(np.diff(center, axis=0)), np.hypot(error[1:], error[:-1])
    means = [mean_offset(g, e) for g, e in zip(gap, gap_err)]
    side, side_err = np.array([x[0] for x in means]), np.array([x[1] for x in means])
    near = np.fmin(np.append(side, np.inf), np.insert(side, 0, np.inf))
    from_above = np.append(side, np.inf) == near
    out = np.where(np.isfinite(near), near, np.nan)
    err = np.where(from_above, np.append(side_err, np.nan), np.insert(side_err, 0, np.nan))
    return out, np.where(np.isfinite(out), err, np.nan)


def overall(m: Measured, fit: LightFit, fibers: dict[str, Array], jitter: float, jitter_err: float) -> Numbers:
    """Global metrics; None where not measured."""
    mean, err = fibers["mean_offset_px"], fibers["mean_offset_px_err"]
    whole, whole_err, count = mean_offset(mean, err)
    rms, rms_err = fibers["trace_rms"], fibers["trace_rms_err"]
    deviation = fibers["max_deviation"]
    worst = int(np.nanargmax(deviation)) if np.isfinite(deviation).any() else 0
    size = np.abs(mean[np.isfinite(mean)])
    scatter = robust_sigma(mean)
    spacing = fibers["spacing_to_neighbors"]
    inner = np.isfinite(spacing)
    uniform = robust_sigma(spacing) if inner.sum() > 2 else np.nan
    slope = fibers["slope_px"]
    consistent = robust_sigma(slope)
    n = max(count, 1)
    level = fit.background[np.isfinite(fit.background) & np.isfinite(fit.background_err)]
    level_err = fit.background_err[np.isfinite(fit.background) & np.isfinite(fit.background_err)]
    values: dict[str, tuple[float, float]] = {
        "mean_offset_px": (whole, whole_err),
        "mean_trace_rms": (float(np.nanmean(rms)) if count else np.nan, float(np.nanmedian(rms_err)) / np.sqrt(n)),
        "max_trace_deviation": (float(deviation[worst]), float(fibers["max_deviation_err"][worst])),
        "offset_p50_px": (float(np.percentile(size, 50)) if size.size else np.nan, 1.25 * scatter / np.sqrt(n)),
        "offset_p95_px": (float(np.percentile(size, 95)) if size.size else np.nan, 2.1 * scatter / np.sqrt(n)),
        "trace_spacing_uniformity": (uniform, uniform / np.sqrt(2 * n)),
        "wavelength_shift_consistency": (consistent, consistent / np.sqrt(2 * n)),
        "single_fiber_scatter_px": (jitter, jitter_err),
        "chi2_per_dof": (fit.scale, np.sqrt(2 / max(8.0 * fit.edges[-1] * m.offset.shape[0], 1))),
        "mean_width_px": mean_offset(fibers["width_px"], fibers["width_px_err"])[:2],
        "background": (
            float(np.mean(level)) if level.size else np.nan,
            float(np.sqrt((level_err**2).sum()) / max(level.size, 1)),
        ),
    }
    out: Numbers = {"nfiber": len(m.names), "nfiber_measured": int(np.isfinite(mean).sum())}
    for name, (value, error) in values.items():
        out[name], out[f"{name}_err"] = number(value), number(error)
    return out


def noise_floor(m: Measured, fit: LightFit, modes: ModeFit) -> Numbers:
    """What the noise and the misfit of the profile allow at best."""
    known = np.isfinite(m.error)
    bins = m.error[known]
    weight = np.where(known, 1 / np.where(known, m.error, 1) ** 2, 0).sum(axis=1)
    fiber = weight[weight > 0] ** -0.5
    values = {
        "centroid_px": (np.median(bins), 1.25 * np.std(bins) / np.sqrt(bins.size)) if bins.size else (np.nan, np.nan),
        "trace_px": (np.median(fiber), 1.25 * np.std(fiber) / np.sqrt(fiber.size)) if fiber.size else (np.nan, np.nan),
        "shift_px": (weight.sum() ** -0.5 if weight.any() else np.nan, 0.0),
        "model_px": (modes.floor, modes.floor_err),
        "read_noise": (np.sqrt(fit.noise.floor), 0.0),
    }
    out: Numbers = {}
    for name, (value, error) in values.items():
        out[name], out[f"{name}_err"] = number(float(value)), number(float(error))
    return out


def number(value: float) -> float | None:
    """A finite number, or None."""
    return float(value) if np.isfinite(value) else None
