"""Runs of what is true."""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array


def runs(hit: Array, gap: int = 0) -> list[tuple[int, int]]:
    """Half-open runs of True, joined over at most `gap` False."""
    at = np.flatnonzero(hit)
    if not at.size:
        return []
    cuts = np.flatnonzero(np.diff(at) > gap + 1)
    first = np.concatenate([[at[0]], at[cuts + 1]])
    last = np.concatenate([at[cuts], [at[-1]]])
    return [(int(a), int(b) + 1) for a, b in zip(first, last, strict=True)]
