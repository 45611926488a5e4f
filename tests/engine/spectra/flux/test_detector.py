"""Wavelength and fiber of each pixel."""

from __future__ import annotations

import numpy as np

from ifuview.engine.spectra.flux.detector import fiber_image, wave_image

COLUMN = np.arange(60.0)
CENTER = 5.3 + 6.8 * np.arange(8.0)[:, None] + 0.02 * COLUMN
WAVE = 4000 + 0.5 * COLUMN + 0.03 * CENTER


def test_wavelengths_between_traces_and_beyond():
    center, wave = CENTER.copy(), WAVE.copy()
    center[3] = np.nan
    truth = 4000 + 0.5 * COLUMN + 0.03 * np.arange(64.0)[:, None]
    assert np.abs(wave_image(center, wave, 64) - truth).max() < 1e-3
    assert not wave_image(np.full((8, 60), np.nan), wave, 64).any()


def test_fibers_lie_on_four_rows():
    center = CENTER.copy()
    center[3] = np.nan
    found = fiber_image(center, 64)
    assert set(np.unique(found)) == {0, 1, 2, 3, 5, 6, 7, 8}
    rows = np.flatnonzero(found[:, 10] == 2)
    assert rows.tolist() == [int(np.floor(center[1, 10])) + d for d in (-1, 0, 1, 2)]
