"""Lines and continua planted in a small field are found with what was put in; cosmic rays and loud fibers are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.spectra.detect.completeness import completeness
from ifuview.engine.spectra.detect.continuum import TakenSource, steady
from ifuview.engine.spectra.detect.doubts import is_hit
from ifuview.engine.spectra.detect.light import FieldLight, spread_table
from ifuview.engine.spectra.detect.measure import LineFit, NearFibers, climb, put, whole_light
from ifuview.engine.spectra.detect.search import DetectParams, KnownSource, detect, threshold_of, without_remains
from ifuview.engine.spectra.field.lenslet import Face, Lenslets, moffat_share
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.detection import (
    CONTINUUM,
    LINE,
    Doubt,
    FieldDetections,
    FieldFibers,
    PointSpread,
    doubts_text,
)
from ifuview.model.reduction.spectra import FiberSpectra

SEEING = PointSpread((1.7, 1.8, 1.7), 4500.0, 3.5, np.array([[3400.0, 4500.0, 5600.0], [0.0, 0.0, 0.0], [0.0] * 3]))
DITHER = ((0.0, 0.0), (1.215, -0.7), (1.215, 0.7))
GRID = np.linspace(4300.0, 4900.0, 301)
LSF = 2.4
LINES = ((0.4, 1.1, 4440.0, 160.0), (-4.0, -3.5, 4700.3, 150.0))  # x, y, wavelength, flux
EDGE = (-8.7, -1.0, 4600.0, 600.0)
STAR, FAINT = (3.0, -4.2, 40.0), (-4.2, 4.6, 2.0)  # x, y, flux density
COSMIC = (5.0, 5.0, 4520.0, 900.0)


def shares(x: Array, y: Array, place: tuple[float, ...], number: int) -> Array:
    fibers = Lenslets(x, y, 1.5, Face.CIRCLE)
    return moffat_share(fibers, np.array([place[0]]), np.array([place[1]]), np.array([SEEING.fwhm[number]]), 3.5)[0]


def bell(wave: Array, center: float, sigma: float) -> Array:
    return np.exp(-0.5 * ((wave - center) / sigma) ** 2) / (np.sqrt(2 * np.pi) * sigma)


def make_field(
    seed: int, *, sources: bool = True, loud: float = 1.0, more: tuple[tuple[float, ...], ...] = (),
    dithers: tuple[tuple[float, float], ...] = DITHER,
) -> FieldFibers:  # fmt: skip
    """Three dithered exposures of 56 fibers; the noise of the last 28 fibers of an exposure is `loud` x their error."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:8, 0:7]
    x0, y0 = (columns * 2.54 + (rows % 2) * 1.27 - 8.0).ravel(), (rows * 2.2 - 7.7).ravel()
    flux, variance, wave, xs, ys = [], [], [], [], []
    for number, (dx, dy) in enumerate(dithers):
        x, y = x0 + dx, y0 + dy
        own = 4290.0 + 2.0 * np.arange(311) + rng.uniform(-1, 1, (x.size, 1))
        light = np.zeros(own.shape)
        if sources:
            for line in (*LINES, EDGE, *more):
                light += line[3] * shares(x, y, line, number)[:, None] * bell(own, line[2], LSF * 1.08)
            for star in (STAR, FAINT):
                ramp = 1 + 0.2 * np.sin(own / 25.0) if star is STAR else np.ones(own.shape)
                light += star[2] * shares(x, y, star, number)[:, None] * ramp
            if number == 1:
                light[int(np.argmin(np.hypot(x - COSMIC[0], y - COSMIC[1]))), 115] += COSMIC[3] / 4
        error = np.full(own.shape, 1.0) + 0.002 * np.abs(own - 4600)
        scale = np.where(np.arange(x.size) >= 28, loud, 1.0)[:, None]
        flux.append(light + error * scale * rng.normal(size=own.shape))
        variance.append(error**2)
        wave.append(own)
        xs.append(x)
        ys.append(y)
    spectra = FiberSpectra(
        np.concatenate(flux), np.concatenate(variance), np.zeros((168, 311), np.uint32), np.concatenate(wave)
    )
    number = np.repeat(np.arange(3), 56)
    group = 2 * number + np.tile(np.arange(56) >= 28, 3)
    return FieldFibers(spectra, np.concatenate(xs), np.concatenate(ys), number, group, 1.5, LSF)


