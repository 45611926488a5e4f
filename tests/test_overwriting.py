"""No output takes the place of an input, nor of a file of another kind."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest
from astropy.io import fits

from ifuview.errors import UsageError
from ifuview.files import check_place, put, replacing
from ifuview.io import open_all
from ifuview.overwriting import force, kind_of
from ifuview.sets import filled
from ifuview.simulate.detector.exposure import expose


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "image.fits"
    fits.PrimaryHDU(expose("small", snr=30).image).writeto(path)
    return path


@pytest.fixture
def forced():
    yield force
    force(False)


def unchanged(path, before):
    return path.read_bytes() == before and sorted(p.name for p in path.parent.iterdir() if ".part" in p.name) == []


@pytest.mark.parametrize("link", [False, True])
def test_an_input_stays_as_it_is_by_whatever_name(image, link):
    before = image.read_bytes()
    open_all(str(image))
    place = image
    if link:
        place = image.with_name("link.fits")
        os.symlink(image, place)
    for write in (lambda: put(place, before), lambda: check_place(place)):
        with pytest.raises(UsageError, match="one of the inputs"):
            write()
    assert unchanged(image, before)


def test_what_was_written_here_may_be_looked_at_and_written_again(image, tmp_path):
    copy = tmp_path / "copy.fits"
    for _ in range(2):
        put(copy, image.read_bytes())
        open_all(str(copy))


def test_what_is_shown_stays_when_the_file_is_cut_off_or_written_over(image):
    """A map of the file would end the process at the next look."""
    shown = open_all(str(image)).images[0].pixels
    last = shown.value(-1, -1)
    os.truncate(image, 2880)
    assert shown.value(-1, -1) == last
    image.write_bytes(b"x" * 10_000)
    assert shown.value(-1, -1) == last


def test_nor_when_it_is_forced(image, forced):
    open_all(str(image))
    forced(True)
    with pytest.raises(UsageError, match="one of the inputs"):
        put(image, image.read_bytes())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"SIMPLE  =  T", "# Region file format\n", "is a FITS file; a list of regions"),
        (gzip.compress(b"SIMPLE  =  T" * 50, mtime=0), b"\x89PNG\r\n\x1a\n", "is a FITS file; a PNG file"),
        (b"my notes\n", '{"a": 1}', "is a text; a JSON file"),
        (b"\x89HDF\r\n\x1a\n", b"SIMPLE  =  T", "is a HDF5 file; a FITS file"),
        (b"\0\1\2", b"# %ECSV 1.0\n", "is data of another kind; a ECSV file"),
    ],
)
def test_a_file_of_another_kind_is_kept_unless_one_says_otherwise(tmp_path, forced, old, new, words):
    path = tmp_path / "x"
    path.write_bytes(old)
    with pytest.raises(UsageError, match=words):
        put(path, new)
    assert path.read_bytes() == old and len(list(tmp_path.iterdir())) == 1
    forced(True)
    put(path, new)
    assert path.read_bytes() == (new if isinstance(new, bytes) else new.encode())


def test_its_own_kind_and_an_empty_file_are_replaced(tmp_path):
    path = tmp_path / "x.json"
    path.touch()
    for text in ('{"a": 1}', '{"a": 2}'):
        put(path, text)
        assert path.read_text() == text and kind_of(path) == "JSON"


def test_a_set_moves_as_a_whole_or_not_at_all(tmp_path):
    (tmp_path / "b.json").write_bytes(b"SIMPLE  =  T")
    with pytest.raises(UsageError, match="is a FITS file"), filled(tmp_path) as part:
        (part / "a.json").write_text("{}")
        (part / "b.json").write_text("{}")
    assert [p.name for p in tmp_path.iterdir()] == ["b.json"]


def test_a_pipe_is_no_place_for_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="device or a pipe"), replacing(pipe):
        pass
    with pytest.raises(UsageError, match="device or a pipe"):
        put("/dev/null", "x")


@pytest.mark.parametrize(
    "words",
    [
        ["{image}", "-saveimage", "png", "{other}", "-exit"],
        ["{image}", "-regions", "command", "circle 10 10 5", "-regions", "save", "{image}", "-exit"],
        ["report", "{image}", "-o", "{other_png}"],
        ["diagnose", "{image}", "-o", "{folder}", "--json", "{image}"],
    ],
)
def test_every_door(image, tmp_path, words):
    """The doors of the command line: exit code 2 or a message, and all files as they were."""
    other, folder = tmp_path / "other.fits", tmp_path / "out"
    other.write_bytes(image.read_bytes())
    other_png = tmp_path / "other.png"
    other_png.write_bytes(image.read_bytes())
    before = image.read_bytes()
    named = {"image": image, "other": other, "other_png": other_png, "folder": folder}
    command = [sys.executable, "-m", "ifuview", *(word.format(**named) for word in words)]
    known = os.environ | {"QT_QPA_PLATFORM": "offscreen", "IFUVIEW_CONFIG": str(tmp_path / "config")}
    done = subprocess.run(  # a program of its own: a window changes the process that it runs in
        command, cwd=Path(__file__).resolve().parents[1], env=known, capture_output=True, text=True, timeout=120
    )
    assert done.returncode != 0, done
    assert "does not take its place" in done.stderr or "one of the inputs" in done.stderr, done
    assert image.read_bytes() == other.read_bytes() == other_png.read_bytes() == before
    assert not [p for p in tmp_path.rglob("*") if ".part" in p.name]
