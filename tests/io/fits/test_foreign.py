"""What is no FITS is called what it is, in one sentence that says what to do."""

from __future__ import annotations

import io as bytesio
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview import io
from ifuview.errors import IfuviewError


def zipped() -> bytes:
    out = bytesio.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.fits", b"SIMPLE")
    return out.getvalue()


def tar() -> bytes:
    out = bytesio.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        file.addfile(tarfile.TarInfo("a.fits"))
    return out.getvalue()


def numpy_array() -> bytes:
    out = bytesio.BytesIO()
    np.save(out, np.arange(5))
    return out.getvalue()


@pytest.mark.parametrize(("content", "called", "todo"), [
    (zipped(), "zip archive", "unpack"), (tar(), "tar archive", "NAME.fits"), (numpy_array(), "numpy", "ifuview.show"),
    (b"\x28\xb5\x2f\xfd" + bytes(99), "zstd", "unpack"), (b"#ASDF 1.0.0\n", "ASDF", "convert"),
    (b"\n<!DOCTYPE HTML><title>404</title>", "web page", "download"), (b"\xff\xd8\xff\xe0JFIF", "picture", "convert"),
    (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull"),
    ("4000.0 1.0\n4001.0 2.0 \N{ANGSTROM SIGN}\n".encode(), "text", ".csv"),
    (bytes(range(200, 256)), "no FITS", "open"),
])  # fmt: skip
def test_a_file_is_called_what_it_is(tmp_path: Path, content: bytes, called: str, todo: str) -> None:
    (tmp_path / "a.dat").write_bytes(content)
    with pytest.raises(IfuviewError) as problem:
        io.open_dataset(tmp_path / "a.dat")
    assert called in problem.value.what and todo in problem.value.todo and problem.value.where.endswith("a.dat")


def test_a_table_that_is_no_spectrum_is_listed_with_its_columns(tmp_path: Path) -> None:
    columns = [fits.Column("WAVE", "E15.7", array=np.ones(3)), fits.Column("FLUX", "E15.7", array=np.ones(3))]
    fits.TableHDU.from_columns(columns).writeto(tmp_path / "ascii.fits")
    cells = np.empty(1, object)
    cells[0] = np.arange(5.0)
    columns = [fits.Column("WAVE", "PD()", array=cells), fits.Column("FLUX", "PD()", array=cells)]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "cells.fits")
    for name, word in (("ascii", "ASCII"), ("cells", "variable length")):
        with pytest.raises(IfuviewError, match=rf"\(WAVE, FLUX\).*{word}"):
            io.open_dataset(tmp_path / f"{name}.fits")
