"""Centers without what the paths of the neighbors were off, where profiles overlap, and what noise neighbors share.

The equation of a center holds the light of the neighbors where their paths have it. A path that is off by its noise
pulls at the next fiber, all along the bins that it was smoothed over: modes would come out too significant. So the
steps of all fibers of a bin are solved together, and their errors are those of the joint solution.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.traces.light import kernels as kernel
from ifuview.model.checks import Array

ROUNDS = 6  # neighbors take at most half of each other's step
MOST = 0.45  # of a step, that a neighbor takes


def freed(
    step: Array, error: Array, sums: Array, some: Array
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return steps and errors of the joint solution, and the correlation of the error with that of the next slot.

    Parameters
    ----------
    step, error : (nslot, nbin), px
        Of each fiber with its neighbors on their paths; error is inf where it is not measured.
    sums : (nslot, nbin, NTERM)
        Of all columns.
    some : (nslot, nbin, NTERM)
        Of those columns that have the terms of the neighbors.
    """
    known = np.isfinite(error)
    signal = np.where(known, sums[..., kernel.YY] - sums[..., kernel.NOISE_YY], 1)
    few = some[..., kernel.YY] > 0
    part = np.where(few & known, sums[..., kernel.YY] / np.where(few, some[..., kernel.YY], 1), 0)
    after, before = np.zeros(step.shape), np.zeros(step.shape)  # of the step of the neighbor above and below
    pair = known[1:] & known[:-1]
    bound = np.where(pair, 1.0, 0.0)
    after[:-1] = np.clip(some[:-1, :, kernel.BY_NEXT] * part[:-1] / signal[:-1], -MOST, MOST) * bound
    before[1:] = np.clip(some[1:, :, kernel.BY_LAST] * part[1:] / signal[1:], -MOST, MOST) * bound
    common = np.zeros(step.shape)
    common[:-1] = some[:-1, :, kernel.COMMON] * part[:-1] / (signal[:-1] * signal[1:]) * bound
    out = np.array(step, np.float64)
    for _ in range(ROUNDS):
        out = step - after * _above(out) - before * _below(out)
    square = np.where(known, error, 0) ** 2
    variance = square * (1 + 2 * (after * _above(before) + before * _below(after)))
    variance += after**2 * _above(square) + before**2 * _below(square)
    variance -= 2 * (after * common + before * _below(common))
    shared = common - after * _above(square) - _above(before) * square
    size = np.sqrt(np.maximum(variance, 0))
    both = size * _above(size)
    with_next = np.where(both > 0, shared / np.where(both > 0, both, 1), 0)
    return out, np.where(known, size, np.inf), np.clip(with_next, -MOST, MOST)


def _above(values: Array) -> NDArray[np.float64]:
    """The values of the next slot, 0 beyond the last."""
    out = np.zeros(values.shape)
    out[:-1] = values[1:]
    return out


def _below(values: Array) -> NDArray[np.float64]:
    """The values of the slot before, 0 before the first."""
    out = np.zeros(values.shape)
    out[1:] = values[:-1]
    return out
