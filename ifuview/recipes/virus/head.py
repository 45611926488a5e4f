"""Exposures of one head: flux density with masks, a first sky, response against it, and pictures with their sources."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import JobContext
from ifuview.engine.spectra.field.blend import take_pictures
from ifuview.engine.spectra.flat.adjust import adjust_response
from ifuview.engine.spectra.flat.columns import odd_columns
from ifuview.engine.spectra.flux.scale import FluxScale, per_angstrom, to_flux
from ifuview.engine.spectra.mask import MaskBlock, MaskLimits, total_mask
from ifuview.engine.spectra.sky.borrow import borrow_sky
from ifuview.engine.spectra.sky.fibers import even_weight
from ifuview.engine.spectra.sky.many import ManySky, fit_sky, moved_sky
from ifuview.engine.spectra.stars.extract import hexagon_cover
from ifuview.engine.spectra.stars.peaks import find_peaks
from ifuview.errors import FitError, UsageError
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.params import param
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.recipes.virus.shot_values import HeadFlux, HeadPictures, HeadSkies, ShotSetup

AREA = 51.4e4  # cm2, of the mirror that is lit
LEAST_FLAT = 0.02  # response below which a fiber's light is not divided by it
UNEVEN = 0.004  # of the sky, that fibers differ by without a source
WHITE = (4000.0, 5400.0)  # Angstrom, where sources are looked for
SOURCES = ("auto", "own", "all", "others", "scaled")


@dataclass(frozen=True, slots=True)
class HeadFluxParams:
    """From electrons to flux, and what is not used."""

    area: float = param(AREA, "Area of the mirror that is lit", "cm2", 1.0, 1e7)
    transparency: float = param(1.0, "Transparency", "", 0.01, 2.0)
    low: float = param(0.5, "Response of a fiber below which it is left out", "", 0.0, 1.0)
    noise: float = param(6.0, "Read noise above which an amplifier is left out", "electron", 1.0, 1e3)
    dithered: str = param(
        "auto", "Dithers as usual", choices=("auto", "yes", "no"), hint="auto: when the last of a set was taken"
    )
    lost: float = param(0.2, "Share lost above which a fiber, column or amplifier is left out", "", 0.01, 1.0)


@dataclass(frozen=True, slots=True)
class HeadSkyParams:
    """Where the sky comes from."""

    source: str = param(
        "auto", "Sky from", choices=SOURCES,
        hint="own: this head; all: and its neighbors; others: those alone; scaled: another exposure, brought to the "
        "brightness here; auto: own, others where light of a source is everywhere",
    )  # fmt: skip
    surface: bool = param(True, "Follow a gradient of the sky")
    lines: bool = param(True, "Correct wavelength and width from the sky's lines")


@dataclass(frozen=True, slots=True)
class ResponseParams:
    """Response of the fibers against the sky."""

    adjust: bool = param(True, "Correct the response of the fibers by the sky")
    limit: float = param(0.1, "Correction that is taken at most", "", 0.0, 0.5)
    columns: bool = param(True, "Look for columns of low efficiency and traps")


@dataclass(frozen=True, slots=True)
class ChunkParams:
    """Pictures of a head."""

    chunks: int = param(11, "Chunks of wavelength", "", 3, 60)
    least: float = param(8.0, "Significance of a source", "sigma", 4.0, 100.0)


def make_head_flux(
    params: HeadFluxParams, ctx: JobContext, setup: ShotSetup, exposures: tuple[IfuExposure, ...]
) -> HeadFlux:
    """Flux density of all exposures of a head.

    Raises
    ------
    UsageError
        No exposure, or one without exposure time.
    """
    if not exposures:
        raise UsageError("there is no exposure of this fiber head")
    exposures = tuple(sorted(exposures, key=lambda one: one.number))
    notes: list[str] = []
    numbers = tuple(one.number for one in exposures)
    dither = _dithers(params, setup, numbers)
    if not dither.any() and len(exposures) > 1:
        notes.append(f"exposures {', '.join(map(str, numbers))}: their dithers are not known")

    lost = params.lost
    limits = MaskLimits(low=params.low, noise=params.noise, fiber=lost, column=lost, amplifier=lost)
    flux, response, reasons = [], [], []
    for n, one in enumerate(exposures):
        ctx.checkpoint(n / len(exposures), f"{one.slot} exposure {one.number}")
        blocks = tuple(
            MaskBlock(a.first, a.last, float("nan") if a.read is None else a.read.noise, a.problem)
            for a in one.amplifiers
        )
        found = total_mask(one.spectra.mask, one.fiber_flat, one.dead, blocks, limits)
        own = np.maximum(one.fiber_flat, LEAST_FLAT).astype(np.float32)
        scale = FluxScale(one.exptime, params.area, params.transparency, one.amplitude)
        spectra = _normalized(replace(one.spectra, mask=found.mask), own)
        flux.append(to_flux(spectra, setup.response.wave, setup.response.value, scale))
        response.append(own)
        reasons.append(found.reasons)
    block = np.zeros(exposures[0].nfiber, np.intp)
    for n, amplifier in enumerate(exposures[0].amplifiers):
        block[amplifier.fibers] = n
    focal = setup.focal(exposures[0].slot)
    if not np.isfinite(focal).all():
        notes.append(f"slot {exposures[0].slot} is not in the table of the focal plane: no place on the sky is known")
    return HeadFlux(
        exposures, tuple(flux), tuple(response), tuple(reasons), block, dither, focal, setup.size, tuple(notes)
    )


def _dithers(params: HeadFluxParams, setup: ShotSetup, numbers: tuple[int, ...]) -> NDArray[np.float64]:
    """Dithers of the exposures, (2, nexp): those asked for where the last of a set was taken, else none."""
    known = all(1 <= number <= len(setup.dithers) for number in numbers)
    if params.dithered == "no" or not known or (params.dithered == "auto" and max(numbers) < len(setup.dithers)):
        return np.zeros((2, len(numbers)))
    return np.array([setup.dithers[number - 1] for number in numbers]).T


def make_first_sky(
    params: HeadSkyParams, ctx: JobContext, setup: ShotSetup, flux: HeadFlux, others: tuple[HeadFlux, ...] | None
) -> HeadSkies:
    """Sky of all exposures, before any source is known."""
    return head_skies(params, ctx, flux, others or (), None)


def make_response(params: ResponseParams, ctx: JobContext, flux: HeadFlux, first_sky: HeadSkies) -> HeadFlux:
    """The flux with the response of its fibers corrected, odd columns masked."""
    light, sky = tuple(one.flux for one in flux.flux), tuple(one.sky.model for one in first_sky.skies)
    pairs = list(zip(flux.flux, first_sky.skies, strict=True))
    lit = np.any([one.usable().any(axis=1) & ~found.sky.fibers for one, found in pairs], axis=0)[:, None]
    weight = tuple(even_weight(one.variance, one.usable() & ~lit) for one in flux.flux)
    bits = np.zeros(light[0].shape, np.uint32)
    if params.columns:
        for amplifier in flux.exposures[0].amplifiers:
            part = amplifier.fibers
            bits[part] = odd_columns(*(tuple(a[part] for a in some) for some in (light, sky, weight)))
    notes = list(flux.notes)
    factor = np.ones(light[0].shape, np.float32)
    if params.adjust:
        clean = tuple(np.where(bits == 0, w, 0) for w in weight)
        found = adjust_response(light, sky, clean, params.limit)
        factor = found.factor
        bits[found.beyond] |= np.uint32(int(ReductionBit.NORMALIZATION))
        if found.beyond.any():
            notes.append(f"{int(found.beyond.sum())} fibers differ from the twilight beyond the limit")
    out = tuple(replace(_divided(one, factor), mask=one.mask | bits) for one in flux.flux)
    return replace(flux, flux=out, response=tuple(own * factor for own in flux.response), notes=tuple(notes))


def make_pictures(
    params: ChunkParams, ctx: JobContext, setup: ShotSetup, response: HeadFlux, first_sky: HeadSkies
) -> HeadPictures:
    """Pictures of the head, and the sources in it."""
    light, variance, level = [], [], []
    edge = np.linspace(0, response.flux[0].flux.shape[1], params.chunks + 1).astype(int)
    wave = np.zeros(params.chunks)
    for one, sky in zip(response.flux, first_sky.skies, strict=True):
        weight = np.where(one.usable() & (one.variance > 0), 1 / np.where(one.variance > 0, one.variance, 1), 0)
        found = take_pictures(one.flux - sky.sky.model, weight, np.asarray(one.wave), params.chunks)
        under = (np.add.reduceat(sky.sky.model, edge[:-1], axis=1) / np.diff(edge)).T
        light.append(found.light)
        variance.append(found.variance + (UNEVEN * under) ** 2)
        level.append(sky.sky.model.mean(axis=1))
        wave = found.wave
    lenslets = response.lenslets()
    all_light, all_variance = np.concatenate(light, axis=1), np.concatenate(variance, axis=1)
    peaks = find_peaks(*_white(wave, all_light, all_variance), lenslets, least=params.least)
    first, count = response.exposures[0], len(response.exposures)
    return HeadPictures(
        slot=first.slot, focal=response.focal, wave=wave, light=all_light, variance=all_variance,
        sky=np.concatenate(level), exposure=np.repeat(np.arange(count), first.nfiber), lenslets=lenslets,
        dither=response.dither, peaks=peaks,
        cover=hexagon_cover(first.x, first.y, lenslets, count), numbers=tuple(one.number for one in response.exposures),
        exptimes=tuple(one.exptime for one in response.exposures), expected=bool(response.dither.any()),
    )  # fmt: skip


def head_skies(
    params: HeadSkyParams, ctx: JobContext, flux: HeadFlux, others: tuple[HeadFlux, ...], light: Array | None
) -> HeadSkies:
    """Sky of all exposures of a head from where `params` says; `light` (nexp, nfiber) of sources over the sky."""
    skies, notes = [], []
    for n in range(len(flux.flux)):
        ctx.checkpoint(n / len(flux.flux), "sky")
        lit = None if light is None else light[n]
        usable = tuple(one for one in others if n < len(one.flux))
        try:
            found, note = _sky(params, flux, usable, n, lit)
        except FitError as problem:
            if params.source != "auto" or not usable:
                raise FitError(f"exposure {flux.exposures[n].number}: {problem}", flux.exposures[n].slot) from problem
            found, note = _borrowed(params, flux, usable, n), f"{problem}; sky of {_names(usable)}"
        skies.append(found)
        notes += [f"exposure {flux.exposures[n].number}: {note}"] if note else []
    return HeadSkies(tuple(skies), tuple(notes))


def _sky(
    params: HeadSkyParams, flux: HeadFlux, others: tuple[HeadFlux, ...], n: int, light: Array | None
) -> tuple[ManySky, str]:
    """Sky of one exposure and what is to be said of it."""
    if params.source in ("others", "scaled"):
        if not others:
            raise UsageError("there is no other head or exposure to take the sky from", flux.exposures[n].slot)
        if params.source == "others":
            return _borrowed(params, flux, others, n), f"sky of {_names(others)}"
        found = _fit(params, (others[0],), n, None)
        own = borrow_sky(flux.flux[n], found.common)
        return replace(found, sky=own.sky), "; ".join(own.sky.notes)
    if params.source == "all" and others:
        return _borrowed(params, flux, (flux, *others), n), f"sky of {_names((flux, *others))}"
    found = _fit(params, (flux,), n, light)
    if found.crowded and params.source == "auto" and others:
        return _borrowed(params, flux, others, n), f"light of sources is everywhere: sky of {_names(others)}"
    return found, "light of sources reaches most fibers: the sky is that of the darkest" if found.crowded else ""


def _fit(params: HeadSkyParams, heads: tuple[HeadFlux, ...], n: int, light: Array | None) -> ManySky:
    """Sky of one exposure from the fibers of some heads together."""
    place = [head.plane(n) for head in heads]
    spectra = [head.flux[n] for head in heads]
    count = np.cumsum([0] + [int(head.block.max()) + 1 for head in heads])
    joined = spectra[0]
    if len(heads) > 1:
        joined = FiberSpectra(
            np.concatenate([one.flux for one in spectra]), np.concatenate([one.variance for one in spectra]),
            np.concatenate([one.mask for one in spectra]), np.concatenate([one.wave for one in spectra]), joined.unit,
            joined.medium,
        )  # fmt: skip
    lsf = [head.exposures[n].lsf for head in heads]
    known = [one for one in lsf if one is not None]
    return fit_sky(
        joined, np.concatenate([x for x, _ in place]), np.concatenate([y for _, y in place]),
        np.concatenate([head.block + first for head, first in zip(heads, count, strict=False)]), light=light,
        lsf=np.concatenate(known) if len(known) == len(lsf) else None, surface=params.surface, lines=params.lines,
    )  # fmt: skip


def _borrowed(params: HeadSkyParams, flux: HeadFlux, others: tuple[HeadFlux, ...], n: int) -> ManySky:
    """The sky of other heads where the fibers of this one are."""
    found = _fit(params, others, n, None)
    there = [head.plane(n) for head in others]
    place = np.concatenate([x for x, _ in there]), np.concatenate([y for _, y in there])
    return moved_sky(found, place, np.asarray(flux.flux[n].wave), flux.plane(n))


def _names(heads: tuple[HeadFlux, ...]) -> str:
    return ", ".join(one.exposures[0].slot for one in heads)


def _white(wave: Array, light: Array, variance: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean light of each fiber where the instrument sees best, and its variance; infinite where a chunk is missing."""
    inside = (wave > WHITE[0]) & (wave < WHITE[1])
    inside = inside if inside.any() else np.ones(wave.size, bool)
    known = np.isfinite(variance[inside]).all(axis=0)
    total = np.where(known, np.where(np.isfinite(variance[inside]), variance[inside], 0).sum(axis=0), np.inf)
    return light[inside].mean(axis=0), total / inside.sum() ** 2


def _normalized(spectra: FiberSpectra, response: Array) -> FiberSpectra:
    """Electrons per Angstrom of a mean fiber."""
    if spectra.unit == "electron":
        return per_angstrom(spectra, response)
    return _divided(spectra, response)


def _divided(spectra: FiberSpectra, by: Array) -> FiberSpectra:
    return replace(spectra, flux=spectra.flux / by, variance=spectra.variance / by**2)
