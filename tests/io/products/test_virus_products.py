"""Files of an observation hold what was given to them, in the order and the units that follow-up tools go by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from ifuview.engine.spectra.field.positions import sky_place
from ifuview.errors import IfuviewError
from ifuview.io import open_dataset
from ifuview.io.hdf5.growing import GrowingTable, describe_root
from ifuview.io.hdf5.writing import h5_new
from ifuview.io.products.virus.cals import read_calibrations
from ifuview.io.products.virus.head_files import names_of, write_head
from ifuview.io.products.virus.shot import new_shot_file
from ifuview.model.reduction.detection import CONTINUUM, LINE, Completeness, Detection, Doubt
from ifuview.model.reduction.ifu import IfuAmplifier, IfuExposure
from ifuview.model.reduction.placed import HeadProducts, PlacedDetection, StarImage
from ifuview.model.reduction.shot import AmplifierState, IfuField, IfuSpectra, ReducedIfu
from ifuview.model.reduction.solution import CatalogSpectrum, ExposureSurvey, Pointing, ShotOptics, ShotSolution
from ifuview.model.reduction.source import CubeGrid, SkyCube, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra

NEXP, NFIBER, NCOL, NWAVE = 3, 8, 12, 10
AMPS = ("LL", "LU", "RL", "RU")
WAVE = np.linspace(3470.0, 3488.0, NWAVE)
PUBLISHED = {  # columns that the published tools read
    "Raw": "spectrum error mscispectrum fltspectrum twispectrum arcspectrum wave",
    "Fibers": "spectrum error fiber_to_fiber skyspectrum residual",
    "Info": "ra dec ifux ifuy specid ifuslot ifuid amp exp",
    "Survey": "ra dec pa rot millum throughput fwhm fwhmv name exp offset nstarsastrom nstarsphotom raoffset "
    "decoffset rastd decstd exptime",
    "CatSpectra": "ra dec gmag rmag imag zmag ymag spectrum error weight",
    "MatSpectra": "ra dec fx fy catfx catfy gmag syngmag spectrum error weight image xgrid ygrid",
    "Detections": "ra dec ifux ifuy fx fy specid ifuslot ifuid wave flux sn chi2 fwhm spectrum error model",
    "Images": "zipcode",
    "Cals": "wavelength trace lampspec scispec maskspec ifupos ifuslot ifuid specid contid amp readnoise",
}


def spectra(size: int, value: float, unit: str) -> FiberSpectra:
    wave = 3470.0 + 2.0 * np.arange(size)
    mask = np.zeros((NFIBER, size), np.uint32)
    mask[3, 4] = 1
    flux = value + np.arange(NFIBER)[:, None] + np.zeros(size)
    return FiberSpectra(flux, np.full((NFIBER, size), 4.0), mask, np.broadcast_to(wave, flux.shape), unit)


def exposure(number: int) -> IfuExposure:
    amplifiers = tuple(IfuAmplifier(name, 2 * k, 2 * k + 2, trace_shift=0.1 * k) for k, name in enumerate(AMPS))
    raw = spectra(NCOL, 100.0 * number, "electron/Angstrom")
    return IfuExposure(
        "047", "308", "024", "VCTL0308", 20190822, 11, number, 360.0, raw, np.ones((NFIBER, NCOL)),
        np.arange(8.0), np.zeros(8), amplifiers, np.zeros(NFIBER, bool), lamps={"twi": np.full((NFIBER, NCOL), 7.0)},
        header={"OBJECT": "FIELD", "EXPTIME": 360.0, "CCDSEC": "[1:2]"},
    )  # fmt: skip


def field(number: int) -> IfuField:
    states = tuple(
        AmplifierState(name, 2 * k, 2 * k + 2, 3.0, 1.0, 0.0, "loud" if name == "RU" else "")
        for k, name in enumerate(AMPS)
    )
    own = replace(spectra(NWAVE, 10.0 * number, "1e-17 erg/s/cm2/Angstrom"), wave=WAVE)
    x = np.arange(8.0) + 0.1 * number
    ones = np.ones((NFIBER, NWAVE))
    return IfuField(
        number, own, 2 * ones, ones, np.full((NFIBER, NCOL), number), x, -x, 175 + x / 3600, 51 + x / 3600,
        np.ones(NFIBER, bool), states,
    )  # fmt: skip


def head_products() -> HeadProducts:
    """Small products of a head: three exposures of eight fibers."""
    axis = np.array([-0.75, 0.0, 0.75])
    grid = CubeGrid(axis, axis, 0.75)
    data = np.arange(NWAVE * 9, dtype=float).reshape(NWAVE, 3, 3)
    mask = np.zeros(data.shape, np.uint32)
    mask[2, 1, 1] = 1
    cube = SkyCube(data, np.full(data.shape, 9.0), mask, WAVE, grid, "1e-17 erg/s/cm2/Angstrom")
    good = np.ones(NWAVE)
    spectrum = SourceSpectrum(WAVE, 5 * good, good, good, good, np.zeros(NWAVE, np.uint32), 0.9 * good)
    star = CatalogSpectrum(4, 175.1, 51.2, 1.0, 2.0, (18.0, 17.5, 17.2, 17.0, 16.9), 18.02, spectrum, 1.0, True)
    shape = (11, 21, 21)
    image = StarImage(4, 11.0, 12.0, 11.1, 12.1, np.ones(shape), np.zeros(shape[1:]), np.zeros(shape[1:]))
    nan = float("nan")
    line = Detection(LINE, 1.0, -2.0, 3480.0, 30.0, 8.0, 1.1, 6.0, good, good, good, doubts=Doubt.EDGE)
    glow = Detection(CONTINUUM, 3.0, 4.0, nan, 1.0, 9.0, nan, nan, good, good, good)
    found = tuple(PlacedDetection(one, 175.2, 51.3, 20.0, 21.0) for one in (line, glow))
    done = ReducedIfu(
        IfuSpectra("047", "308", "024", "V", (-150.0, -250.0), tuple(map(field, (1, 2, 3))), np.zeros(8, bool)),
        (star,), cube, cube,
    )  # fmt: skip
    tried = Completeness(*(np.zeros(1),) * 5, 5.4, np.arange(16.0).reshape(2, 8))
    return HeadProducts(
        done, tuple(map(exposure, (1, 2, 3))), exposure(1).header, found, (image,), tried, 1.75,
        sky_place=np.array([175.5, 51.3, 113.2, -150.0, -250.0]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def head() -> HeadProducts:
    return head_products()


SOLUTION = ShotSolution(
    Pointing(175.5, 51.3, 113.2, 2.1, -1.4, 0.05, 14, 0.03, 0.04, True),
    ShotOptics(1.75, 0.01, 3.5, 4500.0, np.zeros((3, 2)), 12),
    tuple(ExposureSurvey(n, 360.0, i, area=51.4e4, zero_point=1.1) for n, i in ((1, 1.0), (2, 0.94), (3, 1.05))),
)


@pytest.fixture(scope="module")
def shot(tmp_path_factory, head) -> Path:
    path = tmp_path_factory.mktemp("shot") / "20190822_0000011.h5"
    with new_shot_file(str(path)) as file:
        file.add(head)
        file.add(head)
        file.finish(SOLUTION, "FIELD")
    return path


def test_tables_have_the_published_columns_and_rows(shot):
    with h5py.File(shot) as file:
        for name, columns in PUBLISHED.items():
            assert set(columns.split()) <= set(file[name].dtype.names), name
        rows = {name: file[name].shape[0] for name in PUBLISHED}
    one = NEXP * NFIBER
    assert rows == {"Raw": 2 * one, "Fibers": 2 * one, "Info": 2 * one, "Survey": 3, "CatSpectra": 2, "MatSpectra": 2,
                    "Detections": 4, "Images": 24, "Cals": 8}  # fmt: skip


def test_rows_run_over_amplifiers_exposures_and_fibers(shot):
    with h5py.File(shot) as file:
        info, fibers, raw = (file[name][()] for name in ("Info", "Fibers", "Raw"))
    assert info["amp"][:7].tolist() == [b"LL"] * 6 + [b"LU"] and info["exp"][:7].tolist() == [1, 1, 2, 2, 3, 3, 1]
    assert info["ifux"][:4] == pytest.approx([0.1, 1.1, 0.2, 1.2]) and info["ifuslot"][0] == b"047"
    assert fibers["spectrum"][:4, 0].tolist() == [10, 11, 20, 21] and raw["spectrum"][2, 0] == 200
    assert raw["twispectrum"][0, 0] == 7 and raw["fltspectrum"][0, 0] == 0
    assert np.isnan(fibers["spectrum"][7, 4]) and np.isnan(fibers["error"][7, 4])  # fiber 3, masked
    assert np.isnan(fibers["spectrum"]).sum() == 6 and fibers["error"][0, 0] == 2


def test_survey_detections_and_stars_say_what_was_measured(shot):
    with h5py.File(shot) as file:
        survey, found, star = (file[name][()] for name in ("Survey", "Detections", "MatSpectra"))
        images, lines = file["Images"][()], file["Completeness"][()]
    assert survey["exp"].tolist() == [1, 2, 3] and survey["throughput"] == pytest.approx([1.0, 0.94, 1.05])
    assert survey["nstarsastrom"].tolist() == [14] * 3 and survey["offset"][0] == pytest.approx(-0.1035, abs=1e-4)
    assert found["kind"].tolist()[:2] == [b"line", b"continuum"] and found["flux"][0] == 30
    assert found["doubt_text"][0] == b"at the edge of the field" and np.isnan(found["wave"][1])
    assert star["syngmag"][0] == 18.02 and star["image"].shape == (2, 11, 21, 21)
    assert images["zipcode"][0] == b"308_047_024_LL_exp01" and images["reason"][9:12].tolist() == [b"loud"] * 3
    assert lines["wave_found"].tolist()[:2] == [7, 15]


def test_calibrations_that_were_used_are_read_as_any(shot):
    found = read_calibrations(str(shot), ("047",))
    assert [one.amplifier for one in found] == [*AMPS, *AMPS] and found[1].positions[0].tolist() == [2.0, 0.0]
    assert found[0].wave[0, 1] == 3472.0 and found[0].trace.shape == (2, NCOL)


def test_pytables_reads_it_as_the_published_tools_do(shot):
    tables = pytest.importorskip("tables")
    with tables.open_file(str(shot)) as file:
        own = [row["ra"] for row in file.root.Info.where("ifux > 7")]
        assert len(own) == 6
        assert file.root.Fibers.cols.spectrum[0].shape == (NWAVE,)
        assert file.root.Survey.cols.name[0] == b"FIELD" and file.root.Detections.nrows == 4


def test_images_of_a_head_are_written(tmp_path, head):
    names = write_head(tmp_path, head)
    assert set(names) == set(names_of(head).values()) == {
        "20190822_0000011_047.fits", "20190822_0000011_047_cube.fits", "20190822_0000011_047_error_cube.fits",
        "20190822_0000011_047_cube_sim.fits",
    }  # fmt: skip
    with fits.open(tmp_path / names[0]) as file:
        assert file[0].data.shape == (NEXP * NFIBER, NWAVE) and file[0].header["CRVAL1"] == 3470.0
        assert file["ERROR"].data[3, 4] == 0 and file["ERROR"].data[0, 0] == 2
        assert file["fibers"].data["exposure"].tolist() == [1] * 8 + [2] * 8 + [3] * 8
        assert "CCDSEC" not in file[0].header and file[0].header["VSEEING"] == 1.75
    with fits.open(tmp_path / names[1]) as file, fits.open(tmp_path / names[2]) as error:
        assert file[0].data.dtype == ">f4" and file[0].data.shape == (NWAVE, 3, 3)
        assert (file[0].header["CRVAL1"], file[0].header["CDELT3"], file[0].header["CTYPE1"]) == (-0.75, 2.0, "pixel")
        assert error[0].data[0, 0, 0] == 3 and error[0].data[2, 1, 1] == 0
        sky = WCS(file[0].header, key="A").celestial
    place = sky.pixel_to_world(2, 0)
    ra, dec = sky_place(np.array([0.75 - 150]), np.array([-0.75 - 250]), 175.5 / 15, 51.3, 113.2)
    assert place.ra.deg == pytest.approx(ra[0], abs=1e-7) and place.dec.deg == pytest.approx(dec[0], abs=1e-7)


def test_an_observation_opens_with_fibers_wavelengths_errors_and_masks(shot):
    found = open_dataset(str(shot))
    image = found.images[0]
    assert (found.kind, found.instrument, image.kind) == ("observation", "virus", "rss")
    assert image.wave[[0, 1]].tolist() == [3470.0, 3472.0] and image.medium == "air"
    assert image.unit == "1e-17 erg/s/cm2/Angstrom" and image.mask.raw.sum() == 6
    assert image.ivar.physical(image.ivar.raw)[0, 0] == 0.25
    fibers = image.fibermap
    assert fibers.focal_x[:3] == pytest.approx([0.1, 1.1, 0.2]) and fibers.focal_unit == "arcsec"
    assert fibers.fiber_id[2] == "LL 1 exp 2" and fibers.ra[0] == pytest.approx(175 + 0.1 / 3600)
    assert {table.name for table in found.tables} >= {"Survey", "Detections", "CatSpectra"}
    raw = open_dataset(f"{shot}[Raw]").images[0]
    assert raw.unit == "electron/Angstrom" and raw.wave.shape == raw.pixels.shape
    with pytest.raises(IfuviewError, match="no head 046"):
        open_dataset(f"{shot}[046]")


@pytest.mark.parametrize(("asked", "target"), [("047", "FIELD"), ("", "FIELD_047"), ("", "FIELD")])
def test_the_slot_that_an_observation_is_of_opens_first(tmp_path, head, asked, target):
    beside = replace(head, done=replace(head.done, spectra=replace(head.done.spectra, slot="046")))
    with new_shot_file(str(tmp_path / "20190822_0000011.h5"), asked) as file:
        file.add(beside)
        file.add(head)
        file.finish(SOLUTION, target)
    shown = [one.camera for one in open_dataset(str(tmp_path / "20190822_0000011.h5")).images]
    assert shown == (["046", "047"] if (asked, target) == ("", "FIELD") else ["047", "046"])


def test_a_head_without_stars_and_detections_is_written(tmp_path, head):
    """No catalog, and nothing found."""
    empty = replace(head, done=replace(head.done, stars=()), stars=(), detections=())
    path = tmp_path / "20190822_0000011.h5"
    with new_shot_file(str(path)) as file:
        file.add(empty)
        file.finish(SOLUTION, "FIELD")
    with h5py.File(path) as file:
        assert [len(file[name]) for name in ("CatSpectra", "MatSpectra", "Detections")] == [0, 0, 0]
        assert len(file["Fibers"]) == len(file["Info"]) > 0
    assert open_dataset(str(path)).images[0].camera == "047"


def test_tables_of_very_many_rows_are_shown_in_part(shot, monkeypatch):
    monkeypatch.setattr("ifuview.io.products.virus.opening.TABLE_BYTES", 1500)
    found = open_dataset(str(shot))
    rows = {table.name: len(table.columns["ra"]) for table in found.tables if "ra" in table.columns}
    assert rows["Detections"] < 4 and any("of 4 rows of Detections" in note for note in found.notes)


def test_own_images_open_with_fibers_and_bits(tmp_path, head):
    names = write_head(tmp_path, head)
    image = open_dataset(str(tmp_path / names[0])).images[0]
    assert image.kind == "rss" and image.wave[-1] == 3488.0 and image.fibermap.focal_x[8] == pytest.approx(0.2)
    assert image.mask_bits.names(1) == ("BAD",) and image.ivar is not None
    cube = open_dataset(str(tmp_path / names[1])).images[0]
    assert cube.kind == "cube" and cube.wave[0] == 3470.0


def test_public_shots_open_with_fibers_and_detectors(tmp_path):
    path = tmp_path / "20190822v011.h5"
    fibers = {
        **dict.fromkeys(("calfib", "calfibe"), (np.float32, (NWAVE,))), "ra": (np.float32, ()),
        "dec": (np.float32, ()), "ifux": (np.float32, ()), "ifuy": (np.float32, ()), "ifuslot": ("S3", ()),
        "amp": ("S2", ()), "expnum": (np.int32, ()), "multiframe": ("S20", ()),
    }  # fmt: skip
    rows = {
        name: np.ones((4, *shape)) if kind is not None and not isinstance(kind, str) else np.full(4, b"047")
        for name, (kind, shape) in fibers.items()
    }
    rows |= {"amp": np.array([b"LL", b"LL", b"LU", b"LU"]), "calfibe": np.array([[2.0] * NWAVE] * 3 + [[0.0] * NWAVE])}
    picture = {"image": (np.float32, (6, 6)), "error": (np.float32, (6, 6)), "multiframe": ("S20", ())}
    with h5_new(path) as (file, disk):
        describe_root(file, "")
        file.create_group("Data")
        GrowingTable(file, disk, "Data/Fibers", fibers).add(rows)
        GrowingTable(file, disk, "Data/Images", picture).add(
            {
                "image": np.ones((1, 6, 6)),
                "error": np.ones((1, 6, 6)),
                "multiframe": np.array([b"multi_308_047_024_LL"]),
            }
        )
    found = open_dataset(str(path))
    assert [one.kind for one in found.images] == ["rss", "detector"]
    rss = found.images[0]
    assert rss.fibermap.fiber_id == ("LL 1 exp 1", "LL 2 exp 1", "LU 1 exp 1", "LU 2 exp 1")
    assert rss.mask.raw[3].all() and not rss.mask.raw[:3].any() and rss.wave[1] == 3472.0
    assert found.images[1].name == "multi_308_047_024_LL"


def test_calibration_files_open_as_detectors_with_traces(tmp_path):
    path = tmp_path / "cal.h5"
    columns = {
        "amp": ("S2", ()), "ifuslot": (np.int32, ()), "readnoise": (np.float32, ()), "extra": (np.float32, ()),
        **dict.fromkeys(("trace", "wavelength", "lampspec"), (np.float32, (5, 9))), "mastertwi": (np.float32, (9, 9)),
        "pixelmask": (np.int32, (9, 9)),
    }  # fmt: skip
    rows = {name: np.ones((2, *shape)) for name, (_, shape) in columns.items()}
    rows |= {"amp": np.array([b"LL", b"LU"]), "ifuslot": np.array([47, 47])}
    with h5_new(path) as (file, disk):
        describe_root(file, "")
        GrowingTable(file, disk, "Cals", columns).add(rows)
    found = open_dataset(str(path))
    assert [one.name for one in found.images] == ["047 LL mastertwi", "047 LL lampspec", "047 LU mastertwi",
                                                  "047 LU lampspec"]  # fmt: skip
    assert found.images[0].mask_bits.names(1) == ("BAD",) and found.images[0].readnoise == 1.0
    assert open_dataset(f"{path}[047_LU]").traces.nfiber == 5


def test_files_that_are_cut_or_do_not_fit_are_refused(tmp_path, shot):
    cut = tmp_path / "cut.h5"
    cut.write_bytes(shot.read_bytes()[: shot.stat().st_size // 2])
    with pytest.raises(IfuviewError):
        open_dataset(str(cut))
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file.create_dataset("Fibers", data=np.zeros(3, [("spectrum", "f4", (4,)), ("error", "f4", (4,))]))
        file.create_dataset("Info", data=np.zeros(2, [("ifuslot", "S3"), ("amp", "S2")]))
    with pytest.raises(IfuviewError, match="rows"):
        open_dataset(str(tmp_path / "odd.h5"))


def test_a_cube_has_the_errors_of_the_file_beside_it_and_the_sky_of_its_other_coordinates(tmp_path, head):
    from ifuview.app.frames.sky.maps import quick

    names = write_head(tmp_path, head)
    found = open_dataset(str(tmp_path / names[1]))
    image = found.images[0]
    assert image.kind == "cube" and "errors from 20190822_0000011_047_error_cube.fits" in found.notes
    ivar = image.ivar.physical(image.ivar.raw)
    assert ivar[0, 0, 0] == pytest.approx(1 / 9) and ivar[2, 1, 1] == 0
    ra, dec = sky_place(np.array([0.75 - 150]), np.array([-0.75 - 250]), 175.5 / 15, 51.3, 113.2)
    assert quick(image).icrs(2, 0) == pytest.approx((ra[0], dec[0]), abs=1e-7)
    (tmp_path / names[2]).write_bytes(b"no FITS")
    assert open_dataset(str(tmp_path / names[1])).images[0].ivar is None
    assert open_dataset(str(tmp_path / names[2].replace("error_", ""))).notes
