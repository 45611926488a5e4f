"""Which points lie inside a line drawn by hand."""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array


def inside(x: Array, y: Array, polygon: Array) -> Array:
    """Whether points lie in a polygon, by the even-odd rule.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        NaN is outside.
    polygon : ndarray, shape (m, 2)
        Corners; closed by itself.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    corners = np.asarray(polygon, dtype=np.float64)
    out = np.zeros(x.shape, dtype=bool)
    if corners.shape[0] < 3:
        return out
    with np.errstate(invalid="ignore", divide="ignore"):
        for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if y0 != y1:
                out ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return out


def hull(x: Array, y: Array) -> tuple[Array, Array]:
    """Closed convex outline of points, counter-clockwise; empty with fewer than three."""
    good = np.isfinite(x) & np.isfinite(y)
    points = sorted(set(zip(np.asarray(x)[good].tolist(), np.asarray(y)[good].tolist(), strict=True)))
    if len(points) < 3:
        return np.empty(0), np.empty(0)

    def half(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
        out: list[tuple[float, float]] = []
        for p in ordered:
            while len(out) > 1 and _turn(out[-2], out[-1], p) <= 0:
                out.pop()
            out.append(p)
        return out[:-1]

    outline = half(points) + half(points[::-1])
    closed = np.array([*outline, outline[0]])
    return closed[:, 0], closed[:, 1]


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """Positive where a, b, c turn to the left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
