"""Half of a camera is wrong: it is named where products or sky fibers tell it, and else it is said that none do."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.stats import binned
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera
from ifuview.simulate.defects.fibers import gaussian, sky_of
from ifuview.simulate.defects.plant import PlantedChange, changed

CLEAN = camera.made("r", 4242)
SKY = sky_of(CLEAN)
FIRST = np.arange(500)[:, None] < 250
MIXED = np.isin(np.arange(500), np.random.default_rng(1).permutation(500)[:250])[:, None]
WHERE = {"first": FIRST, "mixed": MIXED}
BUMP = gaussian(CLEAN, float(CLEAN.wave.mean()), 80.0)


def findings(change, *only):
    return desi_qa.run(changed(CLEAN, change), 1, "r1", desi_qa.Params(only)).findings


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("shape", ["bump", "level"])
def test_the_half_whose_sky_model_is_wrong_is_named(where, shape):
    part = WHERE[where] * SKY * (0.08 * BUMP if shape == "bump" else 0.05)
    (one,) = [f for f in findings(PlantedChange(model=part)) if f.kind == "wavelength-blocks"]
    assert (one.first_step, one.fibers) == ("sky", tuple(np.flatnonzero(WHERE[where])))
    height = binned(np.abs(part).max(axis=0), BIN).max()
    assert abs(one.amplitude) == pytest.approx(height, rel=0.25)  # continua take a part of a bump


@pytest.mark.parametrize("where", WHERE)
def test_lines_of_a_half_are_told_apart_from_those_of_the_other(where):
    """Two amplifiers that trail alike are lines that moved."""
    slope = np.gradient(SKY, CLEAN.wave)
    half = WHERE[where]
    (one,) = findings(PlantedChange(light=-0.2 * half * slope), "sky-line residual", "charge-transfer")
    assert (one.first_step, one.detail["change"]) == ("trace", "shift")
    wrong = half.ravel() if one.amplitude > 0 else ~half.ravel()
    assert one.fibers == tuple(np.flatnonzero(wrong))
    assert "do not tell which is wrong" in one.text


def test_lines_that_differ_from_fiber_to_fiber_in_no_two_groups_are_said_to_differ():
    slope = np.gradient(SKY, CLEAN.wave)
    own = np.random.default_rng(2).uniform(-0.2, 0.2, (500, 1))
    found = findings(PlantedChange(light=-own * slope), "sky-line residual")
    assert "not told apart" in found[0].text


def test_calibrations_of_a_half_are_no_matter_of_single_fibers():
    (one,) = findings(PlantedChange(calibration=1 + 0.5 * MIXED), "fluxcalib")
    assert "not told apart" in one.text
