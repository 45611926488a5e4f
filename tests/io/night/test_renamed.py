"""Products that somebody renamed or copied are known by their headers; a night's other files are not opened for it."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview.app.night.triage.files import find_cameras
from ifuview.errors import FileFormatError
from ifuview.io.night import renamed as module
from ifuview.io.night.exposures import scan
from ifuview.model.night.exposures import FileState

ERG, ELECTRON = "10**-17 erg/(s cm2 Angstrom)", "electron/Angstrom"


def written(path: Path, name: str, unit: str, level: float, camera: str = "r6", expid: int = 104284) -> Path:
    cards = {"EXPID": expid, "NIGHT": 20211014, "CAMERA": camera, "INSTRUME": "DESI", "FLAVOR": "science"}
    values = (level + np.random.default_rng(1).normal(size=(4, 50))).astype(np.float32)
    main = fits.PrimaryHDU(values, fits.Header({**cards, "BUNIT": unit}))
    main.header["EXTNAME"] = name
    wave = fits.ImageHDU(5760.0 + np.arange(50), name="WAVELENGTH")
    fits.HDUList([main, fits.ImageHDU(np.ones((4, 50), np.float32), name="IVAR"), wave]).writeto(path)
    os.utime(path, (1_700_000_000,) * 2)
    return path


def test_each_is_known_by_what_it_holds(tmp_path: Path) -> None:
    named = {
        "a.fits": ("FLUX", ERG, 0.0, "cframe"), "b.fits": ("FLUX", ELECTRON, 0.0, "sframe"),
        "c.fits": ("FLUX", ELECTRON, 99.0, "frame"), "d (1).fits": ("SKY", ELECTRON, 99.0, "sky"),
        "fluxcalib-of-today.fits": ("FLUXCALIB", "", 9.0, "fluxcalib"),
    }  # fmt: skip
    for file, (name, unit, level, _) in named.items():
        written(tmp_path / file, name, unit, level)
    written(tmp_path / "flat.fits", "FIBERFLAT", "", 1.0)
    written(tmp_path / "other.fits", "GALAXY", "", 1.0)
    index = scan(str(tmp_path), cache=tmp_path / "cache")
    (exposure,) = index.exposures
    found = {(c, p): os.path.basename(file.path) for (c, p), file in exposure.files.items()}
    assert found == {("r6", product): file for file, (*_, product) in named.items()}
    assert index.calibrations[20211014, "fiberflat", "r6"].endswith("flat.fits")
    assert sum("is taken for" in note for note in index.notes) == len(named)
    (camera,) = find_cameras([str(tmp_path)])
    assert set(camera.files) == {"frame", "sky", "sframe", "fluxcalib", "cframe", "flat"}


def test_a_name_says_what_the_header_cannot_and_a_right_name_comes_first(tmp_path: Path) -> None:
    written(tmp_path / "my_sframe.fits", "FLUX", ELECTRON, 99.0)  # a wrong one, but it is called so
    written(tmp_path / "sframe-r6-00104284.fits", "FLUX", ELECTRON, 0.0)
    written(tmp_path / "sframe-r6-00104284 (1).fits", "FLUX", ELECTRON, 0.0)
    index = scan(str(tmp_path), cache=tmp_path / "cache")
    assert os.path.basename(index.path(104284, "r6", "sframe")) == "sframe-r6-00104284.fits"
    (camera,) = find_cameras([str(tmp_path / "my_sframe.fits")])
    assert camera.files == {"sframe": str(tmp_path / "my_sframe.fits")}


def test_many_files_without_a_meaning_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    monkeypatch.setattr("ifuview.io.night.exposures.MOST", 2)
    files = [written(tmp_path / f"file{k}.fits", "SKY", ELECTRON, 9.0, "rbz"[k] + "6") for k in range(3)]
    index = scan(str(tmp_path), cache=tmp_path / "cache")
    assert not index.exposures
    assert not index.headers_read
    (camera,) = find_cameras([str(files[2])])  # but one that is asked for is
    assert (camera.camera, camera.files) == ("z6", {"sky": str(files[2])})


def test_calibrations_alone_can_be_judged(tmp_path: Path) -> None:
    flat = written(tmp_path / "fiberflatnight-r6-20211014.fits", "FIBERFLAT", "", 1.0)
    for path in (tmp_path, flat):
        (camera,) = find_cameras([str(path)])
        assert (camera.expid, camera.files) == (20211014, {"flat": str(flat)})
    other = written(tmp_path / "psfnight-r6-20211014.fits", "XTRACE", "", 1.0)
    with pytest.raises(FileFormatError, match="ifuview diagnose"):
        find_cameras([str(other)])


def test_a_packed_file_without_its_suffix_is_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "sky-r6-00104284.fits", "SKY", ELECTRON, 9.0)
    path.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(path, (1_700_000_000,) * 2)
    (exposure,) = scan(str(tmp_path), cache=tmp_path / "cache").exposures
    assert exposure.files["r6", "sky"].state is FileState.READY
