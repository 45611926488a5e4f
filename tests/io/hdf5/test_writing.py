"""HDF5 on a disk that fills up: one sentence, the older file stays, and the process lives on."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest

from ifuview.errors import UsageError
from ifuview.io.hdf5.writing import Disk, h5_new
from ifuview.io.photons.lists.write import write_photons
from ifuview.simulate.photons.lists import simulate_photons

FULL = """
import gc, resource, sys
import h5py
from ifuview.cli import main
folder, limit, *words = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
code = main(words)
gc.collect()
with h5py.File(folder + "/small.h5", "w") as file:
    file["a"] = 3
gc.collect()
print("alive", code)
"""


@pytest.fixture(scope="module")
def photons():
    return simulate_photons((20, 20), duration=4.0, seed=1, calibrated=False)[0]


@pytest.fixture(scope="module")
def listed(photons, tmp_path_factory):
    path = tmp_path_factory.mktemp("full") / "list.h5"
    write_photons(path, photons)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="limits of the size of a file are those of POSIX")
@pytest.mark.parametrize("limit", [4_000, 60_000, 300_000])
def test_a_command_says_that_the_disk_is_full_and_ends_as_usual(listed, tmp_path, limit):
    out = tmp_path / "out.h5"
    out.write_bytes(b"older")
    words = ["calibrate", str(listed), "--lincal", "-o", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), str(limit), *words], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "alive 2" and done.returncode == 0
    assert "cannot be written (File too large)" in done.stderr and "Traceback" not in done.stderr
    assert out.read_bytes() == b"older"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.h5", "small.h5"]


def test_wherever_the_disk_fills_up_the_process_lives_on(photons, tmp_path, monkeypatch):
    out = tmp_path / "out.h5"
    write_photons(out, photons)
    older, size = out.read_bytes(), out.stat().st_size
    real, left = os.pwrite, [0]

    def pwrite(file: int, data: bytes, at: int) -> int:
        left[0] -= len(data)
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    for room in np.linspace(0, 0.95 * size, 12):
        left[0] = int(room)
        with pytest.raises(UsageError, match="No space left"):
            write_photons(out, photons)
        gc.collect()
        assert out.read_bytes() == older
    assert [p.name for p in tmp_path.iterdir()] == ["out.h5"]
    left[0] = 1 << 40
    write_photons(out, photons)


def test_what_a_full_disk_did_not_take_is_read_back_as_it_was_written(tmp_path):
    disk = Disk(tmp_path / "a")
    disk.write(b"12345678")
    disk.problem = OSError(errno.ENOSPC, "")
    disk.seek(4)
    disk.write(b"abcdefgh")
    disk.seek(6)
    disk.write(b"XY")
    disk.seek(2)
    assert disk.read(12) == b"34abXYefgh\0\0"
    disk.close()
    disk.seek(0)
    assert disk.write(b"later") == 5
    assert (tmp_path / "a").read_bytes() == b"12345678"
    with pytest.raises(OSError, match="No space left"):
        disk.check()


def test_a_new_file_is_a_usual_one(tmp_path):
    values = np.arange(100_000)
    with h5_new(tmp_path / "a.h5") as (file, disk):
        file.create_dataset("x", data=values, chunks=(1000,), compression="gzip")
        file.attrs["name"] = "a"
        disk.check()
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["x"], values)
        assert file.attrs["name"] == "a"


def test_free_space_is_asked_for_first(photons, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    made = []
    with pytest.raises(UsageError, match=r"has 0\.1 MB free"):
        write_photons(tmp_path / "out.h5", (made.append(1) for _ in range(3)), photons.info)
    assert not made and not list(tmp_path.iterdir())
