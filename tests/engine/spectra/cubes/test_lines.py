"""Gaussians that were put into a cube, found again with true errors."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.cubes.lines import line_maps
from tests.engine.spectra.cubes.test_ranges import NW, NX, NY, WAVE, parts, sky_of_lines

WINDOW, SIDES = (5160.0, 5240.0), ((5090.0, 5140.0), (5260.0, 5310.0))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("falling", [True, False])
def test_lines_are_found_with_true_errors(known, falling):
    rng = np.random.default_rng(5)
    noise = 0.4
    flux, center = sky_of_lines(rng, noise)
    ivar = np.full(flux.shape, noise**-2, np.float32) if known else None
    flux[120:123, 3, 4] = np.nan
    step = -1 if falling else 1
    cube = parts(np.ascontiguousarray(flux[::step]), ivar)
    found = line_maps(cube, WAVE[::step], WINDOW, SIDES)
    assert [m.name for m in found] == ["line flux", "line center", "line sigma", "continuum"]
    for image, truth in zip(found, (400.0, center, 8.0, 3.0)):
        pull = (image.flux - truth) * np.sqrt(image.ivar)
        assert np.std(pull) == pytest.approx(1, abs=0.25), image.name  # 143 spaxels: 6 %
        assert abs(np.mean(pull)) < 0.35, image.name


def test_no_line_gives_no_center():
    rng = np.random.default_rng(6)
    flux = rng.normal(5, 1, (NW, NY, NX)).astype(np.float32)
    found = line_maps(parts(flux, np.ones(flux.shape, np.float32)), WAVE, WINDOW)
    assert np.mean(np.isnan(found[1].flux)) > 0.8  # the best of many places and widths may reach 3 sigma
    flux[:, 0, 0] = np.nan
    assert np.isnan(line_maps(parts(flux), WAVE, WINDOW)[0].flux[0, 0])
