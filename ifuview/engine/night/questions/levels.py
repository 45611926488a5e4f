"""Does a sky fiber have light of its own, a column through it, or any fiber less than nothing?"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night import lines as of_lines
from ifuview.engine.night.questions.case import COUNTS, LEAST_FIBERS, Case, LightLevel
from ifuview.engine.night.questions.changes import FACTOR, Changes
from ifuview.engine.night.search.levels import Levels, Stretch, best_scores, levels, smooth_gain, stretch
from ifuview.engine.night.search.scan import deviations
from ifuview.engine.night.search.throughput import guilt
from ifuview.engine.night.stats import mad
from ifuview.model.checks import Array

SINGLE = 5.0  # sigma of the level of a sky fiber; of a stretch of it
STRETCH = 6.5
LEAST = 0.012  # of the sky
NEGATIVE = 0.025  # of the sky that a target must lie below zero
NATURAL, BENT = 0.01, 0.2  # scatter of the fibers; what a plane may miss of a gradient, of its swing
MANY, FEW = 0.2, 6  # part and number of the sky fibers that are no single ones
SAME, APART = 3.0, 4.0  # sigma: lines and level agree; lines are seen to change
ENOUGH_SKY, ALL, LEAST_ALL = 15, 6.5, 0.004  # sky fibers, sigma and part of the sky of a level that all share
LEAST_SKY = 5  # sky fibers that tell their scatter
SHARP = 6.0  # of chi2 that a stretch must explain more than a smooth spectrum
OTHER_LIGHT = "an object in a sky fiber, or stray light"


def measured_levels(case: Case) -> Levels | None:
    """Levels of all fibers without the plane over the field that the sky fibers follow."""
    chain = case.chain
    if chain.sframe is None or chain.sframe_ivar is None or case.level is None:
        return None
    ivar = np.where(case.good, chain.sframe_ivar, 0.0)
    of = levels(case.flux - case.expected - case.row_light, ivar, case.sigma, case.level, chain.wave)
    case.tilt = _tilt(case, of, _empty(case, of))
    return Levels(
        of.value - case.tilt[:, None] * of.sky, of.error, of.sky, of.wave, of.share - case.tilt, of.share_error
    )


def _empty(case: Case, of: Levels) -> Array:
    """Sky fibers that can be judged, shape (nfiber,)."""
    none = np.zeros(of.share.size, bool)
    sky = none if case.chain.is_sky is None else np.asarray(case.chain.is_sky)
    return np.asarray(sky & case.measured & ~case.known & ~case.in_bad_amplifier & np.isfinite(of.share))


def natural_scatter(case: Case, of: Levels) -> float:
    """Scatter of the levels of the sky fibers, part of the sky."""
    use = _empty(case, of)
    return float(mad(of.share[use])) if np.count_nonzero(use) > LEAST_SKY else NATURAL


def odd_levels(case: Case, found: Changes | None, of: Levels, skip: set[int]) -> None:
    """Sky fibers whose level is not zero, and fibers below it."""
    if not case.asks("isolated-fiber") or case.chain.shape[0] < LEAST_FIBERS:
        return
    use = case.measured & ~case.known & ~case.in_bad_amplifier & np.isfinite(of.share)
    use[list(skip)] = False
    empty = _empty(case, of) & use
    away, error = deviations(of.share, of.share_error, empty)
    scatter = natural_scatter(case, of)
    scores = best_scores(of) / np.maximum(1.0, _excess(of, empty))
    hit = (np.abs(away) > np.maximum(SINGLE * error, LEAST)) | (empty & (scores > STRETCH))
    floor = NEGATIVE + BENT * float(np.ptp(case.tilt))
    low = use & ~empty & (of.share < -np.maximum(SINGLE * np.hypot(of.share_error, scatter), floor))
    _all_levels(case, of, empty)
    if np.count_nonzero(hit) > max(MANY * np.count_nonzero(empty), FEW):
        hit[:] = False  # a part of the field or an amplifier, no single fibers
    for fiber in np.flatnonzero(hit | low):
        _judge(case, found, of, int(fiber), bool(low[fiber]))


def _all_levels(case: Case, of: Levels, empty: Array) -> None:
    """A level that all sky fibers share: the sky model is too low or too high as a whole."""
    values = of.share[empty]
    if values.size < ENOUGH_SKY or not case.asks("wavelength-all"):
        return
    value = float(np.median(values))
    error = 1.25 * max(float(mad(values)), float(np.median(of.share_error[empty]))) / np.sqrt(values.size)
    if abs(value) < LEAST_ALL or abs(value) < ALL * error or _said_already(case):
        return
    case.add(
        "wavelength-all", "sky", fibers=tuple(range(case.chain.shape[0])), amplitude=value, unit="of the sky",
        significance=abs(value) / error,
        text=f"All sky fibers keep {100 * value:+.1f} % of the sky: the sky model is too "
        f"{'low' if value > 0 else 'high'} "
        "as a whole",
    )  # fmt: skip


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
    return float(mad(z)) if z.size else 1.0


def _tilt(case: Case, of: Levels, use: Array) -> Array:
    """The plane over the field that the levels of the sky fibers follow: the moon's, no fault, shape (nfiber,)."""
    chain = case.chain
    if chain.focal_x is None or chain.focal_y is None:
        return np.zeros(use.size)
    error = np.hypot(of.share_error, NATURAL)
    plane = of_lines.plane(of.share, error, chain.focal_x, chain.focal_y, use)
    if plane is None or plane.significance < 4:
        return np.zeros(use.size)
    x, y = chain.focal_x - plane.center[1], chain.focal_y - plane.center[2]
    return np.asarray(np.nan_to_num(plane.slope[0] * x + plane.slope[1] * y))


