"""Response of a standard star, the atmosphere's lines, and spectra put together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.spectra.flux.combine import combine_spectra
from ifuview.engine.spectra.flux.response import fit_response, fit_strength, without_absorption
from ifuview.errors import FitError, UsageError
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.source import SourceSpectrum

WAVE = np.linspace(4600, 7000, 2064)
STAR = 1e5 * (WAVE / 5500) ** -2.5 * (1 - 0.4 * np.exp(-0.5 * ((WAVE - 4861) / 6) ** 2))
TRUE = 2e-10 * np.exp(0.5 * ((WAVE - 5600) / 1000) ** 2 + 0.1 * np.sin(WAVE / 300))
OXYGEN = 1 - 0.7 * np.exp(-0.5 * ((WAVE - 6880) / 12) ** 2) * (0.6 + 0.4 * np.cos(WAVE / 2))


def test_the_response_is_recovered_within_its_error():
    rng = np.random.default_rng(2)
    electrons = STAR * OXYGEN / TRUE * 1e-12
    variance = (0.01 * electrons) ** 2
    measured = electrons + rng.normal(0, 1, WAVE.size) * np.sqrt(variance)
    fit = fit_response(WAVE, measured, variance, STAR * 1e-12, transmission=OXYGEN)
    off = fit.response / TRUE - 1
    assert np.abs(off[100:-100]).max() < 0.006  # 1 % a sample, 16 to a point, eight terms
    assert np.std(off) < 4 * np.median(fit.error / fit.response)
    assert not fit.used[OXYGEN < 0.9].any()
    with pytest.raises(FitError, match="standard star"):
        fit_response(WAVE, measured, variance * 0, STAR)


@pytest.mark.parametrize("strength", [0.6, 1.0, 1.7])
def test_strength_of_the_atmosphere_is_measured(strength):
    rng = np.random.default_rng(3)
    flux = 50 * (WAVE / 5500) ** -1 * OXYGEN**strength
    found, error = fit_strength(WAVE, flux + rng.normal(0, 0.5, WAVE.size), np.full(WAVE.size, 0.25), OXYGEN)
    assert abs(found - strength) < max(4 * error, 0.02)
    assert fit_strength(WAVE, flux, flux, np.ones(WAVE.size)) == (1.0, np.inf)


def test_absorption_of_the_atmosphere_is_taken_off_with_its_errors():
    true, noise = 50 * (WAVE / 5500) ** -1, 0.5
    deep = np.where(np.abs(WAVE - 6880) < 2, 0.001, OXYGEN)
    flux = true * np.clip(deep, 0.02, 1) ** 1.3 + np.random.default_rng(4).normal(0, noise, WAVE.size)
    seen = SourceSpectrum(
        WAVE, flux, np.full(WAVE.size, noise**2), 0 * WAVE, 0 * WAVE, np.zeros(WAVE.size, np.uint32), np.ones(WAVE.size)
    )
    done, power = without_absorption(seen, deep)
    assert power == pytest.approx(1.3, abs=0.03) and f"{power:.2f} times" in done.method
    good = done.variance > 0
    pull = ((done.flux - true) / np.sqrt(np.where(good, done.variance, 1)))[good]
    assert 0.9 < pull.std() < 1.15 and not good[np.abs(WAVE - 6880) < 2].any()
    assert (done.mask[np.abs(WAVE - 6890) < 3] & int(ReductionBit.TELLURIC)).all()


def _spectrum(wave, level, noise, seed, gap=None):
    rng = np.random.default_rng(seed)
    light = 3e-17 * (1 + 0.3 * np.sin(wave / 200) + 2 * np.exp(-0.5 * ((wave - 5007) / 3) ** 2))
    flux = light * level + rng.normal(0, noise, wave.size)
    variance = np.full(wave.size, noise**2)
    if gap is not None:
        flux[gap], variance[gap] = 9e-15, 0.0
    mask = np.zeros(wave.size, np.uint32)
    return SourceSpectrum(wave, flux, variance, light * 0 + 1e-17, variance, mask, np.ones(wave.size))


GRID = np.arange(3700, 6900, 0.7)
BLUE, RED = np.linspace(3640, 4645, 2064), np.linspace(4600, 6950, 2064)


def _truth(grid):
    return 3e-17 * (1 + 0.3 * np.sin(grid / 200) + 2 * np.exp(-0.5 * ((grid - 5007) / 3) ** 2))


def test_borders_are_matched_and_the_reference_keeps_its_flux():
    noise = 2e-18
    given = [
        _spectrum(BLUE, 1.0, noise, 1),
        _spectrum(RED, 0.93, noise, 2, slice(300, 320)),
        _spectrum(RED, 1.05, noise, 3),
    ]
    done = combine_spectra(given, GRID)
    assert done.factor[0] == 1.0
    for factor, error, level in zip(done.factor[1:], done.factor_error[1:], (0.93, 1.05)):
        assert abs(factor * level - 1) < max(4 * error, 0.003)
        assert error < 0.03
    ratio = done.spectrum.flux / _truth(GRID)
    step = np.median(ratio[(GRID > 4650) & (GRID < 4800)]) / np.median(ratio[(GRID > 4450) & (GRID < 4600)])
    assert abs(step - 1) < 0.01
    assert set(done.count) == {1, 2, 3} - ({3} if done.count.max() < 3 else set())
    plain = combine_spectra(given[:2], GRID, match=False)
    assert plain.factor == (1.0, 1.0)


def test_noise_of_the_mean_is_what_its_error_says():
    noise = 2e-18
    done = combine_spectra([_spectrum(RED, 1.0, noise, s) for s in range(4)], GRID, match=False)
    inside = (GRID > 4700) & (GRID < 6800)
    pull = ((done.spectrum.flux - _truth(GRID)) / np.sqrt(np.where(inside, done.spectrum.variance, 1)))[inside]
    assert abs(pull.std() - 1) < 0.06 and abs(pull.mean()) < 0.08
    assert np.median(np.sqrt(done.spectrum.variance[inside])) < 0.6 * noise


def test_spectra_that_do_not_meet_are_left_as_they_are_and_said():
    far = np.linspace(8275, 10500, 2064)
    done = combine_spectra([_spectrum(BLUE, 1, 1e-18, 1), _spectrum(far, 0.9, 1e-18, 2)], np.arange(3650, 10500, 0.7))
    assert done.factor == (1.0, 1.0) and "do not overlap" in done.notes[0]
    with pytest.raises(UsageError, match="unit"):
        combine_spectra([_spectrum(BLUE, 1, 1e-18, 1), replace(_spectrum(RED, 1, 1e-18, 1), unit="electron")], GRID)


def test_exposures_that_clouds_have_dimmed_come_to_one_level_and_a_border_so_large_does_not():
    noise = 1e-18
    given = [
        _spectrum(BLUE, 1.0, noise, 1), _spectrum(RED, 1.02, noise, 2), _spectrum(BLUE, 0.4, noise, 3),
        _spectrum(RED, 0.4, noise, 4),
    ]  # fmt: skip
    done = combine_spectra(given, GRID, names=("first", "second", "third", "fourth"))
    for factor, error, level in zip(done.factor, done.factor_error, (1.0, 1.02, 0.4, 0.4)):
        assert abs(factor * level - 1) < max(4 * error, 0.003)
    assert any("third has 2." in note and "times less light than first" in note for note in done.notes)
    ratio = done.spectrum.flux / _truth(GRID)
    parts = [np.median(ratio[np.abs(GRID - middle) < 100]) for middle in (3900, 4400, 4800, 5700, 6700)]
    assert np.ptp(parts) < 0.02 and abs(np.median(parts) - 1) < 0.01
    alone = combine_spectra([given[0], given[3]], GRID, names=("first", "fourth"))
    assert alone.factor == (1.0, 1.0) and "fourth differs by a factor of 2.5" in alone.notes[0]


def test_spectra_that_the_first_does_not_reach_come_to_one_level_among_themselves():
    noise, far = 1e-18, np.linspace(6900, 8000, 2064)
    given = [
        _spectrum(BLUE, 1.0, noise, 1), _spectrum(far, 0.5, noise, 2), _spectrum(far, 1.0, noise, 3),
        _spectrum(np.linspace(9000, 9900, 2064), 1.0, noise, 4),
    ]  # fmt: skip
    done = combine_spectra(given, np.arange(3700, 9900, 0.7), names=("blue", "dim", "clear", "lone"))
    assert done.factor[0] == done.factor[2] == done.factor[3] == 1.0
    assert abs(done.factor[1] * 0.5 - 1) < max(4 * done.factor_error[1], 0.003)
    assert np.isnan(done.factor_error[2]) and np.isnan(done.factor_error[3])  # against the first
    assert "levels are those of clear, the clearest" in done.notes
    assert "clear, dim overlap in light enough only with each other" in done.notes
    assert "lone do not overlap with others in light enough: their level is as it was" in done.notes
