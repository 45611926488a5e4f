"""Stars of all heads that tell point spread, refraction, dithers and illumination of an observation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import JobContext
from ifuview.engine.spectra.field.lenslet import Lenslets, moffat_share
from ifuview.engine.spectra.stars.brightness import star_magnitudes
from ifuview.engine.spectra.stars.extract import INSIDE
from ifuview.engine.spectra.stars.optics import OpticsFit, StarLight, fit_optics
from ifuview.engine.spectra.stars.peaks import find_peaks, shared_shift
from ifuview.model.checks import Array
from ifuview.model.reduction.params import param
from ifuview.recipes.virus.light.chunks import peak_light, white_light
from ifuview.recipes.virus.shot_values import WIDTH_WAVE, HeadPictures, ShotSetup

SEEING, BETA = 1.8, 3.5  # arcsec, where no star tells
NEAR = 4.5  # arcsec and a width, fibers of a star
BESIDE, FAINTEST = 0.03, 1e-3  # of a star's light in a fiber, and of that in its brightest: light of others
CLEAN = 0.7  # of a star's light, in usable fibers without light of others
MOST = 60  # stars that tell the optics
FREE_DITHER = 0.5  # arcsec, of dithers that were measured on the sources
SETTLED, TURNS = 0.25, 3  # arcsec that dithers still move, turns
UNLIKE = 0.2  # of a head's response, by which twilight and sky may differ
WHOLE = 0.9  # of a star's light in usable fibers


@dataclass(frozen=True, slots=True)
class SolutionParams:
    """Pointing, optics and zero point."""

    ra: float = param(float("nan"), "Right ascension of the field", "deg", 0.0, 360.0, hint="nan: by the header")
    dec: float = param(float("nan"), "Declination of the field", "deg", -90.0, 90.0, hint="nan: by the header")
    turn: float = param(float("nan"), "Rotation of the field", "deg", -720.0, 720.0, hint="nan: by the header")
    seeing: float = param(SEEING, "Seeing to begin with", "arcsec", 0.5, 6.0)
    snr: float = param(30.0, "Significance of stars that tell the optics", "sigma", 5.0, 1e4)
    zero: bool = param(True, "Bring fluxes to the catalog's g")


@dataclass(frozen=True, slots=True, eq=False)
class ShotStars:
    """Stars of all heads that the optics were measured with.

    Parameters
    ----------
    heads : tuple of HeadPictures
        With dithers and sources as they were found.
    head, peak : ndarray of int, shape (nstar,)
        Which head, and which of its peaks.
    fit : OpticsFit or None
        None: no star.
    magnitude, error : ndarray, shape (nstar,)
        g of their light as calibrated so far.
    notes : tuple of str
    """

    heads: tuple[HeadPictures, ...]
    head: NDArray[np.intp]
    peak: NDArray[np.intp]
    fit: OpticsFit | None
    magnitude: NDArray[np.float64]
    error: NDArray[np.float64]
    notes: tuple[str, ...] = ()


def make_shot_stars(
    params: SolutionParams, ctx: JobContext, setup: ShotSetup, heads: tuple[HeadPictures, ...]
) -> ShotStars:
    """Optics from the isolated, bright stars of all heads; dithers that are not as expected are found first."""
    notes: list[str] = []
    chosen = telling_stars(params, heads)
    if not all(one.expected for one in heads) or not chosen:
        heads, chosen = _with_measured_dithers(params, heads, chosen, notes)
    numbers = exposure_numbers(heads)
    for turn in range(1, TURNS + 1):
        stars = tuple(_star(heads[h], p, numbers) for h, p in chosen)
        if not stars:
            return ShotStars(heads, np.zeros(0, np.intp), np.zeros(0, np.intp), None, np.zeros(0), np.zeros(0))
        fit = _fit(params, setup, heads, chosen, stars)
        if np.abs(fit.dither).max() < SETTLED or turn == TURNS:
            break
        heads = tuple(moved_head(head, dict(zip(numbers, fit.dither.T, strict=True))) for head in heads)
        chosen = telling_stars(params, heads)
    return _measured(setup, heads, chosen, stars, fit, tuple(notes))


def stars_alone(params: SolutionParams, setup: ShotSetup, stars: ShotStars, alone: Array) -> ShotStars:
    """The stars and optics without those that are not `alone` (nstar,) of bool; the same where none would be left."""
    pairs = list(zip(stars.head.tolist(), stars.peak.tolist(), strict=True))
    chosen = [pair for pair, own in zip(pairs, alone, strict=True) if own]
    if not chosen or len(chosen) == len(pairs):
        return stars
    numbers = exposure_numbers(stars.heads)
    light = tuple(_star(stars.heads[h], p, numbers) for h, p in chosen)
    return _measured(setup, stars.heads, chosen, light, _fit(params, setup, stars.heads, chosen, light), stars.notes)


def _fit(
    params: SolutionParams, setup: ShotSetup, heads: tuple[HeadPictures, ...], chosen: list[tuple[int, int]],
    stars: tuple[StarLight, ...],
) -> OpticsFit:  # fmt: skip
    """Optics by some stars."""
    loose = None if all(one.expected for one in heads) else FREE_DITHER
    return fit_optics(
        stars, heads[0].wave, setup.refraction, len(exposure_numbers(heads)), fwhm=_start(params, heads, chosen),
        reference=WIDTH_WAVE, dither_error=loose,
    )  # fmt: skip


def _measured(
    setup: ShotSetup, heads: tuple[HeadPictures, ...], chosen: list[tuple[int, int]], stars: tuple[StarLight, ...],
    fit: OpticsFit, notes: tuple[str, ...],
) -> ShotStars:  # fmt: skip
    """Stars with their magnitudes."""
    magnitude, error = star_magnitudes(stars, heads[0].wave, fit, WIDTH_WAVE, setup.band.wave, setup.band.value)
    head, peak = (np.array([pair[k] for pair in chosen], np.intp) for k in (0, 1))
    response = np.array([value for _, value in head_throughputs(heads, [])])[head]
    return ShotStars(heads, head, peak, fit, magnitude + 2.5 * np.log10(response), error, notes)


def _start(params: SolutionParams, heads: tuple[HeadPictures, ...], chosen: list[tuple[int, int]]) -> float:
    """Seeing to begin with, arcsec: as the stars were found, without that as the user has it."""
    return float(np.median([heads[h].peaks[p].fwhm for h, p in chosen])) if chosen else params.seeing


def _with_measured_dithers(
    params: SolutionParams, heads: tuple[HeadPictures, ...], chosen: list[tuple[int, int]], notes: list[str]
) -> tuple[tuple[HeadPictures, ...], list[tuple[int, int]]]:
    """Heads with dithers as the sources of each exposure tell them, where more stars stand alone then."""
    numbers = exposure_numbers(heads)
    moves = {number: np.zeros(2) for number in numbers}
    for number in numbers[1:]:
        pairs = [
            _places(head, n)
            for head in heads
            for n in (numbers[0], number)
            if {numbers[0], number} <= set(head.numbers)
        ]
        found = shared_shift(pairs[1::2], pairs[::2])
        if found is None:
            return heads, chosen
        moves[number] = found
    moved = tuple(replace(moved_head(head, moves, bare=True), expected=False) for head in heads)
    better = telling_stars(params, moved)
    if len(better) <= len(chosen) and all(one.expected for one in heads):
        return heads, chosen
    if len(numbers) > 1:
        notes.append("Dithers are not as usual: they were measured on the sources.")
    return moved, better


def _places(head: HeadPictures, number: int) -> NDArray[np.float64]:
    """Where the sources of one exposure seem to lie, its dither not known, (n, 2)."""
    n = head.numbers.index(number)
    own = head.exposure == n
    light, variance = white_light(head.wave, head.light[:, own], head.variance[:, own])
    x, y = head.lenslets.x[own] - head.dither[0, n], head.lenslets.y[own] - head.dither[1, n]
    return np.array([(p.x, p.y) for p in find_peaks(light, variance, replace(head.lenslets, x=x, y=y))]).reshape(-1, 2)


def moved_head(head: HeadPictures, moves: Mapping[int, Array], bare: bool = False) -> HeadPictures:
    """A head with its dithers changed by `moves` (by exposure), or replaced by them; sources are looked for again."""
    more = np.array([moves[number] for number in head.numbers]).T
    more = more - head.dither if bare else more
    x, y = (a + more[k, head.exposure] for k, a in enumerate((head.lenslets.x, head.lenslets.y)))
    lenslets = replace(head.lenslets, x=x, y=y)
    peaks = find_peaks(*white_light(head.wave, head.light, head.variance), lenslets)
    return replace(head, lenslets=lenslets, dither=head.dither + more, peaks=peaks)


def exposure_numbers(heads: tuple[HeadPictures, ...]) -> list[int]:
    """Numbers of all exposures of an observation, rising."""
    return sorted({number for head in heads for number in head.numbers})


def head_throughputs(heads: tuple[HeadPictures, ...], notes: list[str]) -> tuple[tuple[str, float], ...]:
    """Slot and response of each head over the median one: by the twilight, by the sky where that is another by far."""
    twilight, sky = (np.array(v) for v in ([h.twilight for h in heads], [float(np.mean(h.sky)) for h in heads]))
    by_sky = sky / np.median(sky)
    known = np.isfinite(twilight) & (twilight > 0)
    by_twilight = twilight / np.median(twilight[known]) if known.any() else by_sky
    good = known & (np.abs(np.where(known, by_twilight, 1.0) / by_sky - 1) < UNLIKE)
    if known.any() and not good.all():
        slots = ", ".join(head.slot for head, own in zip(heads, good, strict=True) if not own)
        notes.append(f"The twilights of {slots} do not tell their response: it is that of the sky.")
    out = np.where(good, by_twilight, by_sky if known.any() else 1.0)
    return tuple((head.slot, float(value)) for head, value in zip(heads, out, strict=True))


def telling_stars(params: SolutionParams, heads: tuple[HeadPictures, ...]) -> list[tuple[int, int]]:
    """Head and peak of the stars that tell the optics, the most significant first."""
    found: list[tuple[float, int, int]] = []
    for h, head in enumerate(heads):
        if not head.peaks:
            continue
        alive = np.isfinite(head.variance).mean(axis=0)
        light = peak_light(head.peaks, head.lenslets)
        for p, peak in enumerate(head.peaks):
            clean = float(light[p] @ (alive * ~_lit_by_others(light, p)))
            whole = max(float(light[p].sum()), INSIDE * head.cover * peak.light)
            if peak.snr > params.snr and clean > CLEAN * whole:
                found.append((-peak.snr, h, p))
    return [(h, p) for _, h, p in sorted(found)[:MOST]]


def _lit_by_others(light: Array, peak: int) -> NDArray[np.bool_]:
    """Fibers in which other sources shine too much for one of them to be measured; light is (npeak, nfiber)."""
    own = light[peak]
    others = light.sum(axis=0) - own
    return np.asarray((others > BESIDE * own) & (others > FAINTEST * own.max()))


def caught_share(head: HeadPictures, x: float, y: float, seeing: float) -> float:
    """Share of a source's light that usable fibers catch, of what all would inside of the head."""
    alive = np.isfinite(head.variance).mean(axis=0)
    own = moffat_share(head.lenslets, np.array([x]), np.array([y]), np.array([seeing]), BETA)[0]
    return float(own @ alive) / max(float(own.sum()), INSIDE * head.cover)


def _star(head: HeadPictures, peak: int, numbers: list[int]) -> StarLight:
    """The fibers around a peak, light of others taken off; exposures by their place in `numbers`."""
    one = head.peaks[peak]
    exposure = np.searchsorted(numbers, head.numbers)[head.exposure]

    near = np.hypot(head.lenslets.x - one.x, head.lenslets.y - one.y) < NEAR + one.fwhm
    fibers = Lenslets(head.lenslets.x[near], head.lenslets.y[near], head.lenslets.size, head.lenslets.face)
    seen = peak_light(head.peaks, head.lenslets)[:, near]
    variance = np.where(_lit_by_others(seen, peak), np.inf, head.variance[:, near])
    known = np.isfinite(variance)
    light, own = head.light[:, near], seen[peak]
    color = np.where(known, light * own, 0).sum(axis=1) / np.maximum((known * own**2).sum(axis=1), 1e-300)
    others = np.maximum(color, 0)[:, None] * (seen.sum(axis=0) - own)  # of the same color
    return StarLight(one.x, one.y, fibers, exposure[near], light - others, variance)
