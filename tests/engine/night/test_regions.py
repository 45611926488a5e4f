"""Weak light on a part of the focal plane: found where it is, and never made by noise, targets or a gradient."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.questions.blocks import IN_FIELD
from ifuview.engine.night.search.bumps.regions import Places, brightest
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.plant import plant_at

FIBERS, BINS, NOISE = 300, 110, 9.0
WAVE = 5760.0 + 0.8 * np.arange(BINS * BIN)
SIGMA = np.full(WAVE.size, NOISE)
AT = WAVE.reshape(-1, BIN).mean(axis=1)
ERROR = NOISE / np.sqrt(BIN)
X = 45.0 + 360.0 * np.random.default_rng(1).permutation(FIBERS) / FIBERS
Y = X * np.random.default_rng(2).uniform(-0.3, 0.3, FIBERS)
FIELD = Places(np.arange(FIBERS) + 100, X, Y, np.zeros((FIBERS, 0)))


def noise(seed):
    return ERROR * np.random.default_rng(seed).normal(size=(FIBERS, BINS))


def light(place, wave, snr):
    """A region and its bump, as strong as an ideal observer's S/N."""
    near = np.exp(-0.5 * ((X - X[place]) ** 2 + (Y - Y[place]) ** 2) / 60.0**2)
    shape = near[:, None] * np.exp(-0.5 * ((AT - wave) / 60.0) ** 2)
    level = snr * ERROR / np.sqrt(np.sum((shape - shape.mean(axis=0)) ** 2))
    return level * shape, level


def test_a_region_at_the_bar_is_found_with_place_wavelength_and_level():
    for seed in range(20):
        random = np.random.default_rng((seed, 5))
        place, wave = int(random.integers(FIBERS)), float(random.uniform(6050, 7250))
        shape, level = light(place, wave, 12.0)
        found = brightest(noise(seed) + shape, SIGMA, WAVE, FIELD)
        assert found is not None
        assert found.score > IN_FIELD
        assert abs(found.wave - wave) < 60
        assert np.hypot(found.center[0] - X[place], found.center[1] - Y[place]) < 60
        assert 0.5 * level < found.level < 1.6 * level
        assert 100 + place in found.fibers


@pytest.mark.parametrize("broad", [0.0, 0.5])
def test_noise_and_broad_targets_make_no_region(broad):
    for seed in range(30):
        random = np.random.default_rng((seed, 6))
        own = noise(seed)
        for fiber in np.flatnonzero(random.random(FIBERS) < broad):
            shape = np.exp(-0.5 * ((AT - random.uniform(5760, 7500)) / random.uniform(20, 120)) ** 2)
            own[fiber] += 90.0 * random.exponential() * shape
        found = brightest(own, SIGMA, WAVE, FIELD)
        assert found is not None
        assert found.score < IN_FIELD


def test_sky_lines_that_are_noisy_hide_no_region():
    """A plain mean of the pixels of a bin has their noise, a weighted one has not."""
    planted = plant_at(camera.made("z", 8301010), table.DEFECTS["lamp on a region"], 12.0, seed=8300010)
    (one,) = desi_qa.run(planted.chain, 1, "z1").findings
    assert (one.kind, one.first_step) == ("wavelength-blocks", "light")
    low, high = planted.truth.wave_range
    assert low < sum(one.wave_range) / 2 < high


def test_a_gradient_over_the_field_is_no_region_where_the_sky_varies():
    plane = np.stack([X - X.mean(), Y - Y.mean()], axis=1)
    rest = noise(3) + 0.02 * plane[:, :1] * np.sin(AT / 60.0)
    whole = brightest(rest, SIGMA, WAVE, FIELD)
    without = brightest(rest, SIGMA, WAVE, Places(FIELD.fiber, X, Y, plane))
    assert whole is not None
    assert without is not None
    assert without.score < IN_FIELD < whole.score


def test_a_lamp_on_a_region_of_a_camera_is_light_at_its_wavelengths():
    planted = plant_at(camera.made("z", 1004), table.DEFECTS["lamp on a region"], 12.0, seed=4)
    (one,) = desi_qa.run(planted.chain, 1, "z1").findings
    assert (one.kind, one.first_step) == ("wavelength-blocks", "light")
    low, high = planted.truth.wave_range
    assert low < sum(one.wave_range) / 2 < high


def test_a_gradient_of_the_sky_lights_no_end_of_the_field():
    """A fifth of it from end to end: taken off with its shape over wavelength, else bins at the ends are clipped."""
    chain = camera.made("z", 97505101, moon=0.2)
    found = desi_qa.run(chain, 1, "z1", desi_qa.Params(("wavelength-blocks", "sky-gradient"))).findings
    assert [f for f in found if f.kind == "wavelength-blocks"] == []
