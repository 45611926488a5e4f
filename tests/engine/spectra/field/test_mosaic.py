"""A cube of dithered round fibers holds the light of a star and stays flat where the sky is."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.field.lenslet import Face, Lenslets, moffat_share, source_share
from ifuview.engine.spectra.field.mosaic import dithered_cube, point_scatter
from ifuview.engine.spectra.stars.extract import hexagon_cover
from ifuview.engine.spectra.stars.put import restored_cube
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.source import CubeGrid, SourceFit
from ifuview.model.reduction.spectra import FiberSpectra

WAVE = np.array([4000.0, 4500.0, 5000.0])
DAR = np.array([[4000.0, 4500.0, 5000.0], [-0.4, 0.0, 0.2], [0.0, 0.0, 0.0]])
DITHER = ((0.0, 0.0), (1.215, -0.7), (1.215, 0.7))


def _fibers(dithers: tuple[tuple[float, float], ...] = DITHER) -> tuple[np.ndarray, np.ndarray, Lenslets]:
    row, column = (v.ravel() for v in np.mgrid[:16, :14])
    x, y = (column - 6.5 + 0.25 * (-1.0) ** row) * 2.54, (row - 7.5) * 2.2
    all_x, all_y = (np.concatenate([v + d[k] for d in dithers]) for k, v in ((0, x), (1, y)))
    return x, y, Lenslets(all_x, all_y, 1.5, Face.CIRCLE)


def _cube(flux: np.ndarray, lenslets: Lenslets, step: float, masked: int = -1, reach: float = 16.0):
    mask = np.zeros(flux.shape, np.uint32)
    if masked >= 0:
        mask[masked] = int(ReductionBit.BAD)
    spectra = FiberSpectra(flux, np.full(flux.shape, 0.01), mask, WAVE, "1e-17 erg/s/cm2/Angstrom")
    axis = np.arange(-reach, reach + 0.01, step)
    return dithered_cube(spectra, lenslets, DAR, CubeGrid(axis, axis, step))


@pytest.mark.parametrize("step", [0.75, 0.5])
def test_sum_over_spaxels_is_the_light_of_the_star_and_it_does_not_move(step: float) -> None:
    _, _, lenslets = _fibers()
    share = moffat_share(lenslets, 1.3 + DAR[1], np.full(3, -2.1), np.full(3, 1.7), 3.5).T
    cube = _cube(100 * share, lenslets, step)
    x, y = np.meshgrid(cube.grid.x, cube.grid.y)
    near = np.hypot(x - 1.3, y + 2.1) < 6
    light = cube.data[:, near]
    np.testing.assert_allclose(light.sum(axis=1), 100, rtol=0.02)
    np.testing.assert_allclose((light * x[near]).sum(axis=1) / light.sum(axis=1), 1.3, atol=0.05)


def test_even_light_stays_even_beside_a_masked_fiber_and_the_outside_is_masked() -> None:
    x, y, lenslets = _fibers()
    middle = int(np.argmin(np.hypot(x, y)))
    cube = _cube(np.full((lenslets.x.size, 3), lenslets.area), lenslets, 0.5, middle, 24.0)
    inside = cube.mask == 0
    np.testing.assert_allclose(cube.data[inside], 0.25, rtol=1e-5)
    field = np.ones_like(inside) & (np.abs(cube.grid.x) < 13)[None, None, :] & (np.abs(cube.grid.y) < 13)[None, :, None]
    assert inside[field].all() and not inside.all()


def test_hexagonal_fibers_catch_their_part_of_the_light() -> None:
    x, y, lenslets = _fibers()
    share = moffat_share(lenslets, np.array([0.4]), np.array([1.1]), np.array([1.7]), 3.5).sum()
    assert abs(hexagon_cover(x, y, lenslets, 3) - 3 * np.pi * 0.75**2 / (2.54 * 2.2)) < 1e-3
    assert abs(share - hexagon_cover(x, y, lenslets, 3)) < 0.02


@pytest.mark.parametrize("dithers", [((0.0, 0.0),), ((0.0, 0.0),) * 3])
def test_without_dithers_no_gap_is_empty_and_flux_is_right_in_the_mean(
    dithers: tuple[tuple[float, float], ...],
) -> None:
    _, _, lenslets = _fibers(dithers)
    x, y = np.random.default_rng(3).uniform(-8, 8, (2, 400))
    flux = moffat_share(lenslets, x, y, np.full(400, 1.75), 3.5).T
    spectra = FiberSpectra(flux, np.ones_like(flux), np.zeros(flux.shape, np.uint32), np.linspace(4000, 5000, 400), "")
    axis = np.arange(-15.75, 16.0, 0.75)
    cube = dithered_cube(spectra, lenslets, np.array([DAR[0], 0 * DAR[0], 0 * DAR[0]]), CubeGrid(axis, axis, 0.75))
    light = cube.data.sum(axis=(1, 2))
    told = point_scatter(lenslets, 1.75, 3.5)
    assert not cube.mask[0, 8:-8, 8:-8].any()
    np.testing.assert_allclose(light.mean(), 1, atol=4 * told / np.sqrt(400))
    np.testing.assert_allclose(light.std(), told, rtol=0.15)  # 3.5 % by number; waves by the field's edge
    assert point_scatter(_fibers()[2], 1.75, 3.5) < 0.01 < 0.05 < told


@pytest.mark.parametrize("dithers", [((0.0, 0.0),), DITHER])
def test_a_known_star_keeps_its_flux_in_gaps_and_lost_fibers(dithers: tuple[tuple[float, float], ...]) -> None:
    _, _, lenslets = _fibers(dithers)
    star = SourceFit(1.3, 1.1, 0.1, 0.1, 1.5, 0.1, 3.5, 50.0, 4500.0, 1.0, DAR)
    light = np.array([100.0, 110.0, 120.0])
    flux = source_share(star, lenslets, WAVE) * light + 0.01
    mask = np.zeros(flux.shape, np.uint32)
    if len(dithers) > 1:  # else nothing is known of its place
        mask[int(np.argmax(flux[:, 1]))] = int(ReductionBit.BAD)
    spectra = FiberSpectra(flux, np.ones_like(flux), mask, WAVE, "")
    axis = np.arange(-15.75, 16.0, 0.75)
    grid = CubeGrid(axis, axis, 0.75)
    plain, kept = (
        dithered_cube(spectra, lenslets, DAR, grid),
        restored_cube(spectra, lenslets, DAR, grid, [(star, light)]),
    )
    gx, gy = np.meshgrid(axis, axis)
    near = np.hypot(gx - 1.3, gy - 1.1) < 7.5
    below = 0.01 / lenslets.area * 0.75**2 * near.sum()
    np.testing.assert_allclose(kept.data[:, near].sum(axis=1) - below, light, rtol=0.01)  # wings beyond: 0.4 %
    assert np.abs(plain.data[:, near].sum(axis=1) / light - 1).max() > 0.05
    far = np.hypot(gx - 1.3, gy - 1.1) > 10
    np.testing.assert_allclose(kept.data[:, far], plain.data[:, far], atol=2e-3)  # others stay as they are


def test_a_known_star_keeps_its_flux_where_all_its_fibers_are_lost() -> None:
    """As where a column of low efficiency crosses it: the spaxels are masked, but no hole is left in it."""
    _, _, lenslets = _fibers(DITHER)
    star = SourceFit(1.3, 1.1, 0.1, 0.1, 1.5, 0.1, 3.5, 50.0, 4500.0, 1.0, DAR)
    light = np.full(WAVE.size, 100.0)
    flux = source_share(star, lenslets, WAVE) * light
    mask = np.zeros(flux.shape, np.uint32)
    mask[np.hypot(lenslets.x - 1.3, lenslets.y - 1.1) < 3.0, 1] = int(ReductionBit.BAD)
    axis = np.arange(-9.75, 10.0, 0.75)
    cube = restored_cube(
        FiberSpectra(flux, np.ones_like(flux), mask, WAVE, ""), lenslets, DAR, CubeGrid(axis, axis, 0.75),
        [(star, light)],
    )  # fmt: skip
    middle = int(np.argmax(cube.data[0])) // axis.size, int(np.argmax(cube.data[0])) % axis.size
    assert cube.mask[1][middle] == int(ReductionBit.NO_DATA) and cube.mask[0][middle] == 0
    np.testing.assert_allclose(cube.data[1], cube.data[0], atol=0.1 * cube.data[0].max())  # seeing changes
