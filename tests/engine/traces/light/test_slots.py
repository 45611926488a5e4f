"""Which light belongs to which fiber."""

from __future__ import annotations

import numpy as np

from ifuview.engine.traces.light.slots import blocks_of, find_slots, plain_paths
from ifuview.simulate.detector import perturb
from tests.engine.traces.doctor.made import BLOCKED, frame


def slots(traces):
    image = frame().image
    columns = np.ascontiguousarray(image.T)
    return find_slots(columns, np.ones(columns.shape, np.uint8), traces.center, blocks_of(traces.center))


def test_right_traces_have_their_own_light():
    found = slots(frame().traces)
    assert np.array_equal(found.of_fiber, np.arange(BLOCKED.nfiber))
    assert np.array_equal(found.of_trace, found.of_fiber)
    assert not found.found.any()


def test_light_without_a_trace_is_found_where_two_traces_are_one():
    found = slots(perturb.merged(frame().traces, 24, 25))
    assert np.flatnonzero(found.found).tolist() == [24]
    assert found.of_fiber[24] == 24
    assert found.of_trace[24] == 25
    assert abs(np.median(found.path[24] - frame().traces.center[24])) < 0.5


def test_blocks_are_found_in_the_gaps():
    assert np.array_equal(blocks_of(frame().traces.center), np.arange(BLOCKED.nfiber) // BLOCKED.block)


def test_a_lost_trace_follows_its_neighbors_and_a_kink_is_kept():
    truth = frame().traces
    lost = plain_paths(perturb.lost(truth, 31, 420, 0.02).center)
    assert np.abs(lost[31] - truth.center[31]).max() < 0.3
    kinked = perturb.kinked(truth, 23, 0.7, 400, 60).center
    assert np.array_equal(plain_paths(kinked), kinked)
