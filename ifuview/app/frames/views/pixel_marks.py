"""Marks above an image of pixels: those that the verdict speaks of, and the area of a group of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ifuview.app.frames.views.fiber_marks import Mark, MarkKind
from ifuview.model.checks import Array

MOST = 3000  # pixels that are marked


def pixel_marks(pixels: Array, areas: Iterable[tuple[str, int, int, int, int]]) -> tuple[Mark, ...]:
    """A frame around every pixel (x, y), and one around each area: its name, first and last pixel x0, y0, x1, y1."""
    marks = [Mark(MarkKind.PIXEL, pixels[:MOST, 0], pixels[:MOST, 1])] if len(pixels) else []
    for name, x0, y0, x1, y1 in areas:
        marks.append(Mark(MarkKind.AREA, np.array([x0, x1], float), np.array([y0, y1], float), name))
    return tuple(marks)
