"""Are the lines of a large part of the fibers off alike: too weak, displaced, too wide? Then the rest is asked without.

The sky model is a mean of right and wrong fibers then, so that all of them differ from it, and what is asked of rows,
amplifiers and bundles answers to that. Therefore what the part is off by is taken out of the products, the sky model is
put where the other fibers have it, and the camera is examined again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ifuview.engine.night import others
from ifuview.engine.night.parts.means import (
    LEAST_SKY,
    at_edges,
    in_bundles,
    nearer,
    one_stretch,
    sorted_by_light,
    weighted_mean,
    with_sky_fibers,
)
from ifuview.engine.night.questions.case import BUNDLE, MODEL_CLIP, Case
from ifuview.engine.night.questions.changes import (
    FACTOR,
    LEAST,
    LINE_STEP,
    SHIFT,
    WHERE,
    WIDTH,
    Changes,
    in_words,
    span_of_lines,
)
from ifuview.engine.night.search.levels import Levels
from ifuview.engine.night.search.templates import KINDS
from ifuview.engine.night.search.throughput import Guilt, guilt
from ifuview.engine.numeric.groups import TwoGroups, two_groups
from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain
from ifuview.model.night.triage import Finding, ranges

LEAST_PART = 5.0  # times what is worth a finding of one fiber
HALF = 0.35  # of the fibers: which of the two groups is wrong the number of its fibers does not tell
MOST_SAID = 6  # runs in a sentence
LEAST_LEVEL = 0.012  # of the sky
OF_AMPLIFIERS = ("amplifier-step", "ccd-row")  # that tell of levels of many fibers, too
LEVEL_OF_MANY = "level of many sky fibers"
FEW_RUNS = 4  # that are parts of the slit; more are fibers of their own
LEAST_BUNDLES = 12  # whose means tell two groups
SEEN, JACKKNIFE, SAME = 9.0, 3.0, 0.3  # of chi2 that lines tell a difference by; errors, or part, they may miss it by
CHARGE, ALONG = "charge-transfer", "along"
OTHER_FIBERS = 0.1  # that an amplifier may have, and the lines that its charge moves are its own
MIXED = 0.05  # sky fibers of the other group
OR_OTHERS = "; or the other {} by the reverse: of two halves the lines do not tell which is wrong"


@dataclass(frozen=True, slots=True, eq=False)
class LargePart:
    """Fibers that are off alike.

    Parameters
    ----------
    kind : int
        FACTOR, SHIFT or WIDTH of their lines.
    wrong, others : ndarray of bool, shape (nfiber,)
    changes : ndarray, shape (2, 3)
        Factor, shift and width of the wrong ones, and of the others, against the sky model.
    significance : float
    """

    kind: int
    wrong: Array
    others: Array
    changes: Array
    significance: float

    @property
    def size(self) -> float:
        """By how much the wrong ones differ from the others; of a factor, part of the others' light."""
        own, rest = self.changes[:, self.kind]
        return float((1 + own) / (1 + rest) - 1 if self.kind == FACTOR else own - rest)


def set_apart(case: Case, found: Changes | None, of: Levels | None = None) -> bool:
    """Whether a large part of the fibers is off; noted, with what is left to examine."""
    part = None if found is None or not case.asks_parts else large_part(case, found, of)
    if found is None or part is None or _of_charge(case, part):
        return False
    case.without_part = without(case, part, found), told_of(case, part, found)
    return True


def _of_charge(case: Case, part: LargePart) -> bool:
    """Whether charge that lags behind in an amplifier, which is told already, moves and widens the lines of a side.

    Both amplifiers of a side that trail are lines that moved.
    """
    judged, trail = part.wrong | part.others, 0
    for told in (f for f in case.findings if f.kind == CHARGE and f.detail["way"] == ALONG):
        lags = np.isin(np.arange(judged.size), told.fibers) & judged
        trail += any(np.count_nonzero(lags ^ side) < OTHER_FIBERS * judged.sum() for side in (part.wrong, part.others))
    return trail == 1 and part.kind != FACTOR


