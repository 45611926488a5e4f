"""Lamps are identified without a seed, also with lines missing, and wavelengths are right to their errors."""

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.spectra.wave.identify import expected_columns, identify
from ifuview.engine.spectra.wave.lines import Peaks, find_peaks, fit_lines
from ifuview.engine.spectra.wave.solve import solve_wavelengths
from ifuview.errors import FitError
from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.spectra import ArcLines, FiberSpectra
from ifuview.simulate.het.light import arc
from ifuview.simulate.het.setup import channel_setup
from tests.engine.slit import LINES, NOISE, Slit

GRID = (4993.0, 5764.0)


def spectra(slit, **lamp):
    flux = slit.lamp(**lamp)
    variance = flux + 5 * NOISE**2
    noisy = flux + slit.rng.normal(0, 1, flux.shape) * np.sqrt(variance)
    mask = np.zeros(flux.shape, np.uint32)
    mask[list(slit.dead)] |= np.uint32(ReductionBit.DEAD_FIBER)
    return FiberSpectra(noisy, variance, mask, np.zeros(flux.shape))


def miss(slit, found):
    return (found.wave - slit.wave) / np.gradient(slit.wave, axis=1)


@pytest.mark.parametrize("columns", [True, False])
@pytest.mark.parametrize("off", [(), (2, 6), (0, 3, 9, 11)])
def test_wavelengths_are_found_without_a_seed(columns, off):
    slit = Slit(1)
    found = solve_wavelengths(spectra(slit, off=off), slit.lines(columns), GRID, block=slit.block)
    inside = np.abs(miss(slit, found))[:, 40:-40]
    assert np.sqrt((inside**2).mean()) < 0.006
    assert not found.used[:, list(off)].any()
    assert found.used[:, [n for n in range(LINES.size) if n not in off]].any(axis=0).sum() >= LINES.size - len(off) - 1
    assert np.median(found.lsf) == pytest.approx(1.7, abs=0.02)


def test_saturated_lines_and_a_line_of_wrong_wavelength_do_no_harm():
    slit = Slit(2)
    given = spectra(slit)
    mask = np.array(given.mask)
    mask[given.flux > 0.6 * given.flux.max()] |= np.uint32(ReductionBit.SATURATED)
    lines = slit.lines()
    wrong = lines.wave.copy()
    wrong[5] += 1.0
    lines = type(lines)(wrong, lines.column, lines.intensity, lines.element)
    found = solve_wavelengths(FiberSpectra(given.flux, given.variance, mask, given.wave), lines, GRID, block=slit.block)
    assert np.sqrt((miss(slit, found)[:, 40:-40] ** 2).mean()) < 0.01
    assert not found.used[:, 5].any()


def test_errors_of_centers_are_those_of_the_scatter():
    slit = Slit(3)
    given = spectra(slit, light=2e4)
    column = np.array([[np.interp(w, row, np.arange(row.size)) for w in LINES] for row in slit.wave])
    fits = fit_lines(given.flux, given.variance, given.usable(), column + 0.4, np.full(column.shape, 1.7))
    pull = ((fits.center - column) / fits.center_error)[np.isfinite(fits.center)]
    assert 0.9 < 1.4826 * np.median(np.abs(pull)) < 1.1


@pytest.mark.parametrize("seed", range(5))
def test_three_lines_of_one_lamp_are_known_by_where_they_are_expected(seed):
    """Lines less than a sixth of the detector apart, and unknown ones that make other patterns as likely."""
    rng = np.random.default_rng(seed)
    lines = Tables("lrs2").lines("orange")
    expected = expected_columns(lines, (4635.0, 6950.0), 2064)
    lit = np.array([one == "Hg" for one in lines.element])
    true = expected + rng.uniform(-8, 8) + rng.uniform(-0.002, 0.002) * (expected - 1032)
    odd = rng.uniform(50, 2000, 5)
    column = np.concatenate([true[lit], odd])
    height = np.concatenate([1e4 * lines.intensity[lit], 40 * rng.uniform(0.3, 1, odd.size)])
    order = np.argsort(column)
    found = identify(Peaks(column[order], height[order], np.sqrt(height[order])), lines, expected, 2064)
    np.testing.assert_allclose(found.column[lit], true[lit], atol=0.01)
    assert np.abs(found.expected - true)[lit].max() < 1.5


