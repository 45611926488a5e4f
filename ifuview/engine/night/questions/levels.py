"""Does a sky fiber have light of its own, a column through it, or any fiber less than nothing?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night import lines as of_lines
from ifuview.engine.night.parts.large import two_levels
from ifuview.engine.night.questions.case import COUNTS, E_PER_A, LEAST_FIBERS, MODEL_CLIP, Case, LightLevel
from ifuview.engine.night.questions.changes import FACTOR, Changes
from ifuview.engine.night.questions.tables import add_exchanged, partner
from ifuview.engine.night.search.levels import Levels, best_scores, levels
from ifuview.engine.night.search.reasons import CONSTANT, PART, SMOOTH, Reason, constant_scores, of_target, reasons
from ifuview.engine.night.search.reasons import FACTOR as ALL_LIGHT
from ifuview.engine.night.search.throughput import Guilt, guilt
from ifuview.engine.night.stats import spread_of
from ifuview.model.checks import Array

SINGLE = 4.5  # sigma of the level of a sky fiber; of a stretch of it
STRETCH, ASKED = 6.5, 4.0  # against its own level, from which it is asked for
LEAST = 0.012  # of the sky
OF_LINES = 0.03  # of what lines vary by over the field that the level of a fiber may have of it
NEGATIVE = 0.025  # of the sky that a target must lie below zero
NATURAL, LEAST_NATURAL = 0.01, 1e-3  # scatter of the fibers, usual and least, part of the sky
BENT = 0.2  # what a plane may miss of a gradient, of its swing
TARGET = 0.1  # of the sky that a sky fiber must have to be taken for a target
MANY, FEW = 0.2, 6  # part and number of the sky fibers that are no single ones
UNUSUAL = 0.12  # of the light: fibers naturally differ by less
LIKELY, UNLIKELY, FLAT_TELLS = 4.0, 9.0, 16.0  # of chi2 for a loss of more, against one of less; of a flat that is off
DOUBT = 9.0  # of chi2 between two reasons of which one cannot be excluded
ENOUGH_SKY, ALL, LEAST_ALL = 15, 6.5, 0.004  # sky fibers, sigma and part of the sky of a level that all share
CLIP, FLOOR = 3.0, 0.3  # sigma of a sky fiber in the mean; of its noise that a mean is believed to have at least
ECHO = 2.0  # times what a sky model makes of fibers that are off
LEAST_SKY = 5  # sky fibers that tell their scatter
NEGATIVE_LEVEL, OBJECT = "negative level", "object in a sky fiber"
OTHER_LIGHT = "an object in a sky fiber, or stray light"
LIGHT_OR = "; not sure: another part of the light (flat, trace) looks alike here, another exposure would tell"
LEVEL_OR = "; or a level that the detector image adds or lacks: the preproc image or another exposure would tell"
OBJECT_OR = "; or light of an object in it, or stray light: another exposure would tell"
COLUMN_OR = "; or a column of the detector through a part of it: the preproc image would tell"


@dataclass(frozen=True, slots=True)
class LevelDoubt:
    """What else a level may be: in words, and classes with first steps."""

    words: str = ""
    alternatives: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Scatters:
    """What the sky fibers scatter: their throughput, and their bins over the noise."""

    natural: float
    excess: float


def measured_levels(case: Case, *, again: bool = False) -> Levels | None:
    """Levels of all fibers without the plane over the field that the sky fibers follow; measured once, or `again`."""
    if case.levels is None or again:
        case.levels = _measured(case)
    return case.levels


def _measured(case: Case) -> Levels | None:
    chain = case.chain
    if chain.sframe is None or chain.sframe_ivar is None or case.level is None:
        return None
    ivar = np.where(case.good, chain.sframe_ivar, 0.0)
    of = levels(case.flux - case.expected - case.row_light, ivar, case.sigma, case.level, chain.wave)
    case.tilt = _tilt(case, of, empty_fibers(case, of))
    return Levels(
        of.value - case.tilt[:, None] * of.sky, of.error, of.sky, of.wave, of.share - case.tilt, of.share_error
    )


def empty_fibers(case: Case, of: Levels) -> Array:
    """Sky fibers that can be judged, shape (nfiber,)."""
    return np.asarray(case.is_sky & case.measured & ~case.known & ~case.in_bad_amplifier & np.isfinite(of.share))


def natural_scatter(case: Case, of: Levels) -> float:
    """Scatter of the levels of the sky fibers, part of the sky."""
    use = empty_fibers(case, of)
    return float(spread_of(of.share[use])) if np.count_nonzero(use) > LEAST_SKY else NATURAL


def odd_levels(case: Case, found: Changes | None, of: Levels, skip: set[int]) -> None:
    """Sky fibers whose level is not zero, and fibers below it."""
    if not case.asks("isolated-fiber") or case.chain.shape[0] < LEAST_FIBERS:
        return
    use = case.measured & ~case.known & ~case.in_bad_amplifier & np.isfinite(of.share)
    use[list(skip)] = False
    use[[f for x in case.findings if x.kind == "swapped-fibers" for f in x.fibers]] = False
    empty = empty_fibers(case, of) & use
    spread = natural_scatter(case, of)
    scatters = Scatters(_throughput_scatter(of, empty), max(1.0, _excess(of, empty)))
    scores = best_scores(of) / scatters.excess
    sure = empty & _stands_out(of, found, empty, scatters, LEAST + OF_LINES * float(np.ptp(case.line_tilt)))
    hit = sure | (empty & (scores > ASKED))
    floor = NEGATIVE + BENT * float(np.ptp(case.tilt))
    low = use & ~empty & (of.share < -np.maximum(SINGLE * np.hypot(of.share_error, spread), floor))
    _all_levels(case, of, empty)
    if two_levels(case, of, empty):
        return
    if np.count_nonzero(sure | (empty & (scores > STRETCH))) > max(MANY * np.count_nonzero(empty), FEW):
        hit[:] = sure[:] = False  # a part of the field or an amplifier, no single fibers
    for fiber in np.flatnonzero(hit | low):
        _judge(case, found, of, int(fiber), bool(low[fiber]), bool(sure[fiber] | low[fiber]), scatters)


def _stands_out(of: Levels, found: Changes | None, empty: Array, scatters: Scatters, least: float) -> Array:
    """Fibers whose level differs from that of the sky fibers, without what their lines say of their throughput.

    By what they keep of the sky, or by a level that is the same at all wavelengths: fibers naturally have none.
    """
    count, natural = int(np.count_nonzero(empty)), scatters.natural
    if count < 2 * LEAST_SKY:
        return np.zeros(empty.size, bool)
    value, error = np.zeros(empty.size), np.full(empty.size, np.inf)
    if found is not None:
        value, error = found.fits.value[FACTOR], found.fits.error[FACTOR]
    known = np.isfinite(error)
    away = of.share - np.where(known, value * natural**2 / (natural**2 + np.where(known, error, 1.0) ** 2), 0.0)
    away = away - float(np.median(away[empty]))
    spread = spread_of(away[empty]) * _few(count)
    score = constant_scores(of, (value, error), natural, scatters.excess)
    score = score - float(np.median(score[empty]))
    constant = np.abs(score) > SINGLE * _few(count) * max(1.0, spread_of(score[empty]))
    stands_out = (np.abs(away) > SINGLE * np.maximum(of.share_error, spread)) | constant
    return np.asarray(stands_out & (np.abs(away) > least))


def _few(count: int) -> float:
    """By how much a limit of SINGLE sigma is higher where sigma is that of so many values: Student's t, first order."""
    return 1.0 + (SINGLE**2 + 1.0) / (4.0 * max(count, 1))


