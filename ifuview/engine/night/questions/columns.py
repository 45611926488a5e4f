"""Does a column of the detector shine through the traces that cross it?"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.image.hot import OR_TARGET
from ifuview.engine.night.questions.case import COUNTS, Case
from ifuview.engine.night.search import columns as search
from ifuview.model.checks import Array
from ifuview.model.night.triage import ranges

SCORE, OF_TARGETS = 5.3, 5.8  # sigma in a sky fiber, in a target
ALIKE, TOP, USUAL = 40, 0.95, 3.0  # targets nearest in brightness, part of them below that many sigma by noise alone
BROAD = 4.0  # sigma of a target with features of its own
SOME, SURER, MOST = 0.008, 1.3, 0.06  # part of the targets from which that much more is asked for, or none is told
BRIGHT, OF_TARGET = 1.0, 0.05  # sky levels of a target, and part of its light, that no spectrum is known to
ALIKE_SHAPE = -5.0  # chi2 by which a bump or break of a target may fit better, and the column still be one
LIKELY_SHAPE, LIKELY = 7.0, 0.8  # chi2 by which it fits better: then that part of the score is enough
OWN_SHAPE, OWN_PART, ENOUGH, UNLIKE = 20.0, 0.2, 0.45, 80.0  # or that, if it is a part of its own, too; or any
LESS_BRIGHT = 2.0  # sky levels of a target in which its shape tells
IN_BOTH = 0.5  # of the score, in two fibers beside each other, of one column
SAME = 1.5  # px between what two fibers say of one column
TOLD = (
    "isolated-fiber", "wavelength-blocks", "ccd-row", "charge-transfer", "bright-neighbor", "ghost",
    "block-throughput", "swapped-fibers", "ccd-column", "amplifier-noise",
)  # fmt: skip


def columns(case: Case, lines_off: Array | float, use: Array) -> None:
    """Note hot columns; `lines_off` is what lines leave, `use` the pixels without narrow lines and hits."""
    chain = case.chain
    if case.clean is None or chain.cross is None or chain.disp is None or chain.is_sky is None or not chain.sections:
        return
    if not case.asks("ccd-column"):
        return
    sky, level = case.numbers["sky"][1], float(np.median(case.numbers["sky"][1]))
    flux = case.flux - case.expected - case.row_light - lines_off
    of = search.spectra(flux, use, case.sigma, chain.is_sky, level)
    of.value[:] -= case.tilt[:, None] * sky
    middle = np.arange(BIN // 2, of.value.shape[1] * BIN, BIN)
    cross, edge = chain.cross[:, middle].astype(np.float32), max(s.disp[0] for s in chain.sections)
    lower = chain.disp[:, middle] < edge
    found = search.columns(of, cross, lower)
    judged = case.measured & ~case.known & ~case.in_bad_amplifier
    judged[[f for x in case.findings if x.kind in TOLD for f in x.fibers]] = False
    targets = judged & ~chain.is_sky
    hit = judged & chain.is_sky & (found.score > SCORE) & (found.continuum < BRIGHT * level)
    hit |= _in_targets(of, found, targets & (found.continuum < LESS_BRIGHT * level), targets, cross, lower)
    hit &= found.level > OF_TARGET * found.continuum
    for fiber in np.flatnonzero(hit)[np.argsort(-found.score[hit])]:
        if not search.steady(of, found, int(fiber), cross, lower):
            continue
        at, half = float(found.at[fiber]), bool(found.lower[fiber])
        if not any(x.detail.get("lower") == half and abs(x.detail["column"] - at) <= SAME for x in case.findings):
            _column(case, found, int(fiber), search.touched(cross, lower == half, at))


def _in_targets(
    of: search.Spectra, found: search.BestColumns, asked: Array, targets: Array, cross: Array, lower: Array
) -> Array:
    """Targets with a column: far above what others of their brightness have, of its own shape, or in two fibers."""
    least = OF_TARGETS * _features(found, targets, of.sky)
    hit = np.zeros(asked.size, bool)
    some = np.flatnonzero(asked & (found.score > SCORE))
    own = np.full(asked.size, -np.inf)
    own[some] = search.own_shape(of, found, some, cross, lower)
    bright = found.continuum > BRIGHT * of.sky
    hit |= (own > ALIKE_SHAPE) & (found.score > least) & ~bright
    hit |= (own > LIKELY_SHAPE) & (found.score > LIKELY * least) & ~bright
    hit |= (own > np.maximum(OWN_SHAPE, OWN_PART * found.score**2)) & (found.score > ENOUGH * least)
    hit |= (own > UNLIKE) & (found.score > OF_TARGETS) & np.isfinite(least)
    own[found.score < np.maximum(IN_BOTH * least, SCORE)] = -np.inf
    both = (own[:-1] > ALIKE_SHAPE) & (own[1:] > ALIKE_SHAPE) & ~bright[:-1] & ~bright[1:]
    both &= (np.abs(np.diff(found.at)) <= SAME) & (found.lower[:-1] == found.lower[1:])
    hit[:-1] |= both
    hit[1:] |= both
    return hit


def _features(found: search.BestColumns, targets: Array, sky: float) -> Array:
    """Scores of targets over those that noise makes, by what others of their brightness have, shape (nfiber,).

    At least 1; infinite where too few are there to tell, or too many have features of their own as wide as a column.
    """
    out = np.where(targets, np.inf, 1.0)
    order = np.flatnonzero(targets)[np.argsort(found.continuum[targets])]
    faint = targets & (found.continuum < LESS_BRIGHT * sky)
    if np.count_nonzero(faint) > ALIKE:
        scores = np.lib.stride_tricks.sliding_window_view(found.score[order], ALIKE)
        level = np.maximum(np.quantile(scores, TOP, axis=1) / USUAL, 1.0)
        broad = float(np.mean(found.score[faint] > BROAD))
        level = level * (1.0 if broad <= SOME else SURER if broad <= MOST else np.inf)
        out[order] = level[np.clip(np.arange(order.size) - ALIKE // 2, 0, level.size - 1)]
    return out


def _column(case: Case, found: search.BestColumns, fiber: int, where: tuple[tuple[int, ...], tuple[int, int]]) -> None:
    """One column."""
    fibers, (first, last) = where
    wave = case.chain.wave
    low, high = float(wave[first * BIN]), float(wave[last * BIN - 1])
    level, at = float(found.level[fiber]), float(found.at[fiber])
    is_sky = case.chain.is_sky is not None and bool(case.chain.is_sky[fiber])
    case.add(
        "ccd-column", "preproc", fibers=fibers, wave_range=(low, high), amplitude=level, unit=COUNTS,
        significance=float(found.score[fiber]), confidence=0.8 if is_sky else 0.6, known=bool(case.known[fiber]),
        detail={"column": at, "lower": bool(found.lower[fiber]), "sky_fiber": is_sky},
        text=f"Column {at:.0f} of the detector adds {level:+.1f} {COUNTS} to fiber{'s' * (len(fibers) > 1)} "
        f"{ranges(fibers)} where it crosses the traces, {low:.0f}-{high:.0f} A{'' if is_sky else OR_TARGET}",
    )  # fmt: skip
