"""Exposures of one head: flux density with masks, a first sky, response against it, and pictures with their sources."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import JobContext
from ifuview.engine.spectra.flat.adjust import adjust_response
from ifuview.engine.spectra.flat.columns import odd_columns
from ifuview.engine.spectra.flux.scale import FluxScale, dispersion, per_angstrom, to_flux
from ifuview.engine.spectra.mask import MaskBlock, MaskLimits, total_mask
from ifuview.engine.spectra.sky.fibers import even_weight
from ifuview.engine.spectra.sky.many import FAINT
from ifuview.engine.spectra.sky.trails import find_trails
from ifuview.engine.spectra.stars.extract import hexagon_cover
from ifuview.engine.spectra.stars.peaks import find_peaks
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.params import param
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.recipes.virus.light.align import aligned
from ifuview.recipes.virus.light.chunks import over_sky, take_light
from ifuview.recipes.virus.light.sky import HeadSkyParams, divided, head_skies
from ifuview.recipes.virus.shot_values import HeadFlux, HeadPictures, HeadSkies, ShotSetup

AREA = 51.4e4  # cm2, of the mirror that is lit
LEAST_FLAT = 0.02  # response below which a fiber's light is not divided by it
TWILIGHT = (4400.0, 5000.0)  # Angstrom, where twilights are compared
TRAIL = np.uint32(int(ReductionBit.TRAIL))
MOST_STEP = 0.3  # between the detectors of a head, that is believed


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
class TrailParams:
    """Trails of satellites."""

    mask: bool = param(True, "Mask trails of satellites")


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
    exposures = aligned(tuple(sorted(exposures, key=lambda one: one.number)))
    notes: list[str] = []
    numbers = tuple(one.number for one in exposures)
    dither = _dithers(params, setup, numbers)
    if not dither.any() and len(exposures) > 1:
        notes.append(f"exposures {', '.join(map(str, numbers))}: their dithers are not known")

    lost = params.lost
    limits = MaskLimits(low=params.low, noise=params.noise, fiber=lost, column=lost, amplifier=lost)
    flux, response, reasons = [], [], []
    levels, twilight = twilight_levels(exposures[0])
    for n, one in enumerate(exposures):
        ctx.checkpoint(n / len(exposures), f"{one.slot} exposure {one.number}")
        blocks = tuple(
            MaskBlock(a.first, a.last, float("nan") if a.read is None else a.read.noise, a.problem)
            for a in one.amplifiers
        )
        found = total_mask(one.spectra.mask, one.fiber_flat, one.dead, blocks, limits)
        own = np.maximum(one.fiber_flat * levels[:, None], LEAST_FLAT).astype(np.float32)

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
        notes.append(f"slot {exposures[0].slot}: its place on the focal plane, and so on the sky, is not known")
    return HeadFlux(
        exposures,
        tuple(flux),
        tuple(response),
        tuple(reasons),
        block,
        dither,
        focal,
        setup.size,
        twilight,
        tuple(notes),
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


def make_trails(params: TrailParams, ctx: JobContext, flux: HeadFlux, first_sky: HeadSkies) -> HeadFlux:
    """The flux with fibers masked that see the trail of a satellite."""
    if not params.mask:
        return flux
    found, lenslets, count = take_light(flux, first_sky), flux.lenslets(), len(flux.flux)
    values = (*found.white(), found.sky, lenslets.x, lenslets.y)
    trails = find_trails(*(np.asarray(one).reshape(count, -1) for one in values))
    masks, notes = [one.mask for one in flux.flux], list(flux.notes)
    for one in trails:
        masks[one.exposure] = masks[one.exposure] | np.where(one.fibers, TRAIL, np.uint32(0))[:, None]
        words = f"a trail crosses the head, {one.light:.2f} times as bright as the sky"
        notes.append(f"exposure {flux.exposures[one.exposure].number}: {words}; {one.fibers.sum()} fibers are masked")
    spectra = tuple(replace(one, mask=mask) for one, mask in zip(flux.flux, masks, strict=True))
    return replace(flux, flux=spectra, notes=tuple(notes)) if trails else flux


def make_response(params: ResponseParams, ctx: JobContext, flux: HeadFlux, first_sky: HeadSkies) -> HeadFlux:
    """The flux with the response of its fibers corrected, odd columns masked."""
    light, sky = tuple(one.flux for one in flux.flux), tuple(one.sky.model for one in first_sky.skies)
    pairs = list(zip(flux.flux, first_sky.skies, strict=True))
    lit = np.any([one.usable().any(axis=1) & ~found.sky.fibers for one, found in pairs], axis=0)
    lit = (lit | (over_sky(flux, first_sky).max(axis=0) > FAINT))[:, None]
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
        found = adjust_response(light, sky, clean, flux.block, params.limit)
        factor = found.factor
        bits[found.beyond] |= np.uint32(int(ReductionBit.NORMALIZATION))
        if found.beyond.any():
            notes.append(f"{int(found.beyond.sum())} fibers differ from the twilight beyond the limit")
    out = tuple(replace(divided(one, factor), mask=one.mask | bits) for one in flux.flux)
    return replace(flux, flux=out, response=tuple(own * factor for own in flux.response), notes=tuple(notes))


def make_pictures(
    params: ChunkParams, ctx: JobContext, setup: ShotSetup, response: HeadFlux, first_sky: HeadSkies
) -> HeadPictures:
    """Pictures of the head, and the sources in it."""
    found = take_light(response, first_sky, params.chunks)
    lenslets = response.lenslets()
    first, count = response.exposures[0], len(response.exposures)
    return HeadPictures(
        slot=first.slot,
        focal=response.focal,
        wave=found.wave,
        light=found.light,
        variance=found.variance,
        sky=found.sky,
        exposure=np.repeat(np.arange(count), first.nfiber),
        lenslets=lenslets,
        dither=response.dither,
        peaks=find_peaks(*found.white(), lenslets, least=params.least),
        cover=hexagon_cover(first.x, first.y, lenslets, count),
        numbers=tuple(one.number for one in response.exposures),
        exptimes=tuple(one.exptime for one in response.exposures),
        twilight=response.twilight,
        expected=bool(response.dither.any()),
        crowded=any(one.crowded for one in first_sky.skies),
    )


def _normalized(spectra: FiberSpectra, response: Array) -> FiberSpectra:
    """Electrons per Angstrom of a mean fiber."""
    if spectra.unit == "electron":
        return per_angstrom(spectra, response)
    return divided(spectra, response)


def twilight_levels(exposure: IfuExposure) -> tuple[NDArray[np.float64], float]:
    """Return the twilight of each fiber's amplifier over that of the head, (nfiber,), and that of the head.

    Response is measured detector by detector, each against its own mean fiber; the twilight that both saw brings them
    together. Ones and NaN where there is no twilight.
    """
    light = exposure.lamps.get("twi")
    level = np.ones(exposure.nfiber)
    if light is None:
        return level, float("nan")
    wave = np.asarray(exposure.spectra.wave)
    inside = (wave > TWILIGHT[0]) & (wave < TWILIGHT[1]) & (exposure.fiber_flat > 1 / 2)
    count = inside.sum(axis=1)
    own = np.where(inside, light / dispersion(wave) / np.where(inside, exposure.fiber_flat, 1), 0).sum(axis=1)
    alive = (count > 0) & ~np.asarray(exposure.dead)
    found = {
        n: float(np.median((own / np.maximum(count, 1))[one.fibers][alive[one.fibers]]))
        for n, one in enumerate(exposure.amplifiers) if alive[one.fibers].any()
    }  # fmt: skip
    known = {n: value for n, value in found.items() if value > 0}
    if not known:
        return level, float("nan")
    mean = float(np.mean(list(known.values())))
    for n, one in enumerate(exposure.amplifiers):
        ratio = known.get(n, mean) / mean
        level[one.fibers] = ratio if abs(ratio - 1) < MOST_STEP else 1.0
    return level, mean
