"""The headless door for photon lists and the command `quicklook`, on the reference files."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
from astropy.io import fits

from ifuview import cli
from ifuview.app.photons import lists as photons
from ifuview.errors import FileFormatError, UsageError
from ifuview.model.photons.images import BinAxis
from ifuview.model.photons.lists import PhotonCut
from tests.engine.photons.lists import made

KEYS = ["photons", "start_s", "stop_s", "wave_nm", "pixels_excluded", "counts_total"]


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "mkid"


@pytest.fixture(scope="module")
def truth(folder):
    return np.load(folder / "truth.npz")


def quicklook(*words: object) -> int:
    return cli.main(["quicklook", *map(str, words)])


def test_the_image_is_the_truth_in_file_and_numbers(folder, truth, tmp_path, capsys):
    out = tmp_path / "image.fits"
    assert quicklook(folder / "science.h5", "--exclude", "none", "--json", "-", "-o", out) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert list(numbers) == KEYS
    assert numbers == {"photons": 2044091, "start_s": 0, "stop_s": 30, "wave_nm": None, "pixels_excluded": 0,
                       "counts_total": 2044091}  # fmt: skip
    with fits.open(out) as file:
        np.testing.assert_array_equal(file["SCIENCE"].data, truth["counts"].T)
        np.testing.assert_array_equal(file["FLAGS"].data, truth["flags"].T)
        assert file[0].header["INFILE"] == "science.h5"


def test_the_default_leaves_the_problem_pixels_out(folder, truth, tmp_path, capsys):
    out = tmp_path / "image.fits"
    assert quicklook(folder / "science.h5", "--wave", 850, 1000, "--json", "-", "-o", out) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["wave_nm"] == [850, 1000]
    with fits.open(out) as file:
        assert numbers["counts_total"] == file["SCIENCE"].data.sum() == numbers["photons"]
        excluded = file["EXPOSURE"].data == 0
        assert numbers["pixels_excluded"] == np.count_nonzero(excluded)
        np.testing.assert_array_equal(file["SCIENCE"].data[~excluded], truth["cube"][1].T[~excluded])


def test_light_curve_and_spectrum_of_a_pixel_come_along(folder, truth, tmp_path):
    x, y = truth["light_pixel"]
    out = tmp_path / "pixel.fits"
    words = (folder / "science.h5", "--cube", "wave", "--bins", 4, "--pixel", f"{x},{y}", "-o", out)
    assert quicklook(*words, "--json", tmp_path / "numbers.json") == 0
    with fits.open(out) as file:
        np.testing.assert_array_equal(file["LIGHTCURVE"].data["counts"], truth["light_curve_10ms"])
        assert file["SPECTRUM"].data["low"][0] == 700
        assert file["SCIENCE"].data.shape == (4, 125, 80)
        np.testing.assert_allclose(np.diff(1 / file["CUBE_EDGES"].data["edges"], 2), 0, atol=1e-12)
    assert json.loads((tmp_path / "numbers.json").read_text())["wave_nm"] == [700, 1500]


def test_a_time_cube_counts_every_photon(folder, tmp_path):
    out = tmp_path / "time.fits"
    assert quicklook(folder / "science.h5", "--exclude", "none", "--cube", "time", "--bins", 7, "-o", out) == 0
    with fits.open(out) as file:
        assert file["SCIENCE"].data.shape == (7, 125, 80)
        assert file["SCIENCE"].data.sum() == 2044091
        assert file["CUBE_EDGES"].data["edges"][-1] == 30


@pytest.mark.parametrize("words", [("--pixel", "52,72"), ("--cube", "time", "--bins", "40"), ("--weighted",)])
def test_a_png_is_a_picture(folder, tmp_path, words):
    out = tmp_path / "picture.png"
    assert quicklook(folder / "science.h5", *words, "-o", out) == 0
    assert out.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert [p.name for p in tmp_path.iterdir()] == ["picture.png"]


def test_an_index_gives_the_same(folder, truth, tmp_path, capsys):
    shutil.copy(folder / "laser_808.h5", tmp_path / "laser.h5")
    os.chmod(tmp_path / "laser.h5", 0o644)
    first = quicklook(tmp_path / "laser.h5", "--json", "-")
    plain = capsys.readouterr().out
    assert quicklook(tmp_path / "laser.h5", "--index", "--json", "-") == first == 0
    assert capsys.readouterr().out == plain
    source = photons.open_source(str(tmp_path / "laser.h5"))
    assert type(source).__name__ == "PhotonIndex"
    assert type(photons.open_source(str(tmp_path / "laser.h5"), index=False)).__name__ != "PhotonIndex"


@pytest.mark.parametrize("name, words, sentence", [
    ("science.h5", ["--start", "40"], "outside the file"),
    ("science.h5", ["--stop", "31"], "outside the file"),
    ("science.h5", ["--stop", "30.5", "--cube", "time"], "outside the file"),
    ("science.h5", ["--start", "5", "--stop", "3"], "not after its start"),
    ("science.h5", ["--wave", "1000", "900"], "is empty"),
    ("science.h5", ["--phase", "-100", "-50"], "wavelengths, not phases"),
    ("phase_3s.h5", ["--wave", "800", "900"], "third column is the phase"),
    ("phase_3s.h5", ["--cube", "wave"], "third column is the phase"),
    ("science.h5", ["--exclude", "pixcal.hot,foo"], "no flag foo; its flags are: beammap.noDacTone"),
    ("science.h5", ["--pixel", "80,3"], "outside the array"),
    ("science.h5", ["--pixel", "here"], "is no pixel"),
    ("science.h5", ["--bins", "3"], "--cube"),
    ("science.h5", ["--cube", "time", "--bins", "0"], "no cube"),
    ("science.h5", ["--cube", "time", "--bins", "1000000"], "memory"),
    ("nothing.h5", [], "no such file"),
    ("truth.json", [], "photon list"),
])  # fmt: skip
def test_bad_input_is_one_sentence_and_nothing_is_written(folder, tmp_path, capsys, name, words, sentence):
    assert quicklook(folder / name, *words, "-o", tmp_path / "out.fits") == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_bad_outputs_are_refused_before_the_work(folder, tmp_path, capsys):
    for out in (tmp_path / "a.jpg", tmp_path / "missing" / "a.fits", tmp_path):
        assert quicklook(folder / "science.h5", "-o", out) == 2
    assert quicklook(folder / "science.h5") == 2
    assert "nothing to make" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_bad_pixels_through_the_door(folder, truth):
    found = photons.bad_pixels(photons.open_source(str(folder / "science.h5"), index=False))
    kind = truth["kind"].T
    assert np.count_nonzero(found.hot & (kind == 3)) == 30
    assert np.count_nonzero(found.dead & (kind == 1)) == 60
    assert np.count_nonzero(found.hot & (kind != 3)) <= 3


def test_a_file_that_changes_is_noticed(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"1")
    with pytest.raises(FileFormatError, match="changed"), photons.unchanged(str(path)):
        path.write_bytes(b"12")


def test_light_of_a_list_in_memory():
    source = made(np.full((4, 4), 100.0))
    cube = photons.cube(source, "wave", PhotonCut(low=800, high=1200), bins=3)
    assert (cube.edges[0], cube.edges[-1], len(cube.counts)) == (800, 1200, 3)
    assert len(photons.cube(source, BinAxis.TIME).counts) == 10
    curve = photons.pixel_light_curve(source, 1, 2, width=0.1)
    assert photons.intensity_histogram(curve).histogram.sum() == 100
    assert photons.intervals(source, curve.aperture).counts.sum() == curve.counts.sum() - 1
    assert photons.pixel_spectrum(source, 1, 2).counts.sum() == curve.counts.sum()
    with pytest.raises(UsageError, match="above zero"):
        photons.cube(source, "time", width=0)


def test_an_indexed_image_without_a_cut_reads_no_photons(folder, truth, tmp_path, monkeypatch):
    from ifuview.io.photons.index.index import PhotonIndex

    shutil.copy(folder / "science.h5", tmp_path / "science.h5")
    source = photons.open_source(str(tmp_path / "science.h5"), index=True)

    def read(*_args, **_named):
        raise AssertionError("photons were read")

    monkeypatch.setattr(PhotonIndex, "blocks", read)
    image = photons.image(source, PhotonCut(exclude=()))
    np.testing.assert_array_equal(image.counts, truth["counts"].T)
    assert image.last == pytest.approx(29.999958)
