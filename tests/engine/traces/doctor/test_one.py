"""One fiber asked for alone gets the answer that a diagnosis of the whole image has for it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ifuview.engine.traces.doctor.one import Band, band_rows, fiber_quality, look_at, neighborhood, quality_of
from ifuview.model.traces.doctor import DoctorLimits
from ifuview.model.verdict import Verdict
from ifuview.simulate.detector import perturb
from tests.engine.traces.doctor.made import BLOCKED, found, frame

WRONG = {
    "nothing": lambda t: t,
    "shift": lambda t: perturb.shifted(t, 0.07),
    "large shift": lambda t: perturb.shifted(t, 0.3),
    "offset": lambda t: perturb.shifted(t, 0.4, [30]),
    "kink": lambda t: perturb.kinked(t, 30, 0.7, 400, 60),
    "lost": lambda t: perturb.lost(t, 30, 420, 0.02),
    "swapped": lambda t: perturb.swapped(t, 30, 31),
    "merged": lambda t: perturb.merged(t, 30, 31),
}


def alone(traces, row, limits=None):
    made = frame()
    r0, r1 = band_rows(traces, row, made.image.shape[0])
    seen = look_at(Band(made.image[r0:r1], r0, gain=1.0, readnoise=made.readnoise), traces, row)
    return quality_of(seen, traces.fiber_id[row], limits or DoctorLimits())


@cache
def found_wrong(wrong):
    return found(WRONG[wrong](frame().traces))


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("row", [0, 14, 30, 59])
def test_alone_and_with_all_others_the_answer_is_the_same(wrong, row):
    traces = WRONG[wrong](frame().traces)
    one, whole = alone(traces, row), fiber_quality(found_wrong(wrong), row)
    assert one.verdict is whole.verdict
    assert one.mean_offset == pytest.approx(whole.mean_offset, abs=4 * whole.mean_offset_err)
    assert one.verdict is (
        Verdict.PASS
        if wrong == "nothing" or ("shift" not in wrong and row != 30)
        else Verdict.WARN
        if wrong == "shift"
        else Verdict.FAIL
    )


def test_what_only_the_whole_slit_can_tell_comes_from_the_diagnosis():
    traces = perturb.index_shifted(frame().traces, 5, 55)
    assert alone(traces, 30).verdict is Verdict.PASS  # it lies on light
    whole = fiber_quality(found(traces), 30)
    assert whole.verdict is Verdict.FAIL and "shifted index" in whole.text


def test_limits_are_those_of_the_doctor():
    traces = perturb.shifted(frame().traces, 0.12, [30])
    assert alone(traces, 30).verdict is Verdict.FAIL
    assert alone(traces, 30, DoctorLimits(offset_px=0.2)).verdict is Verdict.PASS


def test_neighbors_are_those_on_the_detector_and_the_band_holds_them():
    traces = frame().traces
    for row in (0, 30, BLOCKED.nfiber - 1):
        rows = neighborhood(traces, row)
        assert rows.size == 11 and row in rows
        r0, r1 = band_rows(traces, row, BLOCKED.shape[0])
        assert r0 <= np.nanmin(traces.center[rows]) and np.nanmax(traces.center[rows]) <= r1 - 1
