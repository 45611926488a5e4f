"""Spectral axes of any form give the wavelengths that astropy's units and wcslib give, or none with a word why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import constants, units
from astropy.io import fits
from astropy.wcs import WCS

from ifuview import io
from ifuview.app.frames.sky.worldpos import sky_position
from ifuview.model.dataset import Dataset
from ifuview.model.image import Kind

N = 24
I = np.arange(N)  # noqa: E741
RNG = np.random.default_rng(5)
FIELD = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": -3.0, "CDELT1": -1e-4, "CDELT2": 1e-4}
C, H = constants.c, constants.h
REST = 4861.3


def cards(**given: Any) -> fits.Header:
    """A header; two underscores stand for a dash."""
    out = fits.Header()
    for key, value in given.items():
        out[key.replace("__", "-")] = value
    return out


def opened(path: Path, data: np.ndarray, *more: fits.ImageHDU | fits.BinTableHDU, **given: Any) -> Dataset:
    """The file as it is read."""
    fits.HDUList([fits.PrimaryHDU(data.astype("f4"), cards(**given)), *more]).writeto(path / "a.fits")
    return io.open_dataset(path / "a.fits")


def axis(ctype: str, start: float, step: float, unit: str = "", n: int = 3, **more: Any) -> dict[str, Any]:
    """Cards of one axis."""
    own = {f"CTYPE{n}": ctype, f"CRVAL{n}": start, f"CDELT{n}": step, f"CRPIX{n}": 1.0}
    return own | ({f"CUNIT{n}": unit} if unit else {}) | more


def physics(values: np.ndarray, unit: str, **rest: Any) -> np.ndarray:
    """Wavelength, Angstrom, by astropy's equivalencies."""
    q = values * units.Unit(unit)
    return q.to_value("Angstrom", equivalencies=rest.get("by", units.spectral()))