def large_part(case: Case, found: Changes, of: Levels | None = None) -> LargePart | None:
    """The part that differs most clearly; None if there is none.

    Where faint lines tell no single fiber the bundles do, each by all its fibers and the level of its sky fibers, or
    the sky fibers by themselves.
    """
    return _of_fibers(case, found) or _of_bundles(case, found, of) or _of_sky_fibers(case, found, of)


def _of_fibers(case: Case, found: Changes) -> LargePart | None:
    """The same, each fiber by itself."""
    best: LargePart | None = None
    for kind in range(len(KINDS)):
        value = found.fits.value[kind] + found.model.value[kind]  # of the frame: what a model of its own has is no part
        groups = two_groups(value, found.fits.error[kind], found.use)
        if groups is None or groups.values[1] - groups.values[0] < LEAST_PART * LEAST[kind]:
            continue
        if best is None or groups.significance > best.significance:
            best = _part(case, found, kind, groups)
    return best


def _of_bundles(case: Case, found: Changes, of: Levels | None) -> LargePart | None:
    """The same of whole bundles."""
    best: LargePart | None = None
    for kind in range(len(KINDS)):
        lines = found.fits.value[kind], np.where(found.use, found.fits.error[kind], np.inf)
        told = lines if kind != FACTOR or of is None else with_sky_fibers(case, of, lines)
        told = told[0] + found.model.value[kind], told[1]
        value, error = in_bundles(*told)
        groups = two_groups(value, error, np.isfinite(error), LEAST_BUNDLES)
        if groups is None or groups.values[1] - groups.values[0] < LEAST_PART * LEAST[kind]:
            continue
        of_bundle = np.arange(found.use.size) // BUNDLE
        high = groups.high | (~groups.low & (value > np.mean(groups.values)) & (value < groups.values[1]))
        low = groups.low | (~groups.high & (value <= np.mean(groups.values)) & (value > groups.values[0]))
        member = np.where(high[of_bundle], 1, np.where(low[of_bundle], 0, -1))  # some lie between: an edge is in them
        member = at_edges(member, nearer(told[0], told[1], groups.values))
        sides = found.use & (member == 0), found.use & (member == 1)
        part = _told_by_means(case, found, kind, sides, told)
        if part is not None and (best is None or part.significance > best.significance):
            best = part
    return best


def _of_sky_fibers(case: Case, found: Changes, of: Levels | None) -> LargePart | None:
    """The same of the light of sky fibers, and of the others that every second fiber, their lines and flats tell."""
    if of is None:
        return None
    lines = found.fits.value[FACTOR], np.where(found.use, found.fits.error[FACTOR], np.inf)
    told = with_sky_fibers(case, of, lines)
    empty = case.is_sky & found.use & (told[1] < lines[1])
    groups = two_groups(*told, empty)
    if groups is None or groups.values[1] - groups.values[0] < LEAST_PART * LEAST[FACTOR]:
        return None
    if any(one_stretch(side, empty) for side in (groups.low, groups.high)):
        return None
    parity = np.arange(empty.size) % 2 == 1
    for odd in (parity, ~parity):
        if np.count_nonzero(groups.high & ~odd) + np.count_nonzero(groups.low & odd) <= MIXED * np.count_nonzero(empty):
            return _told_by_means(case, found, FACTOR, (found.use & ~odd, found.use & odd), told)
    whole = sorted_by_light(case, groups, lines, found.use & ~empty)
    return _told_by_means(case, found, FACTOR, (groups.low, groups.high), told, whole)


