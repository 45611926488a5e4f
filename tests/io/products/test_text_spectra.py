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
    with pytest.raises(IfuviewError):
        io.open_dataset(path)
    targets = tmp_path / "a.fits"
    fits.BinTableHDU.from_columns([fits.Column("FLUX", "D", array=FLUX)]).writeto(targets)
    with pytest.raises(IfuviewError):
        io.open_dataset(targets)
