"""Small files that claim or unfold to more memory than they may take end in one sentence, at once or when cancelled."""

from __future__ import annotations

import bz2
import gzip
import lzma
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview import cli, memory
from ifuview.engine.context import JobContext
from ifuview.errors import JobCancelled, TooLargeError
from ifuview.gui.shell.worker import Failure
from ifuview.io import open_dataset
from ifuview.io.fits.fast import read_fits
from ifuview.io.fits.head import complete
from ifuview.io.safe.npz import read_npz
from ifuview.memory import MIB
from tests.io.fitsbytes import card, header, image

START = (card("SIMPLE", True), card("BITPIX", 8), card("NAXIS", 1))
PACK = {
    "gz": lambda data: gzip.compress(data, 1),
    "bz2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if 16 MiB were the limit of the preferences."""
    monkeypatch.setattr(memory, "_most", [16 * MIB])
    monkeypatch.setattr(memory, "SMALL", MIB)


def zeros(size: int) -> bytes:
    """A FITS file of one axis of `size` MiB of zeros."""
    return header([*START, card("NAXIS1", size * MIB)]) + bytes(size * MIB)


def peak(call: Callable[[], object]) -> int:
    """Most bytes that Python held while something was refused."""
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError, match=r"limit in the preferences") as said:
            call()
        assert "\n" not in str(said.value)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packing", ["gz", "bz2"])
def test_a_packed_image_that_claims_too_much_is_refused_before_it_is_inflated(
    tmp_path: Path, small: None, packing: str
) -> None:
    path = tmp_path / f"bomb.fits.{packing}"
    path.write_bytes(PACK[packing](zeros(24)))
    assert path.stat().st_size < MIB
    assert peak(lambda: open_dataset(str(path))) < 8 * MIB


def test_tiles_that_claim_too_much_are_refused(tmp_path: Path, small: None) -> None:
    path = tmp_path / "bomb.fits.fz"
    fits.HDUList(
        [fits.PrimaryHDU(), fits.CompImageHDU(np.zeros((3000, 3000), "i2"), compression_type="GZIP_1")]
    ).writeto(path)
    assert path.stat().st_size < MIB
    assert peak(lambda: open_dataset(str(path))) < 8 * MIB


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz"])
def test_an_archive_of_zeros_is_refused_within_its_limit(tmp_path: Path, small: None, packing: str) -> None:
    import io
    import tarfile

    inside = io.BytesIO()
    with tarfile.open(fileobj=inside, mode="w") as archive:
        info = tarfile.TarInfo("night/image.fits")
        info.size = 24 * MIB
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    path = tmp_path / f"bomb.tar.{packing}"
    path.write_bytes(PACK[packing](inside.getvalue()))
    assert peak(lambda: open_dataset(f"{path}/night/image.fits")) < 3 * 16 * MIB


def test_arrays_of_a_zip_are_refused(tmp_path: Path, small: None) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, a=np.zeros(3 * MIB))
    assert peak(lambda: read_npz(str(path))) < 8 * MIB


def test_inflating_ends_where_it_is_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "bomb.fits.gz"
    mebibyte = gzip.compress(bytes(MIB))
    path.write_bytes(gzip.compress(header([*START, card("NAXIS1", 1000 * MIB)])) + 1000 * mebibyte)
    ctx = JobContext()
    threading.Timer(0.1, ctx.cancel).start()
    begun = time.monotonic()
    with pytest.raises(JobCancelled):
        read_fits(str(path), ctx, keep=lambda name: False)
    assert time.monotonic() - begun < 1.0


def test_a_file_of_endless_extensions_is_read_as_far_as_makes_sense(tmp_path: Path, monkeypatch) -> None:
    from ifuview.io.fits import fast

    monkeypatch.setattr(fast, "MOST_HDUS", 50)
    path = tmp_path / "many.fits.gz"
    path.write_bytes(gzip.compress(image(None) + 200 * image(None, primary=False)))
    found = read_fits(str(path))
    assert len(found.hdus) == 50
    assert found.notes == ("what follows HDU 49 is left out",)


def test_whether_a_file_is_whole_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "whole.fits.gz"
    path.write_bytes(PACK["gz"](zeros(24)))
    tracemalloc.start()
    assert complete(str(path))
    assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    tracemalloc.stop()


def test_memory_that_ends_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(cli, "_run", exhausted)
    assert cli.main(["triage", "x"]) == 2
    said = capsys.readouterr().err
    assert "memory of this computer does not suffice" in said
    assert "MemoryError" not in said + Failure(MemoryError()).text


def test_an_archive_is_no_zip_file_of_pictures(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("image.fits", bytes(10 * MIB))
    with pytest.raises(Exception, match="no FITS file"):
        open_dataset(str(path))