@pytest.fixture(scope="module")
def found() -> FieldDetections:
    return detect(make_field(1), SEEING, GRID)


def test_lines_are_measured_within_their_errors(found):
    for x, y, wave, flux in LINES:
        one = min((d for d in found.detections if d.kind == LINE), key=lambda d: abs(d.wave - wave))
        assert abs(one.flux - flux) < 3 * one.flux_error and one.flux_error < 0.15 * flux
        assert abs(one.wave - wave) < 3.5 * one.wave_error and one.wave_error < 0.6
        assert np.hypot(one.x - x, one.y - y) < 3.5 * np.hypot(one.x_error, one.y_error)
        assert abs(one.fwhm - 2.3548 * LSF * 1.08) < 4 * one.fwhm_error
        assert one.doubts is Doubt(0) and 0.6 < one.chi2 < 1.4
        pulls = (one.exposures[:, 0] - flux) / one.exposures[:, 1]
        assert one.exposures.shape == (3, 2) and np.abs(pulls).max() < 4
        assert abs(np.sum(one.model - np.median(one.model)) * (GRID[1] - GRID[0]) / one.flux - 1) < 0.02


def test_nothing_else_is_a_line_and_a_cosmic_ray_is_named(found):
    lines = [one for one in found.detections if one.kind == LINE]
    assert sorted(round(one.wave / 20) for one in lines) == [222, 230, 235]
    assert any("cosmic" in note for note in found.notes)


def test_a_line_outside_of_the_fibers_is_doubted(found):
    edge = min((d for d in found.detections if d.kind == LINE), key=lambda d: abs(d.wave - EDGE[2]))
    assert Doubt.EDGE in edge.doubts and "edge of the field" in doubts_text(edge.doubts)


def test_continua_are_found_with_their_light(found):
    star, faint = sorted((d for d in found.detections if d.kind == CONTINUUM), key=lambda d: -d.flux)
    assert np.hypot(star.x - STAR[0], star.y - STAR[1]) < 0.1 and abs(star.flux / STAR[2] - 1) < 0.03
    assert np.hypot(faint.x - FAINT[0], faint.y - FAINT[1]) < 0.4
    assert abs(faint.flux - FAINT[2]) < 4 * faint.flux_error


def test_a_known_star_is_taken_off_and_not_found_again():
    star = KnownSource(*STAR[:2], STAR[2] * (1 + 0.2 * np.sin(GRID / 25.0)), np.full(GRID.size, 1.0))
    found = detect(make_field(2), SEEING, GRID, (star,))
    continua = [one for one in found.detections if one.kind == CONTINUUM]
    assert [round(one.x) for one in continua] == [round(FAINT[0])]


def test_a_line_beside_a_star_keeps_its_light():
    beside = (STAR[0] + 0.6, STAR[1] - 0.7, 4650.0, 600.0)
    found = detect(make_field(5, more=(beside,)), SEEING, GRID)  # the star's spectrum holds it, too
    one = min((d for d in found.detections if d.kind == LINE), key=lambda d: abs(d.wave - beside[2]))
    assert abs(one.flux - beside[3]) < 3 * one.flux_error and one.flux_error < 0.3 * beside[3]
    assert np.hypot(one.x - beside[0], one.y - beside[1]) < 0.4


