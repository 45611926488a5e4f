"""Does a column of the detector shine through the traces that cross it?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.image.hot import OR_TARGET
from ifuview.engine.night.questions.case import COUNTS, E_PER_A, Case
from ifuview.engine.night.questions.levels import COLUMN_OR, NEGATIVE_LEVEL, OBJECT
from ifuview.engine.night.search import columns as search
from ifuview.engine.night.search.bumps.crossing import BinnedSpectrum, Crossing, crossing, step, supported
from ifuview.engine.night.stats import binned
from ifuview.model.checks import Array
from ifuview.model.night.triage import ranges

SCORE, SURE, OF_TARGETS = 5.3, 6.0, 5.8  # sigma in a sky fiber, by light it adds, by its shape; in a target
ALIKE, TOP, USUAL = 40, 0.95, 3.0  # targets nearest in brightness, part of them below that many sigma by noise alone
BROAD = 4.0  # sigma of a target with features of its own
SOME, SURER, MOST = 0.008, 1.3, 0.06  # part of the targets from which that much more is asked for, or none is told
BRIGHT, OF_TARGET = 1.0, 0.05  # sky levels of a target, and part of its light, that no spectrum is known to
LESS_BRIGHT = 4.0  # sky levels of a target in which its shape tells
ASKED, MOST_ASKED = 3.5, 30  # sigma of fibers whose shape is looked at, the best of them
TINY = 1e-9  # of what is usual, where any spectrum may be
COLD, OF_SKY = 8.0, 0.025  # sigma of a cold column in a target; of the sky that its light may be below zero there
SHARP, OF_STEP = 10.0, 0.3  # chi2 by which a level ends at once; part of the light of a target that it must be
OWN_SHAPE, ALIKE_SHAPE = 8.0, -8.0  # chi2 by which no feature of a target fits as well; by which one may fit better
IN_BOTH, CLEAR = 0.5, 7.0  # of the score, in two fibers beside each other, of one column; its sigma there, or alone
OWN_PART = 0.04  # of what a column explains that a feature of a target must not: features are not quite Gaussian
SAME, REACH = 1.5, 2  # px between what two fibers say of one column; fibers beside one that a column may cross, too
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
    sky, level = case.numbers["sky"], float(np.median(case.numbers["sky"]))
    flux = case.flux - case.expected - case.row_light - lines_off
    of = search.spectra(flux, np.where(use, case.weight, np.float32(0.0)), chain.is_sky, level)
    of.value[:] -= case.tilt[:, None] * sky
    middle = np.arange(BIN // 2, of.value.shape[1] * BIN, BIN)
    cross, edge = chain.cross[:, middle].astype(np.float32), max(s.disp[0] for s in chain.sections)
    lower = chain.disp[:, middle] < edge
    found = search.columns(of, cross, lower)
    first, last = (chain.disp[:, middle + at] < edge for at in (-(BIN // 2), BIN // 2 - 1))
    along = _Along(of, found, cross, lower, first != last)
    _instead_of_levels(case, along)
    _instead_of_objects(case, along)
    judged = case.measured & ~case.known & ~case.in_bad_amplifier
    judged[[f for x in case.findings if x.kind in TOLD for f in x.fibers]] = False
    targets = judged & ~chain.is_sky
    scores = {sign: found.score if sign else found.cold for sign in (True, False)}  # of hot ones, and of cold ones
    least = {sign: OF_TARGETS * _features(scores[sign], found.continuum, targets, level) for sign in scores}
    faint = found.continuum < LESS_BRIGHT * level
    asked = _highest(np.maximum(found.score, found.cold), judged & (chain.is_sky | faint), ASKED)
    usable = case.measured & ~case.known & (chain.is_sky | faint)
    alone = np.maximum(found.score, found.cold)[targets & faint] <= BROAD
    chance = -2 * float(np.log(max(1 - alone.mean(), TINY))) if alone.size else 0.0  # that no feature is beside one
    told = {f: one for f in asked if (one := along.together(f, usable, chance)) is not None and one.gain > SCORE**2}
    alike = {f: one for f, one in told.items() if found.continuum[f] < BRIGHT * level and one.over > ALIKE_SHAPE}
    both = _in_both(alike, scores, least)
    for fiber, one in sorted(told.items(), key=lambda p: -p[1].gain):
        hot = one.found.level > 0
        score = float(np.sqrt(max(scores[hot][fiber] ** 2 + one.support, 0.0)))
        if chain.is_sky[fiber]:
            hit = found.continuum[fiber] < BRIGHT * level and (one.gain > SURE**2 or (hot and score > SCORE))
        else:
            hit = (one.over > max(OWN_SHAPE, OWN_PART * one.gain) and one.gain > CLEAR**2) or fiber in both
            hit |= fiber in alike and score > least[hot][fiber]
            hit |= one.over > ALIKE_SHAPE and along.below(fiber, one) < -OF_SKY * level
            hit &= hot or one.gain > COLD**2
        if hit and abs(one.found.level) > OF_TARGET * found.continuum[fiber]:
            _column(case, along, one, fiber)
    for fiber in _highest(search.jumps(of), targets & faint, SURE):
        _step(case, along, fiber)


def _highest(score: Array, use: Array, least: float) -> list[int]:
    """The fibers with the highest scores, not too many."""
    score = np.where(use, score, 0.0)
    return [int(f) for f in np.argsort(-score)[:MOST_ASKED] if score[f] > least]


@dataclass(frozen=True, slots=True, eq=False)
class _Along:
    """Spectra in bins, the columns through them, and where they lie: shape (nfiber, nbin)."""

    of: search.Spectra
    found: search.BestColumns
    cross: Array
    lower: Array
    split: Array  # bins with pixels in both halves

    def spectrum(self, fiber: int) -> BinnedSpectrum:
        """One of the spectra, without the bin in which the halves of the detector meet."""
        of = search.spectrum(self.of, self.found, fiber)
        return replace(of, weight=np.where(self.split[fiber], 0.0, of.weight))

    def best(self, fiber: int, others: Array | None = None, *, smooth: bool = False) -> Crossing | None:
        """The column that explains a fiber best, if nothing but noise is left; beside any `smooth` spectrum if so."""
        of = self.spectrum(fiber)
        if smooth:
            of = replace(of, usual=TINY * np.eye(len(of.shapes)))
        one = crossing(of, self.cross[fiber].astype(float), self.lower[fiber], others)
        return one if one is not None and one.found.quiet else None

    def together(self, fiber: int, usable: Array, most: float) -> Crossing | None:
        """The same with what the fibers beside it say of that column, those in `usable`, for it at `most`."""
        one = self.best(fiber)
        if one is None:
            return None
        near = np.arange(max(fiber - REACH, 0), min(fiber + REACH + 1, usable.size))
        rows = [fiber, *(int(f) for f in near if f != fiber and usable[f])]
        spectra = [self.spectrum(f) for f in rows]
        one = supported(one, spectra, self.cross[rows].astype(float), self.lower[rows])
        return replace(one, support=min(one.support, most))

    def below(self, fiber: int, one: Crossing) -> float:
        """What a fiber has where a cold column takes most, or 0 if that is not surely less than nothing: counts."""
        light = search.light_of(self.cross[fiber], self.lower[fiber] == one.lower, one.at, one.width)
        weight = self.of.weight[fiber] * (light > 0.5 * light.max())
        mean = float(np.sum(weight * self.of.value[fiber]) / max(float(weight.sum()), 1e-30))
        return mean if one.found.level < 0 and mean * float(np.sqrt(weight.sum())) < -SURE else 0.0


def _instead_of_levels(case: Case, along: _Along) -> None:
    """Columns in the place of levels of a sky fiber, of all of it or a part, where they fit better."""
    wave = binned(case.chain.wave, BIN)
    for x in list(case.findings):
        if x.kind == "ccd-column" and "column" not in x.detail and x.wave_range is not None:
            inside = (wave > x.wave_range[0]) & (wave < x.wave_range[1])
        elif x.kind == "isolated-fiber" and x.detail.get("cause") == NEGATIVE_LEVEL:
            inside = np.ones(wave.size, bool)
        else:
            continue
        one = along.best(x.fibers[0], inside[None].astype(float))
        if one is not None and one.found.over > OWN_SHAPE:
            case.findings.remove(x)
            _column(case, along, one, x.fibers[0])


def _instead_of_objects(case: Case, along: _Along) -> None:
    """Columns in the place of objects in sky fibers, where no smooth spectrum fits as well; else both are named."""
    for x in [x for x in case.findings if x.detail.get("cause") == OBJECT]:
        one = along.best(x.fibers[0], smooth=True)
        if one is None or one.found.gain < CLEAR**2 or one.found.over < ALIKE_SHAPE:
            continue
        case.findings.remove(x)
        if one.found.over > max(OWN_SHAPE, OWN_PART * one.found.gain):
            _column(case, along, one, x.fibers[0])
        else:
            others = (*x.alternatives, ("ccd-column", "preproc"))
            case.findings.append(replace(x, text=x.text + COLUMN_OR, alternatives=others))


def _in_both(told: dict[int, Crossing], scores: dict[bool, Array], least: dict[bool, Array]) -> set[int]:
    """Fibers beside each other that tell the same column, each by less than would be enough."""
    some = {
        f: one for f, one in told.items()
        if one.gain > CLEAR**2 and scores[one.found.level > 0][f] > IN_BOTH * least[one.found.level > 0][f]
    }  # fmt: skip
    same = [f for f, one in some.items() if f + 1 in some and _same(one, some[f + 1])]
    return {*same, *(f + 1 for f in same)}


def _same(one: Crossing, two: Crossing) -> bool:
    """Whether two fibers tell the same column."""
    return one.lower == two.lower and abs(one.at - two.at) <= SAME and one.found.level * two.found.level > 0


def _features(score: Array, continuum: Array, targets: Array, sky: float) -> Array:
    """Scores of targets over those that noise makes, by what others of their brightness have, shape (nfiber,).

    At least 1; infinite where too few are there to tell, or too many have features of their own as wide as a column.
    """
    out = np.where(targets, np.inf, 1.0)
    order = np.flatnonzero(targets)[np.argsort(continuum[targets])]
    faint = targets & (continuum < LESS_BRIGHT * sky)
    if np.count_nonzero(faint) > ALIKE:
        near = np.lib.stride_tricks.sliding_window_view(score[order], ALIKE)
        level = np.maximum(np.quantile(near, TOP, axis=1) / USUAL, 1.0)
        broad = float(np.mean(score[faint] > BROAD))
        level = level * (1.0 if broad <= SOME else SURER if broad <= MOST else np.inf)
        out[order] = level[np.clip(np.arange(order.size) - ALIKE // 2, 0, level.size - 1)]
    return out


def _column(case: Case, along: _Along, one: Crossing, fiber: int) -> None:
    """One column; once, whichever fibers tell it."""
    if any(x.detail.get("lower") == one.lower and abs(x.detail["column"] - one.at) <= SAME for x in case.findings):
        return
    fibers, (first, last) = search.touched(along.cross, along.lower == one.lower, one.at, one.width)
    wave = case.chain.wave
    low, high = float(wave[first * BIN]), float(wave[last * BIN - 1])
    is_sky = bool(case.is_sky[fiber])
    case.add(
        "ccd-column", "preproc", fibers=fibers, wave_range=(low, high), amplitude=one.found.level, unit=COUNTS,
        significance=float(np.sqrt(max(one.gain, 0.0))), confidence=0.8 if is_sky else 0.6,
        known=bool(case.known[fiber]), detail={"column": one.at, "lower": one.lower, "sky_fiber": is_sky},
        text=f"Column {one.at:.0f} of the detector adds {one.found.level:+.1f} {E_PER_A} to "
        f"fiber{'s' * (len(fibers) > 1)} {ranges(fibers)} where it crosses the traces, {low:.0f}-{high:.0f} A"
        f"{'' if is_sky else OR_TARGET}",
    )  # fmt: skip


def _step(case: Case, along: _Along, fiber: int) -> None:
    """A level that begins or ends at once in a target of which no column is told."""
    if any(fiber in x.fibers for x in case.findings if x.kind == "ccd-column"):
        return
    edge, one = step(search.spectrum(along.of, along.found, fiber))
    large = abs(one.level) > OF_STEP * along.found.continuum[fiber]
    if not (one.quiet and large and one.over > SHARP and one.gain > CLEAR**2):
        return
    wave = case.chain.wave
    at = float(np.interp(edge * BIN, np.arange(wave.size), wave))
    low, high = (at, float(wave[-1])) if one.level > 0 else (float(wave[0]), at)
    case.add(
        "ccd-column", "preproc", fibers=(fiber,), wave_range=(low, high), amplitude=abs(one.level), unit=COUNTS,
        significance=float(np.sqrt(one.gain)), confidence=0.6, known=bool(case.known[fiber]),
        text=f"Fiber {fiber} has {abs(one.level):.1f} {E_PER_A} more at {low:.0f}-{high:.0f} A than elsewhere, from "
        f"one pixel to the next: a column of the detector along a part of it, or what a part of the read-out adds; the "
        "preproc image would tell",
    )  # fmt: skip
