"""Fast passes over photon tables give the rows that the HDF5 library gives, whatever the table is stored like."""

from __future__ import annotations

import os

import h5py
import hdf5plugin
import numpy as np
import pytest

from ifuview.engine.context import JobContext
from ifuview.errors import FileFormatError, JobCancelled
from ifuview.io.hdf5 import blosc_chunks, chunk_map
from ifuview.io.hdf5.blosc_chunks import iter_columns

NROW = 5_130  # the last chunk of 250 is not full
MODERN = np.dtype([("resID", "<u4"), ("time", "<u4"), ("wavelength", "<f4"), ("weight", "<f4")])
OLD = np.dtype(
    [("ResID", "<u4"), ("Time", "<u4"), ("Wavelength", "<f4"), ("SpecWeight", "<f4"), ("NoiseWeight", "<f4")]
)
BLOSC = hdf5plugin.Blosc(cname="lz4", clevel=1, shuffle=1)
STORED = {
    "published": {"chunks": (250,), **BLOSC},
    "not shuffled": {"chunks": (250,), **hdf5plugin.Blosc(cname="lz4", clevel=5, shuffle=0)},
    "bits shuffled": {"chunks": (250,), **hdf5plugin.Blosc(cname="lz4", clevel=5, shuffle=2)},
    "hard": {"chunks": (250,), **hdf5plugin.Blosc(cname="lz4hc", clevel=9, shuffle=1)},
    "other codec": {"chunks": (250,), **hdf5plugin.Blosc(cname="blosclz", clevel=5, shuffle=1)},
    "small chunks": {"chunks": (10,), **BLOSC},
    "large chunks": {"chunks": (4096,), **BLOSC},
    "gzip": {"chunks": (250,), "compression": "gzip"},
    "chunks as they are": {"chunks": (300,)},
    "one piece": {},
}


