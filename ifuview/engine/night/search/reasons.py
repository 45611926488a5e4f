"""Why the level of a fiber that should be empty is not zero: what each reason would leave, and how well it fits.

A fiber that has another part of the light keeps a part of the sky, lines included; a level that the detector added or
lost is the same at all wavelengths; a column of the detector begins and ends; an object has a smooth spectrum and
leaves the lines alone. Every reason is fitted to the bins of the continuum and to the lines at once, against a fiber
that differs by no more than fibers naturally do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.search.levels import SHORTEST, Levels
from ifuview.model.checks import Array

FACTOR, CONSTANT, PART, SMOOTH = "factor", "constant", "part", "smooth"
COST = {FACTOR: 0.0, CONSTANT: 0.0, PART: 6.0, SMOOTH: 9.0}  # of chi2, for what a reason may choose
LONGEST = 0.75  # of the bins: what is longer is no part
SMOOTH_TERMS = 3  # of a parabola


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    Parameters
    ----------
    kind : str
        FACTOR, CONSTANT, PART or SMOOTH.
    gain : float
        Of chi2 over no reason, its cost taken off.
    level : float
        Counts; of FACTOR: part of the sky.
    first, last : int
        Bins of PART, half-open; of the others all.
    """

    kind: str
    gain: float
    level: float
    first: int
    last: int


def reasons(of: Levels, fiber: int, lines: tuple[float, float], natural: float, excess: float) -> dict[str, Reason]:
    """Every reason for the level of a fiber; none where too little is known.

    Parameters
    ----------
    of : Levels
    fiber : int
    lines : (float, float)
        Part of the sky lines that the fiber keeps, and its error; infinite if unknown.
    natural : float
        Scatter of the throughput of fibers.
    excess : float
        Scatter of the bins over their noise.
    """
    known = np.isfinite(of.error[fiber])
    count = int(np.count_nonzero(known))
    if count < 2 * SHORTEST:
        return {}
    value = np.append(of.value[fiber][known], lines[0] if np.isfinite(lines[1]) else 0.0)
    weight = np.append((excess * of.error[fiber][known]) ** -2.0, lines[1] ** -2.0)
    sky = np.append(of.sky[known], 1.0)
    own = float(np.sum(weight * sky**2))
    total = natural**-2.0 + own
    rest = weight * (value - sky * np.sum(weight * sky * value) / total)  # what natural scatter does not explain
    out = _part(rest[:count], weight[:count], (weight * sky)[:count], total)
    factor = float(np.sum(weight * sky * value)) / own
    out.append(Reason(FACTOR, factor**2 * own * natural**-2.0 / total, factor, 0, count))
    u = np.linspace(-1, 1, count)
    terms = np.append(np.stack([u**k for k in range(SMOOTH_TERMS)]), np.zeros((SMOOTH_TERMS, 1)), axis=1)
    with_sky = terms @ (weight * sky)
    normal = (terms * weight) @ terms.T - np.outer(with_sky, with_sky) / total
    right = terms @ rest
    gain = float(right @ np.linalg.solve(normal, right))
    out += [
        Reason(CONSTANT, float(right[0] ** 2 / normal[0, 0]), float(right[0] / normal[0, 0]), 0, count),
        Reason(SMOOTH, gain, float(right[0] / normal[0, 0]), 0, count),
    ]
    cost = {**COST, PART: COST[PART] * (1 if out[0].level > 0 else 2)}  # light is added by columns, rarely lost
    return {r.kind: Reason(r.kind, r.gain - cost[r.kind], r.level, r.first, r.last) for r in out}


def constant_scores(of: Levels, lines: tuple[Array, Array], natural: float, excess: float) -> Array:
    """Significance of a level that is the same at all wavelengths in each fiber, shape (nfiber,), sigma with sign.

    What a fiber naturally keeps of the sky has the sky's shape, and is no part of it.

    Parameters
    ----------
    of : Levels
    lines : (ndarray, ndarray), shape (nfiber,)
        Part of the sky lines that each keeps, and its error; infinite if unknown.
    natural, excess : float
        See `reasons`.
    """
    weight = (excess * of.error) ** -2.0
    by_lines = lines[1] ** -2.0
    of_lines = by_lines * np.where(by_lines > 0, np.nan_to_num(lines[0]), 0.0)
    with_sky = weight @ of.sky
    total = natural**-2.0 + weight @ of.sky**2 + by_lines
    part = ((weight * of.value) @ of.sky + of_lines) / total
    right, normal = np.sum(weight * of.value, axis=1) - with_sky * part, weight.sum(axis=1) - with_sky**2 / total
    return np.asarray(np.where(normal > 0, right / np.sqrt(np.where(normal > 0, normal, 1.0)), 0.0))


def of_target(share: float, lines: tuple[float, float]) -> tuple[float, float]:
    """(factor, gain of chi2 over a constant) of a fiber below zero that may have light of its own: its lines tell."""
    factor = min(share, lines[0]) if np.isfinite(lines[1]) else share
    return factor, (lines[0] ** 2 - (lines[0] - factor) ** 2) / lines[1] ** 2


def _part(rest: Array, weight: Array, with_sky: Array, total: float) -> list[Reason]:
    """The stretch of bins that has a level where the others have none."""
    sums, weights, skies = (np.concatenate([[0.0], np.cumsum(v)]) for v in (rest, weight, with_sky))
    first, last = np.triu_indices(rest.size + 1, SHORTEST)
    short = last - first <= LONGEST * rest.size
    first, last = first[short], last[short]
    norm = weights[last] - weights[first] - (skies[last] - skies[first]) ** 2 / total
    level = (sums[last] - sums[first]) / norm
    k = int(np.argmax(level**2 * norm))
    return [Reason(PART, float(level[k] ** 2 * norm[k]), float(level[k]), int(first[k]), int(last[k]))]