def test_the_light_of_lines_is_right_in_the_mean_where_fibers_leave_gaps():
    field = make_field(6, sources=False, dithers=((0.0, 0.0),) * 3)
    light = FieldLight(field, spread_table(field, replace(SEEING, fwhm=(1.4,) * 3), GRID))
    rng, ratio, best = np.random.default_rng(2), [], []
    for x, y in rng.uniform(-5, 5, (60, 2)):
        theta = np.array([x, y, rng.uniform(4350, 4850), np.log(1.08 * LSF)])
        bottom = float(NearFibers(light, x, y).sums(theta)[1].sum())
        put(light, LineFit(theta, 0.0, 0.0, np.zeros(0, int)), 9 / np.sqrt(bottom))
        fit = climb(light, theta)
        ratio.append(np.array(whole_light(NearFibers(light, *fit.theta[:2]), fit)) * np.sqrt(bottom) / 9)
        best.append(fit.flux * np.sqrt(bottom) / 9)
        put(light, LineFit(theta, 0.0, 0.0, np.zeros(0, int)), -9 / np.sqrt(bottom))
    flux, error = np.array(ratio).T
    assert abs(flux.mean() - 1) < 3 * flux.std() / np.sqrt(60) < 0.1
    assert np.mean(best) > 1.07  # right there it is too much: what noise adds to the best of four
    assert 0.7 < ((flux - 1) / error).std() < 1.3


def test_noise_above_the_errors_is_measured_and_gives_no_lines():
    found = detect(make_field(103, sources=False, loud=2.0), SEEING, GRID)
    assert found.detections == ()
    assert np.abs(found.group_scale[1::2] / found.group_scale[::2] - 2).max() < 0.3


def test_a_line_in_a_loud_read_out_is_doubted():
    field = make_field(4, sources=False, loud=3.0)
    x, y = float(field.x[40]), float(field.y[40])
    flux = field.spectra.flux.astype(float)
    for number in range(3):
        own = field.exposure == number
        flux[own] += (
            300
            * shares(field.x[own], field.y[own], (x, y), number)[:, None]
            * bell(field.spectra.wave[own], 4500.0, LSF)
        )
    found = detect(replace(field, spectra=replace(field.spectra, flux=flux)), SEEING, GRID)
    assert [Doubt.AMPLIFIER in one.doubts for one in found.detections] == [True]


def test_masked_fibers_leave_a_doubt():
    field = make_field(1)
    mask = np.zeros(field.spectra.mask.shape, np.uint32)
    mask[np.argsort(np.hypot(field.x - LINES[0][0], field.y - LINES[0][1]))[:2]] = 1
    found = detect(replace(field, spectra=replace(field.spectra, mask=mask)), SEEING, GRID)
    one = min((d for d in found.detections if d.kind == LINE), key=lambda d: abs(d.wave - LINES[0][2]))
    assert Doubt.MASKED in one.doubts


def test_planted_lines_are_found_as_often_as_the_true_noise_allows():
    curve = completeness(make_field(5, sources=False), SEEING, GRID, count=60, seed=1)
    assert curve.planted.sum() == 60 and curve.lines.shape == (60, 8)
    found, chance = curve.lines[:, 5], np.sum(curve.ideal * curve.planted)
    spread = np.sqrt(np.sum(curve.planted * curve.ideal * (1 - curve.ideal)))
    assert abs(found.sum() - chance) < 3 * spread + 1
    bright = (found == 1) & (curve.lines[:, 4] > 7)
    assert bright.sum() > 20 and abs(np.mean(curve.lines[bright, 6] / curve.lines[bright, 3]) - 1) < 0.09


def test_the_threshold_rises_with_what_is_searched():
    assert threshold_of(0.1, 2500.0, 2070.0, 0.85, 2.6) > threshold_of(0.1, 250.0, 207.0, 0.85, 2.6) + 0.3


def test_a_field_of_which_nothing_is_known_has_nothing():
    field = make_field(7)
    spectra = replace(field.spectra, mask=np.ones(field.spectra.mask.shape, np.uint32))
    assert detect(replace(field, spectra=spectra), SEEING, GRID).detections == ()


def test_the_search_ends_where_it_is_told_to():
    found = detect(make_field(1), SEEING, GRID, params=DetectParams(most=2))
    assert sum(one.kind == LINE for one in found.detections) <= 2 and any("may be more" in n for n in found.notes)


