"""The index of raw nights and the reading of one amplifier, on small nights made here and on the shared one."""

from __future__ import annotations

import io
import os
import tarfile

import numpy as np
import pytest

from ifuview import instrument
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.night.raw_index import holds_raw, index_night, is_raw_name
from ifuview.io.night.raw_read import read_amplifier, read_frame

FLIPPED = {"LL": "", "LU": "xy", "RU": "", "RL": "xy"}
CARDS = {"INSTRUME": "lrs2", "OBJECT": "TARGET_056_E", "EXPTIME": 90.0, "REXPTIME": 83.0, "IMAGETYP": "sci",
         "SPECID": "503", "IFUID": "7001", "CONTID": "LRS2B001", "GAIN": 1.1, "RDNOISE": 2.5}  # fmt: skip


def raw_bytes(name: str, numbers: np.ndarray | None = None, **cards: object) -> bytes:
    """One amplifier as the telescope writes it; a card that is None is left out."""
    from astropy.io import fits

    values = {**CARDS, "IFUSLOT": "056", "CCDPOS": name[0], "CCDHALF": name[1], **cards}
    hdu = fits.PrimaryHDU(np.zeros((1032, 2128), np.uint16) if numbers is None else numbers)
    hdu.header.update({key: value for key, value in values.items() if value is not None})
    out = io.BytesIO()
    hdu.writeto(out)
    return out.getvalue()


def name_of(amplifier: str, slot: str = "056", kind: str = "sci", start: str = "20240801T030000.0") -> str:
    return f"{start}_{slot}{amplifier}_{kind}.fits"


def put_night(root, amplifiers: dict[str, bytes], observation: int = 7, exposure: int = 1, date: str = "20240801"):
    """An untarred exposure below root; the names of files to what they hold."""
    folder = root / date / "lrs2" / f"lrs2{observation:07d}" / f"exp{exposure:02d}" / "lrs2"
    folder.mkdir(parents=True)
    for name, data in amplifiers.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """A root with one exposure of the blue arm."""
    root = tmp_path_factory.mktemp("raw")
    put_night(root, {name_of(a): raw_bytes(a) for a in FLIPPED})
    return root


def summary(index):
    return [(e.date, e.observation, e.number, e.kind, e.cameras, len(e.amplifiers)) for e in index.exposures]


def test_every_way_to_name_a_night_gives_the_same_exposure(four, tmp_path):
    folder = four / "20240801/lrs2/lrs20000007/exp01/lrs2"
    packed = tmp_path / "20240801" / "lrs2" / "lrs20000007.tar"
    packed.parent.mkdir(parents=True)
    with tarfile.open(packed, "w:xz", preset=0) as archive:
        archive.add(four / "20240801/lrs2/lrs20000007", "lrs20000007")
    nested = tmp_path / "only" / "20240801.tar"
    nested.parent.mkdir()
    with tarfile.open(nested, "w") as archive:
        archive.add(packed, "20240801/lrs2/lrs20000007.tar")
    truth = [(20240801, 7, 1, "sci", ("uv", "orange"), 4)]
    ways = [four, four / "20240801", folder, folder.parent, tmp_path / "20240801", packed, nested, nested.parent]
    for way in (*ways, f"{packed}/lrs20000007/exp01"):
        assert summary(index_night(str(way))) == truth, way
    (one,) = index_night(str(folder / name_of("LU"))).exposures
    assert [a.name for a in one.amplifiers] == ["LU"]
    assert one.missing == (("uv", "LL"), ("orange", "RU"), ("orange", "RL"))


def test_the_target_is_known_by_the_name_of_the_object(four):
    (exposure,) = index_night(str(four)).exposures
    assert exposure.object == "TARGET_056_E"
    assert exposure.target == ("uv", "orange")
    assert [a.name for a in exposure.of("orange")] == ["RU", "RL"]  # bottom to top
    assert exposure.amplifiers[0].unit == ("503", "056", "7001")


@pytest.mark.parametrize(
    ("exptime", "asked", "truth", "words"),
    [
        (90.0, 83.0, 90.0, ""),
        (-1.0, 300.0, 307.0, "EXPTIME is -1 s: REXPTIME + 7 s is taken"),
        (None, 300.0, 307.0, "EXPTIME is missing or no number: REXPTIME"),
        ("soon", None, None, "REXPTIME does not help"),
        (1e300, 60.0, 67.0, "EXPTIME is 1e+300 s"),
    ],
)
def test_an_exposure_time_that_is_none_is_replaced_and_said(tmp_path, exptime, asked, truth, words):
    put_night(tmp_path, {name_of("LL"): raw_bytes("LL", EXPTIME=exptime, REXPTIME=asked)})
    (exposure,) = index_night(str(tmp_path)).exposures
    assert exposure.exptime == truth
    assert words in " ".join(exposure.notes)