def lamps(camera: str, names: tuple[str, ...], seed: int) -> tuple[FiberSpectra, np.ndarray, np.ndarray, ArcLines]:
    """Spectra of lamps of a channel, true wavelengths, fibers with light, and the list of lines."""
    unit = ("503", "056", "7001") if camera in ("uv", "orange") else ("502", "066", "7002")
    channel = channel_setup(instrument("lrs2"), Tables("lrs2"), camera, unit, 20181110, seed=seed)
    rng = np.random.default_rng(2)
    light = sum(arc(channel, name).electrons for name in names)
    variance = light + 2 * 5 * NOISE**2
    noisy = light + rng.normal(size=light.shape) * np.sqrt(variance)
    dead = np.concatenate([amp.light[:, 0] == 0 for amp in channel.amplifiers])
    mask = np.where(dead[:, None], np.uint32(ReductionBit.DEAD_FIBER), np.uint32(0)) * np.ones_like(light, np.uint32)
    true = np.concatenate([amp.at(amp.wave) for amp in channel.amplifiers])
    return FiberSpectra(noisy, variance, mask, np.zeros(light.shape)), true, ~dead, channel.lines


def test_few_bright_lines_bend_both_halves_of_a_detector_alike():
    """Lamps of uv: two bright lines, the others a hundred times fainter; each half alone would fit chance."""
    given, true, live, lines = lamps("uv", ("Hg_B", "Cd-A_B"), 11)
    found = solve_wavelengths(given, lines, (3640.0, 4645.0), block=np.repeat([0, 1], 140))
    off = ((found.wave - true) / np.gradient(true, axis=1))[live]
    assert np.sqrt((off**2).mean()) < 0.006


@pytest.mark.parametrize(
    ("camera", "grid", "lamp", "known", "bend", "most"),
    [
        ("uv", (3640.0, 4645.0), "Cd-A_B", (1720, 1980), 0.05, 1.0),  # one of its six lines is blended with another
        ("uv", (3640.0, 4645.0), "Hg_B", (35, 1470), 0.05, 0.3),
        ("orange", (4635.0, 6950.0), "Hg_B", (770, 1030), 0.0, 2.0),
    ],
)
def test_beyond_the_lines_of_a_lone_lamp_wavelengths_are_as_wrong_as_their_errors_say(
    camera, grid, lamp, known, bend, most
):
    """The shape is that of the list there: of uv known to a bend of 0.05 px, elsewhere its columns are whole pixels."""
    given, true, live, lines = lamps(camera, (lamp,), 11)
    lines = replace(
        lines, column=lines.column + bend * np.polynomial.legendre.legval(lines.column / 1031.5 - 1, [0, 0, 0.6, 1.0])
    )
    found = solve_wavelengths(given, lines, grid, block=np.repeat([0, 1], 140))
    step = np.gradient(true, axis=1)
    off, error = ((found.wave - true) / step)[live], (found.error / step)[live]
    between = slice(*known)
    assert np.sqrt((off[:, between] ** 2).mean()) < 0.04  # a blended line pulls
    assert np.sqrt(((off / error) ** 2).mean()) < 1.5
    assert np.abs(off).max() < most and np.abs(off).max() < 1.5 * error.max()


def test_noise_has_no_lines():
    rng = np.random.default_rng(5)
    assert find_peaks(rng.normal(0, 3, 2000), 1.7, 6.0).column.size <= 1
    dark = FiberSpectra(
        rng.normal(0, 3, (8, 768)), np.full((8, 768), 9.0), np.zeros((8, 768), np.uint32), np.zeros(768)
    )
    with pytest.raises(FitError):
        solve_wavelengths(dark, Slit().lines(), GRID)


def test_a_low_degree_bends_the_wavelengths():
    slit = Slit(1)
    given = spectra(slit)
    rms = [
        np.sqrt((miss(slit, solve_wavelengths(given, slit.lines(), GRID, block=slit.block, degree=d)) ** 2).mean())
        for d in (1, 5)
    ]
    assert rms[1] < 0.01 and rms[0] > 3 * rms[1]
