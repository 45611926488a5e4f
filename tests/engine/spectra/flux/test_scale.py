"""Electrons to flux, and the common grid."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.flux.rectify import rectify, rectify_values
from ifuview.engine.spectra.flux.scale import FLUX_UNIT, FluxScale, per_angstrom, to_flux
from ifuview.errors import UsageError
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra

WAVE = 4000 + 0.5 * np.arange(500) + 1e-4 * np.arange(500) ** 2 + np.array([[0.0], [0.3], [-0.2]])


def _spectra(flux, variance=None):
    spread = np.ones_like(flux) if variance is None else variance
    return FiberSpectra(flux, spread, np.zeros(flux.shape, np.uint32), WAVE)


def test_electrons_become_flux_with_their_error():
    step = np.gradient(WAVE, axis=1)
    throughput = np.array([[1.0], [0.8], [1e-4]])
    response = 2e-10 * (1 + (WAVE - 4000) / 1000)
    light = 900.0 * 5e5 * 0.9 * 4.0
    electrons = 3e-17 * light / response * step * throughput
    spectra = _spectra(electrons, electrons)
    grid = np.linspace(3990, 4300, 800)
    even = per_angstrom(spectra, throughput)
    out = to_flux(even, grid, 2e-10 * (1 + (grid - 4000) / 1000), FluxScale(900.0, 5e5, 0.9, 4.0))
    assert np.allclose(out.flux[:2] * FLUX_UNIT, 3e-17, rtol=1e-4)
    assert np.allclose(out.flux[:2] / np.sqrt(out.variance[:2]), np.sqrt(electrons[:2]), rtol=1e-4)
    assert (out.mask[2] & int(ReductionBit.NO_DATA)).all() and not out.mask[:2].any()
    with pytest.raises(UsageError, match="exposure time"):
        to_flux(even, grid, grid, FluxScale(-1.0, 5e5))
    with pytest.raises(UsageError, match="electron"):
        per_angstrom(even)


def test_lines_keep_their_height_and_place_on_the_grid():
    line = np.exp(-0.5 * ((WAVE - 4100.2) / 0.95) ** 2)
    grid = np.linspace(4001, 4250, 480)
    out = rectify(_spectra(line), grid)
    assert np.abs(out.flux - np.exp(-0.5 * ((grid - 4100.2) / 0.95) ** 2)).max() < 0.01  # a straight line: 0.04
    assert np.allclose(rectify_values(line, WAVE, grid), out.flux)


def test_errors_on_the_grid_are_those_of_the_noise():
    rng = np.random.default_rng(3)
    spread = np.full(WAVE.shape, 4.0)
    grid = np.linspace(4001, 4250, 480)
    pull = [rectify(_spectra(rng.normal(0, 2, WAVE.shape), spread), grid) for _ in range(30)]
    both = np.concatenate([(p.flux / np.sqrt(p.variance)).ravel() for p in pull])
    assert abs(both.std() - 1) < 0.02


def test_masked_samples_do_not_leak():
    flux = np.ones(WAVE.shape)
    flux[1, 100] = 1e6
    mask = np.zeros(WAVE.shape, np.uint32)
    mask[1, 100] = int(ReductionBit.COSMIC)
    grid = np.linspace(3990, 4250, 480)
    out = rectify(FiberSpectra(flux, np.ones_like(flux), mask, WAVE), grid)
    assert np.allclose(out.flux[out.usable()], 1, atol=1e-5)
    assert 1 <= (out.mask[1] & int(ReductionBit.COSMIC) > 0).sum() <= 3
    assert (out.mask[:, 0] & int(ReductionBit.EDGE)).all()
