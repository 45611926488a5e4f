"""The own FITS walker against astropy, and its patience with odd files."""

from __future__ import annotations

import bz2
import gzip
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits as afits

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.fits.fast import pixels, read_fits
from tests.io.fitsbytes import BLOCK, card, header, image, write

RNG = np.random.default_rng(7)


def astropy_values(path: Path, hdu: int = 0) -> np.ndarray:
    """What astropy makes of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with afits.open(path) as opened:
            return np.array(opened[hdu].data, dtype=np.float64)


@pytest.mark.parametrize("code", ["u1", "i2", "i4", "i8", "f4", "f8"])
@pytest.mark.parametrize("scaling", [{}, {"BSCALE": 0.5, "BZERO": -3.0}, {"BZERO": 32768.0}, {"BLANK": 5}])
@pytest.mark.parametrize("shape", [(11,), (7, 5), (3, 7, 5), (2, 3, 4, 5)])
def test_values_are_those_of_astropy(tmp_path: Path, code: str, scaling: dict, shape: tuple[int, ...]) -> None:
    if code in ("f4", "f8"):
        data = RNG.normal(0, 100, shape).astype(code)
        data.flat[3] = np.nan
        scaling = {key: value for key, value in scaling.items() if key != "BLANK"}
    else:
        data = RNG.integers(0, 100, shape).astype(code)
        data.flat[::4] = 5
    path = write(tmp_path / "a.fits", image(data, **scaling))
    found = pixels(read_fits(str(path)).hdus[0])
    truth = astropy_values(path).reshape(found.shape)
    np.testing.assert_allclose(found.native(), truth, rtol=1e-6)
    index = (0,) * (found.ndim - 1) + (2,)
    single = code in ("f4", "u1", "i2")  # astropy scales these in single precision
    np.testing.assert_allclose(found.value(*index), truth[index], rtol=1e-6 if single else 1e-14)


def test_unsigned_sixteen_bits_are_named_and_exact(tmp_path: Path) -> None:
    data = np.array([[-32768, 0, 32767]], dtype="i2")
    hdu = read_fits(str(write(tmp_path / "u.fits", image(data, BZERO=32768)))).hdus[0]
    assert hdu.info.dtype == "uint16"
    assert pixels(hdu).native().tolist() == [[0.0, 32768.0, 65535.0]]


def test_every_hdu_is_listed_with_its_whole_header(tmp_path: Path) -> None:
    data = np.zeros((4, 6), "f4")
    path = write(
        tmp_path / "m.fits",
        image(None),
        image(data, False, EXTNAME="SCI", BUNIT="adu"),
        image(data.astype("i2"), False, EXTNAME="SCI", EXTVER=2),
    )
    found = read_fits(str(path))
    assert [(h.info.name, h.info.version, h.info.kind, h.info.shape, h.info.unit) for h in found.hdus] == [
        ("", 1, "empty", (), ""),
        ("SCI", 1, "image", (4, 6), "adu"),
        ("SCI", 2, "image", (4, 6), ""),
    ]
    assert found.select("sci", 2).info.index == 2
    with pytest.raises(MissingDataError, match="0 to 2"):
        found.select(7)
    with pytest.raises(MissingDataError, match="SCI"):
        found.select("ERR")


def test_odd_cards_are_kept(tmp_path: Path) -> None:
    lines = [
        card("SIMPLE", True),
        card("BITPIX", 8),
        card("NAXIS", 0),
        "LONGTEXT= 'one &'",
        "CONTINUE  'two &'",
        "CONTINUE  'three' / end",
        "HIERARCH ESO DET GAIN = 1.25 / gain",
        "COMMENT  = is no value",
        "HISTORY made by hand",
        "QUOTE   = 'it''s / here' / comment",
        "EXPO    =              1.5D+03",
        "CPLX    = (1.0, -2.0)",
        "EMPTY   =                      / nothing",
        "LATIN   = 'caf\xe9'",
        "        blank keyword",
    ]
    cards = read_fits(str(write(tmp_path / "c.fits", header(lines)))).hdus[0].info.cards
    values = {key: value for key, value, _ in cards}
    assert values["LONGTEXT"] == "one two three"
    assert values["ESO DET GAIN"] == 1.25
    assert values["QUOTE"] == "it's / here"
    assert values["EXPO"] == 1500.0
    assert values["CPLX"] == complex(1, -2)
    assert values["EMPTY"] is None
    assert values["LATIN"] == "caf\xe9"
    assert ("COMMENT", "= is no value", "") in cards
    assert ("HISTORY", "made by hand", "") in cards
    assert ("QUOTE", "it's / here", "comment") in cards


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lambda raw: gzip.compress(raw[:999]) + gzip.compress(raw[999:])]
)
def test_packed_files_give_the_same_pixels(tmp_path: Path, pack) -> None:
    data = RNG.normal(size=(300, 700)).astype("f4")
    raw = image(data) + image(data * 2, False, EXTNAME="B")
    path = tmp_path / "a.fits.gz"
    path.write_bytes(pack(raw))
    found = read_fits(str(path))
    np.testing.assert_array_equal(pixels(found.hdus[0]).native(), data)
    np.testing.assert_array_equal(pixels(found.hdus[1]).native(), data * 2)


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("noise", [3.0, 30.0])
def test_a_flipped_bit_of_a_packed_file_is_never_passed_over(tmp_path: Path, at: float, noise: float) -> None:
    """It may move all that follows, so that the walk ends before the sum of the data was compared."""
    data = RNG.normal(100, noise, size=(300, 700)).astype("i2").astype("f4")
    packed = bytearray(gzip.compress(image(data) + image(data * 2, False, EXTNAME="B"), 1))
    packed[int(at * len(packed))] ^= 4
    path = tmp_path / "a.fits.gz"
    path.write_bytes(packed)
    with pytest.raises(FileFormatError, match=r"damaged|cut off|no FITS"):
        read_fits(str(path))


def test_unwanted_data_of_a_packed_file_are_not_held(tmp_path: Path) -> None:
    data = np.zeros((50, 50), "f4")
    path = tmp_path / "a.fits.gz"
    path.write_bytes(gzip.compress(image(data) + image(data, False, EXTNAME="RESOLUTION")))
    found = read_fits(str(path), keep=lambda name: name != "RESOLUTION")
    assert found.hdus[1].data is None
    assert found.hdus[1].info.shape == (50, 50)


def test_damaged_sizes_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    lines = [card("SIMPLE", True), card("BITPIX", -64), card("NAXIS", 2), card("NAXIS1", 10**9), card("NAXIS2", 10**9)]
    for name, pack in (("a.fits", bytes), ("a.fits.gz", gzip.compress)):
        path = tmp_path / name
        path.write_bytes(pack(header(lines) + b"\0" * BLOCK))
        with pytest.raises(FileFormatError, match=r"cut off|takes more"):
            read_fits(str(path))


def test_missing_bytes_are_counted(tmp_path: Path) -> None:
    raw = image(np.zeros((10, 10), "f4")) + image(np.zeros((100, 100), "f4"), False, EXTNAME="SCI")
    path = tmp_path / "cut.fits"
    path.write_bytes(raw[: 2 * BLOCK + BLOCK + 1000])
    with pytest.raises(FileFormatError, match=r"HDU 1 \(SCI\) are cut off: 39000 of 40000 bytes"):
        read_fits(str(path))


def test_bytes_behind_the_last_hdu_are_left_out_with_a_note(tmp_path: Path) -> None:
    raw = image(np.ones((10, 10), "f4"))
    for tail in (b"\0" * BLOCK, b"junk", b"\xff" * 5000):
        path = tmp_path / "tail.fits"
        path.write_bytes(raw + tail)
        found = read_fits(str(path))
        assert len(found.hdus) == 1 and found.notes
    path.write_bytes(raw[: BLOCK + 400])
    assert "padding" in read_fits(str(path)).notes[0]


def test_random_groups_and_zero_axes_do_not_upset_the_walk(tmp_path: Path) -> None:
    lines = [card("SIMPLE", True), card("BITPIX", 16), card("NAXIS", 2), card("NAXIS1", 0), card("NAXIS2", 3)]
    groups = [*lines, card("GROUPS", True), card("PCOUNT", 2), card("GCOUNT", 4)]
    path = write(tmp_path / "g.fits", header(groups), b"\0" * BLOCK, image(np.ones((2, 2), "f4"), False))
    assert [h.info.kind for h in read_fits(str(path)).hdus] == ["empty", "image"]
    path = write(tmp_path / "z.fits", header(lines), image(np.ones((2, 2), "f4"), False))
    assert not read_fits(str(path)).hdus[0].has_image
