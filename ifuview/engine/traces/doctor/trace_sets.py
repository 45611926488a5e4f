"""Measured and corrected traces."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.traces.doctor.correct import REMEASURED, between, smooth_curve
from ifuview.engine.traces.doctor.fibers import Measured
from ifuview.engine.traces.doctor.gather import Evidence
from ifuview.engine.traces.light.measure import at_columns
from ifuview.model.checks import Array
from ifuview.model.trace import Provenance, TraceSet
from ifuview.model.traces.doctor import Mode, Problem


def _trace_sets(
    evidence: Evidence,
    m: Measured,
    modes: tuple[Mode, ...],
    problems: tuple[Problem, ...],
    single: Array,
) -> tuple[TraceSet, TraceSet]:
    """Corrected and measured traces."""
    fit, slots, traces = evidence.fit, evidence.slots, evidence.traces
    ncol = traces.ncol
    shared = any(mode.fitted for mode in modes)
    center = np.array(traces.center)
    if shared:
        center += _at_columns(fit.column, m.model * np.ones_like(m.offset), ncol)
    center += single[:, None]
    again = sorted({p.fiber for p in problems if p.kind in REMEASURED and (p.amplitude_px or 0) != 0})
    for k in again:
        if not np.isfinite(m.offset[k]).any():
            continue
        if slots.of_fiber[k] == slots.of_trace[k] and not slots.found[slots.of_fiber[k]] and not _lost(problems, k):
            base, value = np.array(traces.center[k]), m.offset[k]
        else:
            base = np.array(slots.path[slots.of_fiber[k]])
            value = fit.center[slots.of_fiber[k]] - at_columns(base[None], fit.column)[0]
        center[k] = base + between(fit.column, smooth_curve(value, m.error[k]), ncol)
    steps = []
    if shared:
        steps.append("modes: " + ", ".join(dict.fromkeys(x.name for x in modes if x.fitted)))
    if again:
        steps.append(f"re-measured {len(again)} fibers")
    if single.any():
        steps.append("scatter of single fibers")
    done = Provenance(traces.provenance.inputs, "corrected", changed="; ".join(steps) or "nothing")
    corrected = replace(
        traces, center=center, coeff=None if steps else traces.coeff, domain=traces.domain if not steps else None,
        basis="sampled" if steps else traces.basis, argument="column" if steps else traces.argument,
        name="corrected", provenance=done,
    )  # fmt: skip
    return corrected, _measured_set(evidence, m)


def _lost(problems: tuple[Problem, ...], k: int) -> bool:
    return any(p.fiber == k and p.kind == "lost" for p in problems)


def _at_columns(column: Array, values: Array, ncol: int) -> NDArray[np.float64]:
    """Values of the bins at all columns: cubic spline between, continued by its own slope beyond the outermost bins."""
    if column.size < 4:
        return np.array([np.interp(np.arange(ncol), column, row) for row in values])
    from scipy.interpolate import make_interp_spline

    spline = make_interp_spline(column, values.T, k=3)
    out: NDArray[np.float64] = np.asarray(spline(np.arange(ncol))).T
    return out


def _measured_set(evidence: Evidence, m: Measured) -> TraceSet:
    """Where the light of each fiber is, smooth, with errors; as given where it was not measured."""
    fit, traces, slots = evidence.fit, evidence.traces, evidence.slots
    ncol = traces.ncol
    base = slots.path[slots.of_fiber]
    value = fit.center[slots.of_fiber] - at_columns(base, fit.column)
    curve = smooth_curve(value, m.error)
    center = base + _lines(fit.column, curve, ncol)
    known = np.isfinite(m.error)
    single = np.where(known, m.error, np.nanmax(m.error, initial=1.0)).astype(np.float32)
    error = _lines(fit.column, single, ncol)
    lit = _lines(fit.column, known.astype(np.float32), ncol) >= 0.5
    width = np.where(np.isfinite(m.width), m.width, np.nanmedian(m.width))
    return replace(
        traces, center=center, error=error, valid=lit & np.isfinite(center),
        sigma=_lines(fit.column, width.astype(np.float32), ncol), coeff=None, domain=None, basis="sampled",
        argument="column", name="measured", provenance=Provenance(traces.provenance.inputs, "measured"),
    )  # fmt: skip


def _lines(column: Array, values: Array, ncol: int) -> Array:
    """Linear between the bins, constant beyond."""
    if column.size == 1:
        return np.repeat(values, ncol, axis=1)
    out = np.empty((values.shape[0], ncol), values.dtype)
    cut = np.concatenate([[0], np.ceil(column[1:-1]).astype(int), [ncol]])
    for i, (first, last) in enumerate(pairwise(cut)):
        part = ((np.arange(first, last) - column[i]) / (column[i + 1] - column[i])).clip(0, 1).astype(values.dtype)
        out[:, first:last] = values[:, i, None] * (1 - part) + values[:, i + 1, None] * part
    return out
