import numpy as np

from ifuview.engine.traces.peaks import find_peaks
from ifuview.simulate.detector.render import render


def section(flux, at, nrow=300, noise=1.0):
    center = np.asarray(at, float)[:, None]
    light = render(center, np.full_like(center, 1.2), np.asarray(flux, float)[:, None], nrow)[:, 0]
    return light + np.random.default_rng(1).normal(0, noise, nrow)


def test_peaks_are_found_at_their_rows():
    at = np.arange(10, 290, 7.5)
    found = find_peaks(section(np.full(at.size, 500.0), at), 1.0)
    assert found.size == at.size and np.abs(found - at).max() < 0.2


def test_a_fiber_of_a_fifth_of_the_light_is_found_and_noise_is_not():
    at = np.arange(10, 290, 7.5)
    flux = np.full(at.size, 500.0)
    flux[12] = 100.0
    assert find_peaks(section(flux, at), 1.0).size == at.size
    assert find_peaks(np.random.default_rng(2).normal(0, 1, 1000), 1.0).size == 0


def test_the_level_follows_the_illumination():
    at = np.arange(10, 290, 7.5)
    flux = np.linspace(500, 5000, at.size)
    assert find_peaks(section(flux, at), 1.0).size == at.size


def test_a_pedestal_does_not_matter():
    at = np.arange(10, 290, 7.5)
    assert find_peaks(section(np.full(at.size, 500.0), at) + 300.0, 1.0).size == at.size
