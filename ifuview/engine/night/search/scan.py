"""Fibers, and runs of neighbors on the slit, whose number differs from the others': any place, any length.

One number per fiber with its error. A run counts by the sum of its clipped deviations, so that no single fiber makes
it; the limits hold for all places and lengths that are looked at together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import mad, middle
from ifuview.model.checks import Array

SINGLE, RUN = 6.3, 6.0  # sigma of a fiber, of a run
MOST = 4.0  # sigma that a fiber counts in a run
SHORTEST = 3  # fibers of a run
AGREE = 0.75  # of the deviations of a run that have its sign, from this and its strength
NEARLY = 0.8  # of the limit, by a few lengths
MOST_SPANS = 24  # found in one camera
FILLED = 0.8  # of a block
SNAP = 2  # fibers that an edge is moved to the edge of a bundle


@dataclass(frozen=True, slots=True)
class Span:
    """Fibers that differ together.

    Parameters
    ----------
    first, last : int
        Half-open.
    value, error : float
        Weighted mean of their deviation from the others, and its error.
    score : float, sigma
    """

    first: int
    last: int
    value: float
    error: float
    score: float

    @property
    def fibers(self) -> tuple[int, ...]:
        """Their numbers."""
        return tuple(range(self.first, self.last))


def deviations(value: Array, error: Array, use: Array) -> tuple[Array, Array]:
    """Deviation from the median of the fibers in use, errors that their scatter agrees with; 0 and inf elsewhere."""
    use = use & np.isfinite(value) & np.isfinite(error) & (error > 0)
    if np.count_nonzero(use) < 2 * SHORTEST:
        return np.zeros(value.shape), np.full(value.shape, np.inf)
    away = np.where(use, value - middle(value[use]), 0.0)
    z = away[use] / error[use]
    extra = max(1.0, float(mad(z)))
    return away, np.where(use, error * extra, np.inf)


def spans(
    value: Array, error: Array, use: Array, *, single: float = SINGLE, run: float = RUN, snap: int = 0
) -> list[Span]:
    """Fibers and runs that differ from the others, the most significant first.

    Parameters
    ----------
    value, error : ndarray, shape (nfiber,)
    use : ndarray of bool, shape (nfiber,)
        Fibers that take part.
    single, run : float, optional
        Limits, sigma.
    snap : int, optional
        Size of a bundle, to whose edges close ones are moved; 0: none.
    """
    away, error = deviations(value, error, use)
    weight = error**-2.0
    z = away / error
    out: list[Span] = []
    for _ in range(MOST_SPANS):
        span = _best(z, run)
        at = int(np.argmax(np.abs(z)))
        alone = abs(z[at]) > single and not (span is not None and span[0] <= at < span[1])
        if span is None and not alone:
            break
        first, last = (at, at + 1) if span is None or (alone and abs(z[at]) > span[2]) else span[:2]
        if last - first > 1 and snap:
            first, last = _snapped(first, last, snap, z.size)
        part = slice(first, last)
        total = float(weight[part].sum())
        mean = float(np.sum(weight[part] * away[part])) / max(total, 1e-30)
        if last - first > 1:
            mean = float(middle(away[part][np.isfinite(error[part])]))
        out.append(Span(first, last, mean, float(total**-0.5), abs(mean) * float(total**0.5)))
        z = z.copy()
        rest = np.where(
            np.isfinite(error[part]), (away[part] - (mean if last - first > 1 else away[part])) / error[part], 0
        )
        z[part] = np.where(np.abs(rest) > single, rest, 0.0)  # a fiber of its own inside a run
    return out


def _best(z: Array, limit: float) -> tuple[int, int, float] | None:
    """The run that stands out most: first, last, score; None if none does."""
    clipped = np.clip(z, -MOST, MOST)
    known = z != 0
    total, count = (np.concatenate([[0.0], np.cumsum(v)]) for v in (clipped, known.astype(float)))
    score_, first, last = _longest(total, count, _lengths(z.size // 2))
    if score_ > NEARLY * limit:  # worth all lengths
        score_, first, last = _longest(total, count, range(SHORTEST, z.size // 2 + 1))
    if score_ <= limit:
        return None
    inside = clipped[first:last][known[first:last]]
    sign = np.sign(inside.sum())
    strength = abs(float(inside.mean()))
    expected = min(AGREE, 0.5 + 0.3 * strength)  # a weak deviation leaves many on the other side of 0
    return (first, last, score_) if np.mean(np.sign(inside) == sign) >= expected else None


def _lengths(most: int) -> list[int]:
    """A few lengths, each a quarter longer."""
    out = [SHORTEST]
    while out[-1] < most:
        out.append(max(out[-1] + 1, int(1.25 * out[-1])))
    return [length for length in out if length <= most]


def _longest(total: Array, count: Array, lengths: Iterable[int]) -> tuple[float, int, int]:
    """Score, first and last of the run with the highest score."""
    best = 0.0, 0, 0
    for length in lengths:
        n = count[length:] - count[:-length]
        score = np.abs(total[length:] - total[:-length]) / np.sqrt(np.maximum(n, 1.0))
        score[n < SHORTEST] = 0.0
        k = int(np.argmax(score)) if score.size else 0
        if score.size and score[k] > best[0]:
            best = float(score[k]), k, k + length
    return best


def _snapped(first: int, last: int, size: int, count: int) -> tuple[int, int]:
    """Edges that lie close to those of bundles are theirs."""
    ends = []
    for edge in (first, last):
        near = round(edge / size) * size
        ends.append(near if abs(edge - near) <= SNAP and 0 <= near <= count else edge)
    return (ends[0], ends[1]) if ends[0] < ends[1] else (first, last)


def blocks_of_fibers(fibers: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Blocks of that size that the fibers fill, all but a few; () where they do not keep to blocks."""
    inside: dict[int, int] = {}
    for fiber in fibers:
        inside[fiber // size] = inside.get(fiber // size, 0) + 1
    return tuple(sorted(inside)) if all(n >= FILLED * size for n in inside.values()) else ()
