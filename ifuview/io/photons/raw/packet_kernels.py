"""Photons out of raw packet words, compiled; imported only when packets are read."""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.model.checks import Array

HEADER = 0xFF  # top byte of a header word
FILLER = 511  # x of the photon that closes a packet at the tick
SIDE = 1024  # pixels along x and y that a photon word can name
HALF_MS = 500  # microseconds


@njit(cache=True, nogil=True)
def decode(words: Array, stamps: Array, usable: Array, inside: Array, cells: Array, times: Array, heights: Array,
           baselines: Array, lost: Array) -> int:  # fmt: skip
    """Decode words behind headers; return the number of photons.

    Parameters
    ----------
    words : ndarray, uint64
    stamps : ndarray, int64
        Microseconds since 1970 of the header in force before the first word, then of every header.
    usable : ndarray, bool
        Whether each of these times makes sense.
    inside : ndarray, bool, shape (SIDE * SIDE,)
        Cells x * SIDE + y of the array.
    cells, times, heights, baselines : ndarray, int32, int64, int32, int32
        Filled.
    lost : ndarray, int64, shape (2,)
        Added to: photons without a usable header, photons outside the array.
    """
    count = 0
    head = 0
    for k in range(words.size):
        word = np.int64(words[k])
        if (word >> 56) & 0xFF == HEADER:
            head += 1
            continue
        x = (word >> 54) & 0x3FF
        if x == FILLER:
            continue
        if not usable[head]:
            lost[0] += 1
            continue
        cell = x * SIDE + ((word >> 44) & 0x3FF)
        if not inside[cell]:
            lost[1] += 1
            continue
        height = (word >> 17) & 0x3FFFF
        baseline = word & 0x1FFFF
        cells[count] = cell
        times[count] = stamps[head] + ((word >> 35) & 0x1FF)
        heights[count] = height - ((height >> 17) << 18)
        baselines[count] = baseline - ((baseline >> 16) << 17)
        count += 1
    return count


@njit(cache=True, nogil=True)
def tally(cells: Array, times: Array, baselines: Array, first: int, stop: int, counts: Array, levels: Array,
          span: Array) -> None:  # fmt: skip
    """Count photons of [first, stop) by cell and by baseline (17 bits, the most negative first); widen `span`."""
    for k in range(cells.size):
        time = times[k]
        if time < first or time >= stop:
            continue
        counts[cells[k]] += 1
        levels[baselines[k] + 65536] += 1
        span[0] = min(span[0], time)
        span[1] = max(span[1], time)
