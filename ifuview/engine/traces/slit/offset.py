"""How far the fibers of one evenly lit frame lie from those of another, without knowing where they lie: quick.

The mean of some columns across the fibers is the other frame's, scaled and moved; for a shift well below the width of
a fiber that is a linear problem.
"""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array

COLUMNS = 65  # in the middle, that are averaged
ROUNDS = 4
MOST = 3.0  # px, of a step


def frame_offset(image: Array, reference: Array, usable: Array | None = None) -> float:
    """Return by how many px the light of a frame lies above that of another; NaN where there is no light.

    Parameters
    ----------
    image, reference : ndarray, shape (nrow, ncol), electrons
    usable : ndarray of bool, shape (nrow, ncol), optional
        Pixels of both that may be used.
    """
    middle = image.shape[1] // 2
    part = slice(max(0, middle - COLUMNS // 2), middle + COLUMNS // 2 + 1)
    good = np.ones(image.shape, bool)[:, part] if usable is None else np.asarray(usable)[:, part]
    count = np.maximum(good.sum(axis=1), 1)
    own, other = (np.where(good, np.asarray(a)[:, part], 0).sum(axis=1) / count for a in (image, reference))
    row = np.arange(own.size, dtype=float)
    shift = 0.0
    for _ in range(ROUNDS):
        moved = np.interp(row - shift, row, other)
        slope = -np.gradient(moved)
        terms = np.stack([moved, slope, np.ones_like(row)], axis=1)
        normal = terms.T @ terms
        if not np.linalg.det(normal) > 0:
            return float("nan")
        scale, step, _ = np.linalg.solve(normal, terms.T @ own)
        if not scale > 0:
            return float("nan")
        shift += float(np.clip(step / scale, -MOST, MOST))
    return shift
