"""Every instrument file is sound, and headers find their instrument."""

from __future__ import annotations

from pathlib import Path

import pytest

from ifuview import instrument as instruments
from ifuview import resources
from ifuview.errors import UnknownInstrumentError
from ifuview.instrument import catalog
from ifuview.instrument.load import load_instrument
from ifuview.model.fibers import FiberRole


@pytest.mark.parametrize("name", instruments.names())
def test_every_file_loads_and_bears_its_name(name: str) -> None:
    spec = instruments.instrument(name)
    assert spec.name == name and spec.title
    for camera in spec.cameras:
        assert camera.wave_min < camera.wave_max
    for bits in spec.bits.values():
        assert all(0 <= bit < 32 and word and meaning for bit, (word, meaning) in bits.bits.items())


@pytest.mark.parametrize(
    ("header", "names", "found"),
    [
        ({"INSTRUME": "DESI    "}, (), "desi"),
        ({}, ("XTRACE", "YTRACE"), "desi"),
        ({"INSTRUME": "LVM"}, (), "lvm"),
        ({}, ("COEFFS", "SLITMAP"), "lvm"),
        ({"INSTRUME": "virus"}, (), "virus"),
        ({"INSTRUME": "LRS2"}, (), "lrs2"),
        ({"INSTRUME": "WFC3", "N": 1}, ("SCI",), "plain"),
        ({}, (), "plain"),
    ],
)
def test_headers_and_hdu_names_find_the_instrument(header: dict, names: tuple[str, ...], found: str) -> None:
    assert instruments.recognize(header, names) == found


def test_geometry_and_bits_come_from_the_file() -> None:
    spec = instruments.instrument("desi")
    assert spec.orientation.transpose and spec.block == "bundle" and spec.block_size == 25
    assert spec.mask_bits("pixel").names(0b10001) == ("BAD", "COSMIC")
    assert spec.roles["SKY"] is FiberRole.SKY
    assert spec.camera("r7").wave_min == 5760
    assert [amp.section for amp in spec.amplifiers[:2]] == ["CCDSECA", "CCDSECB"]


def test_orientation_can_depend_on_the_amplifier() -> None:
    spec = instruments.instrument("virus")
    assert spec.orientation_of({"CCDPOS": "L ", "CCDHALF": "U"}).flip_disp
    assert not spec.orientation_of({"CCDPOS": "L", "CCDHALF": "L"}).flip_disp


@pytest.mark.parametrize(
    "text", ["name = ", "title = 'x'", "name = 'x'\nsize = 3", "name = 'x'\n[[camera]]\nname = 'r'"]
)
def test_a_wrong_file_is_told_by_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UnknownInstrumentError, match=r"mine\.toml"):
        load_instrument(path)


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(UnknownInstrumentError, match="desi"):
        instruments.instrument("hubble")


def test_resources_are_found() -> None:
    assert resources.path("instruments/plain.toml").is_file()


@pytest.mark.parametrize("name", catalog.names())
def test_what_a_rule_or_a_product_speaks_of_is_not_spared_the_parser(name):
    rule = catalog._matches()[name]
    assert all(catalog.may_know({card: starts[0]}, (), "") for card, starts in rule.header.items())
    assert all(catalog.may_know({}, extnames, "") for extnames in rule.names)
    assert all(catalog.may_know(dict.fromkeys(keys, 1), (), "") for keys in rule.keys)
    assert all(
        catalog.may_know({}, (), f"/data/{pattern.replace('*', '1').replace('?', '1')}") for pattern in rule.files
    )


def test_mosaics_of_ccds_are_spared_the_parser():
    assert not catalog.may_know({"EXPTIME": 1.0, "INSTRUME": "mosaic"}, ("CCD1", "CCD2"), "/data/night.fits")
    mains = [name for p in catalog.instrument().products for name in p.main if not p.table and name != "PRIMARY"]
    assert all(catalog.may_know({}, (name.replace("{band}", "R"),), "") for name in mains)
