"""Readers of other packages are found by their entry points, asked for any file, and do no harm when they fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview import io
from ifuview.cli import main
from ifuview.errors import FileFormatError
from ifuview.io import third_party

READER = '''
import numpy as np
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels


class Numbers:
    """Lines of numbers, an image."""

    name = "numbers"

    def score(self, path):
        return 0.9 if path.endswith(".nums") else 1 / 0

    def read(self, spec, ctx=None):
        values = np.loadtxt(spec.path)
        if not values.any():
            return values
        return Dataset(spec.path, spec.text, "own", "numbers", images=(Image("numbers", Kind.IMAGE, Pixels(values)),))


READER = Numbers()
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with one sound reader and one that cannot be imported, as pip leaves it."""
    site = tmp_path / "site"
    info = site / "numbers-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "numbers_reader.py").write_text(READER)
    text = "[console_scripts]\nx = y:z\n[ifuview.readers]\nnums = numbers_reader:READER\nlost = no_such_module:READER\n"
    (info / "entry_points.txt").write_text(text)
    monkeypatch.syspath_prepend(str(site))
    third_party.entries.cache_clear()
    third_party.loaded.cache_clear()
    yield tmp_path
    third_party.entries.cache_clear()
    third_party.loaded.cache_clear()


def test_a_file_of_no_known_format_is_read_by_an_entry_point(installed: Path) -> None:
    path = installed / "a.nums"
    values = np.arange(12.0).reshape(3, 4)
    np.savetxt(path, values)
    found = io.open_dataset(path)
    assert found.kind == "numbers"
    np.testing.assert_array_equal(found.images[0].pixels.native(), values)


def test_an_instrument_that_only_another_package_knows_is_plain(installed: Path) -> None:
    """Its file can be reported on and shown."""
    path = installed / "a.nums"
    np.savetxt(path, np.arange(40000.0).reshape(200, 200))
    assert io.open_dataset(path).instrument == "plain"
    assert main(["report", str(path), "-o", str(installed / "a.png")]) == 0


def test_a_reader_that_gives_something_else_is_one_sentence(installed: Path) -> None:
    path = installed / "a.nums"
    np.savetxt(path, np.zeros((3, 4)))
    with pytest.raises(FileFormatError, match="gave ndarray in place of a Dataset"):
        io.open_dataset(path)


def test_own_files_are_read_as_before_and_what_failed_is_said(installed: Path) -> None:
    path = installed / "a.fits"
    fits.PrimaryHDU(np.ones((4, 5), "f4")).writeto(path)
    found = io.open_dataset(path)
    assert found.kind == "image"
    assert [note for note in found.notes if "lost" in note and "no_such_module" in note]


def test_a_reader_that_fails_is_one_sentence(installed: Path) -> None:
    path = installed / "a.nums"
    path.write_text("no numbers")
    with pytest.raises(FileFormatError, match="the reader numbers failed"):
        io.open_dataset(path)


def test_entry_points_name_their_package(installed: Path) -> None:
    assert [(e.name, e.package) for e in third_party.entries()][:2] == [
        ("nums", "numbers-1.0"),
        ("lost", "numbers-1.0"),
    ]
