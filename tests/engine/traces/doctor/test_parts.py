"""Impact, correlation, refraction and common shifts against what is known."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.traces.doctor.correct import between, smooth_curve
from ifuview.engine.traces.doctor.correlate import correlation
from ifuview.engine.traces.doctor.dar import refraction, refractive_index
from ifuview.engine.traces.doctor.impact import crosstalk, extraction_impact
from ifuview.engine.traces.doctor.placed import common_shift
from ifuview.simulate.detector.exposure import expose
from ifuview.simulate.detector.geometry import SlitSpec


def test_joint_extraction_loses_what_theory_says():
    shape = (5, 3)
    trace = np.arange(5.0)[:, None] * 8 * np.ones(shape)
    offset = np.zeros(shape)
    offset[2] = 0.3
    steps = extraction_impact(
        offset, np.full(shape, 0.01), np.full(shape, 1.2), np.ones(shape), trace + offset, trace, half=2.5
    )
    assert steps.joint_loss[2] == pytest.approx(1 - np.exp(-(0.3**2) / (4 * 1.2**2)))
    assert steps.boxcar_loss[2, 0] > 0
    assert steps.boxcar_loss[0, 0] == 0
    assert 0 < steps.leak[2, 0] < 1e-3


def test_crosstalk_is_symmetric_and_falls_with_distance():
    center = np.repeat((np.arange(9.0) * 5)[:, None], 4, axis=1)
    talk = crosstalk(center, center, np.zeros_like(center), np.full(center.shape, 1.2))
    middle = talk.boxcar[4]
    assert middle[1] == pytest.approx(middle[2])
    assert middle[0] < middle[1] < 0.1
    assert np.abs(talk.joint[4]).max() < 1e-4  # right traces: the joint fit separates


def test_noise_stays_below_the_edge_and_a_common_pattern_does_not():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1, (200, 60))
    block = np.arange(200) // 25
    used = np.ones(noise.shape, bool)
    clean = correlation(noise, np.ones_like(noise), used, block)
    assert clean.above == 0
    assert np.abs(clean.r).max() < 5 * clean.r_err.max()
    shared = correlation(noise + rng.normal(0, 1, 60), np.ones_like(noise), used, block)
    assert shared.above >= 1
    assert shared.r[0] > 0.3


def test_a_curve_follows_a_kink_and_keeps_the_noise_low():
    x = np.arange(64.0)
    truth = 0.8 * np.exp(-0.5 * ((x - 30) / 2.5) ** 2)
    noise = np.random.default_rng(1).normal(0, 0.008, 64)
    curve = smooth_curve(truth + noise, np.full(64, 0.008))
    assert np.sqrt(np.mean((curve - truth) ** 2)) < 0.015
    value = truth.copy()
    value[:5] = np.nan
    assert smooth_curve(value, np.full(64, 0.008))[:5] == pytest.approx(np.zeros(5), abs=1e-6)
    assert between(x * 10, truth, 640)[300] == pytest.approx(0.8, abs=1e-6)


def test_refractive_index_is_that_of_ciddor():
    # Ciddor 1996, table 1: dry air, 633 nm, 20 C, 100 kPa, 450 ppm CO2: (n - 1) 1e8 = 26824.4
    assert (refractive_index(np.array([6330.0]), 20.0, 1000.0, 0.0)[0] - 1) * 1e8 == pytest.approx(26824.4, abs=0.2)


def test_refraction_has_the_size_of_filippenko():
    raised = refraction(np.array([3500.0, 10000.0]), 48.0, temperature=10.0, pressure=793.0)
    assert raised == pytest.approx([1.31, -0.88], abs=0.02)


@pytest.mark.parametrize("spacings", [0, 1, -1, 2, -3])
@pytest.mark.parametrize("seed", [0, 1])
def test_faint_fibers_tell_by_their_places_too_that_all_traces_are_whole_spacings_off(seed, spacings):
    """Places differ from a comb by 0.08 px; the light of 256 columns at S/N 8 tells them to 0.02."""
    slit = SlitSpec((1032, 384), 112, spacing=8.8, block=112, gap=0.0, sigma=(1.9, 2.2), bend=4.0)
    made = expose(slit, snr=8, seed=seed)
    columns = np.ascontiguousarray(made.image.T)
    found = common_shift(columns, np.ones(columns.shape, np.uint8), made.traces.center + 8.8 * spacings)
    assert abs(found + 8.8 * spacings) < 0.5 and (found == 0) == (spacings == 0)
