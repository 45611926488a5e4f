"""Fast passes over photon tables: many small chunks, mostly blosc-compressed, read and decoded together.

A table as its writers leave it has chunks of 250 rows, which cost the HDF5 library more in calls than in bytes. Here
the stored chunks of a whole block of rows are read at once and decoded by one compiled call, and of a compressed row
only the columns that are asked for. Tables of another kind are read by the library.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.files import brackets
from ifuview.io.hdf5.chunk_map import ChunkMap, chunk_map
from ifuview.model.checks import Array

if TYPE_CHECKING:
    from h5py import Dataset

BLOCK_ROWS = 1 << 18  # rows; a block of four columns and its stored bytes stay in the cache
BLOSC = 32001  # registered number of the filter
MAX_CHUNK_ROWS = 1 << 22  # rows; larger chunks are left to the library
GAP = 1 << 16  # bytes between two chunks that are still read over
MAX_OVERHEAD = 4096  # bytes that a stored chunk may be larger than its rows
WORD = 4  # bytes; every column of a photon table is one word


def iter_columns(
    dataset: Dataset, path: str, names: Sequence[str], block_rows: int = BLOCK_ROWS, ctx: JobContext = SILENT
) -> Iterator[tuple[Array, ...]]:
    """Some columns of a table in order, each contiguous, about `block_rows` long; the arrays are reused.

    Parameters
    ----------
    dataset : h5py.Dataset, shape (nrow,), compound
    path : str
        The file it is in.
    names : sequence of str
        Columns; others are not decoded.
    block_rows : int
    ctx : JobContext
        Checked once a block; progress is the share of rows.

    Raises
    ------
    FileFormatError
        Stored bytes that cannot be decoded.
    """
    size = _block_size(dataset, block_rows)
    dtype = dataset.dtype
    missing = [name for name in names if name not in (dtype.names or ())]
    if missing:
        raise FileFormatError(f"the table has no column {missing[0]}", path)
    words = _words(dtype, names)
    if words is None:
        rows = np.empty(size, dtype)
        columns = [np.empty(size, dtype[name]) for name in names]
        for count in _fill(dataset, path, None, rows, None, ctx):
            for name, column in zip(names, columns):
                column[:count] = rows[name][:count]
            yield tuple(column[:count] for column in columns)
        return
    out = np.empty((dtype.itemsize // WORD, size), np.uint32)
    views = [out[word].view(dtype[name]) for word, name in zip(words, names)]
    for count in _fill(dataset, path, words, None, out, ctx):
        yield tuple(view[:count] for view in views)


def _block_size(dataset: Dataset, rows: int) -> int:
    """Rows of a block: whole chunks, if chunks are not too large."""
    rows = max(min(rows, dataset.shape[0]), 1)
    if dataset.chunks is None or dataset.chunks[0] > MAX_CHUNK_ROWS:
        return rows
    return int(max(rows // dataset.chunks[0], 1) * dataset.chunks[0])


def _words(dtype: np.dtype, names: Sequence[str]) -> list[int] | None:
    """Which 32-bit word of the row each column is; None if a column is none."""
    fields = [dtype.fields[name] for name in names] if dtype.fields else []
    plain = all(kind.itemsize == WORD and kind.isnative and at % WORD == 0 for kind, at, *_ in fields)
    return [at // WORD for _, at, *_ in fields] if plain and dtype.itemsize % WORD == 0 else None


def _fill(
    dataset: Dataset, path: str, words: list[int] | None, rows: Array | None, out: Array | None, ctx: JobContext
) -> Iterator[int]:
    """Fill `rows` or `out` (the other is None) with block after block; yields lengths."""
    total = dataset.shape[0]
    stored = _Stored.of(dataset, path, words) if out is not None else None
    size = len(rows) if rows is not None else out.shape[1]  # type: ignore[union-attr]
    try:
        for start in range(0, total, size):
            ctx.checkpoint(start / total, "photons")
            stop = min(start + size, total)
            if stored is None or out is None or not stored.read(start, stop, out):
                _close(stored)
                stored = None
                _by_library(dataset, path, start, stop, rows, out)
            yield stop - start
    finally:
        _close(stored)


def _close(stored: _Stored | None) -> None:
    if stored is not None:
        os.close(stored.descriptor)


def _by_library(dataset: Dataset, path: str, start: int, stop: int, rows: Array | None, out: Array | None) -> None:
    """A block as the HDF5 library reads it."""
    import hdf5plugin  # noqa: F401 - importing it makes its filters known to the library

    block = rows if rows is not None else np.empty(stop - start, dataset.dtype)
    try:
        dataset.read_direct(block, np.s_[start:stop], np.s_[: stop - start])
    except OSError as problem:
        raise FileFormatError(
            f"its photons cannot be read{brackets(problem)}", path, "copy the file again"
        ) from problem
    if rows is None and out is not None:
        out[:, : stop - start] = block[: stop - start].view(np.uint32).reshape(stop - start, -1).T


@dataclass(slots=True, eq=False)
class _Stored:
    """Stored bytes of a table, and the scratch to read and decode them."""

    path: str
    descriptor: int
    itemsize: int
    total: int
    offset: int  # of rows that lie in one piece; -1 for chunks
    chunks: ChunkMap | None
    chunk_rows: int
    blosc: bool
    wanted: Array
    planes: Array
    data: Array

    @classmethod
    def of(cls, dataset: Dataset, path: str, words: list[int] | None) -> _Stored | None:
        """Reader of the stored bytes; None if only the library can read them."""
        import h5py

        plist, itemsize = dataset.id.get_create_plist(), dataset.dtype.itemsize
        filters = [plist.get_filter(i) for i in range(plist.get_nfilters())]
        if len(filters) > 1 or (filters and filters[0][0] != BLOSC) or dataset.ndim != 1 or not dataset.shape[0]:
            return None
        if dataset.id.get_type().get_size() != itemsize or plist.get_layout() not in (
            h5py.h5d.CHUNKED,
            h5py.h5d.CONTIGUOUS,
        ):
            return None
        wanted = np.zeros(itemsize // WORD, np.bool_)
        wanted[slice(None) if words is None else words] = True
        offset, chunks, chunk_rows = -1, None, 1
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if plist.get_layout() == h5py.h5d.CONTIGUOUS:
                found = dataset.id.get_offset()
                if found is not None and plist.get_external_count() == 0:
                    offset = found
            else:
                chunks, chunk_rows = chunk_map(dataset, descriptor), dataset.chunks[0]
        except BaseException:
            os.close(descriptor)
            raise
        if offset < 0 and chunks is None:
            os.close(descriptor)
            return None
        if chunks is not None and (chunks.size > chunk_rows * itemsize + MAX_OVERHEAD).any():
            os.close(descriptor)
            raise FileFormatError("the list of its photons is damaged", path, "copy the file again")
        planes, data = np.empty(chunk_rows * itemsize, np.uint8), np.empty(0, np.uint8)
        return cls(path, descriptor, itemsize, dataset.shape[0], offset, chunks, chunk_rows, bool(filters), wanted,
                   planes, data)  # fmt: skip

    def read(self, start: int, stop: int, out: Array) -> bool:
        """Rows start..stop to the first columns of `out`; False if the library has to read them."""
        from ifuview.io.hdf5.blosc_kernels import OTHER, decode

        rows = stop - start
        if self.chunks is None:
            chunk_rows, skip = rows, 0
            starts, sizes = self._load(
                np.array([self.offset + start * self.itemsize]), np.array([rows * self.itemsize])
            )
        else:
            chunk_rows = self.chunk_rows
            first, last = start // chunk_rows, -(-stop // chunk_rows)
            skip = start - first * chunk_rows
            if self.chunks.mask[first:last].any() or skip:
                return False
            starts, sizes = self._load(self.chunks.address[first:last], self.chunks.size[first:last])
        status, chunk = decode(
            data=self.data, starts=starts, sizes=sizes, blosc=self.blosc, itemsize=self.itemsize, chunk_rows=chunk_rows,
            wanted=self.wanted, planes=self.planes, out=out, count=rows,
        )  # fmt: skip
        if status == OTHER:
            return False
        if status:
            row = start + chunk * chunk_rows
            raise FileFormatError(f"photons {row} and on are damaged", self.path, "copy the file again")
        return True

    def _load(self, address: Array, size: Array) -> tuple[Array, Array]:
        """Read stored pieces to `data`, neighbors at once; where each lies there, and its bytes."""
        order = np.argsort(address, kind="stable")
        begin, end = address[order], (address + size)[order]
        breaks = np.flatnonzero(begin[1:] > np.maximum.accumulate(end)[:-1] + GAP) + 1
        firsts, lasts = np.r_[0, breaks], np.r_[breaks, len(begin)]
        low = begin[firsts]
        length = np.maximum.reduceat(end, firsts) - low
        place = np.cumsum(length) - length
        if len(self.data) < length.sum():
            self.data = np.empty(int(length.sum() * 1.25), np.uint8)
        for at, count, target in zip(low.tolist(), length.tolist(), place.tolist()):
            if os.preadv(self.descriptor, [self.data[target : target + count].data], at) != count:
                raise FileFormatError("the file ends before its photons do", self.path, "copy it again")
        starts = np.empty(len(address), np.int64)
        starts[order] = begin + np.repeat(place - low, lasts - firsts)
        return starts, np.ascontiguousarray(size, np.int64)