def _throughput_scatter(of: Levels, empty: Array) -> float:
    """Scatter of the levels of the sky fibers beyond their noise."""
    values = of.share[empty]
    if values.size < LEAST_SKY:
        return NATURAL
    return float(np.sqrt(max(spread_of(values) ** 2 - np.median(of.share_error[empty]) ** 2, LEAST_NATURAL**2)))


def _all_levels(case: Case, of: Levels, empty: Array) -> None:
    """A level that all sky fibers share: the sky model is too low or too high as a whole."""
    values = of.share[empty]
    if values.size < ENOUGH_SKY or not case.asks("wavelength-all"):
        return
    value, error = _mean_level(of, empty)
    least = max(LEAST_ALL, ALL * error, _echo(case, of, empty), _of_unknown(case, empty))
    if abs(value) < least or _said_already(case):
        return
    case.add(
        "wavelength-all", "sky", fibers=tuple(range(case.chain.shape[0])), amplitude=value, unit="of the sky",
        significance=abs(value) / error,
        text=f"All sky fibers keep {100 * value:+.1f} % of the sky: the sky model is too "
        f"{'low' if value > 0 else 'high'} "
        "as a whole",
    )  # fmt: skip


def _mean_level(of: Levels, empty: Array) -> tuple[float, float]:
    """Mean level of the sky fibers and its error; a mean that is quieter than its noise made the sky model."""
    values = of.share[empty]
    spread = max(spread_of(values), float(np.median(of.share_error[empty])))
    keep = np.abs(values - np.median(values)) < CLIP * spread
    value, count = float(np.mean(values[keep])), int(np.count_nonzero(keep))
    bins, errors = of.value[empty][keep], of.error[empty][keep]
    known = np.isfinite(errors).all(axis=0)
    noise = np.sqrt(np.sum(errors[:, known] ** 2, axis=0)) / count
    rest = (bins[:, known].mean(axis=0) - value * of.sky[known]) / noise
    quiet = float(np.clip(spread_of(rest), FLOOR, 1.0)) if known.any() else 1.0
    return value, quiet * spread / float(np.sqrt(count))


