"""A product is read with only the parts that are asked for, by the same rules as the whole of it."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from astropy.io import fits

from ifuview.errors import MissingDataError
from ifuview.instrument import instrument
from ifuview.io import open_dataset
from ifuview.io.products.lean import read_lean

DESI = instrument("desi")
COUNT, SIZE = 6, 40


@pytest.fixture(params=["FLUX", ""], ids=["named", "first HDU without a name"])
def path(tmp_path, request):
    rng = np.random.default_rng(1)
    flux, ivar = rng.normal(size=(2, COUNT, SIZE)).astype(np.float32)
    table = fits.BinTableHDU.from_columns([
        fits.Column("FIBER", "J", array=500 + np.arange(COUNT)),
        fits.Column("OBJTYPE", "3A", array=["SKY", "TGT"] * 3),
        fits.Column("FIBER_X", "D", array=np.arange(COUNT, dtype=float)),
        fits.Column("MORE", "D", array=np.ones(COUNT)),
    ], name="FIBERMAP")  # fmt: skip
    first = fits.PrimaryHDU(flux)
    first.header["INSTRUME"] = "DESI"
    if request.param:
        first.name = request.param
    hdus = [first, fits.ImageHDU(np.abs(ivar), name="IVAR"),
            fits.ImageHDU(np.ones((COUNT, SIZE), np.int32), name="MASK"),
            fits.ImageHDU(np.linspace(5760, 5800, SIZE), name="WAVELENGTH"), table,
            fits.ImageHDU(np.arange(1.0, COUNT + 1), name="FIBERSTATUS")]  # fmt: skip
    plain = tmp_path / "sframe-r1-00000001.fits"
    fits.HDUList(hdus).writeto(plain)
    packed = tmp_path / "sframe-r1-00000001.fits.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    return packed


def test_what_is_asked_for_is_what_the_whole_file_gives(path):
    whole, lean = open_dataset(path), read_lean(str(path), DESI, ("error", "wave", "fibers"))
    one, two = whole.images[0], lean.images[0]
    assert one.kind is two.kind
    assert whole.kind == lean.kind == "sframe"
    for name in ("pixels", "ivar"):
        np.testing.assert_array_equal(getattr(one, name).native(), getattr(two, name).native())
    np.testing.assert_array_equal(one.wave, two.wave)
    assert one.fibermap.role == two.fibermap.role
    np.testing.assert_array_equal(one.fibermap.focal_x, two.fibermap.focal_x)
    assert [t.columns["FIBERSTATUS"].tolist() for t in lean.tables] == [[1, 2, 3, 4, 5, 6]]


def test_what_is_not_asked_for_is_not_read(path):
    whole, lean = open_dataset(path).images[0], read_lean(str(path), DESI, ("wave", "fibers")).images[0]
    assert whole.mask is not None
    assert whole.ivar is not None
    assert lean.mask is None
    assert lean.ivar is None
    assert "MORE" in whole.fibermap.table
    assert "MORE" not in lean.fibermap.table


def test_a_file_of_something_else_is_one_sentence(tmp_path):
    fits.PrimaryHDU(np.ones(5)).writeto(tmp_path / "other.fits")
    with pytest.raises(MissingDataError, match="no product"):
        read_lean(str(tmp_path / "other.fits"), DESI, ("wave",))
