"""How far two evenly lit frames lie apart is found without traces."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.traces.slit.offset import frame_offset


def frame(shift, level=500.0, seed=0):
    rng = np.random.default_rng(seed)
    rows = np.arange(300)[:, None]
    light = sum(np.exp(-0.5 * ((rows - at - shift) / 1.5) ** 2) for at in np.arange(20, 280, 8.8))
    return (rng.poisson(level * light * np.ones((1, 80)) + 10) + rng.normal(0, 2.5, (300, 80))).astype(np.float32)


@pytest.mark.parametrize("shift", [0.0, 0.08, -0.6])
def test_an_offset_is_recovered_at_another_level_of_light(shift):
    assert frame_offset(frame(shift, 300.0, 1), frame(0.0)) == pytest.approx(shift, abs=0.01)


def test_pixels_that_are_bad_do_not_count():
    bad = frame(0.05, seed=2)
    usable = np.ones(bad.shape, bool)
    usable[100:130, 20:60] = False
    bad[~usable] = 50000.0
    assert frame_offset(bad, frame(0.0), usable) == pytest.approx(0.05, abs=0.012)


def test_a_frame_without_light_has_none():
    assert np.isnan(frame_offset(np.zeros((300, 80)), np.zeros((300, 80))))
