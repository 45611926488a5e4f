"""Each family of files is read by its instrument file alone: data, errors, mask, fibers, wavelengths with medium."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ifuview import io
from ifuview.errors import FileFormatError, UsageError
from ifuview.model.dataset import Dataset
from ifuview.model.fibers import FiberRole
from ifuview.model.image import Image, Kind
from tests.io.products import samples as s

ANGSTROM = 1e-9  # relative; grids are computed in double precision


def opened(path: Path | str) -> Dataset:
    """The file as a Dataset."""
    return io.open_dataset(path)


def check(im: Image, truth: tuple[s.Array, s.Array, s.Array], wave: s.Array | None, medium: str) -> None:
    """Data as in the file, errors as inverse variance, mask, wavelengths in Angstrom."""
    flux, sigma, mask = truth
    np.testing.assert_array_equal(im.pixels.native(), flux)
    assert im.ivar is not None
    np.testing.assert_allclose(im.ivar.native(), s.ivar_of(sigma), rtol=2e-6)
    if im.mask is not None:
        np.testing.assert_array_equal(im.mask.raw != 0, mask != 0)
    if wave is not None:
        np.testing.assert_allclose(im.wave, wave, rtol=ANGSTROM)
        assert im.medium == medium


def test_lvm_before_the_frames_has_wavelengths_of_its_traces(tmp_path: Path) -> None:
    found = opened(s.lvm_extracted(tmp_path))
    im = found.images[0]
    pixel = np.arange(s.NWAVE)
    wave = np.stack([c[0] + c[1] * pixel + c[2] * pixel**2 for c in s.coefficients().astype("f8")])
    check(im, s.rss(), wave, "")
    assert (found.instrument, im.kind, im.camera) == ("lvm", Kind.RSS, "r1")
    assert im.mask_bits.names(im.mask.integer(3, 4)) == ("BADPIX",)
    assert any("not stated" in note for note in found.notes)
    np.testing.assert_allclose(im.lsf[:, 10], 1.51, rtol=1e-6)
    roles = [im.fibermap.role[i] for i in (0, 1, 4, 5)]
    assert roles == [FiberRole.SKY, FiberRole.SCIENCE, FiberRole.DEAD, FiberRole.SCIENCE]
    assert im.fibermap.status_bits.names(im.fibermap.status[5]) == ("LOWTHROUGHPUT",)


def test_another_layer_brings_its_own_errors(tmp_path: Path) -> None:
    flux, sigma, _ = s.rss()
    sky = opened(f"{s.lvm_extracted(tmp_path)}[SKY]").images[0]
    np.testing.assert_array_equal(sky.pixels.native(), flux * np.float32(0.1))
    np.testing.assert_allclose(sky.ivar.native(), s.ivar_of(sigma * np.float32(0.2)), rtol=2e-6)
    assert sky.wave is not None and sky.fibermap.nfiber == s.NFIBER


def test_lvm_rectified_and_detector(tmp_path: Path) -> None:
    check(opened(s.lvm_rectified(tmp_path)).images[0], s.rss(), 5700 + 0.5 * np.arange(s.NWAVE), "")
    im = opened(s.lvm_detector(tmp_path)).images[0]
    assert (im.kind, im.stage) == (Kind.DETECTOR, "preproc")
    np.testing.assert_allclose(im.ivar.native(), 1 / 16)
    assert im.mask_bits.names(1) == ("BADPIX",) and not im.orientation.transpose


@pytest.mark.parametrize(
    ("make", "wave", "medium", "instrument", "bits"),
    [
        (s.hetdex, 3470 + 2.0 * np.arange(s.NWAVE), "vacuum", "hetdex", ("FTF", "BADAMP")),
        (s.muse, 4750 + 1.25 * np.arange(s.NWAVE), "air", "muse", ("TELLURIC2", "COSMICREMOVED")),
        (s.kcwi, 3500 + 0.5 * np.arange(s.NWAVE), "air", "kcwi", ("BADPIXEL", "bit 4")),
        (s.manga_cube, 10 ** (3.5589 + 1e-4 * np.arange(s.NWAVE)), "vacuum", "manga", ("LOWCOV", "bit 4", "DONOTUSE")),
        (s.califa, 3749 + 2.0 * np.arange(s.NWAVE), "", "califa", ("BADPIX",)),
        (s.sami, 4700 + 1.04 * np.arange(s.NWAVE), "", "aaomega", ()),
        (s.pypeit, s.wave_linear() + 0.01, "vacuum", "pypeit", ("BPM",)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_cubes_have_errors_mask_and_wavelengths(tmp_path: Path, make, wave, medium, instrument, bits) -> None:
    found = opened(make(tmp_path))
    im = found.images[0]
    assert (found.instrument, im.kind) == (instrument, Kind.CUBE)
    flux, sigma, mask = s.cube()
    every = instrument == "manga"  # its sample sets a bit everywhere
    check(im, (flux, sigma, mask | 1 if every else mask), wave, medium)
    if bits:
        assert im.mask_bits.names(im.mask.integer(5, 4, 3)) == bits


@pytest.mark.parametrize("tabulated", [True, False])
def test_jwst_cubes_have_wavelengths_of_a_table_or_of_the_header(tmp_path: Path, tabulated: bool) -> None:
    i = np.arange(s.NWAVE)
    wave = 49000 + 10.0 * i + (0.1 * i**2 if tabulated else 0)
    im = opened(s.jwst(tmp_path, tabulated)).images[0]
    check(im, s.cube(), None, "vacuum")
    np.testing.assert_allclose(im.wave, wave, rtol=1e-7)  # the table is in single precision
    assert im.mask_bits.names(im.mask.integer(5, 4, 3)) == ("SATURATED", "OUTLIER") and im.medium == "vacuum"


@pytest.mark.parametrize("utype", ["StdDevUncertainty", "VarianceUncertainty", "InverseVariance"])
def test_the_kind_of_errors_can_stand_in_the_header(tmp_path: Path, utype: str) -> None:
    im = opened(s.kcwi(tmp_path, utype)).images[0]
    np.testing.assert_allclose(im.ivar.native(), s.ivar_of(s.cube()[1]), rtol=3e-6)


def test_errors_of_a_cube_are_converted_only_where_they_are_looked_at(tmp_path: Path) -> None:
    im = opened(s.muse(tmp_path)).images[0]
    assert not im.ivar.raw.flags.owndata  # still the file's own bytes
    sigma = s.cube()[1]
    assert im.ivar.value(3, 2, 1) == pytest.approx(float(sigma[3, 2, 1]) ** -2, rel=1e-6)
    assert im.ivar.value(1, 2, 3) == 0.0
    np.testing.assert_allclose(im.ivar.plane((3,)).take(np.array([2]), np.array([1])), sigma[3, 2, 1] ** -2, rtol=1e-6)
    part = opened(f"{s.kcwi(tmp_path)}[PRIMARY][2:4,3:5]").images[0]
    np.testing.assert_allclose(part.ivar.native(), s.ivar_of(sigma)[:, 2:5, 1:4], rtol=2e-6)


def test_a_table_of_pixels_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="make a cube"):
        opened(s.muse_pixtable(tmp_path))


def test_every_version_is_an_image_with_its_own_errors(tmp_path: Path) -> None:
    path = s.gmos(tmp_path)
    images = opened(path).images
    assert len(images) == 3
    for version, im in enumerate(images, 1):
        check(im, s.rss(version), None, "")
    second = opened(f"{path}[SCI,2]").images
    assert len(second) == 1
    check(second[0], s.rss(2), None, "")
    assert second[0].mask_bits.names(0b1010) == ("NONLINEAR", "COSMIC")


@pytest.mark.parametrize("merged", [False, True])
def test_pfs_is_in_nm_and_names_its_bits_itself(tmp_path: Path, merged: bool) -> None:
    found = opened(s.pfs_arm(tmp_path, merged))
    im = found.images[0]
    grid = 3800 + 0.7 * np.arange(s.NWAVE)
    check(im, s.rss(), grid if merged else np.tile(grid, (s.NFIBER, 1)), "vacuum")
    assert im.mask_bits.names(im.mask.integer(3, 4)) == ("SAT", "CR")
    assert im.unit == "electron" and im.fibermap.fiber_id[:3] == ("1", "4", "7")
    assert any("pfsConfig" in note for note in found.notes)


def test_what_pfs_fibers_see_is_joined_by_their_number(tmp_path: Path) -> None:
    s.pfs_config(tmp_path)
    fibers = opened(s.pfs_arm(tmp_path)).images[0].fibermap
    assert fibers.role[:4] == (FiberRole.SCIENCE, FiberRole.SKY, FiberRole.STANDARD, FiberRole.DEAD)
    assert fibers.status_bits.names(fibers.status[3]) == ("BROKENFIBER",) and fibers.status[0] == 0
    np.testing.assert_allclose(fibers.focal_x, np.arange(s.NFIBER) * 3 + 1)
    np.testing.assert_allclose(fibers.focal_y, -2.0 * (np.arange(s.NFIBER) * 3 + 1))
    np.testing.assert_allclose(fibers.ra, 0.5 * (np.arange(s.NFIBER) * 3 + 1))


def test_pfs_detector_image(tmp_path: Path) -> None:
    im = opened(s.pfs_calexp(tmp_path)).images[0]
    assert im.kind is Kind.DETECTOR and im.orientation.transpose and im.gain == 1.0
    np.testing.assert_allclose(im.ivar.native(), 1 / 16)
    assert im.mask_bits.names(2) == ("SAT",)


def test_manga_rows_have_line_spread_and_places_on_the_sky(tmp_path: Path) -> None:
    im = opened(s.manga_rss(tmp_path)).images[0]
    flux, sigma, mask = s.rss()
    check(im, (flux, sigma, mask | 1), 10 ** (3.5589 + 1e-4 * np.arange(s.NWAVE)), "vacuum")
    np.testing.assert_allclose(im.lsf, 1.1 * 2.3548200450309493, rtol=1e-6)
    assert im.fibermap.focal_unit == "arcsec" and im.mask_bits.names(1 << 30) == ("3DREJECT",)
    np.testing.assert_allclose(im.fibermap.focal_x, np.linspace(-8, 8, s.NFIBER) + 0.01 * (s.NWAVE - 1) / 2)


@pytest.mark.parametrize("cubes", [False, True])
def test_weave_with_and_without_sky(tmp_path: Path, cubes: bool) -> None:
    path = s.weave(tmp_path, cubes)
    truth = s.cube() if cubes else s.rss()
    wave = 5790 + 0.5 * np.arange(s.NWAVE)
    found = opened(path)
    factor = s.SENSITIVITY[:, None, None] if cubes else s.SENSITIVITY
    check(found.images[0], (truth[0] * factor, truth[1] * factor, truth[2]), wave, "")
    assert found.images[0].unit == "erg/s/cm2/Angstrom"
    np.testing.assert_array_equal(opened(f"{path}[RED_DATA]").images[0].pixels.native(), truth[0])
    assert found.images[0].camera == "red" and any("SENSFUNC" in note for note in found.notes)
    with_sky = opened(f"{path}[RED_DATA_NOSS]").images[0]
    np.testing.assert_array_equal(with_sky.pixels.native(), truth[0] + 5)
    np.testing.assert_allclose(with_sky.ivar.native(), s.ivar_of(truth[1]) / 2, rtol=2e-6)
    if not cubes:
        assert found.fibermap.target[3] == "t03" and found.fibermap.focal_x[3] == 6.0 and found.fibermap.nfiber == 12


def test_one_row_a_pixel_is_a_spectrum(tmp_path: Path) -> None:
    found = opened(s.sdss(tmp_path))
    im = found.images[0]
    flux, sigma, mask = s.rss()
    check(im, (flux[1:2], sigma[1:2], mask[3:4]), None, "")
    assert (im.kind, im.medium, found.instrument) == (Kind.SPECTRUM, "vacuum", "sdss")
    loglam = (3.5796 + 1e-4 * np.arange(s.NWAVE)).astype("f4").astype("f8")
    np.testing.assert_allclose(im.wave, 10**loglam, rtol=ANGSTROM)
    assert im.mask_bits.names(im.mask.integer(0, 4)) == ("BADTRACE", "MANYBADCOLUMNS")
    model = opened(f"{found.path}[model]").images[0]
    assert model.name == "model" and model.ivar is None and model.wave is not None
    assert found.models[0].pixels.native().shape == im.shape and not found.skies  # this one has no column of it


def test_a_plate_of_sdss_has_errors_mask_fibers_and_sky(tmp_path: Path) -> None:
    path = s.plate(tmp_path)
    found = opened(path)
    im = found.images[0]
    check(im, s.rss(), 10 ** (3.5796 + 1e-4 * np.arange(s.NWAVE)), "vacuum")
    assert im.kind is Kind.RSS and im.fibermap.fiber_id[11] == "12" and im.fibermap.focal_x[3] == 18.0
    assert im.fibermap.role[0] is FiberRole.SKY and im.fibermap.role[1] is FiberRole.SCIENCE
    assert opened(f"{path}[SKY]").images[0].wave is not None


def test_a_table_called_coadd_of_others_takes_no_unit_of_sdss(tmp_path: Path) -> None:
    flux, sigma, mask = (a[1:2] for a in s.rss())
    columns = {
        "FLUX": flux,
        "IVAR": s.ivar_of(sigma).astype("f4"),
        "WAVELENGTH": s.wave_linear(3700)[None],
        "ANDMASK": mask,
    }
    path = s.write(tmp_path / "a.fits", s.primary(), s.table("COADD", {"WAVELENGTH": "Angstrom"}, **columns))
    im = opened(path).images[0]
    check(im, (flux, sigma, mask), s.wave_linear(3700), "vacuum")
    assert im.unit == "" and im.mask is not None


@pytest.mark.parametrize("name", ["PHASE3SPECTRUM", "SPECTRUM"])
def test_one_row_of_vectors_is_a_spectrum(tmp_path: Path, name: str) -> None:
    path = s.eso(tmp_path, name)
    im = opened(path).images[0]
    flux, sigma, mask = (a[1:2] for a in s.rss())
    check(im, (flux, sigma, mask), s.wave_linear(3700), "")
    assert im.kind is Kind.SPECTRUM and im.unit == "erg s-1 cm-2 Angstrom-1"
    with_sky = opened(f"{path}[FLUX_NOSS]").images[0]
    np.testing.assert_array_equal(with_sky.pixels.native(), flux + 3)
    np.testing.assert_allclose(with_sky.ivar.native(), s.ivar_of(sigma * 2), rtol=2e-6)


def test_the_sky_spectrum_of_2dfdr_is_not_its_flux(tmp_path: Path) -> None:
    found = opened(s.twodfdr(tmp_path))
    im = found.images[0]
    check(im, s.rss(), 4724 + 1.04 * (np.arange(s.NWAVE) - 19.5), "")
    assert found.instrument == "aaomega" and im.fibermap.focal_unit == "arcsec"
    assert im.fibermap.role[0] is FiberRole.SKY and im.fibermap.fiber_id[11] == "12" and im.fibermap.block[7] == 1
    assert "THPUT" in found.tables[-1].columns


def test_fibers_can_be_cards(tmp_path: Path) -> None:
    im = opened(s.megara(tmp_path)).images[0]
    np.testing.assert_allclose(im.wave, 4330 + 0.2 * np.arange(s.NWAVE), rtol=ANGSTROM)
    fibers = im.fibermap
    assert im.kind is Kind.RSS and im.medium == "air" and im.ivar is None and fibers.focal_unit == "arcsec"
    assert (
        fibers.fiber_id == tuple(str(i) for i in range(1, s.NFIBER + 1))
        and fibers.block.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    )
    assert fibers.role[3] is FiberRole.SCIENCE and fibers.role[4] is FiberRole.SKY and fibers.target[8].endswith("obj2")
    assert fibers.focal_x[1] == 1.0 and fibers.dec[0] == 20.0


def test_manga_positions_are_traces(tmp_path: Path) -> None:
    path, truth = s.manga_frame(tmp_path)
    traces = io.read_traces(path)
    np.testing.assert_allclose(traces.center, truth)
    im = opened(path).images[0]
    assert (im.kind, im.stage) == (Kind.RSS, "mgcframe")
    np.testing.assert_allclose(im.wave[0], 10 ** (3.5589 + 1e-4 * np.arange(s.NWAVE)), rtol=ANGSTROM)
    with pytest.raises(FileFormatError, match="on the sky"):
        io.read_traces(s.manga_rss(tmp_path))


def test_positions_at_rows_of_their_own_are_curves_between_them(tmp_path: Path) -> None:
    row = np.linspace(0, 99, 34)[None] + np.zeros((5, 1))
    center = 10 + 8 * np.arange(5)[:, None] + 2e-3 * (row - 50) ** 2
    names = [s.image(np.ones_like(row), "FLUX"), s.image(center, "XPOS"), s.image(row, "YPOS")]
    traces = io.read_traces(s.write(tmp_path / "mgFrame-1-b1.fits", s.primary(INSTRUME="MaNGA"), *names))
    truth = 10 + 8 * np.arange(5)[:, None] + 2e-3 * (np.arange(100.0) - 50) ** 2
    np.testing.assert_allclose(traces.center, truth, atol=1e-9)  # a parabola is its own spline


def test_muse_slices_are_polynomials_counted_from_one(tmp_path: Path) -> None:
    path, truth = s.muse_traces(tmp_path)
    found = opened(path)
    assert found.kind == "traces" and found.images == ()
    np.testing.assert_allclose(found.traces.center, truth, rtol=1e-12)
    assert found.traces.fiber_id[47] == "48"


def test_one_of_several_detectors_is_named(tmp_path: Path) -> None:
    path, truth = s.muse_traces(tmp_path, channels=3)
    with pytest.raises(UsageError, match="CHAN01"):
        io.read_traces(path)
    np.testing.assert_allclose(io.read_traces(f"{path}[CHAN03]").center, truth + 2, rtol=1e-12)


def test_pfs_detector_map_gives_traces_and_wavelengths(tmp_path: Path) -> None:
    path, truth = s.pfs_detector_map(tmp_path)
    traces = io.read_traces(path)
    np.testing.assert_allclose(traces.center, truth, atol=1e-6)
    np.testing.assert_allclose(traces.wave[0], 3800 + 0.65 * (np.arange(4176.0) + 2), rtol=ANGSTROM)
    assert traces.fiber_id[0] == "5"
