"""Row-stacked spectra of an instrument with other words than DESI's."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits as afits
from astropy.table import Table

from ifuview import io
from ifuview.errors import MissingDataError
from ifuview.model.fibers import FiberRole
from ifuview.model.image import Kind

NSPEC, NWAVE = 36, 50


def sframe(path: Path) -> None:
    """A small LVM-like sky-subtracted frame."""
    slits = Table(
        {
            "fiberid": np.arange(NSPEC) + 1,
            "blockid": np.arange(NSPEC) // 12,
            "targettype": np.where(np.arange(NSPEC) % 6 == 0, "SKY", "science"),
            "xpmm": np.linspace(-1, 1, NSPEC),
            "ypmm": np.zeros(NSPEC),
            "fibstatus": np.where(np.arange(NSPEC) == 4, 1, 0).astype("i2"),
            "ra": np.full(NSPEC, 10.0),
            "dec": np.full(NSPEC, -20.0),
        }
    )
    data = np.ones((NSPEC, NWAVE), "f4")
    hdus = [afits.ImageHDU(data * k, name=name) for k, name in ((1, "FLUX"), (4, "IVAR"), (2, "LSF"), (3, "SKY"))]
    wave = afits.ImageHDU((4000 + 0.5 * np.arange(NWAVE)) * 1e-10, name="WAVE")  # in m
    primary = afits.PrimaryHDU(header=afits.Header({"INSTRUME": "LVM", "CCD": "b1", "EXPTIME": 900.0}))
    afits.HDUList([primary, *hdus, wave, afits.BinTableHDU(slits, name="SLITMAP")]).writeto(path)


@pytest.mark.parametrize(("wave", "unit", "why"), [
    (np.arange(50.0), "pixel", "unit of no wavelengths"), (np.arange(50.0), "km/s", "unit of no wavelengths"),
    (np.full(50, np.nan), "Angstrom", "none of its wavelengths"), (np.arange(4000.0, 4049.0), "Angstrom", "shape"),
])  # fmt: skip
def test_numbers_that_are_called_wavelengths_and_are_none_are_said(
    tmp_path: Path, wave: np.ndarray, unit: str, why: str
) -> None:
    flux = afits.ImageHDU(np.ones((NSPEC, 50), "f4"), name="FLUX")
    errors, waves = afits.ImageHDU(flux.data, name="IVAR"), afits.ImageHDU(wave, name="WAVELENGTH")
    waves.header["BUNIT"] = unit
    afits.HDUList([afits.PrimaryHDU(), flux, errors, waves]).writeto(tmp_path / "a.fits")
    found = io.open_dataset(tmp_path / "a.fits")
    assert found.images[0].wave is None and found.images[0].ivar is not None
    assert any("WAVELENGTH is left out" in note and why in note for note in found.notes)


def test_the_words_come_from_the_instrument_file(tmp_path: Path) -> None:
    path = tmp_path / "lvmSFrame-00001.fits"
    sframe(path)
    found = io.open_dataset(path)
    im = found.images[0]
    assert (found.instrument, found.kind, im.kind, im.camera) == ("lvm", "lvmsframe", Kind.RSS, "b1")
    np.testing.assert_allclose(im.wave[[0, -1]], [4000, 4024.5])
    assert im.lsf is not None and im.ivar is not None and im.header["EXPTIME"] == 900.0
    fibers = im.fibermap
    assert fibers.fiber_id[0] == "1" and fibers.block[12] == 1 and fibers.focal_x[0] == -1
    assert fibers.role[0] is FiberRole.SKY and fibers.role[1] is FiberRole.SCIENCE and fibers.role[4] is FiberRole.DEAD
    assert any("air" in note for note in found.notes)


def test_another_layer_is_shown_with_the_same_wavelengths_and_fibers(tmp_path: Path) -> None:
    path = tmp_path / "lvmSFrame-00001.fits"
    sframe(path)
    im = io.open_dataset(f"{path}[SKY][11:20,1:12]").images[0]
    assert im.name == "SKY" and im.shape == (12, 10) and im.ivar is None
    assert im.wave[0] == pytest.approx(4005.0) and im.fibermap.nfiber == 12


def test_all_extensions_keep_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "lvmSFrame-00001.fits"
    sframe(path)
    images = {im.name: im for im in io.open_all(path).images}
    assert list(images) == ["FLUX", "IVAR", "LSF", "SKY", "WAVE"]
    assert images["FLUX"].ivar is not None and images["SKY"].fibermap is not None
    assert images["WAVE"].kind is Kind.SPECTRUM


def test_resolution_is_held_only_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "frame-r6-00000001.fits.gz"
    data = np.ones((NSPEC, NWAVE), "f4")
    plain = tmp_path / "plain.fits"
    res = afits.ImageHDU(np.ones((NSPEC, 3, NWAVE), "f4"), name="RESOLUTION")
    afits.HDUList([afits.PrimaryHDU(), afits.ImageHDU(data, name="FLUX"), res]).writeto(plain)
    path.write_bytes(gzip.compress(plain.read_bytes()))
    found = io.probe(path).fits
    assert found.select("RESOLUTION").data is None and found.select("FLUX").data is not None
    assert io.open_dataset(f"{path}[2]").images[0].pixels.shape == (NSPEC, 3, NWAVE)
    assert io.open_dataset(f"{path}[RESOLUTION]").images[0].kind is Kind.CUBE
    with pytest.raises(MissingDataError):
        io.open_dataset(f"{path}[SKY]")
