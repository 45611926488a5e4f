"""A user's instrument files count, wrong ones are told and left out, and `ifuview instruments` checks them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview import cli, io
from ifuview import instrument as instruments
from ifuview.instrument import catalog
from ifuview.model.image import Kind

MINE = """\
name = "mine"
title = "My spectrograph"

[match]
header = { INSTRUME = ["my-ifu"] }

[geometry]
medium = "air"

[[product]]
name = "reduced"
kind = "rss"
main = "COUNTS"
unit = "electron"
error = { hdu = "RMS", kind = "sigma" }
mask = { hdu = "FLAG" }
wave = { header = ["W0", "DW"], unit = "nm" }

[bits.spectrum]
2 = ["GHOST", "a ghost"]
"""


@pytest.fixture
def folder(own_instruments: Path) -> Path:
    return own_instruments


def spectra(path: Path) -> Path:
    """A file that only the user's own instrument file describes."""
    head = fits.Header({"INSTRUME": "MY-IFU v2"})
    main = fits.ImageHDU(np.full((4, 30), 5, "f4"), fits.Header({"W0": 400.0, "DW": 0.1}), name="COUNTS")
    flag = np.zeros((4, 30), "u1")
    flag[1, 2] = 4
    hdus = [main, fits.ImageHDU(np.full((4, 30), 2, "f4"), name="RMS"), fits.ImageHDU(flag, name="FLAG")]
    fits.HDUList([fits.PrimaryHDU(header=head), *hdus]).writeto(path)
    return path


def test_a_file_in_the_users_folder_is_all_it_takes(folder: Path, tmp_path: Path) -> None:
    (folder / "mine.toml").write_text(MINE)
    found = io.open_dataset(spectra(tmp_path / "a.fits"))
    im = found.images[0]
    assert (found.instrument, found.kind, im.kind, im.unit, im.medium) == (
        "mine",
        "reduced",
        Kind.RSS,
        "electron",
        "air",
    )
    np.testing.assert_allclose(im.wave, 4000 + np.arange(30.0))
    np.testing.assert_allclose(im.ivar.native(), 0.25)
    assert im.mask_bits.names(im.mask.integer(1, 2)) == ("GHOST",)


def test_a_users_file_takes_the_place_of_the_programs(folder: Path) -> None:
    (folder / "gmos.toml").write_text('name = "gmos"\ntitle = "Mine"\n[match]\nheader = { INSTRUME = ["gmos"] }\n')
    assert instruments.instrument("gmos").title == "Mine"
    assert instruments.recognize({"INSTRUME": "GMOS-S"}) == "gmos"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('kind = "sigma"', 'kind = "rms"'), "kind = 'rms' is none of ivar, variance, sigma"),
        (("main =", "mian ="), "the product has no mian"),
        (('kind = "rss"', 'kind = "fibers"'), "kind = 'fibers' is none of"),
        (('unit = "nm" }', "unit = 10 }"), "unit = 10 is no str"),
        (("wave = { header", 'wave = { hdu = "W", header'), "wave: needs one of hdu, table, header, wcs"),
        (('name = "mine"', 'name = "other"'), "call the file other.toml"),
        (
            ('[match]\nheader = { INSTRUME = ["my-ifu"] }', '[match]\nheader = { INSTRUME = "my-ifu" }'),
            "lists of texts",
        ),
        (("[[product]]", "[product]"), "must be written [[product]]"),
        (("[geometry]", "[geometry"), "cannot be read"),
        (("[geometry]", "[steps]\nhot = [0.5, 0.1]\n[geometry]"), "hot needs two numbers"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else None,
)
def test_a_wrong_file_is_one_message_and_no_crash(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], said: str
) -> None:
    assert change[0] in MINE
    file = folder / "mine.toml"
    file.write_text(MINE.replace(*change))
    found = io.open_dataset(spectra(tmp_path / "a.fits"))
    assert found.instrument == "plain" and found.images
    assert len([note for note in found.notes if "mine.toml" in note and said in note]) == 1
    assert cli.main(["instruments", str(file)]) == 2
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err


def test_the_list_says_from_where_and_a_sound_file_what_it_gives(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine.toml").write_text(MINE)
    assert cli.main(["instruments"]) == 0
    out = capsys.readouterr().out
    assert str(folder / "mine.toml") in out and "HETDEX" in out
    assert cli.main(["instruments", str(folder / "mine.toml")]) == 0
    out = capsys.readouterr().out
    assert "My spectrograph is sound" in out and "reduced (rss): main COUNTS, errors RMS, mask FLAG, wavelengths" in out
    assert cli.main(["instruments", str(tmp_path / "none.toml")]) == 2


def test_every_file_of_the_program_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(path) for path in catalog.files().values()]
    assert cli.main(["instruments", *files]) == 0
    assert capsys.readouterr().out.count("is sound") == len(files) >= 19
