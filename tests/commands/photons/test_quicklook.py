"""The command `quicklook`: what it says besides, and what it must not write over."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.io import fits

from ifuview.app.photons import lists as photons
from ifuview.app.photons import products
from ifuview.commands.run import command
from ifuview.errors import IfuviewError, UsageError
from ifuview.io.photons.lists.write import write_photons
from ifuview.model.photons.lists import PhotonBlock
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_photons


@pytest.fixture(scope="module")
def source():
    array = make_array((8, 6), dead=2, cold=1, hot=1, unsolved=0)
    return simulate_photons(array=array, calibrated=True, duration=1.0)[0]


@pytest.fixture
def path(source, tmp_path):
    write_photons(tmp_path / "list.h5", source)
    return tmp_path / "list.h5"


@pytest.mark.parametrize("words", [
    ["--start", "nan"], ["--stop", "nan"], ["--stop", "inf"], ["--wave", "nan", "nan"], ["--wave", "700", "inf"],
    ["--wave", "nan", "900", "--cube", "wave"],
])  # fmt: skip
def test_numbers_that_are_none_are_refused(path, tmp_path, words):
    with pytest.raises(UsageError, match=r"is no time|is no end"):
        command("quicklook", [str(path), *words, "-o", str(tmp_path / "out.fits")])
    assert not (tmp_path / "out.fits").exists()


def test_it_says_what_is_not_counted(source, tmp_path, capsys):
    value = source.value.copy()
    value[:7] = np.nan
    resonator = source.resonator.copy()
    resonator[-1:] = source.info.beammap.nresonator
    block = PhotonBlock(resonator, source.time, value)
    write_photons(tmp_path / "nan.h5", [block], source.info)
    assert command("quicklook", [str(tmp_path / "nan.h5"), "--cube", "wave", "-o", str(tmp_path / "o.fits")]) == 0
    told = capsys.readouterr().err
    assert "1 photon is of a resonator that no pixel shows." in told and "7 photons are without a wavelength" in told
    assert (
        command("quicklook", [str(tmp_path / "nan.h5"), "--wave", "3000", "4000", "-o", str(tmp_path / "o.fits")]) == 0
    )
    assert "3000 to 4000 nm is outside what the file is valid for, 700 to 1500 nm." in capsys.readouterr().err


def test_a_file_without_flag_names_is_told_of(path, capsys):
    import h5py

    with h5py.File(path, "r+") as file:
        del file["photons/photontable"].attrs["flags"]
    assert command("quicklook", [str(path), "--json", "-"]) == 0
    assert "no list of flag names" in capsys.readouterr().err


def test_notes_of_an_image_without_problem_flags(source):
    made = photons.image(source, photons.cut(source.info, exclude=[source.info.beammap.flag_names[0]]))
    assert products.notes(made) == source.info.notes


def test_nothing_that_is_read_is_written_over(path, tmp_path):
    before = path.read_bytes()
    (tmp_path / "map.txt").write_text("1 0 0 0\n")
    fits, own = tmp_path / "list.fits", str(path)
    fits.write_bytes(before)
    calls = [
        ("quicklook", [str(fits), "-o", str(fits)]), ("quicklook", [own, "-o", str(fits)]),
        ("quicklook", [own, "--json", own]),
        ("speckle", [str(fits), "-o", str(fits)]),
        ("wavecal", [f"808={own}", f"920={fits}", "-o", own]), ("wavecal", ["1=a", "2=b", "-o", own]),
        ("flatcal", [own, "-o", own]), ("flatcal", ["other.h5", "-o", own]),
        ("calibrate", ["other.h5", "--wavecal", own, "-o", own]), ("calibrate", [own, "--lincal", "-o", own]),
        ("bin2hdf", [str(tmp_path), "--beammap", own, "-o", own]),
    ]  # fmt: skip
    for name, argv in calls:
        with pytest.raises(UsageError, match=r"would overwrite|one of the inputs"):
            command(name, argv)
    assert path.read_bytes() == before == fits.read_bytes()


def test_a_folder_that_is_not_there_is_told_in_plain_words(source, tmp_path):
    for tool, name in (("quicklook", "none/o.fits"), ("bin2hdf", "none/o.h5")):
        argv = [str(tmp_path), "-o", str(tmp_path / name)] + (["--beammap", "m"] if tool == "bin2hdf" else [])
        with pytest.raises(UsageError, match="none: the folder does not exist"):
            command(tool, argv)
    with pytest.raises(UsageError, match=r"cannot be written \(No such file or directory\); choose"):
        write_photons(tmp_path / "none" / "o.h5", source)


def test_a_cube_that_is_too_large_says_how_many_bins_fit(path, monkeypatch):
    from ifuview.engine.photons.counting import cube

    monkeypatch.setattr(cube, "MOST_CELLS", 4900)
    with pytest.raises(UsageError, match="a cube of 101 bins does not fit into memory; ask for 100 bins at most"):
        command("quicklook", [str(path), "--cube", "time", "--bins", "101", "--json", "-"])
    assert command("quicklook", [str(path), "--cube", "time", "--bins", "100", "--json", "-"]) == 0


@pytest.fixture(scope="module")
def dithered(tmp_path_factory):
    """Three seconds of photons."""
    place = tmp_path_factory.mktemp("dithered") / "list.h5"
    write_photons(place, simulate_photons((8, 6), duration=3.0, seed=2)[0])
    return place


CLOCK = 1545552780  # of simulated lists


@pytest.mark.parametrize("text", [
    "start = [0.0, 1.5]\nstop = [1.0, 3.0]\n",
    f"startTimes = [{CLOCK}, {CLOCK + 1.5}]\nstopTimes = [{CLOCK + 1}, {CLOCK + 3}]\nnPos = 2\n",
    "[[position]]\nstart = 1.5\nstop = 3\nname = '2'\n[[position]]\nstart = 0\nstop = 1\nname = '1'\n",
])  # fmt: skip
def test_positions_of_a_dithered_exposure_are_images_and_their_sum(dithered, tmp_path, capsys, text):
    (tmp_path / "F.toml").write_text(text)
    out = tmp_path / "dither.fits"
    asked = [str(dithered), "--positions", str(tmp_path / "F.toml"), "--json", "-", "-o", str(out)]
    assert command("quicklook", asked) == 0
    numbers = json.loads(capsys.readouterr().out)
    source = photons.open_source(str(dithered))
    with fits.open(out) as hdus:
        total = np.zeros((8, 6), int)
        for k, (start, stop) in enumerate(((0.0, 1.0), (1.5, 3.0)), 1):
            own = photons.image(source, photons.cut(source.info, start=start, stop=stop))
            np.testing.assert_array_equal(hdus[f"POSITION{k}"].data, own.counts)
            header = hdus[f"POSITION{k}"].header
            assert (header["POSITION"], header["EXPTIME"]) == (str(k), stop - start)
            said = numbers["positions"][k - 1]
            assert (said["name"], said["start_s"], said["photons"]) == (str(k), start, own.photons)
            total += own.counts
        np.testing.assert_array_equal(hdus["SCIENCE"].data, total)
        assert hdus[0].header["EXPTIME"] == 2.5 and hdus["EXPOSURE"].data.max() == 2.5
        assert numbers["photons"] == hdus[0].header["PHOTONS"] == sum(p["photons"] for p in numbers["positions"])


@pytest.mark.parametrize(
    ("text", "unused"),
    [
        ("start = [0, 1]\nstop = [1, 3]\nstpo = 3\nxPos = [1, 2]\n", "not used: stpo, xPos;"),
        ("inttime = 2\n[[position]]\nstart = 0\nstop = 2\nfilter = 'J'\n", "not used: inttime, position.filter;"),
        ("start = [5]\n[[position]]\nstart = 0\nstop = 2\n", "not used: start;"),
        ("start = [0]\nstop = [2]\n", ""),
    ],
)
def test_keys_of_positions_that_are_not_used_are_said(dithered, tmp_path, capsys, text, unused):
    (tmp_path / "F.toml").write_text(text, "utf-8")
    command("quicklook", [str(dithered), "--positions", str(tmp_path / "F.toml"), "-o", str(tmp_path / "o.fits")])
    said = capsys.readouterr().err
    assert unused in said and ("not used" in said) == bool(unused)


@pytest.mark.parametrize("text, words", [
    ("start = [0, 1]\nstop = [2, 3]\n", "overlap"), ("start = [0, 1]\nstop = [1]\n", "2 starts and 1 stops"),
    ("start = [1]\nstop = [0.5]\n", "not after its start"), ("x = 1\n", "has no positions"), ("start =", "no TOML"),
    ("start = ['a']\nstop = [2]\n", "no start and stop"), ("start = [0]\nstop = [9]\n", "outside the file"),
    ("start = [nan]\nstop = [9]\n", "no start and stop"), ("start = []\nstop = []\n", "0 positions"),
    ("position = [{name='a',start=0,stop=1},{name='a',start=1,stop=2}]\n", "same name"),
])  # fmt: skip
def test_bad_positions_get_a_sentence(dithered, tmp_path, text, words):
    (tmp_path / "F.toml").write_text(text)
    out = tmp_path / "dither.fits"
    with pytest.raises(IfuviewError, match=words):
        command("quicklook", [str(dithered), "--positions", str(tmp_path / "F.toml"), "-o", str(out)])
    with pytest.raises(IfuviewError, match="no such file"):
        command("quicklook", [str(dithered), "--positions", str(tmp_path / "none.toml"), "-o", str(out)])
    with pytest.raises(IfuviewError, match="without --cube"):
        command("quicklook", [str(dithered), "--positions", "F.toml", "--cube", "time", "-o", str(out)])
    with pytest.raises(IfuviewError, match="written as FITS"):
        command("quicklook", [str(dithered), "--positions", "F.toml", "-o", str(tmp_path / "o.png")])
    assert not out.exists()
