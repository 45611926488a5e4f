"""What all fibers keep at some wavelengths: how much of it a continuum of the targets leaves, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.night.others import SharedMean, everywhere

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
