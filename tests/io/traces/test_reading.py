"""Traces from every known form, against their own coefficients and points."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits as afits
from astropy.table import Table
from numpy.polynomial import legendre

from ifuview import io
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.model.orientation import Orientation
from ifuview.model.quality import TraceBit

NFIBER, NY, NX = 30, 600, 400
LOW, HIGH = 5000.0, 6000.0
ALONG_Y = Orientation(transpose=True)
RNG = np.random.default_rng(3)


def coefficients() -> tuple[np.ndarray, np.ndarray]:
    """Bent, smiling traces."""
    x, y = np.zeros((NFIBER, 6)), np.zeros((NFIBER, 6))
    x[:, 0] = 20 + 12 * np.arange(NFIBER)
    x[:, 1], x[:, 2] = 3.0, -1.5
    y[:, 0], y[:, 1], y[:, 2] = NY / 2, 0.55 * NY, 4.0
    y[:, 0] += 0.05 * (np.arange(NFIBER) - NFIBER / 2) ** 2 - 5
    y[:, 3] = RNG.normal(0, 0.5, NFIBER)
    return x, y


def psf_file(path: Path, x: np.ndarray, y: np.ndarray, npix: int | None = NY, **more: object) -> Path:
    """A trace-only file."""
    hdus = []
    for name, data in (("XTRACE", x), ("YTRACE", y), ("XSIG", np.full((len(x), 1), 1.1))):
        hdu = afits.ImageHDU(data.astype("f8"), name=name)
        hdu.header["WAVEMIN"], hdu.header["WAVEMAX"] = LOW, HIGH
        if npix:
            hdu.header["NPIX_Y"] = npix
        hdu.header.update(more)
        hdus.append(hdu)
    afits.HDUList([afits.PrimaryHDU(), *hdus]).writeto(path, overwrite=True)
    return path


def test_legendre_traces_are_inverted_to_a_millionth_of_a_pixel(tmp_path: Path) -> None:
    x, y = coefficients()
    found = io.read_traces(psf_file(tmp_path / "psf.fits", x, y), (NX, NY), ALONG_Y)
    assert found.center.shape == (NFIBER, NY)
    u = 2 * (found.wave - LOW) / (HIGH - LOW) - 1
    for fiber in range(NFIBER):
        np.testing.assert_allclose(legendre.legval(u[fiber], y[fiber]), np.arange(NY), atol=1e-6)
        np.testing.assert_allclose(legendre.legval(u[fiber], x[fiber]), found.center[fiber], atol=1e-6)
    np.testing.assert_allclose(found.sigma, 1.1)
    assert found.valid.all() and not found.status.any()


def test_a_fiber_with_many_coefficients_is_followed(tmp_path: Path) -> None:
    x, y = coefficients()
    many = np.zeros((NFIBER, 40))
    many[:, :6] = x
    many[7, 6:] = RNG.normal(0, 0.2, 34)
    found = io.read_traces(psf_file(tmp_path / "psf.fits", many, y), (NX, NY), ALONG_Y)
    u = 2 * (found.wave[7] - LOW) / (HIGH - LOW) - 1
    np.testing.assert_allclose(legendre.legval(u, many[7]), found.center[7], atol=1e-3)


def test_rows_that_a_trace_does_not_reach_are_marked(tmp_path: Path) -> None:
    x, y = coefficients()
    y[4, :] = 0
    y[4, 0], y[4, 1] = 300, 100  # rows 200 to 400 only
    y[5, 1] *= -1  # runs backwards
    found = io.read_traces(psf_file(tmp_path / "psf.fits", x, y), (NX, NY), ALONG_Y)
    assert not found.valid[4, :199].any() and found.valid[4, 202:398].all()
    assert found.status[4] == TraceBit.EXTRAPOLATED
    assert found.status[5] == TraceBit.NOT_FITTED
    assert found.valid[6].all()


def test_height_comes_from_the_image_where_the_file_is_silent(tmp_path: Path) -> None:
    path = psf_file(tmp_path / "psf.fits", *coefficients(), npix=None)
    assert io.read_traces(path, (NX, 580), ALONG_Y).ncol == 580
    assert io.read_traces(path).ncol == 4096


def test_traces_of_another_detector_are_refused_with_both_sizes(tmp_path: Path) -> None:
    path = psf_file(tmp_path / "psf.fits", *coefficients())
    with pytest.raises(FileFormatError, match=r"600.*500"):
        io.read_traces(path, (NX, 500), ALONG_Y)
    with pytest.raises(FileFormatError, match=r"along y"):
        io.read_traces(path, (NY, NX), Orientation())
    silent = psf_file(tmp_path / "psf2.fits", *coefficients(), npix=None)
    with pytest.raises(FileFormatError, match="image has 20 pixels"):
        io.read_traces(silent, (20, NY), ALONG_Y)


def test_bad_coefficients_are_told(tmp_path: Path) -> None:
    x, y = coefficients()
    x[3, 2] = np.nan
    with pytest.raises(FileFormatError, match="not numbers"):
        io.read_traces(psf_file(tmp_path / "a.fits", x, y))
    with pytest.raises(FileFormatError, match="30 fibers, YTRACE has 29"):
        io.read_traces(psf_file(tmp_path / "b.fits", coefficients()[0], y[:29]))
    with pytest.raises(FileFormatError, match=r"no fibers|no table of coefficients"):
        io.read_traces(psf_file(tmp_path / "c.fits", np.zeros((0, 5)), np.zeros((0, 5))))


def test_the_old_form_in_the_psf_table_is_read(tmp_path: Path) -> None:
    x, y = coefficients()
    names = np.array(["X", "Y", "GHSIGX"])
    coeff = np.stack([x, y, np.tile([1.2, 0, 0, 0, 0, 0], (NFIBER, 1))])
    columns = [afits.Column("PARAM", "8A", array=names)]
    columns.append(afits.Column("COEFF", f"{NFIBER * 6}D", dim=f"(6,{NFIBER})", array=coeff))
    hdu = afits.BinTableHDU.from_columns(columns, name="PSF")
    hdu.header.update(WAVEMIN=LOW, WAVEMAX=HIGH, NPIX_X=NX, NPIX_Y=NY)
    path = tmp_path / "psf-old.fits"
    afits.HDUList([afits.PrimaryHDU(), hdu]).writeto(path)
    new = io.read_traces(psf_file(tmp_path / "new.fits", x, y), (NX, NY), ALONG_Y)
    old = io.read_traces(path, (NX, NY), ALONG_Y)
    assert io.open_dataset(path).kind == "psf"
    np.testing.assert_allclose(old.center, new.center, atol=1e-9)
    np.testing.assert_allclose(old.sigma, 1.2)


def test_sampled_arrays_are_read_as_they_are(tmp_path: Path) -> None:
    center = 10.0 + 12 * np.arange(NFIBER)[:, None] + np.linspace(0, 3, NX)[None, :]
    bad = np.zeros(center.shape, "i2")
    bad[2] = 1
    slits = Table({"fiberid": np.arange(NFIBER) + 1001, "blockid": np.arange(NFIBER) // 6})
    path = tmp_path / "mtrace.fits"
    afits.HDUList(
        [
            afits.PrimaryHDU(center.astype("f4")),
            afits.ImageHDU(np.full(center.shape, 0.02, "f4"), name="ERROR"),
            afits.ImageHDU(bad, name="BADPIX"),
            afits.ImageHDU(np.zeros((NFIBER, 5), "f4"), afits.Header({"SMOOKIND": "legendre"}), name="COEFFS"),
            afits.BinTableHDU(slits, name="SLITMAP"),
        ]
    ).writeto(path)
    found = io.read_traces(path, (500, NX), Orientation())
    np.testing.assert_allclose(found.center, center, atol=1e-4)
    assert found.fiber_id[0] == "1001" and found.basis == "legendre" and found.error is not None
    assert not found.valid[2].any() and found.status[2] == TraceBit.NOT_FITTED
    assert io.open_dataset(path).kind == "traces"
    with pytest.raises(FileFormatError, match="400 pixels along dispersion, the image has 512"):
        io.read_traces(path, (500, 512), Orientation())


def truth() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every fifth column of straight, tilted traces."""
    x = np.arange(0, NX, 5.0)
    y = 10 + 12 * np.arange(NFIBER)[:, None] + 0.01 * x[None, :]
    return x, y, np.tile(4000 + 2 * x, (NFIBER, 1))


