"""Tracing from nothing: faint fibers, dead ones, a pedestal and round profiles."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.traces.doctor.nothing import trace_all
from ifuview.engine.traces.light.search import comb_holes
from ifuview.simulate.detector.bounds import trace_bound
from ifuview.simulate.detector.exposure import expose
from ifuview.simulate.detector.geometry import SlitSpec
from tests.engine.traces.doctor.made import BLOCKED, frame


def ratio(made, traces) -> tuple[float, float]:
    bound = trace_bound(made.traces, made.flux, np.sqrt(made.readnoise**2 + made.pedestal), 5)
    rms = np.sqrt(np.mean((traces.center - made.traces.center) ** 2, axis=1))
    return float(np.sqrt(np.mean(rms**2) / np.mean(bound**2))), float((rms / bound).max())


def test_traces_reach_the_bound():
    found = trace_all(frame().image, gain=1.0, readnoise=3.0)
    mean, worst = ratio(frame(), found.traces)
    assert mean < 1.10
    assert worst < 2.5


def test_a_pedestal_of_a_tenth_of_the_peak_does_not_matter():
    made = frame(50.0, 9, pedestal=100.0)
    mean, worst = ratio(made, trace_all(made.image, gain=1.0, readnoise=3.0).traces)
    assert mean < 1.2
    assert worst < 3.0


def test_faint_fibers_are_found_and_dead_ones_reported_by_their_place():
    made = expose(BLOCKED, snr=50, seed=10, throughput={5: 0.05, 33: 0.05, 47: 0.0, 52: 0.3})
    found = trace_all(made.image, gain=1.0, readnoise=3.0)
    assert found.traces.nfiber == BLOCKED.nfiber
    assert np.flatnonzero(found.dead).tolist() == [47]
    near = np.abs(found.traces.center - made.traces.center).max(axis=1)
    assert near[[5, 33]].max() < 0.2
    assert near[47] < 1.0


@pytest.mark.parametrize("dead", [[], [7], [25]])
def test_gaps_between_blocks_are_no_holes(dead):
    place = np.concatenate([np.arange(10) * 7.0 + b * 77.0 for b in range(4)])  # a gap of two spacings
    path = np.repeat(np.delete(place, dead)[:, None], 3, axis=1)
    holes = comb_holes(path, 7.0, 10)
    assert [path[k, 0] + at for k, at in holes] == pytest.approx(place[dead].tolist())


def test_a_fiber_of_which_few_bins_are_measured_stays_on_its_light():
    """At S/N 5 a polynomial through the measured bins alone led some fibers thousands of pixels away."""
    slit = SlitSpec((1032, 512), 112, spacing=8.8, block=112, gap=0.0, sigma=(1.9, 2.2), bend=4.0)
    made = expose(slit, snr=5, seed=0)
    found = trace_all(made.image, gain=1.0, readnoise=3.0)
    assert found.traces.nfiber == 112 and not found.dead.any()
    off = found.traces.center - made.traces.center
    assert np.abs(off).max() < 1.5 and np.sqrt(np.mean(off**2)) < 0.15  # one column: 0.5 px; six terms of 512: 0.06
