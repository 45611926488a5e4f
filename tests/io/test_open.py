"""Opening any file: what comes back, and one sentence for whatever is no data."""

from __future__ import annotations

import contextlib
import gzip
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits as afits

from ifuview import io
from ifuview.errors import FileFormatError, IfuviewError, JobCancelled, MissingDataError, UsageError
from ifuview.model.image import Kind
from tests.io.fitsbytes import BLOCK, card, header, image, write

RNG = np.random.default_rng(11)
DATA = RNG.normal(100, 10, (20, 30)).astype("f4")


def test_the_first_image_with_pixels_is_the_default(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fits", image(None, OBJECT="M 1"), image(DATA, False, EXTNAME="SCI", BUNIT="adu"))
    found = io.open_dataset(path)
    assert (found.kind, found.images[0].name, found.images[0].unit) == ("image", "SCI", "adu")
    assert found.images[0].header["OBJECT"] == "M 1"
    assert len(found.hdus) == 2


def test_extension_and_section_are_those_asked_for(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.fits",
        image(DATA, CRPIX1=10.0, CRVAL1=5.0, CDELT1=2.0, CTYPE1="RA---TAN"),
        image(DATA * 2, False, EXTNAME="B"),
    )
    np.testing.assert_array_equal(io.open_dataset(f"{path}[B]").images[0].pixels.native(), DATA * 2)
    np.testing.assert_array_equal(io.open_dataset(f"{path}+1").images[0].pixels.native(), DATA * 2)
    part = io.open_dataset(f"{path}[0][11:20,5:9]").images[0]
    np.testing.assert_array_equal(part.pixels.native(), DATA[4:9, 10:20])
    assert part.wcs["CRPIX1"] == 0.0
    blocked = io.open_dataset(f"{path}[1:30,1:20,10]").images[0]
    np.testing.assert_allclose(blocked.pixels.native()[0, 0], DATA[:10, :10].sum(), rtol=1e-5)
    with pytest.raises(UsageError, match="outside"):
        io.open_dataset(f"{path}[100:200,1:2]")


def test_all_extensions_become_images(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fits", image(DATA), image(DATA, False, EXTNAME="B"), image(None, False))
    assert [im.name for im in io.open_all(path).images] == ["[0]", "B"]


def test_a_cube_knows_its_wavelengths(tmp_path: Path) -> None:
    cube = np.zeros((5, 3, 4), "f4")
    cards = {"CTYPE3": "AWAV", "CRVAL3": 500.0, "CRPIX3": 2.0, "CD3_3": 0.5, "CUNIT3": "nm"}
    found = io.open_dataset(write(tmp_path / "c.fits", image(cube, **cards)))
    assert found.images[0].kind is Kind.CUBE
    np.testing.assert_allclose(found.images[0].wave, [4995.0, 5000.0, 5005.0, 5010.0, 5015.0])
    assert "air" in " ".join(found.notes)


def test_a_degenerate_axis_makes_no_cube(tmp_path: Path) -> None:
    found = io.open_dataset(write(tmp_path / "c.fits", image(DATA.reshape(1, 1, 20, 30)))).images[0]
    assert (found.kind, found.pixels.shape) == (Kind.IMAGE, (20, 30))


@pytest.mark.parametrize(
    ("cards", "wave"),
    [
        ({"CRVAL1": 4000.0, "CDELT1": 2.0, "CRPIX1": 1.0}, [4000.0, 4002.0]),
        ({"CRVAL1": 4e-7, "CDELT1": 2e-10, "CRPIX1": 1.0, "CTYPE1": "WAVE", "CUNIT1": "m"}, [4000.0, 4002.0]),
        ({"CRVAL1": 3.6, "CDELT1": 1e-4, "CRPIX1": 1.0, "DC-FLAG": 1}, [10**3.6, 10**3.6001]),
        ({"CRVAL1": 0.4, "CDELT1": 2e-4, "CRPIX1": 1.0, "CTYPE1": "WAVE", "CUNIT1": "um"}, [4000.0, 4002.0]),
    ],
)
def test_a_spectrum_knows_its_wavelengths(tmp_path: Path, cards: dict, wave: list[float]) -> None:
    found = io.open_dataset(write(tmp_path / "s.fits", image(np.arange(2, dtype="f4"), **cards))).images[0]
    assert found.kind is Kind.SPECTRUM
    np.testing.assert_allclose(found.wave, wave)


def test_rows_with_a_spectral_axis_are_spectra(tmp_path: Path) -> None:
    cards = {"CRVAL1": 4000.0, "CDELT1": 2.0, "CRPIX1": 1.0, "CTYPE1": "WAVE", "CUNIT1": "Angstrom"}
    found = io.open_dataset(write(tmp_path / "r.fits", image(DATA, **cards))).images[0]
    assert found.kind is Kind.RSS and found.wave[-1] == 4058.0


@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1"])
@pytest.mark.parametrize("packed", [False, True])
def test_tile_compression_gives_the_values_of_astropy(tmp_path: Path, kind: str, packed: bool) -> None:
    data = RNG.integers(0, 60000, (64, 80)).astype("u2" if kind != "HCOMPRESS_1" else "i4")
    path = tmp_path / "a.fits.fz"
    afits.HDUList([afits.PrimaryHDU(), afits.CompImageHDU(data, compression_type=kind, name="SCI")]).writeto(path)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    found = io.open_dataset(path)
    np.testing.assert_array_equal(found.images[0].pixels.native(), data.astype("f4"))
    assert found.hdus[1].kind == "compressed image" and found.hdus[1].shape == (64, 80)


def wrong_files(folder: Path) -> dict[str, Path]:
    """Things that people open by mistake."""
    out = {"folder": folder, "missing": folder / "no.fits"}
    table = afits.BinTableHDU.from_columns([afits.Column("A", "J", array=np.arange(3))])
    for name, raw in {
        "empty": b"",
        "text": b"not a FITS file at all\n",
        "png": b"\x89PNG\r\n\x1a\n" + b"\0" * 5000,
        "start": b"SIMP",
        "noend": b"SIMPLE  =                    T".ljust(2880),
        "zero": header(
            [card("SIMPLE", True), card("BITPIX", 8), card("NAXIS", 2), card("NAXIS1", 0), card("NAXIS2", 9)]
        ),
        "nodata": image(None),
        "gzip of text": gzip.compress(b"hello"),
        "broken gzip": gzip.compress(image(DATA))[:100],
        "corrupt gzip": gzip.compress(image(DATA))[:60] + b"\xff" * 300,
        "bitpix": header([card("SIMPLE", True), card("BITPIX", 7), card("NAXIS", 0)]),
        "naxis": header([card("SIMPLE", True), card("BITPIX", 8), card("NAXIS", "two")]),
        "negative": header([card("SIMPLE", True), card("BITPIX", 8), card("NAXIS", 1), card("NAXIS1", -5)]),
    }.items():
        out[name] = folder / name.replace(" ", "_")
        out[name].write_bytes(raw)
    out["table"] = folder / "table.fits"
    afits.HDUList([afits.PrimaryHDU(), table]).writeto(out["table"])
    out["pipe"] = folder / "pipe"
    os.mkfifo(out["pipe"])
    return out


def test_wrong_files_get_one_sentence_and_never_block(tmp_path: Path) -> None:
    for name, path in wrong_files(tmp_path).items():
        said: list[str] = []

        def run(path: Path = path, said: list[str] = said) -> None:
            try:
                io.open_dataset(path)
            except (FileFormatError, MissingDataError) as problem:
                said.append(str(problem))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(20)
        assert said, name
        assert "\n" not in said[0] and str(path) in said[0], name


def test_an_unreadable_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.fits", image(DATA))
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    with pytest.raises(FileFormatError, match="permission"):
        io.open_dataset(path)


def multi(folder: Path) -> bytes:
    """A file with an image, a table, a compressed image and a cube."""
    table = afits.BinTableHDU.from_columns([afits.Column("A", "10A", array=["x", "y"])], name="TAB")
    packed = afits.CompImageHDU(RNG.integers(0, 99, (16, 16)).astype("i2"), name="Z")
    path = folder / "multi.fits"
    afits.HDUList([afits.PrimaryHDU(DATA), table, packed, afits.ImageHDU(np.zeros((2, 3, 4)), name="C")]).writeto(path)
    return path.read_bytes()


def opens_or_says_why(path: Path) -> None:
    """Either a Dataset or an error for the user; anything else fails the test."""
    for spec in (str(path), f"{path}[2]", f"{path}[C]"):
        try:
            found = io.open_dataset(spec)
        except IfuviewError:
            continue
        for im in found.images:
            im.pixels.plane((0,)).rows(0, 1)
    with contextlib.suppress(IfuviewError):
        io.read_traces(path)


def test_cut_off_anywhere_is_told_or_whole(tmp_path: Path) -> None:
    raw = multi(tmp_path)
    path = tmp_path / "cut.fits"
    for length in [*range(1, 100, 9), *RNG.integers(100, len(raw), 40)]:
        path.write_bytes(raw[:length])
        opens_or_says_why(path)
    packed = gzip.compress(raw)
    for length in RNG.integers(1, len(packed), 20):
        path.write_bytes(packed[:length])
        with pytest.raises(FileFormatError):
            io.open_dataset(path)


def test_flipped_bytes_never_escape_as_another_exception(tmp_path: Path) -> None:
    raw = multi(tmp_path)
    headers = [at for at in range(0, len(raw), BLOCK) if raw[at : at + 6] in (b"SIMPLE", b"XTENSI")]
    path = tmp_path / "flip.fits"
    for _ in range(60):
        bad = bytearray(raw)
        for _ in range(4):
            at = int(RNG.choice(headers)) + int(RNG.integers(0, 1200))
            bad[at] = int(RNG.integers(0, 256))
        path.write_bytes(bytes(bad))
        opens_or_says_why(path)


def test_a_large_cube_costs_no_memory(tmp_path: Path) -> None:
    lines = [card("SIMPLE", True), card("BITPIX", -32), card("NAXIS", 3)]
    lines += [card("NAXIS1", 300), card("NAXIS2", 300), card("NAXIS3", 3600)]
    path = tmp_path / "cube.fits"
    with open(path, "wb") as file:
        file.write(header(lines))
        file.truncate(BLOCK + -(-4 * 300 * 300 * 3600 // BLOCK) * BLOCK)
    code = (
        "import resource, sys\n"
        "from ifuview import io\n"
        "import ifuview.io.fits.plain\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"found = io.open_dataset({str(path)!r})\n"
        "found.images[0].pixels.plane((1800,)).native()\n"
        "heavy = {'astropy', 'scipy', 'pyqtgraph', 'h5py', 'numba', 'matplotlib', 'regions'} & set(sys.modules)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, sorted(heavy))\n"
    )
    root = Path(__file__).resolve().parents[2]
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True).stdout
    grown, heavy = out.split(maxsplit=1)
    assert int(grown) < 20 * 1024  # KiB; one plane is 0.35 MiB, read-ahead of the map a few
    assert heavy.strip() == "[]"


@pytest.mark.parametrize("unit", ["Angstrom", "nm", "dex(Angstrom)"])
def test_wavelengths_in_usual_units_load_no_library_of_units(tmp_path: Path, unit: str) -> None:
    """It takes a third of the time in which a frame of DESI opens."""
    path, wave = tmp_path / "spectra.fits", np.linspace(3.6, 3.8, 20) if unit.startswith("dex") else np.arange(500, 520)
    names = ("FLUX", np.ones((5, 20))), ("IVAR", np.ones((5, 20))), ("WAVELENGTH", wave)
    layers = [afits.ImageHDU(values.astype("f8"), name=name) for name, values in names]
    layers[2].header["BUNIT"] = unit
    afits.HDUList([afits.PrimaryHDU(), *layers]).writeto(path)
    code = (
        "import sys\n"
        "from ifuview import io\n"
        f"wave = io.open_dataset({str(path)!r}).images[0].wave\n"
        "print(wave is not None, 'astropy' in sys.modules)\n"
    )
    root = Path(__file__).resolve().parents[2]
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True).stdout
    assert out.split() == ["True", "False"]


def test_a_raw_image_that_names_its_instrument_gets_its_geometry(tmp_path: Path) -> None:
    cards = {"INSTRUME": "virus", "CCDPOS": "L", "CCDHALF": "U", "GAIN": 0.8, "RDNOISE": 3.0, "BZERO": 32768.0}
    found = io.open_dataset(write(tmp_path / "raw.fits", image(np.zeros((1032, 1064), "i2"), **cards)))
    im = found.images[0]
    assert (found.instrument, im.kind, im.gain, im.readnoise) == ("virus", Kind.DETECTOR, 0.8, 3.0)
    assert im.orientation.flip_cross and im.orientation.flip_disp
    small = io.open_dataset(write(tmp_path / "small.fits", image(DATA, **cards)))
    assert small.images[0].kind is Kind.IMAGE


class Counting:
    """A job that counts its checkpoints and stops at the last one allowed."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed

    def checkpoint(self, fraction: float = 0.0, text: str = "") -> None:
        self.allowed -= 1
        if self.allowed < 0:
            raise JobCancelled

    def check(self) -> None:
        self.checkpoint()


@pytest.mark.parametrize("form", ["tiles", "gzip"])
def test_a_long_read_can_be_cancelled(tmp_path: Path, form: str) -> None:
    data = RNG.integers(0, 9999, (2100, 600)).astype("i2")
    path = tmp_path / "a.fits"
    if form == "tiles":
        afits.HDUList([afits.PrimaryHDU(), afits.CompImageHDU(data)]).writeto(path)
    else:
        path.write_bytes(gzip.compress(image(data), 1))
    np.testing.assert_array_equal(io.open_dataset(path, Counting(99)).images[0].pixels.native(), data)
    with pytest.raises(JobCancelled):
        io.open_dataset(path, Counting(1))
