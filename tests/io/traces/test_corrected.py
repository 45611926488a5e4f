"""Corrected traces in the form of their file, read back; truth is the shift that was put in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from ifuview import io
from ifuview.errors import UsageError
from ifuview.io.traces.corrected import corrected_name, write_corrected
from ifuview.model.orientation import Orientation
from tests.io.traces.test_reading import FORMS, NX, write_form

TOLERANCE = 0.01  # px, what the issue asks for
DESI = Orientation(transpose=True)


def moved(given: io.TraceSet, kink: bool = True) -> io.TraceSet:
    """Fiber 0 as it is, fiber 1 with a shift and a slope, fiber 2 with a bump of 0.8 px over a fifth of its length."""
    center = given.center.copy()
    column = np.arange(given.ncol) / given.ncol
    center[1] += 0.3 - 0.5 * column
    if kink:
        center[2] += 0.8 * np.exp(-0.5 * ((column - 0.6) / 0.05) ** 2)
    return replace(given, center=center)


def check(given: io.TraceSet, wanted: io.TraceSet, path: Path, *how: object) -> io.TraceSet:
    back = io.read_traces(path, *how)
    both = given.valid & back.valid
    assert np.abs(back.center - wanted.center)[both].max() < TOLERANCE
    assert back.fiber_id == given.fiber_id
    return back


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_points_comes_back(tmp_path: Path, form: str) -> None:
    source = write_form(form, tmp_path)
    before = source.read_bytes()
    given = io.read_traces(source, (450, NX), Orientation())
    wanted = moved(given)
    target = tmp_path / f"out{source.suffix}"
    miss = write_corrected(source, wanted, target, "fiber 2 moved", Orientation(), (450, NX))
    back = check(given, wanted, target, (450, NX), Orientation())
    assert miss < TOLERANCE and source.read_bytes() == before
    np.testing.assert_allclose(back.center[0], given.center[0], atol=1e-4)  # four decimals of a px in text
    assert "fiber 2 moved" in target.read_bytes().decode("latin-1")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, target.name])


def test_other_readers_take_the_tables(tmp_path: Path) -> None:
    source = write_form("ecsv", tmp_path)
    given = io.read_traces(source, (450, NX), Orientation())
    write_corrected(source, moved(given, kink=False), tmp_path / "out.ecsv", "fiber 1")
    old, new = (Table.read(path, format="ascii.ecsv") for path in (source, tmp_path / "out.ecsv"))
    assert old.colnames == new.colnames and len(old) == len(new)
    np.testing.assert_array_equal(old["x_pixels"], new["x_pixels"])
    np.testing.assert_array_equal(old["wavelength"], new["wavelength"])


def test_a_kink_sharper_than_the_points_gets_more_points(tmp_path: Path) -> None:
    path = tmp_path / "few.json"
    x = np.arange(0, NX, 40.0)
    tree = {str(i): {"x_pixels": x.tolist(), "y_pixels": (20.0 + 10 * i + 0 * x).tolist()} for i in range(3)}
    path.write_text(json.dumps(tree))
    given = io.read_traces(path, (60, NX), Orientation())
    center = given.center.copy()
    center[2] += 0.5 * np.exp(-0.5 * ((np.arange(NX) - 100) / 8) ** 2)
    wanted = replace(given, center=center)
    write_corrected(path, wanted, tmp_path / "out.json", "a kink", Orientation(), (60, NX))
    check(given, wanted, tmp_path / "out.json", (60, NX), Orientation())


def test_sampled_arrays_keep_all_but_the_centers(tmp_path: Path) -> None:
    center = 10.0 + 12 * np.arange(8)[:, None] + np.linspace(0, 3, NX)[None, :]
    path = tmp_path / "mtrace.fits"
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(center.astype("f4"), name="TRACE"),
            fits.ImageHDU(np.full(center.shape, 0.02, "f4"), name="ERROR"),
            fits.ImageHDU(np.zeros((8, 5), "f4"), name="COEFFS"),
        ]
    ).writeto(path)
    given = io.read_traces(path, (120, NX), Orientation())
    wanted = moved(given)
    write_corrected(path, wanted, tmp_path / "out.fits", "two fibers", Orientation(), (120, NX))
    check(given, wanted, tmp_path / "out.fits", (120, NX), Orientation())
    with fits.open(tmp_path / "out.fits") as hdus:
        assert [h.name for h in hdus] == ["PRIMARY", "TRACE", "ERROR", "COEFFS"]
        assert hdus["TRACE"].data.dtype == np.dtype(">f4") and hdus["TRACE"].header["TRCORR"]
        assert "two fibers" in str(hdus["TRACE"].header["HISTORY"])


def test_the_old_form_in_the_psf_table(tmp_path: Path) -> None:
    nfiber, x = 5, np.zeros((5, 4))
    x[:, 0], x[:, 1] = 20 + 8 * np.arange(nfiber), 2.0
    y = np.zeros((nfiber, 4))
    y[:, 0], y[:, 1] = 200.0, 205.0
    rows = [("X", x), ("Y", y), ("GHSIGX", np.full((nfiber, 4), [1.1, 0, 0, 0]))]
    head = fits.Header({"WAVEMIN": 5000.0, "WAVEMAX": 6000.0, "LEGDEG": 3, "NPIX_Y": 400, "PSFTYPE": "GAUSS-HERMITE"})
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("PARAM", "8A", array=[name for name, _ in rows]),
            fits.Column("COEFF", "20D", dim="(4,5)", array=np.stack([value for _, value in rows])),
        ],
        header=head,
        name="PSF",
    )
    path = tmp_path / "psf.fits"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    given = io.read_traces(path, (80, 400), DESI)
    wanted = moved(given)
    write_corrected(path, wanted, tmp_path / "out.fits", "fibers 1 and 2", DESI, (400, 80))
    back = check(given, wanted, tmp_path / "out.fits", (80, 400), DESI)
    np.testing.assert_allclose(back.wave, given.wave, atol=1e-6)
    np.testing.assert_allclose(back.sigma, given.sigma, atol=1e-6)
    with fits.open(tmp_path / "out.fits") as hdus:
        assert hdus["PSF"].header["PSFTYPE"] == "GAUSS-HERMITE" and hdus["PSF"].data["COEFF"].shape[2] > 4


def test_shared_traces_come_back(shared_data: Path, tmp_path: Path) -> None:
    paths = sorted((shared_data / "desi/traces").glob("*.fits"))
    paths += sorted((shared_data / "desi/calibnight").glob("*/psfnight-*"))
    if not paths:
        pytest.skip("no traces there")
    for source in paths:
        given = io.read_traces(source, (4114, 4128), DESI)
        wanted = moved(given)
        target = tmp_path / corrected_name(source)
        write_corrected(source, wanted, target, "two fibers", DESI, (4128, 4114))
        check(given, wanted, target, (4114, 4128), DESI)
        with fits.open(source) as old, fits.open(target, checksum=True) as new:
            assert [h.name for h in old] == [h.name for h in new]
            np.testing.assert_array_equal(old["YTRACE"].data, new["YTRACE"].data)
            count = old[0].data.shape[1]
            np.testing.assert_array_equal(old[0].data[0], new[0].data[0, :count])
            assert new[0].data.dtype == old[0].data.dtype and new[0].header["WAVEMIN"] == old[0].header["WAVEMIN"]
            if "PSF" in old:
                assert old["PSF"].data.tobytes() == new["PSF"].data.tobytes()


def test_nothing_is_written_over_the_input_or_for_other_fibers(tmp_path: Path) -> None:
    source = write_form("csv", tmp_path)
    given = io.read_traces(source, (450, NX), Orientation())
    with pytest.raises(UsageError, match="overwrite"):
        write_corrected(source, given, source, "nothing", Orientation(), (450, NX))
    few = replace(
        given, fiber=given.fiber[:2], center=given.center[:2], wave=None, valid=None, status=None, fiber_id=()
    )
    with pytest.raises(UsageError, match="2 fibers"):
        write_corrected(source, few, tmp_path / "out.csv", "nothing", Orientation(), (450, NX))
    with pytest.raises(UsageError, match="cannot be written"):
        write_corrected(source, given, tmp_path / "none" / "out.csv", "nothing", Orientation(), (450, NX))
    assert [p.name for p in tmp_path.iterdir()] == [source.name]
