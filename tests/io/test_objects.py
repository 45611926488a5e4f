"""Values of other packages as datasets, and back."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty, VarianceUncertainty
from astropy.table import QTable, Table
from astropy.wcs import WCS

from ifuview.errors import FileFormatError, MissingDataError, UsageError
from ifuview.io.objects import outgoing
from ifuview.io.objects.incoming import dataset_of
from ifuview.model.dataset import Dataset
from ifuview.model.image import Kind

RNG = np.random.default_rng(4)
FLUX = RNG.normal(50, 3, (7, 40))
WAVE = np.linspace(4000, 4390, 40)


def test_an_array_is_copied_and_keeps_what_is_said_of_it():
    data = FLUX.copy()
    image = dataset_of(data, "flat", wave=WAVE, error=np.full(data.shape, 3.0), unit="electron").images[0]
    data[:] = 0
    assert (image.name, image.kind, image.unit) == ("flat", Kind.RSS, "electron")
    np.testing.assert_allclose(image.pixels.native(), FLUX, rtol=1e-6)
    np.testing.assert_allclose(image.ivar.native(), 1 / 9, rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "details", "kind"),
    [((40,), {}, Kind.SPECTRUM), ((7, 40), {}, Kind.IMAGE), ((7, 40), {"kind": "detector"}, Kind.DETECTOR),
     ((3, 7, 40), {}, Kind.CUBE), ((2, 3, 7, 40), {}, Kind.CUBE)],
)  # fmt: skip
def test_the_kind_follows_from_the_axes_unless_it_is_said(shape, details, kind):
    assert dataset_of(np.ones(shape), **details).images[0].kind is kind


def test_masked_arrays_and_quantities():
    masked = dataset_of(np.ma.masked_greater(FLUX, 55)).images[0]
    np.testing.assert_array_equal(masked.mask.raw != 0, FLUX > 55)
    assert dataset_of(FLUX * u.Jy).images[0].unit == "Jy"


@pytest.mark.parametrize(
    ("value", "details", "words"),
    [(np.array(["a"]), {}, "cannot be shown"), (object(), {}, "cannot be shown"), (np.ones((2,) * 6), {}, "6 axes"),
     (FLUX, {"wave": WAVE[:3]}, r"wave has shape \(3,\)"), (FLUX, {"kind": "nonsense"}, "no kind"),
     (FLUX, {"colour": 1}, "does not know colour"), (Dataset(""), {"wave": WAVE}, "with an array only")],
)  # fmt: skip
def test_what_can_not_be_shown_is_said(value, details, words):
    with pytest.raises(UsageError, match=words):
        dataset_of(value, **details)


def test_parts_have_the_shape_of_the_array():
    with pytest.raises(FileFormatError, match="mask"):
        dataset_of(FLUX, mask=np.zeros((3, 3)))


def test_ccddata_there_and_back():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ("RA---TAN", "DEC--TAN"), (150.0, 2.0), (-1e-4, 1e-4)
    given = CCDData(FLUX, unit="adu", uncertainty=StdDevUncertainty(np.full(FLUX.shape, 2.0)), mask=FLUX > 55, wcs=wcs)
    back = outgoing.to_ccddata(dataset_of(given).images[0])
    np.testing.assert_allclose(back.data, FLUX, rtol=1e-6)
    np.testing.assert_allclose(back.uncertainty.array, 0.25)
    np.testing.assert_array_equal(back.mask, given.mask)
    assert back.unit == u.adu
    np.testing.assert_allclose(back.wcs.pixel_to_world_values(3, 4), wcs.pixel_to_world_values(3, 4))


@pytest.mark.parametrize("shape", [(40,), (7, 40), (4, 5, 40)])
def test_spectra_there_and_back(shape):
    specutils = pytest.importorskip("specutils")
    flux = RNG.normal(10, 1, shape)
    variance = VarianceUncertainty(np.full(shape, 4.0))
    given = specutils.Spectrum(flux=flux * u.Jy, spectral_axis=WAVE / 10 * u.nm, uncertainty=variance)
    image = dataset_of(given).images[0]
    np.testing.assert_allclose(image.wave, WAVE)
    back = outgoing.to_spectrum(image)
    np.testing.assert_allclose(back.flux.value, flux, rtol=1e-6)
    np.testing.assert_allclose(back.spectral_axis.to_value(u.AA), WAVE)
    np.testing.assert_allclose(back.uncertainty.array, 0.25)


def test_a_spectrum_by_frequency_becomes_one_by_rising_wavelength():
    specutils = pytest.importorskip("specutils")
    frequency = (WAVE * u.AA).to(u.THz, equivalencies=u.spectral())
    image = dataset_of(specutils.Spectrum(flux=FLUX[0] * u.Jy, spectral_axis=frequency[::-1])).images[0]
    np.testing.assert_allclose(image.wave, WAVE)
    np.testing.assert_allclose(image.pixels.native()[0], FLUX[0][::-1], rtol=1e-6)


def test_fibers_with_wavelengths_of_their_own_are_asked_for_one_by_one():
    pytest.importorskip("specutils")
    image = dataset_of(FLUX, wave=WAVE + np.arange(7)[:, None]).images[0]
    with pytest.raises(UsageError, match="wavelengths of its own"):
        outgoing.to_spectrum(image)
    np.testing.assert_allclose(outgoing.to_spectrum(image, 3).spectral_axis.value, WAVE + 3)
    with pytest.raises(UsageError, match="choose 0 to 6"):
        outgoing.to_spectrum(image, 7)
    with pytest.raises(UsageError, match="no spectra"):
        outgoing.to_spectrum(dataset_of(FLUX).images[0])


def test_a_package_that_is_not_there_is_named():
    from ifuview.io.objects.missing import needed

    with pytest.raises(MissingDataError, match="pip install"):
        needed("no_such_package_at_all")


def test_an_hdu_list_is_read_as_its_file_would_be():
    hdus = fits.HDUList([fits.PrimaryHDU(FLUX), fits.ImageHDU(np.ones((3, 4)), name="OTHER")])
    dataset = dataset_of(hdus, "mine")
    np.testing.assert_allclose(dataset.images[0].pixels.native(), FLUX, rtol=1e-6)
    assert dataset.path.endswith("mine.fits")
    assert [h.name for h in dataset.hdus][1] == "OTHER"


def test_a_table_of_traces_gives_traces():
    pandas = pytest.importorskip("pandas")
    columns = np.arange(0, 100, 5.0)
    frame = pandas.concat(
        pandas.DataFrame({"fiber_id": f, "x_pixels": columns, "y_pixels": 10.0 * f + 5 + columns / 50})
        for f in range(4)
    )
    traces = dataset_of(frame).traces
    assert traces.nfiber == 4
    np.testing.assert_allclose(traces.center[2, 50], 26, atol=1e-6)


def test_a_table_of_a_spectrum_gives_it_and_back():
    table = Table({"wavelength": WAVE * u.AA, "flux": FLUX[0] * u.Jy})
    dataset = dataset_of(QTable(table))
    np.testing.assert_allclose(dataset.images[0].wave.ravel(), WAVE)
    back = outgoing.to_table(dataset)
    np.testing.assert_allclose(back["flux"], FLUX[0], rtol=1e-6)
    assert back["wavelength"].unit == u.AA
    with pytest.raises(MissingDataError, match="no fibers"):
        outgoing.to_table(dataset_of(FLUX))


def test_a_table_of_neither_says_what_it_lacks():
    found = dataset_of(Table({"a": [1.0, 2.0], "b": [3.0, 4.0]}))
    assert not found.images and found.tables[0].columns["a"].tolist() == [1.0, 2.0]
    assert any("no columns of wavelength and flux" in note and "fiber_id" in note for note in found.notes)
