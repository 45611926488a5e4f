"""All channels and exposures of a target as one spectrum and one cube, from memory and from files."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits

from ifuview import open_dataset
from ifuview.app.night.reduction import targets
from ifuview.app.night.reduction.products import reduced as as_product
from ifuview.app.night.reduction.targets import combine_targets, combined, multi_files, of_channel, of_file
from ifuview.commands.run import command
from ifuview.engine.spectra.flux.scale import FLUX_UNIT
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.instrument.tables import Tables
from ifuview.io.products.lrs2.writing import write_exposure
from ifuview.model.image import Kind
from ifuview.recipes.lrs2.values import FieldSpectra
from tests.app.night.reduction.conftest import DATE, OBSERVATION


def scaled(done, by: float, observation: int):
    """The channel as another exposure has it through another air."""
    spectrum, field = done.value("spectrum"), done.value("field")
    one = replace(spectrum, flux=spectrum.flux * by, variance=spectrum.variance * by**2)
    native = replace(field.native, flux=field.native.flux * by, variance=field.native.variance * by**2)
    other = FieldSpectra(field.observed, field.subtracted, field.sky, native)
    steps = {
        **done.steps,
        "spectrum": replace(done.steps["spectrum"], value=one),
        "field": replace(done.steps["field"], value=other),
    }
    return replace(done, steps=steps, exposure=replace(done.exposure, observation=observation))


@pytest.fixture(scope="module")
def two(reduced):
    """One target of two exposures, the first through clouds; what the clear one holds."""
    done = reduced[1]
    (target,) = combined([of_channel(scaled(done, 0.6, 6)), of_channel(done)])
    return target


def test_levels_are_those_of_the_clearest_exposure(two, reduced):
    spectrum = reduced[1].value("spectrum")
    assert two.factor[0] == pytest.approx(1 / 0.6, rel=0.002) and two.factor[1] == pytest.approx(1.0)
    assert any("the clearest" in note and f"{OBSERVATION:07d}" in note for note in two.record.notes)
    at = (two.spectrum.wave > 4800) & (two.spectrum.wave < 6700)
    own = np.interp(two.spectrum.wave[at], spectrum.wave, spectrum.flux)
    assert np.median(two.spectrum.flux[at] / own) == pytest.approx(1.0, abs=0.003)


def test_the_cube_holds_the_light_of_the_target_at_its_place(two, reduced):
    cube, spectrum, source = two.cube, reduced[1].value("spectrum"), reduced[1].value("sky").sources[0]
    assert np.diff(cube.wave).min() > 0.69 and cube.wave[0] < 4700 < 6900 < cube.wave[-1]
    for low, high in ((4800, 5400), (5600, 6200), (6400, 6800)):
        inside = (cube.wave > low) & (cube.wave < high)
        own = (spectrum.wave > low) & (spectrum.wave < high)
        caught = float(np.mean(spectrum.flux[own] * spectrum.fraction[own]))
        assert cube.data[inside].sum(axis=(1, 2)).mean() / caught == pytest.approx(1.0, abs=0.02)
        picture = cube.data[inside].mean(axis=0)
        near = np.hypot(cube.grid.x - source.x, cube.grid.y[:, None] - source.y) < 1.5
        x = (np.where(near, picture, 0).sum(axis=0) @ cube.grid.x) / picture[near].sum()
        y = (np.where(near, picture, 0).sum(axis=1) @ cube.grid.y) / picture[near].sum()
        assert np.hypot(x - source.x, y - source.y) < 0.1
    far = np.hypot(cube.grid.x - source.x, cube.grid.y[:, None] - source.y) > 5
    inside = (cube.wave > 5700) & (cube.wave < 6200)
    known = (cube.variance[inside] > 0) & far
    pull = cube.data[inside][known] / np.sqrt(cube.variance[inside][known])
    # two exposures of one noise: their mean is as noisy as each, a factor of 1.4 more than its variance says
    assert pull.std() / np.sqrt(2) == pytest.approx(1.0, abs=0.1)


def test_files_give_the_same_as_what_is_in_memory(reduced, tmp_path):
    done = reduced[1]
    (memory,) = combined([of_channel(done)])
    (file,) = combined([of_file(path) for path in done.files if "multi_" in path])
    assert file.names == memory.names and file.spectrum.unit == memory.spectrum.unit
    assert np.allclose(file.spectrum.flux, memory.spectrum.flux, rtol=1e-4, atol=1e-4)
    assert np.allclose(file.cube.data, memory.cube.data, rtol=1e-3, atol=1e-4)
    assert np.allclose(file.cube.variance, memory.cube.variance, rtol=1e-3, atol=1e-6)
    (held,) = combined([of_channel(done.light())])  # its fibers are read from its file
    assert np.array_equal(held.cube.data, file.cube.data)
    (path,) = (path for path in file.record.inputs)
    assert path in done.files


def test_channels_without_the_target_are_left_out(reduced, tmp_path):
    done = reduced[1]
    away = replace(done, exposure=replace(done.exposure, object="TARGET_066_E"))  # what its head saw is no target
    bare = replace(of_channel(done), spectra=None)  # without a cube
    (target,) = combined([bare, of_channel(away)])
    assert len(target.names) == 1 and target.cube is None
    assert combine_targets([of_channel(away)], str(tmp_path)) == ["no channel has a source to combine"]
    without = replace(done, steps={**done.steps, "spectrum": done.steps["spectrum"].given_up()})
    assert not list(combined([of_channel(without)]))


def test_a_target_is_held_no_more_when_the_next_is_made(reduced, tmp_path, monkeypatch):
    done, held, alive = reduced[1], [], []

    class Target(SimpleNamespace):
        """Can be asked whether it is there still."""

    def made(own, ctx):
        alive.append(sum(one() is not None for one in held))
        names, record = [one.name for one in own], SimpleNamespace(notes=())
        target = Target(factor=(1.0,), names=names, record=record)
        held.append(weakref.ref(target))
        return target

    monkeypatch.setattr(targets, "_target", made)
    monkeypatch.setattr(targets, "write_combined", lambda *_: ("a.fits",))
    objects = [replace(done, exposure=replace(done.exposure, object=name)) for name in ("A", "B", "C")]
    assert len(combine_targets([of_channel(one) for one in objects], str(tmp_path))) == 3
    assert alive == [0, 0, 0]


def test_the_command_reads_products_and_writes_a_spectrum_and_a_cube(reduced, tmp_path):
    folder = next(Path(path).parent for path in reduced[1].files if "multi_" in path)
    assert command("combine", [str(folder), "-O", str(tmp_path)]) == 0
    made = sorted(path.name for path in tmp_path.rglob("*.fits"))
    assert made == [f"combined_{DATE}_TARGET.fits", f"combined_{DATE}_TARGET_cube.fits"]
    cube = open_dataset(next(tmp_path.rglob("*_cube.fits"))).images[0]
    assert cube.kind is Kind.CUBE and cube.ivar is not None
    with fits.open(next(tmp_path.rglob("*_cube.fits"))) as found:
        assert [hdu.header["EXTNAME"] for hdu in found[1:]] == ["error", "mask", "FACTORS", "provenance"]
        assert found[0].header["BUNIT"] == "erg/s/cm2/Angstrom" and found[0].header["CDELT3"] == pytest.approx(0.7)
        light = np.nansum(found[0].data[1000:1200], axis=(1, 2)).mean()
    spectrum = reduced[1].value("spectrum")
    assert light / FLUX_UNIT / np.median(spectrum.flux) == pytest.approx(1.0, abs=0.5)
    with pytest.raises(MissingDataError, match="no spectra of all fibers of nobody"):
        command("combine", [str(folder), "-o", "nobody", "-O", str(tmp_path)])


def test_what_is_no_product_is_said(reduced, tmp_path):
    with pytest.raises(MissingDataError, match="no spectra of all fibers are there"):
        multi_files([str(tmp_path)])
    with pytest.raises(MissingDataError, match="no such file"):
        multi_files([str(tmp_path / "multi_20181201_0000007_exp01_uv.fits")])
    with pytest.raises(FileFormatError, match="not named as"):
        multi_files([str(tmp_path / "cube.fits")])
    path = next(path for path in reduced[1].files if "multi_" in path)
    short = tmp_path / Path(path).name
    short.write_bytes(Path(path).read_bytes()[:100_000])
    with pytest.raises(FileFormatError, match="no whole file"):
        multi_files([str(short)])


def test_files_of_the_published_pipeline_are_combined_too(reduced, tmp_path):
    path = next(path for path in reduced[1].files if "multi_" in path)
    with fits.open(path) as found:
        old = fits.HDUList([hdu.copy() for hdu in found[:14]])
    old.writeto(tmp_path / Path(path).name)
    (target,) = combined(multi_files([str(tmp_path)]))
    (own,) = combined(multi_files([path]))
    total, same = (one.cube.data[1500:2500].sum(axis=(1, 2)).mean() for one in (target, own))
    # masked samples of a file without native pixels are twice as wide, and neighbors fill less than a masked core held
    assert total == pytest.approx(same, rel=0.04)


def test_the_middle_of_an_extended_target_stays_with_its_file(reduced, tmp_path):
    done = reduced[1]
    product = replace(
        as_product(done.steps, done.setup, done.exposure, Tables("lrs2")), sources=(), center=(0.4, -0.2), cubes={}
    )
    part = of_file(write_exposure(tmp_path, product)[0])
    assert part.source is None and part.center == (0.4, -0.2)
