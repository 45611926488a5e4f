"""Many small blosc chunks (LZ4, shuffled or not) into columns of 32-bit words, in one call.

Layout of a chunk after the published description of blosc 1: a head of 16 bytes, the start of every block, and in a
block one stream per byte of the row (split) or one for all. Streams that no wanted column needs are stepped over.
Every length and distance is checked, so that damaged bytes give a status and never a wrong access.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ifuview.model.checks import Array

HEAD = 16  # bytes
SHUFFLED, STORED, BIT_SHUFFLED, NOT_SPLIT = 1, 2, 4, 16  # bits of the flags in the head
LZ4, CODEC_SHIFT = 1, 5
LAST_VERSION = 2  # of the chunk format; later ones are blosc 2
MAX_SPLITS, MIN_STREAM = 16, 128
DONE, BROKEN, OTHER = 0, 1, 2  # decoded; damaged; of a kind that is not decoded here


@njit(cache=True, nogil=True, inline="always")
def _int32(data: Array, at: int) -> Any:
    """The little-endian signed integer at a byte."""
    return np.int64(
        np.int32(
            np.uint32(data[at])
            | (np.uint32(data[at + 1]) << np.uint32(8))
            | (np.uint32(data[at + 2]) << np.uint32(16))
            | (np.uint32(data[at + 3]) << np.uint32(24))
        )
    )


@njit(cache=True, nogil=True, inline="always")
def _copy(source: Array, i: int, out: Array, o: int, n: int) -> None:
    """Copy n bytes; views, whose index cannot be negative, let the compiler use wide moves."""
    left, right = out[o : o + n], source[i : i + n]
    for k in range(n):
        left[k] = right[k]


@njit(cache=True, nogil=True, inline="always")
def _repeat(out: Array, o: int, n: int) -> None:
    """Repeat the byte before o n times."""
    left, same = out[o : o + n], out[o - 1]
    for k in range(n):
        left[k] = same


@njit(cache=True, nogil=True)
def _lz4(source: Array, i: int, end: int, out: Array, start: int, stop: int) -> bool:
    """Decode source[i:end] to out[start:stop]; True if that filled it exactly."""
    o = start
    while i < end:
        token: Any = np.int64(source[i])
        i += 1
        n = token >> 4
        if n == 15:
            more = 255
            while more == 255:
                if i >= end:
                    return False
                more = int(source[i])
                n += more
                i += 1
        if n > end - i or n > stop - o:
            return False
        _copy(source, i, out, o, n)
        i += n
        o += n
        if i == end:
            return bool(o == stop)
        if end - i < 2:
            return False
        distance: Any = np.int64(source[i]) | (np.int64(source[i + 1]) << 8)
        i += 2
        n = (token & 15) + 4
        if n == 19:
            more = 255
            while more == 255:
                if i >= end:
                    return False
                more = int(source[i])
                n += more
                i += 1
        if distance == 0 or distance > o - start or n > stop - o:
            return False
        if distance == 1:
            _repeat(out, o, n)
        elif distance >= n:
            _copy(out, o - distance, out, o, n)
        else:
            for k in range(n):
                out[o + k] = out[o + k - distance]
        o += n
    return False


@njit(cache=True, nogil=True)
def _words(planes: Array, base: int, n: int, word: int, out: Array, row: int) -> None:
    """Join four byte planes of n bytes to 32-bit words."""
    at = base + 4 * word * n
    a, b, c, d = (
        planes[at : at + n],
        planes[at + n : at + 2 * n],
        planes[at + 2 * n : at + 3 * n],
        planes[at + 3 * n : at + 4 * n],
    )
    words = out[row : row + n]
    for r in range(n):
        words[r] = (
            np.uint32(a[r])
            | (np.uint32(b[r]) << np.uint32(8))
            | (np.uint32(c[r]) << np.uint32(16))
            | (np.uint32(d[r]) << np.uint32(24))
        )


@njit(cache=True, nogil=True)
def _plain_words(data: Array, at: int, n: int, itemsize: int, word: int, out: Array, row: int) -> None:
    """Take one 32-bit word from each of n rows that are stored as they are."""
    at += 4 * word
    for r in range(n):
        p = at + r * itemsize
        out[row + r] = (
            np.uint32(data[p])
            | (np.uint32(data[p + 1]) << np.uint32(8))
            | (np.uint32(data[p + 2]) << np.uint32(16))
            | (np.uint32(data[p + 3]) << np.uint32(24))
        )


@njit(cache=True, nogil=True)
def _block(
    data: Array, i: int, end: int, size: int, itemsize: int, split: bool, by_word: bool, wanted: Array, planes: Array
) -> int:
    """Decode one block of a chunk to `planes`; a status. `by_word`: stream s belongs to word s // 4."""
    streams = itemsize if split else 1
    length = size // streams
    for s in range(streams):
        if end - i < 4:
            return BROKEN
        stored = _int32(data, i)
        i += 4
        if stored < 0 or stored > end - i:
            return BROKEN
        if not by_word or wanted[s >> 2]:
            start = s * length
            if stored == length:
                _copy(data, i, planes, start, length)
            elif not _lz4(data, i, i + stored, planes, start, start + length):
                return BROKEN
        i += stored
    return DONE


