"""Spectra of regions against sums by hand, for every way in which numbers and errors are stored."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.cubes.parts import CubeParts, parts_of
from ifuview.engine.spectra.cubes.spaxels import median_of, spaxel_medians, spaxel_sums, spectrum_of
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

NW, NY, NX = 40, 12, 15
YY, XX = np.mgrid[:NY, :NX]


def disk(x: float, y: float, radius: float) -> np.ndarray:
    return (XX - x) ** 2 + (YY - y) ** 2 <= radius**2


@pytest.fixture(scope="module")
def truth():
    """Flux, sigma and mask with holes of all three kinds."""
    rng = np.random.default_rng(4)
    flux = rng.normal(10, 3, (NW, NY, NX)).astype(np.float32)
    sigma = rng.uniform(0.5, 2.0, (NW, NY, NX)).astype(np.float32)
    mask = (rng.random((NW, NY, NX)) < 0.1).astype(np.int16) * 4
    flux[3, 5, 6], flux[4, 5, 7] = np.nan, np.inf
    sigma[7, 6, 6] = np.inf
    mask[11] = 1
    return flux, sigma, mask


def stored(kind: str, flux, sigma, mask) -> CubeParts:
    with np.errstate(divide="ignore"):
        ivar = (1 / sigma.astype(float) ** 2).astype(np.float32)
    if kind == "ivar":
        return CubeParts(Pixels(flux), Pixels(ivar), Pixels(mask))
    if kind == "big-endian sigma":
        errors = np.where(np.isfinite(sigma), sigma, 0).astype(">f4")
        return CubeParts(Pixels(flux.astype(">f4")), Pixels(errors, power=-2), Pixels(mask.astype(">i4")))
    return CubeParts(Pixels(flux.astype(np.float64)), Pixels(sigma.astype(np.float64) ** 2, power=-1), Pixels(mask))


def expected(flux, sigma, mask, inside, how):
    known = np.isfinite(flux) & np.isfinite(sigma) & (mask == 0) & inside
    f, s = np.where(known, flux, 0).astype(float), np.where(known, sigma, 0).astype(float)
    n, total = known.sum((1, 2)), inside.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (total if how == "sum" else 1) / n
        return f.sum((1, 2)) * factor, np.sqrt((s**2).sum((1, 2))) * factor, n


@pytest.mark.parametrize("how", ["sum", "mean"])
@pytest.mark.parametrize("kind", ["ivar", "big-endian sigma", "double variance"])
def test_sums_and_means_are_exact(truth, kind, how):
    inside = disk(6, 5, 4)
    found = spectrum_of(spaxel_sums(stored(kind, *truth), inside), how)
    flux, error, n = expected(*truth, inside, how)
    good = n > 0
    assert found.count == pytest.approx(n)
    assert found.flux[good] == pytest.approx(flux[good], rel=1e-5)
    assert found.error[good] == pytest.approx(error[good], rel=1e-5)
    assert np.isnan(found.flux[11]) and np.isinf(found.error[11]) and found.masked[11]
    assert found.masked.sum() == 1 and found.total == inside.sum()


@pytest.mark.parametrize("kind", ["ivar", "double variance"])
def test_a_region_that_moves_gives_what_a_fresh_sum_gives(truth, kind):
    parts = stored(kind, *truth)
    sums = spaxel_sums(parts, disk(5, 5, 4))
    for x in (5.5, 6.5, 7.0, 9.0):
        sums = spaxel_sums(parts, disk(x, 5, 4), sums)
    fresh = spaxel_sums(parts, disk(9.0, 5, 4))
    assert sums.sums == pytest.approx(fresh.sums, rel=1e-9, abs=1e-9)


def test_the_error_of_a_median_is_that_of_its_scatter():
    rng = np.random.default_rng(1)
    sigma = np.broadcast_to(rng.uniform(0.5, 2.0, (1, 12, 15)), (4000, 12, 15))
    flux = rng.normal(3, sigma)
    parts = CubeParts(Pixels(flux.astype(np.float32)), Pixels(sigma.astype(np.float32), power=-2))
    found = median_of(spaxel_medians(parts, np.ones((12, 15), bool)))
    assert found.flux == pytest.approx(np.median(flux, axis=(1, 2)), rel=1e-5)
    # scatter of 4000 medians is known to 1.1 %; the formula holds to 1/n = 0.6 %
    assert np.std(found.flux) / np.mean(found.error) == pytest.approx(1, abs=0.04)


def test_without_variances_there_is_no_error_and_the_shown_cube_of_many_is_meant():
    data = np.arange(2 * NW * NY * NX, dtype=np.int16).reshape(2, NW, NY, NX)
    parts = parts_of(Image("c", Kind.CUBE, Pixels(data, scale=0.5)), (1, 3))
    found = spectrum_of(spaxel_sums(parts, disk(3, 3, 1.2)), "mean")
    assert found.error is None
    assert found.flux == pytest.approx(0.5 * data[1][:, disk(3, 3, 1.2)].mean(axis=1))
