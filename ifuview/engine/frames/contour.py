"""Lines of equal value of an image: levels above the noise or between limits, found on a coarse copy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import robust_sigma

Floats = NDArray[np.float64]
Line = NDArray[np.float64]  # shape (n, 2): x, y

FIRST_SIGMA, FACTOR, MOST_LEVELS = 3.0, 2.0, 7  # 3, 6, 12 ... sigma
ROUNDS, CLIP = 4, 3.0  # of the median and the noise
LEAST_POINTS = 4  # of a line: smaller ones are single pixels of noise
MOST_POINTS = 200_000  # of all lines


def levels_above(values: Floats) -> tuple[float, ...]:
    """Levels of 3, 6, 12 ... sigma above the median of an image, as far as it has such pixels."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return ()
    use = known
    middle, sigma = 0.0, 0.0
    for _ in range(ROUNDS):
        middle = float(np.median(use))
        sigma = robust_sigma(use, middle)
        kept = use[np.abs(use - middle) <= CLIP * sigma]
        if kept.size in (0, use.size):
            break
        use = kept
    if sigma <= 0:
        return ()
    found = [middle + sigma * FIRST_SIGMA * FACTOR**n for n in range(MOST_LEVELS)]
    return tuple(level for level in found if level < float(known.max()))


def levels_between(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """Levels at equal distances between limits, both left out."""
    return tuple(float(level) for level in np.linspace(low, high, count + 2)[1:-1]) if high > low else ()


def contours(values: Floats, levels: tuple[float, ...], step: tuple[float, float] = (1.0, 1.0)) -> tuple[Line, ...]:
    """Lines of equal value.

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
        NaN where nothing is known: lines end there. A copy may be coarse: see `step`.
    levels : tuple of float
    step : (along x, along y), px
        Native pixels that each value stands for.

    Returns
    -------
    tuple of ndarray, shape (n, 2), native px
        The highest levels first; what is too much is left out with the lowest.
    """
    from contourpy import contour_generator

    ny, nx = values.shape
    x, y = ((np.arange(n) + 0.5) * s - 0.5 for n, s in ((nx, step[0]), (ny, step[1])))
    made = contour_generator(x, y, np.ma.masked_invalid(values))
    out: list[Line] = []
    points = 0
    for level in sorted(levels, reverse=True):
        lines = [np.asarray(line, np.float64) for line in made.lines(level)]
        lines = [line for line in lines if len(line) >= LEAST_POINTS]
        points += sum(map(len, lines))
        if points > MOST_POINTS:
            break
        out += lines
    return tuple(out)
