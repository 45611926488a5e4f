"""Spectra, fibers and findings as files that other programs, and this one, read."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from ifuview import open_dataset
from ifuview.app.night.state import TriageState
from ifuview.app.open_tasks import frames_opened
from ifuview.app.outside.objects import opened
from ifuview.app.reporting.tables import save_table
from ifuview.app.session import Selection, Session
from ifuview.errors import MissingDataError, UsageError
from ifuview.model.night.triage import Finding, TriageResult
from ifuview.simulate.detector import write
from ifuview.simulate.detector.spectra import expose_rss

FORMS = {".fits": {"hdu": 1}, ".ecsv": {}, ".vot": {"format": "votable"}, ".csv": {}}


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Session:
    path = tmp_path_factory.mktemp("spectra") / "frame-r0-00000001.fits"
    write.write_rss(path, expose_rss("small", seed=3).frame, write.header("r0", 1))
    return frames_opened(Session(), opened(open_dataset(str(path))))


def read(path) -> Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Angstrom is an old word to VOTables
        return _read(path)


def _read(path) -> Table:
    if path.suffix == ".fits":
        return Table(fits.getdata(path))
    return Table.read(path, **FORMS[path.suffix])


@pytest.mark.parametrize("suffix", FORMS)
def test_a_spectrum_comes_back_as_it_was(session, tmp_path, suffix):
    path = tmp_path / f"spectrum{suffix}"
    save_table(replace(session, selection=Selection(4, 1.0, 4.0, (4,))), "spectra", str(path))
    image, table = session.slots[0].image, read(path)
    np.testing.assert_allclose(table["flux"], image.pixels.native()[4], rtol=1e-6)
    wave = image.wave if image.wave.ndim == 1 else image.wave[4]
    np.testing.assert_allclose(table["wavelength"], wave)
    known = np.isfinite(np.asarray(table["error"], float))
    np.testing.assert_allclose(np.asarray(table["error"])[known] ** -2.0, image.ivar.native()[4][known], rtol=1e-5)
    back = open_dataset(str(path)).images[0]  # by the program itself
    np.testing.assert_allclose(back.wave.ravel(), wave, rtol=1e-6)
    np.testing.assert_allclose(back.pixels.native().ravel(), image.pixels.native()[4], rtol=1e-5)


def test_the_unit_is_that_of_the_file(session, tmp_path):
    save_table(replace(session, selection=Selection(4)), "spectra", str(tmp_path / "a.fits"))
    header = fits.getheader(tmp_path / "a.fits", 1)
    units = {header[f"TTYPE{n}"]: header.get(f"TUNIT{n}", "") for n in range(1, header["TFIELDS"] + 1)}
    assert units["wavelength"] == "Angstrom"
    assert units["flux"] == session.slots[0].image.unit.replace(" ", "")


def test_several_spectra_are_told_apart(session, tmp_path):
    path = tmp_path / "spectra.ecsv"
    save_table(replace(session, selection=Selection(2, fibers=(2, 5))), "spectra", str(path))
    table = read(path)
    ids = session.slots[0].image.fibermap.fiber_id
    assert list(dict.fromkeys(str(f) for f in table["fiber"])) == [ids[2], ids[5]]
    assert len(table) == 2 * session.slots[0].image.shape[1]


@pytest.mark.parametrize("suffix", FORMS)
def test_fibers_have_a_row_each(session, tmp_path, suffix):
    path = tmp_path / f"fibers{suffix}"
    save_table(session, "fibers", str(path))
    assert len(read(path)) == session.slots[0].image.shape[0]


@pytest.mark.parametrize("suffix", FORMS)
def test_findings_have_a_row_each(session, tmp_path, suffix):
    path = tmp_path / f"findings{suffix}"
    found = (Finding(1, "r0", "dead fiber", "detector", (3, 4), wave_range=(6000.0, 6100.0), significance=9.0),
             Finding(2, "b0", "sky", "sky", tuple(range(100))))  # fmt: skip
    save_table(replace(session, triage=TriageState(TriageResult(findings=found))), "findings", str(path))
    table = read(path)
    assert [int(e) for e in table["expid"]] == [1, 2]
    assert str(table["fibers"][0]) == "3 4"
    assert float(table["significance"][0]) == 9.0


def test_what_is_not_there_is_said(session, tmp_path):
    out = str(tmp_path / "a.fits")
    with pytest.raises(UsageError, match="no spectrum is selected"):
        save_table(replace(session, selection=Selection()), "spectra", out)
    with pytest.raises(MissingDataError, match="nothing was judged"):
        save_table(session, "findings", out)
    with pytest.raises(UsageError, match="no frame"):
        save_table(Session(), "fibers", out)
    with pytest.raises(UsageError, match="end the name in"):
        save_table(session, "fibers", str(tmp_path / "a.txt"))
    with pytest.raises(UsageError, match="does not exist"):
        save_table(session, "fibers", str(tmp_path / "none" / "a.fits"))
