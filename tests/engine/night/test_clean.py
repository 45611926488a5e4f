"""Clean cameras that were accused once: each by what it was, and why it is none."""

from __future__ import annotations

import pytest

from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.plant import plant


def accused(chain, *only):
    return [f for f in desi_qa.run(chain, 1, "r1", desi_qa.Params(only)).findings if f.kind != "sky-gradient"]


@pytest.mark.parametrize("seed", [5000, 5141, 5195, 5207])
def test_the_noise_of_the_sky_model_that_all_fibers_share_is_no_trailing(seed):
    assert accused(camera.made("b", seed, stars=3 * (seed == 5141)), "charge-transfer") == []


@pytest.mark.parametrize(("seed", "scene"), [(5006, {"stars": 3}), (5075, {}), (5159, {"moon": 0.2})])
def test_the_noise_of_the_sky_model_that_all_fibers_share_is_no_line_that_stays(seed, scene):
    assert accused(camera.made("b", seed, **scene), "sky-line residual") == []


@pytest.mark.parametrize("arm", ["r", "z"])
def test_the_part_of_the_light_that_trails_is_measured(arm):
    planted = plant(camera.made(arm, 31), table.DEFECTS["trailing along"], 0.05, seed=4)
    (one,) = accused(planted.chain, "charge-transfer")
    assert one.amplifier in planted.truth.amplifiers
    assert one.amplitude == pytest.approx(0.05, abs=0.008)  # three errors
