"""Health of an amplifier by its read-out alone."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.ccd.electrons import electrons, read_out, stuck_bits
from ifuview.engine.ccd.health import HealthLimits, health, judged
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.verdict import VerdictState

GAIN, NOISE = 1.1, 2.6


def amplifier(noise=NOISE, light=200.0, seed=1):
    """Data and overscan of an exposure, ADU."""
    rng = np.random.default_rng(seed)
    sky = light * (1 + np.sin(np.arange(200) / 1.4)[:, None]) * np.ones((1, 240))
    data = rng.poisson(sky) + noise * rng.standard_normal(sky.shape)
    over = noise * rng.standard_normal((200, 32))
    return tuple(np.rint(a / GAIN + 1030).astype(np.uint16) for a in (data, over))


def state(data, over, **limits):
    read, _ = read_out(data, over, gain=GAIN, read_noise=NOISE, by_row=False)
    found = health(read, HealthLimits(**limits))
    return found.state, found.text


def test_a_good_amplifier_is_clean_and_its_numbers_are_told():
    told, text = state(*amplifier())
    assert told is VerdictState.CLEAN
    assert "overscan 1030" in text and float(text.split("read noise ")[1].split()[0]) == pytest.approx(NOISE, rel=0.02)


@pytest.mark.parametrize(("noise", "want"), [(5.2, VerdictState.LOOK), (20.0, VerdictState.WRONG)])
def test_high_noise_is_told(noise, want):
    told, text = state(*amplifier(noise))
    assert told is want and "read noise is" in text


def test_an_amplifier_of_zeros_is_wrong():
    data, over = amplifier()
    told, text = state(np.zeros_like(data), np.zeros_like(over))
    assert told is VerdictState.WRONG and "most counts are zero" in text


@pytest.mark.parametrize("bit", [3, 5, 7])
@pytest.mark.parametrize("high", [True, False])
def test_a_bit_that_does_not_change_is_found(bit, high):
    data, over = amplifier()
    assert stuck_bits(data) == ()
    value = np.uint16(1 << bit)
    stuck = data | value if high else data & ~value
    assert stuck_bits(stuck) == (bit,)
    assert state(stuck, over)[0] is VerdictState.WRONG


@pytest.mark.parametrize(("bit", "light", "kept"), [(1, 5.0, True), (3, 5.0, False), (3, 5000.0, True)])
def test_an_amplifier_whose_stuck_bit_is_more_than_the_noise_is_masked(bit, light, kept):
    data, over = (one | np.uint16(1 << bit) for one in amplifier(light=light))
    frame, read = electrons(data, over, gain=GAIN, read_noise=NOISE, by_row=False)
    assert read.stuck == (bit,) and bool(frame.usable().all()) is kept and bool(read.problem) is not kept
    assert health(read).state is VerdictState.WRONG and health(read).text.count("does not change") == 1
    if kept:  # what is left is noise: the level is right to a small part of it
        clean = electrons(*amplifier(light=light), gain=GAIN, read_noise=NOISE, by_row=False)[0]
        assert frame.data.mean() == pytest.approx(clean.data.mean(), abs=0.15 * np.hypot(NOISE, np.sqrt(light)))


def test_bits_that_a_bias_never_reaches_are_not_stuck():
    data, over = amplifier(light=0.0)
    assert stuck_bits(data) == () and stuck_bits(over) == ()


def test_saturation_is_told():
    data, over = amplifier()
    data[:, :3] = 65535
    assert state(data, over)[0] is VerdictState.LOOK
    data[:, :150] = 65535
    assert state(data, over)[0] is VerdictState.WRONG


def test_the_read_out_of_electrons_is_the_same_and_a_problem_masks_all():
    data, over = amplifier()
    frame, read = electrons(data, over, gain=GAIN, read_noise=NOISE, by_row=False)
    assert read == read_out(data, over, gain=GAIN, read_noise=NOISE, by_row=False)[0]
    assert frame.usable().all() and judged(read).problem == ""
    empty, _ = electrons(np.zeros_like(data), np.zeros_like(over), gain=GAIN, read_noise=NOISE)
    assert (empty.mask & int(ReductionBit.AMPLIFIER)).all()
    noisy = read_out(*amplifier(20.0), gain=GAIN, read_noise=NOISE)[0]
    assert "read noise" in judged(noisy).problem
