"""The loop over photons that counts what all questions need."""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.model.checks import Array


@njit(cache=True, nogil=True)
def take(
    resonator: Array, time: Array, value: Array, line: Array, dead: int, bin_ticks: float, fine_ticks: float,
    waves: bool, low: float, per_unit: float, last: Array, back: Array, short: Array, gap: Array, gap_start: Array,
    binned: Array, fine: Array, fast: Array, held: Array, earliest: Array, latest: Array, values: Array,
    unsolved: Array, back_binned: Array,
) -> None:  # fmt: skip
    """Count photons whose resonator is known; those after the last bin only for gaps and order.

    `line` is the place of the board of each resonator. `fast` counts resonators that see light in short bins that
    divide the fine ones: of one resonator one photon in each, `held` is the bin of its last one.
    `last` is the time of the resonator's photon before (-1: none) and is carried on. `back` counts photons before
    their predecessor, `short` those sooner than `dead` after it. `values` is (n, nbin), its outermost bins hold all
    that is beyond; with `waves` values at or below zero and NaN count as `unsolved`.
    """
    nresonator, nbin, nfine, nvalue = len(last), binned.shape[1], fine.shape[1], values.shape[1]
    nfast = len(fast)
    fast_ticks = fine_ticks * nfine / nfast
    for i in range(len(resonator)):
        r = resonator[i]
        if r < 0 or r >= nresonator:
            continue
        t = np.int64(time[i])
        k = int(t / bin_ticks)
        if k < nbin:
            binned[r, k] += 1
            fine[line[r], min(int(t / fine_ticks), nfine - 1)] += 1
            short_bin = min(int(t / fast_ticks), nfast - 1)
            if short_bin != held[r]:
                fast[short_bin] += 1
                held[r] = short_bin
        earliest[r] = min(earliest[r], t)
        latest[r] = max(latest[r], t)
        before = last[r]
        if before >= 0:
            step = t - before
            if step < 0:
                back[r] += 1
                back_binned[min(k, nbin - 1)] += 1
            elif step < dead:
                short[r] += 1
            if step > gap[r]:
                gap[r] = step
                gap_start[r] = before
        elif t > gap[r]:
            gap[r] = t
            gap_start[r] = 0
        last[r] = t
        if len(value) > 0:
            v = np.float64(value[i])
            if waves and not v > 0:  # NaN too
                unsolved[r] += 1
            elif v == v:
                values[r, min(max(int((v - low) * per_unit), 0), nvalue - 1)] += 1
