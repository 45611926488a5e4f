"""Surfaces through lines with a wide gap between them: no bend that is not called for, and the bends that are."""

import numpy as np
import pytest
from numpy.polynomial.legendre import legval

from ifuview.engine.spectra.wave.shape import DEGREE, WaveShape
from ifuview.engine.spectra.wave.surface import LIST_ERROR, WaveSurface, fit_wave_surface

COLUMN = np.array([29, 39, 57, 831, 894, 1454, 1703, 1832, 1902, 1924, 1964]) * 2 / 2063 - 1  # of a blue arm
ERROR = np.array([2, 4, 4, 0.5, 2, 0.3, 9, 7, 15, 9, 7]) / 1000  # px, of the mean of a line over the fibers
NFIBER = 24
WIDTH = np.array([np.inf, np.inf, 0.03, 0.04, 0.03, 0.02])


def surface(bend: float, seed: int) -> WaveSurface:
    """Of lines whose wavelengths are wrong by the list's error, with a bend of degree 4 in px."""
    rng = np.random.default_rng(seed)
    u = np.tile(COLUMN, (NFIBER, 1))
    value = bend * legval(u, [0, 0, 0, 0, 1]) + rng.normal(size=COLUMN.size) * LIST_ERROR
    error = np.tile(ERROR * np.sqrt(NFIBER), (NFIBER, 1))
    shape = WaveShape(np.polynomial.Polynomial([4100.0, 480.0]), WIDTH, 0.05)
    return fit_wave_surface(u, np.linspace(-1, 1, NFIBER), value + rng.normal(size=u.shape) * error, error, shape)


def test_chance_bends_no_wavelengths_where_lines_are_far_apart():
    found = [surface(0.0, seed) for seed in range(60)]
    higher = np.mean([one.degree > DEGREE for one in found])
    assert higher < 0.15  # some 2 % by chance for each of two degrees (chi2 beyond 4 + log 11), 38 % without margin
    gap = np.linspace(-0.9, -0.3, 20)
    off = np.array([one.grid(gap, np.zeros(1))[0] for one in found])
    assert np.sqrt(np.mean(off**2)) < 0.009  # px: 0.007 of the noise of lines and list, 0.014 without that margin


@pytest.mark.parametrize("bend", [-0.15, 0.15])
def test_a_bend_that_the_lines_show_is_followed(bend):
    along = np.linspace(-1, 1, 50)
    found = [surface(bend, seed) for seed in range(5)]
    assert all(one.degree > DEGREE for one in found)
    off = [one.grid(along, np.zeros(1))[0] - bend * legval(along, [0, 0, 0, 0, 1]) for one in found]
    assert np.sqrt(np.mean(np.square(off))) < 0.035  # px: noise of a fit of degree 4 across the gap; 0.05 without it
