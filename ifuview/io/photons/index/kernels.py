"""Check and count photons on their way to the index."""

from __future__ import annotations

from numba import njit

from ifuview.model.checks import Array


@njit(cache=True, nogil=True)
def take_sorted(resonator: Array, time: Array, last: int, counts: Array) -> int:
    """Count photons per resonator; the key (resonator << 32 | time) of the last, or -1 if they are not in order.

    `last` is the key of the photon before; resonators must be places in `counts`.
    """
    for i in range(len(resonator)):
        r = int(resonator[i])
        key = (r << 32) | int(time[i])
        if key < last or r < 0 or r >= len(counts):
            return -1
        counts[r] += 1
        last = key
    return last
