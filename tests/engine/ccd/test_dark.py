"""Hot pixels and a warm column are measured on darks, taken off, and told apart from cosmic rays."""

import numpy as np
import pytest

from ifuview.engine.ccd.cosmics import warm_columns
from ifuview.engine.ccd.dark import master_dark, without_dark
from ifuview.errors import FitError
from ifuview.model.reduction.ccd import CcdFrame, ReductionBit

NOISE = 2.5


def expose(rate, time, rng):
    data = rng.poisson(rate * time) + rng.normal(0, NOISE, rate.shape)
    return CcdFrame(data, np.maximum(data, 0) + NOISE**2, np.zeros(rate.shape, np.uint32))


def test_dark_current_is_measured_and_taken_off():
    rng = np.random.default_rng(1)
    rate = np.full((400, 300), 0.002)
    rate[80:, 120] += 1 / 6
    rate[[10, 200, 333], [20, 250, 120]] += 2.0
    dark = master_dark([expose(rate, 360.0, rng) for _ in range(3)], [360.0] * 3)
    hot, trap = (dark.mask & int(ReductionBit.HOT)) > 0, (dark.mask & int(ReductionBit.TRAP)) > 0
    assert hot[10, 20] and hot[200, 250] and (hot | trap)[90:390, 120].all()
    assert (hot | trap)[:, :100].sum() <= 3
    science = without_dark(expose(rate, 900.0, rng), dark, 900.0)
    assert science.data[100:390, 120].mean() == pytest.approx(0, abs=5.0)  # of 150 electrons
    assert science.data[:, 200:240].mean() == pytest.approx(0, abs=0.2)
    with pytest.raises(FitError):
        master_dark([expose(rate, 1.0, rng)], [0.0])


def test_a_warm_column_is_no_cosmic_ray():
    hit = np.zeros((300, 50), bool)
    hit[100:200:2, 7] = True
    hit[50, 10:30] = True
    found = warm_columns(hit)
    assert found[100:199, 7].all() and found.sum() == 99  # from its first to its last pixel
