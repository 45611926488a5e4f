"""Traces of two kinds: a large part of the fibers is off alike, and no pattern is that of all.

Whole blocks have shifts of their own; here the two kinds are mixed within blocks. The light tells which kind is right:
that of most fibers, or of two halves the one whose light lies nearer to its traces. The other one has no part in the
shared patterns, and its fibers are problems of their own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.groups import two_groups
from ifuview.model.checks import Array

HALF = 0.35  # of the fibers, and more: their number does not tell which kind is right
MIXED, LEAST_MIXED = 0.1, 3  # of the smaller kind, and fibers, that are in blocks of the other one


def other_kind(offset: Array, error: Array, usable: Array, block: Array, least: float) -> NDArray[np.bool_]:
    """Fibers that are off alike while the others are not, shape (nfiber,); none where the traces are of one kind.

    Parameters
    ----------
    offset, error : (nfiber, nbin), px
        Light minus trace.
    usable : bool (nfiber, nbin)
    block : (nfiber,)
    least : float, px
        By which two kinds differ.
    """
    known = usable & np.isfinite(offset) & np.isfinite(error) & (error > 0)
    weight = np.where(known, 1 / np.where(known, error, 1) ** 2, 0)
    total = weight.sum(axis=1)
    told = total > 0
    mean = (weight * np.where(known, offset, 0)).sum(axis=1) / np.where(told, total, 1)
    groups = two_groups(mean, np.where(told, np.where(told, total, 1) ** -0.5, np.inf), told)
    none = np.zeros(told.size, bool)
    if groups is None or groups.values[1] - groups.values[0] < least or not _mixed(groups.low, groups.high, block):
        return none
    sides = (groups.low, groups.high)
    numbers = [int(side.sum()) for side in sides]
    wrong = int(np.argmin(numbers))
    if min(numbers) > HALF * sum(numbers):
        wrong = int(np.argmax(np.abs(groups.values)))
    return np.asarray(sides[wrong])


def _mixed(low: Array, high: Array, block: Array) -> bool:
    """Whether the two kinds share blocks."""
    number = np.unique(block, return_inverse=True)[1]
    both = [np.bincount(number, side) for side in (low, high)]
    return float(np.minimum(*both).sum()) >= max(LEAST_MIXED, MIXED * min(low.sum(), high.sum()))