def _judge(case: Case, found: Changes | None, of: Levels, fiber: int, target: bool) -> None:
    """What the level of one fiber is: light that it lost, a column, an object, or less than nothing."""
    value, error = of.value[fiber], of.error[fiber]
    known = np.isfinite(error)
    best = stretch(value[known], error[known])
    if best is None:
        return
    share, share_error = float(of.share[fiber]), float(of.share_error[fiber])
    lines, lines_error = (0.0, np.inf) if found is None else (
        float(found.fits.value[FACTOR][fiber]), float(found.fits.error[FACTOR][fiber])
    )  # fmt: skip
    part = best.gain > max(smooth_gain(value[known], error[known]) + SHARP, STRETCH**2)
    if part and not target:
        _column(case, of, fiber, best, np.flatnonzero(known))
    if (part and abs(best.rest) < 0.5 * abs(best.level)) or abs(share) < LEAST:
        return
    if abs(lines) > APART * lines_error and abs(lines - share) < SAME * np.hypot(lines_error, share_error) + 0.1 * abs(
        share
    ):
        level = guilt(case.flat_level, (fiber,), 1 + share)
        case.singles.append(LightLevel((fiber,), 1 + share, share_error, level))
        return
    if share < 0:
        _below(case, fiber, share, share_error, abs(lines) < abs(lines - share))
        return
    case.add(
        "isolated-fiber", "light", fibers=(fiber,), amplitude=share, unit="of the sky", confidence=0.8,
        significance=share / share_error, known=bool(case.known[fiber]),
        detail={"cause": "object in a sky fiber", "level": round(share * float(np.median(of.sky)), 2)},
        text=f"Sky fiber {fiber} has light of its own, {100 * share:.1f} % of the sky over the whole spectrum, while "
        f"its sky lines are right: {OTHER_LIGHT}",
    )  # fmt: skip


def _below(case: Case, fiber: int, share: float, error: float, constant: bool) -> None:
    """A fiber below zero."""
    if not constant and 1 + share > 0:
        case.singles.append(LightLevel((fiber,), 1 + share, error, guilt(case.flat_level, (fiber,), 1 + share)))
        return
    case.add(
        "isolated-fiber", "preproc", fibers=(fiber,), amplitude=share, unit="of the sky", confidence=0.8,
        significance=abs(share) / error, known=bool(case.known[fiber]), detail={"cause": "negative level"},
        text=f"Fiber {fiber} lies {100 * abs(share):.1f} % of the sky below zero while its sky lines are right: no "
        "light is negative, a level was taken off in the detector image (bias, dark, scattered light)",
    )  # fmt: skip


def _column(case: Case, of: Levels, fiber: int, best: Stretch, at: Array) -> None:
    """A level that begins or ends inside the spectrum."""
    half = float(np.median(np.diff(of.wave))) / 2
    low, high = float(of.wave[at[best.first]]) - half, float(of.wave[at[best.last - 1]]) + half
    error = float(1 / np.sqrt(np.sum(of.error[fiber][at[best.first : best.last]] ** -2.0)))
    if not case.asks("ccd-column"):
        return
    case.add(
        "ccd-column", "preproc", fibers=(fiber,), wave_range=(low, high), amplitude=best.step, unit=COUNTS,
        significance=abs(best.step) / error, confidence=0.8, known=bool(case.known[fiber]),
        text=f"Sky fiber {fiber} has {best.step:+.1f} {COUNTS} at {low:.0f}-{high:.0f} A and not elsewhere: a column "
        "of the detector along it",
    )  # fmt: skip
