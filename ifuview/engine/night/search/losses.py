"""Runs of neighbors on the slit that have another part of the light: all that tells it, taken together.

Lines of the sky tell it in every fiber, the level in sky fibers. A target has light of its own, and that is never less
than nothing: in a run that loses light the darkest targets lie below zero, in one that gains it none is near zero. A
wrong flat shows in the flat, too. Each gives the logarithm of a likelihood for every loss; a run has their sum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_ndtr

from ifuview.engine.night.search.scan import AGREE, MOST, RUN, Span, some_lengths, weighted_median, whole_bundles
from ifuview.engine.night.search.throughput import FEW, guilt
from ifuview.engine.night.stats import mad, middle
from ifuview.model.checks import Array

STEPS = np.concatenate([-np.geomspace(0.4, 0.003, 22), np.geomspace(0.003, 0.6, 24)])  # of the light, gained
EDGE = 0.1  # of the sky: targets below tell how many are near zero
SHORTEST, MOST_RUNS = 3, 24
NEARLY = 0.8  # of the limit, by a few lengths
SURE = 3.0  # errors of what lines and sky fibers say by themselves
SEEN = 4.0  # sigma of the light alone, where a flat stands out
OWN = 0.5  # of what a fiber is off by that its run may differ by
FEW_TELL, REST = 2, 0.5  # fibers that tell most of a run; log of the likelihood that the others must add
MODEST = 0.2  # by how much a deviation of one sigma a fiber lets more than half of them agree


@dataclass(frozen=True, slots=True, eq=False)
class ToldLight:
    """What is known of the light of each fiber, shape (nfiber,) each; errors are infinite where nothing is.

    Parameters
    ----------
    lines, lines_error : ndarray
        Part of the lines of the sky that it keeps.
    level, level_error : ndarray
        Its light after the sky, part of the sky.
    empty : ndarray of bool
        Sky fibers whose level is that of their lines; all others may have light of their own.
    """

    lines: Array
    lines_error: Array
    level: Array
    level_error: Array
    empty: Array


def of_light(of: ToldLight) -> Array:
    """How likely each of STEPS is against none, by the light of each fiber, shape (nfiber, nstep)."""
    own = _gaussian(of.lines, of.lines_error)
    known = np.isfinite(of.level) & np.isfinite(of.level_error)
    level, error = np.where(known, of.level, 0.0), np.where(known, of.level_error, np.inf)
    own += _gaussian(level, np.where(of.empty, error, np.inf))
    rows = np.flatnonzero(known & ~of.empty)
    if rows.size:
        near = np.count_nonzero((level[rows] > 0) & (level[rows] < EDGE)) / EDGE / rows.size
        z, by = (level[rows] / error[rows])[:, None], STEPS / error[rows, None]
        own[rows] += log_ndtr(z - by) - log_ndtr(z) + near * STEPS
    return np.clip(own, -(MOST**2) / 2, MOST**2 / 2)


def with_flat(own: Array, away: Array, scatter: float) -> Array:
    """The same with the flats, whose logarithms lie this far from the others': no fiber counts for more by both."""
    by_flat = _gaussian(-np.nan_to_num(away), np.where(np.isfinite(away), scatter, np.inf))
    return np.clip(own + by_flat, -(MOST**2) / 2, MOST**2 / 2)


def _gaussian(value: Array, error: Array) -> Array:
    weight = (error**-2.0)[:, None]
    return np.asarray(weight * (value[:, None] * STEPS - STEPS**2 / 2))


def lost_runs(curves: Array, bundle: int) -> list[Span]:
    """Runs of fibers, the most significant first; whole bundles where the data hardly tell.

    What fibers of most bundles show is no run's.

    Parameters
    ----------
    curves : ndarray, shape (nfiber, nstep)
    bundle : int
        Fibers.
    """
    left, out = _over_most(curves, bundle), []
    for _ in range(MOST_RUNS):
        found = _best(left, bundle)
        if found is None:
            break
        out.append(found)
        left[found.first : found.last] = 0.0
    return out


def _over_most(curves: Array, bundle: int) -> Array:
    """The same over what the typical bundle has of it: fibers everywhere, each by itself, may be off."""
    known = np.abs(curves).max(axis=1) > 0
    starts = np.arange(0, curves.shape[0], bundle)
    number = np.add.reduceat(known, starts)
    told = number > bundle // 2
    if not told.any():
        return curves.copy()
    means = np.add.reduceat(curves, starts, axis=0)[told] / number[told, None]
    return curves - known[:, None] * np.maximum(np.median(means, axis=0), 0.0)


def runs_of_light(of: ToldLight, flat_level: Array | None, bundle: int) -> list[Span]:
    """Runs that have another part of the light; where the flat is wrong it says where they end, and finds weak ones.

    Parameters
    ----------
    of : ToldLight
    flat_level : ndarray, shape (nfiber,), or None
        Level of each fiber's flat.
    bundle : int
        Fibers.
    """
    own = of_light(of)
    out = [measured(of, s) for s in lost_runs(own, bundle)]
    if flat_level is None:
        return out
    logs = np.log(np.where(flat_level > 0, flat_level, np.nan))
    away = logs - middle(logs)
    both = with_flat(own, away, max(float(mad(away)), FEW))
    for span in (measured(of, s) for s in lost_runs(both, bundle)):
        same = [s for s in out if s.first < span.last and span.first < s.last]
        seen = bool(same) or score_of(own, span.first, span.last) > SEEN
        if seen and all(guilt(flat_level, s.fibers, 1 + s.value, s.error).step == "fiberflat" for s in (span, *same)):
            out = [s for s in out if s not in same] + [span]
    return out


