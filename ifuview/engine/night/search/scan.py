"""Fibers, and runs of neighbors on the slit, whose number differs from the others': any place, any length.

One number per fiber with its error. A run counts by the sum of its clipped deviations, so that no single fiber makes
it; the limits hold for all places and lengths that are looked at together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import mad
from ifuview.model.checks import Array

SINGLE, RUN = 6.3, 6.0  # sigma of a fiber, of a run
MOST = 4.6  # sigma that a fiber counts in a run
SHORTEST = 3  # fibers of a run
AGREE = 0.75  # of the deviations of a run that have its sign, from this and its strength
NEARLY = 0.8  # of the limit, by a few lengths
MOST_SPANS = 80  # found in one camera
FILLED = 0.8  # of a block
TINY = 1e-30
WHOLE = 14.0  # of chi2 that a whole bundle, or two, may explain less: the odds against its edges by chance
MOST_BUNDLES = 2


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
    """Deviation from the median of the fibers in use, by their precision, errors that their scatter agrees with.

    0 and infinite elsewhere.
    """
    use = use & np.isfinite(value) & np.isfinite(error) & (error > 0)
    if np.count_nonzero(use) < 2 * SHORTEST:
        return np.zeros(value.shape), np.full(value.shape, np.inf)
    away = np.where(use, value - weighted_median(value[use], error[use] ** -2.0), 0.0)
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
        Size of a bundle: whole ones are preferred where the data hardly tell; 0: none.
    """
    away, error = deviations(value, error, use)
    weight = error**-2.0
    z = away / error
    left = weight > 0  # fibers that no span has told of
    out: list[Span] = []
    for _ in range(MOST_SPANS):
        span = _best(z, np.where(left, weight, 0.0), run, snap)
        at = int(np.argmax(np.abs(z)))
        alone = abs(z[at]) > single and not (span is not None and span[0] <= at < span[1])
        if span is None and not alone:
            break
        first, last = (at, at + 1) if span is None or (alone and abs(z[at]) > span[2]) else span[:2]
        part = slice(first, last)
        total = float(weight[part].sum())
        mean = float(np.sum(weight[part] * away[part])) / max(total, 1e-30)
        if last - first > 1:
            mean = weighted_median(away[part], weight[part])
        out.append(Span(first, last, mean, float(total**-0.5), abs(mean) * float(total**0.5)))
        z = z.copy()
        rest = np.where(
            np.isfinite(error[part]), (away[part] - (mean if last - first > 1 else away[part])) / error[part], 0
        )
        left[part] &= np.abs(rest) > single  # a fiber of its own inside a run
        z[part] = np.where(left[part], rest, 0.0)
    return out


def weighted_median(values: Array, weight: Array) -> float:
    """The value that half of the weight lies below."""
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])


def _best(z: Array, weight: Array, limit: float, bundle: int) -> tuple[int, int, float] | None:
    """The run that stands out most: first, last, score; None if none does.

    Fibers count by their precision, each by no more than MOST sigma.
    """
    known = weight > 0  # others were not measured, or are told of
    clipped = np.clip(z, -MOST, MOST)
    sums = tuple(
        np.concatenate([[0.0], np.cumsum(v)]) for v in (clipped * np.sqrt(weight), weight, known.astype(float))
    )
    score, first, last = _longest(sums, some_lengths(z.size // 2))
    if score > NEARLY * limit:  # worth all lengths
        score, first, last = _longest(sums, range(SHORTEST, z.size // 2 + 1))
    if score <= limit:
        return None
    if bundle:
        best = score, first, last
        score, first, last = whole_bundles(
            lambda a, b: _longest(tuple(v[[a, b]] for v in sums), (1,))[0], bundle, z.size, best
        )
    inside, of = clipped[first:last], weight[first:last]
    sign = np.sign(float(np.sum(inside * np.sqrt(of))))
    strength = float(np.sqrt(np.sum(of * inside**2) / of.sum()))
    expected = min(AGREE, 0.5 + 0.3 * strength)  # a weak deviation leaves many on the other side of 0
    agreed = float(of[np.sign(inside) == sign].sum() / of.sum())
    return (first, last, score) if agreed >= expected else None


def whole_bundles(
    score_of: Callable[[int, int], float], bundle: int, count: int, best: tuple[float, int, int]
) -> tuple[float, int, int]:
    """The whole bundles of `count` fibers that explain nearly as much as the best run; that run if none do."""
    score, first, last = best
    found = best
    for size in range(1, MOST_BUNDLES + 1):
        whole = size * bundle  # two are one block in the focal plane
        for start in range(first // whole * whole - whole, last, whole):
            stop = start + whole
            if start >= 0 and stop <= count and start < last and first < stop:
                own = score_of(start, stop)
                if own**2 > score**2 - WHOLE and (found is best or own > found[0]):
                    found = own, start, stop
    return found


def some_lengths(most: int) -> list[int]:
    """A few lengths, each a quarter longer."""
    out = [SHORTEST]
    while out[-1] < most:
        out.append(max(out[-1] + 1, int(1.25 * out[-1])))
    return [length for length in out if length <= most]


def _longest(sums: tuple[Array, ...], lengths: Iterable[int]) -> tuple[float, int, int]:
    """Score, first and last of the run with the highest score, by running sums of deviations, weights, and numbers."""
    totals, weights, numbers = sums
    whole = numbers[-1] == numbers.size - 1
    best = 0.0, 0, 0
    for length in lengths:
        total, weight = totals[length:] - totals[:-length], weights[length:] - weights[:-length]
        square = total * total / np.maximum(weight, TINY)
        if not whole:
            square[numbers[length:] - numbers[:-length] < SHORTEST] = 0.0
        k = int(square.argmax())
        if square[k] > best[0]:
            best = float(square[k]), k, k + length
    return best[0] ** 0.5, *best[1:]


def blocks_of_fibers(fibers: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Blocks of that size that the fibers fill, all but a few; () where they do not keep to blocks."""
    inside: dict[int, int] = {}
    for fiber in fibers:
        inside[fiber // size] = inside.get(fiber // size, 0) + 1
    return tuple(sorted(inside)) if all(n >= FILLED * size for n in inside.values()) else ()
