"""Trace solutions that are wrong in known ways; each function returns a new TraceSet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet


def shifted(traces: TraceSet, offset: float, fibers: Sequence[int] | slice = slice(None)) -> TraceSet:
    """Traces with `offset` px added, to all fibers or to those given (a block)."""
    center = traces.center.copy()
    center[fibers] += offset
    return _with_center(traces, center)


def kinked(traces: TraceSet, fiber: int, height: float, column: float, width: float) -> TraceSet:
    """One trace with a Gaussian bump of `height` px at `column`, sigma `width` px."""
    center = traces.center.copy()
    center[fiber] += height * np.exp(-0.5 * ((np.arange(traces.ncol) - column) / width) ** 2)
    return _with_center(traces, center)


def swapped(traces: TraceSet, a: int, b: int) -> TraceSet:
    """Two fibers with each other's trace."""
    center = traces.center.copy()
    center[[a, b]] = center[[b, a]]
    return _with_center(traces, center)


def merged(traces: TraceSet, fiber: int, onto: int) -> TraceSet:
    """One fiber on the trace of another."""
    center = traces.center.copy()
    center[fiber] = center[onto]
    return _with_center(traces, center)


def lost(traces: TraceSet, fiber: int, column: int, slope: float) -> TraceSet:
    """One trace that leaves its light from `column` on, by `slope` px per column."""
    center = traces.center.copy()
    center[fiber] += slope * np.maximum(np.arange(traces.ncol) - column, 0)
    return _with_center(traces, center)


def index_shifted(traces: TraceSet, first: int, last: int) -> TraceSet:
    """Fibers first..last-1 with the trace of the next one; the last of them doubles its own spacing."""
    center = traces.center.copy()
    center[first:last] = traces.center[first + 1 : last + 1]
    return _with_center(traces, center)


def _with_center(traces: TraceSet, center: Array) -> TraceSet:
    """The same set with other centers, sampled."""
    return replace(traces, center=center, coeff=None, domain=None, basis="sampled", argument="column")
