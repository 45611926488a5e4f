"""Trails are found in the exposure that has them, with all fibers that see them; stars, galaxies and noise are none."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.field.lenslet import Face, Lenslets, moffat_share
from ifuview.engine.spectra.sky.trails import FAINT, find_trails
from ifuview.simulate.het.source import SkyTrail, fiber_points

DITHERS = ((0.0, 0.0), (1.215, -0.70), (1.215, 0.70))
ERROR = 0.01  # of the sky in a fiber
POINTS = fiber_points(1.5, 0.75)
WAVE = np.array([5500.0])


def make_head(seed: int, *, stars: int = 12, exposures: int = 3):
    """Light over the sky, variance, sky, x and y of 20 x 22 fibers, with stars of up to 40 times the sky."""
    rng = np.random.default_rng(seed)
    row, column = (v.ravel() for v in np.mgrid[:22, :20])
    x0, y0 = (column - 9.75 + 0.5 * (row % 2)) * 2.54, (row - 10.5) * 2.2
    x, y = (np.stack([v + d[k] for d in DITHERS[:exposures]]) for k, v in enumerate((x0, y0)))
    light = np.zeros(x.shape)
    for place, level in zip(rng.uniform(-24, 24, (stars, 2)), np.geomspace(0.3, 40, stars), strict=True):
        for n in range(exposures):
            fibers = Lenslets(x[n], y[n], 1.5, Face.CIRCLE)
            light[n] += level * moffat_share(fibers, *(np.array([v]) for v in (*place, 1.8)), 3.5)[0]
    error = ERROR * np.sqrt(1 + light)
    light += error * rng.normal(size=light.shape)
    return light, error**2, np.ones(light.shape), x, y


def of_trail(trail: SkyTrail, x, y):
    return trail.light(x, y, WAVE, *POINTS)[:, 0]


@pytest.mark.parametrize(("level", "angle"), [(2.0, 35.0), (0.25, 118.0), (0.1, 2.0)])
def test_a_trail_is_masked_in_its_exposure_until_nothing_of_it_is_left(level, angle):
    for seed in range(3):
        light, variance, sky, x, y = make_head(seed)
        trail = SkyTrail(3.0 - seed, -5.0 + 2 * seed, angle, level, 1.8)
        own = of_trail(trail, x[1], y[1])
        light[1] += own
        found = find_trails(light, variance, sky, x, y)
        assert [one.exposure for one in found] == [1]
        assert abs((found[0].angle - angle + 90) % 180 - 90) < 2.5
        assert own[~found[0].fibers].max() < 1.5 * FAINT  # of the sky
        assert found[0].fibers.mean() < 0.4


@pytest.mark.parametrize("exposures", [1, 3])
def test_stars_and_noise_are_no_trail(exposures):
    for seed in range(12):
        assert find_trails(*make_head(seed, stars=4 + 4 * seed, exposures=exposures)) == ()


def test_what_all_exposures_show_is_a_galaxy():
    light, variance, sky, x, y = make_head(5)
    for n in range(3):
        light[n] += of_trail(SkyTrail(0.0, 0.0, 60.0, 0.5, 3.0), x[n], y[n])
    assert find_trails(light, variance, sky, x, y) == ()


def test_two_trails_and_lost_fibers():
    light, variance, sky, x, y = make_head(7)
    for n, trail in ((0, SkyTrail(0.0, 3.0, 20.0, 1.0)), (0, SkyTrail(4.0, 0.0, 100.0, 0.6))):
        light[n] += of_trail(trail, x[n], y[n])
    variance[:, :100] = np.inf  # an amplifier that is not used
    found = find_trails(light, variance, sky, x, y)
    assert [one.exposure for one in found] == [0, 0] and sorted(round(one.angle / 20) for one in found) == [1, 5]
    assert find_trails(light, np.full(light.shape, np.inf), sky, x, y) == ()
