"""Integers of every size and sign are exact, as pixels, as bits of a mask and in tables; what is no number is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from ifuview import io
from ifuview.io.fits.cards import parse_cards
from tests.io import fitsbytes

TOP = {"u1": 2**8, "i2": 2**15, "u2": 2**16, "i4": 2**31, "u4": 2**32, "i8": 2**63, "u8": 2**64}


def bits(code: str) -> list[int]:
    """Masks with the lowest bits, the highest and both."""
    size = 8 * np.dtype(code).itemsize
    return [0, 5, 1 << (size - 1), (1 << (size - 1)) + 1]


@pytest.mark.parametrize("code", TOP)
def test_whole_numbers_are_exact(tmp_path: Path, code: str) -> None:
    low = 0 if code[0] == "u" else -TOP[code]
    values = np.array([[low, low + 7, 3], [0, 5, TOP[code] - 1]], code)
    fits.PrimaryHDU(values).writeto(tmp_path / "a.fits")
    image = io.open_dataset(tmp_path / "a.fits").images[0]
    found = [image.pixels.value(0, 0), image.pixels.value(0, 2), image.pixels.value(1, 1)]
    assert found == [float(low), 3.0, 5.0]
    np.testing.assert_allclose(image.pixels.native(), values.astype("f8"), rtol=1e-7)


def test_the_blank_of_unsigned_numbers_is_that_of_the_stored_ones(tmp_path: Path) -> None:
    stored = np.array([[-(2**63), 4 - 2**63, 9 - 2**63]], "i8")
    raw = fitsbytes.image(stored, BZERO=float(2**63), BLANK=4 - 2**63)
    fitsbytes.write(tmp_path / "a.fits", raw)
    np.testing.assert_array_equal(io.open_dataset(tmp_path / "a.fits").images[0].pixels.native(), [[0, np.nan, 9]])


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("code", TOP)
def test_the_highest_bit_of_a_mask_is_no_sign(tmp_path: Path, code: str, compressed: bool) -> None:
    if compressed and code[1] == "8":
        pytest.skip("FITS compresses no integers of 64 bits")
    mask = np.array([bits(code)] * 2, f"u{code[1]}").view(code)
    hdu = fits.CompImageHDU(mask, name="MASK") if compressed else fits.ImageHDU(mask, name="MASK")
    flux = fits.ImageHDU(np.ones(mask.shape, "f4"), name="FLUX")
    fits.HDUList([fits.PrimaryHDU(), flux, hdu]).writeto(tmp_path / "a.fits")
    found = io.open_dataset(tmp_path / "a.fits").images[0]
    assert [found.mask.integer(1, k) for k in range(4)] == bits(code)
    assert found.mask_bits.names(found.mask.integer(1, 2)) == (f"bit {8 * mask.dtype.itemsize - 1}",)


@pytest.mark.parametrize("first", [2**62 + 1, 2**63 + 5])
def test_identifiers_of_64_bits_keep_all_digits(tmp_path: Path, first: int) -> None:
    ids = np.array([first, first + 2], np.uint64)
    Table({"TARGETID": ids, "FIBER": np.array([3, 4], "i4")}).write(tmp_path / "a.fits")
    assert io.open_dataset(tmp_path / "a.fits").tables[0].columns["TARGETID"].tolist() == ids.tolist()


@pytest.mark.parametrize("code", ["u1", "i2", "i4", "i8"])
def test_what_is_null_in_a_table_is_no_number(tmp_path: Path, code: str) -> None:
    wave, flux = 4000.0 + np.arange(9), np.arange(9).astype(code)
    made = [
        fits.Column("wavelength", "D", unit="Angstrom", array=wave),
        fits.Column("flux", {"u1": "B", "i2": "I", "i4": "J", "i8": "K"}[code], null=3, array=flux),
    ]
    fits.BinTableHDU.from_columns(made).writeto(tmp_path / "a.fits")
    found = io.open_dataset(tmp_path / "a.fits").images[0].pixels.native()[0]
    np.testing.assert_array_equal(found, np.where(flux == 3, np.nan, flux.astype(float)))


def test_a_card_that_only_python_takes_for_a_number_is_text() -> None:
    cards = parse_cards("".join(c.ljust(80) for c in ("CRVAL1  = 4_000", "CDELT1  = 1_0.5", "CRPIX1  = 1.0D1")))
    assert [value for _, value, _ in cards] == ["4_000", "1_0.5", 10.0]