LINE = REST * units.AA
CASES = [
    (axis("WAVE", 480.0, 0.1, "nm"), 4800 + I, ""),
    (axis("AWAV", 4.8e-7, 1.0, "m", PC3_3=1e-10), 4800 + I, "air"),
    (axis("FREQ", 600.0, 0.1, "THz"), physics(600 + 0.1 * I, "THz"), "vacuum"),
    (axis("FREQ", 6e14, 1e11, "Hz"), physics(600 + 0.1 * I, "THz"), "vacuum"),
    (axis("FREQUENCY", 600.0, 0.1, "THz"), physics(600 + 0.1 * I, "THz"), "vacuum"),
    (axis("FREQUENC", 6e14, 1e11, ""), physics(600 + 0.1 * I, "THz"), "vacuum"),
    (axis("WAVENUMBER", 20000.0, 10.0, "cm-1"), physics(20000 + 10.0 * I, "cm-1"), "vacuum"),
    (axis("ENERGY", 2.0, 0.001, "eV"), physics(2 + 0.001 * I, "eV"), "vacuum"),
    (axis("ENER", 2.0, 0.01, "eV"), physics(2 + 0.01 * I, "eV"), "vacuum"),
    (axis("WAVN", 15000.0, 5.0, "cm-1"), physics(15000 + 5.0 * I, "cm-1"), "vacuum"),
    (axis("VRAD", -300.0, 20.0, "km/s", RESTWAV=REST * 1e-10),
     physics(-300 + 20.0 * I, "km/s", by=units.doppler_radio(LINE)), "vacuum"),
    (axis("VOPT", -300.0, 20.0, "km/s", RESTFRQ=float((C / LINE).to_value("Hz"))),
     physics(-300 + 20.0 * I, "km/s", by=units.doppler_optical(LINE)), "vacuum"),
    (axis("VELO", -3e5, 2e4, "m/s", RESTWAV=REST * 1e-10),
     physics(-300 + 20.0 * I, "km/s", by=units.doppler_relativistic(LINE)), "vacuum"),
    (axis("ZOPT", 0.1, 1e-3, RESTWAV=REST * 1e-10), REST * (1.1 + 1e-3 * I), "vacuum"),
    (axis("WAVE-LOG", 5e-7, 1e-10, "m"), 5000 * np.exp(1e-10 * I / 5e-7), ""),
    (axis("WAVE-LOG", 3.6, 1e-4), 10 ** (3.6 + 1e-4 * I), ""),
    (axis("WAVE-LOG", 8.5, 1e-4), np.exp(8.5 + 1e-4 * I), ""),
    (axis("LOG-LINEAR", 3.6, 1e-4), 10 ** (3.6 + 1e-4 * I), ""),
    (axis("LINEAR", 3.6, 1e-4, DC__FLAG=1), 10 ** (3.6 + 1e-4 * I), ""),
    (axis("LOGLAM", 3.6, 1e-4, "log(Angstrom)"), 10 ** (3.6 + 1e-4 * I), ""),
    (axis("Angstrom", 4800.0, 1.0), 4800.0 + I, ""),
    (axis("WAVE", 4800.0, 1.0, "Angstrom", AIRORVAC="air"), 4800.0 + I, "air"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wave", "medium"), CASES)
def test_the_third_axis_of_a_cube(tmp_path: Path, given: dict[str, Any], wave: np.ndarray, medium: str) -> None:
    found = opened(tmp_path, RNG.normal(size=(N, 4, 5)), **FIELD, **given).images[0]
    assert found.kind is Kind.CUBE and found.medium == medium
    np.testing.assert_allclose(found.wave, wave, rtol=1e-9)


@pytest.mark.parametrize("given", [
    axis("WAVE-F2W", 5e-7, 1e-9, "m"), axis("AWAV-GRI", 5e-7, 1e-9, "m", PV3_0=3e5, PV3_1=1.0, PV3_2=20.0),
    axis("FREQ-W2F", 6e14, -1e12, "Hz"), axis("VOPT-F2W", 1e5, 5e4, "m/s", RESTWAV=5e-7),
    axis("WAVE-V2W", 5e-7, 1e-9, "m", RESTWAV=4.9e-7),
])  # fmt: skip
def test_axes_that_are_not_linear_are_as_wcslib_has_them(tmp_path: Path, given: dict[str, Any]) -> None:
    found = opened(tmp_path, RNG.normal(size=(N, 4, 5)), **FIELD, **given).images[0]
    whole = WCS(cards(**FIELD, **given), naxis=3).wcs_pix2world(np.stack([0 * I, 0 * I, I], axis=1), 0)[:, 2]
    code = str(given["CTYPE3"])[:4]
    right = {"FREQ": lambda w: 299792458.0 / w, "VOPT": lambda w: 5e-7 * (1 + w / 299792458.0)}.get(code, lambda w: w)
    np.testing.assert_allclose(found.wave, right(whole) * 1e10, rtol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_wavelength_may_be_any_axis(tmp_path: Path, n: int) -> None:
    shape = [4, 5, 1, 6]
    shape[4 - n] = N
    data = RNG.normal(size=shape).astype("f4")
    dataset = opened(tmp_path, data, **axis("WAVE", 1.4, 2e-4, "um", n=n))
    found = dataset.images[0]
    np.testing.assert_allclose(found.wave, 14000 + 2.0 * I, rtol=1e-12)
    assert found.pixels.shape[-3] == N and (n == 3 or any("another order" in note for note in dataset.notes))
    moved = np.moveaxis(data, 4 - n, 1)
    assert np.array_equal(found.pixels.native().ravel(), moved.ravel())


def test_a_table_lists_the_wavelengths(tmp_path: Path) -> None:
    wave = 4800 + 3 * I + 0.02 * I**2
    column = fits.Column("lam", f"{N}D", array=wave[None, :] / 10, unit="nm", dim=f"(1,{N})")
    table = fits.BinTableHDU.from_columns([column], name="LAMBDAS")
    given = axis("AWAV-TAB", 1.0, 1.0, "nm", PS3_0="LAMBDAS", PS3_1="lam", PV3_1=1, PV3_2=1, PV3_3=1)
    found = opened(tmp_path, RNG.normal(size=(N, 4, 5)), table, **FIELD, **given).images[0]
    np.testing.assert_allclose(found.wave, wave, rtol=1e-12)
    assert found.medium == "air"


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    given = axis("WAVE-TAB", 1.0, 1.0, "nm", PS3_0="GONE", PS3_1="lam")
    dataset = opened(tmp_path, RNG.normal(size=(N, 4, 5)), **FIELD, **given)
    assert dataset.images[0].wave is None and any("GONE" in note for note in dataset.notes)


def test_equispec_and_multispec(tmp_path: Path) -> None:
    wat = {"WAT0_001": "system=equispec", "WAT1_001": "wtype=linear label=Wavelength units=angstroms"}
    found = opened(tmp_path, RNG.normal(size=(6, N)), **axis("LINEAR", 4500.0, 0.5, n=1), **wat).images[0]
    np.testing.assert_allclose(found.wave, 4500 + 0.5 * I)
    x = (2 * (I + 1.0) - (N + 1)) / (N - 1)
    rows = [5000 + 100 * x + 2 * (2 * x**2 - 1), 5010 + 98 * x + 1 * (2 * x**2 - 1)]
    text = "wtype=multispec" + "".join(
        f' spec{n} = "{n} {n} 2 0. 0. {N} 0. 1. 2. 1. 0. 1 3 1. {N}. {a} {b} {c}"'
        for n, (a, b, c) in enumerate([(5000, 100, 2), (5010, 98, 1)], 1)
    )
    wat = {"WAT0_001": "system=multispec", "WAT1_001": "wtype=multispec label=Wavelength units=angstroms"}
    wat |= {f"WAT2_{k:03d}": text[(k - 1) * 68 : k * 68] for k in range(1, -(-len(text) // 68) + 1)}
    (tmp_path / "b").mkdir()
    given = {"CTYPE1": "MULTISPE", "CTYPE2": "MULTISPE", "CDELT1": 1.0, "CD1_1": 1.0}
    found = opened(tmp_path / "b", RNG.normal(size=(2, N)), **given, **wat).images[0]
    np.testing.assert_allclose(found.wave, rows, rtol=1e-9)


def test_a_tilted_slit_has_wavelengths_of_each_row(tmp_path: Path) -> None:
    given = axis("WAVE", 500.0, 0.1, "nm", n=1) | {"CD1_1": 0.1, "CD1_2": 0.03, "CD2_2": 1.0, "CRPIX2": 2.0}
    del given["CDELT1"]
    found = opened(tmp_path, RNG.normal(size=(6, N)), **given).images[0]
    np.testing.assert_allclose(found.wave, 5000 + I[None, :] + 0.3 * (np.arange(6) - 1.0)[:, None])


@pytest.mark.parametrize(("shape", "given"), [
    ((30, N), axis("X", 0.0, 0.015, "mm", n=1) | axis("Y", 0.0, 0.015, "mm", n=2)),
    ((30, N), axis("DETX", 100.0, 15.0, "um", n=1) | axis("DETY", 100.0, 15.0, "um", n=2)),
    ((30, N), axis("LINEAR", 100.0, 15.0, "um", n=1) | axis("LINEAR", 100.0, 15.0, "um", n=2)),
    ((30, N), axis("PIXEL", 1.0, 1.0, n=1)),
    ((N,), axis("LINEAR", 59000.0, 0.01, n=1)),
    ((N,), axis("LINEAR", 0.0, 0.5, "s", n=1)),
    ((N,), axis("TIME", 0.0, 0.5, n=1)),
    ((N,), axis("LINEAR", 1.0, 1.0, n=1)),
    ((N, 4, 5), axis("TIME", 5000.0, 1.0, "s")),
])  # fmt: skip
def test_lengths_in_space_and_times_are_no_wavelengths(
    tmp_path: Path, shape: tuple[int, ...], given: dict[str, Any]
) -> None:
    found = opened(tmp_path, RNG.normal(size=shape), **given).images[0]
    assert found.wave is None and found.kind is not Kind.RSS and found.fibermap is None


def test_the_axes_of_the_primary_are_not_those_of_an_extension(tmp_path: Path) -> None:
    primary = fits.PrimaryHDU(None, cards(**axis("WAVE", 4800.0, 1.0, "Angstrom", n=1)))
    fits.HDUList([primary, fits.ImageHDU(RNG.normal(size=(20, N)), name="SCI")]).writeto(tmp_path / "a.fits")
    found = io.open_dataset(tmp_path / "a.fits").images[0]
    assert found.wave is None and found.kind is Kind.IMAGE


def test_velocities_without_a_rest_wavelength_are_said(tmp_path: Path) -> None:
    dataset = opened(tmp_path, RNG.normal(size=(N, 4, 5)), **FIELD, **axis("VOPT", 0.0, 1e4, "m/s"))
    assert dataset.images[0].wave is None and any("RESTWAV" in note for note in dataset.notes)


@pytest.mark.parametrize("given", [
    {"COEFF0": 3.6, "COEFF1": 1e-4}, axis("", 3.6, 1e-4, n=1, LOGLAM=1), axis("WAVE-LOG", 3.6, 1e-4, n=1),
    axis("LINEAR", 3.6, 1e-4, n=1, DC__FLAG=1) | {"COEFF0": 3.6, "COEFF1": 1e-4},
])  # fmt: skip
def test_one_spectrum_in_logarithms(tmp_path: Path, given: dict[str, Any]) -> None:
    found = opened(tmp_path, RNG.normal(size=N), **given).images[0]
    assert found.kind is Kind.SPECTRUM
    np.testing.assert_allclose(found.wave, 10 ** (3.6 + 1e-4 * I), rtol=1e-12)


@pytest.mark.parametrize(("ctype", "start"), [("WAVE", 1e308), ("FREQ", 0.0), ("LOGLAM", 4000.0)])
def test_numbers_that_are_no_wavelengths_are_said(tmp_path: Path, ctype: str, start: float) -> None:
    dataset = opened(tmp_path, RNG.normal(size=(N, 4, 5)), **axis(ctype, start, max(start, 1.0)))
    assert dataset.images[0].wave is None and any("no wavelengths" in note for note in dataset.notes)


def test_a_section_keeps_its_place_on_the_sky(tmp_path: Path) -> None:
    given = FIELD | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "CRPIX1": 10.0, "CRPIX2": 8.0, "A_ORDER": 2,
                     "B_ORDER": 2, "A_2_0": 1e-3, "B_0_2": 1e-3, "LTV1": -100.0}  # fmt: skip
    whole = opened(tmp_path, RNG.normal(size=(20, 30)), **given).images[0]
    part = io.open_dataset(f"{tmp_path / 'a.fits'}[0][5:20,4:15]").images[0]
    assert sky_position(part.wcs, 3, 4) == pytest.approx(sky_position(whole.wcs, 7, 7), abs=1e-12)
    assert part.wcs["LTV1"] == -104.0


@pytest.mark.parametrize(("shape", "n", "turned"), [
    ((5, 6, N), 1, (N, 5, 6)), ((5, N, 6), 2, (N, 5, 6)), ((N, 1, 5, 6), 4, (N, 5, 6)), ((N, 20), 2, (20, N)),
])  # fmt: skip
def test_errors_turn_with_the_axes(tmp_path: Path, shape: tuple[int, ...], n: int, turned: tuple[int, ...]) -> None:
    data, error = RNG.normal(size=shape).astype("f4"), RNG.uniform(1, 2, shape).astype("f4")
    given = axis("AWAV", 480.0, 0.1, "nm", n=n)
    parts = fits.ImageHDU(data, cards(**given), name="SCI"), fits.ImageHDU(error, name="ERR")
    fits.HDUList([fits.PrimaryHDU(), *parts]).writeto(tmp_path / "a.fits")
    dataset = io.open_dataset(tmp_path / "a.fits")
    found = dataset.images[0]
    assert found.pixels.shape == turned and found.ivar is not None and found.medium == "air"
    np.testing.assert_allclose(found.wave, 4800.0 + I)
    moved = [np.moveaxis(a, len(shape) - n, -3 if len(shape) > 2 else -1).reshape(turned) for a in (data, error)]
    assert np.array_equal(found.pixels.native(), moved[0])
    np.testing.assert_allclose(found.ivar.native(), moved[1] ** -2.0, rtol=1e-6)
    assert any("another order" in note for note in dataset.notes)


def test_a_spectrum_of_one_row_that_says_no_more_than_start_and_step(tmp_path: Path) -> None:
    found = opened(tmp_path, RNG.normal(size=(1, N)), **axis("LINEAR", 4000.0, 1.0, n=1)).images[0]
    assert found.kind is Kind.SPECTRUM
    np.testing.assert_allclose(found.wave, 4000.0 + I)


@pytest.mark.parametrize(("unit", "values"), [("THz", 500 - 0.1 * I), ("eV", 2.0 + 0.01 * I), ("nm", 500 + 0.1 * I)])
def test_a_column_may_be_of_any_spectral_quantity(tmp_path: Path, unit: str, values: np.ndarray) -> None:
    name = "wave" if unit == "nm" else "frequency"
    columns = [fits.Column(name, "D", array=values, unit=unit), fits.Column("flux", "E", array=RNG.normal(size=N))]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(tmp_path / "a.fits")
    found = io.open_dataset(tmp_path / "a.fits").images[0]
    np.testing.assert_allclose(found.wave, physics(values, unit), rtol=1e-12)


def test_a_table_beside_the_spectra_has_their_wavelengths(tmp_path: Path) -> None:
    table = fits.BinTableHDU.from_columns(
        [fits.Column("WAVE", "D", array=380 + 0.07 * I, unit="nm")], name="WAVELENGTH"
    )
    found = opened(tmp_path, RNG.normal(size=(12, N)), table).images[0]
    assert found.kind is Kind.RSS
    np.testing.assert_allclose(found.wave, 3800 + 0.7 * I)


@pytest.mark.parametrize(("unit", "factor"), [("Ang", 1.0), ("Angstroem", 1.0), ("nanometres", 10.0), ("micron", 1e4)])
def test_units_are_known_by_the_words_that_people_write(tmp_path: Path, unit: str, factor: float) -> None:
    given = axis("WAVE", 4800.0 / factor, 1.0 / factor, unit, n=1)
    found = opened(tmp_path, RNG.normal(size=(5, N)), **given).images[0]
    np.testing.assert_allclose(found.wave, 4800.0 + I, rtol=1e-12)


@pytest.mark.parametrize(
    "letter", ["\N{LATIN CAPITAL LETTER A WITH RING ABOVE}".encode(c) for c in ("utf-8", "latin-1")]
)
def test_the_letter_of_angstrom_is_known_in_both_encodings(tmp_path: Path, letter: bytes) -> None:
    header = cards(**axis("WAVE", 4800.0, 1.0, "XX", n=1))
    fits.PrimaryHDU(RNG.normal(size=(5, N)), header).writeto(tmp_path / "a.fits")
    raw = (tmp_path / "a.fits").read_bytes().replace(b"'XX      '", b"'" + letter.ljust(8) + b"'")
    (tmp_path / "a.fits").write_bytes(raw)
    np.testing.assert_allclose(io.open_dataset(tmp_path / "a.fits").images[0].wave, 4800.0 + I)


@pytest.mark.parametrize("card", ["CRVAL1  =                  NaN", "CDELT1  =                    0",
                                  "CDELT1  = 'one'", "CRVAL1  =                4_800"])  # fmt: skip
def test_an_axis_of_wavelength_without_numbers_is_said(tmp_path: Path, card: str) -> None:
    fits.PrimaryHDU(RNG.normal(size=(5, N)), cards(**axis("WAVE", 4800.0, 1.0, n=1))).writeto(tmp_path / "a.fits")
    raw = (tmp_path / "a.fits").read_bytes()
    at = raw.index(card[:10].encode())
    (tmp_path / "a.fits").write_bytes(raw[:at] + card.ljust(80).encode() + raw[at + 80 :])
    dataset = io.open_dataset(tmp_path / "a.fits")
    assert dataset.images[0].wave is None and any("no wavelengths" in note for note in dataset.notes)
