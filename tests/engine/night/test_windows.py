"""What all fibers keep at some wavelengths: how much of it a continuum of the targets leaves, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.night.others import SharedMean, everywhere
from ifuview.engine.night.search.common import mean_spectrum, of_no_light

COUNT, NOISE, SKY, WIDTH = 2400, 0.7, 95.0, 85.0
WAVE = 5760.0 + 0.8 * np.arange(COUNT)
SMOOTH = np.polynomial.legendre.legvander(np.linspace(-1, 1, COUNT), 2).T
LEVEL = np.full((1, COUNT), SKY)


def mean(height, own, seed, center=6700.0):
    """A mean with a bump in it, without what it may have of its own."""
    values = height * np.exp(-0.5 * ((WAVE - center) / WIDTH) ** 2)
    values = values + NOISE * np.random.default_rng(seed).normal(size=COUNT)
    return SharedMean(values - np.linalg.lstsq(own.T, values, rcond=None)[0] @ own, np.full(COUNT, NOISE), own)


def found(height, seed):
    means = [mean(height, SMOOTH, seed), mean(height, LEVEL, seed + 1)]
    return everywhere(means, np.zeros(COUNT, bool), WAVE, np.full(COUNT, SKY))


def test_a_window_has_its_height_though_a_continuum_takes_a_part():
    runs = [found(0.55, 10 * k) for k in range(10)]
    assert all(len(one) == 1 for one in runs)
    heights = [one[0][0] for one in runs]
    assert np.mean(heights) == pytest.approx(0.8 * 0.55, abs=0.05)  # of a Gaussian, the mean of its best stretch
    for ((_, _, (low, high)),) in runs:
        assert low < 6700 < high


def test_noise_has_no_window():
    assert all(found(0.0, 10 * k) == [] for k in range(20))


def test_what_only_the_targets_have_is_none_of_the_sky():
    means = [mean(0.8, SMOOTH, 1), mean(0.0, LEVEL, 2)]
    assert everywhere(means, np.zeros(COUNT, bool), WAVE, np.full(COUNT, SKY)) == []


def test_what_grows_with_the_light_of_targets_is_none_of_the_sky_and_the_rest_stays():
    random, pixel = np.random.default_rng(4), 14.0
    level = 0.15 * SKY * random.lognormal(0, 1.2, 450)
    own, left = (np.exp(-0.5 * ((WAVE - center) / WIDTH) ** 2) for center in (6200.0, 7000.0))
    flux = 0.05 * level[:, None] * own + 0.5 * left + pixel * random.normal(size=(450, COUNT))
    sigma, use = np.full(COUNT, pixel), np.ones(450, bool)
    height = []
    for weight in (np.ones(450), of_no_light(np.ones(450), level)):
        mean, noise = mean_spectrum(flux, sigma, use, weight)
        height.append([float(np.sum(mean * shape) / np.sum(shape**2)) for shape in (own, left)])
        error = float(np.median(noise)) / np.sqrt(np.sum(left**2))
        assert height[-1][1] == pytest.approx(0.5, abs=4 * error)
    assert height[0][0] == pytest.approx(0.05 * level.mean(), abs=4 * error)
    assert height[1][0] == pytest.approx(0.0, abs=4 * error)
