"""Components of what the sky model leaves; the spline's algebra; the choice of fibers."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.sky.components import find_components, fit_components
from ifuview.engine.spectra.sky.fibers import half_sample_mode
from ifuview.engine.spectra.sky.spline import Samples, fit_common
from ifuview.engine.spectra.sky.surface import fit_surface
from ifuview.errors import FitError

X = np.linspace(0, 1, 200)
SHAPES = np.stack([np.sin(40 * X), np.exp(-0.5 * ((X - 0.4) / 0.02) ** 2)])


def test_components_take_off_what_fibers_have_in_common():
    rng = np.random.default_rng(1)
    amplitude = rng.normal(0, [[3.0, 5.0]], (60, 2))
    truth = amplitude @ SHAPES
    value = truth + rng.normal(0, 0.3, truth.shape)
    weight = np.full(truth.shape, 1 / 0.09)
    value[5, 20:40], weight[5, 20:40] = 1e3, 0
    found = find_components(value[:40], weight[:40], 2)
    assert np.allclose(found.spectra @ found.spectra.T, np.eye(2), atol=1e-9)
    left = value[40:] - fit_components(value[40:], weight[40:], found)
    assert left.std() < 0.32 and truth[40:].std() > 2
    assert found.explained.sum() > 0.9 and found.explained[0] > found.explained[1]
    with pytest.raises(FitError, match="too few"):
        find_components(value[:5], weight[:5], 2)


def test_two_terms_are_told_apart_with_honest_errors():
    rng = np.random.default_rng(4)
    wave = 100 + np.arange(120.0) + rng.uniform(0, 1, (50, 1))
    share = np.stack([np.ones(wave.shape), np.broadcast_to(np.linspace(0, 1, 50)[:, None] ** 2, wave.shape)])
    first, second = 5 + np.sin(wave / 6), 2 + np.cos(wave / 9)
    pulls = []
    for _ in range(6):
        noise = rng.normal(0, 0.5, wave.shape)
        samples = Samples(wave, share.astype(np.float32), np.zeros(wave.shape, np.float32))
        value = (first + share[1] * second + noise).astype(np.float32)
        fit = fit_common(samples, value, np.full(wave.shape, 4, np.float32), 1.5)
        at = np.arange(110.0, 210.0, 4.0)
        for term, truth in ((0, 5 + np.sin(at / 6)), (1, 2 + np.cos(at / 9))):
            got, variance = fit.at(at, term)
            pulls.append((got - truth) / np.sqrt(variance))
    assert abs(np.std(pulls) - 1) < 0.12


def test_mode_is_that_of_the_many():
    rng = np.random.default_rng(2)
    values = np.sort(np.append(rng.normal(10, 0.1, 60), rng.uniform(10, 40, 60)))
    assert abs(half_sample_mode(values) - 10) < 0.15


def test_response_of_single_fibers_is_shrunk_by_its_error():
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-6, 6, (2, 300))
    own = 1 + rng.normal(0, 0.004, 300)
    for error in (0.001, 0.02):
        factor = (1 + 0.003 * x - 0.002 * y) * own + rng.normal(0, error, 300)
        fit = fit_surface(x, y, factor, np.full(300, error), np.ones(300, bool))
        truth = 1 + 0.003 * x - 0.002 * y
        assert fit.degree == 1
        assert np.abs(fit.value - truth / truth.mean()).max() < 5 * np.hypot(error, 0.004) / np.sqrt(300) * 2
        assert np.std(fit.fiber - own) < (0.0012 if error < 0.01 else 0.0045)