@njit(cache=True, nogil=True)
def _chunk(
    data: Array,
    begin: int,
    stored: int,
    itemsize: int,
    nrow: int,
    wanted: Array,
    planes: Array,
    out: Array,
    row: int,
    count: int,
) -> int:
    """Decode one chunk of nrow rows, `count` of them asked for, to out[:, row:]; a status."""
    nbytes = nrow * itemsize
    if stored < HEAD:
        return BROKEN
    end = begin + stored
    flags = np.int64(data[begin + 2])
    size = _int32(data, begin + 8)
    if np.int64(data[begin]) > LAST_VERSION or flags & BIT_SHUFFLED or np.int64(data[begin + 3]) != itemsize:
        return OTHER
    if _int32(data, begin + 4) != nbytes or _int32(data, begin + 12) > stored:
        return BROKEN
    if flags & STORED:
        if stored - HEAD < nbytes:
            return BROKEN
        for w in range(wanted.shape[0]):
            if wanted[w]:
                _plain_words(data, begin + HEAD, count, itemsize, w, out[w], row)
        return DONE
    if flags >> CODEC_SHIFT != LZ4:
        return OTHER
    if size <= 0 or size > nbytes or size % itemsize != 0:
        return BROKEN
    blocks = (nbytes + size - 1) // size
    if stored - HEAD < 4 * blocks:
        return BROKEN
    for b in range(blocks):
        start = _int32(data, begin + HEAD + 4 * b)
        if start < HEAD or start >= stored:
            return BROKEN
        here = min(size, nbytes - b * size)
        rows = min(here // itemsize, count - b * (size // itemsize))
        if rows <= 0:
            break
        split = not flags & NOT_SPLIT and itemsize <= MAX_SPLITS and size // itemsize >= MIN_STREAM and here == size
        by_word = split and flags & SHUFFLED != 0
        status = _block(data, begin + start, end, here, itemsize, split, by_word, wanted, planes)
        if status != DONE:
            return status
        first = row + b * (size // itemsize)
        for w in range(wanted.shape[0]):
            if wanted[w]:
                if flags & SHUFFLED:
                    _shuffled_words(planes, here // itemsize, rows, w, out[w], first)
                else:
                    _plain_words(planes, 0, rows, itemsize, w, out[w], first)
    return DONE


@njit(cache=True, nogil=True)
def _shuffled_words(planes: Array, n: int, rows: int, word: int, out: Array, row: int) -> None:
    """The first `rows` words of a block of n shuffled rows."""
    if rows == n:
        _words(planes, 0, n, word, out, row)
        return
    at = 4 * word * n
    for r in range(rows):
        value = np.uint32(0)
        for k in range(4):
            value |= np.uint32(planes[at + k * n + r]) << np.uint32(8 * k)
        out[row + r] = value


@njit(cache=True, nogil=True)
def decode(
    data: Array,
    starts: Array,
    sizes: Array,
    blosc: bool,
    itemsize: int,
    chunk_rows: int,
    wanted: Array,
    planes: Array,
    out: Array,
    count: int,
) -> tuple[int, int]:
    """Decode chunks to columns.

    Parameters
    ----------
    data : ndarray, uint8
        Stored bytes of all the chunks.
    starts, sizes : ndarray, int64, shape (nchunk,)
        Where each chunk lies in `data`.
    blosc : bool
        Whether the chunks are compressed; else rows as they are.
    itemsize, chunk_rows : int
        Bytes in a row; rows in a chunk.
    wanted : ndarray, bool, shape (itemsize // 4,)
        32-bit words of the row to decode.
    planes : ndarray, uint8, at least one chunk of bytes
        Scratch.
    out : ndarray, uint32, shape (itemsize // 4, >= count)
        Words; those not wanted are left alone.
    count : int
        Rows asked for, at most those of all the chunks.

    Returns
    -------
    (status, chunk) : (int, int)
        DONE, or what was found at which chunk.
    """
    for c in range(starts.shape[0]):
        row = c * chunk_rows
        rows = min(chunk_rows, count - row)
        if starts[c] < 0 or sizes[c] < 0 or starts[c] + sizes[c] > data.shape[0]:
            return BROKEN, c
        if blosc:
            status = _chunk(data, starts[c], sizes[c], itemsize, chunk_rows, wanted, planes, out, row, rows)
            if status != DONE:
                return status, c
        else:
            if sizes[c] < rows * itemsize:
                return BROKEN, c
            for w in range(wanted.shape[0]):
                if wanted[w]:
                    _plain_words(data, starts[c], rows, itemsize, w, out[w], row)
    return DONE, 0
