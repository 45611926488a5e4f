"""Light that fills the field: the sky below it is told by its profile, and how well."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.field.extended import fit_extended, with_seeing
from ifuview.engine.spectra.field.lenslet import Lenslets
from ifuview.simulate.het.source import SkySource, catch, fiber_points

PITCH, NOISE = 0.59, 0.003
ROW, COLUMN = np.divmod(np.arange(280), 22)
X, Y = PITCH * (COLUMN - 10.5 + 0.5 * (ROW % 2)), PITCH * (ROW - 6)
STEADY = np.stack([np.linspace(6000, 9000, 8), np.zeros(8), np.zeros(8)])  # no refraction


def _light(scale, fwhm, ratio, peak, arms=0.0):
    source = SkySource(0.3, -0.2, fwhm, 1.0, scale=scale, ratio=ratio, reference=7400.0)
    light = catch(source, X, Y, STEADY, np.linspace(7300, 7500, 24), *fiber_points(PITCH)).light.mean(axis=1)
    turn = 3 * np.arctan2(Y + 0.2, X - 0.3) + 2 * np.hypot(X - 0.3, Y + 0.2)
    noise = np.random.default_rng(4).normal(0, NOISE, X.size)
    return peak * light / light.max() * (1 + arms * np.sin(turn)) + 1 + 0.003 * X + noise


@pytest.mark.parametrize(("scale", "fwhm", "ratio", "peak"), [(4, 1.4, 0.6, 4), (5, 1.4, 0.6, 8), (3, 2.2, 0.4, 4)])
def test_the_sky_below_a_disk_is_right_to_a_percent(scale, fwhm, ratio, peak):
    """With a core in place of the seeing it is up to 7 % too bright; the noise alone does 0.2 to 0.5 %."""
    level, error, lenslets = _light(scale, fwhm, ratio, peak), np.full(X.size, NOISE), Lenslets(X, Y, PITCH)
    found = with_seeing(fit_extended(level, error, lenslets), level, error, lenslets)
    assert abs(found.constant - 1) < 0.0125 and found.core == pytest.approx(fwhm, abs=0.15)
    assert np.hypot(found.x - 0.3, found.y + 0.2) < 0.02 and found.axis_ratio == pytest.approx(ratio, abs=0.03)
    assert found.doubt < 0.05


def test_a_galaxy_unlike_its_profile_says_how_little_the_sky_below_is_known():
    level, error, lenslets = _light(4, 1.4, 0.6, 4, arms=0.08), np.full(X.size, NOISE), Lenslets(X, Y, PITCH)
    found = with_seeing(fit_extended(level, error, lenslets), level, error, lenslets)
    assert abs(found.constant - 1) < 3 * found.constant_error and found.constant_error > 0.01