def long_table() -> Table:
    x, y, wave = truth()
    fiber = np.repeat(np.arange(NFIBER) + 1, len(x))
    columns = {"fiber_id": fiber, "x_pixels": np.tile(x, NFIBER), "y_pixels": y.ravel(), "wavelength": wave.ravel()}
    return Table(columns)


def records() -> list[dict]:
    x, y, wave = truth()
    return [
        {"fiber_id": i + 1, "x_pixels": x.tolist(), "y_pixels": y[i].tolist(), "wavelength": wave[i].tolist()}
        for i in range(NFIBER)
    ]


def write_form(form: str, folder: Path) -> Path:
    """The same traces in each form of the trace plan."""
    path = folder / f"t.{form.split()[0]}"
    if form in ("csv", "ecsv", "fits"):
        long_table().write(path, format={"csv": "ascii.csv", "ecsv": "ascii.ecsv", "fits": "fits"}[form])
    elif form == "csv lists":
        lines = ["fiber_id,x_pixels,y_pixels,wavelength"]
        for record in records():
            lines.append(",".join([str(record["fiber_id"]), *(f'"{record[k]}"' for k in list(record)[1:])]))
        path.write_text("\n".join(lines))
    elif form == "fits lists":
        x, y, wave = truth()
        columns = {
            "fiber_id": np.arange(NFIBER) + 1,
            "x_pixels": np.tile(x, (NFIBER, 1)),
            "y_pixels": y,
            "wavelength": wave,
        }
        Table(columns).write(path, format="fits")
    elif form == "json list":
        path.write_text(json.dumps(records()))
    elif form == "json dict":
        path.write_text(json.dumps({str(r.pop("fiber_id")): r for r in records()}))
    elif form == "json columns":
        path.write_text(json.dumps({name: long_table()[name].tolist() for name in long_table().colnames}))
    return path


