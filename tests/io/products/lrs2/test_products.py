"""Products of LRS2: names, HDUs and units as the follow-up tools expect them, whole sets, and read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview.errors import UsageError
from ifuview.instrument import instrument
from ifuview.io import open_dataset
from ifuview.io.products.lrs2 import writing
from ifuview.io.products.lrs2.combined import CombinedTarget, common_grid, write_combined
from ifuview.io.products.lrs2.folders import folder_of
from ifuview.io.products.lrs2.writing import CALIBRATION, write_calibration, write_exposure
from ifuview.model.image import Kind
from ifuview.model.reduction.ccd import CcdFrame, ReductionBit
from ifuview.model.reduction.products import (
    DetectorImages,
    ProductName,
    ReducedCalibration,
    ReducedExposure,
    ReductionRecord,
)
from ifuview.model.reduction.source import CubeGrid, SkyCube, SourceFit, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra

NFIBER, NWAVE, NROW = 280, 64, 50
UNIT = "1e-17 erg/s/cm2/Angstrom"
WAVE = np.linspace(4635.0, 6950.0, NWAVE)
KNOWN = (
    "observed_spectra", "sky_spectra", "skysub_spectra", "error_spectra", "collapsed_image", "fiber_positions",
    "extracted_spectrum", "adr", "bigw", "image", "flattened_image", "trace", "cosmics", "unrectified_spectra",
)  # fmt: skip
RAW = {
    "SIMPLE": True,
    "BITPIX": 16,
    "NAXIS": 2,
    "NAXIS1": 2128,
    "BZERO": 32768,
    "BSCALE": 1,
    "BIASSEC": "[2065:2128,1:1032]",
    "CCDSEC": "[1:2064,1:1032]",
    "INSTRUME": "lrs2",
    "OBJECT": "TARGET_056_E",
    "DATE": "2018-12-01T03:00:00.0",
    "EXPTIME": 900.0,
    "QPROG": "PSU18-3-001",
    "QRA": "05:12:00.0",
    "QDEC": "+22:06:00",
    "PARANGLE": 155.3,
}


def made(**changes) -> ReducedExposure:
    rng = np.random.default_rng(1)
    shape = (NFIBER, NWAVE)
    sky = np.full(shape, 0.9, np.float32)
    mask = np.zeros(shape, np.uint32)
    mask[3] = int(ReductionBit.DEAD_FIBER)
    flux, variance = rng.normal(0.2, 0.1, shape), np.full(shape, 0.01)
    subtracted = FiberSpectra(flux, variance, mask, WAVE, unit=UNIT)
    line = np.linspace(1, 2, NWAVE)
    fit = SourceFit(0.8, -0.4, 0.01, 0.01, 1.4, 0.02, 3.5, 80.0, 5792.5, 1.0, np.zeros((3, 2)))
    spectrum = SourceSpectrum(
        WAVE, line, line**2 / 100, line * 0.9, line * 0 + 0.0001, np.zeros(NWAVE, np.uint32), line * 0 + 0.99, UNIT
    )
    grid = CubeGrid(-6.595 + 0.4 * np.arange(33), -3.94 + 0.4 * np.arange(20), 0.4)
    empty = np.zeros((NWAVE, 20, 33), np.uint32)
    cube = SkyCube(rng.random(empty.shape, np.float32), np.ones(empty.shape, np.float32), empty, WAVE, grid, UNIT)
    positions = np.stack([np.linspace(-6, 6, NFIBER)] * 4 + [np.full(NFIBER, 78.0), np.full(NFIBER, 22.1)], axis=1)
    pixel = np.zeros((NROW, NWAVE), np.uint32)
    pixel[7, 9] = int(ReductionBit.COSMIC)
    picture = np.ones((NROW, NWAVE))
    done = ReducedExposure(
        name=ProductName(20181201, 7, 1, "orange"), header=RAW, observed=replace(subtracted, flux=flux + sky),
        subtracted=subtracted, sky=sky, positions=positions, spectrum=spectrum, sources=(fit,),
        response=np.full(NWAVE, 1.7e-10), dar=np.zeros((3, 5)),
        native=FiberSpectra(flux * 100, variance * 1e4, mask, np.broadcast_to(WAVE, shape)),
        lsf=np.full(shape, 1.8),
        images=DetectorImages(CcdFrame(picture, picture, pixel), picture.copy, picture.copy, picture),
        cubes={"obs": cube, "sky": cube, "skysub": cube}, collapsed=cube.data[0], area=51.4e4, transparency=1.0,
        record=ReductionRecord({"sky.knots": "0.8"}, {"raw.fits": "ab" * 32}, ("mirror area: the default",), "1.0"),
    )  # fmt: skip
    return replace(done, **changes)


def test_names_and_folders_are_those_of_the_night(tmp_path):
    files = write_exposure(tmp_path, made())
    assert [str(Path(f).relative_to(tmp_path)) for f in files] == [
        "LRS2/PSU18-3-001/multi_20181201_0000007_exp01_orange.fits",
        "LRS2/PSU18-3-001/spectrum_20181201_0000007_exp01_orange.fits",
        "LRS2/PSU18-3-001/20181201_0000007_exp01_orange_obs_cube.fits",
        "LRS2/PSU18-3-001/20181201_0000007_exp01_orange_sky_cube.fits",
        "LRS2/PSU18-3-001/20181201_0000007_exp01_orange_skysub_cube.fits",
    ]


@pytest.mark.parametrize(
    ("header", "night", "place"),
    [
        ({"QPROG": "PSU18-3-001"}, 20180630, "LRS2/ORPHANS"),
        ({"QPROG": "PSU18-3-001"}, 20180701, "LRS2/PSU18-3-001"),
        ({"QPROG": "  "}, 20181201, "LRS2/ORPHANS"),
        ({"QPROG": "../x/y"}, 20181201, "LRS2/x_y"),
        ({"QPROG": "PSU18-3-001", "OBJECT": "hd 19445_056_E"}, 20181201, "LRS2/STANDARDS"),
        ({"QPROG": "PSU18-3-001", "OBJECT": "HD_194_056_E"}, 20181201, "LRS2/PSU18-3-001"),
    ],
)
def test_folder_of_an_exposure(header, night, place):
    assert folder_of(header, night, ("HD_19445", "FEIGE_34")) == place


def test_the_published_hdus_come_first_in_their_order_with_more_behind(tmp_path):
    with fits.open(write_exposure(tmp_path, made())[0]) as found:
        found.verify("exception")
        assert tuple(hdu.header["EXTNAME"] for hdu in found[:14]) == KNOWN
        shapes = [hdu.data.shape for hdu in found[:14]]
        wide, picture = (NFIBER, NWAVE), (NROW, NWAVE)
        assert shapes == [wide] * 4 + [(20, 33), (NFIBER, 6), (6, NWAVE), (3, 5)] + [picture] * 5 + [wide]
        assert all(found[n].data.dtype == ">f4" for n in (0, 1, 2, 3, 13))
        assert {"variance", "mask", "native_lsf_sigma", "native_wavelength", "provenance"} <= {
            hdu.header["EXTNAME"] for hdu in found[14:]
        }
        header = found[0].header
        assert not [key for key in header if key.endswith("SEC") or key in ("BZERO", "BSCALE")]
        for key in ("QRA", "QDEC", "PARANGLE", "EXPTIME", "DATE", "OBJECT", "MILLUM", "THROUGHP", "SEEING"):
            assert key in header
        assert (header["SOURCEX"], header["SOURCEY"]) == (0.8, -0.4)
        assert "hours of the header times 15" in str(header["COMMENT"]).replace("\n", "") and "default" in str(
            header["COMMENT"]
        )
        assert found[12].data.sum() == 1 and found[12].data[7, 9] == 1
        table = {(row["kind"], row["name"]): row["value"] for row in found["provenance"].data}
        assert table["parameter", "sky.knots"] == "0.8" and table["input", "raw.fits"] == "ab" * 32


def test_what_the_published_follow_up_tool_reads(tmp_path):
    """Reads HDUs by number and the channel from the name, as LRS2Multi does."""
    path = write_exposure(tmp_path, made())[0]
    assert path[:-5].split("_")[-1] == "orange"
    with fits.open(path) as found:
        wave = found[6].data[0]
        flux, error = found[0].data.copy(), found[3].data.copy()
        flux[error == 0.0] = np.nan
        x, y = found[5].data[:, 0], found[5].data[:, 1]
        refraction = [np.interp(wave, found[7].data[0], found[7].data[n]) for n in (1, 2)]
    assert np.allclose(wave, WAVE)
    assert np.isnan(flux[3]).all() and np.isfinite(np.delete(flux, 3, axis=0)).all()
    assert 0.5e-17 < np.nanmedian(flux) < 2e-17 and np.allclose(np.delete(error, 3, axis=0), 1e-18)
    assert x.shape == y.shape == (NFIBER,) and np.isfinite(refraction).all()


def test_the_spectrum_has_six_rows_in_plain_units(tmp_path):
    with fits.open(write_exposure(tmp_path, made())[1]) as found:
        rows, header = found[0].data, found[0].header
    assert rows.shape == (6, NWAVE) and rows.dtype == ">f8"
    assert np.allclose(rows[1], np.linspace(1e-17, 2e-17, NWAVE)) and np.allclose(rows[3], rows[1] / 10)
    assert np.allclose(rows[4], 1e-19) and np.allclose(rows[5], 1.7e-10)
    assert header["WAVE0"] == 4635.0 and header["DWAVE"] == pytest.approx(WAVE[1] - WAVE[0])
    assert [header[f"ROW{n}"] for n in (1, 2, 6)] == ["wavelength", "F_lambda", "response"]
    assert header["FLUXUNIT"] == "erg/s/cm2/Angstrom"


def test_without_a_source_rows_are_zero_and_no_place_is_claimed(tmp_path):
    done = made(spectrum=None, sources=(), images=None, collapsed=None, cubes={})
    multi, spectrum = write_exposure(tmp_path, done)
    with fits.open(multi) as found, fits.open(spectrum) as rows:
        assert "SOURCEX" not in found[0].header and "SEEING" not in found[0].header
        assert tuple(hdu.header["EXTNAME"] for hdu in found[:14]) == KNOWN
        assert not rows[0].data[1:5].any()


def test_a_cube_has_its_place_in_the_header_and_errors(tmp_path):
    with fits.open(write_exposure(tmp_path, made())[4]) as found:
        header = found[0].header
        assert found[0].data.shape == (NWAVE, 20, 33) and found[0].data.dtype == ">f4"
        assert header["CRVAL1"] == -6.595 and header["CRVAL2"] == -3.94 and header["CDELT1"] == 0.4
        assert header["CRVAL3"] == 4635.0 and header["CDELT3"] == pytest.approx(WAVE[1] - WAVE[0])
        assert np.allclose(found["error"].data, 1e-17)


def test_all_files_or_none(tmp_path, monkeypatch):
    def full(path, done, kind):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    (tmp_path / "LRS2").mkdir()
    (tmp_path / "LRS2" / "mine.txt").write_text("stays")
    monkeypatch.setattr(writing, "write_cube", full)
    with pytest.raises(UsageError, match="No space left"):
        write_exposure(tmp_path, made())
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["mine.txt"]


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UsageError, match="products cannot be written"):
        write_exposure(blocked / "in", made())


def calibrated() -> ReducedCalibration:
    square, wide = np.ones((NROW, NWAVE)), np.ones((NFIBER, NWAVE))
    return ReducedCalibration(
        20181201, "uv", {"bigW": square * 2, "masterbias": square}, {"wavelength": wide * 4000, "trace": wide},
        np.ones((NFIBER, 2)), ReductionRecord({"wave.degree": "4"}),
    )  # fmt: skip


def test_calibrations_in_their_order(tmp_path):
    path = write_calibration(tmp_path, calibrated())
    assert Path(path).relative_to(tmp_path).as_posix() == "LRS2/CALS/cal_20181201_uv.fits"
    with fits.open(path) as found:
        assert tuple(hdu.header["EXTNAME"] for hdu in found[:-1]) == CALIBRATION
        assert found["bigW"].data[0, 0] == 2 and found["wavelength"].data[0, 0] == 4000


def test_a_multi_file_opens_as_spectra_with_all_that_belongs_to_them(tmp_path):
    dataset = open_dataset(write_exposure(tmp_path, made())[0])
    image = dataset.images[0]
    assert dataset.instrument == "lrs2" and image.kind is Kind.RSS and image.name == "skysub_spectra"
    assert np.allclose(image.wave, WAVE) and image.medium == "air" and image.ivar is not None
    assert np.allclose(dataset.fibermap.focal_x, np.linspace(-6, 6, NFIBER))
    assert dataset.fibermap.focal_unit == "arcsec" and np.allclose(dataset.fibermap.ra, 78.0)
    for name in ("observed_spectra", "sky_spectra"):
        other = open_dataset(f"{write_exposure(tmp_path, made())[0]}[{name}]").images[0]
        assert other.kind is Kind.RSS and np.allclose(other.wave, WAVE)


def test_a_file_of_the_published_pipeline_opens_too(tmp_path):
    path = write_exposure(tmp_path, made())[0]
    old = tmp_path / "multi_20181202_0000008_exp01_orange.fits"
    with fits.open(path) as found:
        for hdu in found[1:14]:
            for key in [k for k in hdu.header if k.startswith(("CRVAL", "CDELT", "CRPIX", "CUNIT", "CTYPE"))]:
                del hdu.header[key]
        fits.HDUList([hdu.copy() for hdu in found[:14]]).writeto(old)
    dataset = open_dataset(old)
    image = dataset.images[0]
    assert image.kind is Kind.RSS and np.allclose(image.wave, WAVE) and image.ivar is not None
    assert dataset.fibermap.nfiber == NFIBER and any("right ascension" in note for note in dataset.notes)


def test_cubes_and_spectra_open(tmp_path):
    files = write_exposure(tmp_path, made())
    assert open_dataset(files[4]).images[0].kind is Kind.CUBE
    is_source(open_dataset(files[1]), WAVE)


def is_source(dataset, wave):
    """The spectrum of `made`, with its errors and the sky taken off it with its own."""
    image, sky = dataset.images[0], dataset.skies[0]
    line = np.linspace(1, 2, wave.size) * 1e-17
    assert image.kind is Kind.SPECTRUM and np.allclose(image.wave, wave) and image.medium == "air"
    assert image.unit == "erg/s/cm2/Angstrom"
    np.testing.assert_allclose(image.pixels.native()[0], line, rtol=1e-6)
    np.testing.assert_allclose(image.ivar.native()[0] ** -0.5, line / 10, rtol=1e-6)
    assert np.allclose(sky.wave, wave) and sky.ivar is not None and np.all(sky.pixels.native() >= 0.9e-17)


def test_a_spectrum_of_the_published_pipeline_opens_with_errors_and_sky(tmp_path):
    """Six rows alone, named by the cards of the only header; 0 is no error."""
    with fits.open(write_exposure(tmp_path, made())[1]) as found:
        rows, header = found[0].data.copy(), found[0].header.copy()
    for key in ("EXTNAME", "CHANNEL"):
        del header[key]
    path = tmp_path / "spectrum_20181202_0000008_exp01_orange.fits"
    fits.PrimaryHDU(rows, header).writeto(path)
    is_source(open_dataset(path), WAVE)
    response = open_dataset(f"{path}[response]").images[0]
    assert response.kind is Kind.SPECTRUM and np.allclose(response.pixels.native(), 1.7e-10)
    rows[3, 5:9] = 0.0
    fits.PrimaryHDU(rows, header).writeto(path, overwrite=True)
    assert not open_dataset(path).images[0].ivar.native()[0, 5:9].any()


def test_bits_have_their_names_in_the_instrument_file():
    names = instrument("lrs2").mask_bits("spectrum").bits
    assert {bit: name for bit, (name, _) in names.items()} == {b.bit_length() - 1: b.name for b in ReductionBit}


def test_all_channels_of_a_target_in_one_file(tmp_path):
    wave = common_grid()
    line = np.linspace(1, 2, wave.size)
    spectrum = SourceSpectrum(wave, line, line**2 / 100, line, line / 9, np.zeros(wave.size, np.uint32), line, UNIT)
    names = [ProductName(20181201, 7, 1, "uv"), ProductName(20181201, 7, 1, "orange")]
    done = CombinedTarget(
        20181201, RAW, spectrum, np.ones(wave.size), names, (1.0, 1.02), (0.0, 0.004), made().record,
        made().cubes["obs"],
    )  # fmt: skip
    path, cube = map(Path, write_combined(tmp_path, done))
    assert cube.name == "combined_20181201_TARGET_cube.fits" and cube.parent == path.parent
    assert path.relative_to(tmp_path).as_posix() == "LRS2/PSU18-3-001/combined_20181201_TARGET.fits"
    with fits.open(path) as found:
        assert found[0].data.shape == (6, wave.size) and np.allclose(found[0].data[1], line * 1e-17)
        assert found["factors"].data["factor"].tolist() == [1.0, 1.02]
        assert found["factors"].data["name"][1] == names[1].text
    with fits.open(cube) as found:
        assert found[0].data.shape == found["error"].data.shape == (NWAVE, 20, 33) and "factors" in found
    found = open_dataset(path)
    assert found.images[0].kind is Kind.SPECTRUM and np.allclose(found.images[0].wave, wave)
    np.testing.assert_allclose(found.skies[0].pixels.native()[0], line * 1e-17, rtol=1e-6)
    assert open_dataset(cube).images[0].kind is Kind.CUBE
