"""A drift between lamp and exposure is measured from the sky within its error, and none invented without sky."""

import numpy as np
import pytest

from ifuview.engine.spectra.wave.sky import measure_sky_match, moved
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from tests.engine.slit import NCOL, NFIBER, NOISE, Slit

SKY = np.array([5030.5, 5085.7, 5150.2, 5238.7, 5330.0, 5461.6, 5577.3, 5640.2, 5700.5])
GRID = np.linspace(4980, 5790, 4000)  # A


def sky(wave):
    lines = sum((20 + 10 * (n % 3)) * np.exp(-0.5 * ((wave - w) / 1.75) ** 2) for n, w in enumerate(SKY))
    return 30 + lines + 4 * np.sin(wave / 20)


def exposure(slit, drift, light=1.0):
    step = np.gradient(slit.wave, axis=1)
    flux = light * sky(slit.wave - drift * step)  # lines at larger columns: the light there is of shorter wavelength
    variance = flux + 5 * NOISE**2
    noisy = flux + slit.rng.normal(0, 1, flux.shape) * np.sqrt(variance)
    noisy[20:23] += 4000.0  # a source
    return FiberSpectra(noisy, variance, np.zeros(flux.shape, np.uint32), slit.wave)


@pytest.mark.parametrize("drift", [-0.2, 0.0, 0.15, 1.1])
def test_drift_is_recovered_from_a_known_sky(drift):
    found = measure_sky_match(exposure(Slit(3), drift), GRID, 7 * sky(GRID))
    assert found.shift == pytest.approx(drift, abs=min(4 * found.error, 0.05))
    assert found.sure == (abs(drift) > 0.1)
    assert found.error < 0.05  # photons of 30 fibers, and what is known of the sky itself


def test_the_solution_is_moved_with_the_error():
    slit = Slit(4)
    step = np.gradient(slit.wave, axis=1)
    nothing = np.zeros((NFIBER, 0))
    solution = WaveSolution(
        slit.wave, np.full(slit.wave.shape, 0.001, np.float32), np.zeros(0), nothing, nothing, nothing.astype(bool),
        np.full((NFIBER, NCOL), 1.75, np.float32),
    )  # fmt: skip
    found = measure_sky_match(exposure(slit, 0.5), GRID, sky(GRID))
    better = moved(solution, found)
    assert np.abs(better.wave - (slit.wave - 0.5 * step)).max() < 0.05
    assert (better.error >= found.error * np.abs(step) * 0.999).all() and found.notes[0] in better.notes


def test_no_sky_says_so():
    slit = Slit(5)
    dark = exposure(slit, 0.0, light=0.0)
    found = measure_sky_match(dark, GRID, sky(GRID))
    assert np.isnan(found.shift) and not found.sure and "stay" in found.notes[0]
