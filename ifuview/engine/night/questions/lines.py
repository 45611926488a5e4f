"""Does a line of the sky stay in the fibers, and does it vary smoothly over the field as a real sky does?"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ifuview.engine.night import lines as of_lines
from ifuview.engine.night.questions.case import BUNDLE, Case
from ifuview.engine.night.search.bumps.peaks import peaks
from ifuview.engine.night.search.common import shared_noise
from ifuview.engine.night.search.levels import Levels
from ifuview.engine.night.search.losses import ToldLight
from ifuview.engine.night.search.scan import spans
from ifuview.engine.night.search.single import common_part, line_parts
from ifuview.engine.night.stats import mad, middle
from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array
from ifuview.model.night.triage import Finding, ranges

LINE_EDGE = 3.6  # Angstrom from the center that a line's residual reaches
SIDE_BAND = 14.0  # Angstrom between lines of which the weaker is told wrong by the stronger
GRADIENT = (15.0, 0.5, 0.1)  # least significance, explained variance and swing of a real gradient
NO_LOSS = -1.1  # of the sky: no fiber can lose more than all its light
AGREE = 4.0  # errors between lines and level of a sky fiber that are one thing
TILT = (6.0, 0.3)  # significance and explained part from which a plane over the field is taken off
ALL_FIBERS, IN_RUN = 6.5, 6.8  # sigma of a line that stays in all fibers, in a run of them
MODELED = 0.35  # scatter of the mean of sky fibers over its noise, at least
SHORTEST, EACH, FORGIVES = 3, 3.0, 4  # fibers of a shorter run, sigma of each; fibers of which one may show less
MANY_LINES, SAME_RUN = 4, 0.8  # lines that are told as one, of so many of their fibers
ALIKE, ANSWER = 0.9, (0.6, 1.6)  # correlation with the flat, and counts per count of it, for a flat that is wrong
LEAST_LINE, SHORT_RUN, LEAST_SKY = 0.008, 8, 10  # part of the line; fibers of a run, sky fibers that make a mean
UNLIKE = 1.8  # scatter of the fibers over their errors from which not all of them have the same
DIFFERS = ", in the mean: they differ, and which part of the camera has it is not told apart"
OWN_LINES, NEAR_STRONG, MOST_WAVES = 2, 4, 6  # lines that no chance makes, px beside strong ones, and in a sentence
OF_MEAN = 3.0  # times what a line makes of the mean of the sky fibers
WIDE = 1.2  # scatter of a line over its noise from which it is asked whether it varies over the field


class RunOfLine(NamedTuple):
    """A line that stays in a run of fibers: its number, the part of it, and sigma."""

    line: int
    fibers: tuple[int, ...]
    part: float
    score: float


def lines_that_stay(case: Case, lines: of_lines.LineLight, use: Array, shared: Array | None) -> None:
    """Lines that vary over the field, and single lines that stay everywhere.

    Parameters
    ----------
    case : Case
    lines : LineLight
    use : ndarray of bool, shape (nfiber,)
    shared : ndarray, shape (nfiber, nwave), or None
        What is known already: lines that are wrong together.
    """
    rest = case.sharp
    if shared is not None:
        assert case.clean is not None
        lines = replace(lines, residual=of_lines.light(case.clean - case.expected - shared, lines.at))
        rest = rest - shared
    assert case.level is not None and case.chain.sky is not None
    value, error = line_parts(rest, case.weight, case.level, lines.at)
    error = np.where(use[:, None], error, np.inf)
    model = median(lines.model, 0)
    ratio = np.where(use[:, None], lines.residual / np.where(model != 0, model, np.nan), np.nan)
    spread = (
        mad(ratio, axis=0)
        * np.abs(model)
        / np.maximum(middle(np.where(use[:, None], lines.error, np.nan), axis=0), 1e-9)
    )
    mean, score = _common(case, value, error)
    kept: list[RunOfLine] = []
    for k in range(lines.at.size):
        if spread[k] > WIDE and case.asks("sky-gradient") and _varying(case, lines, k, use):
            continue
        if not case.asks("sky-line residual"):
            continue
        wave = float(case.chain.wave[lines.at[k]])
        if score[k] > ALL_FIBERS and abs(mean[k]) > LEAST_LINE:
            who = "all fibers" + unlike(value[:, k], error[:, k])
            _line(case, tuple(range(use.size)), wave, float(mean[k]), float(score[k]), who)
        for span in spans(value[:, k], error[:, k], use, single=np.inf, run=IN_RUN, snap=BUNDLE):
            fibers = tuple(f for f in span.fibers if use[f])
            if abs(span.value) > LEAST_LINE and (len(fibers) >= SHORT_RUN or _each_keeps(value, error, k, fibers)):
                kept.append(RunOfLine(k, fibers, span.value, span.score))
    for group in _of_one_run(kept):
        if len(group) < MANY_LINES:
            for one in group:
                wave = float(case.chain.wave[lines.at[one.line]])
                _line(case, one.fibers, wave, one.part, one.score, f"fibers {ranges(one.fibers)}")
        else:
            _lines_of_run(case, lines.at, group)


def _of_one_run(kept: list[RunOfLine]) -> list[list[RunOfLine]]:
    """Lines that stay in nearly the same fibers, together."""
    out: list[list[RunOfLine]] = []
    for one in sorted(kept, key=lambda one: -one.score):
        own = set(one.fibers)
        same = (g for g in out if len(own & set(g[0].fibers)) > SAME_RUN * max(len(own), len(g[0].fibers)))
        if (group := next(same, None)) is None:
            out.append([one])
        else:
            group.append(one)
    return out


def _lines_of_run(case: Case, at: Array, group: list[RunOfLine]) -> None:
    """Many lines that stay in one run, each by its own part: its flat has another shape, or its sky model."""
    chain, fibers = case.chain, group[0].fibers
    places, parts = at[[one.line for one in group]], np.array([one.part for one in group])
    step = "sky"
    if chain.flat is not None:
        shape = middle(chain.flat[list(fibers)] / np.maximum(median(chain.flat, 0), 1e-6), axis=0)
        away = shape[places] / middle(shape) - 1
        answer = -float(np.sum(away * parts) / max(np.sum(away**2), 1e-12))
        same = float(np.corrcoef(away, parts)[0, 1]) < -ALIKE if np.ptp(away) > 0 else False
        step = "fiberflat" if same and ANSWER[0] < answer < ANSWER[1] else "sky"
    first, last = group[int(np.argmin(places))], group[int(np.argmax(places))]
    waves = chain.wave[at[first.line]], chain.wave[at[last.line]]
    why = ": the flat of these fibers has that shape, the others' has not" if step == "fiberflat" else ""
    case.add(
        "sky-line residual", step, fibers=fibers, wave_range=(float(waves[0]) - LINE_EDGE, float(waves[1]) + LINE_EDGE),
        amplitude=group[0].part, unit="of the line", significance=group[0].score,
        text=f"{len(group)} sky lines stay in fibers {ranges(fibers)}, by {100 * first.part:+.1f} % at {waves[0]:.1f} "
        f"to {100 * last.part:+.1f} % at {waves[1]:.1f} A{why}",
    )  # fmt: skip


def _each_keeps(value: Array, error: Array, k: int, fibers: tuple[int, ...]) -> bool:
    """Whether each fiber of a short run keeps a line by itself: few targets beside each other have one at a place."""
    known = np.isfinite(error[:, k])
    away = (value[:, k] - middle(value[known, k]))[list(fibers)] / error[list(fibers), k]
    ranked = np.sort(away * np.sign(away.sum()))
    return ranked.size >= SHORTEST and bool(ranked[int(ranked.size > FORGIVES)] > EACH)


def _common(case: Case, value: Array, error: Array) -> tuple[Array, Array]:
    """What all fibers keep of each line, by all of them or by the sky fibers, whichever tells more, shape (nline,)."""
    known = np.asarray(np.isfinite(error).any(axis=1))
    mean, score = common_part(value, error, of_mean=shared_noise(case.sharp, case.sigma, known))
    is_sky = case.chain.is_sky
    if is_sky is not None and np.count_nonzero(is_sky & known) >= LEAST_SKY:
        own, own_score = common_part(value[is_sky], error[is_sky], MODELED)
        better = np.abs(own_score) > np.abs(score)
        mean, score = np.where(better, own, mean), np.where(better, own_score, score)
    return mean, np.abs(score)


def unlike(value: Array, error: Array) -> str:
    """Words about a number that is said of all fibers where they differ by far more than its errors; "" if not."""
    known = np.isfinite(error)
    away = (value[known] - middle(value[known])) / error[known]
    return DIFFERS if away.size and float(mad(away)) > UNLIKE else ""


def _line(case: Case, fibers: tuple[int, ...], wave: float, part: float, score: float, who: str) -> None:
    """One line that stays."""
    case.add(
        "sky-line residual", "sky", fibers=fibers, wave_range=(wave - LINE_EDGE, wave + LINE_EDGE), amplitude=part,
        unit="of the line", significance=score, text=f"{100 * part:+.1f} % of the sky line at {wave:.1f} A stays "
        f"in {who}",
    )  # fmt: skip


def _varying(case: Case, lines: of_lines.LineLight, k: int, use: Array) -> bool:
    """Whether one line is a plane over the field; noted if so."""
    chain = case.chain
    if chain.focal_x is None or chain.focal_y is None:
        return False
    found = of_lines.gradient(lines, k, chain.wave, chain.focal_x, chain.focal_y, use)
    if found is None or not _is_sky(found):
        return False
    strength = np.where(use, lines.residual[:, k] / np.median(lines.model[:, k]), np.nan)
    add_gradient(case, found, (found.wave, found.wave), f"The sky line at {found.wave:.1f} A varies", strength)
    return True


def add_gradient(case: Case, found: of_lines.Gradient, waves: tuple[float, float], who: str, strength: Array) -> None:
    """Add lines that are a plane over the field, and keep the strength of each fiber that it was fitted to."""
    name = f"map {waves[0]:.1f}-{waves[1]:.1f}"
    case.maps[name] = strength
    towards = direction(found.slope)
    case.add(
        "sky-gradient", "light", fibers=tuple(range(case.chain.shape[0])),
        wave_range=(waves[0] - LINE_EDGE, waves[1] + LINE_EDGE), amplitude=found.swing, unit="of the line",
        significance=found.significance, confidence=float(np.clip(found.explained + 0.2, 0, 1)),
        detail={
            "direction_deg": towards, "explained": round(found.explained, 2), "slope": list(found.slope),
            "center": list(found.center), "map": name,
        },
        text=f"{who} smoothly over the focal plane by {100 * found.swing:.0f} % "
        f"(rising towards {towards} deg, counted from +X to +Y): real sky, not a fault",
    )  # fmt: skip


def over_field(case: Case, factor: Array, error: Array, use: Array, shape: Array) -> Array:
    """The plane over the field that the factor of all lines is, shape (nfiber,); noted where it is the sky's own.

    Parameters
    ----------
    factor, error : ndarray, shape (nfiber,)
    use : ndarray of bool, shape (nfiber,)
    shape : ndarray, shape (nwave,)
        What a factor leaves; 0 where there are no lines.
    """
    chain = case.chain
    out = np.zeros(use.size)
    if chain.focal_x is None or chain.focal_y is None:
        return out
    plane = of_lines.plane(factor, error, chain.focal_x, chain.focal_y, use)
    if plane is None or plane.significance < TILT[0] or plane.explained < TILT[1]:
        return out
    tilt = plane.slope[0] * (chain.focal_x - plane.center[1]) + plane.slope[1] * (chain.focal_y - plane.center[2])
    case.line_tilt = np.asarray(np.nan_to_num(tilt))
    if _is_sky(plane) and case.asks("sky-gradient"):
        lines = chain.wave[np.abs(shape) > 0]
        add_gradient(
            case, plane, (float(lines.min()), float(lines.max())), "All strong sky lines vary",
            np.where(use, factor, np.nan),
        )  # fmt: skip
    return case.line_tilt


def lines_of_their_own(case: Case, lines_off: Array | float) -> None:
    """Note sky fibers with lines that the sky has not: an object is in them; `lines_off` is what lines leave."""
    told = {f for x in case.findings if len(x.fibers) < case.chain.shape[0] // 4 for f in x.fibers}
    empty = case.is_sky & case.measured & ~case.known & ~case.in_bad_amplifier
    if not case.asks("isolated-fiber") or any(x.kind in ("cosmic-rays", "charge-transfer") for x in case.findings):
        return
    rows = np.flatnonzero(empty)
    off = lines_off if isinstance(lines_off, float) else lines_off[rows]
    strong = np.convolve(case.strong_lines, np.ones(2 * NEAR_STRONG + 1), "same") > 0.5
    for fiber, found in zip(rows, peaks(case.sharp[rows] - off, case.weight[rows], ~strong), strict=True):
        if len(found) < OWN_LINES or int(fiber) in told:
            continue
        waves = [float(case.chain.wave[at]) for at, _ in found]
        for x in [x for x in case.findings if _of_one_fiber(case, x, int(fiber), waves, rows.size)]:
            case.findings.remove(x)
        case.add(
            "isolated-fiber", "light", fibers=(int(fiber),), wave_range=(min(waves), max(waves)),
            amplitude=float(len(found)), unit="lines", confidence=0.7, detail={"cause": "lines of an object"},
            significance=float(np.hypot.reduce([score for _, score in found])),
            text=f"Sky fiber {fiber} has {len(found)} lines that the sky has not, at "
            f"{', '.join(f'{w:.0f}' for w in waves[:MOST_WAVES])} A: an object with emission lines in a sky fiber",
        )  # fmt: skip


def _of_one_fiber(case: Case, x: Finding, fiber: int, waves: list[float], count: int) -> bool:
    """Whether a window that all fibers seem to keep is what lines of one of `count` sky fibers make of their mean."""
    if (
        x.kind != "wavelength-all"
        or x.wave_range is None
        or not any(x.wave_range[0] < w < x.wave_range[1] for w in waves)
    ):
        return False
    inside = (case.chain.wave > x.wave_range[0]) & (case.chain.wave < x.wave_range[1])
    return abs(x.amplitude) < OF_MEAN * float(np.mean(case.sharp[fiber][inside])) / count


def light_of(case: Case, of: Levels | None, lines: Array, error: Array, use: Array) -> ToldLight:
    """Lines and levels of all fibers over the others'; no levels without enough sky fibers, or of bad amplifiers."""
    none = np.zeros(lines.size, bool)
    empty = use & case.is_sky & ~case.in_bad_amplifier
    if of is None or np.count_nonzero(empty) < LEAST_SKY:
        return ToldLight(lines, error, np.zeros(lines.size), np.full(lines.size, np.inf), none)
    scatter = max(float(mad(of.share[empty])), 1e-3)
    level = of.share - float(np.median(of.share[empty]))
    told = use & ~case.in_bad_amplifier & ~(of.share < NO_LOSS)
    own = np.where(told, np.hypot(of.share_error, scatter), np.inf)
    return ToldLight(lines, error, level, own, empty & (np.abs(level - lines) < AGREE * np.hypot(error, own)))


def direction(slope: tuple[float, float]) -> int:
    """Where a plane rises to: degrees from +X to +Y, 0 to 359."""
    return round(float(np.degrees(np.arctan2(slope[1], slope[0])))) % 360


def _is_sky(found: of_lines.Gradient) -> bool:
    """Whether a plane is strong and clean enough to be the sky."""
    values = found.significance, found.explained, found.swing
    return all(value > limit for value, limit in zip(values, GRADIENT, strict=True))


def beside_stronger(line: Finding, lines: list[Finding]) -> bool:
    """Whether a line's continuum is taken where a stronger finding lies."""
    return any(_in_the_side_of(line, other) for other in lines)


def _in_the_side_of(line: Finding, other: Finding) -> bool:
    """Whether a line's continuum is taken where a stronger finding lies."""
    if line.wave_range is None or other.wave_range is None or line.significance >= other.significance:
        return False
    return abs(line.wave_range[0] - other.wave_range[0]) < SIDE_BAND and not set(line.fibers).isdisjoint(other.fibers)