def _told_by_means(
    case: Case, found: Changes, kind: int, sides: tuple[Array, Array], told: tuple[Array, Array],
    whole: tuple[Array, Array] | None = None,
) -> LargePart | None:  # fmt: skip
    """Two groups by their means; None where their lines do not show what they differ by: a level adds nothing to them.

    `told` is what is known of each fiber, value and error, `sides` the lower and the upper group; `whole` are these
    with fibers that were chosen by their lines, and say nothing of the means.
    """
    whole = whole or sides
    own = found.model.value[kind]
    (low, low_error), (high, high_error) = (weighted_mean(told[0] + own, told[1], side) for side in sides)
    lines = found.fits.value[kind] + own, found.fits.error[kind]
    (first, first_error), (second, second_error) = (weighted_mean(*lines, side) for side in sides)
    difference, error, expected = second - first, float(np.hypot(first_error, second_error)), high - low
    if difference**2 - (difference - expected) ** 2 < SEEN * error**2:
        return None
    if abs(difference - expected) > max(JACKKNIFE * error, SAME * abs(expected)):
        return None
    part = _part(case, found, kind, TwoGroups(*whole, (low, high), (low_error, high_error)))
    values = np.array([low, high]) - [float(np.median(own[side])) for side in sides]
    part.changes[:, kind] = values if part.wrong is whole[0] else values[::-1]
    return part


def _part(case: Case, found: Changes, kind: int, groups: TwoGroups) -> LargePart:
    """Which of two groups is wrong: the smaller one; of halves that with a flat of its own, less light, wider lines."""
    sides = [groups.low, groups.high]
    numbers = [int(np.count_nonzero(side)) for side in sides]
    first = int(np.argmin(numbers))
    if min(numbers) > HALF * sum(numbers):
        first = {FACTOR: 0, WIDTH: 1}.get(kind, int(np.argmax(np.abs(groups.values))))
        flats = [_guilt(case, kind, sides[k], groups.values[k], groups.values[1 - k]) for k in (0, 1)]
        told = [k for k in (0, 1) if flats[k].sure and flats[k].step == "fiberflat"]
        first = told[0] if len(told) == 1 else first
    wrong, others = sides[first], sides[1 - first]
    changes = np.array([np.median(found.fits.value[:, side], axis=1) for side in (wrong, others)])
    return LargePart(kind, wrong, others, changes, groups.significance)


def _guilt(case: Case, kind: int, side: Array, value: float, other: float) -> Guilt:
    """Whether the flat of some fibers is wrong, where their light is off."""
    if kind != FACTOR:
        return Guilt("light", False, 0.0)
    fibers = tuple(int(f) for f in np.flatnonzero(side))
    return guilt(case.flat_level, fibers, (1 + value) / (1 + other), 0.0)


def told_of(case: Case, part: LargePart, found: Changes) -> Finding:
    """The finding."""
    fibers = tuple(int(f) for f in np.flatnonzero(part.wrong))
    stretches = runs(part.wrong)
    names = ranges(tuple(f for first, last in stretches[:MOST_SAID] for f in range(first, last)))
    names += ", ..." * (len(stretches) > MOST_SAID)
    who = f"{len(fibers)} of {case.chain.shape[0]} fibers ({names})"
    rest = int(np.count_nonzero(part.others))
    either = OR_OTHERS.format(rest) if min(len(fibers), rest) > HALF * (len(fibers) + rest) else ""
    if part.kind == FACTOR:
        blame, of_light = _guilt(case, FACTOR, part.wrong, *part.changes[:, FACTOR]), "light"
        if len(stretches) <= FEW_RUNS:
            of_light = "trace"
        step = blame.first(of_light)
        either = "" if blame.sure and step == "fiberflat" else either
        why = "their flat stands out by as much" if step == "fiberflat" else "their flat is like the others'"
        return Finding(
            case.expid, case.camera, "block-throughput", step, fibers=fibers, amplitude=1 + part.size,
            unit="level / other blocks", significance=part.significance, confidence=0.8 if not either else 0.6,
            detail={"part_of_camera": round(len(fibers) / case.chain.shape[0], 3)},
            text=f"{who} have {1 + part.size:.3f} of the others' light at all wavelengths: {why}{blame.doubt}{either}",
            alternatives=blame.alternatives("block-throughput", of_light),
        )  # fmt: skip
    step = LINE_STEP[part.kind]
    return Finding(
        case.expid, case.camera, "sky-line residual", step, fibers=fibers, amplitude=_amplitude(part),
        unit="Angstrom", significance=part.significance, confidence=0.8 if not either else 0.6,
        wave_range=span_of_lines(case, found),
        detail={"change": KINDS[part.kind], "lines": list(found.lines),
                "share_of_sky_model": None, "part_of_camera": round(len(fibers) / case.chain.shape[0], 3)},
        text=f"In {who} the {_difference(part)}: {WHERE[step]}{either}",
    )  # fmt: skip


