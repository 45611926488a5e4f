"""Are the sky's lines too strong, displaced or too wide: in all fibers, in a run of them, in one?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ifuview.engine.night import lines as of_lines
from ifuview.engine.night.questions.case import BUNDLE, Case
from ifuview.engine.night.questions.lines import GRADIENT, add_gradient
from ifuview.engine.night.scan import Span, deviations, spans
from ifuview.engine.night.stats import MEDIAN_ERROR, mad, middle
from ifuview.engine.night.templates import KINDS, FiberFits, fiber_fits
from ifuview.engine.night.throughput import Guilt, guilt
from ifuview.model.checks import Array
from ifuview.model.night.triage import ranges

FACTOR, SHIFT, WIDTH = range(3)
LEAST = (0.006, 0.006, 0.02)  # of a change that is worth a finding: part, Angstrom, Angstrom squared
ALL = 7.0  # sigma of a change that all fibers share
SECOND = 0.35  # a shift's own curvature: a width of the shift squared is no other finding, to this part of it
TILT = (6.0, 0.3)  # significance and explained part from which a plane over the field is taken off
HALF = 0.5  # of a change in the sky model makes it the sky model's
LINE_STEP = {FACTOR: "sky", SHIFT: "trace", WIDTH: "trace"}
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
    """

    fits: FiberFits
    model: FiberFits
    use: Array


def measured_changes(case: Case, use: Array) -> Changes | None:
    """Fit the lines of all fibers; None without a sky model."""
    chain = case.chain
    if case.clean is None or chain.sky is None or case.level is None:
        return None
    flux = case.clean - case.expected
    ivar = np.where(case.good, case.sigma[None] ** -2.0, 0.0) if chain.sframe_ivar is None else chain.sframe_ivar
    ivar = np.where(case.good & (ivar <= 0), (case.sigma**-2.0)[None], ivar)
    fits = fiber_fits(flux, ivar, case.level, chain.wave)
    model = fiber_fits(chain.sky - case.level, np.ones_like(ivar), case.level, chain.wave)
    return Changes(fits, model, use & np.isfinite(fits.error).all(axis=0))


def changes(case: Case, use: Array) -> Array | None:
    """Note what lines have in common; return what that makes of the residual, shape (nfiber, nwave), None if nothing."""
    found = measured_changes(case, use)
    if found is None:
        return None
    fits, take = found.fits, np.zeros(found.fits.value.shape, bool)
    value = fits.value.copy()
    value[FACTOR] -= _over_field(case, found)
    for kind in (SHIFT, WIDTH, FACTOR):
        shared = _shared(found, kind)
        if shared is not None:
            _note_all(case, kind, *shared)
            take[kind] = found.use
        singles: list[Span] = []
        for span in spans(value[kind], fits.error[kind], found.use, snap=BUNDLE):
            if abs(span.value) < LEAST[kind] or (kind == WIDTH and _of_shift(found, span)):
                continue
            take[kind, span.first : span.last] = True
            if span.last - span.first == 1:
                singles.append(span)
            else:
                _note_run(case, found, kind, span)
        for span in singles:
            _note_fiber(case, found, kind, span)
    take[FACTOR] |= found.use & (value[FACTOR] != fits.value[FACTOR])
    return fits.expected(take) if take.any() else None


def _over_field(case: Case, found: Changes) -> Array:
    """The plane over the field that the factor of all lines is, shape (nfiber,); noted where it is the sky's own."""
    chain, fits = case.chain, found.fits
    out = np.zeros(found.use.size)
    if chain.focal_x is None or chain.focal_y is None:
        return out
    plane = of_lines.plane(fits.value[FACTOR], fits.error[FACTOR], chain.focal_x, chain.focal_y, found.use)
    if plane is None or plane.significance < TILT[0] or plane.explained < TILT[1]:
        return out
    tilt = plane.slope[0] * (chain.focal_x - plane.center[1]) + plane.slope[1] * (chain.focal_y - plane.center[2])
    is_sky = all(v > limit for v, limit in zip((plane.significance, plane.explained, plane.swing), GRADIENT, strict=True))
    if is_sky and case.asks("sky-gradient"):
        lines = chain.wave[np.abs(fits.shapes[FACTOR]) > 0]
        add_gradient(
            case, plane, (float(lines.min()), float(lines.max())), "All strong sky lines vary",
            np.where(found.use, fits.value[FACTOR], np.nan),
        )  # fmt: skip
    return np.asarray(np.nan_to_num(tilt))


