"""How smooth traces are, how they are spaced, and how they run with wavelength."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.app.plan.loading import diagnosis_of
from ifuview.app.plan.values import Pair, Positions, Traces, names_of, points_of, positions_in, rows_of, traces_in
from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.numeric.smooth_fit import smooth_fit
from ifuview.engine.traces.doctor.patterns.light import running_median
from ifuview.engine.traces.head_pattern import head_pattern
from ifuview.engine.traces.light.slots import blocks_of, spacing_of, typical
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet

CHANCE = 6.3e-5  # of a Gaussian beyond 4 sigma
ODD_SIGMA, ODD_SHARE = 5.0, 0.1  # a spacing that departs by both
CLOSE = 0.7  # of the usual spacing
TILT_POINTS = 128  # of a trace
NEIGHBORS = 4  # fibers on each side

Straightness = dict[str, object]


def analyze_trace_straightness(
    traces: Traces | Array,
    y_pixels: Array | None = None,
    error: Array | None = None,
    reference: Array | None = None,
    *,
    raw_2d: Array | None = None,
) -> Straightness | dict[str, Straightness]:
    """Return how smooth each trace is, by fiber; with `raw_2d`, how the light of the image lies about it.

    A trace file holds fitted curves: alone they can only be compared with another basis. What they miss of the light
    is seen with the image.

    Parameters
    ----------
    traces : TraceSet, dict of dicts, or ndarray (n,)
        With an array, it holds the x of one trace and `y_pixels` its y; the result is then that of one fiber.
    y_pixels, error, reference : ndarray, shape (n,), px, optional
        Of one trace: its centers, their 1 sigma, and the trace that they should follow (default: a smooth curve).
    raw_2d : ndarray, shape (nrow, ncol), optional

    Returns
    -------
    dict
        `rms_residual` px (robust) and `_err`; `max_deviation` px, `_err` and `_at`; `systematic_trend` px from end to
        end with its error and significance; `outlier_pixels` (their x) with `expected_outliers`; `chi2_per_dof`,
        `degree`, `residual`; `against`: "smooth curve", "light" or "reference".
    """
    if y_pixels is not None:
        return _straight(np.asarray(traces, float), np.asarray(y_pixels, float), error, reference)
    if isinstance(traces, np.ndarray):
        raise UsageError("one trace needs x and y", todo="give both, or all traces")
    names = names_of(traces)
    if raw_2d is not None:
        seen = diagnosis_of(raw_2d, traces)
        zero = np.zeros(seen.column.size)
        rows = zip(names, seen.offset, seen.offset_err)
        return {name: _of_fiber(seen.column, y, e, zero) | {"against": "light"} for name, y, e in rows}
    if not isinstance(traces, TraceSet):  # the points themselves, not what lies between them
        return {name: _of_fiber(*points_of(row), None, None) for name, row in rows_of(traces).items()}
    column = np.arange(traces.ncol, dtype=float)
    good = np.asarray(traces.valid) & np.isfinite(traces.center)
    return {name: _of_fiber(column[use], y[use], None, None) for name, y, use in zip(names, traces.center, good)}


def _of_fiber(x: Array, y: Array, error: Array | None, reference: Array | None) -> Straightness:
    """One fiber; NaN where there are no points."""
    if np.isfinite(y).sum() < 2:
        nothing = {"rms_residual": np.nan, "max_deviation": np.nan, "systematic_trend": np.nan}
        errors = {f"{name}_err": np.nan for name in nothing}
        return {**nothing, **errors, "outlier_pixels": np.zeros(0, int), "against": "not measured"}
    return _straight(x, y, error, reference)


def _straight(x: Array, y: Array, error: Array | None, reference: Array | None) -> Straightness:
    """One trace, (n,)."""
    err = None if error is None else np.asarray(error, float)
    against = y if reference is None else y - np.asarray(reference, float)
    fit, line = smooth_fit(x, against, err), smooth_fit(x, against, err, degree=1)
    residual = against if reference is not None else fit.residual
    n = max(int(fit.kept.sum()), 1)
    center = 0.0 if reference is not None else float(np.median(residual[fit.kept]))
    rms = robust_sigma(residual[fit.kept], center)
    worst = int(np.argmax(np.where(np.isfinite(residual), np.abs(residual), -1)))
    slope, slope_err = 2 * float(line.coeff[1]), 2 * float(line.coeff_err[1])
    sigma = fit.sigma if err is not None else np.full(x.size, max(rms, 1e-12))
    return {
        "rms_residual": rms, "rms_residual_err": rms / np.sqrt(2 * n),
        "max_deviation": float(abs(residual[worst])), "max_deviation_err": float(sigma[worst]),
        "max_deviation_at": float(x[worst]),
        "systematic_trend": slope, "systematic_trend_err": slope_err,
        "systematic_trend_significance": abs(slope) / slope_err if slope_err > 0 else 0.0,
        "outlier_pixels": np.round(x[fit.outliers]).astype(int), "expected_outliers": CHANCE * x.size,
        "chi2_per_dof": fit.chi2_per_dof, "degree": fit.degree, "residual": residual,
        "against": "smooth curve" if reference is None else "reference",
    }  # fmt: skip


def check_trace_spacing_uniformity(traces: Traces, positions: Positions | None = None) -> dict[str, object]:
    """Compare the spacing on the detector with the comb of blocks, and of the head with a hexagon or a square.

    Parameters
    ----------
    traces : TraceSet or dict of dicts
    positions : (nfiber, 2), table of fibers or mapping, optional
        Of the fibers in the IFU head, any unit.

    Returns
    -------
    dict
        `spacing` (nfiber - 1,) px; `mean_spacing`, `std_spacing` px within blocks with `_err`; `uniformity`
        (relative); `block` (nfiber,); `irregular` rows whose spacing departs by more than 5 robust sigma and 10 %;
        `head`: "hexagonal", "square", "irregular" or None, with `head_spacing`.
    """
    found = traces_in(traces)
    place = typical(found.center)
    block = blocks_of(found.center)
    gap, same = np.diff(place), block[1:] == block[:-1]
    inner = gap[same & np.isfinite(gap)]
    usual = float(np.median(inner)) if inner.size else spacing_of(place)
    scatter = robust_sigma(inner, usual)
    odd = same & (np.abs(gap - usual) > np.maximum(ODD_SIGMA * scatter, ODD_SHARE * abs(usual)))
    odd |= gap < CLOSE * usual
    n = max(inner.size, 1)
    out: dict[str, object] = {
        "spacing": gap, "mean_spacing": usual, "mean_spacing_err": scatter / np.sqrt(n),
        "std_spacing": scatter, "std_spacing_err": scatter / np.sqrt(2 * n),
        "uniformity": scatter / usual if usual else np.nan, "block": block, "irregular": np.flatnonzero(odd),
        "head": None, "head_spacing": None,
    }  # fmt: skip
    if positions is not None:
        out["head"], out["head_spacing"] = head_pattern(positions_in(positions, names_of(traces))[0])
    return out


def analyze_trace_wavelength_dependence(traces: Traces) -> Pair:
    """Return the tilt and curvature of each trace along wavelength: optics of the spectrograph, not the atmosphere.

    Parameters
    ----------
    traces : TraceSet or dict of dicts

    Returns
    -------
    slopes, curvature : ndarray, shape (nfiber,), px
        From the blue to the red end, and the Legendre term of degree 2. By name too, with `slopes_err`,
        `curvature_err`; `slope_scatter` px of single fibers about their neighbors with its error; `fibers`;
        `against`: "wavelength" or "column".
    """
    found = traces_in(traces)
    step = max(1, found.ncol // TILT_POINTS)
    x = np.broadcast_to(np.arange(found.ncol, dtype=float), found.center.shape)[:, ::step]
    wave = None if found.wave is None else np.asarray(found.wave, float)[:, ::step]
    slopes, curvature = np.full((2, found.nfiber), np.nan), np.full((2, found.nfiber), np.nan)
    for k in range(found.nfiber):
        along = wave[k] if wave is not None and np.isfinite(wave[k]).any() else x[k]
        y = found.center[k, ::step]
        if (np.isfinite(along) & np.isfinite(y)).sum() < 4:
            continue
        fit = smooth_fit(along, y, degree=2)
        slopes[:, k] = 2 * fit.coeff[1], 2 * fit.coeff_err[1]
        curvature[:, k] = fit.coeff[2], fit.coeff_err[2]
    inner = slopes[0] - _neighbors(slopes[0])
    inner = inner[np.isfinite(inner)]
    scatter = robust_sigma(inner, 0.0)
    more = {
        "slopes": slopes[0], "slopes_err": slopes[1], "curvature": curvature[0], "curvature_err": curvature[1],
        "slope_scatter": scatter, "slope_scatter_err": scatter / np.sqrt(2 * max(inner.size, 1)),
        "fibers": names_of(traces), "against": "wavelength" if wave is not None else "column",
    }  # fmt: skip
    return Pair(slopes[0], curvature[0], more)


def _neighbors(values: Array) -> NDArray[np.float64]:
    """Running median over nine fibers."""
    out: NDArray[np.float64] = running_median(values[:, None], NEIGHBORS)[:, 0]
    return out
