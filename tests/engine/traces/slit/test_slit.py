"""Fibers of a table are found, kept smooth where light fades, and carried to another exposure."""

import numpy as np
import pytest

from ifuview.engine.traces.slit.match import match_fibers
from ifuview.engine.traces.slit.settle import trace_and_scattered
from ifuview.engine.traces.slit.shift import measure_shift, shifted
from ifuview.errors import FitError
from ifuview.model.quality import TraceBit
from tests.engine.slit import NCOL, NOISE, NROW, Slit


@pytest.mark.parametrize("shift", [-6.0, 0.3, 5.5])
def test_a_table_that_lies_off_is_matched(shift):
    reference = Slit().reference
    rows = np.delete(reference, 11) + shift
    matched = match_fibers(rows, reference, np.isin(np.arange(reference.size), 11))
    assert matched.trace[11] == -1 and matched.shift == pytest.approx(shift, abs=0.01)
    assert (np.delete(matched.trace, 11) == np.arange(rows.size)).all()


def test_traces_of_other_fibers_are_refused():
    with pytest.raises(FitError):
        match_fibers(np.arange(5) * 31.0, Slit().reference)


def test_traces_are_right_to_their_errors_also_where_light_fades():
    slit = Slit(2)
    fade = np.clip(1.3 - np.arange(NCOL) / NCOL, 0.001, 1) ** 3
    image = slit.image(slit.twilight(8000.0) * fade, ground=20.0)
    dead = np.isin(np.arange(slit.reference.size), slit.dead)
    traces, _ = trace_and_scattered(image, NOISE, slit.reference, column=NCOL / 2, dead=dead, block=slit.block)
    miss = (traces.center - slit.center)[~dead]
    assert np.sqrt((miss**2).mean()) < 0.01
    assert np.sqrt((miss[:, -20:] ** 2).mean()) < 0.05  # light of 3 %: 100 electrons a sample
    assert traces.status[11] == int(TraceBit.DEAD) and traces.status.sum() == int(TraceBit.DEAD)
    assert np.abs(traces.center[11] - slit.center[11]).max() < 0.3  # where its neighbors say


def test_a_dark_fiber_that_the_table_calls_good_is_lost_not_invented():
    slit = Slit(3, dead=(11, 30))
    traces, _ = trace_and_scattered(slit.image(slit.twilight()), NOISE, slit.reference, block=slit.block)
    assert (traces.status[[11, 30]] == int(TraceBit.LOST)).all() and not traces.valid[30].any()


def test_a_shift_is_measured_from_faint_light_with_its_error():
    slit = Slit(4, shift=0.12)
    base = Slit(5)
    dead = np.isin(np.arange(slit.reference.size), slit.dead)
    traces, _ = trace_and_scattered(
        base.image(base.twilight()), NOISE, slit.reference, column=NCOL / 2, dead=dead, block=slit.block
    )
    found = measure_shift(slit.image(30 * slit.throughput), traces, NOISE)
    assert found.mean == pytest.approx(0.12, abs=max(5 * found.error[0], 0.005)) and found.error[0] < 0.02
    moved = shifted(traces, found, NROW)
    assert np.median(moved.center - traces.center) == pytest.approx(0.12, abs=0.02)
    with pytest.raises(FitError):
        measure_shift(np.zeros((NROW, NCOL), np.float32), traces, NOISE)
