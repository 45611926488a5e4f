"""Are the sky's lines too strong, displaced or too wide: in all fibers, in a run of them, in one?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.engine.night.questions.case import BUNDLE, Case, LightLevel
from ifuview.engine.night.questions.lines import LEAST_SKY, LINE_EDGE, light_of, over_field, unlike
from ifuview.engine.night.search.common import common_fit, mean_spectrum
from ifuview.engine.night.search.levels import Levels
from ifuview.engine.night.search.losses import runs_without_strangers
from ifuview.engine.night.search.scan import Span, deviations, spans
from ifuview.engine.night.search.templates import KINDS, FiberFits, by_itself, fiber_fits, sharp, without_strongest
from ifuview.engine.night.search.throughput import guilt, wrong_flats
from ifuview.engine.night.stats import mad, middle
from ifuview.model.checks import Array
from ifuview.model.night.triage import ranges

FACTOR, SHIFT, WIDTH = range(3)
LEAST = (0.006, 0.006, 0.02)  # of a change that is worth a finding: part, Angstrom, Angstrom squared
ALL = 5.0  # sigma of a change that all fibers share
LEAST_ALL = (0.003, 0.003, 0.01)  # and the least that counts
SECOND = 0.35  # a shift's own curvature: a width of the shift squared is no other finding, to this part of it
APART = 2.5  # scatter of the fibers over their errors; 1.2 in real cameras
SAME_MODEL = 1e-3  # of the sky that the sky models of all fibers differ by
HALF = 0.5  # of a change that the sky model has must be in the flux
MOST_NAMED, MOST_SAID = 5, 12  # fibers with findings of their own, and in a sentence
DARK_SINGLE, DARK = 5.2, 0.005  # errors of lines, where the level is no more than this part of the sky
SECOND_LINE, JACKKNIFE, SAME = 2.0, 3.0, 0.3  # sigma of the other lines; errors and part that they may differ by
LINE_STEP = {SHIFT: "trace", WIDTH: "trace"}
WORDS = (
    "sky lines are too {0} by {1:.1f} %",
    "sky lines lie {1:+.3f} A from those of the sky model",
    "sky lines are {0} than those of the sky model (sigma {1:.2f} A in quadrature)",
)
WHERE = {
    "sky": "the sky model has it, the frame has not",
    "trace": "the frame has it and the sky model has not: the wavelengths or the line width of the traces",
}


@dataclass(frozen=True, slots=True)
class Changes:
    """What the lines of a camera show.

    Parameters
    ----------
    fits, model : FiberFits
        Of the sky-subtracted flux, and of the sky model against that of the typical fiber.
    use : ndarray of bool, shape (nfiber,)
    lines : tuple of float, Angstrom
        The strong ones.
    """

    fits: FiberFits
    model: FiberFits
    use: Array
    lines: tuple[float, ...]


def measured_changes(case: Case, use: Array, lines: Array) -> Changes | None:
    """Fit the lines of all fibers; None without a sky model."""
    chain = case.chain
    if case.clean is None or chain.sky is None or case.level is None:
        return None
    fits = fiber_fits(case.sharp, case.weight, case.level, chain.wave)
    away = chain.sky - case.level.astype(np.float32)
    if float(np.abs(away).max()) > SAME_MODEL * float(np.median(case.level)):
        model = fiber_fits(sharp(away), np.ones_like(away), case.level, chain.wave)
    else:
        model = FiberFits(np.zeros_like(fits.value), fits.error, fits.shapes)
    use = use & np.isfinite(fits.error).all(axis=0)
    return Changes(fits, model, use, tuple(round(float(w), 1) for w in lines)) if use.any() else None


def changes(case: Case, found: Changes, of: Levels | None, skip: set[int]) -> Array | None:
    """Note what lines have in common; return what it makes of the residual, shape (nfiber, nwave), None if nothing."""
    fits, take = found.fits, np.zeros(found.fits.value.shape, bool)
    value = fits.value.copy()
    for kind in (SHIFT, WIDTH, FACTOR):
        value[kind] += _of_model(case, found, kind)
    value[FACTOR] -= over_field(case, value[FACTOR], fits.error[FACTOR], found.use, fits.shapes[FACTOR])
    level_use = found.use.copy()
    level_use[list(skip)] = False
    for kind in (SHIFT, WIDTH, FACTOR):
        numbers = value[kind], fits.error[kind]
        single = spans(numbers[0], numbers[1], found.use, run=np.inf)
        if kind == FACTOR:
            light = light_of(case, of, *deviations(*numbers, found.use), level_use)
            runs = runs_without_strangers(light, single, case.flat_level, BUNDLE)
        else:
            runs = spans(*numbers, found.use, single=np.inf, snap=BUNDLE)
        runs = [r for r in runs if abs(r.value) > LEAST[kind]]  # else its fibers are single ones
        if kind == FACTOR and of is not None:
            single += _dark(found, of, numbers[0], {s.first for s in single})
        alone = [s for s in single if _of_more_lines(case, found, kind, s)]
        if kind == FACTOR:
            flats = wrong_flats(*deviations(*numbers, found.use), case.flat_level)
            alone += [Span(f, f + 1, *told) for f, *told in flats if f not in {s.first for s in alone}]
        alone = [s for s in alone if not any(r.first <= s.first < r.last for r in runs)]
        kept = [s for s in runs + alone if abs(s.value) > LEAST[kind] and not (kind == WIDTH and _of_shift(found, s))]
        for span in kept:
            take[kind, span.first : span.last] = True
        _note(case, found, kind, kept)
    for kind, everyone in enumerate(shared(case, found, np.asarray(~take.any(axis=0)))):
        if everyone is not None:
            _note_all(case, found, kind, *everyone)
            take[kind] = found.use
        elif kind != FACTOR and not take[kind].any():
            _note_apart(case, found, kind, value[kind])
    take |= found.use & (value != fits.value)
    return fits.expected(take) if take.any() else None


def _dark(found: Changes, of: Levels, factor: Array, told: set[int]) -> list[Span]:
    """Fibers whose lines lost light by fewer errors and that have none of a target either: few targets are dark."""
    away, error = deviations(factor, found.fits.error[FACTOR], found.use)
    with np.errstate(invalid="ignore"):
        dark = (away < -DARK_SINGLE * error) & (of.share < DARK)
    return [
        Span(int(f), int(f) + 1, float(away[f]), float(error[f]), float(-away[f] / error[f]))
        for f in np.flatnonzero(dark)
        if int(f) not in told
    ]


def _of_more_lines(case: Case, found: Changes, kind: int, span: Span) -> bool:
    """Whether other lines of the sky show the same as the one that tells most: a target may have a line on that one.

    Nor may it depend on the other two numbers: light of a target on lines makes a factor and a width that leave little.
    """
    row = case.sharp[span.first], case.weight[span.first]
    shapes = found.fits.shapes.astype(np.float32)
    value, error = without_strongest(*row, shapes, kind)
    whole, least = float(found.fits.value[kind, span.first]), float(found.fits.error[kind, span.first])
    alone, alone_error = by_itself(*row, shapes, kind)
    same = _same(value, whole, error**2 - least**2) and _same(alone, whole, least**2 - alone_error**2)
    return same and np.sign(span.value) * value > SECOND_LINE * error


def _same(part: float, whole: float, variance: float) -> bool:
    """Whether a fit to less is that to all, by what they may differ by and by a part of it."""
    return abs(part - whole) < max(JACKKNIFE * float(np.sqrt(max(variance, 0.0))), SAME * abs(whole))


def _note(case: Case, found: Changes, kind: int, kept: list[Span]) -> None:
    """Runs of fibers, and single ones: one by one, or together where they are many."""
    least = 1 if kind == FACTOR or sum(s.last - s.first == 1 for s in kept) <= MOST_NAMED else MOST_NAMED
    few = [s for s in kept if found.use[s.first : s.last].sum() <= (least if s.last - s.first == 1 else max(least, 2))]
    singles = [replace(s, first=f, last=f + 1) for s in few for f in s.fibers if found.use[f]]
    for span in (s for s in kept if s not in few):  # a few that are neighbors by chance are like the other single ones
        _note_run(case, found, kind, span)
    if kind == FACTOR or len(singles) <= MOST_NAMED:
        for span in singles:
            _note_fiber(case, found, kind, span)
    else:
        _note_scattered(case, found, kind, singles)


def _of_model(case: Case, found: Changes, kind: int) -> Array:
    """What the sky model of each fiber has of its own and the flux answers, shape (nfiber,); noted. 0 if it does not.

    A model that follows the real lines of a fiber leaves nothing in the flux.
    """
    own = np.where(found.use, found.model.value[kind], 0.0)
    own = np.where(found.use, own - middle(own[found.use]), 0.0)
    own[np.abs(own) < LEAST[kind]] = 0.0
    weight = np.where(found.use, found.fits.error[kind] ** -2.0, 0.0)
    norm = float(np.sum(weight * own**2))
    if norm <= 0:
        return own
    flux = found.fits.value[kind] - middle(found.fits.value[kind][found.use])
    answer = -float(np.sum(weight * own * np.nan_to_num(flux))) / norm
    if not (HALF < answer < 1 / HALF and answer * np.sqrt(norm) > ALL):
        return np.zeros(own.size)
    strong = np.flatnonzero(np.abs(own) > 0.2 * np.abs(own).max())
    typical = float(np.sqrt(np.mean(own[strong] ** 2)))
    _add_lines(
        case, found, kind, "sky", tuple(int(f) for f in strong), typical, significance=answer * float(np.sqrt(norm)),
        text=f"In {strong.size} fibers ({_names(strong)}) the {_said_of(kind, typical)}: {WHERE['sky']}", share=answer,
    )  # fmt: skip
    return own


def _names(fibers: Array) -> str:
    """The first ones."""
    return ranges(tuple(int(f) for f in fibers[:MOST_SAID])) + ", ..." * (fibers.size > MOST_SAID)


def _said_of(kind: int, typical: float) -> str:
    """A change without sign in words."""
    much = (f"{100 * typical:.1f} %", f"{typical:.3f} A", f"{np.sqrt(typical):.2f} A in quadrature")[kind]
    return f"sky lines are {('too strong or too weak', 'displaced', 'too wide or too narrow')[kind]} by {much}"


def _note_scattered(case: Case, found: Changes, kind: int, singles: list[Span]) -> None:
    """Many fibers, each by itself."""
    fibers = np.array(sorted(s.first for s in singles))
    typical = float(np.sqrt(np.mean([s.value**2 for s in singles])))
    _add_lines(
        case, found, kind, LINE_STEP[kind], tuple(int(f) for f in fibers), typical,
        significance=max(s.score for s in singles),
        text=f"In {fibers.size} fibers ({_names(fibers)}) the {_said_of(kind, typical)}: {WHERE['trace']}",
    )  # fmt: skip


def shared(case: Case, found: Changes, rest: Array) -> list[tuple[float, float] | None]:
    """(value, significance) that all fibers share, for each of KINDS; None where there is nothing.

    The noise of the sky model is in all fibers but in the mean of those that made it: both means are asked.
    """
    assert case.clean is not None
    flux = case.clean - case.expected
    use = found.use & rest
    if np.count_nonzero(use) < BUNDLE:
        return [None] * len(KINDS)
    means = [_fit_of_mean(case, found, flux, use)]
    sky = use if case.chain.is_sky is None else use & case.chain.is_sky
    if LEAST_SKY <= np.count_nonzero(sky) < np.count_nonzero(use):
        means.append(_fit_of_mean(case, found, flux, sky))
    out: list[tuple[float, float] | None] = []
    for kind in range(len(KINDS)):
        told = [(float(v[kind]), float(e[kind])) for v, e in means]
        if not _shown(*told[0], *told[-1]):
            told = told[-1:]  # targets have lines of their own, sky fibers have not
        value, score = max(((v, abs(v) / e) for v, e in told), key=lambda p: p[1])
        out.append((value, score) if score > ALL and abs(value) > LEAST_ALL[kind] else None)
    if (width := out[WIDTH]) is not None and _curvature(out, width[0]):
        out[WIDTH] = None
    return out


def _shown(value: float, error: float, of_sky: float, its_error: float) -> bool:
    """Whether the mean of the sky fibers shows what that of all does."""
    return abs(value - of_sky) < JACKKNIFE * float(np.hypot(error, its_error)) or of_sky * value > HALF * value**2


def _fit_of_mean(case: Case, found: Changes, flux: Array, use: Array) -> tuple[Array, Array]:
    """Numbers of the mean of some fibers and their errors, the scatter between the fibers in them, shape (3,).

    A mean that is quieter than its noise made the sky model: that took along what its fibers scatter by, too.
    """
    mean, noise = mean_spectrum(flux, case.sigma, use)
    value, error = common_fit(mean, noise, found.fits.shapes)
    values, errors = found.fits.value[:, use], np.median(found.fits.error[:, use], axis=1)
    natural = np.sqrt(np.maximum(mad(values, axis=1) ** 2 - errors**2, 0.0))
    sky = case.chain.is_sky
    if sky is not None and sky.any():  # the model has the plane where its own fibers are
        value[FACTOR] -= float(case.line_tilt[use].mean() - case.line_tilt[sky].mean())
    quiet = min(1.0, float(np.median(noise / case.sigma)) * float(np.sqrt(np.count_nonzero(use))))
    return value, np.hypot(error, quiet * natural / np.sqrt(np.count_nonzero(use)))


def _curvature(common: list[tuple[float, float] | None], width: float) -> bool:
    """Whether the width that all share is what their shift leaves."""
    shift = common[SHIFT]
    return shift is not None and 0 < width < 2 * shift[0] ** 2


def _of_shift(found: Changes, span: Span) -> bool:
    """Whether a width is nothing but the curvature that a shift leaves."""
    part = slice(span.first, span.last)
    shift = float(middle(found.fits.value[SHIFT][part]))
    return abs(span.value - shift**2) < max(SECOND * abs(span.value), 4 * span.error) and shift**2 > HALF * abs(
        span.value
    )


def span_of_lines(case: Case, found: Changes) -> tuple[float, float]:
    """Wavelengths of the lines."""
    waves = found.lines or tuple(case.chain.wave[np.abs(found.fits.shapes[FACTOR]) > 0]) or tuple(case.chain.wave)
    return float(min(waves)) - LINE_EDGE, float(max(waves)) + LINE_EDGE


def in_words(kind: int, value: float) -> str:
    """A change in words."""
    if kind == FACTOR:
        return WORDS[kind].format("strong" if value > 0 else "weak", 100 * abs(value))
    if kind == SHIFT:
        return WORDS[kind].format("", value)
    return WORDS[kind].format("wider" if value > 0 else "narrower", float(np.sqrt(abs(value))))


def _add_lines(
    case: Case, found: Changes, kind: int, step: str, fibers: tuple[int, ...], value: float, *, significance: float,
    text: str, share: float | None = None,
) -> None:  # fmt: skip
    """Add a finding about lines."""
    if not case.asks("sky-line residual"):
        return
    amplitude = value if kind != WIDTH else float(np.sign(value) * np.sqrt(abs(value)))
    case.add(
        "sky-line residual", step, fibers=fibers, amplitude=amplitude, significance=significance, text=text,
        unit="of the lines" if kind == FACTOR else "Angstrom", confidence=0.9, wave_range=span_of_lines(case, found),
        known=len(fibers) == 1 and bool(case.known[fibers[0]]),
        detail={
            "change": KINDS[kind], "lines": list(found.lines),
            "share_of_sky_model": None if share is None else round(share, 2),
        },
    )  # fmt: skip


def _note_all(case: Case, found: Changes, kind: int, value: float, significance: float) -> None:
    own = found.fits.value[kind] - (case.line_tilt if kind == FACTOR else 0.0)
    error = np.where(found.use, found.fits.error[kind], np.inf)
    text = f"In all fibers the {in_words(kind, value)}" + unlike(own, error)
    if kind == SHIFT:
        text += ": the sky model, or the wavelengths of all traces"
    _add_lines(case, found, kind, "sky", tuple(range(own.size)), value, significance=significance, text=text)


def _note_apart(case: Case, found: Changes, kind: int, value: Array) -> None:
    """Lines that differ from fiber to fiber by far more than they may, with no run and no few that stand out."""
    away = (value - middle(value[found.use]))[found.use]
    scatter, errors = float(mad(away)), float(mad(away / found.fits.error[kind][found.use]))
    if errors < APART:
        return
    fibers = tuple(int(f) for f in np.flatnonzero(found.use))
    _add_lines(
        case, found, kind, LINE_STEP[kind], fibers, scatter, significance=errors * float(np.sqrt(len(fibers))),
        text=f"From fiber to fiber the {_said_of(kind, scatter)}, {errors:.1f} times what they may: a large part of "
        f"the camera is wrong, which is not told apart; {WHERE['trace']}",
    )  # fmt: skip


def _note_run(case: Case, found: Changes, kind: int, span: Span) -> None:
    """A run of fibers: light lost or a wrong flat, or lines that are displaced or wide."""
    fibers = tuple(int(f) for f in span.fibers if found.use[f])
    if kind == FACTOR:
        case.runs.append(
            LightLevel(fibers, 1 + span.value, span.error, guilt(case.flat_level, fibers, 1 + span.value, span.error))
        )
        return
    step = LINE_STEP[kind]
    text = f"In fibers {ranges(fibers)} the {in_words(kind, span.value)}: {WHERE[step]}"
    _add_lines(case, found, kind, step, fibers, span.value, significance=span.score, text=text)


def _note_fiber(case: Case, found: Changes, kind: int, span: Span) -> None:
    """One fiber."""
    fiber = span.first
    if kind == FACTOR:
        level = guilt(case.flat_level, (fiber,), 1 + span.value, span.error)
        case.singles.append(LightLevel((fiber,), 1 + span.value, span.error, level))
        return
    step = LINE_STEP[kind]
    text = f"In fiber {fiber} the {in_words(kind, span.value)}: {WHERE[step]}"
    _add_lines(case, found, kind, step, (fiber,), span.value, significance=span.score, text=text)
