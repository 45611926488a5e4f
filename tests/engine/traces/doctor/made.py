"""Small frames whose truth is known, and the diagnosis of traces that are wrong in a known way."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from ifuview.engine.traces.doctor.diagnose import diagnose
from ifuview.engine.traces.doctor.gather import Evidence, gather
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import TraceDiagnosis
from ifuview.simulate.detector.exposure import SimulatedFrame, expose
from ifuview.simulate.detector.geometry import SlitSpec

BLOCKED = SlitSpec((560, 800), 60, block=10, bend=2.5)  # six blocks


@cache
def frame(snr: float = 50.0, seed: int = 1, **options) -> SimulatedFrame:
    return expose(BLOCKED, snr=snr, seed=seed, **options)


def found(traces: TraceSet, made: SimulatedFrame | None = None) -> TraceDiagnosis:
    made = made or frame()
    return diagnose(made.image, traces, gain=1.0, readnoise=made.readnoise)


def evidence(made: SimulatedFrame) -> Evidence:
    return gather(made.image, made.traces, gain=1.0, readnoise=made.readnoise)


def moved(offset: np.ndarray) -> TraceSet:
    """The true traces, with the light `offset` px above them."""
    truth = frame().traces
    return replace(truth, center=truth.center - offset, coeff=None)


def kinds(result: TraceDiagnosis) -> set[tuple[str, int]]:
    return {(p.kind, p.fiber) for p in result.problems}


def modes(result: TraceDiagnosis) -> set[str]:
    return {m.name for m in result.modes if m.found}
