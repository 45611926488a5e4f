"""Splines that a profile is made of: a unit Gaussian plus cubic B-splines, integrated once, as tables.

Abscissa is the distance from the center of the fiber in widths of that fiber. Knots are close in the core and ever
wider apart in the wings. Tables hold the integral from the left, and its slope, so that the light on a pixel is a
difference of two look-ups and the light on all pixels is exactly one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.model.checks import Array

PER_WIDTH = 8  # nodes of the tables per width: cubic interpolation is right to 4e-7
GROWTH = 1.3  # beyond the core each step between knots is so many times longer
ORDER = 4  # of the splines: cubic


class Knots(NamedTuple):
    """How far the close knots reach, and how far they are apart, widths."""

    core: float
    step: float


STIFF = Knots(2.75, 0.55)  # what lies between fibers is told by few columns: the shape ends with the flank
FLANKS = Knots(4.2, 0.6)  # light of wide fibers, whose flanks overlap at 2 to 4 widths, is right to 0.3 %


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Tables of the Gaussian and the splines on equal nodes from -reach to reach.

    Parameters
    ----------
    reach : float, widths
    gaussian : ndarray, shape (nnode, 2)
        Integral, and its slope per node; the integral is 0 at the left end and 1 at the right one.
    spline : ndarray, shape (nspline, nnode, 2)
        Likewise; normalized to an integral of 1.
    middle : ndarray, shape (nspline,), widths
        Where each spline is.
    begin, end : ndarray of intp, shape (nspline,)
        First and last node of each spline's support.
    """

    reach: float
    gaussian: NDArray[np.float64]
    spline: NDArray[np.float64]
    middle: NDArray[np.float64]
    begin: NDArray[np.intp]
    end: NDArray[np.intp]


def places(reach: float, knots: Knots) -> NDArray[np.float64]:
    """Return the knots from -reach to reach, symmetric, without repetition."""
    right = list(np.arange(0, knots.core + knots.step / 2, knots.step))
    step = knots.step * GROWTH
    while right[-1] + 1.5 * step < reach:
        right.append(right[-1] + step)
        step *= GROWTH
    if right[-1] < reach:
        right.append(reach)
    return np.concatenate([-np.array(right[:0:-1]), right])


def basis(reach: float, knots: Knots = STIFF) -> Basis:
    """Return the tables for profiles that end `reach` widths from the center, smoothly at zero."""
    from scipy.interpolate import BSpline

    reach = math.ceil(max(reach, 2 * knots.core) * PER_WIDTH) / PER_WIDTH
    node = np.linspace(-reach, reach, round(2 * reach * PER_WIDTH) + 1)
    knot = places(reach, knots)
    nspline = knot.size - ORDER
    tables = np.zeros((nspline, node.size, 2))
    for j in range(nspline):
        piece = BSpline.basis_element(knot[j : j + ORDER + 1], extrapolate=False)
        whole = piece.antiderivative()
        total = float(whole(knot[j + ORDER]) - whole(knot[j]))
        inside = np.clip(node, knot[j], knot[j + ORDER])
        tables[j, :, 0] = (whole(inside) - whole(knot[j])) / total
        tables[j, :, 1] = np.nan_to_num(piece(node)) / total / PER_WIDTH
    density = np.exp(-0.5 * node**2) / math.sqrt(2 * math.pi)
    cumulative = np.array([0.5 * math.erfc(-a / math.sqrt(2)) for a in node])
    cumulative = (cumulative - cumulative[0]) / (cumulative[-1] - cumulative[0])
    support = np.stack([knot[:nspline], knot[ORDER:]])
    at = (support + reach) * PER_WIDTH
    return Basis(
        reach=reach,
        gaussian=np.stack([cumulative, density / PER_WIDTH], axis=1),
        spline=tables,
        middle=np.array([knot[j : j + ORDER + 1].mean() for j in range(nspline)]),
        begin=np.floor(at[0] + 1e-9).astype(np.intp),
        end=np.ceil(at[1] - 1e-9).astype(np.intp),
    )


@njit(nogil=True, inline="always")
def integral(table: Array, t: float) -> float:
    """Integral from the left end to `t` nodes from there, by the cubic through values and slopes of two nodes."""
    last = table.shape[0] - 1
    if t <= 0:
        return table[0, 0]
    if t >= last:
        return table[last, 0]
    i = int(t)
    f = t - i
    y0, d0, y1, d1 = table[i, 0], table[i, 1], table[i + 1, 0], table[i + 1, 1]
    c2 = 3 * (y1 - y0) - 2 * d0 - d1
    c3 = 2 * (y0 - y1) + d0 + d1
    return y0 + f * (d0 + f * (c2 + f * c3))


@njit(nogil=True, inline="always")
def slope(table: Array, t: float) -> float:
    """Slope of `integral` per node."""
    last = table.shape[0] - 1
    if t <= 0 or t >= last:
        return 0.0
    i = int(t)
    f = t - i
    y0, d0, y1, d1 = table[i, 0], table[i, 1], table[i + 1, 0], table[i + 1, 1]
    c2 = 3 * (y1 - y0) - 2 * d0 - d1
    c3 = 2 * (y0 - y1) + d0 + d1
    return d0 + f * (2 * c2 + f * 3 * c3)
