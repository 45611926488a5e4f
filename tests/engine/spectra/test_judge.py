"""Spectra judged by themselves: each fault is found in its fibers and wavelengths, right spectra are not accused."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.judge import OF_SINGLE, judge_spectra
from ifuview.model.spectra.verdict import SpectraFault

NFIBER, NWAVE, SIGMA = 120, 900, 3.0
WAVE = np.linspace(5000.0, 6000.0, NWAVE)


def spectra(seed: int):
    """A star over a third of the fibers, noise, and its inverse variance; masked columns and fibers."""
    rng = np.random.default_rng(seed)
    near = np.exp(-(((np.arange(NFIBER) - 60) / 12.0) ** 2))
    star = 200.0 * near[:, None] * (1 - 0.5 * np.exp(-(((WAVE - 5500) / 3.0) ** 2)))
    sigma = np.sqrt(SIGMA**2 + star)
    ivar = np.asarray(1 / sigma**2)
    ivar[:, 300] = 0
    ivar[30:50, 700] = 0
    ivar[7] = 0
    return star + rng.normal(0, sigma), ivar


def found(flux, ivar, about_zero=True):
    return [one for one in judge_spectra(flux, ivar, WAVE, about_zero=about_zero).findings if not _planted(one)]


def _planted(one):
    """Whether it is what all have that `spectra` makes."""
    return one.fibers == (7,) or one.fault is SpectraFault.LOST


@pytest.mark.parametrize("seed", range(12))
def test_right_spectra_are_not_accused_and_what_has_no_data_is_said(seed):
    flux, ivar = spectra(seed)
    verdict = judge_spectra(flux, ivar, WAVE, about_zero=True)
    assert [(one.fault, one.fibers, one.wave, one.known) for one in verdict.findings] == [
        (SpectraFault.EMPTY, (7,), None, True),
        (SpectraFault.LOST, tuple(range(30, 50)), (WAVE[700], WAVE[700]), True),  # 300 is left out in all
    ]
    assert (verdict.nfiber, verdict.judged, verdict.not_asked) == (NFIBER, NFIBER - 1, (OF_SINGLE,))
    assert verdict.share == pytest.approx(1 - (1 + 20 / 119) / NWAVE, abs=1e-6)


def test_each_fault_is_named_with_its_fibers_and_wavelengths():
    def planted(fault, *, level=0.0, rows=slice(None), columns=slice(None), noise=1.0):
        flux, ivar = spectra(3)
        flux[rows, columns] += level
        if noise != 1.0:
            flux[rows] += np.random.default_rng(9).normal(0, SIGMA * np.sqrt(noise**2 - 1), flux[rows].shape)
        (one,) = found(flux, ivar)
        assert one.fault is fault
        return one

    assert planted(SpectraFault.BELOW, level=-2 * SIGMA, rows=15).fibers == (15,)
    assert planted(SpectraFault.NOISY, noise=3.0, rows=100).fibers == (100,)
    sky = planted(SpectraFault.SKY_LEFT, level=-2.5 * SIGMA, columns=slice(400, 404))
    assert not sky.known and sky.amount == pytest.approx(-2.5, abs=0.5)
    assert sky.wave == (WAVE[400], WAVE[403])
    run = planted(SpectraFault.RUN, level=4 * SIGMA, rows=slice(0, 20), columns=slice(500, 502))
    assert run.known and run.wave == (WAVE[500], WAVE[501]) and set(range(20)) - {7} <= set(run.fibers)
    assert planted(SpectraFault.ERRORS, noise=2.0).amount == pytest.approx(2.0, rel=0.1)


def test_numbers_that_are_no_measurement_are_named():
    flux, ivar = spectra(4)
    flux[20] = 0.0
    flux[21, :] = np.nan
    one, two = found(flux, ivar)
    assert (one.fault, one.fibers) == (SpectraFault.CONSTANT, (20,))
    assert (two.fault, two.fibers) == (SpectraFault.EMPTY, (7, 21))


def test_a_dark_fiber_is_seen_where_the_sky_is_in_the_spectra():
    flux, ivar = spectra(5)
    flux += 60.0
    flux[90] -= 58.0
    (one,) = found(flux, ivar, about_zero=False)
    assert (one.fault, one.fibers) == (SpectraFault.DARK, (90,))


def test_what_cannot_be_asked_is_said():
    flux, ivar = spectra(6)
    assert "no errors" in judge_spectra(flux, None, WAVE, about_zero=True).not_asked[0]
    assert "10 fibers" in judge_spectra(flux[10:20], ivar[10:20], WAVE, about_zero=True).not_asked[0]
    assert "of its own" in judge_spectra(flux, ivar, None, about_zero=True).not_asked[0]
    assert "in these spectra" in judge_spectra(flux, ivar, WAVE, about_zero=False).not_asked[-1]


@pytest.mark.parametrize("nwave", [1, 2, 31, 33, 100])
def test_few_wavelengths_and_any_numbers_are_judged(nwave):
    rng = np.random.default_rng(nwave)
    flux = rng.normal(0, 1, (50, nwave))
    flux[3], flux[4, 0], flux[5] = 1e300, -np.inf, -1e-300
    ivar = np.ones_like(flux)
    ivar[3], ivar[6], ivar[7] = 1e300, np.nan, -1.0
    found = judge_spectra(flux, ivar, np.arange(nwave, dtype=float), about_zero=True)
    assert {6, 7} <= {row for one in found.findings if one.fault is SpectraFault.EMPTY for row in one.fibers}
    assert np.isfinite([one.amount for one in found.findings]).all()
    judge_spectra(flux, ivar, None, about_zero=False)


def test_columns_that_lean_over_the_fibers_are_each_one_place():
    """A column of the detector is at other wavelengths in other fibers; what single pixels lost is no column."""
    flux, ivar = spectra(5)
    ivar[30:50, 700] = 0.0027
    ivar[np.random.default_rng(2).random(ivar.shape) < 0.05] = 0
    for row in range(60, 119):
        ivar[row, 500 + row // 30 : 502 + row // 30] = 0
    flux[:, :3], ivar[:50, :3] = 0, 0  # a part of the fibers begins later
    (lost,) = (o for o in judge_spectra(flux, ivar, WAVE, about_zero=True).findings if o.fault is SpectraFault.LOST)
    assert lost.known and lost.wave == (WAVE[502], WAVE[504])
    assert set(range(60, 119)) <= set(lost.fibers) and len(lost.fibers) < 59 + 8  # of the others beside, a few pixels
