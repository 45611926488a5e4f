"""Do blocks of fibers, or all of them, deviate at some wavelengths, and which product has it first?"""

from __future__ import annotations

from typing import Any

import numpy as np

from ifuview.engine.night import blocks as in_blocks
from ifuview.engine.night import others
from ifuview.engine.night.extent import overlap
from ifuview.engine.night.questions.case import BLOCK, BUNDLE, COUNTS, E_PER_A, MODEL_CLIP, THIN, Case
from ifuview.engine.night.search.bumps.regions import LitRegion, Places, brightest
from ifuview.engine.night.search.bumps.stretches import stretches
from ifuview.engine.night.search.common import common_fit, mean_spectrum, of_no_light, of_plain_spectra
from ifuview.engine.night.search.deviating import Deviation
from ifuview.engine.night.search.scan import blocks_of_fibers
from ifuview.engine.night.search.templates import shapes
from ifuview.engine.night.stand_ins import untold
from ifuview.engine.night.stats import binned, continuum, middle, without_gaps
from ifuview.model.checks import Array
from ifuview.model.night.triage import ranges

MAKES = {"sky": "sky model", "flat": "fiberflat"}  # products that make such light in some fibers, and their names
LEAST_MEAN = 20  # fibers
LOCAL = ("wavelength-blocks", "ccd-row")  # light of some fibers
FEW = 4  # fibers that are named one by one
OWN_LIGHT = 0.5  # noise of a pixel: the level of a sky fiber that has no part in the mean of those
IN_FIELD = 5.4  # sigma of light on a part of the field; one of 300 clean cameras has 5.2, the others stay below 4.5
PART, OWN_CLIP, OWN_PART = 100, 1.0, 2.5  # px; its mean over so many, noise of a pixel, and times the usual one's
CONTINUUM = 2  # degree of the polynomial of a target
ALL_BUT_GAPS = 0.8  # of the pixels of a fiber that takes part in the field
SPAN = 2.0  # sigma of a bump on both sides of its center


def blocks(case: Case) -> None:
    """Fibers that deviate at some wavelengths, and residuals that all fibers share."""
    chain = case.chain
    if case.clean is None or case.level is None or chain.sky is None:
        return
    for one in case.deviations:
        _deviation(case, one)
    bins = in_blocks.grid(chain.wave, case.level, case.sigma)
    rest = case.clean - case.expected
    if case.asks("wavelength-blocks"):
        without = tuple(name for name in MAKES if name in untold(case.given))
        for region in in_blocks.regions(rest, bins, BLOCK):
            frame = None
            if chain.frame is not None and chain.flat is not None:
                frame = in_blocks.share(region, case.seen, rest, bins)
            case.add("wavelength-blocks", "sframe" if without else "preproc", **_region(region, frame, without))
    if case.asks("wavelength-all") and not case.bad_amplifiers:  # whose light the sky model takes along
        of_lines = shapes(case.level, chain.wave)
        line = case.strong_lines
        for amplitude, significance, span in _windows(case, rest, of_lines, line):
            if any(f.kind in LOCAL and overlap(f.wave_range, span) > 0 for f in case.findings):
                continue  # what a sky model that follows some fibers leaves in the others
            case.add(
                "wavelength-all", "sky", fibers=tuple(range(chain.shape[0])), wave_range=span, amplitude=amplitude,
                unit=COUNTS, significance=significance, confidence=0.7,
                text=f"All fibers keep {amplitude:+.2g} {E_PER_A} at {span[0]:.0f}-{span[1]:.0f} A after the "
                "sky is off",
            )  # fmt: skip


def _windows(case: Case, rest: Array, of_lines: Array, line: Array) -> list[tuple[float, float, tuple[float, float]]]:
    """Amplitude, significance and wavelengths of what all fibers keep, but what a sky model makes of fibers with light.

    A model that is a mean follows sky fibers that have light of their own, where it does not leave them out.
    """
    wave, level = case.chain.wave, case.level
    assert level is not None
    found = others.everywhere(_means(case, rest, of_lines), line, wave, level)
    light = case.flux - case.expected - case.row_light
    empty = np.flatnonzero(case.is_sky)
    lit = light[empty[_lit_up(light[empty], case.sigma)]]
    if not found or not lit.size:
        return found
    followed = np.where(np.abs(lit) < MODEL_CLIP * case.sigma, np.nan_to_num(lit), 0.0).sum(axis=0)
    again = others.everywhere(_means(case, rest, of_lines, followed), line, wave, level)
    return [w for w in found if any(overlap(w[2], a[2]) > 0 and w[0] * a[0] > 0 for a in again)]


