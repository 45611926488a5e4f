"""Sky among many stars is that of the fibers between them, and serves fibers elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.field.lenslet import Face, Lenslets, moffat_share
from ifuview.engine.spectra.sky.many import fit_sky, worn_sky
from ifuview.errors import FitError
from ifuview.model.reduction.spectra import FiberSpectra


def _sky(wave: np.ndarray) -> np.ndarray:
    return 50 + 5 * np.sin(wave / 60) + 200 * np.exp(-0.5 * ((wave - 4300) / 5) ** 2)


def _scene(stars: int, seed: int = 1):
    rng = np.random.default_rng(seed)
    row, column = (v.ravel() for v in np.mgrid[:16, :16])
    x, y = column * 2.54, row * 2.2
    wave = 4000 + rng.uniform(0, 3, (256, 1)) + np.linspace(0, 600, 250)
    surface = 1 + 6e-4 * (x - 19) - 4e-4 * (y - 16)
    truth = surface[:, None] * _sky(wave)
    lenslets = Lenslets(x, y, 1.5, Face.CIRCLE)
    light = np.zeros(256)
    for sx, sy, own in zip(*rng.uniform(2, 34, (2, stars)), rng.uniform(50, 3000, stars), strict=True):
        light += own * moffat_share(lenslets, np.array([sx]), np.array([sy]), np.array([1.7]), 3.5)[0]
    variance = truth + light[:, None] + 10
    flux = truth + light[:, None] + np.sqrt(variance) * rng.normal(size=truth.shape)
    spectra = FiberSpectra(flux, variance, np.zeros(flux.shape, np.uint32), wave)
    return spectra, x, y, truth, light


def test_sky_among_stars_is_right_to_a_few_thousandths() -> None:
    spectra, x, y, truth, light = _scene(12)
    found = fit_sky(spectra, x, y, np.arange(256) // 64)
    ratio = (found.sky.model / truth).mean(axis=1)
    assert abs(np.median(ratio) - 1) < 0.002 and ratio.std() < 0.003
    assert not found.sky.fibers[light > 5].any() and not found.crowded
    told = fit_sky(spectra, x, y, np.arange(256) // 64, light=light / 50)
    assert not told.sky.fibers[light > 0.15].any()
    assert abs(np.median((told.sky.model / truth).mean(axis=1)) - 1) < 0.001


@pytest.mark.parametrize("stars", [20, 35, 60, 100])
def test_a_crowded_field_has_a_sky_right_to_a_percent_or_is_called_crowded(stars) -> None:
    """From 36 to 180 stars a whole fiber head, most brighter than all sky around them."""
    spectra, x, y, truth, _ = _scene(stars, seed=stars)
    try:
        found = fit_sky(spectra, x, y, np.arange(256) // 64)
    except FitError as refused:
        assert stars > 35 and "take another slot or exposure for sky" in str(refused)
        return
    assert abs(np.median(found.sky.model / truth) - 1) < (0.005 if stars <= 35 else 0.01) or found.crowded
    assert stars > 35 or not found.crowded


def test_wavelength_error_of_an_amplifier_is_taken_from_its_lines() -> None:
    spectra, x, y, seen, _ = _scene(0)
    block = np.arange(256) // 64
    off = np.where(block == 2, 0.6, 0.0)[:, None]
    wrong = FiberSpectra(spectra.flux, spectra.variance, spectra.mask, spectra.wave + off)
    line = np.abs(spectra.wave - 4300) < 12
    left = [
        np.abs(fit_sky(wrong, x, y, block, lines=lines).sky.model - seen)[line & (block == 2)[:, None]].mean()
        for lines in (False, True)
    ]
    assert left[1] < 0.5 * left[0]


def _part(spectra: FiberSpectra, own: np.ndarray, factor: float = 1.0) -> FiberSpectra:
    flux, variance = spectra.flux[own] * factor, spectra.variance[own] * factor**2
    return FiberSpectra(flux, variance, spectra.mask[own], spectra.wave[own])


def test_fibers_that_all_see_a_source_wear_the_sky_of_others_as_bright_as_its_lines() -> None:
    spectra, x, y, truth, _ = _scene(2)
    there = x < 20
    found = fit_sky(_part(spectra, there), x[there], y[there], np.zeros(there.sum(), int))
    lit = _part(spectra, ~there, 1.1)
    lit = FiberSpectra(lit.flux + 200, lit.variance + 200, lit.mask, lit.wave)  # light without lines
    worn = worn_sky(found, lit, x[~there], y[~there])
    ratio = worn.sky.model / truth[~there] / 1.1
    noise = 22 / np.sqrt(ratio.size * 590)  # of the light, over what the line has in each sample
    assert abs(np.median(ratio) - 1) < 3 * noise and ratio.mean(axis=1).std() < 0.006
    assert not worn.sky.fibers.any() and "1.10" in worn.sky.notes[-1]
    blind = FiberSpectra(lit.flux, lit.variance + 1e6, lit.mask, lit.wave)
    assert worn_sky(found, blind, x[~there], y[~there]).surface.value.max() == 1.0
    with pytest.raises(FitError):
        worn_sky(found, blind, x[~there], y[~there], surely=True)


def test_heads_together_keep_planes_of_their_own() -> None:
    spectra, x, y, truth, _ = _scene(4)
    head = (x > 20).astype(int)
    step = np.where(head == 1, 1.05, 1.0)[:, None]
    both = FiberSpectra(spectra.flux * step, spectra.variance * step**2, spectra.mask, spectra.wave)
    found = fit_sky(both, x, y, head, head=head)
    ratio = (found.sky.model / truth / step).mean(axis=1)
    assert abs(np.median(ratio) - 1) < 0.002 and ratio.std() < 0.004


def test_no_sky_is_said() -> None:
    spectra, x, y, *_ = _scene(1)
    with pytest.raises(FitError, match="too few"):
        fit_sky(spectra, x, y, np.zeros(256, int), light=np.ones(256))
