"""On which grid the fibers of an IFU head lie, from the angles to their neighbors."""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array

FEWEST = 7  # fibers
NEAR = 1.2  # of the usual distance
ALIKE = 0.7  # of the angles


def head_pattern(positions: Array) -> tuple[str, float]:
    """Whether fibers lie on a hexagonal or a square grid, and their distance: from the angles to their neighbors."""
    known = positions[np.isfinite(positions).all(axis=1)]
    if known.shape[0] < FEWEST:
        return "irregular", float("nan")
    difference = known[:, None] - known[None]
    distance = np.hypot(difference[..., 0], difference[..., 1])
    np.fill_diagonal(distance, np.inf)
    step = float(np.median(distance.min(axis=1)))
    near = distance < NEAR * step
    angle = np.arctan2(difference[..., 1], difference[..., 0])[near]
    hexagon, square = (float(abs(np.exp(1j * n * angle).mean())) for n in (6, 4))
    if max(hexagon, square) < ALIKE:
        return "irregular", step
    return ("hexagonal" if hexagon > square else "square"), step
