"""Products of photon lists as files: what is in them, and that none is left half written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from ifuview.engine.photons.counting.aperture import circle, pixel
from ifuview.engine.photons.counting.cube import count_cube
from ifuview.engine.photons.counting.image import count_image
from ifuview.engine.photons.counting.lightcurve import light_curve
from ifuview.engine.photons.counting.spectrum import photon_spectrum
from ifuview.errors import UsageError
from ifuview.io import open_dataset
from ifuview.io.photons.products import sky_cards, write_light, write_product
from ifuview.model.image import Kind
from ifuview.model.photons.images import BinAxis
from ifuview.model.photons.lists import PhotonCut, PhotonList
from tests.engine.photons.lists import made

HEADER = {"RA": "18:36:56.3", "DEC": "-08:47:01.3", "E_PLTSCL": 22.1, "E_DEVANG": 30.0, "OBJECT": "Vega"}


@pytest.fixture(scope="module")
def photons() -> PhotonList:
    flags = np.zeros((6, 9), np.uint64)
    flags[1, 2] = 1
    return made(np.full((6, 9), 50.0), flags=flags, header=HEADER, calibrations={"wavecal": "sol_A"})


def test_an_image_has_all_its_parts(photons, tmp_path):
    image = count_image(photons, PhotonCut(start=1, stop=4, low=800, high=1200))
    write_product(tmp_path / "a.fits", image)
    with fits.open(tmp_path / "a.fits") as file:
        names = [h.name for h in file]
        assert names == ["PRIMARY", "SCIENCE", "VARIANCE", "FLAGS", "EXPOSURE", "FLAG_NAMES", "CUBE_EDGES"]
        np.testing.assert_array_equal(file["SCIENCE"].data, image.counts)
        np.testing.assert_array_equal(file["VARIANCE"].data, image.counts)
        np.testing.assert_array_equal(file["FLAGS"].data, photons.info.beammap.flags)
        assert file["EXPOSURE"].data[1, 2] == 0
        assert list(file["FLAG_NAMES"].data["NAME"]) == list(photons.info.beammap.flag_names)
        assert list(file["FLAG_NAMES"].data["EXCLUDED"]) == [True, True, False]
        assert list(file["CUBE_EDGES"].data["edges"]) == [1, 4]
        assert file["CUBE_EDGES"].header["UNIT"] == "s"
        head = file[0].header
        assert (head["INFILE"], head["WAVECAL"], head["CUTLOW"], head["CUTHIGH"]) == ("made.h5", "sol_A", 800, 1200)
        assert (head["TSTART"], head["TSTOP"], head["EXPTIME"], head["PHOTONS"]) == (1, 4, 3, image.photons)
        assert head["EXFLAG0"] == "pixcal.hot"
        assert "first axis of the beam map" in str(head["COMMENT"])
        head = file["SCIENCE"].header
        assert (head["TSTART"], head["TSTOP"], head["CUTLOW"], head["CUTHIGH"]) == (1, 4, 800, 1200)
        assert "first axis of the beam map" in str(head["COMMENT"])
    assert [p.name for p in tmp_path.iterdir()] == ["a.fits"]


def test_a_cube_has_its_edges_and_its_third_axis(photons, tmp_path):
    cube = count_cube(photons, BinAxis.TIME, np.linspace(0, 10, 6))
    write_product(tmp_path / "c.fits", cube, {"lightcurve": light_curve(photons, pixel(photons.info.beammap, 3, 3))})
    with fits.open(tmp_path / "c.fits") as file:
        np.testing.assert_array_equal(file["SCIENCE"].data, cube.counts)
        np.testing.assert_array_equal(file["CUBE_EDGES"].data["edges"], cube.edges)
        assert file["SCIENCE"].header["BITPIX"] == 32
        world = WCS(file["SCIENCE"].header)
        assert world.wcs_pix2world([[0, 0, 1]], 0)[0][2] == pytest.approx(3)
        assert len(file["LIGHTCURVE"].data) == 1000
    bins = count_cube(photons, BinAxis.WAVE, [700, 800, 1500])
    write_product(tmp_path / "w.fits", bins)
    with fits.open(tmp_path / "w.fits") as file:
        assert file["CUBE_EDGES"].header["UNIT"] == "nm"
        assert "CTYPE3" not in file["SCIENCE"].header
        assert WCS(file["SCIENCE"].header).celestial.naxis == 2


def test_sums_of_weights_are_floating_point(photons, tmp_path):
    weighted = replace(photons, weight=np.full(len(photons.time), 1.5, np.float32))
    write_product(tmp_path / "w.fits", count_image(weighted, PhotonCut(weighted=True)))
    with fits.open(tmp_path / "w.fits") as file:
        assert file["SCIENCE"].data.sum() * 1.5 == pytest.approx(file["VARIANCE"].data.sum())
        assert file[0].header["WEIGHTED"] is True


def test_the_sky_is_where_the_header_says(photons):
    world = WCS(fits.Header(sky_cards(photons.info)))
    ra, dec = world.wcs_pix2world([[4, 2.5]], 0)[0]
    assert ra == pytest.approx(15 * (18 + 36 / 60 + 56.3 / 3600))
    assert dec == pytest.approx(-(8 + 47 / 60 + 1.3 / 3600))
    (_, north), _ = world.wcs_pix2world([[4, 12.5], [14, 2.5]], 0)
    assert (north - dec) * 3.6e6 == pytest.approx(221 * np.cos(np.deg2rad(30)), rel=1e-3)
    assert sky_cards(replace(photons.info, header={"RA": "18:36:56.3"})) == {}
    assert sky_cards(replace(photons.info, header={**HEADER, "RA": "somewhere"})) == {}


@pytest.mark.parametrize("suffix", [".fits", ".ecsv"])
def test_tables_say_which_photons_and_pixels_were_counted(photons, tmp_path, suffix):
    cut = PhotonCut(1, 4, 800, 1200, ("pixcal.hot", "pixcal.dead"))
    spot = circle(photons.info.beammap, 3, 3, 1, inner=2, outer=2.5)
    for light in (light_curve(photons, spot, cut, width=1.0), photon_spectrum(photons, spot, cut)):
        path = tmp_path / f"light{suffix}"
        write_light(path, light)
        found = (Table.read(path, hdu=1) if suffix == ".fits" else Table.read(path)).meta
        assert (found["TSTART"], found["TSTOP"], found["CUTLOW"], found["CUTHIGH"]) == (1, 4, 800, 1200)
        assert (found["EXFLAG0"], found["EXFLAG1"]) == ("pixcal.hot", "pixcal.dead")
        assert (found["RADIUS"], found["BKGIN"], found["BKGOUT"], found["APERX"]) == (1, 2, 2.5, 3)


@pytest.mark.parametrize("suffix", [".fits", ".ecsv"])
def test_light_curves_and_spectra_are_tables_with_provenance(photons, tmp_path, suffix):
    for light in (
        light_curve(photons, pixel(photons.info.beammap, 3, 3), width=1.0),
        photon_spectrum(photons, pixel(photons.info.beammap, 3, 3)),
    ):
        path = tmp_path / f"light{suffix}"
        write_light(path, light)
        table = Table.read(path, hdu=1) if suffix == ".fits" else Table.read(path)
        np.testing.assert_array_equal(table["counts"], light.counts)
        np.testing.assert_array_equal(table["low"], light.edges[:-1])
        assert table["low"].unit == light.axis.unit
        assert table["rate"].unit == "count / s" or str(table["rate"].unit) == "ct / s"
        assert table.meta["INFILE"] == "made.h5"
        assert suffix == ".ecsv" or fits.getheader(path)["INFILE"] == "made.h5"
        assert table.meta["APERTURE"] == "pixel 3,3"


def test_odd_header_values_do_not_stop_the_writing(photons, tmp_path):
    odd = {**HEADER, "OBJECT": "β Pic\nagain", "E_DEVANG": float("nan"), "TELESCOP": "long " * 30}
    info = replace(photons.info, header=odd, path="/x/sciencé.h5", notes=("It says “no”.",))
    source = replace(photons, info=info)
    write_product(
        tmp_path / "a.fits", count_image(source), {"spectrum": photon_spectrum(source, pixel(info.beammap, 1, 1))}
    )
    head = fits.getheader(tmp_path / "a.fits")
    assert head["OBJECT"] == "? Pic again"
    assert "E_DEVANG" not in head
    assert head["TELESCOP"].startswith("long long")


def test_what_cannot_be_written_leaves_nothing(photons, tmp_path):
    image = count_image(photons)
    with pytest.raises(UsageError, match="cannot be written"):
        write_product(tmp_path / "missing" / "a.fits", image)
    (tmp_path / "folder.fits").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        write_product(tmp_path / "folder.fits", image)
    with pytest.raises(UsageError, match="table"):
        write_light(tmp_path / "a.png", light_curve(photons, pixel(photons.info.beammap, 3, 3)))
    assert [p.name for p in tmp_path.iterdir()] == ["folder.fits"]


@pytest.mark.parametrize("edges", [(700.0, 750.0, 820.0, 1000.0, 1300.0), (800.0, 900.0, 1000.0, 1100.0)])
@pytest.mark.parametrize("published", [False, True])
def test_a_cube_of_wavelengths_opens_with_them(photons, tmp_path, edges, published):
    """The middles of its bins, even or not; files of the published pipeline name the unit in a card alone."""
    path = tmp_path / "a.fits"
    write_product(path, count_cube(photons, BinAxis.WAVE, np.array(edges)))
    if published:
        with fits.open(path, mode="update") as file:
            del file["CUBE_EDGES"].header["TUNIT1"]
            for key in [key for key in file["SCIENCE"].header if key[-1] == "3" and key[0] == "C"]:
                del file["SCIENCE"].header[key]
    (image,) = open_dataset(str(path)).images
    assert image.kind is Kind.CUBE and image.unit == "count"
    np.testing.assert_allclose(image.wave, 10 * (np.array(edges)[1:] + np.array(edges)[:-1]) / 2)


def test_a_cube_of_times_has_no_wavelengths(photons, tmp_path):
    write_product(tmp_path / "a.fits", count_cube(photons, BinAxis.TIME, np.linspace(0, 10, 6)))
    dataset = open_dataset(str(tmp_path / "a.fits"))
    assert dataset.images[0].kind is Kind.CUBE and dataset.images[0].wave is None
    assert not any("wavelength" in note for note in dataset.notes)
