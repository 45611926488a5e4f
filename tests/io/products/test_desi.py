"""DESI products: simulated small ones anywhere, the shared ones where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits as afits

from ifuview import io
from ifuview.errors import FileFormatError
from ifuview.model.fibers import FiberRole
from ifuview.model.image import Kind

NSPEC, NWAVE = 500, 40
RNG = np.random.default_rng(5)
EXPOSURE = "exposures/20211014/00104284"


def fibermap(columns: dict[str, np.ndarray] | None = None) -> afits.BinTableHDU:
    """A small fiber table of petal 3."""
    fiber = np.arange(1500, 2000, dtype="i4")
    made = {
        "TARGETID": fiber.astype("i8"),
        "FIBER": fiber,
        "OBJTYPE": np.where(np.arange(NSPEC) % 10 == 0, "SKY", "TGT"),
        "DESI_TARGET": np.where(np.arange(NSPEC) == 7, 1 << 33, 0).astype("i8"),
        "FIBERSTATUS": np.where(np.arange(NSPEC) == 9, 1 << 16, 0).astype("i4"),
        "FIBER_X": np.where(np.arange(NSPEC) == 5, np.nan, 1.5 * np.arange(NSPEC)),
        "FIBERASSIGN_X": 2.0 * np.arange(NSPEC),
        "FIBER_Y": np.ones(NSPEC),
    }
    made.update(columns or {})
    codes = {"i": "J", "f": "D", "U": "3A"}
    return afits.BinTableHDU.from_columns(
        [
            afits.Column(
                name,
                "K" if values.dtype.itemsize == 8 and values.dtype.kind == "i" else codes[values.dtype.kind],
                array=values,
            )
            for name, values in made.items()
        ],
        name="FIBERMAP",
    )


def frame(path: Path, wave2d: bool = False, shuffled: bool = True) -> np.ndarray:
    """A frame with its HDUs in an unusual order and a RESOLUTION that must not be looked at."""
    flux = RNG.normal(0, 1, (NSPEC, NWAVE)).astype("f4")
    wave = 5760 + 0.8 * np.arange(NWAVE)
    head = afits.Header(
        {"INSTRUME": "DESI", "CAMERA": "R3      ", "EXPID": 17, "NIGHT": 20240101, "BUNIT": "electron/Angstrom"}
    )
    mask = np.zeros((NSPEC, NWAVE), "i4")
    mask[3, 4] = 4
    hdus = [
        afits.ImageHDU(np.tile(wave, (NSPEC, 1)) if wave2d else wave, name="WAVELENGTH"),
        fibermap(),
        afits.ImageHDU(np.zeros((NSPEC, 3, NWAVE), "f4"), name="RESOLUTION"),
        afits.CompImageHDU(mask, name="MASK"),
        afits.ImageHDU(np.ones((NSPEC, NWAVE), "f4"), name="IVAR"),
        afits.ImageHDU(flux, head, name="FLUX"),
    ]
    afits.HDUList([afits.PrimaryHDU(), *hdus]).writeto(path)
    return flux


@pytest.mark.parametrize("suffix", [".fits", ".fits.gz"])
def test_a_frame_is_read_by_name_with_all_its_layers(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"frame-r3-00000017{suffix}"
    flux = frame(path)
    found = io.open_dataset(path)
    im = found.images[0]
    assert (found.instrument, found.kind, found.block) == ("desi", "frame", "bundle")
    assert (im.kind, im.stage, im.camera, im.unit) == (Kind.RSS, "frame", "r3", "electron/Angstrom")
    np.testing.assert_array_equal(im.pixels.native(), flux)
    assert im.ivar is not None and im.mask is not None
    assert im.mask_bits.names(im.mask.integer(3, 4)) == ("COSMIC",)
    np.testing.assert_allclose(im.wave[[0, -1]], [5760, 5760 + 0.8 * (NWAVE - 1)])
    fibers = im.fibermap
    assert fibers.fiber_id[0] == "1500" and fibers.fiber[10] == 10 and fibers.block[30] == 1
    assert fibers.role[0] is FiberRole.SKY and fibers.role[7] is FiberRole.STANDARD and fibers.role[9] is FiberRole.DEAD
    assert fibers.focal_x[5] == 10.0 and fibers.focal_x[6] == 9.0
    assert fibers.status_bits.names(fibers.status[9]) == ("BADFIBER",)
    assert "DESI_TARGET" in fibers.table


def test_a_quick_frame_has_wavelengths_for_each_fiber(tmp_path: Path) -> None:
    frame(tmp_path / "qframe-r3-00000017.fits", wave2d=True)
    found = io.open_dataset(tmp_path / "qframe-r3-00000017.fits")
    assert found.kind == "qframe" and found.images[0].wave.shape == (NSPEC, NWAVE)


def test_a_layer_of_another_shape_is_left_out_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "sky-r3-00000017.fits"
    head = afits.Header({"INSTRUME": "DESI", "CAMERA": "r3"})
    sky, ivar = np.ones((NSPEC, NWAVE), "f4"), np.ones((NSPEC, NWAVE + 1), "f4")
    afits.HDUList([afits.PrimaryHDU(sky, head), afits.ImageHDU(ivar, name="IVAR")]).writeto(path)
    with afits.open(path, mode="update") as opened:
        opened[0].name = "SKY"
    found = io.open_dataset(path)
    assert found.kind == "sky" and found.images[0].ivar is None
    assert any("IVAR is left out" in note for note in found.notes)
    assert any("no wavelengths" in note for note in found.notes)
    assert found.images[0].fibermap.fiber_id[0] == "1500"


def test_the_psf_beside_an_image_is_found_by_names_of_the_production(tmp_path: Path) -> None:
    folder = tmp_path / "preproc/20240101/00000017"
    night = tmp_path / "calibnight/20240101"
    folder.mkdir(parents=True)
    night.mkdir(parents=True)
    data = RNG.normal(0, 1, (60, 50)).astype("f4")
    head = afits.Header({"INSTRUME": "DESI", "CAMERA": "r3", "EXPID": 17, "NIGHT": 20240101})
    head.update({"CCDSECA": "[1:25, 1:30]", "GAINA": 1.5, "OBSRDNA": 3.0})
    path = folder / "preproc-r3-00000017.fits"
    hdus = [afits.ImageHDU(data, head, name="IMAGE"), afits.ImageHDU(data**2, name="IVAR")]
    afits.HDUList([afits.PrimaryHDU(), *hdus]).writeto(path)
    found = io.open_dataset(path)
    assert not found.companions and any("no trace file" in note for note in found.notes)
    (night / "psfnight-r3-20240101.fits.gz").write_bytes(b"x")
    (night / "psfnight-r4-20240101.fits").write_bytes(b"x")
    found = io.open_dataset(path)
    assert [Path(name).name for name in found.companions] == ["psfnight-r3-20240101.fits.gz"]
    im = found.images[0]
    assert im.kind is Kind.DETECTOR and im.orientation.transpose and im.gain == 1.0 and im.readnoise == 3.0
    amp = im.amplifiers[0]
    assert (amp.name, amp.x0, amp.x1, amp.y0, amp.y1, amp.gain) == ("A", 0, 25, 0, 30, 1.5)
    own = tmp_path / "exposures/20240101/00000017"
    own.mkdir(parents=True)
    (own / "psf-r3-00000017.fits").write_bytes(b"x")
    assert [Path(name).name for name in io.open_dataset(path).companions] == ["psf-r3-00000017.fits"]


def test_a_cut_off_frame_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "frame-r3-00000017.fits"
    frame(path)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(FileFormatError, match="cut off"):
        io.open_dataset(path)


@pytest.mark.parametrize("product", ["frame", "sframe", "cframe", "sky", "fluxcalib"])
def test_shared_products_have_the_values_of_astropy(shared_data: Path, product: str) -> None:
    path = shared_data / f"desi/{EXPOSURE}/{product}-r6-00104284.fits.gz"
    found = io.open_dataset(path)
    assert found.kind == product and found.instrument == "desi"
    im = found.images[0]
    with afits.open(path) as opened:
        np.testing.assert_allclose(im.pixels.native(), opened[0].data, rtol=1e-6)
        np.testing.assert_array_equal(im.mask.native(), opened["MASK"].data.astype("f4"))
        np.testing.assert_allclose(im.wave, opened["WAVELENGTH"].data)
        assert [h.name for h in found.hdus] == [h.name for h in opened]
        if "FIBERMAP" in opened:
            table = opened["FIBERMAP"].data
            for name in table.names:
                np.testing.assert_array_equal(im.fibermap.table[name], table[name], err_msg=name)


def test_shared_preproc_has_the_values_of_astropy(shared_data: Path) -> None:
    path = shared_data / "desi/preproc/20211014/00104260/preproc-r6-00104260.fits.fz"
    found = io.open_dataset(path)
    im = found.images[0]
    with afits.open(path) as opened:
        np.testing.assert_array_equal(im.pixels.native(), opened["IMAGE"].data)
        np.testing.assert_array_equal(im.ivar.native(), opened["IVAR"].data)
        np.testing.assert_array_equal(im.mask.native(), opened["MASK"].data.astype("f4"))
    assert len(im.amplifiers) == 4 and im.camera == "r6" and im.fibermap.nfiber == 500
    assert Path(found.companions[0]).name == "psfnight-r6-20211014.fits.gz"
    traces = io.read_traces(found.companions[0], im.orientation.shape(im.shape), im.orientation)
    assert traces.center.shape == (500, 4128) and traces.sigma is not None
    # real numbers of that psf: fiber 0 at x = 121, fiber 499 at 3943, 7.3 px apart inside a bundle
    assert abs(traces.center[0, 2064] - 121) < 3 and abs(traces.center[499, 2064] - 3943) < 3
    assert abs(np.median(np.diff(traces.center[:, 2064])) - 7.3) < 0.1


def test_shared_coadd_gives_one_image_a_band(shared_data: Path) -> None:
    path = shared_data / "desi/tiles/cumulative/7951/20211014/coadd-6-7951-thru20211014.fits.gz"
    found = io.open_dataset(path)
    assert [im.name for im in found.images] == ["B_FLUX", "R_FLUX", "Z_FLUX"] and found.kind == "coadd"
    assert [im.name for im in io.open_dataset(f"{path}[R]").images] == ["R_FLUX"]


def test_every_shared_trace_file_opens(shared_data: Path) -> None:
    for path in sorted((shared_data / "desi/traces").glob("psf-*.fits")):
        found = io.open_dataset(path)
        assert found.kind == "psf" and found.traces.center.shape == (500, 4128)
        assert np.isfinite(found.traces.center).all()