def test_amplifiers_that_cannot_be_used_are_named(tmp_path):
    whole = raw_bytes("LU")
    amplifiers = {
        name_of("LL"): raw_bytes("LL", np.zeros((1032, 1064), np.uint16)),
        name_of("LU"): whole[: len(whole) // 2],
        name_of("RL"): b"text" * 100,
    }
    put_night(tmp_path, amplifiers)
    (exposure,) = index_night(str(tmp_path)).exposures
    assert exposure.notes == (
        "uv LL has 1064 x 1032 pixels, not 2128 x 1032",
        "uv LU is cut short",
        "orange RL is no FITS file, or cut short in its header",
    )
    assert exposure.missing == (("orange", "RU"),)
    assert exposure.of("uv") == exposure.of("orange") == ()


def test_another_instrument_and_doubles_are_said(tmp_path):
    put_night(tmp_path, {name_of(a): raw_bytes(a) for a in ("LL", "LU")})
    copy = tmp_path / "20240801" / "copy" / "lrs20000007" / "exp01"
    copy.mkdir(parents=True)
    (copy / name_of("LL")).write_bytes(raw_bytes("LL"))
    virus = np.zeros((1032, 1064), np.uint16)
    (copy / name_of("LL", "047")).write_bytes(raw_bytes("LL", virus, INSTRUME="virus", IFUSLOT="047"))
    index = index_night(str(tmp_path))
    assert index.instrument == "lrs2"
    assert len(index.exposures[0].amplifiers) == 2
    text = " ".join(index.notes)
    assert "1 files of VIRUS are left out" in text
    assert "is the same amplifier" in text
    assert index_night(str(tmp_path), "virus").exposures[0].cameras == ("047L",)


def test_files_that_contradict_each_other_or_their_folder_are_said(tmp_path):
    files = {name_of("LL"): raw_bytes("LL"), name_of("LU"): raw_bytes("LU", IMAGETYP="drk")}
    put_night(tmp_path, files, date="20240805")
    (exposure,) = index_night(str(tmp_path)).exposures
    assert exposure.kind == "sci"
    assert exposure.notes == (
        "its amplifiers are of several kinds (drk, sci): it is taken as sci",
        "it was begun on 20240801, but lies in the folder of 20240805",
    )


def test_only_nights_around_one_are_looked_into(tmp_path):
    for date in ("20240720", "20240731", "20240801", "20240809"):
        put_night(tmp_path, {name_of("LL", start=f"{date}T030000.0"): raw_bytes("LL")}, date=date)
    (tmp_path / "20240801" / "virus").mkdir()
    (tmp_path / "20240801" / "virus" / name_of("LU")).write_bytes(raw_bytes("LU"))
    assert index_night(str(tmp_path)).dates == (20240720, 20240731, 20240801, 20240809)
    near = index_night(str(tmp_path), "lrs2", night=20240801, days=1)
    assert near.dates == (20240731, 20240801)
    assert len(near.exposures) == 2  # what lies in a folder of another instrument is not looked at


def test_guide_cameras_tell_seeing_and_transparency(tmp_path):
    put_night(tmp_path, {name_of("LL"): raw_bytes("LL", EXPTIME=60.0)})
    tiny = np.zeros((2, 2), np.uint16)
    pictures = [
        ("025940", 3.9, 0.2, "ACTIVE"),
        ("030010", 1.4, 0.8, "ACTIVE"),
        ("030030", 1.6, 0.9, "ACTIVE"),
        ("030040", 9.0, -1.0, "ACTIVE"),
        ("030050", 3.0, 0.3, "OPEN"),
        ("031000", 3.9, 0.2, "ACTIVE"),
    ]
    place = tmp_path / "20240801" / "gc1"
    place.mkdir()
    with tarfile.open(place / "gc1.tar", "w") as archive:
        for time, seeing, transparency, loop in pictures:
            data = raw_bytes("LL", tiny, IQ=seeing, TRANSPAR=transparency, GUIDLOOP=loop)
            info = tarfile.TarInfo(f"gc1/20240801T{time}.0_gc1_sci.fits")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    (exposure,) = index_night(str(tmp_path)).exposures
    assert (exposure.seeing, exposure.transparency) == (1.5, pytest.approx(0.85))


def test_looking_changes_nothing(four):
    def state() -> list[tuple[str, int, int]]:
        return sorted((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in four.rglob("*"))

    before = state()
    (exposure,) = index_night(str(four)).exposures
    read_frame(exposure.amplifiers[0], instrument.instrument("lrs2")).data.sum()
    assert state() == before


def test_a_place_without_raw_data_has_no_exposures(tmp_path):
    (tmp_path / "some.fits").write_bytes(b"SIMPLE")
    assert index_night(str(tmp_path)).exposures == ()
    assert not holds_raw(str(tmp_path))
    with pytest.raises(MissingDataError, match="no such file or folder"):
        index_night(str(tmp_path / "absent"))


def test_names_of_raw_amplifiers():
    assert is_raw_name("/x/20181201T001000.0_056LL_zro.fits")
    assert not is_raw_name("/x/20181201T001000.0_056LL_zro.fits.part")
    assert not is_raw_name("/x/frame-b0-00000001.fits")


@pytest.mark.parametrize("amplifier", FLIPPED)
@pytest.mark.parametrize("controller", [None, "", "LL", "LR", "UL", "UU"])
def test_an_amplifier_lies_as_the_published_rule_says(tmp_path, amplifier, controller):
    """LU and RL are mirrored in both axes; then those that the controller calls LR or UL once more along x."""
    numbers = np.random.default_rng(3).integers(0, 65536, (1032, 2128), dtype=np.uint16)
    path = tmp_path / name_of(amplifier)
    path.write_bytes(raw_bytes(amplifier, numbers, AMPNAME=controller))
    stored, header = read_amplifier(str(path))
    np.testing.assert_array_equal(stored, numbers)
    assert header["GAIN"] == 1.1
    truth = numbers[:, :2064]
    rows = numbers[:, 2064:]
    if FLIPPED[amplifier]:
        truth, rows = truth[::-1, ::-1], rows[::-1]
    if controller in ("LR", "UL"):
        truth = truth[:, ::-1]
    frame = read_frame(str(path), instrument.instrument("lrs2"))
    np.testing.assert_array_equal(frame.data, truth)
    np.testing.assert_array_equal(frame.overscan, rows)


def test_the_name_tells_the_position_where_the_header_does_not(tmp_path):
    numbers = np.random.default_rng(3).integers(0, 65536, (1032, 2128), dtype=np.uint16)
    put_night(tmp_path, {name_of("LU"): raw_bytes("LU", numbers, CCDPOS=None, IFUSLOT=56, SPECID=503.0)})
    (exposure,) = index_night(str(tmp_path)).exposures
    (amplifier,) = exposure.of("uv")
    assert amplifier.unit == ("503", "056", "7001")
    for one in (amplifier, amplifier.path):
        frame = read_frame(one, instrument.instrument("lrs2"))
        np.testing.assert_array_equal(frame.data, numbers[::-1, 2063::-1])


def test_gain_and_noise_fall_back_and_say_so(tmp_path):
    path = tmp_path / name_of("LL")
    path.write_bytes(raw_bytes("LL", GAIN=0.0, RDNOISE="bad"))
    frame = read_frame(str(path), instrument.instrument("lrs2"))
    assert (frame.gain, frame.readnoise) == (0.85, 3.0)
    assert len(frame.notes) == 2


def test_an_amplifier_of_another_size_is_refused(tmp_path):
    path = tmp_path / name_of("LL")
    path.write_bytes(raw_bytes("LL", np.zeros((1032, 1064), np.uint16)))
    with pytest.raises(FileFormatError, match="has 1064 x 1032 pixels, not 2128 x 1032"):
        read_frame(str(path), instrument.instrument("lrs2"))
    path.write_bytes(raw_bytes("LL", np.zeros((1032, 2128), np.float32)))
    with pytest.raises(FileFormatError, match="no 16 bit image"):
        read_amplifier(str(path))


def test_the_shared_night(shared_data):
    folder = shared_data / "lrs2" / "sim" / "20181201" / "lrs2"
    index = index_night(str(folder / "lrs20000007.tar"))
    (exposure,) = index.exposures
    assert (exposure.date, exposure.observation, exposure.kind, exposure.exptime) == (20181201, 7, "sci", 900.0)
    assert exposure.object == "SIMAGN_056_E" and exposure.target == ("uv", "orange")
    frame = read_frame(exposure.of("uv")[1], instrument.instrument("lrs2"))
    assert frame.overscan.mean() == pytest.approx(np.median(frame.overscan), abs=1.0)
    assert os.listdir(folder).count("lrs20000007") == 0


@pytest.mark.parametrize("how", ["empty file", "no unit", "text"])
def test_an_amplifier_whose_header_names_no_unit_is_of_that_of_its_slot(tmp_path, how):
    odd = {"empty file": b"", "no unit": raw_bytes("LL", SPECID=None, IFUID=None), "text": raw_bytes("LL", SPECID="?")}
    put_night(tmp_path, {name_of("LL"): odd[how], name_of("LU"): raw_bytes("LU")})
    (exposure,) = index_night(str(tmp_path)).exposures
    assert {a.unit for a in exposure.amplifiers} == {("503", "056", "7001")}
    said = any("names no unit: that of other frames, 503, is taken" in note for note in exposure.notes)
    assert said == (how != "empty file")  # of which nothing is used


@pytest.mark.parametrize(("gain", "more"), [(None, {}), ("n/a", {}), (0.0, {}), (None, {"CONTID": None})])
def test_a_gain_that_a_header_lacks_is_that_of_the_nearest_frame_of_its_amplifier(tmp_path, gain, more):
    for day, value in (("20240702", 1.3), ("20240803", 1.11)):
        cards = {"GAIN": value, "RDNOISE": 2.2, "IMAGETYP": "twi"}
        put_night(tmp_path, {name_of("LL", kind="twi"): raw_bytes("LL", **cards)}, date=day)
    put_night(tmp_path, {name_of("LL"): raw_bytes("LL", GAIN=gain, RDNOISE=-1, **more), name_of("LU"): raw_bytes("LU")})
    (exposure,) = index_night(str(tmp_path)).of_kind("sci")
    frame = read_frame(exposure.amplifiers[0], instrument.instrument("lrs2"))
    assert (frame.gain, frame.readnoise) == (1.11, 2.2)
    lacks = "gives 0 e/ADU as gain" if gain == 0.0 else "has no gain"
    assert frame.notes[0] == f"the header {lacks}: of other frames, 1.11 e/ADU is taken"
    assert frame.notes[1] == "the header gives -1 e as read noise: of other frames, 2.2 e is taken"


def test_a_read_noise_that_no_header_has_is_said_to_be_that_of_the_overscan(tmp_path):
    put_night(tmp_path, {name_of("LL"): raw_bytes("LL", RDNOISE=None), name_of("LU"): raw_bytes("LU", RDNOISE=None)})
    (exposure,) = index_night(str(tmp_path)).of_kind("sci")
    frame = read_frame(exposure.amplifiers[0], instrument.instrument("lrs2"))
    assert frame.notes == ("the header has no read noise: that of the overscan is taken",)


def test_the_unit_of_a_whole_exposure_is_that_of_the_nearest_night(tmp_path):
    for day, specid in (("20240702", "501"), ("20240803", "504")):
        cards = {"SPECID": specid, "IMAGETYP": "twi"}
        put_night(tmp_path, {name_of("LL", kind="twi"): raw_bytes("LL", **cards)}, date=day)
    put_night(tmp_path, {name_of("LL"): raw_bytes("LL", SPECID=None, IFUID="")})
    (exposure,) = index_night(str(tmp_path)).of_kind("sci")
    assert exposure.amplifiers[0].unit == ("504", "056", "7001")


def test_a_long_name_is_read_to_its_end_and_cards_that_one_amplifier_lacks_are_those_of_the_others(tmp_path):
    name = "A_FIELD_WITH_" + "A_VERY_" * 12 + "LONG_NAME_056_E"
    lacking = raw_bytes("LL", OBJECT=None, QPROG=None, TRAJRA=None)
    put_night(tmp_path, {name_of("LL"): lacking, name_of("LU"): raw_bytes("LU", OBJECT=name, QPROG="P-1", TRAJRA=5.2)})
    (exposure,) = index_night(str(tmp_path)).exposures
    assert exposure.object == name and exposure.target == ("uv",)
    assert (exposure.header["QPROG"], exposure.header["TRAJRA"]) == ("P-1", 5.2)
