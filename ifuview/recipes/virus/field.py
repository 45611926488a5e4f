"""One head with what all share: its sky without known sources, spectra on the sky, stars, cubes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import JobContext
from ifuview.engine.spectra.field.blend import FieldPictures, take_pictures
from ifuview.engine.spectra.field.lenslet import Face, Lenslets, moffat_share
from ifuview.engine.spectra.field.positions import HOUR, sky_place
from ifuview.engine.spectra.flux.errors import error_factor, renormalized
from ifuview.engine.spectra.flux.rectify import rectify, rectify_values
from ifuview.engine.spectra.flux.scale import FLUX_UNIT
from ifuview.engine.spectra.flux.spikes import find_spikes
from ifuview.engine.spectra.stars.extract import blended_by, extract_sources, with_errors_of
from ifuview.engine.spectra.stars.match import CATALOG as CATALOG_ERROR
from ifuview.engine.spectra.stars.photometry import LIGHT, ZERO, band_magnitude
from ifuview.engine.spectra.stars.places import settle_places
from ifuview.engine.spectra.stars.put import put_source, restored_cube
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import UNUSABLE, ReductionBit
from ifuview.model.reduction.params import param
from ifuview.model.reduction.shot import AmplifierState, IfuField, IfuSpectra, ReducedIfu
from ifuview.model.reduction.solution import CatalogSpectrum, ShotOptics, ShotSolution, StarCatalog
from ifuview.model.reduction.source import CubeGrid, SkyCube, SourceFit
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.recipes.virus.light.chunks import FEW
from ifuview.recipes.virus.light.sky import HeadSkyParams, head_skies
from ifuview.recipes.virus.light.stars import SETTLED, moved_head
from ifuview.recipes.virus.shot_values import HeadFlux, HeadPictures, HeadSkies, ShotSetup, SimulatedSource
from ifuview.recipes.virus.solution import place_in_head

AROUND = 4.0  # arcsec outside of the fibers, of sources that may still send light
FAINTEST = 23.0  # g of sources that are extracted
SAME = 2.0  # arcsec: a peak and a source of the catalog are one
CATALOG = 0.05  # arcsec: a source measured better than this is where it was measured, else where the catalog has it
LEAST, SEEN = 0.3, 2.0  # of a star's samples, and their significance, for its flux to be kept in the cube
PIVOT = 4800.0  # Angstrom, of g
LEAST_FACTOR, MOST_FACTOR = 0.7, 2.0  # of errors, outside of which an amplifier is not used
ALWAYS = int(ReductionBit.AMPLIFIER)
COSMIC = np.uint32(int(ReductionBit.COSMIC))


@dataclass(frozen=True, slots=True)
class FieldParams:
    """Errors."""

    renormalize: bool = param(True, "Bring errors to the scatter of sky fibers")


@dataclass(frozen=True, slots=True)
class StarParams:
    """Sources of the catalog."""

    faintest: float = param(FAINTEST, "Faintest source", "mag", 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class HeadCubeParams:
    """Cubes."""

    step: float = param(0.75, "Size of a spaxel", "arcsec", 0.2, 3.0)
    low: float = param(-23.0, "First spaxel", "arcsec", -40.0, 0.0)
    high: float = param(25.0, "Last spaxel", "arcsec", 0.0, 40.0)


def make_sky(
    params: HeadSkyParams, ctx: JobContext, setup: ShotSetup, response: HeadFlux, pictures: HeadPictures,
    solution: ShotSolution, catalog: StarCatalog | None, others: tuple[HeadFlux, ...] | None,
) -> HeadSkies:  # fmt: skip
    """Sky of all exposures from fibers without light of the sources found, or of the catalog."""
    moves = {one.number: np.array([one.x, one.y]) for one in solution.surveys}
    if max(np.abs(pictures.dither[:, n] - moves[k]).max() for n, k in enumerate(pictures.numbers)) > SETTLED:
        pictures = moved_head(pictures, moves, bare=True)
    places = [(peak.x, peak.y, peak.light) for peak in pictures.peaks]
    if catalog is not None and solution.pointing.measured:
        for n in _near(catalog, solution, response, FAINTEST):
            x, y = place_in_head(catalog.ra[n], catalog.dec[n], solution.pointing, response.focal)
            if all(math.hypot(x - px, y - py) > SAME for px, py, _ in places):
                places.append((float(x), float(y), _light(float(catalog.g[n]))))
    light = np.zeros(pictures.sky.size)
    if places:
        x, y, bright = np.array(places).T
        share = moffat_share(pictures.lenslets, x, y, np.full(x.size, solution.optics.fwhm), solution.optics.beta)
        light = np.maximum(bright, 0) @ share / np.maximum(pictures.sky, 1e-30)
    return head_skies(params, ctx, response, others or (), light.reshape(len(response.flux), -1))


def make_fields(
    params: FieldParams, ctx: JobContext, setup: ShotSetup, response: HeadFlux, sky: HeadSkies, solution: ShotSolution
) -> IfuSpectra:
    """Spectra of all exposures on the common grid, without sky, with places on the sky and the flux of the catalog."""
    fields = []
    for n in range(len(response.flux)):
        ctx.checkpoint(n / len(response.flux), "grid")
        fields.append(_field(params, setup, response, sky, solution, n))

    one = response.exposures[0]
    return IfuSpectra(
        one.slot, one.specid, one.ifuid, one.contid, response.focal, tuple(fields), one.dead, response.size
    )


def make_stars(
    params: StarParams, ctx: JobContext, setup: ShotSetup, fields: IfuSpectra, response: HeadFlux,
    pictures: HeadPictures, solution: ShotSolution, catalog: StarCatalog | None,
) -> tuple[CatalogSpectrum, ...]:  # fmt: skip
    """Spectra of all sources of the catalog that send light into the head."""
    if catalog is None or not np.isfinite(response.focal).all():
        return ()
    seen = {star.index: star for star in solution.stars if star.slot == fields.slot}
    number = sorted(set(_near(catalog, solution, response, params.faintest)) | set(seen))
    own = np.array(number, np.intp)
    places = place_in_head(catalog.ra[own], catalog.dec[own], solution.pointing, response.focal)
    off = blended_by(*places, catalog.g[own], solution.optics.fwhm)
    sources = []
    for n, x, y, by in zip(number, *places, off, strict=True):
        if n in seen and max(seen[n].error, by) < CATALOG:
            x, y = seen[n].x, seen[n].y
        sources.append(source_at(float(x), float(y), solution.optics))
    lenslets, spectra = Lenslets(fields.x, fields.y, fields.size, Face.CIRCLE), fields.joined()
    settled = settle_places(_pictures(spectra), lenslets, tuple(sources), CATALOG_ERROR)
    found = extract_sources(spectra, fields.sky, settled.sources, lenslets, pictures.cover)
    found = with_errors_of(settled, found)
    out = []
    for n, source, light in zip(number, settled.sources, found, strict=True):
        if light is not None:
            magnitude = tuple(float(m) for m in catalog.magnitude[n])
            g, _ = band_magnitude(light.spectrum, setup.band.wave, setup.band.value)
            out.append(
                CatalogSpectrum(
                    n, float(catalog.ra[n]), float(catalog.dec[n]), source.x, source.y, magnitude, g, light.spectrum,
                    light.caught, n in seen,
                )
            )  # fmt: skip
    return tuple(out)


def _pictures(spectra: FiberSpectra) -> FieldPictures:
    """All fibers in chunks of wavelength."""
    known = spectra.usable() & (spectra.variance > 0)
    weight = np.where(known, 1 / np.where(known, spectra.variance, 1), 0)
    return take_pictures(spectra.flux, weight, np.asarray(spectra.wave)[None], FEW)


def make_cube(
    params: HeadCubeParams, ctx: JobContext, setup: ShotSetup, fields: IfuSpectra, stars: tuple[CatalogSpectrum, ...],
    solution: ShotSolution,
) -> SkyCube:  # fmt: skip
    """Cube of the head without sky, the flux of stars kept."""
    return _cube(params, ctx, fields, fields.joined(), stars, solution.optics)


def make_simulated(
    params: HeadCubeParams, ctx: JobContext, setup: ShotSetup, fields: IfuSpectra, stars: tuple[CatalogSpectrum, ...],
    solution: ShotSolution, source: SimulatedSource,
) -> SkyCube:  # fmt: skip
    """Cube with a source put in."""
    lenslets = Lenslets(fields.x, fields.y, fields.size, Face.CIRCLE)
    one = replace(source_at(source.x, source.y, solution.optics), fwhm=source.fwhm)
    spectra = put_source(fields.joined(), lenslets, one, source.wave, source.flux)
    return _cube(params, ctx, fields, spectra, stars, solution.optics)


def make_reduced(
    params: None, ctx: JobContext, fields: IfuSpectra, stars: tuple[CatalogSpectrum, ...], cube: SkyCube,
    simulated: SkyCube | None,
) -> ReducedIfu:  # fmt: skip
    """All of a head."""
    return ReducedIfu(fields, stars, cube, simulated)


def source_at(x: float, y: float, optics: ShotOptics) -> SourceFit:
    """A point source at a place of a head, as wide and refracted as the optics say."""
    nan = float("nan")
    return SourceFit(
        x, y, nan, nan, optics.fwhm, optics.fwhm_error, optics.beta, nan, optics.wave, nan, np.asarray(optics.dar)
    )


def _field(
    params: FieldParams, setup: ShotSetup, response: HeadFlux, sky: HeadSkies, solution: ShotSolution, n: int
) -> IfuField:
    """One exposure."""
    flux, found, one = response.flux[n], sky.skies[n], response.exposures[n]
    survey = next(own for own in solution.surveys if own.number == one.number)
    by = survey.zero_point / survey.illumination / solution.throughput(one.slot)
    clean = replace(
        flux, flux=(flux.flux - found.sky.model) * by, variance=(flux.variance + found.sky.variance) * by**2
    )
    clean = replace(clean, mask=clean.mask | np.where(find_spikes(clean), COSMIC, np.uint32(0)))
    clean, spectra, states = _amplifiers(params, response, clean, rectify(clean, setup.grid), found.sky.fibers, n)
    x, y = one.x + survey.x, one.y + survey.y
    ra = dec = np.full(x.size, np.nan)
    if np.isfinite(response.focal).all():
        point = solution.pointing
        ra, dec = sky_place(x + response.focal[0], y + response.focal[1], point.ra / HOUR, point.dec, point.turn)
    wave = np.asarray(flux.wave)
    return IfuField(
        one.number, spectra, rectify_values(found.sky.model, wave, setup.grid) * np.float32(by),
        rectify_values(response.response[n], wave, setup.grid), clean.flux, x, y, ra, dec, found.sky.fibers, states,
        (*one.notes, *response.notes, *(note for note in sky.notes if note.startswith(f"exposure {one.number}:"))),
        clean,
    )  # fmt: skip


def _amplifiers(
    params: FieldParams, response: HeadFlux, clean: FiberSpectra, spectra: FiberSpectra, empty: Array, n: int
) -> tuple[FiberSpectra, FiberSpectra, tuple[AmplifierState, ...]]:
    """Errors renormalized, in own pixels and on the grid, and the state of each amplifier.

    One whose errors are beyond belief is masked.
    """
    factor = np.ones((2, spectra.nfiber))
    beyond = np.zeros((spectra.nfiber, 1), np.uint32)
    found, states = [], []
    for k, amplifier in enumerate(response.exposures[n].amplifiers):
        use = np.asarray(empty) & (response.block == k)
        own = error_factor(spectra, use)[0]
        reason = response.reasons[n][k]
        if not reason and np.isfinite(own) and not LEAST_FACTOR < own < MOST_FACTOR:
            reason = f"its scatter is {own:.2f} times its errors"
            beyond[amplifier.fibers] = np.uint32(ALWAYS)
        if params.renormalize:
            factor[:, amplifier.fibers] = np.array([[error_factor(clean, use)[0]], [own]])
        found.append((own, reason))
    native, grid = (
        replace(renormalized(one, by), mask=one.mask | beyond) for one, by in zip((clean, spectra), factor, strict=True)
    )
    lost = 1 - grid.usable().mean(axis=1)
    for (own, reason), amplifier in zip(found, response.exposures[n].amplifiers, strict=True):
        noise = float("nan") if amplifier.read is None else amplifier.read.noise
        share = float(lost[amplifier.fibers].mean())
        states.append(AmplifierState(amplifier.name, amplifier.first, amplifier.last, noise, own, share, reason))
    return native, grid, tuple(states)


def _cube(
    params: HeadCubeParams, ctx: JobContext, fields: IfuSpectra, spectra: FiberSpectra,
    stars: tuple[CatalogSpectrum, ...], optics: ShotOptics,
) -> SkyCube:  # fmt: skip
    axis = params.low + params.step * np.arange(int((params.high - params.low) / params.step + 1e-6) + 1)
    lenslets = Lenslets(fields.x, fields.y, fields.size, Face.CIRCLE)
    sources = [
        (source_at(star.x, star.y, optics), light) for star in stars if (light := _known_light(star)) is not None
    ]
    return restored_cube(spectra, lenslets, optics.dar, CubeGrid(axis, axis, params.step), sources, ctx=ctx)


def _known_light(star: CatalogSpectrum) -> Array | None:
    """The spectrum of a star at all wavelengths; None where too little is known of it."""
    one = star.spectrum
    good = (one.variance > 0) & (one.mask & int(UNUSABLE) == 0)
    if good.mean() < LEAST or not np.median(one.flux[good] / np.sqrt(one.variance[good])) > SEEN:
        return None
    return np.asarray(np.interp(one.wave, one.wave[good], one.flux[good]))


def _near(catalog: StarCatalog, solution: ShotSolution, response: HeadFlux, faintest: float) -> list[int]:
    """Sources of the catalog that may send light into a head."""
    if not np.isfinite(response.focal).all():
        return []
    x, y = place_in_head(catalog.ra, catalog.dec, solution.pointing, response.focal)
    one = response.exposures[0]
    with np.errstate(invalid="ignore"):
        near = (x > one.x.min() - AROUND) & (x < one.x.max() + AROUND)
        near &= (y > one.y.min() - AROUND) & (y < one.y.max() + AROUND) & (catalog.g < faintest)
    found: NDArray[np.intp] = np.flatnonzero(near)
    return [int(n) for n in found]


def _light(g: float) -> float:
    """Flux density of a magnitude in g at its pivot, 1e-17 erg/s/cm2/A."""
    return float(10 ** (-0.4 * (g + ZERO)) * LIGHT / PIVOT**2 / FLUX_UNIT)
