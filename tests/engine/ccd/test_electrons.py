"""Counts to electrons: level, noise, saturation, bias and combined frames against what was put in."""

import numpy as np
import pytest

from ifuview.engine.ccd.bias import master_bias
from ifuview.engine.ccd.electrons import electrons
from ifuview.engine.ccd.masters import combine, frame_noise
from ifuview.engine.ccd.overscan import biweight, read_overscan
from ifuview.errors import FitError
from ifuview.model.reduction.ccd import CcdFrame, ReductionBit

GAIN, NOISE = 1.1, 2.6


def read(rng, signal=50.0, tilt=0.5, shape=(400, 300)):
    level = 1000 + tilt * np.linspace(-1, 1, shape[0])[:, None]
    data = rng.poisson(signal, shape) / GAIN + rng.normal(0, NOISE / GAIN, shape) + level
    over = rng.normal(0, NOISE / GAIN, (shape[0], 64)) + level
    over[:, :2] += 9.0  # charge trails into the first columns
    return np.rint(data).astype(np.uint16), np.rint(over).astype(np.uint16)


def test_level_gain_and_noise_are_recovered():
    counts, over = read(np.random.default_rng(1))
    frame, out = electrons(counts, over, gain=GAIN, read_noise=2.0)
    assert out.noise == pytest.approx(NOISE, abs=5 * out.noise_error)
    assert out.level == pytest.approx(1000, abs=5 * out.level_error)
    assert frame.data.mean() == pytest.approx(50, abs=5 * np.sqrt(50 + NOISE**2) / np.sqrt(counts.size))
    rows = frame.data.mean(axis=1)
    assert abs(rows[:40].mean() - rows[-40:].mean()) < 0.3  # the tilt of 1.1 electrons is gone
    assert frame.variance.mean() == pytest.approx(50 + NOISE**2, rel=0.02)


def test_saturation_spills_and_empty_amplifiers_are_said():
    counts, over = read(np.random.default_rng(2))
    counts[100:103, 40], counts[99, 40], counts[103, 40] = 65535, 63000, 64000
    frame, out = electrons(counts, over, gain=GAIN, read_noise=NOISE)
    full = (frame.mask & int(ReductionBit.SATURATED)) > 0
    assert full[98:105, 40].all() and full.sum() == 7 and out.saturated == pytest.approx(3 / counts.size)
    nothing, told = electrons(np.zeros_like(counts), over, gain=GAIN, read_noise=NOISE)
    assert (nothing.mask & int(ReductionBit.AMPLIFIER)).all() and told.notes
    bare, told = electrons(counts, over[:, :0], gain=GAIN, read_noise=NOISE)
    assert np.isfinite(bare.data).all() and "overscan" in told.notes[0]


def test_full_pixels_that_the_noise_keeps_below_the_end_of_the_range_are_saturated():
    counts, over = read(np.random.default_rng(4))
    below = [1, 2, 4, 1, 3, 5, 2, 1, 2, 3]  # ADU; the noise is 2.4, none is at the end by chance
    counts[100:110, 40] = 65535 - np.array(below)
    counts[200, 60] = 65400  # bright, and not full
    frame, out = electrons(counts, over, gain=GAIN, read_noise=NOISE)
    full = (frame.mask & int(ReductionBit.SATURATED)) > 0
    assert full[99:111, 40].all() and full.sum() == 12 and out.saturated == pytest.approx(10 / counts.size)


def test_overscan_without_columns_is_refused():
    with pytest.raises(FitError):
        read_overscan(np.zeros((10, 2)))


def test_biweight_leaves_out_what_sticks_out():
    values = np.random.default_rng(3).normal(5, 1, (4, 500))
    values[:, :40] = 100
    assert biweight(values) == pytest.approx(5, abs=0.2)
    assert np.isnan(biweight(np.full((1, 3), np.nan)))[0]


def frames(count, structure, rng, noise=NOISE):
    return [
        CcdFrame(
            (structure + rng.normal(0, noise, structure.shape)).astype(np.float32),
            np.full(structure.shape, noise**2, np.float32),
            np.zeros(structure.shape, np.uint32),
        )
        for _ in range(count)
    ]


def test_bias_of_one_frame_is_its_profiles_not_its_noise():
    rng = np.random.default_rng(4)
    structure = rng.normal(0, 0.7, 300)[None] + np.linspace(-0.5, 0.5, 400)[:, None]
    bias = master_bias(frames(1, structure, rng))
    assert (bias.data - structure).std() < 0.25  # 0.15 of a column, 0.15 of a row; pixels would give 2.6
    assert bias.variance.mean() < 0.06


def test_read_noise_of_few_frames_is_not_biased():
    rng = np.random.default_rng(5)
    noise, error = frame_noise(frames(3, rng.normal(0, 3, (200, 200)), rng))
    assert noise == pytest.approx(NOISE, abs=5 * error) and error < 0.02
    assert np.isnan(frame_noise(frames(1, np.zeros((4, 4)), rng))[0])


def test_combined_frames_keep_the_information_and_no_cosmic_ray():
    rng = np.random.default_rng(6)
    many = frames(5, np.full((100, 100), 20.0), rng)
    hit = np.array(many[2].data)
    hit[50, 50] += 500
    many[2] = CcdFrame(hit, many[2].variance, many[2].mask)
    mean = combine(many)
    assert mean.data.std() == pytest.approx(NOISE / np.sqrt(5), rel=0.05)
    assert mean.variance.mean() == pytest.approx(NOISE**2 / 5, rel=0.02)
    assert abs(mean.data[50, 50] - 20) < 5
    with pytest.raises(FitError):
        combine([])
