"""Questions to the steps from an exposure's spectra to its source and cubes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.spectra.field.cube import usable_spaxels
from ifuview.engine.spectra.field.separation import Separation
from ifuview.engine.spectra.flux.scale import FLUX_UNIT
from ifuview.engine.spectra.sky.fibers import brightness
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import UNUSABLE, ReductionBit
from ifuview.model.reduction.source import SkyCube, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.model.reduction.tables import WaveCurve
from ifuview.model.verdict import VerdictState
from ifuview.recipes.camera.values import DetectorFrame, ExtractedExposure
from ifuview.recipes.lrs2.findings import Findings, middle_wave, several, spans
from ifuview.recipes.lrs2.values import FieldSpectra, StartSources

CLEAN, LOOK, WRONG, NOT = VerdictState.CLEAN, VerdictState.LOOK, VerdictState.WRONG, VerdictState.NOT_JUDGED
AROUND = 6  # lenslets next to one
DEAD = 0.25  # of the light around: a fiber without light
SURE = 8.0  # sigma
STRAY = 1e-4  # of the brightest fiber's light, by which that of others may be off: scattered light is not known better
BINS = 32  # samples of a part of the wavelengths
FREE = 0.003  # of a source's light in a fiber that is free of it
STEEP, UNEVEN = 0.12, 0.02  # of the light around a fiber, and of the sky, that its own may differ by
CLEAR, ALIKE = 5.0, 0.4  # sigma of a hole and of a spot, and how alike light is that was exchanged
LEAST = 5  # fibers
SPILLED = 1000  # samples at the end of the range: the light of their source is in all fibers around
DARKEST = 10  # percent of the fibers
CENTERED, LEVEL = 0.05, 0.2  # arcsec, scatter of the logarithm of the light: fibers with even light all around


def spectra(found: Findings, value: object) -> None:
    """Traces moved to the light, fit of the profile, samples that are lost or at the end of the range."""
    assert isinstance(value, ExtractedExposure)
    own = value.extraction.spectra
    if value.shift is not None:
        mean, error = value.shift.mean, float(value.shift.error[0])
        words = f"traces moved by {mean:+.3f} +- {error:.3f} px"
        found.measure("trace_shift", abs(mean), words, (), (), abs(mean) / error if error > 0 else np.nan)
    else:
        found.say(LOOK, "too little light to follow the traces")
    if own.chi2 is not None:
        found.measure("profile_chi2", chi2 := float(np.nanmedian(own.chi2)), f"chi2 of the profile {chi2:.2f}")
    masked = 1 - own.usable().mean(axis=1)
    share = float(masked.mean())
    lost = np.flatnonzero(masked > found.limits("masked")[1])
    found.measure("masked", share, f"{100 * share:.1f} % of the samples masked", lost)
    full = (own.mask & np.uint32(ReductionBit.SATURATED)) > 0
    count = int(full.sum())
    fibers = np.flatnonzero(full.any(axis=1))
    words = f"{count} samples saturated in {fibers.size} fibers" if count else ""
    found.measure("saturated_samples", count, words, fibers, spans(middle_wave(own.wave), np.any(full, axis=0)))


def drift(found: Findings, value: object) -> None:
    """Wavelengths of the exposure against those of the lamps."""
    assert isinstance(value, WaveSolution)
    before = found.value("wave")
    assert isinstance(before, WaveSolution)
    moved = float(np.nanmedian((value.wave - before.wave) / np.gradient(before.wave, axis=1)))
    if not moved:
        found.say(NOT, value.notes[-1] if value.notes else "as the lamps have them: nothing was measured")
        return
    found.measure("wave_shift", abs(moved), f"lines of the sky {-moved:+.3f} px off the lamps")


def curve(found: Findings, value: object) -> None:
    """Response against the one of the tables."""
    assert isinstance(value, WaveCurve)
    usual, at = found.setup.response, found.setup.grid
    if np.array_equal(value.wave, usual.wave) and np.array_equal(value.value, usual.value):
        found.say(CLEAN, "the response of the tables")
        return
    ratio = np.interp(at, value.wave, value.value) / np.interp(at, usual.wave, usual.value)
    middle = float(np.median(ratio))
    tilt = float(np.ptp(np.percentile(ratio / middle, (5, 95))))
    words = f"response {100 * (middle - 1):+.1f} % off that of the tables, {100 * tilt:.1f} % along wavelength"
    found.measure("response_off", max(abs(middle - 1), tilt), words)


def flux(found: Findings, value: object) -> None:
    """Evenness of the fibers after the fiber flat, fibers without light or with that of another, level of the sky."""
    assert isinstance(value, FiberSpectra)
    level, error = brightness(value)
    full = int(((value.mask & np.uint32(ReductionBit.SATURATED)) > 0).sum())
    if full >= SPILLED:
        found.say(NOT, "light of single fibers is not judged: that of saturated pixels has spilled over the others")
        return
    around = _around(level, found.setup.layout.x, found.setup.layout.y)
    known = np.isfinite(level) & np.isfinite(around) & (around > 0)
    dark = float(np.nanpercentile(level, DARKEST)) if known.any() else np.nan
    wrong = np.hypot(error, STRAY * float(np.nanmax(level))) if known.any() else error
    dead = np.flatnonzero(known & (level < DEAD * np.minimum(around, dark)) & (dark - level > SURE * wrong))
    sure = float(np.min((dark - level)[dead] / wrong[dead])) if dead.size else np.nan
    gone = f"{dead.size} fibers have no light that the twilight had light in" if dead.size else ""
    found.measure("lost_fibers", dead.size, gone, dead, (), sure)
    if not _uneven(found, level, error, dead):
        _swapped(found, level, wrong, around)
    _sky_level(found, value, level)


def _uneven(found: Findings, level: Array, error: Array, dead: Array) -> bool:
    """How fibers differ from those around them, where light changes little from fiber to fiber; whether too much.

    Against the mean logarithm of the six around: power laws of the radius, as the wings of a source are, have none.
    """
    x, y = found.setup.layout.x, found.setup.layout.y
    near = _next(x, y, np.ones(x.size, bool))
    known = np.isfinite(level) & (level > 0)
    known[dead] = False
    log = np.log(np.where(known, level, 1))
    inside = np.hypot(x[near].mean(axis=1) - x, y[near].mean(axis=1) - y) < CENTERED
    even = inside & known & known[near].all(axis=1) & (log[near].std(axis=1) < LEVEL)
    if even.sum() < LEAST:
        found.say(NOT, "evenness of the fibers is not judged: light of a source differs from fiber to fiber")
        return False
    off = (log - log[near].mean(axis=1))[even]
    noise = float(np.median(error[even] / level[even]))
    uneven = float(np.sqrt(max(robust_sigma(off) ** 2 - (1 + 1 / AROUND) * noise**2, 0)))
    words = f"fibers differ by {100 * uneven:.1f} % from those around them"
    bad = uneven > found.limits("uneven")[0]
    words += ": the fiber flat does not fit this exposure" if bad else ""
    odd = np.flatnonzero(even)[np.abs(off) > 2 * uneven]
    found.measure("uneven", uneven, words, odd, (), uneven / noise * float(np.sqrt(even.sum() / 2)))
    return bad


def _next(x: Array, y: Array, of: Array) -> NDArray[np.intp]:
    """The lenslets next to each, (nfiber, AROUND), of some."""
    away = np.hypot(x[:, None] - x, y[:, None] - y)
    away[:, ~of] = np.inf
    np.fill_diagonal(away, np.inf)
    return np.argsort(away, axis=1)[:, :AROUND]


def _crowded(found: Findings) -> bool:
    """Whether light of a source reaches most fibers."""
    start = found.value("sources")
    return isinstance(start, StartSources) and start.search is not None and start.search.choice.crowded


def _swapped(found: Findings, level: Array, error: Array, around: Array) -> None:
    """Two fibers of which each has the light that lies around the other: less, and more, than any fiber beside it.

    `error` tells how well light is known, that of others which is scattered included.
    """
    sky = float(np.nanpercentile(level, DARKEST))
    own, beside = np.nan_to_num(level) - sky, np.nan_to_num(around) - sky
    known = np.isfinite(level) & np.isfinite(around)
    sigma = np.hypot(np.where(known, error, np.inf), STEEP * np.maximum(beside, 0) + UNEVEN * sky)
    off = own / sigma - beside / sigma
    near = level[_next(found.setup.layout.x, found.setup.layout.y, known)]
    holes = np.flatnonzero(known & (off < -CLEAR) & (level < near.min(axis=1)))
    spots = np.flatnonzero(known & (off > CLEAR) & (level > near.max(axis=1)))
    pairs = [
        (int(a), int(b))
        for a in holes
        for b in spots
        if ALIKE * beside[a] < own[b] < beside[a] / ALIKE and abs(own[a] - beside[b]) < CLEAR * sigma[b]
    ]
    if pairs:
        a, b = max(pairs, key=lambda pair: min(-off[pair[0]], off[pair[1]]))
        words = f"fibers {min(a, b) + 1} and {max(a, b) + 1} have each other's light: they are swapped"
        found.say(WRONG, words, sorted((a, b)), (), float(min(-off[a], off[b])))


def _around(level: Array, x: Array, y: Array) -> NDArray[np.float64]:
    """Median of the lenslets next to each, of those that are known."""
    return np.asarray(np.median(level[_next(x, y, np.isfinite(level))], axis=1))


def _sky_level(found: Findings, value: FiberSpectra, level: Array) -> None:
    """Whether the darkest half of the fibers is as bright as skies are."""
    usual = [np.interp(found.setup.grid, one.wave, one.value) for one in found.setup.skies]
    dark = np.flatnonzero(level <= np.nanmedian(level))
    if not usual or dark.size == 0:
        return
    own = float(np.nanmedian(np.where(value.usable(), value.flux, np.nan)[dark])) * FLUX_UNIT
    low, high = (float(np.median(one)) for one in (usual[0], usual[-1]))
    times = max(low / own, own / high) if own > 0 else np.inf
    found.measure("sky_level", times if np.isfinite(times) else 1e9, f"sky {own / low:.2f} times that of dark nights")


def sources(found: Findings, value: object) -> None:
    """What was found above a first sky."""
    assert isinstance(value, StartSources)
    search = value.search
    if value.given is not None:
        found.say(NOT, "the source was put there by hand")
    elif search is None:
        found.say(NOT, "sources are looked for with the sky of another exposure")
    elif search.choice.crowded and search.extended is None:
        found.say(LOOK, search.choice.note)
    else:
        kind = "an extended source" if search.extended is not None else several(len(search.sources), "source")
        found.say(CLEAN, f"{kind} above the sky of {int(search.choice.chosen.sum())} fibers")


def sky(found: Findings, value: object) -> None:
    """Fibers that it is from, gradient over the field, lines of single fibers."""
    assert isinstance(value, Separation)
    used = value.sky.fibers
    words = f"sky from {several(int(used.sum()), 'fiber')}, {several(len(value.sources), 'source')}"
    found.say(CLEAN if used.sum() > LEAST else LOOK, words)
    if value.extended is not None and _of_here(value):
        found.measure("sky_doubt", own := value.extended.doubt, f"known to {100 * own:.1f} % of the mean light of it")
    span = float(np.ptp(value.surface.value))
    found.measure("gradient", span, f"gradient of {100 * span:.1f} % over the field")
    if value.line_errors is not None and not _crowded(found):
        moved = np.median(value.line_errors.shift, axis=1)
        odd = np.flatnonzero(np.abs(moved) > found.limits("line_shift")[0])
        words = f"lines of the sky up to {float(np.max(np.abs(moved))):.2f} px off"
        found.measure("line_shift", float(np.max(np.abs(moved))), words, odd, (), value.line_errors.significance)


def field(found: Findings, value: object) -> None:
    """What is left of the sky, in all and in parts of the wavelengths, where no source is."""
    assert isinstance(value, FieldSpectra)
    separation = found.value("sky")
    assert isinstance(separation, Separation)
    width, median, count = sky_pulls(value, separation)
    words = f"what is left of the sky in {count} fibers: pulls {width:.2f} wide about {median:+.2f}"
    if count:
        found.measure("pull_width", max(width, 1 / width) if width > 0 else np.nan, words)
    free = _free(separation) & value.subtracted.usable().any(axis=1)
    if free.sum() < LEAST or separation.extended is not None or _crowded(found):
        found.say(NOT, "over- and under-subtracted sky is not judged: light of a source reaches most fibers")
        return
    _left(found, value, np.flatnonzero(free), source_light(separation, value.subtracted))


def _free(separation: Separation) -> NDArray[np.bool_]:
    """Fibers without light of sources."""
    if not len(separation.share):
        return np.ones(separation.sky.fibers.size, bool)
    return np.asarray(separation.share.max(axis=(0, 2)) < FREE)


def source_light(separation: Separation, own: FiberSpectra) -> NDArray[np.float32]:
    """Light of all sources in each fiber on the common grid, (nfiber, nwave); none where the sky is of elsewhere."""
    out = np.zeros(own.flux.shape, np.float32)
    if separation.share.shape[1:] == out.shape and _of_here(separation):
        for n, share in enumerate(separation.share):
            out += share * separation.common.at(own.wave, n + 1)[0].astype(np.float32)
    return out


def _of_here(separation: Separation) -> bool:
    """Whether sources were told apart from the sky of their own exposure, so that their light is known."""
    return bool(separation.common.coeff.shape[1] > len(separation.share))


def _left(found: Findings, value: FieldSpectra, free: Array, light: Array) -> None:
    """Share of the sky that is left: of all fibers together, in parts of the wavelengths."""
    own, model = value.subtracted, value.sky[free]
    rest = own.flux[free] - light[free]
    good = own.usable()[free] & (own.variance[free] > 0) & (model > 0)
    weight = np.where(good, 1 / np.where(good, own.variance[free], 1), 0)
    each = (weight * rest * model).sum(axis=1), (weight * model**2).sum(axis=1)
    share = float(each[0].sum() / each[1].sum())
    sigma = abs(share) * float(np.sqrt(each[1].sum()))
    kind = "under" if share > 0 else "over"
    words = f"{100 * share:+.2f} % of the sky left where no source is"
    bad = abs(share) > found.limits("sky_left")[0] and sigma > SURE
    text = f"{words}: the sky is {kind}-subtracted" if bad else words
    found.measure("sky_left", abs(share) if sigma > SURE else 0.0, text, free, (), sigma)
    edges = np.arange(0, own.wave.size - BINS + 1, BINS)
    top = np.add.reduceat((weight * rest * model).sum(axis=0), edges)
    bottom = np.add.reduceat((weight * model**2).sum(axis=0), edges)
    part = np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1), 0)
    sure = np.abs(part) * np.sqrt(bottom)
    odd = (np.abs(part - share) > found.limits("sky_left_window")[0]) & (sure > SURE)
    if odd.any():
        worst = int(np.argmax(np.where(odd, sure, 0)))
        where = tuple((float(own.wave[edges[n]]), float(own.wave[edges[n] + BINS - 1])) for n in np.flatnonzero(odd))
        words = f"{100 * part[worst]:+.1f} % of the sky left at {where[0][0]:.0f}-{where[0][1]:.0f} A"
        found.measure("sky_left_window", abs(float(part[worst] - share)), words, (), where, float(sure[worst]))


def sky_pulls(field: FieldSpectra, sky: object) -> tuple[float, float, int]:
    """Robust width and median of residual over error in the fibers that the sky was made from, and their number."""
    assert isinstance(sky, Separation)
    own = field.subtracted
    dark = sky.sky.fibers if _of_here(sky) else sky.sky.fibers & _free(sky)
    good = dark[:, None] & own.usable() & (own.variance > 0)
    pull = (own.flux - source_light(sky, own))[good] / np.sqrt(own.variance[good])
    if pull.size < 100:
        return float("nan"), float("nan"), int(dark.sum())
    return robust_sigma(pull), float(np.median(pull)), int(dark.sum())


def no_source(found: Findings, reason: str) -> None:
    """There is no spectrum: lost, or not to be expected."""
    science = found.value("science")
    name = str(science.header.get("OBJECT", "")) if isinstance(science, DetectorFrame) else ""
    if (aimed := found.setup.aimed(name)) is None:
        found.say(LOOK, f"no source stands out of the sky; {name.strip() or 'OBJECT'} does not say where one is")
    elif not aimed:
        found.say(CLEAN, "no source stands out of the sky: none is expected in this head")
    else:
        found.say(WRONG, f"the source is lost: {name.strip()} ought to be in this head; {reason}")


def spectrum(found: Findings, value: object) -> None:
    """Source: place, width, fit of its profile, light outside of the fibers."""
    assert isinstance(value, SourceSpectrum)
    masked = float(((value.mask & np.uint32(int(UNUSABLE))) > 0).mean())
    separation, made = found.value("sky"), found.value("field")
    assert isinstance(separation, Separation) and isinstance(made, FieldSpectra)
    words = "extended source"
    if separation.sources:
        one = separation.sources[0]
        words = f"source at x {one.x:+.2f} y {one.y:+.2f}, FWHM {one.fwhm:.2f} arcsec"
    found.measure("masked", masked, f"{words}, {100 * masked:.1f} % masked")
    lost = 1 - float(np.nanmedian(value.fraction)) if np.isfinite(value.fraction).any() else np.nan
    if np.isfinite(lost):
        found.measure("source_lost", lost, f"{100 * lost:.0f} % of its light is outside of usable fibers")
    if separation.sources and np.isfinite(separation.sources[0].chi2):
        chi2 = separation.sources[0].chi2
        found.measure("source_chi2", chi2, f"chi2 of its profile {chi2:.2f}")


def cubes(found: Findings, value: object) -> None:
    """Light of the cube against that of the fibers."""
    assert isinstance(value, Mapping)
    made = found.value("field")
    assert isinstance(made, FieldSpectra) and isinstance(value["obs"], SkyCube)
    own, whole = made.observed, value["obs"]
    usable = own.usable()
    light = np.where(usable, own.flux, 0).sum(axis=0)
    full = (usable.sum(axis=0) == usable.any(axis=1).sum()) & (light > 0)  # elsewhere the cube fills what is masked
    if not full.any():
        found.say(NOT, "some fiber is masked at every wavelength: the cube fills it, the fibers do not")
        return
    total = np.where(usable_spaxels(whole), whole.data, 0).sum(axis=(1, 2))
    ratio = float(total[full].sum() / light[full].sum())
    found.measure("cube_flux", abs(ratio - 1), f"light of the cube {100 * (ratio - 1):+.2f} % off that of the fibers")


def picture(found: Findings, value: object) -> None:
    """Nothing of its own."""
    found.say(NOT, "a part of the cube, which is judged: nothing of its own to judge")
