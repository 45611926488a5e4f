"""Which light belongs to which fiber."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.traces.light.slots import blocks_of, find_slots, plain_paths
from ifuview.simulate.detector import perturb
from ifuview.simulate.detector.exposure import expose
from ifuview.simulate.detector.geometry import SlitSpec
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


@pytest.mark.parametrize("snr", [4, 8])
@pytest.mark.parametrize("seed", [0, 1, 2, 4, 5, 6])
def test_noise_beyond_the_slit_is_no_light_without_a_trace(snr, seed):
    """Before, three of these had a slot too many: the least of many rows is low by chance."""
    made = expose(
        SlitSpec((560, 320), 56, spacing=8.8, block=56, gap=0.0, sigma=(1.9, 2.2), bend=2.0), snr=snr, seed=seed
    )
    columns = np.ascontiguousarray(made.image.T)
    found = find_slots(columns, np.ones(columns.shape, np.uint8), made.traces.center)
    assert found.path.shape[0] == 56 and not found.found.any()


def test_a_faint_fiber_without_a_trace_beyond_the_slit_is_found():
    """A tenth of the light: less than the noise of one column, far more than that of all."""
    slit = SlitSpec((560, 320), 56, spacing=8.8, block=56, gap=0.0, sigma=(1.9, 2.2), bend=2.0)
    made = expose(slit, snr=12, seed=3, throughput={55: 0.1})
    columns = np.ascontiguousarray(made.image.T)
    found = find_slots(columns, np.ones(columns.shape, np.uint8), made.traces.center[:55])
    assert np.flatnonzero(found.found).tolist() == [55]


def test_where_every_third_trace_is_missing_near_neighbors_are_two_fibers():
    """Half of the distances are two spacings; half of one of those, and the scatter of places, is one spacing."""
    slit = SlitSpec((1700, 160), 200, spacing=7.5, block=25, gap=7.0)
    made = expose(slit, snr=15, seed=0)
    columns = np.ascontiguousarray(made.image.T)
    kept = np.delete(np.arange(200), slice(1, None, 3))
    found = find_slots(columns, np.ones(columns.shape, np.uint8), made.traces.center[kept])
    assert 7.3 < found.spacing < 7.7
    assert np.array_equal(found.of_trace, kept) and np.array_equal(found.of_fiber, kept)
    assert np.flatnonzero(found.found).tolist() == list(range(1, 200, 3))
