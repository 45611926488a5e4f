"""Rows of two tables that speak of the same thing."""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array


def match(left: Array, right: Array) -> Array:
    """Row of `right` with the same value as each of `left`, -1 where there is none.

    Parameters
    ----------
    left, right : ndarray of int, shapes (n,) and (m,)
        Identifiers; of equal ones in `right` the first counts.

    Returns
    -------
    ndarray of intp, shape (n,)
    """
    left, right = np.asarray(left), np.asarray(right)
    if right.size == 0 or left.size == 0:
        return np.full(left.size, -1, dtype=np.intp)
    order = np.argsort(right, kind="stable")
    place = np.searchsorted(right, left, sorter=order)
    found = order[np.minimum(place, right.size - 1)]
    return np.where((place < right.size) & (right[found] == left), found, -1)


def take(values: Array, index: Array) -> Array:
    """`values[index]`, with what says "unknown" where the index is negative: NaN, "" or 0.

    Integers become float where some are unknown, unless they are too large for it.
    """
    values = np.asarray(values)
    if values.shape[0] == 0:
        return np.full(index.size, np.nan)
    out = values[np.maximum(index, 0)]
    lost = index < 0
    if not lost.any():
        return out
    if out.dtype.kind in "iub":
        if out.size and np.abs(out.astype(np.float64)).max() >= 2**53:
            out = out.copy()
            out[lost] = 0
            return out
        out = out.astype(np.float64)
    else:
        out = out.copy()
    out[lost] = np.nan if out.dtype.kind == "f" else "" if out.dtype.kind in "US" else 0
    return out
