"""Marks of what was measured: an ellipse at half maximum for each source with its number, contours."""

from __future__ import annotations

import numpy as np

from ifuview.app.frames.measuring.state import OnFrame
from ifuview.app.frames.views.fiber_marks import Mark, MarkKind
from ifuview.model.frames.source import ImageSource

VERTICES = 48


def marks(measured: OnFrame) -> tuple[Mark, ...]:
    """All marks of a frame."""
    found = measured.contours
    lines = () if found is None else found.lines
    return (
        *(Mark(MarkKind.CONTOUR, line[:, 0], line[:, 1]) for line in lines),
        *(Mark(MarkKind.SOURCE, *ellipse(s), str(n)) for n, s in enumerate(measured.sources, 1)),
    )


def ellipse(source: ImageSource) -> tuple[np.ndarray, np.ndarray]:
    """Where a profile has half of its peak: x and y, closed."""
    ratio = np.sqrt(1 - source.ellipticity)
    turn = np.linspace(0, 2 * np.pi, VERTICES + 1)
    u, v = source.fwhm / 2 / ratio * np.cos(turn), source.fwhm / 2 * ratio * np.sin(turn)
    cos, sin = np.cos(np.radians(source.angle)), np.sin(np.radians(source.angle))
    return source.x + cos * u - sin * v, source.y + sin * u + cos * v
