"""The loops of the live image: bounds in time, and counting of short codes in contiguous rows, resonator by resonator.

Codes are 16-bit steps of the third column; comparing and adding them as such lets the processor take 32 or 64 at once.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.model.checks import Array

NO_CODE = 65535  # of a value that passes no bound
LANE = 4096  # codes counted in 16-bit sums
PATCH = 256  # codes looked through at once for those at an edge


@njit(cache=True, nogil=True)
def encode(value: Array, zero: float, scale: float, out: Array, smallest: Array, largest: Array) -> None:
    """Write the codes of values, and widen the range of values that each code stands for."""
    top = NO_CODE - 1.0
    for i in range(len(value)):
        x = (np.float64(value[i]) - zero) * scale
        out[i] = np.uint16(0.0 if not x > 0.0 else x if x < top else top)  # NaN to 0
    for i in range(len(value)):
        v = value[i]
        if v < np.inf:
            c = int(out[i])
            if v < smallest[c]:
                smallest[c] = v
            if v > largest[c]:
                largest[c] = v
        else:  # NaN or inf
            out[i] = NO_CODE


@njit(cache=True, nogil=True)
def seek(first: Array, time: Array, tick: int, place: Array, start: int, stop: int) -> None:
    """Move place[i] to the first row of resonator i at or after a time, searching outwards from where it is.

    Small steps of time touch one or two rows a resonator.
    """
    for i in range(start, stop):
        low, high = first[i], first[i + 1]
        p = min(max(place[i], low), high)
        if p < high and time[p] < tick:  # forward: the row lies in (p, right]
            step, left = 1, p
            right = p + 1
            while right < high and time[right] < tick:
                left = right
                step *= 2
                right = min(right + step, high)
            left += 1
        else:  # backward: in [left, p]
            step, right = 1, p
            left = p
            while left > low and time[left - 1] >= tick:
                right = left - 1
                left = max(left - step, low)
                step *= 2
        while left < right:
            middle = (left + right) // 2
            if time[middle] < tick:
                left = middle + 1
            else:
                right = middle
        place[i] = left


@njit(cache=True, nogil=True, inline="always")
def _inside(codes: Array, a: int, b: int, base: int, width: int) -> int:
    """How many codes of rows a to b are in base .. base + width - 1, in unsigned 16-bit arithmetic."""
    total = 0
    low, span = np.uint16(base), np.uint16(width)
    while a < b:
        lane = codes[a : min(a + LANE, b)]
        count = np.uint16(0)
        for k in range(len(lane)):
            count = np.uint16(count + np.uint16(np.uint16(lane[k] - low) < span))
        total += int(count)
        a += LANE
    return total


@njit(cache=True, nogil=True)
def count_codes(
    codes: Array, begin: Array, end: Array, base: int, width: int, sign: int, counts: Array, start: int, stop: int
) -> None:
    """Add `sign` for each code in base .. base + width - 1 of rows begin[i] to end[i] to counts[i]."""
    for i in range(start, stop):
        if end[i] > begin[i]:
            counts[i] += sign * _inside(codes, begin[i], end[i], base, width)


@njit(cache=True, nogil=True)
def count_and_mark(
    codes: Array, begin: Array, end: Array, base: int, width: int, wide_base: int, wide: int, counts: Array,
    near: Array, start: int, stop: int,
) -> None:  # fmt: skip
    """As `count_codes` with sign 1; near[i] is how many more rows are in wide_base .. wide_base + wide - 1."""
    for i in range(start, stop):
        a, b = begin[i], end[i]
        inside = around = 0
        low, span, wide_low, wide_span = np.uint16(base), np.uint16(width), np.uint16(wide_base), np.uint16(wide)
        while a < b:
            lane = codes[a : min(a + LANE, b)]
            count, more = np.uint16(0), np.uint16(0)
            for k in range(len(lane)):
                count = np.uint16(count + np.uint16(np.uint16(lane[k] - low) < span))
                more = np.uint16(more + np.uint16(np.uint16(lane[k] - wide_low) < wide_span))
            inside += int(count)
            around += int(more)
            a += LANE
        counts[i] += inside
        near[i] = around - inside


@njit(cache=True, nogil=True)
def find_codes(codes: Array, begin: Array, end: Array, edges: Array, near: Array, rows: Array, owner: Array) -> None:
    """Write the rows, and their resonators, that have one of two codes; near[i] of them lie in begin[i] to end[i]."""
    found = 0
    left, right = np.uint16(edges[0]), np.uint16(edges[1])
    for i in range(len(near)):
        a, b, todo = begin[i], end[i], near[i]
        while todo > 0 and a < b:
            patch = codes[a : min(a + PATCH, b)]
            here = np.uint16(0)
            for k in range(len(patch)):
                here = np.uint16(here + np.uint16((patch[k] == left) | (patch[k] == right)))
            if here > 0:
                for k in range(len(patch)):
                    if patch[k] == left or patch[k] == right:
                        rows[found] = a + k
                        owner[found] = i
                        found += 1
                todo -= int(here)
            a += PATCH


@njit(cache=True, nogil=True)
def count_steps(
    codes: Array, time: Array, begin: Array, end: Array, base: int, width: int, edges: Array, tick: int, step: int,
    out: Array, rows: Array, cells: Array,
) -> int:  # fmt: skip
    """Count rows begin[i] to end[i] into out[(time - tick) // step, i]; those with a code at an edge are listed.

    Returns how many those are; beyond the length of `rows` they are not listed.
    """
    found = 0
    for i in range(len(begin)):
        for row in range(begin[i], end[i]):
            c = int(codes[row])
            k = (int(time[row]) - tick) // step
            if base <= c < base + width:
                out[k, i] += 1
            elif c == edges[0] or c == edges[1]:
                if found < len(rows):
                    rows[found] = row
                    cells[found] = k * out.shape[1] + i
                found += 1
    return found


@njit(cache=True, nogil=True)
def fill_coarse(
    resonator: Array, time: Array, value: Array, tick: float, zero: float, scale: float, cube: Array
) -> None:
    """Count into cube[resonator, time step, value step]; values outside go to the outer steps, NaN and inf nowhere."""
    for i in range(len(resonator)):
        v = np.float64(value[i])
        if v < np.inf:
            t = min(int(time[i] * tick), cube.shape[1] - 1)
            c = int(min(max((v - zero) * scale, 0.0), cube.shape[2] - 1.0))
            cube[resonator[i], t, c] += 1