def _means(case: Case, rest: Array, of_lines: Array, followed: Array | None = None) -> list[others.SharedMean]:
    """Means of the targets and of the sky fibers and their noise, without what lines that are wrong together leave.

    Targets have a continuum, sky fibers only a level that is asked elsewhere: all else that is left may be the sky's.
    `followed` is the shape of what the sky model may have that is not the sky's, shape (nwave,).
    """
    is_sky = case.is_sky
    told = {f for x in case.findings if x.kind in ("wavelength-blocks", "swapped-fibers") for f in x.fibers}
    use = case.measured & ~np.isin(np.arange(is_sky.size), list(told))
    light = case.flux - case.expected - case.row_light
    assert case.level is not None
    smooth = np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, case.level.size), CONTINUUM).T
    out = []
    for empty in (False, True):
        fibers = use & (is_sky == empty)
        if empty:  # a target that is taken for sky counts at all wavelengths
            fibers[np.flatnonzero(fibers)[_lit_up(light[fibers], case.sigma)]] = False
        if np.count_nonzero(fibers) < LEAST_MEAN:
            continue
        weight = None if empty else of_plain_spectra(rest[fibers], case.sigma)
        if weight is not None:
            weight = of_no_light(weight, middle(light[fibers, ::THIN], axis=1))
        own = light - case.tilt[:, None] * case.level if empty and case.tilt.any() else light
        values = _without_odd(own[fibers], case.sigma) if empty else rest[fibers]
        mean, noise = mean_spectrum(values, case.sigma, np.ones(len(values), bool), weight)
        shapes = case.level[None] if empty else smooth
        if followed is not None:
            shapes = np.append(shapes, [followed, np.ones(followed.size)], axis=0)
        mean = mean - common_fit(mean, noise, of_lines)[0] @ of_lines
        mean = mean - np.linalg.lstsq((shapes / noise).T, mean / noise, rcond=None)[0] @ shapes
        out.append(others.SharedMean(mean, noise, shapes))
    return out


def _without_odd(values: Array, sigma: Array) -> Array:
    """Spectra without pixels far from those of the others: a sky model leaves these out, and the mean of all is not 0.

    Shapes (nfiber, nwave), (nwave,); NaN where a pixel is odd.
    """
    return np.asarray(np.where(np.abs(values - middle(values, axis=0)) > MODEL_CLIP * sigma, np.nan, values))


def _lit_up(light: Array, sigma: Array) -> Array:
    """Sky fibers with light of their own, at all wavelengths or over a part of them, shape (nfiber,)."""
    if not light.size:
        return np.zeros(light.shape[0], bool)
    z = binned(without_gaps(light) / sigma, PART)
    z -= middle(z, axis=0)  # what they share is what is asked for
    over_a_part = np.sqrt(PART * np.mean(np.clip(z, -OWN_CLIP, OWN_CLIP) ** 2, axis=1))
    usual = float(np.median(over_a_part))
    lit = np.abs(middle(light[:, ::THIN], axis=1)) > OWN_LIGHT * np.median(sigma)
    return np.asarray(lit | (over_a_part > OWN_PART * max(usual, 1.0)))


WHERE = {
    "sky": "the sky model itself deviates there",
    "fiberflat": "the fiberflat has a feature there",
    "sframe": "sframe is not frame / flat - sky there",
}


