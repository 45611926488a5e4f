"""What the numbers of a finding rest on, as figures: measured points with errors, shared patterns, the correction."""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import DASHED, DOT, NONE, SOLID, Curve, Figure, Rule, Scale, Shade, robust
from ifuview.model.traces.doctor import TraceDiagnosis
from ifuview.model.traces.findings import TraceFinding

COLUMN = "Column (px)"
FIBER = "Fiber (row)"
OFFSET = "Offset (px)"
ALONG = ("rotation", "drift", "common_wiggle", "smile", "s_curve")  # patterns whose evidence is seen along the columns
MARGIN = 0.12  # of the vertical range
LEAST_MARGIN = 0.01
PER_MEDIAN = 1.25  # error of a median over that of a mean


def of_finding(found: TraceDiagnosis, finding: TraceFinding, along: str = COLUMN) -> Figure | None:
    """The evidence of a finding, if it is about fibers; `along` names the axis along them."""
    if finding.group == "fiber":
        return _of_fiber(found, finding, along)
    if finding.group != "mode":
        return None
    if finding.kind == "keystone":
        return _tilts(found)
    return _medians(found, finding, along) if finding.kind in ALONG else _across(found, finding)


def offsets(found: TraceDiagnosis, fiber: int, span: tuple[float, float] | None, along: str = COLUMN) -> Figure:
    """Light minus trace of one fiber with errors, the shared patterns, and what the corrected trace adds."""
    title = f"Fiber {found.fiber_id[fiber]}: light minus trace"
    curves = (
        measured(found.column, found.offset[fiber], found.offset_err[fiber]),
        _patterns(found.column, found.model[fiber]),
        Curve(found.column, found.correction[fiber], 0, "correction", SOLID, width=2),
    )
    return _figure(title, along, OFFSET, curves, span)


def measured(x: Array, y: Array, error: Array, label: str = "measured") -> Curve:
    """Points with errors."""
    return Curve(x, y, "text", label, NONE, DOT, size=4, error=error)


def _patterns(x: Array, y: Array, label: str = "shared patterns") -> Curve:
    """What the measured points are compared with."""
    return Curve(x, y, 2, label, DASHED, width=2)


def _figure(
    title: str, x_label: str, y_label: str, curves: tuple[Curve, ...], span: tuple[float, float] | None = None
) -> Figure:
    """A figure whose range holds nearly all well-measured points, and zero where it is about offsets."""
    x = curves[0].x
    zero = y_label == OFFSET
    return Figure(
        title, Scale(x_label, (float(x[0]), float(x[-1]))),
        Scale(y_label, robust(curves, MARGIN, keep=(0.0,) if zero else (), least=LEAST_MARGIN)),
        curves, (Rule(0.0, vertical=False),) if zero else (), () if span is None else (Shade(*span, label="where"),),
    )  # fmt: skip


def _of_fiber(found: TraceDiagnosis, finding: TraceFinding, along: str) -> Figure:
    """Offset of the worst fiber along the columns, or its flux or width where that is the matter."""
    fiber = finding.fibers[0]
    name, x = f"Fiber {found.fiber_id[fiber]}", found.column
    if finding.kind in ("dead", "low_throughput"):
        usual = _median(found.flux[found.block == found.block[fiber]])
        curves = measured(x, found.flux[fiber], found.flux_err[fiber]), _patterns(x, usual, "median of its block")
        return _figure(f"{name}: flux, and the median of its block", along, "Flux per column", curves)
    if finding.kind == "wide":
        usual = _median(found.width)
        curves = measured(x, found.width[fiber], found.width_err[fiber]), _patterns(x, usual, "median of all")
        return _figure(f"{name}: width, and the median of all", along, "Width (px)", curves, finding.x_range)
    return offsets(found, fiber, finding.x_range, along)


def _medians(found: TraceDiagnosis, finding: TraceFinding, along: str) -> Figure:
    """Median offset of the fibers along the columns."""
    rows = list(finding.fibers) or list(range(found.nfiber))
    count = np.maximum(np.isfinite(found.offset[rows]).sum(axis=0), 1)
    error = PER_MEDIAN * _median(found.offset_err[rows]) / np.sqrt(count)
    curves = (
        measured(found.column, _median(found.offset[rows]), error),
        _patterns(found.column, _median(found.model[rows])),
    )
    return _figure("Median of the fibers: light minus trace", along, OFFSET, curves)


def _across(found: TraceDiagnosis, finding: TraceFinding) -> Figure:
    """Median offset of each fiber across the slit."""
    every = np.arange(found.nfiber, dtype=float)
    error = PER_MEDIAN * _median(found.offset_err.T) / np.sqrt(_known(found))
    few = 0 < len(finding.fibers) < found.nfiber
    span = (finding.fibers[0] - 0.5, finding.fibers[-1] + 0.5) if few else None
    curves = measured(every, _median(found.offset.T), error), _patterns(every, _median(found.model.T))
    return _figure("Median of each fiber: light minus trace", FIBER, OFFSET, curves, span)


def _tilts(found: TraceDiagnosis) -> Figure:
    """Offset in the upper half of the columns minus that in the lower half, of each fiber."""
    half = found.column.size // 2
    every = np.arange(found.nfiber, dtype=float)
    lies = found.axes.orientation
    sign = -1.0 if lies.flip_disp else 1.0
    tilt, model = (sign * (_median(v[:, -half:].T) - _median(v[:, :half].T)) for v in (found.offset, found.model))
    error = 2 * PER_MEDIAN * _median(found.offset_err.T) / np.sqrt(_known(found))
    title = f"Tilt of each fiber: upper half of the {'rows' if lies.transpose else 'columns'} minus lower half"
    return _figure(title, FIBER, OFFSET, (measured(every, tilt, error), _patterns(every, model)))


def _known(found: TraceDiagnosis) -> Array:
    """Columns at which each fiber was measured, 1 at least."""
    return np.asarray(np.maximum(np.isfinite(found.offset).sum(axis=1), 1))


def _median(values: Array) -> Array:
    """Median over the first axis, NaN where nothing is known."""
    out = np.full(values.shape[1], np.nan)
    some = np.isfinite(values).any(axis=0)
    if some.any():
        out[some] = np.nanmedian(values[:, some], axis=0)
    return out
