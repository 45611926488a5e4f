"""Lines of a source in a sky that no fiber sees alone."""

from __future__ import annotations

import numpy as np

from ifuview.engine.spectra.sky.emission import emission_in_sky

GRID = np.arange(600.0)


def _line(center, width):
    return np.exp(-0.5 * ((GRID - center) / width) ** 2)


def test_the_line_of_the_source_is_taken_off_and_those_of_the_sky_stay():
    rng = np.random.default_rng(1)
    clean = 1 + 0.0005 * GRID + 5 * _line(150, 2.0) + 3 * _line(450, 2.0)
    source = 2 + 0.5 * np.sin(GRID / 90) + 20 * _line(300, 2.5)
    leak = 0.4 * (_line(298, 2.6) + _line(302.5, 2.6))
    sky = clean + leak + rng.normal(0, 0.01, GRID.size)
    light, windows = emission_in_sky(sky, source + rng.normal(0, 0.05, GRID.size), np.full(GRID.size, 0.05))
    assert len(windows) == 1 and windows[0][0] < 300 < windows[0][1]
    left = sky - light - clean
    assert abs(left[290:311].sum()) < 0.05 * leak.sum() and np.abs(left[290:311]).max() < 0.08
    assert not light[:270].any() and not light[330:].any()


def test_without_lines_nothing_is_taken_off():
    rng = np.random.default_rng(2)
    source = 2 + 0.5 * np.sin(GRID / 90) + rng.normal(0, 0.05, GRID.size)
    light, windows = emission_in_sky(1 + _line(300, 2), source, np.full(GRID.size, 0.05))
    assert not light.any() and not windows
