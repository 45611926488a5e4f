"""Runs that lose light, by lines, sky fibers, targets that lie below zero, and the flat together."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.night.search.losses import ToldLight, lost_runs, measured, of_light, score_of, with_flat

COUNT, BUNDLE = 500, 25
LINES, LEVEL, FLAT = 0.09, 0.007, 0.055  # noise of the lines of a blue camera, of a level; scatter of the flats


def light(seed, first=0, last=0, gain=0.0, sky=0.1):
    """Fibers of a blue camera, some of which have another part of their light; targets are like galaxies."""
    random = np.random.default_rng(seed)
    empty = random.random(COUNT) < sky
    own = np.where(empty, 0.0, 0.12 * random.lognormal(0, 1.2, COUNT))
    part = np.zeros(COUNT)
    part[first:last] = gain
    level = own + part * (1 + own) + LEVEL * random.normal(size=COUNT)
    lines = part + LINES * random.normal(size=COUNT)
    flat = FLAT * random.normal(size=COUNT) - part
    return ToldLight(lines, np.full(COUNT, LINES), level, np.full(COUNT, LEVEL), empty), flat


@pytest.mark.parametrize("sky", [0.0, 0.1])
def test_nothing_is_found_where_nothing_is_lost(sky):
    for seed in range(30):
        of, flat = light(seed, sky=sky)
        assert lost_runs(of_light(of), BUNDLE) == []
        assert lost_runs(with_flat(of_light(of), flat, FLAT), BUNDLE) == []


def test_targets_below_zero_tell_a_run_without_sky_fibers():
    made = [light(seed, 250, 300, -0.05, sky=0.0)[0] for seed in range(20)]
    found = [(of, lost_runs(of_light(of), BUNDLE)) for of in made]
    right = [bool(runs) and (runs[0].first, runs[0].last) == (250, 300) for _, runs in found]
    assert sum(right) >= 18  # 8 sigma in the mean; the lines alone have 3.9
    values = [measured(of, runs[0]).value for of, runs in found if runs]
    assert np.mean(values) == pytest.approx(-0.05, abs=0.01)  # three errors of 0.013, of 20 runs


def test_a_dark_target_alone_makes_no_run():
    of, _ = light(3)
    of.level[100] = -0.08
    assert lost_runs(of_light(of), BUNDLE) == []


def test_two_dark_targets_of_one_bundle_make_no_run():
    """As a cold column through both of them makes them; the others keep their light."""
    made = [light(seed, sky=0.05)[0] for seed in range(20)]
    for of in made:
        of.level[[271, 272]] = -0.12, -0.06
    assert sum(bool(lost_runs(of_light(of), BUNDLE)) for of in made) <= 4  # by chance the others agree in a tenth


def test_one_fiber_with_a_wrong_flat_makes_no_run():
    of, flat = light(5)
    of.lines[120], of.level[120], flat[120] = -0.5, -0.4, 0.6
    assert lost_runs(with_flat(of_light(of), flat, FLAT), BUNDLE) == []


def test_a_run_that_gains_light_has_no_dark_targets():
    of, _ = light(7, 100, 150, 0.05)
    (one,) = lost_runs(of_light(of), BUNDLE)
    assert (one.first, one.last) == (100, 150)
    assert measured(of, one).value == pytest.approx(0.05, abs=0.012)


def test_a_wrong_flat_speaks_for_the_light_that_it_explains():
    gains = []
    for seed in range(20):
        of, flat = light(seed, 200, 225, -0.045)
        own = of_light(of)
        gains.append(score_of(with_flat(own, flat, FLAT), 200, 225) ** 2 - score_of(own, 200, 225) ** 2)
    assert np.mean(gains) > 12  # 0.045 is 4.1 sigma of the mean of 25 flats: 17, and none for a loss of the light