def _amplitude(part: LargePart) -> float:
    """Shift, or width in quadrature with its sign, Angstrom."""
    return part.size if part.kind == SHIFT else float(np.sign(part.size) * np.sqrt(abs(part.size)))


def _difference(part: LargePart) -> str:
    """By what their lines differ from the others', in words."""
    return in_words(part.kind, part.size).replace("those of the sky model", "those of the others")


def without(case: Case, part: LargePart, found: Changes) -> Chain:
    """The chain with the part put right, and with the sky model that the sky fibers then have.

    A model that was made of both, and left out what was far off, is wrong in its own way at each wavelength.
    """
    chain = case.chain
    assert chain.sframe is not None and chain.sky is not None and chain.frame is not None and chain.flat is not None
    wrong = part.wrong[:, None]
    sky, sframe = chain.sky, chain.sframe
    if part.kind == FACTOR:
        model = (sky * np.float32(1 + part.changes[1, FACTOR])).astype(np.float32)
        light = sframe + sky
        sframe = np.where(wrong, light / np.float32(1 + part.size), light) - model
    else:
        own, rest = (part.changes @ found.fits.shapes).astype(np.float32)
        model = sky + rest
        sframe = sframe - np.where(wrong, own, rest)
    lacks = mean_of_sky(case, sframe)
    model, sframe = model + lacks, sframe - lacks
    change: dict[str, Any] = {"sky": model.astype(sky.dtype), "sframe": sframe.astype(chain.sframe.dtype)}
    flat = np.where(chain.flat > 0, chain.flat, np.float32(1.0))
    change["frame"] = (chain.frame + (sframe - chain.sframe + model - sky) * flat).astype(chain.frame.dtype)
    change["cframe"] = others.calibrated(chain, sframe - chain.sframe)
    return replace(chain, **change)


def mean_of_sky(case: Case, sframe: Array) -> Array:
    """What the sky fibers have in common, shape (nwave,), float32; 0 where too few tell."""
    ivar = case.chain.sframe_ivar
    rows = np.flatnonzero(case.is_sky & case.measured & ~case.known)
    if ivar is None or rows.size < LEAST_SKY:
        return np.zeros(sframe.shape[1], np.float32)
    values, weight = sframe[rows], ivar[rows]
    away = np.abs(values - np.median(values, axis=0)) * np.sqrt(weight)
    use = (weight > 0) & (away < MODEL_CLIP)
    mean = np.where(use, values, 0.0).sum(axis=0) / np.maximum(use.sum(axis=0), 1)
    return np.asarray(np.where(use.sum(axis=0) >= LEAST_SKY, mean, 0.0), np.float32)


def two_levels(case: Case, of: Levels, empty: Array) -> bool:
    """Note many sky fibers with a level that the others have not: none stands out where they are nearly half."""
    groups = two_groups(of.share, of.share_error, empty)
    if groups is None or any(x.kind in OF_AMPLIFIERS for x in case.findings):
        return False
    share = groups.values[1] - groups.values[0]
    if share < LEAST_LEVEL:
        return False
    fibers = tuple(int(f) for f in np.flatnonzero(groups.high))
    case.add(
        "isolated-fiber", "light", fibers=fibers, amplitude=share, unit="of the sky", confidence=0.6,
        significance=groups.significance, detail={"cause": LEVEL_OF_MANY},
        alternatives=(("isolated-fiber", "preproc"),),
        text=f"{len(fibers)} of {np.count_nonzero(empty)} sky fibers ({ranges(fibers)}) have {100 * share:.1f} % of "
        "the sky more than the others over the whole spectrum, while their sky lines are alike: light or a level of "
        "the detector image in a part of all fibers, of which targets cannot tell; or the others lack it",
    )  # fmt: skip
    return True
