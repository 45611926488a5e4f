"""The median of the kernels is that of numpy, whatever the values are."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from ifuview.engine.context import SILENT
from ifuview.engine.spectra.cubes.kernels import COUNT, FLUX, VARIANCE
from ifuview.engine.spectra.cubes.medians import BINS, middle
from ifuview.engine.spectra.cubes.parts import CubeParts
from ifuview.engine.spectra.cubes.ranges import LatestMedians
from ifuview.engine.spectra.cubes.spaxels import median_of, spaxel_medians
from ifuview.model.pixels import Pixels

COUNTS = np.empty(BINS, np.int64)


def draws(rng, n):
    yield rng.normal(0, 1, n)
    yield rng.integers(0, 3, n)
    yield np.full(n, 7.0)
    yield np.append(rng.normal(0, 1e-3, n - 1), 3e38)
    yield np.concatenate([np.zeros(n // 2), np.ones(n - n // 2)])
    yield np.append(np.full(n - 1, -2.5), 1e30)
    yield np.exp(rng.normal(0, 20, n))


@pytest.mark.parametrize("n", [1, 2, 3, 24, 25, 26, 101, 1000, 2001])
def test_it_is_the_median(n):
    rng = np.random.default_rng(n)
    for values in draws(rng, n):
        values = np.asarray(values, np.float32)
        expected = float(np.median(values.astype(np.float64)))
        assert middle(values.copy(), n, (n - 1) // 2, n // 2, COUNTS) == pytest.approx(expected, rel=1e-6, abs=0)


def cube(seed=3):
    """Noise whose level moves along x and wavelength, stars, unknown voxels, a flat plane, errors and a mask."""
    rng = np.random.default_rng(seed)
    flux = rng.normal(0, 1, (30, 24, 40)) + 0.05 * np.arange(40) + np.arange(30)[:, None, None]
    flux[:, 5, 7] = 1e6
    flux[rng.random(flux.shape) < 0.05] = np.nan
    flux[4] = 2.5
    flux[5] = np.nan
    mask = rng.random(flux.shape) < 0.05
    parts = CubeParts(Pixels(flux.astype(np.float32)), Pixels(np.ones(flux.shape, np.float32)),
                      Pixels(mask.astype(np.uint8)))  # fmt: skip
    return parts, np.where(mask, np.nan, flux.astype(np.float32))


def test_medians_of_a_region_that_is_moved_and_then_jumps_are_exact():
    parts, flux = cube()
    y, x = np.indices(flux.shape[1:])
    found = None
    for at in (8, 9, 10, 12, 12, 30, 31, 8):
        inside = (x - at) ** 2 + (y - 12) ** 2 < 49
        found = spaxel_medians(parts, inside, found)
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            expected = np.nanmedian(flux[:, inside].astype(float), axis=1)
        np.testing.assert_allclose(found.sums[:, FLUX], expected, rtol=1e-6)
        assert (found.sums[:, COUNT] == np.isfinite(flux[:, inside]).sum(axis=1)).all()
    fresh = median_of(spaxel_medians(parts, inside))
    np.testing.assert_array_equal(fresh.flux, found.sums[:, FLUX])
    np.testing.assert_array_equal(
        fresh.error, np.where(found.sums[:, COUNT] > 0, np.sqrt(found.sums[:, VARIANCE]), np.inf)
    )


def test_medians_of_a_range_that_is_moved_and_then_jumps_are_exact():
    parts, flux = cube()
    near = LatestMedians()
    for first, last, every in ((6, 20, 1), (7, 21, 1), (7, 22, 2), (20, 30, 1), (6, 9, 1), (0, 30, 3), (0, 30, 1)):
        sums, seen = near.of(parts, first, last, SILENT, every), flux[first:last:every]
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            expected = np.nanmedian(seen.astype(float), axis=0)
        np.testing.assert_allclose(sums[FLUX], expected, rtol=1e-6)
        assert (sums[COUNT] == np.isfinite(seen).sum(axis=0)).all()
