"""Spikes are found, lines are kept."""

from __future__ import annotations

import numpy as np

from ifuview.engine.spectra.flux.spikes import find_spikes
from ifuview.model.reduction.spectra import FiberSpectra


def test_spikes_are_found_and_lines_of_the_line_spread_are_not() -> None:
    rng = np.random.default_rng(1)
    column = np.arange(600.0)
    flux = 50 + 20 * np.sin(column / 30) + rng.normal(size=(200, 600))
    flux[:100] += 30 * np.exp(-0.5 * ((column - 300.3) / 1.2) ** 2)
    spike = rng.integers(20, 580, 100)
    flux[np.arange(100, 200), spike] += 12
    spectra = FiberSpectra(flux, np.ones(flux.shape), np.zeros(flux.shape, np.uint32), column)
    found = find_spikes(spectra)
    assert found[np.arange(100, 200), spike].mean() > 0.95
    assert not found[:100, 290:311].any()
    assert found.sum() < 100 + 4  # of 120 000 samples
