"""Where the chunks of a chunked HDF5 table lie in the file, many thousand of them at a time.

The library tells one chunk a call, which costs more than reading it when chunks are as small as the tables of photon
lists have them. Files of the common form (superblock of any version, object header 1, chunk index a version-1 B-tree:
what PyTables and h5py write unless told otherwise) are therefore walked here, after the published format
specification; whatever else the library is asked for.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifuview.errors import FileFormatError
from ifuview.model.checks import Array

if TYPE_CHECKING:
    from h5py import Dataset
    from h5py.h5d import StoreInfo

LAYOUT, CONTINUATION, CHUNKED = 0x08, 0x10, 2  # messages of an object header; class of a layout
KEY = np.dtype([("size", "<u4"), ("mask", "<u4"), ("row", "<u8"), ("element", "<u8"), ("child", "<u8")])
UNDEFINED = (1 << 64) - 1  # address of a tree that was never made
NODE_HEAD = 24  # bytes before the first key of a B-tree node
MAX_HEADER_BLOCKS, MAX_HEADER_BYTES = 64, 1 << 20
MAX_DEPTH = 16


@dataclass(frozen=True, slots=True, eq=False)
class ChunkMap:
    """Chunks of a one-dimensional dataset, in the order of their rows.

    Parameters
    ----------
    address : ndarray, int64, shape (nchunk,)
        Byte of the file that the stored chunk begins at.
    size : ndarray, int64, shape (nchunk,)
        Stored bytes.
    mask : ndarray, uint32, shape (nchunk,)
        Filters that were skipped; 0 none.
    """

    address: Array
    size: Array
    mask: Array


def chunk_map(dataset: Dataset, descriptor: int) -> ChunkMap | None:
    """Chunks of a one-dimensional chunked dataset; None if some were never written.

    Parameters
    ----------
    dataset : h5py.Dataset
    descriptor : int
        The same file, open for reading.
    """
    expected = -(-dataset.shape[0] // dataset.chunks[0])
    try:
        found = _walk(dataset, descriptor, expected)
    except (struct.error, ValueError, IndexError, OSError) as problem:  # the library may crash on such a tree
        raise FileFormatError("the list of its photons is damaged", dataset.file.filename, "copy it again") from problem
    if found is None or not _covers(found, dataset.chunks[0], expected):
        found = _ask(dataset)
    if not _covers(found, dataset.chunks[0], expected):
        return None
    length = os.fstat(descriptor).st_size
    address, size = found["child"].astype(np.int64), found["size"].astype(np.int64)
    if expected and ((address < 0) | (address > length) | (address + size > length)).any():
        raise FileFormatError("the file ends before its photons do", dataset.file.filename, "copy it again")
    return ChunkMap(address, size, found["mask"].copy())


def _covers(found: Array, rows: int, expected: int) -> bool:
    """Whether these are all the chunks, each once and in order."""
    return len(found) == expected and bool((found["row"] == np.arange(expected, dtype=np.uint64) * rows).all())


def _ask(dataset: Dataset) -> Array:
    """The chunks as the library lists them."""
    entries: list[tuple[int, int, int, int, int]] = []

    def take(info: StoreInfo) -> None:
        entries.append((info.size, info.filter_mask, info.chunk_offset[0], 0, info.byte_offset))

    dataset.id.chunk_iter(take)
    found = np.array(entries, dtype=KEY)
    found["child"] += dataset.file.userblock_size
    return np.sort(found, order="row")


def _walk(dataset: Dataset, descriptor: int, expected: int) -> Array | None:
    """The chunks from the B-tree itself; None if the dataset has none of that form."""
    if dataset.file.userblock_size or dataset.file.id.get_create_plist().get_sizes() != (8, 8):
        return None
    root = _tree_address(descriptor, _header_address(dataset))
    if root is None or root == UNDEFINED:
        return None
    nodes = np.array([root], np.int64)
    for _ in range(MAX_DEPTH):
        level, keys = _level(descriptor, nodes)
        if level == 0:
            return keys
        nodes = keys["child"].astype(np.int64)
        if len(nodes) > expected:  # it may hold itself
            break
    raise ValueError("more nodes than chunks")


def _header_address(dataset: Dataset) -> int:
    """Address of the object header; other ways to ask for it walk the whole tree."""
    import h5py

    low, high = h5py.h5g.get_objinfo(dataset.id, b".").objno
    return int(low) | int(high) << 32


def _tree_address(descriptor: int, header: int) -> int | None:
    """Address of the chunk B-tree, from the layout message of an object header of version 1; None for other forms."""
    version, _, count, _, size = struct.unpack("<BBHII", os.pread(descriptor, 12, header))
    blocks = [(header + 16, size)]
    for place, length in blocks:
        if version != 1 or len(blocks) > MAX_HEADER_BLOCKS or length > MAX_HEADER_BYTES:
            return None
        raw, at = os.pread(descriptor, length, place), 0
        while at + 8 <= len(raw) and count > 0:
            kind, length = struct.unpack_from("<HH", raw, at)
            at, count = at + 8, count - 1
            if kind == LAYOUT:
                layout, storage, _, address = struct.unpack_from("<BBBQ", raw, at)
                return address if (layout, storage) == (3, CHUNKED) else None
            if kind == CONTINUATION:
                blocks.append(struct.unpack_from("<QQ", raw, at))
            at += length
    return None


def _level(descriptor: int, nodes: Array) -> tuple[int, Array]:
    """Level and keys of B-tree nodes that are neighbors of one level."""
    keys, levels = [], set()
    for node in nodes.tolist():
        head = os.pread(descriptor, NODE_HEAD, node)
        magic, kind, level, used = struct.unpack_from("<4sBBH", head)
        if magic != b"TREE" or kind != 1:
            raise ValueError("not a node of chunks")
        raw = os.pread(descriptor, used * KEY.itemsize, node + NODE_HEAD)
        keys.append(np.frombuffer(raw, KEY, used))
        levels.add(level)
    if len(levels) != 1:
        raise ValueError("levels mixed")
    return levels.pop(), np.concatenate(keys)