def test_samples_that_fewer_fibers_tell_for_a_while_are_not_sure():
    caught = np.full(200, 0.8)
    caught[80:87] = 0.7  # of a fiber in the core
    caught[:6] = 0.5  # the other fibers begin there
    caught[150:] = 0.6  # an amplifier ends: for good
    known = steady(caught)
    assert not known[80:87].any() and not known[:6].any() and known.sum() == 187


def test_the_light_of_a_bright_star_that_its_profile_misses_is_no_line_where_a_fiber_is_lost():
    field = make_field(6, sources=False)
    spectra, x, y = field.spectra, field.x, field.y
    fibers = Lenslets(x, y, 1.5, Face.CIRCLE)
    wide = moffat_share(fibers, np.zeros(1), np.zeros(1), np.full(1, 1.3 * SEEING.fwhm[0]), 3.5)[0]
    flux = spectra.flux + 4000.0 * wide[:, None]
    mask = np.array(spectra.mask)
    mask[int(np.argmax(wide)), 150:157] = int(ReductionBit.BAD)
    found = detect(replace(field, spectra=replace(spectra, flux=flux, mask=mask)), SEEING, GRID)
    assert all(one.kind == CONTINUUM for one in found.detections)


@pytest.mark.parametrize(
    ("doubts", "snr", "count", "hit"),
    [
        (Doubt.NARROW, 6.0, 1, True),  # nothing else tells a particle from a line
        (Doubt.NARROW, 6.0, 3, False),
        (Doubt.NARROW, 20.0, 1, False),
        (Doubt(0), 6.0, 1, False),
        (Doubt.EDGE, 6.0, 1, False),
        (Doubt.NEAR_STAR | Doubt.MASKED, 16.0, 3, True),  # of a saturated star, what is not masked
        (Doubt.NEAR_STAR, 8.0, 3, False),
        (Doubt.MASKED, 8.0, 3, False),
        (Doubt.ONE_EXPOSURE, 8.0, 3, True),
    ],
)
def test_what_particles_and_stars_leave_is_no_line(doubts, snr, count, hit):
    told = np.array([[10.0, 1.0]] * count + [[np.nan, np.inf]] * (3 - count))
    fit = LineFit(np.array([0.0, 0.0, 4500.0, 0.9]), 10.0, snr, np.zeros(0, np.intp), doubts=doubts, exposures=told)
    assert is_hit(fit) == hit


def test_many_lines_about_one_star_are_what_it_left():
    def line(x, y, wave):
        return LineFit(np.array([x, y, wave, 0.9]), 10.0, 8.0, np.zeros(0, np.intp))

    star = KnownSource(2.5, 2.0, np.ones(5), np.full(5, 0.1))
    about = [line(2.4 + 0.1 * n, 2.2, 4300.0 + 80 * n) for n in range(6)]
    elsewhere = [line(-4.0, 1.0, 4400.0 + 80 * n) for n in range(6)]  # a galaxy of many lines
    assert without_remains([*about, *elsewhere], (star,)) == elsewhere
    assert without_remains(about[:3], (star,)) == about[:3]
    assert without_remains(about, (replace(star, error=np.zeros(5)),)) == about  # nothing of it was taken off
    wings = [line(2.5 + 0.6 * n, 4.5, 4300.0 + 80 * n) for n in range(5)]
    assert without_remains(wings, (star,)) == wings  # of a source beside a star that leaves nothing there
    on_light = [replace(one, doubts=Doubt.NEAR_STAR) for one in wings]
    assert without_remains([*on_light, *elsewhere], (star,)) == elsewhere
    assert without_remains(on_light[:3], (star,)) == on_light[:3]
    saturated = TakenSource(2.5, 2.0, 900.0, np.ones(5), np.full(5, 0.1))  # of which the catalog's star knows nothing
    assert without_remains([*on_light, *elsewhere], (), (saturated,)) == elsewhere
    own = [replace(one, doubts=Doubt.NEAR_STAR) for one in about]
    assert without_remains(own, (), (saturated,)) == own  # of a bright galaxy
