"""The shapes that many fibers may share: patterns with names, and any smooth surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array
from ifuview.model.traces.doctor import UNKNOWN

MIN_BLOCKS = 2  # for a shift of one block
CLUSTERS = 20  # groups of fibers for the scatter, where there are no blocks ...
MEMBERS = 2  # ... of so many at least: what one fiber does by itself is not shared
SURFACE_COLUMNS, SURFACE_ROWS = 4, 4  # degrees of the surface
FIBERS_A_DEGREE = 4
CLUSTERS_A_DEGREE = 3  # clusters that a degree of the surface across the fibers takes


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One shape of a mode: its name, its value at every fiber and bin (largest size about 1), and its block."""

    name: str
    value: NDArray[np.float64]
    block: int = -1
    kind: str = ""


def patterns(u: Array, v: Array, w: Array, block: Array) -> list[Pattern]:
    """The shapes that are tried.

    Parameters
    ----------
    u : (nbin,), v : (nfiber,)
        Column and row on [-1, 1].
    w : (nfiber, nbin)
        Wavelength, or column, on [0, 1].
    block : (nfiber,)
    """
    one = np.ones((v.size, u.size))
    uu, vv = u[None] * one, v[:, None] * one
    legendre = np.polynomial.legendre.Legendre.basis
    out = [
        Pattern("shift", one),
        Pattern("rotation", uu),
        Pattern("scale", vv),
        Pattern("keystone", uu * vv),
        Pattern("smile", legendre(2)(uu)),
        Pattern("smile", uu**2, kind="square"),
        Pattern("s_curve", legendre(3)(uu)),
        Pattern("s_curve", uu**3, kind="cube"),
        Pattern("s_curve", np.sin(np.pi * uu), kind="sine"),
        Pattern("drift", w**2, kind="from the blue end"),
        Pattern("drift", (1 - w) ** 2, kind="from the red end"),
    ]
    number = np.unique(block)
    if number.size >= MIN_BLOCKS:
        out += [Pattern("block_shift", (block == b)[:, None] * one, block=int(b)) for b in number]
    return out


def surface(u: Array, v: Array, block: Array) -> list[Pattern]:
    """Legendre polynomials of column and row: any smooth error, for what the patterns leave.

    For a few fibers of column alone: across them any error is a line.

    Parameters
    ----------
    u : (nbin,), v : (nfiber,)
        Column and row on [-1, 1].
    block : (nfiber,)
    """
    legendre = np.polynomial.legendre.Legendre.basis
    clusters = int(clusters_of(block).max(initial=0)) + 1
    across = min(SURFACE_ROWS, max(clusters // CLUSTERS_A_DEGREE, 1), v.size // FIBERS_A_DEGREE)
    along = min(SURFACE_COLUMNS, u.size // 4)
    if along < 1:
        return []
    reach = max(float(np.abs(v).max(initial=0)), 1e-9)
    return [
        Pattern(UNKNOWN, legendre(i)(u)[None] * legendre(j)(v / reach)[:, None], kind=f"{i},{j}")
        for i in range(along + 1)
        for j in range(across + 1)
    ]


def along_only(term: Pattern) -> bool:
    """Whether a term of the surface is the same for all fibers."""
    return term.kind.endswith(",0")


def clusters_of(block: Array) -> NDArray[np.intp]:
    """Blocks, or runs of fibers inside of them where there are few blocks."""
    size = max(block.size / CLUSTERS, MEMBERS)
    return np.unique(block, return_inverse=True)[1] if np.unique(block).size >= CLUSTERS else parts_of(block, size)


def parts_of(block: Array, size: float) -> NDArray[np.intp]:
    """Runs of about so many fibers inside of the blocks."""
    number, count = np.unique(block, return_inverse=True, return_counts=True)[1:]
    parts = np.maximum(np.round(count / size).astype(np.intp), 1)
    place = np.array([np.sum(number[:k] == b) for k, b in enumerate(number)])
    return (np.cumsum(parts) - parts)[number] + place * parts[number] // count[number]