def _echo(case: Case, of: Levels, empty: Array) -> float:
    """Level that a sky model leaves in all because it follows fibers that have another part of the light.

    Runs of them, and single sky fibers that are off, but not by so much that the model leaves their pixels out.
    """
    away = np.abs(np.nan_to_num(of.share - np.median(of.share[empty])))
    followed = away * np.median(of.sky) < MODEL_CLIP * np.median(case.sigma)
    own = case.is_sky & followed & (away > CLIP * spread_of(of.share[empty]))
    own[[f for run in case.runs for f in run.fibers]] = False
    return ECHO * (case.followed + float(away[own].sum()) / max(int(np.count_nonzero(case.is_sky)), 1))


def _of_unknown(case: Case, empty: Array) -> float:
    """Level that a sky model may have of sky fibers that are masked now, where the sky varies over the field."""
    return ECHO * abs(float(case.tilt[case.is_sky].mean() - case.tilt[empty].mean()))


def _said_already(case: Case) -> bool:
    """Whether a finding about all fibers has it: a window, or all lines."""
    count = case.chain.shape[0]
    return any(
        f.kind == "wavelength-all" or (f.detail.get("change") == "factor" and len(f.fibers) == count)
        for f in case.findings
    )


def _excess(of: Levels, use: Array) -> float:
    """Scatter of the bins of sky fibers over their noise."""
    z = ((of.value - of.share[:, None] * of.sky) / of.error)[use]
    z = z[np.isfinite(z)]
    return float(spread_of(z)) if z.size else 1.0


def _tilt(case: Case, of: Levels, use: Array) -> Array:
    """The plane over the field that the levels of the sky fibers follow: the moon's, no fault, shape (nfiber,)."""
    chain = case.chain
    if chain.focal_x is None or chain.focal_y is None:
        return np.zeros(use.size)
    error = np.hypot(of.share_error, NATURAL)
    plane = of_lines.plane(of.share, error, chain.focal_x, chain.focal_y, use, least=ENOUGH_SKY)
    if plane is None or plane.significance < 4:
        return np.zeros(use.size)
    x, y = chain.focal_x - plane.center[1], chain.focal_y - plane.center[2]
    return np.asarray(np.nan_to_num(plane.slope[0] * x + plane.slope[1] * y))


def _judge(
    case: Case, found: Changes | None, of: Levels, fiber: int, target: bool, sure: bool, scatters: Scatters
) -> None:
    """What the level of one fiber is: light that it lost, a column, an object, or less than nothing."""
    share, share_error = float(of.share[fiber]), float(of.share_error[fiber])
    lines = (0.0, np.inf) if found is None else (
        float(found.fits.value[FACTOR][fiber]), float(found.fits.error[FACTOR][fiber])
    )  # fmt: skip
    if target:
        _judge_target(case, fiber, share, share_error, lines)
        return
    why = reasons(of, fiber, lines, scatters.natural, scatters.excess)
    if share < 0:
        why.pop(SMOOTH, None)
    level = guilt(case.flat_level, (fiber,), 1 + share, share_error)
    score = {kind: reason.gain + (_prior(share, level) if kind == ALL_LIGHT else 0.0) for kind, reason in why.items()}
    best = max(score, key=lambda kind: score[kind], default="")
    if not best or not (sure or (best == PART and why[PART].gain > STRETCH**2)):
        return
    doubt = _doubt(best, share, level, {k for k, v in score.items() if v > max(score[best] - DOUBT, 0.0)})
    if best == PART:
        _column(case, of, fiber, why[PART], doubt)
        return
    if abs(share) < LEAST:
        return
    if best == ALL_LIGHT and 1 + share > 0:
        case.singles.append(LightLevel((fiber,), 1 + share, share_error, level, doubt.words, doubt.alternatives))
    elif share < 0:
        _below(case, fiber, share, share_error, doubt)
    elif not _exchanged(case, of, fiber, share):
        _object(case, of, fiber, share, share_error, doubt)


def _doubt(best: str, share: float, level: Guilt, possible: set[str]) -> LevelDoubt:
    """What else the level of a fiber may be, of the reasons that explain it nearly as well."""
    words: list[str] = []
    others: list[tuple[str, str]] = []
    if ALL_LIGHT in possible and best != ALL_LIGHT:
        words.append(LIGHT_OR)
        others += [("isolated-fiber", level.first("light")), *level.alternatives("isolated-fiber", "light")]
    if {CONSTANT, SMOOTH} & possible and best in (ALL_LIGHT, PART):
        words.append(LEVEL_OR if share < 0 else OBJECT_OR)
        others.append(("isolated-fiber", "preproc" if share < 0 else "light"))
    if PART in possible and best != PART:
        words.append(COLUMN_OR)
        others.append(("ccd-column", "preproc"))
    return LevelDoubt("".join(words), tuple(dict.fromkeys(others)))