def photons(dtype: np.dtype, nrow: int = NROW, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = np.ones(nrow, dtype)
    names = dtype.names
    assert names is not None
    rows[names[0]] = np.sort(10_000 + rng.integers(0, 9, nrow))
    rows[names[1]] = rng.integers(0, 3 * 10**7, nrow)
    rows[names[2]] = rng.normal(1000, 100, nrow)
    return rows


def written(path, rows, libver="earliest", **stored) -> str:
    with h5py.File(path, "w", libver=libver) as file:
        file.create_dataset("photons/photontable", data=rows, **stored)
    return str(path)


def read(path: str, **options) -> np.ndarray:
    with h5py.File(path) as file:
        table = file["photons/photontable"]
        rows, at = np.empty(table.shape, table.dtype), 0
        for block in iter_columns(table, path, table.dtype.names, **options):
            for name, column in zip(table.dtype.names, block):
                rows[name][at : at + len(column)] = column
            at += len(block[0])
    assert at == len(rows)
    return rows


@pytest.mark.parametrize("dtype", [MODERN, OLD], ids=["16 bytes", "20 bytes"])
@pytest.mark.parametrize("kind", STORED)
def test_rows_and_columns_are_those_of_the_library(tmp_path, kind, dtype):
    rows = photons(dtype)
    path = written(tmp_path / "a.h5", rows, **STORED[kind])
    assert read(path, block_rows=1000).tobytes() == rows.tobytes()
    names = [dtype.names[2], dtype.names[0]]
    with h5py.File(path) as file:
        blocks = [
            tuple(column.copy() for column in block)
            for block in iter_columns(file["photons/photontable"], path, names, block_rows=1000)
        ]
    for name, column in zip(names, zip(*blocks)):
        found = np.concatenate(column)
        assert found.dtype == rows[name].dtype
        assert (found == rows[name]).all()


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_incompressible_rows_and_both_forms_of_the_chunk_index(tmp_path, libver):
    rows = np.frombuffer(np.random.default_rng(2).bytes(NROW * 16), MODERN)
    path = written(tmp_path / "a.h5", rows, libver=libver, **STORED["published"])
    assert read(path).tobytes() == rows.tobytes()


def test_no_rows_give_no_blocks(tmp_path):
    path = written(tmp_path / "a.h5", photons(MODERN)[:0], maxshape=(None,), **STORED["published"])
    with h5py.File(path) as file:
        assert list(iter_columns(file["photons/photontable"], path, ["time"])) == []


def test_chunks_never_written_are_zero(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        table = file.create_dataset("photons/photontable", (1000,), MODERN, chunks=(250,), **BLOSC)
        table[500:750] = photons(MODERN)[:250]
    found = read(str(path))
    assert (found[500:750] == photons(MODERN)[:250]).all()
    assert not found["time"][:500].any()


def test_the_chunks_are_walked_as_the_library_lists_them(tmp_path):
    """Two hundred thousand chunks are asked for one by one only when the file has an unusual form."""
    path = written(tmp_path / "a.h5", photons(MODERN, 60_000), **STORED["published"])  # a tree of two levels
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with h5py.File(path) as file:
            table = file["photons/photontable"]
            walked, listed = chunk_map._walk(table, descriptor, 240), chunk_map._ask(table)
    finally:
        os.close(descriptor)
    assert walked is not None
    assert len(walked) == 240
    for name in ("row", "size", "child", "mask"):
        assert (walked[name] == listed[name]).all()


def test_the_published_writer_s_file_is_read_without_the_library(shared_data, monkeypatch):
    path = str(shared_data / "mkid" / "phase_3s.h5")
    with h5py.File(path) as file:
        expected = file["photons/photontable"][:]
    monkeypatch.setattr(blosc_chunks, "_by_library", lambda *_: pytest.fail("by the library"))
    monkeypatch.setattr(chunk_map, "_ask", lambda *_: pytest.fail("chunk by chunk"))
    assert read(path).tobytes() == expected.tobytes()


def test_damaged_bytes_are_an_error_or_other_numbers_never_a_crash(tmp_path):
    path = written(tmp_path / "a.h5", photons(MODERN), **STORED["published"])
    good = (tmp_path / "a.h5").read_bytes()
    with h5py.File(path) as file:
        chunks = [file["photons/photontable"].id.get_chunk_info(i) for i in range(20)]
    rng = np.random.default_rng(3)
    refused = 0
    for trial in range(150):
        bad = bytearray(good)
        for chunk in chunks:
            # the head now and then, mostly the streams
            at = chunk.byte_offset + int(rng.integers(0 if trial % 3 == 0 else 16, chunk.size))
            bad[at] = int(rng.integers(256))
        with open(path, "wb") as file:
            file.write(bad)
        try:
            assert len(read(path)) == NROW
        except FileFormatError as problem:
            assert "a.h5" in problem.where
            refused += 1
    assert refused > 100


def test_a_tree_that_holds_itself_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    written(path, photons(MODERN, 60_000), **STORED["published"])
    raw = path.read_bytes()
    root = next(at for at in _places(raw, b"TREE\x01") if raw[at + 5] == 1)
    bad = bytearray(raw)
    for key in range(int.from_bytes(raw[root + 6 : root + 8], "little")):  # every child is the root
        bad[root + 24 + 32 * key + 24 : root + 24 + 32 * key + 32] = root.to_bytes(8, "little")
    path.write_bytes(bad)
    with pytest.raises(FileFormatError, match="damaged"):
        read(str(path))


def _places(raw: bytes, text: bytes) -> list[int]:
    return [at for at in range(len(raw)) if raw.startswith(text, at)]


def test_a_file_cut_short_is_refused(tmp_path):
    path = written(tmp_path / "a.h5", photons(MODERN), **STORED["published"])
    with h5py.File(path) as file:
        table = file["photons/photontable"]
        os.truncate(path, os.path.getsize(path) - 20_000)
        with pytest.raises(FileFormatError, match="ends before"):
            list(iter_columns(table, path, ["time"]))


def test_a_missing_column_is_named_and_a_cancelled_pass_stops(tmp_path):
    path = written(tmp_path / "a.h5", photons(MODERN), **STORED["published"])
    with h5py.File(path) as file:
        with pytest.raises(FileFormatError, match="no column phase"):
            list(iter_columns(file["photons/photontable"], path, ["phase"]))
        ctx = JobContext()
        blocks = iter_columns(file["photons/photontable"], path, ["time"], block_rows=1000, ctx=ctx)
        next(blocks)
        ctx.cancel()
        with pytest.raises(JobCancelled):
            next(blocks)
