"""Sky among many stars is that of the fibers between them, and serves fibers elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.field.lenslet import Face, Lenslets, moffat_share
from ifuview.engine.spectra.sky.many import fit_sky, moved_sky
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


def test_sky_serves_fibers_elsewhere_on_the_plane() -> None:
    spectra, x, y, truth, _ = _scene(2)
    there = x < 20
    part = FiberSpectra(spectra.flux[there], spectra.variance[there], spectra.mask[there], spectra.wave[there])
    found = fit_sky(part, x[there], y[there], np.zeros(there.sum(), int))
    moved = moved_sky(found, (x[there], y[there]), spectra.wave[~there], (x[~there], y[~there]))
    assert abs(np.median(moved.sky.model / truth[~there]) - 1) < 0.006
    assert not moved.sky.fibers.any()


def test_no_sky_is_said() -> None:
    spectra, x, y, *_ = _scene(1)
    with pytest.raises(FitError, match="too few"):
        fit_sky(spectra, x, y, np.zeros(256, int), light=np.ones(256))
