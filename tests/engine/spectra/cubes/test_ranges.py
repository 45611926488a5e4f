"""Images of wavelength ranges against sums by hand and against lines that were put in."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.cubes import ranges
from ifuview.engine.spectra.cubes.parts import CubeParts
from ifuview.model.pixels import Pixels

NW, NY, NX = 300, 11, 13
WAVE = 5000.0 + 1.5 * np.arange(NW)
WINDOW = (5100.0, 5300.0)


@pytest.fixture(scope="module")
def noisy():
    rng = np.random.default_rng(3)
    flux = rng.normal(2, 1, (NW, NY, NX)).astype(np.float32)
    ivar = rng.uniform(0.5, 2, (NW, NY, NX)).astype(np.float32)
    mask = (rng.random((NW, NY, NX)) < 0.05).astype(np.uint8)
    flux[80, 4, 5], ivar[90, 4, 5], mask[:, 2, 3] = np.nan, 0, 1
    return flux, ivar, mask


def parts(flux, ivar=None, mask=None) -> CubeParts:
    return CubeParts(*(None if a is None else Pixels(a) for a in (flux, ivar, mask)))


@pytest.mark.parametrize("kind", ["single", "double", "running"])
@pytest.mark.parametrize("how", ["sum", "mean", "median"])
def test_ranges_are_exact_and_so_are_their_errors(noisy, how, kind):
    flux, ivar, mask = noisy
    cube = parts(flux.astype(float) if kind == "double" else flux, ivar, mask)
    running = ranges.running_sums(cube) if kind == "running" else None
    found = ranges.range_image(cube, WAVE, WINDOW, how, running=running)
    use = (WINDOW[0] <= WAVE) & (WINDOW[1] >= WAVE)
    known = (np.isfinite(flux) & (ivar > 0) & (mask == 0))[use]
    values = np.where(known, flux[use], np.nan).astype(float)
    n, total = known.sum(axis=0), use.sum()
    good = n > 0
    assert np.array_equal(np.isnan(found.flux), ~good)
    assert np.array_equal(found.ivar == 0, ~good)
    if how == "median":
        assert found.flux[good] == pytest.approx(np.nanmedian(values[:, good], axis=0), rel=1e-6)
        noise = 0.5 * np.pi * n / np.maximum(np.where(known, np.sqrt(ivar[use]), 0).sum(axis=0), 1e-9) ** 2
    else:
        factor = (total if how == "sum" else 1) / n[good]
        assert found.flux[good] == pytest.approx(np.nansum(values[:, good], axis=0) * factor, rel=1e-5)
        noise = np.zeros(n.shape)
        noise[good] = np.where(known, 1 / np.where(ivar > 0, ivar, 1)[use], 0).sum(axis=0)[good] * factor**2
    assert 1 / found.ivar[good] == pytest.approx(noise[good], rel=1e-4)


@pytest.mark.parametrize("window", [(5000.0, 5449.0), (5001.0, 5100.0), (5200.0, 5447.0), (5093.0, 5196.0)])
def test_running_sums_give_what_planes_give(noisy, window):
    cube = parts(*noisy)
    running = ranges.running_sums(cube)
    assert running.nbytes == ranges.running_size(cube)
    first, last = ranges.planes_of(WAVE, window)
    direct = ranges.plane_sums(cube, first, last)
    assert ranges.plane_sums(cube, first, last, running) == pytest.approx(direct, rel=1e-9, abs=1e-7)


def test_sums_of_ranges_that_are_dragged_give_what_planes_give(noisy, monkeypatch):
    cube, latest, read = parts(*noisy), ranges.LatestSums(), []
    add = ranges._add
    monkeypatch.setattr(ranges, "_add", lambda of, a, b, *rest: (read.append(b - a), add(of, a, b, *rest)))
    for first, last in ((20, 120), (23, 123), (18, 130), (40, 41), (19, 128), (200, 300), (0, 300), (205, 290)):
        found = ranges.plane_sums(cube, first, last, latest)
        direct = np.zeros(found.shape)
        add(cube, first, last, 1.0, direct, ranges.SILENT)
        assert found == pytest.approx(direct, rel=1e-9, abs=1e-7)
    assert sum(read) == 100 + 6 + 12 + 1 + 3 + 100 + 191 + 15  # the planes that come and go


def test_the_nearest_plane_stands_for_a_range_between_planes():
    assert ranges.planes_of(WAVE, (5000.8, 5001.2)) == (1, 2)
    assert ranges.planes_of(WAVE[::-1], (5000.0, 5003.0)) == (NW - 3, NW)


def line(flux: float, center: float, sigma: float) -> np.ndarray:
    return flux / (sigma * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((WAVE - center) / sigma) ** 2)


def sky_of_lines(rng, noise: float):
    """A continuum that slopes, and in each spaxel a line at a place of its own; the truth."""
    center = rng.uniform(5195, 5205, (NY, NX))
    light = np.stack([[line(400.0, c, 8.0) for c in row] for row in center], axis=0)
    flux = np.moveaxis(light, -1, 0) + 3 + 0.01 * (WAVE - 5200)[:, None, None]
    return (flux + rng.normal(0, noise, flux.shape)).astype(np.float32), center


def test_moments_of_a_line_on_a_slope_are_its_own_and_errors_are_true():
    rng = np.random.default_rng(8)
    noise, window, sides = 0.3, (5155.0, 5245.0), ((5050.0, 5130.0), (5270.0, 5350.0))
    flux, center = sky_of_lines(rng, noise)
    cube = parts(flux, np.full(flux.shape, noise**-2, np.float32))
    found = ranges.moments(cube, WAVE, window, sides)
    for image, truth in zip(found, (400.0, center, 8.0)):
        pull = (image.flux - truth) * np.sqrt(image.ivar)
        # 143 spaxels: the scatter is known to 6 %; the continuum is in the error of moment 0 alone
        assert np.std(pull) == pytest.approx(1, abs=0.3), image.name
        assert abs(np.mean(pull)) < 0.35, image.name
    above = ranges.range_image(cube, WAVE, window, "above continuum", sides)
    assert above.flux * 1.5 == pytest.approx(found[0].flux, rel=1e-4)
    pull = (above.flux * 1.5 - 400) * np.sqrt(above.ivar) / 1.5
    assert np.std(pull) == pytest.approx(1, abs=0.2)


def test_no_line_has_no_place():
    rng = np.random.default_rng(9)
    flux = rng.normal(3, 1, (NW, NY, NX)).astype(np.float32)
    found = ranges.moments(parts(flux, np.ones(flux.shape, np.float32)), WAVE, (5180.0, 5220.0))
    assert np.mean(np.isnan(found[1].flux)) > 0.97
    assert np.isfinite(found[0].flux).all()
