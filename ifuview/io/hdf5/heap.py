"""Rows of variable-length arrays straight from the heaps of an HDF5 file, every address and size checked.

The library trusts what it finds in a heap; damaged bytes there can end the whole program. Layout after the HDF5 file
format specification, section III.E (global heap): a collection has a head of 16 bytes, and objects with a head of 16
bytes each, padded to 8. A row of the dataset is a length (4 bytes), the address of a collection (8) and an index (4).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from ifuview.errors import FileFormatError
from ifuview.model.checks import Array

if TYPE_CHECKING:
    from h5py import Dataset

SIGNATURE, HEAD, ALIGNED = b"GCOL", 16, 8
REFERENCE = np.dtype([("length", "<u4"), ("address", "<u8"), ("index", "<u4")])
OBJECT = np.dtype([("index", "<u2"), ("uses", "<u2"), ("reserved", "<u4"), ("size", "<u8")])
MAX_COLLECTION = 1 << 28  # bytes
KEPT = 16  # collections in memory
KEPT_BYTES = 64 << 20


class Heaps:
    """The heaps of one file.

    Parameters
    ----------
    path : str
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._size = os.stat(path).st_size
        self._kept: dict[int, tuple[bytes, dict[int, tuple[int, int]]]] = {}

    def rows(self, dataset: Dataset, dtype: DTypeLike) -> list[Array] | None:
        """All rows of a dataset (nrow,) of variable length; None if only the library can read it.

        Raises
        ------
        FileFormatError
            A row points to what is no object of a heap.
        """
        plist = dataset.file.id.get_create_plist()
        if plist.get_sizes() != (8, 8) or dataset.id.get_type().get_size() != REFERENCE.itemsize:
            return None
        base, kind = plist.get_userblock(), np.dtype(dtype)
        found = self._references(dataset, base)
        if found is None:
            return None
        return [self._row(int(r["length"]), int(r["address"]) + base, int(r["index"]), kind) for r in found]

    def _references(self, dataset: Dataset, base: int) -> Array | None:
        """Where the rows are, as stored; None if the dataset is filtered."""
        if dataset.id.get_create_plist().get_nfilters():
            return None
        out = np.zeros(dataset.shape[0], REFERENCE)
        if dataset.chunks is None:
            at = dataset.id.get_offset()
            if at is None:
                return out if dataset.id.get_storage_size() == 0 else None
            out[:] = np.frombuffer(self._bytes(at, out.nbytes), REFERENCE)
            return out
        step = dataset.chunks[0]
        for number in range(dataset.id.get_num_chunks()):
            info = dataset.id.get_chunk_info(number)
            first = info.chunk_offset[0]
            count = min(step, len(out) - first)
            if count > 0:
                stored = self._bytes(info.byte_offset, count * REFERENCE.itemsize)
                out[first : first + count] = np.frombuffer(stored, REFERENCE)
        return out

    def _row(self, length: int, address: int, index: int, kind: np.dtype) -> Array:
        """One row."""
        if length == 0:
            return np.empty(0, kind)
        data, objects = self._collection(address)
        at, size = objects.get(index, (0, -1))
        if size < length * kind.itemsize:
            raise FileFormatError("a row of photons is damaged", self._path, "copy the file again")
        return np.frombuffer(data, kind, length, at)

    def _collection(self, address: int) -> tuple[bytes, dict[int, tuple[int, int]]]:
        """The bytes of a collection, and where its objects are."""
        if address not in self._kept:
            head = self._bytes(address, HEAD)
            size = int.from_bytes(head[8:], "little")
            if head[:4] != SIGNATURE or not HEAD <= size <= MAX_COLLECTION:
                raise FileFormatError("a heap of photons is damaged", self._path, "copy the file again")
            data = self._bytes(address, size)
            if len(self._kept) >= KEPT or sum(len(kept) for kept, _ in self._kept.values()) > KEPT_BYTES:
                self._kept.clear()
            self._kept[address] = data, _objects(data)
        return self._kept[address]

    def _bytes(self, at: int, size: int) -> bytes:
        """Bytes of the file; all of them."""
        if at < 0 or size < 0 or at + size > self._size:
            raise FileFormatError("a row of photons lies beyond the end of the file", self._path, "copy the file again")
        with open(self._path, "rb") as file:
            file.seek(at)
            data = file.read(size)
        if len(data) != size:
            raise FileFormatError("the file changed while it was open", self._path, "open it again")
        return data


def _objects(data: bytes) -> dict[int, tuple[int, int]]:
    """Index of an object to its first byte and size."""
    out: dict[int, tuple[int, int]] = {}
    at = HEAD
    while at + HEAD <= len(data):
        head = np.frombuffer(data, OBJECT, 1, at)[0]
        index, size = int(head["index"]), int(head["size"])
        if index == 0 or at + HEAD + size > len(data):
            break
        out[index] = at + HEAD, size
        at += HEAD + -(-size // ALIGNED) * ALIGNED
    return out
