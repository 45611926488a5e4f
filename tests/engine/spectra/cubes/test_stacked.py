"""Detectors and exposures of a target as one cube: its light, its place, and errors that are right."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.cubes.stacked import FieldPart, stacked_cube
from ifuview.engine.spectra.field.cube import make_cube
from ifuview.engine.spectra.field.lenslet import Lenslets, moffat_share
from ifuview.errors import UsageError
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra
from tests.engine.spectra.field.scene import DAR, SIZE, places

WAVE = np.arange(5000.0, 5400.0, 0.7)
SPANS = {"blue": (4980.0, 5230.0), "red": (5180.0, 5420.0)}
FWHM, BETA, STRENGTH = 1.5, 3.5, 50.0


def exposure(
    span: str, seed: int, *, place=(0.0, 0.0), turn=0.0, clouds=1.0, noise=0.1, strength=STRENGTH, companion=0.0
) -> FieldPart:  # fmt: skip
    """A star at a place of a field; a second one 1.4 arcsec beside it in x of a field that is not turned."""
    rng, lenslets = np.random.default_rng(seed), places()
    wave = np.arange(*SPANS[span], 1.1) + rng.uniform(-0.5, 0.5, (lenslets.x.size, 1))
    node = np.linspace(4970, 5430, 6)
    dx, dy = (np.interp(node, DAR[0], DAR[n]) for n in (1, 2))
    off = np.radians(-turn)
    shares = [
        light * moffat_share(lenslets, place[0] + dx + ox * np.cos(off), place[1] + dy + ox * np.sin(off),
                             np.full(6, FWHM), BETA)
        for light, ox in ((strength, 0.0), (companion, 1.4))
    ]  # fmt: skip
    share = np.sum(shares, axis=0).T
    light = np.stack([np.interp(w, node, s) for w, s in zip(wave, share)])
    flux = clouds * light + rng.normal(0, noise, light.shape)
    mask = np.zeros(flux.shape, np.uint32)
    mask[seed % 7] = int(ReductionBit.DEAD_FIBER)
    spectra = FiberSpectra(flux, np.full(flux.shape, noise**2), mask, wave)
    return FieldPart(lambda: spectra, lenslets, place, DAR, turn, 1 / clouds)


def caught(place=(0.0, 0.0)) -> float:
    """Light of the star within the field."""
    return STRENGTH * float(moffat_share(places(), np.array([place[0]]), np.array([place[1]]), FWHM, BETA).sum())


@pytest.mark.parametrize("turn", [0.0, 33.0])
def test_the_light_is_that_of_the_target_in_every_detector_and_exposure(turn):
    parts = [
        exposure("blue", 1),
        exposure("red", 2),
        exposure("blue", 3, place=(0.5, -0.3), turn=turn, clouds=0.6),
        exposure("red", 4, place=(0.5, -0.3), turn=turn, clouds=0.6),
    ]
    cube = stacked_cube(parts, WAVE)
    assert cube.wave[0] == WAVE[0] and np.allclose(np.diff(cube.wave), 0.7)
    total = cube.data.sum(axis=(1, 2))
    ratio = total / caught()
    # noise of a sample: 2 %, of a range 0.2 %; a turned field adds light beyond that of the first
    assert np.median(ratio) == pytest.approx(1.0, abs=0.015)
    for low, high in ((5020, 5160), (5190, 5220), (5240, 5380)):  # either side and the overlap on one level
        assert np.mean(ratio[(cube.wave > low) & (cube.wave < high)]) == pytest.approx(1.0, abs=0.02)
        picture = cube.data[(cube.wave > low) & (cube.wave < high)].sum(axis=0)
        x = (picture.sum(axis=0) @ cube.grid.x) / picture.sum()
        y = (picture.sum(axis=1) @ cube.grid.y) / picture.sum()
        assert np.hypot(x, y) < 0.05


def test_what_is_beside_the_target_is_there_in_a_turned_field_too():
    turned = exposure("blue", 3, place=(0.4, 0.2), turn=90.0, companion=20.0)
    both = stacked_cube([exposure("blue", 1, companion=20.0), turned], WAVE)
    alone = stacked_cube([turned], WAVE)
    for cube in (both, alone):
        picture = cube.data.sum(axis=0)
        row = np.argmin(np.abs(cube.grid.y - (0.0 if cube is both else 0.2)))
        x = 1.4 + (0.0 if cube is both else 0.4)
        right = np.interp(x, cube.grid.x, picture[row - 1 : row + 2].sum(axis=0))
        left = np.interp(x - 2.8, cube.grid.x, picture[row - 1 : row + 2].sum(axis=0))
        assert right > 1.5 * left


def test_errors_of_spaxels_are_right():
    """Of noise alone, one exposure or several with clouds: pulls of a width of one, also where a fiber is dead."""
    single = exposure("blue", 5, strength=0.0)
    spectra = single.spectra()
    own = FiberSpectra(spectra.flux, spectra.variance, spectra.mask, spectra.wave[40])
    cubes = [
        make_cube(own, single.lenslets, DAR),
        stacked_cube([single], WAVE),
        stacked_cube(
            [single, exposure("blue", 6, place=(0.3, 0.1), clouds=0.5, strength=0.0), exposure("red", 7, strength=0.0)],
            WAVE,
        ),
        stacked_cube([exposure("blue", 6, turn=33.0, strength=0.0)], WAVE),
    ]
    for cube in cubes:
        known = cube.variance > 0
        pull = cube.data[known] / np.sqrt(cube.variance[known])
        assert pull.std() == pytest.approx(1.0, abs=0.05), pull.std()
        assert abs(np.median(pull)) < 0.05


def test_a_cube_of_one_exposure_is_its_cube():
    part = exposure("blue", 8)
    lenslets, spectra = part.lenslets, part.spectra()
    even = FiberSpectra(spectra.flux, spectra.variance, spectra.mask, spectra.wave[0])
    same = FieldPart(lambda: even, lenslets, (0.0, 0.0), DAR)
    wave = spectra.wave[0]
    left, right = stacked_cube([same], wave, smooth=0.0), make_cube(even, lenslets, DAR * [[1], [1], [1]], smooth=0.0)
    assert np.isclose(left.data.sum(), right.data[: left.wave.size].sum(), rtol=2e-3)
    assert left.grid.step == right.grid.step and left.data.shape[1:] == right.data.shape[1:]


def test_a_lost_field_is_filled_by_another_exposure():
    part, other = exposure("blue", 1), exposure("blue", 2)
    spectra = part.spectra()
    near = np.hypot(part.lenslets.x, part.lenslets.y) < 2 * SIZE
    mask = np.where(near[:, None], np.uint32(ReductionBit.SATURATED), spectra.mask)
    lost = FiberSpectra(spectra.flux, spectra.variance, mask, spectra.wave)
    cube = stacked_cube([FieldPart(lambda: lost, part.lenslets, (0.0, 0.0), DAR), other], WAVE)
    # spaxels at the rim of what is lost are seen twice by their fainter half
    assert np.median(cube.data.sum(axis=(1, 2))) == pytest.approx(caught(), rel=0.04)


def test_what_cannot_be_one_cube_is_refused():
    part = exposure("blue", 1)
    with pytest.raises(UsageError, match="nothing"):
        stacked_cube([], WAVE)
    with pytest.raises(UsageError, match="nothing is there"):
        stacked_cube([part], np.arange(8000.0, 8100.0))
    spectra = part.spectra()
    vacuum = FiberSpectra(spectra.flux, spectra.variance, spectra.mask, spectra.wave, medium="vacuum")
    other = FieldPart(lambda: vacuum, Lenslets(part.lenslets.x, part.lenslets.y, SIZE), (0.0, 0.0), DAR)
    with pytest.raises(UsageError, match="one unit"):
        stacked_cube([part, other], WAVE)