def _prior(share: float, level: Guilt) -> float:
    """What speaks for another part of the light before the spectrum is asked, chi2."""
    if level.sure and level.step == "fiberflat":
        return FLAT_TELLS
    return LIKELY if abs(share) > UNUSUAL else -UNLIKELY


def _judge_target(case: Case, fiber: int, share: float, error: float, lines: tuple[float, float]) -> None:
    """A target below zero: it lost at least so much of its light, or a level was taken off."""
    factor, gain = of_target(share, lines)
    level = guilt(case.flat_level, (fiber,), 1 + factor, lines[1] if factor < share else error)
    score = gain + max(LIKELY, _prior(factor, level))
    best = ALL_LIGHT if score > 0 and 1 + factor > 0 else CONSTANT
    doubt = _doubt(best, share, level, {ALL_LIGHT, CONSTANT} if abs(score) < DOUBT else set())
    if best == ALL_LIGHT:
        case.singles.append(LightLevel((fiber,), 1 + factor, error, level, doubt.words, doubt.alternatives))
    else:
        _below(case, fiber, share, error, doubt)


def _exchanged(case: Case, of: Levels, fiber: int, share: float) -> bool:
    """Whether a sky fiber with light and a target without have each other's rows in the fiber table; noted."""
    if share < TARGET or case.chain.is_sky is None or not case.asks("swapped-fibers"):
        return False
    spread = np.hypot(of.share_error, natural_scatter(case, of))
    dark = case.measured & ~case.known & ~case.chain.is_sky
    dark &= np.abs(np.nan_to_num(of.share, nan=np.inf)) < SINGLE * spread
    other = partner(case.chain.focal_x, case.chain.focal_y, fiber, dark)
    if other is None:
        return False
    add_exchanged(
        case, (min(fiber, other), max(fiber, other)),
        f"sky fiber {fiber} has the light of a target, target {other} none, and each has the place of the other one",
    )  # fmt: skip
    return True


def _object(case: Case, of: Levels, fiber: int, share: float, error: float, doubt: LevelDoubt) -> None:
    """A sky fiber with light."""
    case.add(
        "isolated-fiber", "light", fibers=(fiber,), amplitude=share, unit="of the sky", confidence=0.8,
        significance=share / error, known=bool(case.known[fiber]),
        detail={"cause": OBJECT, "level": round(share * float(np.median(of.sky)), 2)},
        text=f"Sky fiber {fiber} has light of its own, {100 * share:.1f} % of the sky over the whole spectrum, while "
        f"its sky lines are right: {OTHER_LIGHT}{doubt.words}", alternatives=doubt.alternatives,
    )  # fmt: skip


def _below(case: Case, fiber: int, share: float, error: float, doubt: LevelDoubt) -> None:
    """A fiber below zero."""
    case.add(
        "isolated-fiber", "preproc", fibers=(fiber,), amplitude=share, unit="of the sky", known=bool(case.known[fiber]),
        significance=abs(share) / error, confidence=0.6 if doubt.words else 0.8, detail={"cause": NEGATIVE_LEVEL},
        alternatives=doubt.alternatives,
        text=f"Fiber {fiber} lies {100 * abs(share):.1f} % of the sky below zero while its sky lines are right: no "
        f"light is negative, a level was taken off in the detector image (bias, dark, scattered light){doubt.words}",
    )  # fmt: skip


def _column(case: Case, of: Levels, fiber: int, best: Reason, doubt: LevelDoubt) -> None:
    """A level that begins or ends inside the spectrum."""
    half = float(np.median(np.diff(of.wave))) / 2
    at = np.flatnonzero(np.isfinite(of.error[fiber]))
    low, high = float(of.wave[at[best.first]]) - half, float(of.wave[at[best.last - 1]]) + half
    error = float(1 / np.sqrt(np.sum(of.error[fiber][at[best.first : best.last]] ** -2.0)))
    if not case.asks("ccd-column"):
        return
    case.add(
        "ccd-column", "preproc", fibers=(fiber,), wave_range=(low, high), amplitude=best.level, unit=COUNTS,
        significance=abs(best.level) / error, confidence=0.6 if doubt.words else 0.8, known=bool(case.known[fiber]),
        text=f"Sky fiber {fiber} has {best.level:+.1f} {E_PER_A} at {low:.0f}-{high:.0f} A and not elsewhere: a column "
        f"of the detector along it{doubt.words}", alternatives=doubt.alternatives,
    )  # fmt: skip