def _deviation(case: Case, one: Deviation) -> None:
    """Fibers whose sky model or flat is wrong at some wavelengths: one, or a part of the slit."""
    if one.step == "sframe" and case.set_aside.issuperset(one.fibers):
        return  # told already: their products contradict each other
    wave = case.chain.wave
    columns = range(*one.seen.indices(wave.size))
    low, high = float(wave[columns[0]]), float(wave[columns[-1]])
    strongest = float(one.peak[np.argmax(np.abs(one.peak))])
    answer = round(float(middle(one.answer)), 2)
    numbers = {"answer": answer, "product": one.step}
    why = WHERE[one.step] + (", frame and flat do not" if one.step == "sky" and case.given.has("frame", "flat") else "")
    if len(one.fibers) <= FEW:
        if case.asks("isolated-fiber"):
            for fiber, peak in zip(one.fibers, one.peak, strict=True):
                case.add(
                    "isolated-fiber", one.step, fibers=(fiber,), wave_range=(low, high), amplitude=float(peak),
                    unit=COUNTS, significance=one.score, known=bool(case.known[fiber]), detail=numbers,
                    text=f"Fiber {fiber} deviates by up to {abs(peak):.1f} {E_PER_A} at {low:.0f}-{high:.0f} A: "
                    f"{why}",
                )  # fmt: skip
        return
    if not case.asks("wavelength-blocks"):
        return
    size = next((s for s in (BLOCK, BUNDLE) if blocks_of_fibers(one.fibers, s)), 0)
    named = blocks_of_fibers(one.fibers, size) if size else ()
    of = np.array(one.fibers)
    peaks = [float(middle(one.peak[of // size == b])) for b in named]
    who = f"Fibers {ranges(one.fibers)}"
    if size:
        signs = ", ".join(f"{b}{'+' if a > 0 else '-'}" for b, a in zip(named, peaks, strict=True))
        who = f"Blocks of {size} fibers ({signs})"
        strongest = max(peaks, key=abs)
    case.add(
        "wavelength-blocks", one.step, fibers=one.fibers, blocks=named, block_size=size, wave_range=(low, high),
        amplitude=strongest, unit=COUNTS, significance=one.score, confidence=1.0,
        text=f"{who} deviate by up to {abs(strongest):.0f} {E_PER_A} at {low:.0f}-{high:.0f} A: {why}",
        detail={
            **numbers, "amplitude_of_block": [round(a, 1) for a in peaks],
            "flux_over_product": [-answer], "frame_over_flux": _in_frame(case, one),
        },
    )  # fmt: skip


def _in_frame(case: Case, one: Deviation) -> float | None:
    """How much of the deviation the flat-fielded frame has already, 0 to 1."""
    chain = case.chain
    if chain.frame is None or chain.flat is None:
        return None
    rows = np.array(one.fibers)
    shape = binned(case.products[one.step][rows][:, one.columns], in_blocks.BIN)
    seen = case.seen[rows] - continuum(case.seen[rows])
    frame = binned(seen[:, one.columns], in_blocks.BIN)
    others = middle(binned((case.seen[::THIN] - continuum(case.seen[::THIN]))[:, one.columns], in_blocks.BIN), axis=0)
    rest = np.nan_to_num(frame - others)
    return round(float(-np.sum(rest * shape) / max(float(np.sum(shape**2)), 1e-12)), 2)


def _region(region: in_blocks.BlockRegion, frame: float | None, without: tuple[str, ...]) -> dict[str, Any]:
    low, high = region.wave_range
    fibers = tuple(f for b in region.blocks for f in range(b * region.size, (b + 1) * region.size))
    strongest = max(region.amplitude, key=abs)
    signs = ", ".join(f"{b}{'+' if a > 0 else '-'}" for b, a in zip(region.blocks, region.amplitude, strict=True))
    return {
        "fibers": fibers, "blocks": region.blocks, "block_size": region.size, "wave_range": region.wave_range,
        "amplitude": strongest, "unit": COUNTS, "significance": region.significance, "confidence": 0.8,
        "text": f"Blocks of {region.size} fibers ({signs}) deviate by up to {abs(strongest):.0f} {E_PER_A} at "
        f"{low:.0f}-{high:.0f} A: " + (_which_step(without) if without else "neither sky model nor fiberflat has it"),
        "detail": {
            "amplitude_of_block": [round(a, 1) for a in region.amplitude], "flux_over_product": [],
            "frame_over_flux": None if frame is None else round(frame, 2), "without": list(without),
        },
    }  # fmt: skip


def _which_step(without: tuple[str, ...]) -> str:
    said = "" if "sky" in without else "the sky model has it not; "
    return f"{said}which step made it {' and '.join(MAKES[name] for name in without)} would tell"


def lit_runs(case: Case, lines_off: Array | float) -> None:
    """Note light that neighbors on the slit have at some wavelengths, too weak or too narrow for `regions`."""
    if case.clean is None or case.level is None or not case.asks("wavelength-blocks"):
        return
    wave = case.chain.wave
    use = case.measured & ~case.known & ~case.in_bad_amplifier
    use[_told(case)] = False
    line = case.strong_lines
    for one in stretches(case.clean - case.expected - lines_off, case.sigma, wave, line, use, _place(case), BUNDLE):
        low, high = one.wave - SPAN * one.width, one.wave + SPAN * one.width
        if any(x.kind == "wavelength-all" and overlap(x.wave_range, (low, high)) > 0 for x in case.findings):
            continue
        fibers = tuple(f for f in one.span.fibers if use[f])
        size = next((s for s in (BLOCK, BUNDLE) if blocks_of_fibers(fibers, s)), 0)
        case.add(
            "wavelength-blocks", "preproc", fibers=fibers, blocks=blocks_of_fibers(fibers, size) if size else (),
            block_size=size, wave_range=(low, high), amplitude=one.span.value, unit=COUNTS,
            significance=one.span.score, confidence=0.7,
            text=f"Fibers {ranges(fibers)} have {one.span.value:+.2g} {E_PER_A} at {low:.0f}-{high:.0f} A that the "
            "others have not: neither sky model nor fiberflat has it",
        )  # fmt: skip


def _told(case: Case) -> list[int]:
    """Fibers of which something is said already, but for what is said of all."""
    most = case.chain.shape[0] // 2
    told = [f for x in case.findings if len(x.fibers) <= most for f in x.fibers]
    return [*told, *(f for run in case.runs for f in run.fibers)]


def _place(case: Case) -> Array:
    """Where the fibers are in the focal plane, 0 where that is not known, shape (nfiber, 2) or (nfiber, 0)."""
    x, y = case.chain.focal_x, case.chain.focal_y
    if x is None or y is None:
        return np.zeros((case.chain.shape[0], 0))
    return np.nan_to_num(np.stack([axis - middle(axis) for axis in (x, y)], axis=1))


def lit_regions(case: Case, lines_off: Array | float) -> None:
    """Note the light of a part of the field; `lines_off` is what lines leave in the residual."""
    chain = case.chain
    if case.clean is None or chain.focal_x is None or chain.focal_y is None or not case.asks("wavelength-blocks"):
        return
    use = case.good.mean(axis=1) > ALL_BUT_GAPS  # else its continuum is another one
    use &= (
        case.measured & ~case.known & ~case.in_bad_amplifier & np.isfinite(chain.focal_x) & np.isfinite(chain.focal_y)
    )
    told = [f for x in case.findings if x.kind in ("wavelength-blocks", "ccd-row") for f in x.fibers]
    use[[*told, *(f for run in case.runs for f in run.fibers)]] = False
    if np.count_nonzero(use) < use.size // 2:
        return
    at = np.flatnonzero(use)
    off = lines_off if isinstance(lines_off, float) else lines_off[at]
    weight = (case.sigma**-2.0).astype(np.float32)  # lines are noisy
    light = binned((case.clean[at] - case.expected[at] - off) * weight, in_blocks.BIN)
    rest = np.nan_to_num(light / binned(weight, in_blocks.BIN))
    rest -= case.tilt[at, None] * _uneven(case.numbers["sky"])
    field = Places(at, chain.focal_x[at], chain.focal_y[at], _natural(case, at))
    found = brightest(rest, case.sigma, chain.wave, field)
    if found is not None and found.score > IN_FIELD:
        _lit(case, found)


def _uneven(sky: Array) -> Array:
    """The continuum of the sky without a parabola, as the spectra are: else a large gradient would be clipped."""
    smooth = np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, sky.size), 2)
    return np.asarray(sky - smooth @ np.linalg.lstsq(smooth, sky, rcond=None)[0])


def _natural(case: Case, at: Array) -> Array:
    """The halves of the detector, and a plane over the field where the sky varies, shape (nused, nterm)."""
    chain = case.chain
    assert chain.focal_x is not None and chain.focal_y is not None
    terms = []
    if chain.cross is not None and chain.sections:
        edge = max(s.cross[0] for s in chain.sections)
        terms.append((chain.cross[at, chain.cross.shape[1] // 2] < edge).astype(float))
    if case.tilt.any() or case.line_tilt.any():
        terms += [chain.focal_x[at] - chain.focal_x[at].mean(), chain.focal_y[at] - chain.focal_y[at].mean()]
    return np.stack(terms, axis=1) if terms else np.zeros((at.size, 0))


def _lit(case: Case, found: LitRegion) -> None:
    """Light that fibers have by their place in the field."""
    span = found.wave - SPAN * found.width, found.wave + SPAN * found.width
    if any(f.kind == "wavelength-all" and overlap(f.wave_range, span) > 0 for f in case.findings):
        return
    x, y = found.center
    case.add(
        "wavelength-blocks", "light", fibers=found.fibers, wave_range=span, amplitude=found.level, unit=COUNTS,
        significance=found.score, confidence=0.6, detail={"center": [round(x, 1), round(y, 1)]},
        text=f"Fibers around ({x:.0f}, {y:.0f}) mm in the focal plane have {found.level:+.2g} {E_PER_A} at "
        f"{span[0]:.0f}-{span[1]:.0f} A, neither sky model nor fiberflat has it: light of a lamp or a reflection on a "
        "part of the field; another exposure would tell",
    )  # fmt: skip
