"""What one fiber has by itself, and what all flats have alike: noise, lines of an object, ripples."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.night.search.bumps.peaks import peaks
from ifuview.engine.night.search.noise import bends, fiber_noise
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.fibers import gaussian, rows, sky_of
from ifuview.simulate.defects.plant import PlantedChange, changed, plant

LINES = (250, 700, 1100)


@pytest.fixture(scope="module")
def red():
    return camera.made("r", 41)


def findings(chain, *only):
    return desi_qa.run(chain, 1, "r1", desi_qa.Params(only)).findings


def test_the_noise_of_each_fiber_is_measured_within_its_error():
    random = np.random.default_rng(3)
    true = random.uniform(1, 2, 300)
    flux = 5.0 * true[:, None] * random.normal(size=(300, 2400)) + 40 * np.sin(np.arange(2400) / 200)
    flux[:, 50::400] += 500  # hits
    value, error = fiber_noise(bends(flux, np.full(flux.shape, 5.0), np.ones(flux.shape, bool)))
    pull = (value / true - 1) / error
    assert np.std(pull) == pytest.approx(1.0, abs=0.15)
    assert abs(np.mean(pull)) < 0.5  # a few hits lift a median a little


def test_a_fiber_that_is_noisier_than_its_ivar_says_is_named_alone(red):
    fiber, random = 231, np.random.default_rng(4)
    sigma = np.where(red.sframe_ivar > 0, np.maximum(red.sframe_ivar, 1e-9) ** -0.5, 0.0)
    extra = np.sqrt(1.5**2 - 1) * sigma * random.normal(size=sigma.shape)
    (one,) = findings(changed(red, PlantedChange(light=rows(red, fiber) * extra)))
    assert (one.kind, one.first_step, one.fibers) == ("isolated-fiber", "preproc", (fiber,))
    assert one.amplitude == pytest.approx(1.5, abs=0.2)  # three errors


def test_a_noisy_amplifier_makes_no_noisy_fibers(red):
    planted = plant(red, table.DEFECTS["amplifier noise"], 0.3, seed=2)
    assert {f.kind for f in findings(planted.chain)} == {"amplifier-noise"}


@pytest.mark.parametrize("kind", ["lines", "hits", "in two fibers", "on lines of the sky"])
def test_peaks_are_lines_of_one_fiber(kind):
    random = np.random.default_rng(5)
    value, free = random.normal(size=(40, 1400)).astype(np.float32), np.ones(1400, bool)
    pixel = np.arange(1400)
    for at in LINES:
        value[7] += 14 * (pixel == at) if kind == "hits" else 6 * np.exp(-0.5 * ((pixel - at) / 1.5) ** 2)
        if kind == "in two fibers":
            value[20, at - 2 : at + 3] += 6
        if kind == "on lines of the sky":
            free[at - 6 : at + 7] = False
    found = peaks(value, np.ones(value.shape, np.float32), free)
    assert [len(one) for k, one in enumerate(found) if k != 7] == [0] * 39
    assert [at for at, _ in found[7]] == (pytest.approx(LINES, abs=1) if kind == "lines" else [])


def test_an_object_with_lines_in_a_sky_fiber_is_named_and_makes_no_window_of_all(red):
    fiber, sigma = int(np.flatnonzero(red.is_sky)[20]), float(np.median(red.sframe_ivar)) ** -0.5
    light = sum(8 * sigma * gaussian(red, wave, 2.0) for wave in (6069.0, 6831.0, 7209.0))
    (one,) = findings(changed(red, PlantedChange(light=rows(red, fiber) * light)))
    assert (one.kind, one.first_step, one.fibers) == ("isolated-fiber", "light", (fiber,))


@pytest.mark.parametrize(("period", "part"), [(60.0, 1.0), (150.0, 1.0), (150.0, 0.5)])
def test_a_ripple_of_all_flats_is_of_the_flat(red, period, part):
    """The sky model is made with the same flat: sky fibers show nothing. Half of the flats are no matter of all."""
    some = (np.arange(red.shape[0]) < part * red.shape[0])[:, None]
    flat = 1 + 0.02 * some * np.sin(2 * np.pi * red.wave / period)
    found = findings(changed(red, PlantedChange(flat=flat, model=sky_of(red) * (1 / flat - 1))), "wavelength-all")
    assert sum(f.first_step == "fiberflat" for f in found) == (part == 1.0)
    assert part < 1.0 or len(found) == 1
