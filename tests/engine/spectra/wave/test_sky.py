"""A drift between lamp and exposure is measured from the sky within its error, and none invented without sky."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from ifuview.engine.spectra.wave.sky import measure_sky_match, moved, shared_shifts
from ifuview.instrument.tables import Tables
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.model.reduction.tables import WaveCurve
from ifuview.recipes.virus.shot_values import electron_energy
from tests.engine.slit import NCOL, NFIBER, NOISE, Slit

SKY = np.array([5030.5, 5085.7, 5150.2, 5238.7, 5330.0, 5461.6, 5577.3, 5640.2, 5700.5])
GRID = np.linspace(4980, 5790, 4000)  # A


def sky(wave):
    lines = sum((20 + 10 * (n % 3)) * np.exp(-0.5 * ((wave - w) / 1.75) ** 2) for n, w in enumerate(SKY))
    return 30 + lines + 4 * np.sin(wave / 20)


def known(scale=1.0):
    return (WaveCurve(GRID, scale * sky(GRID)),)


def exposure(slit, drift, light=1.0):
    step = np.gradient(slit.wave, axis=1)
    flux = light * sky(slit.wave - drift * step)  # lines at larger columns: the light there is of shorter wavelength
    variance = flux + 5 * NOISE**2
    noisy = flux + slit.rng.normal(0, 1, flux.shape) * np.sqrt(variance)
    noisy[20:23] += 4000.0  # a source
    return FiberSpectra(noisy, variance, np.zeros(flux.shape, np.uint32), slit.wave)


@pytest.mark.parametrize("drift", [-0.2, 0.0, 0.15, 1.1])
def test_drift_is_recovered_from_a_known_sky(drift):
    found = measure_sky_match(exposure(Slit(3), drift), known(7))
    assert found.shift == pytest.approx(drift, abs=2.5 * found.error)
    assert found.applied == pytest.approx(drift, abs=max(2 * found.error, 0.02)) and abs(found.applied) <= abs(
        found.shift
    )
    assert found.error < 0.05  # photons of 30 fibers, and what is known of the sky itself


def test_the_solution_is_moved_with_the_error():
    slit = Slit(4)
    step = np.gradient(slit.wave, axis=1)
    nothing = np.zeros((NFIBER, 0))
    solution = WaveSolution(
        slit.wave, np.full(slit.wave.shape, 0.001, np.float32), np.zeros(0), nothing, nothing, nothing.astype(bool),
        np.full((NFIBER, NCOL), 1.75, np.float32),
    )  # fmt: skip
    found = measure_sky_match(exposure(slit, 0.5), known())
    better = moved(solution, found)
    assert np.abs(better.wave - (slit.wave - 0.5 * step)).max() < 0.1
    assert (better.error >= found.error * np.abs(step) * 0.999).all() and found.notes[0] in better.notes


def test_no_sky_says_so():
    slit = Slit(5)
    dark = exposure(slit, 0.0, light=0.0)
    found = measure_sky_match(dark, known())
    assert np.isnan(found.shift) and found.applied == 0 and "stay" in found.notes[0]


@pytest.mark.parametrize("moon", ["dark", "grey", "bright", "half"])
@pytest.mark.parametrize("drift", [0.0, -0.04])
def test_a_sky_of_any_moon_and_resolution_has_no_shift_of_its_own(moon, drift):
    tables, rng = Tables("virus"), np.random.default_rng(3)
    skies = tables.counted_skies("047L", electron_energy(tables.throughput()[0]))
    names = {"half": (0.5, 0.5, 0.0)}
    share = names.get(moon, tuple(float(moon == one) for one in ("dark", "grey", "bright")))
    own = sum(s * one.value / np.median(one.value) for s, one in zip(share, skies, strict=True))
    fine = np.arange(skies[0].wave[0], skies[0].wave[-1], 0.5)
    seen = gaussian_filter1d(np.interp(fine, skies[0].wave, own), 2.4 / 0.5)  # by a detector of less resolution
    wave = np.linspace(3472, 3484, 160)[:, None] + np.linspace(0, 2062, 1032)
    light = 500 * np.interp(wave - drift * np.gradient(wave, axis=1), fine, seen) * np.linspace(0.9, 1.1, 160)[:, None]
    variance = light + 30.0
    noisy = light + rng.normal(0, 1, light.shape) * np.sqrt(variance)
    found = measure_sky_match(FiberSpectra(noisy, variance, np.zeros(light.shape, np.uint32), wave), skies)
    assert found.shift == pytest.approx(drift, abs=0.012)  # photons: 0.004; and the mixture
    assert found.applied == pytest.approx(drift, abs=0.012)


def test_exposures_that_agree_share_their_shift_and_others_keep_theirs():
    rng = np.random.default_rng(4)
    one = measure_sky_match(exposure(Slit(3), 0.0), known())

    def those(shifts, error=0.02):
        noisy = shifts + rng.normal(0, error, len(shifts))
        return shared_shifts([replace(one, shift=float(s), error=np.hypot(error, 0.01), common=0.01) for s in noisy])

    same = those(np.full(12, 0.06))
    assert np.std([s.shift for s in same]) < 0.01 and same[0].error < 0.015
    apart = those(np.repeat([0.06, -0.3], 6))
    assert [s.shift for s in apart] == pytest.approx(np.repeat([0.06, -0.3], 6), abs=0.06)
    lost = shared_shifts([*same[:3], replace(one, shift=np.nan, error=np.nan)])
    assert lost[-1].shift == pytest.approx(np.mean([s.shift for s in same[:3]]), abs=0.01)
