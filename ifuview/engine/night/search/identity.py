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
SAME, LIKE_OTHERS = 0.3, 3.0  # of its gap, and times that of the others, that may be left after rows are put back


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


@dataclass(frozen=True, slots=True)
class Moved:
    """A fiber whose row holds what belongs to another one.

    Parameters
    ----------
    of : int
        The other one.
    what : str
        "spectra" (all of them), or the one product that was moved: "frame", "sframe".
    """

    of: int
    what: str


def swapped(
    fibers: list[int], frame: Array, flat: Array, sky: Array, sframe: Array, usual: float
) -> dict[int, Moved]:  # fmt: skip
    """Fibers whose sframe is what rows of others make, as well as those of fibers that are right make theirs.

    What was exchanged comes back: who was taken for another one has a row that another one was taken for. A fiber that
    keeps a part of its sky looks like one with another flat, which is never mutual.

    Parameters
    ----------
    usual : float
        Typical gap of a bin of the other fibers, counts.
    """
    own = np.array(fibers)
    safe = np.where(flat[own] > 0, flat[own], 1.0)
    made = frame[own] / safe - sky[own]
    best: dict[int, Moved] = {}
    for k, fiber in enumerate(fibers):
        each = {
            "spectra": frame[fiber] / safe - sky[own], "frame": frame[own] / safe[k] - sky[fiber], "sframe": made,
        }  # fmt: skip
        rest = {what: median(np.abs(binned(values - sframe[fiber], BIN)), 1) for what, values in each.items()}
        what = min(rest, key=lambda name: float(rest[name].min()))
        at = int(np.argmin(rest[what]))
        if at != k and rest[what][at] < min(SAME * rest[what][k], LIKE_OTHERS * usual):
            best[fiber] = Moved(fibers[at], what)
    return {fiber: moved for fiber, moved in best.items() if _comes_back(fiber, best)}


def _comes_back(fiber: int, moved: dict[int, Moved]) -> bool:
    """Whether the rows that stand for one another lead back to a fiber."""
    at = fiber
    for _ in moved:
        if at not in moved:
            return False
        at = moved[at].of
        if at == fiber:
            return True
    return False
