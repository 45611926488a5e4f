"""Traces and scattered light of one exposure, each made with the other until both rest.

Scattered light under the fibers makes their profile look wider and pulls centers between unequal neighbors; a profile
too wide takes part of the scattered light. Each round leaves a steady share of the error, so that two rounds tell where
they lead (Aitken 1926), and a third is enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ifuview.engine.ccd.scattered import ScatteredLight, scattered_light
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.traces.slit.trace import DEGREE, trace_slit
from ifuview.model.checks import Array
from ifuview.model.quality import TraceBit
from ifuview.model.trace import TraceSet

ROUNDS = 3
MOST_LEFT = 0.6  # share of an error that a round may leave


def trace_and_scattered(
    image: Array,
    read_noise: float,
    reference: Array,
    *,
    column: float | None = None,
    dead: Array | None = None,
    block: Array | None = None,
    usable: Array | None = None,
    seams: Sequence[int] = (),
    degree: int = DEGREE,
    ctx: JobContext = SILENT,
) -> tuple[TraceSet, ScatteredLight]:
    """Return the traces of the fibers of a table and the scattered light of the same exposure.

    Parameters as in `trace_slit` and `scattered_light`.

    Raises
    ------
    FitError
        No traces, or they do not fit the table.
    """
    clean = np.asarray(image, np.float32)
    if usable is not None and not usable.all():
        clean = np.where(usable, clean, np.float32(np.nan))
    scattered: ScatteredLight | None = None
    for turn in range(ROUNDS):
        part = ctx.part(turn / ROUNDS, (turn + 1) / ROUNDS)
        ground = None if scattered is None else scattered.image
        traces = trace_slit(
            clean, read_noise, reference, column=column, dead=dead, block=block, background=ground, degree=degree,
            ctx=part.part(0, 0.6),
        )  # fmt: skip
        sigma = np.asarray(traces.sigma)
        found = scattered_light(
            image, lit_centers(traces), sigma, read_noise, usable=usable, seams=seams, blurred=False,
            ctx=part.part(0.6, 1),
        )  # fmt: skip
        scattered = _ahead(scattered, found) if turn == 1 else found
    assert scattered is not None
    return traces, scattered


def _ahead(before: ScatteredLight | None, found: ScatteredLight) -> ScatteredLight:
    """Where two rounds lead, the first having started from nothing."""
    if before is None or not before.share > 0 or not math.isfinite(found.share):
        return found
    left = (found.share - before.share) / before.share
    if not 0 < left < MOST_LEFT:
        return found
    gain = np.float32(left / (1 - left))
    image = found.image + gain * (found.image - before.image)
    return ScatteredLight(image, found.share + float(gain) * (found.share - before.share), found.chi2)


def lit_centers(traces: TraceSet) -> Array:
    """Centers of the fibers, NaN for those without light."""
    status = np.zeros(traces.nfiber, np.uint32) if traces.status is None else np.asarray(traces.status)
    dark = (status & np.uint32(TraceBit.DEAD | TraceBit.LOST | TraceBit.NOT_FITTED)) > 0
    return np.where(dark[:, None], np.nan, traces.center)
