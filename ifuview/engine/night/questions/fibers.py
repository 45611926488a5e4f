"""Is a fiber dead, faint, off its position or beside a star, does a bundle lose light, do lines of the sky stay?"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night import fibers as of_fibers
from ifuview.engine.night import lines as of_lines
from ifuview.engine.night.image.first_step import IN_BLOCK
from ifuview.engine.night.leak import SIGNIFICANT, Leak, leak
from ifuview.engine.night.parts.large import set_apart
from ifuview.engine.night.parts.means import weighted_mean
from ifuview.engine.night.questions.blocks import lit_regions, lit_runs
from ifuview.engine.night.questions.case import BLOCK, BUNDLE, THIN, Case
from ifuview.engine.night.questions.changes import FACTOR, Changes, changes, measured_changes
from ifuview.engine.night.questions.columns import columns
from ifuview.engine.night.questions.echoes import echoes
from ifuview.engine.night.questions.levels import measured_levels, odd_levels
from ifuview.engine.night.questions.lines import NO_LOSS, lines_of_their_own, lines_that_stay
from ifuview.engine.night.questions.weak_rows import offsets, weak_rows
from ifuview.engine.night.search.coherent import row_pixels
from ifuview.engine.night.search.levels import Levels
from ifuview.engine.night.search.scan import blocks_of_fibers
from ifuview.engine.night.search.throughput import Guilt, guilt, light_kept
from ifuview.engine.night.stats import middle
from ifuview.engine.numeric.medians import MEDIAN_ERROR, median
from ifuview.model.checks import Array
from ifuview.model.night.triage import ranges

UNKNOWN = np.float32(1e9)  # noise of a masked pixel
LEAST_SAME = 0.3  # of the wavelengths
UNMEASURED = 0.1  # error of a throughput without lines: targets add light
CERTAIN = 2.0  # errors: a number below is only a bound
SURE_GAIN = 0.15  # of the light of a bundle, that no targets add
SEEN_GAIN = 3.0  # errors by which its lines must gain, too
LIT = 0.5  # of the sky that a dead fiber cannot have
FEW_ODD = 0.5  # of the fibers of a block
DROWNED = 10.0  # sky levels of a fiber in which lines of the sky tell nothing
FLAT_OFF = "the flat is wrong there, it stands out among the others by as much"
FIBER_STEP, IN_RUN = "light", "trace"  # where one fiber loses light: before the detector; where a run does


def fibers(case: Case) -> None:
    """Single fibers, lines, positions."""
    chain = case.chain
    if chain.offset is not None and case.asks("positioning"):
        _positions(case)
    if chain.sframe is not None and case.level is not None and case.asks("bright-neighbor"):
        _bright(case)
    if not chain.has("frame", "flat", "sky") or chain.frame is None or chain.flat is None or chain.sky is None:
        return
    ivar = np.ones_like(chain.frame) if chain.frame_ivar is None else chain.frame_ivar
    flat = np.where(chain.flat > 0, chain.flat, 1.0).astype(np.float32)
    seen = case.seen
    sigma = np.where(ivar > 0, 1 / np.sqrt(np.maximum(ivar, 1e-9)) / flat, UNKNOWN).astype(np.float32)
    residual = seen - chain.sky if case.clean is None else case.clean - case.expected
    assert case.level is not None
    lines = of_lines.measure(seen, chain.sky, residual, sigma, chain.wave, case.level)
    value, error = of_lines.throughput(lines)
    of = measured_levels(case)
    level = _level(seen, case.level) - case.tilt * float(np.median(case.level))
    dim, expected = _below_sky(case, value, error, level, sigma)
    with np.errstate(invalid="ignore"):
        shown = case.measured & ~dim & ~(value < of_fibers.DEAD) & ~(level > DROWNED * np.median(case.level))
    found = measured_changes(case, shown, chain.wave[lines.at[lines.strong]])
    if set_apart(case, found, of):  # before levels of amplifiers: lines tell these from light
        return
    if offsets(case, of):
        of = measured_levels(case, again=True)
        level = _level(seen, case.level) - case.tilt * float(np.median(case.level))
        dim, expected = _below_sky(case, value, error, level, sigma)
    with np.errstate(invalid="ignore"):  # lines of a bright star are its own
        odd = of_fibers.odd_fibers(value, error) & ~(level > DROWNED * np.median(case.level))
        odd &= ~((value < of_fibers.DEAD) & (level > LIT * expected))  # lines of a target lie on those of the sky
    losing = of_fibers.losing_blocks(_without_few(level, odd | dim, (1 + NO_LOSS) * expected), BUNDLE)
    in_blocks, known_already = _told(case, "wavelength-blocks"), _told(case, "isolated-fiber")
    shared = None if found is None else _changes(case, found, of, in_blocks)
    in_runs = {f for run in case.runs for f in run.fibers if of is None or not of.share[f] < NO_LOSS}
    losing = [x for x in losing if x[1] < 1 or _lines_agree(case, found, _block(x[0]), x[1] - 1)]
    if of is not None:
        odd_levels(case, found, of, known_already | in_runs | in_blocks | set(np.flatnonzero(odd | dim).tolist()))
    losing = [x for x in losing if len(in_runs & set(_block(x[0]))) < BUNDLE // 2]
    if case.asks("block-throughput"):
        _losing(case, losing)
        _runs(case)
        echoes(case)
    lines_off = 0.0 if found is None else found.fits.expected(np.abs(found.fits.value) > 0)
    pixels = None if case.clean is None else row_pixels(case.sharp - lines_off, case.weight)
    _by_place(case, lines_off, pixels)
    lost = in_runs | {f for x in losing for f in _block(x[0])}
    if case.asks("isolated-fiber"):
        for fiber in np.flatnonzero(odd | dim):
            if int(fiber) in lost | known_already and not (dim[fiber] or value[fiber] < of_fibers.DEAD):
                continue
            _isolated(case, int(fiber), float(value[fiber]), float(error[fiber]), float(level[fiber] / expected[fiber]))
        _singles(case, known_already | set(np.flatnonzero(odd | dim).tolist()) | lost)
    if pixels is not None:
        columns(case, lines_off, pixels[1])
        lines_of_their_own(case, lines_off)
    if case.clean is not None and (case.asks("sky-gradient") or case.asks("sky-line residual")):
        own = case.measured & ~(odd | dim)
        own[sorted(lost)] = False
        lines_that_stay(case, lines, own, shared)


def _by_place(case: Case, lines_off: Array | float, pixels: tuple[Array, Array] | None) -> None:
    """Weak levels of rows and of amplifiers, weak light of neighbors on the slit and in the field."""
    if pixels is not None:
        weak_rows(case, lines_off, pixels)
        lit_runs(case, lines_off)
        lit_regions(case, lines_off)


def _told(case: Case, kind: str) -> set[int]:
    """Fibers with a finding of a class."""
    return {f for x in case.findings if x.kind == kind for f in x.fibers}


def _changes(case: Case, found: Changes, of: Levels | None, skip: set[int]) -> Array | None:
    """Note what lines have in common, and keep what they say of each fiber for the other cameras of its petal."""
    case.numbers["light_kept"] = light_kept(found.fits.value[FACTOR], found.fits.error[FACTOR], found.use)
    return changes(case, found, of, skip)


def _lines_agree(case: Case, found: Changes | None, fibers: range, gain: float) -> bool:
    """Whether the sky lines of fibers that seem to gain light gain, too: targets add light of their own."""
    if found is None or gain > SURE_GAIN:
        return True
    part = slice(fibers.start, fibers.stop)
    factors = found.fits.value[FACTOR][part] - case.line_tilt[part]
    factor, error = weighted_mean(factors, found.fits.error[FACTOR][part], found.use[part])
    return not np.isfinite(error) or factor > max(0.5 * gain, SEEN_GAIN * error)


def _without_few(level: Array, odd: Array, least: Array) -> Array:
    """Levels without those of fibers that are off by themselves; in blocks where half of them are, with them.

    Never with those below `least`: no loss makes less than nothing.
    """
    level = np.where(level < least, np.nan, level)
    count = level.size // BUNDLE * BUNDLE
    share = np.append(odd[:count].reshape(-1, BUNDLE).mean(axis=1), 1.0)
    few = odd & (share[np.minimum(np.arange(level.size), count) // BUNDLE] < FEW_ODD)
    return np.where(few, np.nan, level)


def _block(number: int) -> range:
    return range(number * BUNDLE, (number + 1) * BUNDLE)


def _runs(case: Case) -> None:
    """Runs of neighbors that give more or less light."""
    for run in case.runs:
        first, last = run.fibers[0], run.fibers[-1]
        step = run.guilt.first(IN_RUN)
        blocks = blocks_of_fibers(run.fibers, BUNDLE)
        why = IN_BLOCK if step == IN_RUN else FLAT_OFF
        case.add(
            "block-throughput", step, fibers=run.fibers, blocks=blocks, block_size=BUNDLE if blocks else 0,
            amplitude=run.ratio, unit="level / other blocks", significance=abs(run.ratio - 1) / run.error,
            confidence=0.8 if run.guilt.sure else 0.6, detail={"flat_deviation": round(run.guilt.deviation, 3)},
            text=f"Fibers {first}-{last} have {run.ratio:.3f} of the others' light at all wavelengths: {why}"
            + run.guilt.doubt, alternatives=run.guilt.alternatives("block-throughput", IN_RUN),
        )  # fmt: skip


def _singles(case: Case, skip: set[int]) -> None:
    """Fibers that give more or less light than their flat says, by little."""
    seen: set[int] = set(skip)
    for one in case.singles:
        (fiber,) = one.fibers
        if fiber in seen:
            continue
        seen.add(fiber)
        step = one.guilt.first(FIBER_STEP)
        known = bool(case.known[fiber])
        said = "its flat stands out by as much" if step == "fiberflat" else "its flat is like the others'"
        case.add(
            "isolated-fiber", step, fibers=(fiber,), amplitude=one.ratio, known=known,
            alternatives=(*one.guilt.alternatives("isolated-fiber", FIBER_STEP), *one.alternatives),
            unit="throughput / flat", significance=abs(one.ratio - 1) / one.error,
            confidence=0.9 if one.guilt.sure and not one.doubt else 0.6,
            detail={"dead": False, "throughput": round(one.ratio, 3), "error": round(one.error, 3)},
            text=f"Fiber {fiber} has {one.ratio:.3f} of the throughput that the flat says: {said}{one.guilt.doubt}"
            f"{one.doubt}",
        )  # fmt: skip


def _level(seen: Array, sky: Array) -> Array:
    """Median light of every fiber, shape (nfiber,); where wavelengths are missing, as if the sky were there too."""
    out = middle(seen, axis=1)
    for fiber in np.flatnonzero(np.isnan(seen).any(axis=1) & np.isfinite(out)):
        out[fiber] *= np.median(sky) / np.median(sky[np.isfinite(seen[fiber])])
    return out


def _below_sky(case: Case, value: Array, error: Array, level: Array, sigma: Array) -> tuple[Array, Array]:
    """Fibers that give less than the sky that they see, and what they should give at least.

    Where lines of the sky tell a throughput, the level must not contradict them.
    """
    assert case.chain.sky is not None
    thin = sigma[:, ::THIN]
    known = thin[thin < UNKNOWN]
    noise = MEDIAN_ERROR * float(np.median(known)) / np.sqrt(sigma.shape[1]) if known.size else np.inf
    expected = of_fibers.sky_level(level, median(case.chain.sky[:, ::THIN], 1), BUNDLE)
    no_lines = ~np.isfinite(value)
    with np.errstate(invalid="ignore"):
        allowed = no_lines | of_fibers.odd_fibers(value, error) | (value < 1 - of_fibers.LOW)
        unsure = no_lines | (of_fibers.ERRORS * error > of_fibers.LOW)
    part = np.where(unsure, 1 - of_fibers.LOW, of_fibers.DARK)
    if no_lines.all() and case.asks("isolated-fiber"):
        case.lack("loss in fibers brighter than the sky", "three isolated sky lines")
    return of_fibers.below_sky(level, noise, expected, part) & allowed, expected


def _isolated(case: Case, fiber: int, value: float, error: float, level: float) -> None:
    """A dead, faint or bright fiber."""
    measured = np.isfinite(value)
    throughput = value if measured else level
    error = error if measured else UNMEASURED
    dead = throughput < of_fibers.DEAD
    known = bool(case.known[fiber])
    said = case.chain.known_text[fiber] if case.chain.known_text else ""
    most = "" if measured else "at most "
    text = "is dead" if dead else f"has {most}{throughput:.2f} of the throughput that the flat says"
    state_of = f"known: {said or 'flagged'}" if known else "new: its status does not say so"
    blame = guilt(case.flat_level, (fiber,), throughput, error)
    blame = blame if measured and not dead else Guilt("light", True, blame.deviation)
    step = blame.first(FIBER_STEP)
    case.add(
        "isolated-fiber", step, fibers=(fiber,), amplitude=throughput, unit="throughput / flat",
        significance=float(abs(throughput - 1) / max(error, 1e-6)), known=known, confidence=1.0 if measured else 0.8,
        text=f"Fiber {fiber} {text} ({state_of})" + (f": {FLAT_OFF}" if step == "fiberflat" else "")
        + blame.doubt, alternatives=blame.alternatives("isolated-fiber", FIBER_STEP),
        detail={"dead": bool(dead), "throughput": round(throughput, 3), "error": round(error, 3)},
    )  # fmt: skip


def _losing(case: Case, losing: list[tuple[int, float, float]]) -> None:
    for block, level, significance in losing:
        fibers = tuple(range(block * BUNDLE, (block + 1) * BUNDLE))
        blame = guilt(case.flat_level, fibers, level, abs(level - 1) / max(significance, 1.0))
        step = blame.first(IN_RUN)
        case.add(
            "block-throughput", step, fibers=fibers, blocks=(block,), block_size=BUNDLE, amplitude=level,
            unit="level / other blocks", significance=significance, confidence=0.8,
            text=f"Block {block} of {BUNDLE} fibers ({fibers[0]}-{fibers[-1]}) has {level:.2f} of the others' light "
            f"at all wavelengths: {IN_BLOCK if step == IN_RUN else FLAT_OFF}{blame.doubt}",
            alternatives=blame.alternatives("block-throughput", IN_RUN),
        )  # fmt: skip


def _bright(case: Case) -> None:
    """Do neighbors of a bright fiber have its light?"""
    chain = case.chain
    assert chain.sframe is not None and chain.sframe_ivar is not None
    assert case.level is not None and case.clean is not None
    flux = median(chain.sframe[:, ::THIN], 1)
    sky = max(float(np.median(case.level)), 1e-6)
    for fiber, first, last, ratio in of_fibers.bright_rows(flux, sky):
        near = slice(max(fiber - of_fibers.REACH, 0), fiber + of_fibers.REACH + 1)
        residual = case.clean[near] - (case.expected[near] if case.expected.shape[0] > 1 else 0.0)
        found = leak(residual, chain.sframe_ivar[near], fiber - near.start, of_fibers.REACH)
        if found is not None and found.significance > SIGNIFICANT:
            _leaking(case, found, near.start, (first, last), ratio)
        elif found is None or not found.measurable:
            case.lack("bright-neighbor", f"features in the spectrum of bright fiber {fiber}, or neighbors of it")


def _leaking(case: Case, found: Leak, start: int, span: tuple[int, int], ratio: float) -> None:
    fiber, (first, last) = found.source + start, span
    (total, error), (beside, beside_error) = found.total, found.next
    each = zip(found.fibers.tolist(), found.share.tolist(), found.error.tolist(), strict=True)
    shares = {str(f + start): [round(s, 5), round(e, 5)] for f, s, e in each}
    case.add(
        "bright-neighbor", FIBER_STEP, fibers=tuple(range(first, last + 1)), amplitude=total,
        unit="of the bright fiber's light", significance=found.significance, confidence=0.9,
        detail={"source": fiber, "sky_levels": round(ratio, 1), "error": round(error, 5), "share_of_fiber": shares},
        text=f"Fiber {fiber}, {ratio:.0f} times as bright as the sky, lights its neighbors {first}-{last}: their "
        f"residuals follow its spectrum with {100 * beside:.1f} +- {100 * beside_error:.1f} % of its light in a fiber "
        f"beside it, {100 * total:.1f} +- {100 * error:.1f} % in all",
    )  # fmt: skip


def _positions(case: Case) -> None:
    chain = case.chain
    assert chain.offset is not None
    found = of_fibers.off_position(chain.offset, BLOCK)
    flux = _own_light(case) if found and case.clean is not None else None
    for fibers, offset, share in found:
        blocks = blocks_of_fibers(fibers, BLOCK)
        size = BLOCK if blocks else BUNDLE
        blocks = blocks or blocks_of_fibers(fibers, BUNDLE)
        light = error = float("nan")
        if flux is not None and chain.is_sky is not None:
            light, error = of_fibers.target_light(flux, chain.is_sky, fibers, case.in_bad_amplifier)
        known = bool(np.mean(case.known[list(fibers)]) > 0.5)
        lost = f", their targets give {_light(light, error)} of the others' light" if np.isfinite(light) else ""
        case.add(
            "positioning", FIBER_STEP, fibers=fibers, blocks=blocks, block_size=size if blocks else 0,
            amplitude=offset, unit="mm",
            significance=offset / of_fibers.OFF_POSITION, known=known, confidence=1.0 if light < 0.7 else 0.7,
            detail={
                "share": round(share, 2), "target_light": None if np.isnan(light) else round(light, 3),
                "target_light_error": None if np.isnan(light) else round(error, 3),
            },
            text=f"{'Fibers' if len(fibers) > 1 else 'Fiber'} {ranges(fibers)} "
            f"{'are' if len(fibers) > 1 else 'is'} {offset:.2f} "
            f"mm off position{lost}; the sky there is normal",
        )  # fmt: skip


def _own_light(case: Case) -> Array:
    """Light of every fiber where the sky model is the same for all."""
    same = np.broadcast_to(~case.expected.any(axis=0), case.chain.wave.shape)
    if same.mean() < LEAST_SAME:
        same = np.ones(same.size, bool)
    return of_fibers.steady_light(case.flux - case.expected, case.sigma, same)


def _light(light: float, error: float) -> str:
    """A part of the light with its error, or what it is less than."""
    if light < CERTAIN * error:
        return f"less than {max(light, 0.0) + CERTAIN * error:.2f}"
    return f"{light:.2f} +- {error:.2f}"
