"""Light of bundles and of sky fibers, where faint lines tell no single fiber which of two groups it belongs to."""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.questions.case import BUNDLE, Case
from ifuview.engine.night.search.levels import Levels
from ifuview.engine.night.search.scan import WHOLE
from ifuview.engine.night.search.throughput import FEW
from ifuview.engine.night.stats import mad
from ifuview.engine.numeric.groups import TwoGroups
from ifuview.model.checks import Array

LEAST_SKY = 10  # fibers that tell the sky
NATURAL = 0.01  # scatter of the light of sky fibers
STRANGERS = 0.2  # of the sky fibers of a stretch that may be of the other group
SORTED, AGREE = 9.0, 0.5  # of chi2 that tells the group of a target; part of a difference that flats must show
TINY = 1e-30


def weighted_mean(value: Array, error: Array, use: Array) -> tuple[float, float]:
    """Mean of the fibers in `use` by their precision, and its error: infinite if nothing is known."""
    use = use & np.isfinite(value) & np.isfinite(error)
    weight = error[use] ** -2.0
    total = float(weight.sum())
    return (float(np.sum(weight * value[use])) / total, total**-0.5) if total > 0 else (0.0, np.inf)


def in_bundles(value: Array, error: Array) -> tuple[Array, Array]:
    """Weighted means of the fibers of each bundle and their errors, shape (nbundle,); infinite if nothing is known.

    Parameters
    ----------
    value, error : ndarray, shape (nfiber,)
    """
    bundle = np.arange(value.size) // BUNDLE
    both = [weighted_mean(value, error, bundle == b) for b in range(int(bundle[-1]) + 1)]
    return np.array([mean for mean, _ in both]), np.array([of for _, of in both])


def with_sky_fibers(case: Case, of: Levels, lines: tuple[Array, Array]) -> tuple[Array, Array]:
    """Light of each fiber by its lines and, in sky fibers, by its level, and the error, shape (nfiber,) each."""
    value, error = lines
    empty = case.is_sky & case.measured & ~case.known & np.isfinite(error) & np.isfinite(of.share)
    if np.count_nonzero(empty) < LEAST_SKY:
        return lines
    level = of.share + case.tilt  # half of the fibers may make a plane over the field
    level = level + weighted_mean(value - level, error, empty)[0]  # both count from the same light
    weight = error**-2.0
    of_level = np.where(empty, np.hypot(of.share_error, NATURAL), np.inf) ** -2.0
    total = weight + of_level
    with np.errstate(invalid="ignore", divide="ignore"):
        both = (weight * value + np.where(empty, of_level * level, 0.0)) / total
    return np.where(total > 0, both, 0.0), np.where(total > 0, np.maximum(total, TINY) ** -0.5, np.inf)


def at_edges(member: Array, nearer: Array) -> Array:
    """The same groups with edges where the fibers beside them have them; at bundles where they hardly tell.

    Parameters
    ----------
    member : ndarray of int, shape (nfiber,)
        1 in the upper group, 0 in the lower, -1 in none.
    nearer : ndarray, shape (nfiber,)
        By how much of chi2 each fiber is nearer to the upper one.
    """
    out, told = member.copy(), np.nan_to_num(nearer)
    for edge in range(0, member.size + 1, BUNDLE):
        inside = member[max(edge - 1, 0)], member[min(edge, member.size - 1)]
        before, after = (
            inside if 0 < edge < member.size else (1 - inside[0], inside[1]) if not edge else (inside[0], 1 - inside[1])
        )
        if before == after or min(before, after) < 0:
            continue
        first, last = max(edge - BUNDLE, 0), min(edge + BUNDLE, member.size)
        gain = np.concatenate([[0.0], np.cumsum(told[first:last] * (before - after))])
        best = int(np.argmax(gain))
        if gain[best] > gain[edge - first] + WHOLE:
            out[first : first + best], out[first + best : last] = before, after
    return out


def one_stretch(some: Array, of: Array) -> bool:
    """Whether some of the sky fibers are neighbors among these: a run of fibers, which is looked for by itself."""
    at = np.flatnonzero(some)
    inside = np.count_nonzero(of[at[0] : at[-1] + 1])
    return bool(inside - at.size <= STRANGERS * at.size)


def sorted_by_light(case: Case, groups: TwoGroups, lines: tuple[Array, Array], others: Array) -> tuple[Array, Array]:
    """The two groups of sky fibers with the other fibers whose lines and flats tell where they belong."""
    log_likelihood = nearer(lines[0], lines[1], groups.values)
    if case.flat_level is not None:
        logs = np.log(np.where(case.flat_level > 0, case.flat_level, np.nan))
        levels = [float(np.nanmean(logs[side])) for side in (groups.low, groups.high)]
        scatter = max(float(mad(logs[groups.low] - levels[0])), float(mad(logs[groups.high] - levels[1])), FEW)
        expected = float(np.log((1 + groups.values[1]) / (1 + groups.values[0])))
        if abs(levels[0] - levels[1] - expected) < AGREE * expected:
            log_likelihood = log_likelihood + np.nan_to_num(nearer(logs, scatter, (levels[0], levels[1])))
    return groups.low | (others & (log_likelihood < -SORTED)), groups.high | (others & (log_likelihood > SORTED))


def nearer(value: Array, error: Array | float, values: tuple[float, float]) -> Array:
    """By how much of chi2 each fiber is nearer to the second of two values, shape (nfiber,)."""
    return np.asarray(((value - values[0]) ** 2 - (value - values[1]) ** 2) / error**2)
