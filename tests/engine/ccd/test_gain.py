"""The gain of an amplifier out of its photon noise: fibers, lines and uneven pixels are no noise."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.ccd.gain import photon_gain

SHAPE = (220, 1032)
NOISE = 2.5  # electrons


def exposures(gain: float, levels: tuple[float, ...], seed: int) -> list[np.ndarray]:
    """Fibers with lines and particles, ADU; traces move and light changes from one exposure to the next."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    response = 1 + 0.008 * rng.standard_normal(SHAPE)
    spectrum = 1 + 0.4 * np.sin(x / 90) - 0.3 * np.exp(-0.5 * ((x - 400) / 2.5) ** 2)
    out = []
    for n, level in enumerate(levels):
        shape = np.exp(-0.5 * ((((y - 0.003 * x - 0.05 * n) % 9) - 4.5) / 1.5) ** 2) + 0.05
        light = rng.poisson(level * shape * spectrum * response).astype(float)
        at = rng.integers(0, SHAPE[0], 60), rng.integers(0, SHAPE[1], 60)
        light[at] += 800.0
        out.append(np.rint((light + NOISE * rng.standard_normal(SHAPE)) / gain).astype(np.float32))
    return out


@pytest.mark.parametrize("gain", [0.45, 1.1, 2.2])
def test_the_gain_is_that_of_the_photons(gain):
    found, error = photon_gain(exposures(gain, (60.0, 55.0, 64.0), 1))
    assert abs(found - gain) < 3 * error and error < 0.04 * gain
    found, error = photon_gain(exposures(gain, (60.0,), 2))  # lines and uneven pixels remain in one
    assert abs(found - gain) < 3 * error and error < 0.08 * gain


def test_without_light_the_gain_is_not_known():
    dark = np.random.default_rng(3).standard_normal((2, *SHAPE)).astype(np.float32) * 2.0
    assert np.isnan(photon_gain(list(dark))).all()
    assert np.isnan(photon_gain([np.zeros(SHAPE, np.float32)])).all()
    assert np.isnan(photon_gain([])).all()
