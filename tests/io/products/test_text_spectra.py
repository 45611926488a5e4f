"""Spectra in text and in tables of no known instrument: columns by name and unit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from ifuview import io
from ifuview.errors import IfuviewError
from ifuview.model.image import Kind

N = 25
WAVE = 400 + 0.5 * np.arange(N)
FLUX = np.random.default_rng(3).normal(5, 1, N)


def table(unit: u.UnitBase) -> Table:
    """Flux with sigma and mask."""
    wave = (WAVE * u.nm).to(unit)
    return Table({"wavelength": wave, "flux": FLUX * u.Unit("W / (m2 nm)"), "error": np.full(N, 2.0),
                  "mask": np.where(np.arange(N) == 3, 2, 0)})  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "unit"),
    [
        ("a.ecsv", "ascii.ecsv", u.nm),
        ("a.ecsv", "ascii.ecsv", u.um),
        ("a.vot", "votable", u.nm),
        ("a.fits", "fits", u.nm),
    ],
)
def test_a_table_of_text_is_a_spectrum_in_its_units(tmp_path: Path, name: str, kind: str, unit: u.UnitBase) -> None:
    path = tmp_path / name
    table(unit).write(path, format=kind)
    im = io.open_dataset(path).images[0]
    assert im.kind is Kind.SPECTRUM and im.unit.startswith("W")
    np.testing.assert_allclose(im.wave, 10 * WAVE, rtol=1e-12)
    np.testing.assert_allclose(im.pixels.native()[0], FLUX, rtol=1e-6)
    np.testing.assert_allclose(im.ivar.native(), 0.25)
    assert im.mask.integer(0, 3) == 2


@pytest.mark.parametrize("per_angstrom", [1.0, 0.1, 1e-4, 1e-10])
def test_csv_has_no_units_so_that_size_tells_the_unit_and_a_note_tells_that(
    tmp_path: Path, per_angstrom: float
) -> None:
    path = tmp_path / "a.csv"
    wave = WAVE * 10 * per_angstrom
    wave[3] = 0.0  # not every number of a file is a wavelength
    Table({"wave": wave, "flux": FLUX}).write(path, format="ascii.csv")
    found = io.open_dataset(path)
    np.testing.assert_allclose(np.delete(found.images[0].wave, 3), np.delete(10 * WAVE, 3), rtol=1e-12)
    assert found.images[0].ivar is None
    assert any("name no unit" in note for note in found.notes)


@pytest.mark.parametrize(("name", "kind"), [("a.ecsv", "ascii.ecsv"), ("a.csv", "ascii.csv"), ("a.vot", "votable"),
                                            ("a.fits", "fits")])  # fmt: skip
@pytest.mark.parametrize("key", ["TARGETID", "fiber"])
def test_a_catalog_that_knows_target_or_fiber_is_a_table(tmp_path: Path, name: str, kind: str, key: str) -> None:
    path = tmp_path / name
    Table({"mag": np.linspace(18, 20, 4), key: np.arange(4) + 7}).write(path, format=kind)
    dataset = io.open_dataset(path)
    assert dataset.kind == "tables" and not dataset.images
    assert dataset.tables[0].columns[key].tolist() == [7, 8, 9, 10]


def test_a_table_without_wavelengths_is_no_spectrum(tmp_path: Path) -> None:
    path = tmp_path / "a.ecsv"
    Table({"ra": FLUX, "dec": FLUX}).write(path, format="ascii.ecsv")
    found = io.open_dataset(path)
    assert found.kind == "tables" and not found.images and found.tables[0].columns["ra"].tolist() == FLUX.tolist()
    assert any("no columns of wavelength and flux (it has: ra, dec)" in note for note in found.notes)
    targets = tmp_path / "a.fits"
    fits.BinTableHDU.from_columns([fits.Column("FLUX", "D", array=FLUX)]).writeto(targets)
    with pytest.raises(IfuviewError):
        io.open_dataset(targets)


@pytest.mark.parametrize(("name", "kind"), [("a.ecsv", "ascii.ecsv"), ("a.csv", "ascii.csv"), ("a.vot", "votable")])
@pytest.mark.parametrize("whole", [False, True])
def test_a_cell_without_a_value_is_none(tmp_path: Path, name: str, kind: str, whole: bool) -> None:
    flux = np.round(100 * FLUX).astype(np.int64) if whole else FLUX
    made = Table({"wavelength": 10 * WAVE, "flux": flux, "error": np.full(N, 2.0)}, masked=True)
    made["flux"].mask[3] = made["error"].mask[5] = True
    made.write(tmp_path / name, format=kind)
    im = io.open_dataset(tmp_path / name).images[0]
    right = flux.astype(float)
    right[3] = np.nan
    np.testing.assert_allclose(im.pixels.native()[0], right, rtol=1e-6)
    assert im.ivar.value(0, 5) == 0 and im.ivar.value(0, 4) == 0.25


@pytest.mark.parametrize(("text", "unit"), [
    ("# made by hand\nwavelength,flux\n{rows}", ""), ("\ufeffwavelength,flux\r\n{rows}", ""),
    ("Wavelength (nm), Flux [mJy]\n{rows}", "mJy"), ("lam;flux\n{rows}", ""), ("wave\tflux\n{rows}", ""),
])  # fmt: skip
def test_csv_as_other_programs_write_it(tmp_path: Path, text: str, unit: str) -> None:
    head = text.partition("\n")[0]
    separator = next(s for s in ",;\t" if s in text)
    rows = "\n".join(f"{w:.2f}{separator}{f:.6f}" for w, f in zip(WAVE, FLUX)) + "\n"
    rows = rows.replace(".", ",") if separator == ";" else rows
    (tmp_path / "a.csv").write_text(text.format(rows=rows), encoding="utf-8", newline="")
    im = io.open_dataset(tmp_path / "a.csv").images[0]
    np.testing.assert_allclose(im.wave, 10 * WAVE, atol=0.01, err_msg=head)
    np.testing.assert_allclose(im.pixels.native()[0], FLUX, atol=1e-6)
    assert im.unit == unit


@pytest.mark.parametrize("text", ["wavelength,flux\n", "", "a,b\nc,d\n", "only\n1\n", "wavelength,flux\n1,2,3\n"])
def test_a_text_that_is_nothing_says_what_it_lacks_for_both(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text + "\n")
    with pytest.raises(IfuviewError) as problem:
        io.open_dataset(tmp_path / "a.csv")
    assert "no spectrum" in str(problem.value) and "no traces" in str(problem.value)


def test_any_other_table_of_numbers_is_shown_and_says_what_it_lacks(tmp_path: Path) -> None:
    """A log of exposures: its texts and numbers, cells without a value unknown."""
    (tmp_path / "log.csv").write_text("exposure,seeing,comment\n104284,1.2,clear\n104285,,windy\n104286,1.4,\n")
    found = io.open_dataset(tmp_path / "log.csv")
    (table,) = found.tables
    assert table.columns["exposure"].tolist() == [104284, 104285, 104286] and table.columns["comment"][1] == "windy"
    np.testing.assert_array_equal(table.columns["seeing"], [1.2, np.nan, 1.4])
    (note,) = found.notes
    assert "no columns of wavelength and flux" in note and "no traces" in note and "fiber_id" in note


@pytest.mark.parametrize("unit", ["dex(Angstrom)", "log10(Angstrom)", "dex(nm)", "log(0.1 nm)"])
@pytest.mark.parametrize("name", ["loglam", "wavelength"])
def test_a_column_whose_unit_is_a_logarithm_holds_logarithms(tmp_path: Path, name: str, unit: str) -> None:
    scale = 0.0 if "(nm)" in unit else 1.0
    columns = [fits.Column(name, "D", unit=unit, array=np.log10(WAVE) + scale), fits.Column("flux", "D", array=FLUX)]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "a.fits")
    np.testing.assert_allclose(io.open_dataset(tmp_path / "a.fits").images[0].wave, 10 * WAVE, rtol=1e-12)
