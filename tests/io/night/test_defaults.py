"""Calibrations that stand for those that a night does not have: which file is taken, and that it is said."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from astropy.io import fits

from ifuview.app import preferences
from ifuview.app.night import files, open_night
from ifuview.app.night.state import Night, Place
from ifuview.app.night.triage.files import find_cameras
from ifuview.instrument import instrument
from ifuview.io.night.defaults import default_calibrations
from ifuview.model.night.exposures import NO_CHAIN, Exposure, ExposureIndex, ProductFile
from ifuview.settings import Settings
from tests.app.night.production import FIRST, SECOND, write_production

CHAIN = instrument("desi").chain or NO_CHAIN
NIGHT = 20211014


@pytest.fixture
def index(tmp_path: Path) -> ExposureIndex:
    """Spectra of r6, of the spectrograph with serial number 6, and of b6 that has a flat of its night."""
    spectra = tmp_path / "frame-r6-00000007.fits"
    fits.PrimaryHDU(header=fits.Header({"SPECID": 6})).writeto(spectra)
    own = {("r6", "frame"): ProductFile(str(spectra)), ("b6", "frame"): ProductFile(str(spectra))}
    exposure = Exposure(NIGHT, 7, 1, "science", 900.0, MappingProxyType(own), ("b6", "r6"))
    calibrations = MappingProxyType({(NIGHT, "fiberflat", "b6"): "fiberflatnight-b6-20211014.fits"})
    return ExposureIndex("/prod", "/prod", (exposure,), calibrations, chain=CHAIN)


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_the_last_flat_of_the_spectrograph_before_the_night_is_taken(index: ExposureIndex, tmp_path: Path) -> None:
    put(tmp_path / "calib", *(f"spec/sm6/fiberflat-sm6-r-{date}.fits" for date in (20200101, 20210901, 20220101)))
    put(tmp_path / "calib", "spec/sm7/fiberflat-sm7-r-20211013.fits", "spec/sm6/fiberflat-sm6-b-20211013.fits")
    found = default_calibrations(index, str(tmp_path / "calib"))
    assert {key: Path(path).name for key, path in found.items()} == {
        ("fiberflat", "r6"): "fiberflat-sm6-r-20210901.fits"
    }


def test_a_flat_of_another_night_by_its_camera_does_too(index: ExposureIndex, tmp_path: Path) -> None:
    put(tmp_path / "calib", "20220203/fiberflatnight-r6-20220203.fits.gz", "20220202/fiberflatnight-r6-20220202.fits")
    (path,) = default_calibrations(index, str(tmp_path / "calib")).values()
    assert path.endswith("fiberflatnight-r6-20220202.fits")
    assert not default_calibrations(index, "")


def test_without_a_flat_of_the_night_the_default_is_used_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_production(tmp_path)
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    flats = sorted(root.rglob("fiberflat-r1-*.fits"))
    calib = tmp_path / "calib"
    calib.mkdir()
    flats[0].rename(calib / "fiberflat-r1-20200101.fits")
    for path in flats[1:]:
        path.unlink()
    assert not open_night.has(open_night.scan_folder(str(root)), SECOND, "r1", "flatfielded")
    monkeypatch.setenv("DESI_SPECTRO_CALIB", str(calib))
    index = open_night.scan_folder(str(root))
    (said,) = (note for note in index.notes if "default" in note)
    assert said == f"r1: the night has no fiberflat, the default of {calib} is used: fiberflat-r1-20200101.fits"
    opened = files.open_place(Night(index), Place(FIRST, "r1", "flatfielded"), None)
    own = files.open_place(Night(index), Place(FIRST, "r0", "flatfielded"), None)
    assert np.array_equal(opened.image.pixels.native(), own.image.pixels.native(), equal_nan=True)  # both are r0's
    assert "fiberflat-r1-20200101.fits" in opened.dataset.notes[0]
    judged = next(c for c in find_cameras((str(root),), indexes=(index,)) if c.camera == "r1")
    assert "flat" not in judged.files  # a flat of another time accuses nobody


def test_the_folder_of_the_settings_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESI_SPECTRO_CALIB", str(tmp_path))
    own = tmp_path / "own"
    own.mkdir()
    assert preferences.calibration_folder("DESI_SPECTRO_CALIB") == str(tmp_path)
    try:
        preferences.use(Settings(calibrations=str(own)))
        assert preferences.calibration_folder("DESI_SPECTRO_CALIB") == str(own)
    finally:
        preferences.use(Settings())