FORMS = ["csv", "ecsv", "fits", "csv lists", "fits lists", "json list", "json dict", "json columns"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_trace_plan_gives_the_same_traces(tmp_path: Path, form: str) -> None:
    found = io.read_traces(write_form(form, tmp_path), (450, NX), Orientation())
    column = np.arange(NX)
    np.testing.assert_allclose(found.center, 10 + 12 * np.arange(NFIBER)[:, None] + 0.01 * column, atol=1e-9)
    np.testing.assert_allclose(found.wave, np.tile(4000.0 + 2 * column, (NFIBER, 1)), atol=1e-6)
    assert found.fiber_id[:2] == ("1", "2")
    assert found.valid[:, :396].all() and not found.valid[:, 397:].any()


def test_a_table_of_traces_opens_like_any_file(tmp_path: Path) -> None:
    found = io.open_dataset(write_form("fits", tmp_path))
    assert found.kind == "traces" and found.traces.nfiber == NFIBER and not found.images


def test_orientation_is_seen_from_the_points(tmp_path: Path) -> None:
    table = long_table()
    table["x_pixels"], table["y_pixels"] = table["y_pixels"].copy(), table["x_pixels"].copy()
    table.write(tmp_path / "t.csv", format="ascii.csv")
    found = io.read_traces(tmp_path / "t.csv")
    np.testing.assert_allclose(found.center[:, 0], 10 + 12 * np.arange(NFIBER))
    assert io.open_dataset(tmp_path / "t.csv").traces.nfiber == NFIBER


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "t.csv"
    path.write_text("\n".join(lines))
    return path


def test_points_out_of_order_are_sorted_with_a_note(tmp_path: Path) -> None:
    path = csv(tmp_path, "fiber_id,x_pixels,y_pixels", "1,0,5", "1,20,7", "1,10,6", "2,0,15", "2,10,nan", "2,20,17")
    found = io.read_traces(path, (30, 21), Orientation())
    np.testing.assert_allclose(found.center[:, 10], [6, 16])
    notes = " ".join(found.provenance.notes)
    assert "1 fibers were not in order" in notes and "1 trace points" in notes


@pytest.mark.parametrize(
    ("rows", "order"),
    [
        ([(7, 0), (7, 10), (3, 0), (3, 10)], ["7", "3"]),  # fiber by fiber
        ([(7, 0), (3, 0), (7, 10), (3, 10)], ["7", "3"]),  # column by column
        ([(7, 0), (10, 0), (7, 10), (7, 5), (3, 10), (10, 10), (3, 0)], ["3", "7", "10"]),  # no order
    ],
)
def test_fibers_stand_in_the_order_of_the_file_if_it_has_one(tmp_path: Path, rows: list, order: list[str]) -> None:
    lines = [f"{fiber},{x},{5 * fiber}" for fiber, x in rows]
    assert list(io.read_traces(csv(tmp_path, "fiber_id,x_pixels,y_pixels", *lines)).fiber_id) == order


@pytest.mark.parametrize(
    ("lines", "error", "text"),
    [
        (["fiber_id,x_pixels,wavelength", "1,2,3"], MissingDataError, "y_pixels"),
        (["fiber_id,x_pixels,y_pixels", "1,2,abc"], FileFormatError, "y_pixels holds something that is no number"),
        (["fiber_id,x_pixels,y_pixels", "1,2"], FileFormatError, "data line 2"),
        (["fiber_id,x_pixels,y_pixels"], FileFormatError, "no table"),
        (["fiber_id,x_pixels,y_pixels", "1,nan,nan"], FileFormatError, "not-a-number"),
        (["fiber_id,x_pixels,y_pixels", "1,1e30,5"], FileFormatError, "on no detector"),
        (["fiber_id,x_pixels,y_pixels", '1,"[1 2]","[5]"'], FileFormatError, "unequal lengths"),
        (
            ["fiber_id,x_pixels,y_pixels", '1,"[1 2]","[5 6]"', '1,"[1 2]","[5 6]"'],
            FileFormatError,
            "more than once: 1",
        ),
        (["hello", "world"], MissingDataError, "fiber_id"),
        (["[1, 2]"], FileFormatError, "not of fiber traces"),
        (["{bad json"], FileFormatError, "no valid JSON"),
        (["[]"], FileFormatError, "no fibers"),
    ],
)
def test_wrong_trace_files_are_told(tmp_path: Path, lines: list[str], error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        io.read_traces(csv(tmp_path, *lines))


def test_points_beyond_the_detector_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="reach pixel 395 along dispersion, the image has 200"):
        io.read_traces(write_form("csv", tmp_path), (450, 200), Orientation())


def test_an_image_is_no_trace_file(tmp_path: Path) -> None:
    afits.PrimaryHDU(np.zeros((100, 100))).writeto(tmp_path / "a.fits")
    with pytest.raises(MissingDataError, match="no fiber traces"):
        io.read_traces(tmp_path / "a.fits")


@pytest.mark.parametrize("form", FORMS)
def test_traces_cut_off_anywhere_never_escape_as_another_exception(tmp_path: Path, form: str) -> None:
    path = write_form(form, tmp_path)
    raw = path.read_bytes()
    for length in RNG.integers(1, len(raw), 12):
        path.write_bytes(raw[:length])
        try:
            io.read_traces(path, (450, NX), Orientation())
        except (FileFormatError, MissingDataError) as problem:
            assert str(path) in str(problem)


def test_traces_mirrored_along_dispersion_say_so(tmp_path: Path) -> None:
    x, y = coefficients()
    y[:, 1:] *= -1
    with pytest.raises(FileFormatError, match="mirrored along dispersion"):
        io.read_traces(psf_file(tmp_path / "psf.fits", x, y), (NX, NY), ALONG_Y)


def test_exchanged_coefficients_of_x_and_y_say_so(tmp_path: Path) -> None:
    x, y = coefficients()
    with pytest.raises(FileFormatError, match="x and y are exchanged"):
        io.read_traces(psf_file(tmp_path / "psf.fits", y, x), (NX, NY), ALONG_Y)


def test_positions_by_wavelengths_in_nm_are_those_in_angstrom(tmp_path: Path) -> None:
    path, wave = psf_file(tmp_path / "psf.fits", *coefficients()), np.linspace(LOW + 100, HIGH - 100, 50)
    right = io.trace_positions(str(path), wave)
    nm = psf_file(tmp_path / "nm.fits", *coefficients(), WAVEMIN=LOW / 10, WAVEMAX=HIGH / 10)
    for found, expected in zip(io.trace_positions(str(nm), wave), right, strict=True):
        np.testing.assert_allclose(found, expected, atol=2.0)  # each call draws a bend of half a pixel
