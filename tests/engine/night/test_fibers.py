"""Light of fibers that are off their targets: amounts, errors, cosmic rays, amplifiers with light of their own."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.night.fibers import steady_light, target_light
from ifuview.recipes import desi_qa
from tests.engine.night.made import WAVE, camera, in_fibers

SIZE, COUNT = 50, 500


def night(share, rng, amplifier=0.0, offset=0.0):
    """Light of 500 fibers of which block 3 gives a share, its zero is off, and half of the fibers have too much."""
    flux = rng.lognormal(2.0, 0.7, COUNT)
    is_sky = rng.random(COUNT) < 0.1
    is_sky[3 * SIZE] = True
    flux[is_sky] = 0.0
    flux[3 * SIZE : 4 * SIZE] *= share
    flux[3 * SIZE : 4 * SIZE] += offset
    left_out = np.zeros(COUNT, bool)
    if amplifier:
        left_out[250:] = True
        flux[250:] += amplifier
    return flux + rng.normal(0, 0.3, COUNT), is_sky, left_out


@pytest.mark.parametrize("share", [0.05, 0.3, 0.8])
@pytest.mark.parametrize(("amplifier", "offset"), [(0.0, 0.0), (10.0, -6.0)])
def test_the_light_that_is_left_is_right_within_its_error(share, amplifier, offset):
    pulls = []
    for seed in range(40):
        flux, is_sky, left_out = night(share, np.random.default_rng(seed), amplifier, offset)
        light, error = target_light(flux, is_sky, tuple(range(3 * SIZE, 4 * SIZE)), left_out)
        pulls.append((light - share) / error)
    assert abs(np.mean(pulls)) < 3 / np.sqrt(len(pulls))
    assert 0.6 < np.std(pulls) < 1.5


def test_cosmic_rays_are_no_light():
    rng = np.random.default_rng(1)
    sigma = np.full(2000, 5.0)
    flux = rng.normal(2.0, 5.0, (20, 2000)).astype(np.float32)
    flux[7, 300:304] = 4000.0
    light = steady_light(flux, sigma, np.ones(2000, bool))
    assert np.all(np.abs(light - 2.0) < 4 * 5.0 / np.sqrt(2000))


def loss(**fibers):
    """Throughput of 500 fibers, 1 but for those given."""
    out = np.ones(COUNT)
    for name, value in fibers.items():
        out[int(name[1:])] = value
    return out


def without_lines(only=("isolated-fiber",), **given):
    """Fibers and throughputs found in an arm without lines of the sky, and what could not be asked."""
    out = desi_qa.run(camera(lines=0, **given), 1, "b1", desi_qa.Params(only))
    return {f.fibers[0]: f for f in out.findings if f.kind == "isolated-fiber"}, out.not_measured


def test_a_fiber_that_gives_less_than_the_sky_is_found_without_lines():
    found, lacking = without_lines(throughput=loss(f12=0.5, f260=0.25, f401=0.0))
    assert {f: one.detail["dead"] for f, one in found.items()} == {12: False, 260: False, 401: True}
    assert 0.5 <= found[12].amplitude < 0.7
    assert "at most" in found[12].text
    assert [n.missing for n in lacking] == ["three isolated sky lines"]


def test_neither_a_bright_field_nor_a_wrong_sky_model_makes_dead_fibers():
    bright = np.where(camera().is_sky, 0.0, 400.0)[:, None] * np.ones(WAVE.size)  # few fibers see only sky
    assert without_lines(frame=bright)[0] == {}
    assert without_lines(model=60.0 * in_fibers(100, 150))[0] == {}
    assert without_lines(frame=np.where(np.arange(COUNT) < 250, 60.0, 0.0)[:, None] * np.ones(WAVE.size))[0] == {}
