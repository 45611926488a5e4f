"""Does each fiber obey sframe = frame / flat - sky and cframe = sframe / fluxcalib?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.stats import binned, mad, middle
from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array

OUTLYING = 8.0  # scatters of the others
LEAST, LEAST_SWAPPED = 0.012, 0.001  # of the sky that the typical bin must be off; where another row explains it
MOST = 0.15  # of the fibers: more is no matter of fibers
SAME = 0.3  # of the gap that may be left after two rows are put back


@dataclass(frozen=True, slots=True)
class Broken:
    """A fiber whose products contradict each other.

    Parameters
    ----------
    fiber : int
    off : float
        Typical gap of a bin, part of the sky.
    share : float
        What part of its sky it keeps too much, where the gap has the shape of the sky.
    score : float
    """

    fiber: int
    off: float
    share: float
    score: float


def gap(frame: Array, flat: Array, sky: Array, sframe: Array) -> Array:
    """sframe minus what it should be, shape (nfiber, nwave)."""
    good = flat > 0
    return np.asarray(sframe - (frame / np.where(good, flat, 1.0) - sky), np.float32)


def broken_fibers(gaps: Array, good: Array, level: Array, least: float = LEAST) -> list[Broken]:
    """Fibers whose gap is larger than that of the others, the worst first; none where too many are.

    Parameters
    ----------
    gaps : ndarray, shape (nfiber, nwave)
    good : ndarray of bool, shape (nfiber, nwave)
    level : ndarray, shape (nwave,)
        Of the sky.
    least : float, optional
        Part of the sky that the typical bin must be off.
    """
    count = binned(good.astype(np.float32), BIN)
    coarse = binned(np.where(good, gaps, 0.0), BIN) / np.maximum(count, 1 / BIN)
    coarse = np.where(count > 0.5, coarse, np.nan)
    coarse = coarse - middle(coarse, axis=0)  # what all have is a matter of the products
    sky = np.maximum(binned(level, BIN), 1e-6)
    off = middle(np.abs(coarse) / sky, axis=1)
    known = np.isfinite(off)
    if np.count_nonzero(known) < 10:
        return []
    typical, scatter = float(middle(off[known])), max(float(mad(off[known])), 1e-4)
    hit = np.flatnonzero(known & (off > max(least, typical + OUTLYING * scatter)))
    if hit.size > MOST * known.sum():
        return []
    out = []
    for fiber in hit[np.argsort(-off[hit])]:
        use = np.isfinite(coarse[fiber])
        share = float(np.sum(coarse[fiber][use] * sky[use]) / np.sum(sky[use] ** 2))
        out.append(Broken(int(fiber), float(off[fiber]), share, float((off[fiber] - typical) / scatter)))
    return out


def swapped(fibers: list[int], frame: Array, flat: Array, sky: Array, sframe: Array) -> dict[int, int]:
    """Whose flat and sky model make the sframe of a fiber from its frame: the rows that were taken for another's.

    A fiber that another one was taken for is named, too, if that one explains it better than it does itself.
    """
    own = np.array(fibers)
    safe = np.where(flat[own] > 0, flat[own], 1.0)
    rest = {}
    for fiber in fibers:
        gaps = binned(frame[fiber] / safe - sky[own] - sframe[fiber], BIN)
        rest[fiber] = dict(zip(fibers, median(np.abs(gaps), 1).tolist(), strict=True))
    best = {fiber: min(of, key=of.__getitem__) for fiber, of in rest.items()}
    out = {f: g for f, g in best.items() if g != f and rest[f][g] < SAME * rest[f][f]}
    for f, g in tuple(out.items()):
        if g not in out and rest[g][f] < rest[g][g]:
            out[g] = f
    return out