def runs_without_strangers(of: ToldLight, singles: list[Span], flat_level: Array | None, bundle: int) -> list[Span]:
    """Runs as above; fibers that are off by themselves, by another amount, make none and end none.

    Parameters
    ----------
    of, flat_level, bundle
        As above.
    singles : list of Span
        Fibers that stand out by themselves.
    """
    runs = _trimmed(of, runs_of_light(of, flat_level, bundle))
    own = [s for s in singles if not any(r.first <= s.first < r.last and _alike(r, s) for r in runs)]
    if not own or not runs:
        return runs
    unknown = np.zeros(of.lines.size, bool)
    unknown[[s.first for s in own]] = True
    errors = (np.where(unknown, np.inf, error) for error in (of.lines_error, of.level_error))
    lines_error, level_error = errors
    level = None if flat_level is None else np.where(unknown, np.nan, flat_level)
    left = replace(of, lines_error=lines_error, level_error=level_error, empty=of.empty & ~unknown)
    return _trimmed(left, runs_of_light(left, level, bundle))


def _trimmed(of: ToldLight, runs: list[Span]) -> list[Span]:
    """The runs without fibers at their ends that keep all their light; what is too short then is no run."""
    out = []
    for run in runs:
        keep = (np.abs(of.lines - run.value) < SURE * of.lines_error) | (np.abs(of.lines) > OWN * abs(run.value))
        inside = np.flatnonzero(keep[run.first : run.last])
        if inside.size and inside[-1] - inside[0] + 1 >= SHORTEST:
            out.append(replace(run, first=run.first + int(inside[0]), last=run.first + int(inside[-1]) + 1))
    return out


def _alike(run: Span, single: Span) -> bool:
    """Whether a fiber is off by what its run is."""
    return abs(run.value - single.value) < OWN * abs(single.value)


def measured(of: ToldLight, span: Span) -> Span:
    """The run with its light by lines and sky fibers alone, where they tell: what targets say is a bound."""
    part = slice(span.first, span.last)
    weights = of.lines_error[part] ** -2.0, np.where(of.empty, of.level_error, np.inf)[part] ** -2.0
    values = of.lines[part], np.where(of.empty, of.level, 0.0)[part]
    total = float(np.sum(weights))
    if not total > 0:
        return span
    value = weighted_median(np.concatenate(values), np.concatenate(weights))
    return replace(span, value=value, error=total**-0.5) if value**2 * total > SURE**2 else span


def score_of(curves: Array, first: int, last: int) -> float:
    """Significance of a run, sigma."""
    return float(np.sqrt(2 * max(curves[first:last].sum(axis=0).max(), 0.0)))


def _best(curves: Array, bundle: int) -> Span | None:
    """The run that stands out most; None if none does."""
    known = np.cumsum(np.append(0, np.abs(curves).max(axis=1) > 0))
    sums = np.concatenate([np.zeros((1, STEPS.size)), np.cumsum(curves, axis=0)])
    most = curves.shape[0] // 2
    found = _longest(sums, known, some_lengths(most))
    if found[0] > NEARLY * RUN:
        found = _longest(sums, known, range(SHORTEST, most + 1))
    if found[0] <= RUN:
        return None
    score, first, last = whole_bundles(
        lambda a, b: _longest(sums[[a, b]], known[[a, b]], (1,))[0], bundle, curves.shape[0], found
    )
    total = sums[last] - sums[first]
    at = int(np.argmax(total))
    inside = curves[first:last, at]
    strength = score / np.sqrt(max(int(known[last] - known[first]), 1))
    if inside[inside > 0].sum() < min(AGREE, 0.5 + MODEST * strength) * np.abs(inside).sum():
        return None
    if np.sort(inside)[:-FEW_TELL].sum() < REST:  # what two fibers have by themselves is not their run's
        return None
    weight = np.exp(total - total[at])
    value = float(np.sum(weight * STEPS * np.abs(STEPS)) / np.sum(weight * np.abs(STEPS)))
    return Span(first, last, value, abs(value) / score, score)


def _longest(sums: Array, known: Array, lengths: range | list[int] | tuple[int, ...]) -> tuple[float, int, int]:
    """Score, first and last of the run with the highest score."""
    best = 0.0, 0, 0
    for length in lengths:
        total = (sums[length:] - sums[:-length]).max(axis=1)
        total[known[length:] - known[:-length] < SHORTEST] = 0.0
        k = int(np.argmax(total)) if total.size else 0
        if total.size and 2 * total[k] > best[0] ** 2:
            best = float(np.sqrt(2 * total[k])), k, k + length
    return best
