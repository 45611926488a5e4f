"""Flux of sources by profile and by aperture, and the cube: all of the light, errors that fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

from ifuview.engine.spectra.field import lenslet
from ifuview.engine.spectra.field.aperture import FieldAperture, extract_aperture
from ifuview.engine.spectra.field.cube import collapse, field_grid, make_cube
from ifuview.engine.spectra.field.extract import extract_points
from ifuview.engine.spectra.field.lenslet import (
    Face,
    KeptShares,
    moffat_share,
    moffat_slopes,
    share_at,
    source_share,
)
from ifuview.engine.spectra.field.positions import position_table, sky_place
from ifuview.engine.spectra.field.separate import separate
from ifuview.engine.spectra.flux.rectify import rectify, rectify_values
from ifuview.errors import UsageError
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.source import SourceFit
from ifuview.model.reduction.spectra import FiberSpectra
from tests.engine.spectra.field.scene import DAR, GRID, SIZE, caught, make_scene, places


def _reduced(scene, **given):
    found = separate(scene.spectra, scene.lenslets, DAR, GRID, **given)
    variance = scene.spectra.variance + found.sky.variance
    left = replace(scene.spectra, flux=scene.spectra.flux - found.sky.model, variance=variance)
    return found, rectify(left, GRID), rectify_values(found.sky.model, scene.spectra.wave, GRID)


@pytest.mark.parametrize("fwhm", [0.9, 1.5])
def test_share_agrees_with_plain_summation(fwhm):
    lenslets = places()
    share = moffat_share(lenslets, np.array([0.33]), np.array([-0.2]), np.array([fwhm]), 3.5)[0]
    assert np.abs(share - caught(lenslets, 0.33, -0.2, fwhm, fine=60)).max() < 5e-5


def test_a_circle_catches_as_much_as_its_area_says():
    at = np.zeros(1), np.zeros(1), np.array([8.0])
    share = [moffat_share(replace(places(), face=face), *at, 3.5)[0] for face in Face]
    assert np.median(share[1] / share[0]) == pytest.approx(np.pi / 4, rel=1e-3)


def test_shares_that_are_kept_are_those_of_the_source_and_integrated_once(monkeypatch):
    lenslets, wave = places(), np.linspace(GRID[0], GRID[-1], 50)
    source = SourceFit(0.4, -0.3, 0.0, 0.0, 1.3, 0.0, 3.2, 1.0, 7000.0, 1.0, DAR)
    want = source_share(source, lenslets, wave)
    shares, half = KeptShares(lenslets, wave), np.arange(lenslets.x.size) < lenslets.x.size // 2
    asked = []
    monkeypatch.setattr(lenslet, "share_at", lambda fit, some, at: asked.append(some.x.size) or share_at(fit, some, at))
    for fibers in (half, np.ones_like(half), ~half):
        assert np.allclose(shares.of(source, fibers), want[fibers], rtol=1e-12)
    assert asked == [half.sum(), (~half).sum()]


def test_slopes_are_the_derivatives():
    lenslets, at, step = places(), [0.2, -0.1, np.log(1.3), 3.2], 1e-5

    def share(p):
        return moffat_share(lenslets, np.array([p[0]]), np.array([p[1]]), np.array([np.exp(p[2])]), p[3])[0]

    slopes = moffat_slopes(lenslets, np.array([at[0]]), np.array([at[1]]), np.array([np.exp(at[2])]), at[3])[:, 0]
    assert np.allclose(slopes[0], share(at))
    for i in range(4):
        up, down = list(at), list(at)
        up[i], down[i] = up[i] + step, down[i] - step
        assert np.allclose(slopes[1 + i], (share(up) - share(down)) / (2 * step), atol=1e-7)


@pytest.mark.parametrize("place", [(0.5, 0.2), (3.6, -0.3)])
def test_all_light_of_a_source_is_extracted_also_near_the_edge(place):
    scene = make_scene([place], strength=[60.0])
    found, left, sky = _reduced(scene)
    (spectrum,) = extract_points(left, sky, found.sources, scene.lenslets)
    truth = 60.0 * scene.total
    pull = (spectrum.flux - truth) / np.sqrt(spectrum.variance)
    assert abs(spectrum.flux.sum() / truth.sum() - 1) < 0.01
    assert abs(pull.std() - 1) < 0.15  # 400 correlated samples
    under = np.median(spectrum.sky / np.median(scene.sky, axis=0)[14:415])
    assert abs(under - 1) < 0.05  # for one fiber


def test_two_sources_do_not_take_each_others_light():
    scene = make_scene([(0.9, 0.0), (-0.9, 0.0)], strength=[40.0, 20.0], fwhm=1.2)
    found, left, sky = _reduced(scene)
    both = extract_points(left, sky, found.sources, scene.lenslets)
    for spectrum, total in zip(both, (40.0, 20.0)):
        assert abs(spectrum.flux.sum() / (total * scene.total.sum()) - 1) < 0.02


def test_a_background_that_the_sky_model_misses_is_fitted_beside():
    scene = make_scene([(0.5, 0.2)], strength=[30.0])
    found, left, sky = _reduced(scene)
    over = replace(left, flux=left.flux + 0.3)
    plain, local = (extract_points(over, sky, found.sources, scene.lenslets, degree=d)[0].flux.sum() for d in (None, 0))
    truth = 30.0 * scene.total.sum()
    assert plain / truth > 1.05
    assert abs(local / truth - 1) < 0.01


def test_a_circle_with_the_profiles_share_gives_all_light_and_a_ring_takes_the_background():
    scene = make_scene([(0.5, 0.2)], strength=[30.0])
    found, left, sky = _reduced(scene)
    truth = 30.0 * scene.total.sum()
    around = FieldAperture(0.5, 0.2, 1.5, 5200.0)
    whole = extract_aperture(left, sky, around, scene.lenslets, DAR, source=found.sources[0], whole=True)
    part = extract_aperture(left, sky, around, scene.lenslets, DAR, source=found.sources[0])
    assert abs(whole.flux.sum() / truth - 1) < 0.01
    assert abs(part.flux.sum() / (truth * part.fraction.mean()) - 1) < 0.01
    over = replace(left, flux=left.flux + 0.3)
    ring = extract_aperture(over, sky, replace(around, inner=2.6, outer=4.0), scene.lenslets, DAR)
    assert abs(ring.flux.sum() / part.flux.sum() - 1) < 0.03
    with pytest.raises(UsageError, match="aperture"):
        extract_aperture(left, sky, FieldAperture(50, 50, 1, 5200.0), scene.lenslets, DAR)


@pytest.mark.parametrize("step", [0.25, 0.4, 0.7])
def test_the_cube_holds_the_light_of_the_fibers(step):
    scene = make_scene([(0.5, 0.2)], strength=[30.0])
    _, left, _ = _reduced(scene)
    cube = make_cube(left, scene.lenslets, DAR, field_grid(scene.lenslets, step, 1.0))
    fibers = scene.on_grid[np.arange(122) != 122 // 3].sum()
    assert abs(cube.data.sum() / fibers - 1) < 0.01
    pull = cube.data[:, :2] / np.sqrt(np.where(cube.variance[:, :2] > 0, cube.variance[:, :2], np.inf))
    assert pull.std() < 1.1
    picture = collapse(cube, 5100, 5200)
    top = np.unravel_index(np.nanargmax(picture), picture.shape)
    assert (
        np.hypot(cube.grid.x[top[1]] - 0.5, cube.grid.y[top[0]] - 0.2) < SIZE + step / 2
    )  # half a cell, and of a spaxel


def test_masked_lenslets_of_a_bright_source_do_not_raise_the_light_of_the_cube():
    """What neighbors fill of one spaxel is left out in another one."""
    scene = make_scene([(0.5, 0.2)], strength=[30.0])
    _, left, _ = _reduced(scene)
    core = np.hypot(scene.lenslets.x - 0.5, scene.lenslets.y - 0.2) < 0.9
    lost = replace(left, mask=np.where(core[:, None], left.mask | np.uint32(ReductionBit.SATURATED), left.mask))
    cube = make_cube(lost, scene.lenslets, DAR)
    fibers = np.where(lost.usable(), lost.flux, 0).sum()
    assert abs(cube.data.sum() / fibers - 1) < 0.04, cube.data.sum() / fibers - 1


def test_refraction_is_taken_out_of_the_cube():
    scene = make_scene([(0.0, 0.0)], strength=[300.0])
    _, left, _ = _reduced(scene)
    for dar, most in ((DAR, 0.02), (DAR * [[1], [0], [0]], 1.0)):
        cube = make_cube(left, scene.lenslets, dar)
        ends = [cube.data[s].sum(axis=0) for s in (slice(0, 40), slice(-40, None))]
        y = [(e.sum(axis=1) @ cube.grid.y) / e.sum() for e in ends]
        assert abs(y[0] - y[1]) < most
    assert abs(y[0] - y[1]) > 0.15


def test_right_ascension_is_read_in_hours():
    ra, dec = sky_place(np.array([0.0, 0.0, 3600.0]), np.array([0.0, 3600.0, 0.0]), 10.0, 60.0, 0.0)
    assert ra[0] == pytest.approx(150.0) and dec[0] == pytest.approx(60.0)
    assert dec[1] == pytest.approx(61.0, abs=2e-4)  # tangent of a degree
    assert (ra[2] - 150) * np.cos(np.radians(60)) == pytest.approx(-1.0, abs=0.01)
    with pytest.raises(UsageError, match="no place"):
        sky_place(np.zeros(1), np.zeros(1), 150.0, 60.0, 0.0)


def test_positions_are_told_as_far_as_they_are_known():
    x, y = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    whole = position_table(x, y, (100.0, -50.0), (5.2, 22.1), 10.0)
    assert np.allclose(whole[:, 2], x - 50) and np.allclose(whole[:, 3], y + 100)  # axes swapped
    assert np.allclose(whole[:, 4], 78.0, atol=0.1) and np.allclose(whole[:, 5], 22.1, atol=0.1)
    assert np.isnan(position_table(x, y, (100.0, -50.0), None, 10.0)[:, 4:]).all()
    assert np.isnan(position_table(x, y, None, (5.2, 22.1), 10.0)[:, 2:]).all()


def test_the_scene_is_in_cells():
    assert places().area == pytest.approx(SIZE**2)


def test_a_variance_that_follows_its_own_samples_takes_no_light_of_a_faint_source():
    """Noise alone is 0.55 % of the mean; weights made of 25 samples would take 2.8 %."""
    lenslets, rng, nwave = places(), np.random.default_rng(4), 2000
    wave = np.linspace(5000.0, 5400.0, nwave)
    source = SourceFit(0.3, -0.2, 0.0, 0.0, 1.4, 0.0, 3.5, 20.0, 5200.0, 1.0, DAR)
    light = 30.0 * source_share(source, lenslets, wave)
    found = []
    for _ in range(6):
        seen = rng.poisson(8 + light) + rng.normal(0, 3.0, light.shape)
        variance = 9 + uniform_filter1d(np.maximum(seen, 0), 9, axis=1)  # as weights of an extraction are made
        spectra = FiberSpectra(seen - 8, variance, np.zeros(seen.shape, np.uint32), wave, "electron")
        (one,) = extract_points(spectra, np.full(seen.shape, 8.0), (source,), lenslets)
        found.append(one.flux.mean() / 30 - 1)
    assert abs(np.mean(found)) < 0.013