def _shared(found: Changes, kind: int) -> tuple[float, float] | None:
    """(value, significance) of a change that all fibers share; None if there is none.

    The noise of the sky model is in all of them: the median is compared with the scatter of what the sky model itself
    could be off, which the fibers that made it do not have.
    """
    values, error = found.fits.value[kind][found.use], found.fits.error[kind][found.use]
    if values.size < BUNDLE:
        return None
    value = float(middle(values))
    spread = max(float(mad(values)), float(np.median(error)))
    significance = abs(value) / (MEDIAN_ERROR * spread / np.sqrt(values.size))
    own = found.fits.common_error[kind]
    significance = min(significance, abs(value) / own)
    return (value, significance) if significance > ALL and abs(value) > LEAST[kind] else None


def _of_shift(found: Changes, span: Span) -> bool:
    """Whether a width is nothing but the curvature that a shift leaves."""
    part = slice(span.first, span.last)
    shift = float(middle(found.fits.value[SHIFT][part]))
    return abs(span.value - shift**2) < max(SECOND * abs(span.value), 4 * span.error) and shift**2 > HALF * abs(span.value)


def _span_of(case: Case, found: Changes) -> tuple[float, float]:
    lines = case.chain.wave[np.abs(found.fits.shapes[FACTOR]) > 0]
    return (float(lines[0]), float(lines[-1])) if lines.size else (float(case.chain.wave[0]), float(case.chain.wave[-1]))


def _said(kind: int, value: float) -> str:
    """A change in words."""
    if kind == FACTOR:
        return WORDS[kind].format("strong" if value > 0 else "weak", 100 * abs(value))
    if kind == SHIFT:
        return WORDS[kind].format("", value)
    return WORDS[kind].format("wider" if value > 0 else "narrower", float(np.sqrt(abs(value))))


def _add_lines(case: Case, kind: int, step: str, fibers: tuple[int, ...], value: float, **more: Any) -> None:
    """Add a finding about lines."""
    if not case.asks("sky-line residual"):
        return
    amplitude = value if kind != WIDTH else float(np.sign(value) * np.sqrt(abs(value)))
    case.add(
        "sky-line residual", step, fibers=fibers, amplitude=amplitude,
        unit="of the lines" if kind == FACTOR else "Angstrom", confidence=0.9, **more,
    )  # fmt: skip


def _note_all(case: Case, kind: int, value: float, significance: float) -> None:
    everyone = tuple(range(case.chain.shape[0]))
    text = f"In all fibers the {_said(kind, value)}"
    if kind == SHIFT:
        text += ": the sky model, or the wavelengths of all traces"
    _add_lines(
        case, kind, "sky", everyone, value, significance=significance, text=text, detail={"change": KINDS[kind]}
    )


def _share(found: Changes, kind: int, span: Span) -> float:
    """Part of a change that the sky model has, sign turned."""
    own = float(middle(found.model.value[kind][span.first : span.last]))
    return -own / span.value


def _note_run(case: Case, found: Changes, kind: int, span: Span) -> None:
    """A run of fibers: light lost or a wrong flat, or lines that are displaced or wide."""
    share = _share(found, kind, span)
    fibers = tuple(int(f) for f in span.fibers if found.use[f])
    if kind == FACTOR and share < HALF:
        case.add_run_throughput(fibers, 1 + span.value, span.score, guilt(case, fibers, 1 + span.value))
        return
    step = "sky" if share > HALF else LINE_STEP[kind]
    text = f"In fibers {ranges(fibers)} the {_said(kind, span.value)}: {WHERE[step]}"
    _add_lines(
        case, kind, step, fibers, span.value, significance=span.score, text=text,
        wave_range=_span_of(case, found),
        detail={"change": KINDS[kind], "share_of_sky_model": round(share, 2), "error": span.error},
    )  # fmt: skip


def _note_fiber(case: Case, found: Changes, kind: int, span: Span) -> None:
    """One fiber."""
    share = _share(found, kind, span)
    fiber = span.first
    if kind == FACTOR and share < HALF:
        case.throughput[fiber] = 1 + span.value, span.error, guilt(case, (fiber,), 1 + span.value)
        return
    step = "sky" if share > HALF else LINE_STEP[kind]
    if step == "sky":
        return  # the sky model of a fiber is asked by itself
    text = f"In fiber {fiber} the {_said(kind, span.value)}: {WHERE[step]}"
    _add_lines(
        case, kind, step, (fiber,), span.value, significance=span.score, text=text, wave_range=_span_of(case, found),
        known=bool(case.known[fiber]), detail={"change": KINDS[kind], "share_of_sky_model": round(share, 2)},
    )  # fmt: skip
