"""Sky and sources told apart: sky residual, gradient, places, and nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.context import set_threads
from ifuview.engine.spectra.field.separate import SeparateParams, search_sources, separate
from ifuview.errors import UsageError
from tests.engine.spectra.field.scene import DAR, GRID, LSF, make_scene

POINT = (0.8, -0.4)


def _pull(scene, found, lines=False) -> np.ndarray:
    """Residual of the sky over its error in fibers with next to no light of sources; at the bright lines only."""
    dark = (scene.light.mean(axis=1) < 0.01) & scene.spectra.usable().any(axis=1)
    variance = scene.spectra.variance + found.sky.variance
    pull = (scene.spectra.flux - scene.light - found.sky.model) / np.sqrt(variance)
    use = scene.spectra.usable() & (scene.sky > 6 if lines else True)
    return pull[dark][use[dark]]


def test_an_empty_field_has_no_source_and_a_sky_within_noise():
    for seed in range(3):
        scene = make_scene(gradient=(0.004, -0.005), seed=seed)
        found = separate(scene.spectra, scene.lenslets, DAR, GRID)
        assert not found.sources and found.extended is None
        pull = _pull(scene, found)
        assert abs(pull.std() - 1) < 0.03
        assert abs(pull.mean()) < 0.02  # 50000 samples: 0.005, and what the spline takes up


def test_place_and_width_of_a_source_within_their_errors():
    scene = make_scene([POINT], strength=[30.0])
    (fit,) = separate(scene.spectra, scene.lenslets, DAR, GRID).sources
    assert abs(fit.x - POINT[0]) < 4 * fit.x_error < 0.02
    assert abs(fit.y - POINT[1]) < 4 * fit.y_error < 0.02
    assert abs(fit.fwhm - 1.4) < max(4 * fit.fwhm_error, 0.01)
    assert fit.snr > 50


def test_the_wings_of_a_source_are_not_taken_for_sky():
    scene = make_scene([(0.2, 0.1)], strength=[60.0], gradient=(0.004, -0.005))
    found = separate(scene.spectra, scene.lenslets, DAR, GRID)
    pull = _pull(scene, found)
    assert abs(pull.std() - 1) < 0.03 and abs(pull.mean()) < 0.05
    ratio = np.median(found.sky.model / scene.sky, axis=1)
    assert np.abs(ratio[scene.spectra.usable().any(axis=1)] - 1).max() < 0.02
    assert abs(np.median(ratio) - 1) < 0.003


def test_a_gradient_of_the_sky_is_followed():
    scene = make_scene([POINT], strength=[20.0], gradient=(0.005, -0.004))
    found = separate(scene.spectra, scene.lenslets, DAR, GRID, params=SeparateParams(single=False))
    truth = scene.surface / scene.surface.mean()
    assert np.abs(found.sky.surface / found.sky.surface.mean() - truth).max() < 0.003
    flat = separate(scene.spectra, scene.lenslets, DAR, GRID, params=SeparateParams(surface=False))
    assert np.ptp(flat.sky.surface) == 0


def test_two_sources_are_both_found():
    places = [(2.0, 0.9), (-2.2, -0.8)]
    scene = make_scene(places, strength=[25.0, 8.0])
    found = separate(scene.spectra, scene.lenslets, DAR, GRID).sources
    assert len(found) == 2
    for fit, (x, y) in zip(found, places):
        assert np.hypot(fit.x - x, fit.y - y) < 0.03


def test_two_sources_that_overlap_are_told_apart():
    places = [(0.85, 0.1), (-0.85, -0.1)]
    scene = make_scene(places, strength=[40.0, 30.0], fwhm=1.6)
    found = separate(scene.spectra, scene.lenslets, DAR, GRID)
    assert found.extended is None and len(found.sources) == 2
    for fit, (x, y) in zip(found.sources, places):
        assert np.hypot(fit.x - x, fit.y - y) < 0.02
        assert abs(fit.fwhm - 1.6) < 0.03


def test_a_faint_source_keeps_its_light_and_an_honest_place():
    offs, pulls = [], []
    for seed in range(4):
        scene = make_scene([POINT], strength=[1.2], seed=seed)
        found = separate(scene.spectra, scene.lenslets, DAR, GRID)
        (fit,) = found.sources
        pulls += [(fit.x - POINT[0]) / fit.x_error, (fit.y - POINT[1]) / fit.y_error]
        offs.append(found.common.at(GRID, 1)[0].sum() / (1.2 * scene.total.sum()) - 1)
    assert np.sqrt(np.mean(np.square(pulls))) < 2
    assert abs(np.mean(offs)) < 0.1  # 7 % of noise each


def test_a_source_at_the_edge_is_found():
    scene = make_scene([(3.7, 2.2)], strength=[30.0])
    (fit,) = separate(scene.spectra, scene.lenslets, DAR, GRID).sources
    assert np.hypot(fit.x - 3.7, fit.y - 2.2) < 0.05


@pytest.mark.parametrize("fwhm", [0.9, 2.5])
def test_seeing_good_and_bad(fwhm):
    scene = make_scene([POINT], strength=[40.0], fwhm=fwhm)
    found = separate(scene.spectra, scene.lenslets, DAR, GRID)
    assert found.extended is None
    assert abs(found.sources[0].fwhm - fwhm) < 0.03


def _galaxy():
    """A disk that fills the field, and the light of its fibers."""
    lenslets = make_scene().lenslets
    c, s = np.cos(0.6), np.sin(0.6)
    blur = np.random.default_rng(5).normal(0, 0.5, (2, 400, 1))
    x, y = lenslets.x + blur[0], lenslets.y + blur[1]
    light = 4 * np.exp(-np.hypot(x * c + y * s, (-x * s + y * c) / 0.6) / 1.2).mean(axis=0)
    return make_scene(extra=light, gradient=(0.004, 0.003)), light


def test_a_galaxy_that_fills_the_field_is_not_taken_for_sky():
    scene, light = _galaxy()
    found = separate(scene.spectra, scene.lenslets, DAR, GRID)
    assert found.extended is not None
    usable = scene.spectra.usable()
    ratio = np.median(np.where(usable, found.sky.model / scene.sky, np.nan), axis=1)
    bright = light > 0.1 * light.max()
    assert abs(np.nanmedian(ratio) - 1) < 0.015
    left = np.where(usable, scene.spectra.flux - found.sky.model, 0)[bright].sum()
    assert abs(left / np.where(usable, scene.light, 0)[bright].sum() - 1) < 0.025


def test_a_galaxy_stays_one_with_sky_fibers_of_ones_own():
    scene, light = _galaxy()
    search = search_sources(scene.spectra, scene.lenslets, DAR, GRID)
    mine = light < np.quantile(light, 0.1)
    found = separate(scene.spectra, scene.lenslets, DAR, GRID, search=search, sky_fibers=mine)
    assert found.extended is not None and np.array_equal(found.sky.fibers, mine & scene.spectra.usable().any(axis=1))
    usable, bright = scene.spectra.usable(), light > 0.1 * light.max()
    left = np.where(usable, scene.spectra.flux - found.sky.model, 0)[bright].sum()
    assert abs(left / np.where(usable, scene.light, 0)[bright].sum() - 1) < 0.025  # as without


def test_given_sky_fibers_are_used_and_wrong_ones_refused():
    scene = make_scene([POINT], strength=[20.0])
    chosen = np.hypot(scene.lenslets.x - POINT[0], scene.lenslets.y - POINT[1]) > 2.5
    found = separate(scene.spectra, scene.lenslets, DAR, GRID, sky_fibers=chosen)
    assert (found.sky.fibers <= chosen).all()
    assert abs(_pull(scene, found).mean()) < 0.05
    with pytest.raises(UsageError, match="sky fibers"):
        separate(scene.spectra, scene.lenslets, DAR, GRID, sky_fibers=np.zeros(chosen.size, bool))


def test_a_known_source_is_measured_again_without_a_search():
    scene = make_scene([POINT], strength=[20.0])
    first = separate(scene.spectra, scene.lenslets, DAR, GRID)
    again = separate(scene.spectra, scene.lenslets, DAR, GRID, sources=first.sources)
    assert abs(again.sources[0].x - first.sources[0].x) < 0.002


def test_fibers_with_wider_lines_get_a_wider_sky():
    lenslets = make_scene().lenslets
    widths = LSF * (1 + 0.06 * lenslets.x / lenslets.x.max())
    scene = make_scene(widths=widths, noise=0.1)
    lsf = np.broadcast_to(widths[:, None], scene.sky.shape)  # 1 A a px
    params = SeparateParams(lines=False)
    plain = separate(scene.spectra, scene.lenslets, DAR, GRID, params=params)
    better = separate(scene.spectra, scene.lenslets, DAR, GRID, lsf=lsf, params=params)
    assert _pull(scene, plain, lines=True).std() > 1.2
    assert _pull(scene, better, lines=True).std() < 1.06


def test_an_error_of_the_wavelengths_is_taken_from_the_sky_lines():
    fibers = make_scene().lenslets.x.size
    scene = make_scene(shift=0.12 * np.sin(np.linspace(0, 5, fibers))[:, None], noise=0.1)
    plain = separate(scene.spectra, scene.lenslets, DAR, GRID, params=SeparateParams(lines=False))
    found = separate(scene.spectra, scene.lenslets, DAR, GRID)
    assert found.line_errors is not None
    assert _pull(scene, plain, lines=True).std() > 1.2
    assert _pull(scene, found, lines=True).std() < 1.06


def test_a_variance_that_knows_its_own_noise_does_not_make_the_sky_dark():
    scene = make_scene(noise=0.6)
    own = 0.36 * (0.3 + 0.7 * np.clip(scene.spectra.flux, 0, None))
    spectra = replace(scene.spectra, variance=own)
    found = separate(spectra, scene.lenslets, DAR, GRID)
    ratio = found.sky.model[scene.spectra.usable()].sum() / scene.sky[scene.spectra.usable()].sum()
    assert abs(ratio - 1) < 0.01  # noise of the mean: 0.003; with each sample's own weight: 0.08


def test_results_are_the_same_whatever_the_number_of_threads():
    scene = make_scene([POINT], strength=[20.0])
    found = []
    try:
        for count in (1, 2):
            set_threads(count)
            found.append(separate(scene.spectra, scene.lenslets, DAR, GRID))
    finally:
        set_threads(0)
    assert np.array_equal(found[0].sky.model, found[1].sky.model)
    assert found[0].sources[0].x == found[1].sources[0].x


def _dark_half(scene, response=1.0):
    """The spectra where fibers above the middle cannot be used."""
    dead = scene.lenslets.y > 0.3
    flux = np.where(dead[:, None], 0, scene.spectra.flux * response).astype(np.float32)
    return replace(scene.spectra, flux=flux, mask=np.where(dead[:, None], np.uint32(1), scene.spectra.mask))


def test_a_source_in_the_dark_half_is_placed_by_its_wings():
    (fit,) = separate(_dark_half(make_scene([(0.2, 1.4)], strength=[300.0])), make_scene().lenslets, DAR, GRID).sources
    assert np.hypot(fit.x - 0.2, fit.y - 1.4) < 0.05


def test_what_the_first_source_leaves_is_no_source_in_the_dark_half():
    scene = make_scene([(0.2, -0.4)], strength=[300.0])
    tilted = 1 + 0.3 * np.exp((scene.lenslets.y - 0.3) / 0.6)[:, None]  # a response that is off at the border
    found = separate(_dark_half(scene, tilted), scene.lenslets, DAR, GRID).sources
    assert np.hypot(found[0].x - 0.2, found[0].y + 0.4) < 0.2
    assert all(one.y < 0.6 for one in found)
