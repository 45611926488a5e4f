"""From one exposure to sky, sources, spectrum and cubes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import JobContext
from ifuview.engine.spectra.field.aperture import FieldAperture, extract_aperture
from ifuview.engine.spectra.field.borrowed import separate_borrowed
from ifuview.engine.spectra.field.cube import collapse, field_grid, layered_cubes
from ifuview.engine.spectra.field.extract import extract_points
from ifuview.engine.spectra.field.separate import search_sources, separate
from ifuview.engine.spectra.field.separation import SeparateParams, Separation
from ifuview.engine.spectra.flux.rectify import rectify, rectify_values
from ifuview.engine.spectra.flux.response import without_absorption
from ifuview.engine.spectra.flux.scale import FluxScale, per_angstrom, to_flux
from ifuview.engine.spectra.sky.remains import with_components
from ifuview.engine.spectra.sky.spline import CommonSpectra
from ifuview.errors import FitError, MissingDataError, UsageError
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.params import param
from ifuview.model.reduction.source import SkyCube, SourceFit, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.model.reduction.tables import WaveCurve
from ifuview.recipes.camera.values import DetectorFrame, ExtractedExposure, FiberFlat
from ifuview.recipes.lrs2.values import ChannelSetup, FieldSpectra, StartSources

AREA = 51.4e4  # cm2, of the mirror that is lit
BETA = 3.5  # Moffat exponent of a source that is put at a place by hand
SEEING = 1.8  # arcsec, likewise
EXTENDED_RADIUS = 3.0  # arcsec, of the circle about a source that fills the field, where none is given


TABLES, CORRECTED, STAR = "tables", "corrected", "star"


@dataclass(frozen=True, slots=True)
class CurveParams:
    """Which response turns electrons into flux."""

    curve: str = param(
        TABLES, "Response", choices=(TABLES, CORRECTED, STAR),
        hint="of the tables, with its later correction, or of a standard star of the night whose flux is known",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FluxParams:
    """From electrons to flux."""

    fiber_to_fiber: bool = param(True, "Divide by the response of the fibers")
    area: float = param(AREA, "Area of the mirror that is lit", "cm2", 1.0, 1e7)
    transparency: float = param(
        float("nan"), "Transparency", "", 0.01, 2.0, hint="without a number: as the guide cameras saw it, else 1"
    )

    def of(self, exposure: RawExposure) -> float:
        """The transparency of an exposure."""
        return next((one for one in (self.transparency, exposure.transparency) if one and np.isfinite(one)), 1.0)


@dataclass(frozen=True, slots=True)
class SourcesParams:
    """Sources that are looked for above a first sky."""

    most: int = param(3, "Sources looked for at most", "", 0, 10)
    x: float = param(
        float("nan"), "Source at x", "arcsec", -20.0, 20.0, hint="where it lies, instead of looking for it"
    )
    y: float = param(float("nan"), "Source at y", "arcsec", -20.0, 20.0)


@dataclass(frozen=True, slots=True)
class SkyParams:
    """Sky and sources together."""

    fibers: tuple[int, ...] = param((), "Sky fibers", lo=0, hint="none: chosen by their brightness")
    surface: bool = param(True, "Follow a gradient of the sky")
    lines: bool = param(True, "Correct wavelength and width from the sky's lines")
    single: bool = param(True, "Response of single fibers from the sky", hint="as far as the sky tells it")
    components: int = param(0, "Principal components of what is left", "", 0, 8, hint="fibers with sources keep theirs")


@dataclass(frozen=True, slots=True)
class SpectrumParams:
    """How the source is extracted: by its profile, or within a circle."""

    x: float = param(float("nan"), "Circle at x", "arcsec", -20.0, 20.0, hint="without a number: at the source")
    y: float = param(float("nan"), "Circle at y", "arcsec", -20.0, 20.0)
    radius: float = param(0.0, "Radius of the circle", "arcsec", 0.0, 12.0, hint="0: by the profile of the source")
    inner: float = param(0.0, "Ring of the background from", "arcsec", 0.0, 20.0)
    outer: float = param(0.0, "Ring of the background to", "arcsec", 0.0, 20.0)
    background: bool = param(False, "Fit a constant beside the source")
    telluric: bool = param(False, "Take absorption of the atmosphere off", hint="its lines, as strong as they are")


@dataclass(frozen=True, slots=True)
class PictureParams:
    """Wavelengths of the picture of the field."""

    center: float = param(
        float("nan"), "Middle wavelength", "Angstrom", 1e3, 2e4, hint="without a number: that of the channel"
    )
    half: float = param(50.0, "Half width", "Angstrom", 0.1, 1e4)


def make_curve(params: CurveParams, ctx: JobContext, setup: ChannelSetup, star: WaveCurve | None) -> WaveCurve:
    """The response that is used.

    Raises
    ------
    UsageError
        It is not known.
    """
    if params.curve == STAR:
        if star is None:
            raise UsageError("no standard star gives a response", setup.camera, "choose another response, or give one")
        return star
    if params.curve == CORRECTED:
        if setup.correction is None:
            raise UsageError("no correction of the response is known", setup.camera, "choose another response")
        factor = np.interp(setup.response.wave, setup.correction.wave, setup.correction.value)
        return replace(setup.response, value=setup.response.value * factor, source=setup.correction.source)
    return setup.response


def make_flux(
    params: FluxParams, ctx: JobContext, setup: ChannelSetup, science: DetectorFrame, spectra: ExtractedExposure,
    drift: WaveSolution, response: FiberFlat, curve: WaveCurve, exposure: RawExposure,
) -> FiberSpectra:  # fmt: skip
    """Flux density of all fibers in their own pixels, the sky still in it.

    Raises
    ------
    MissingDataError
        The exposure time is not known.
    """
    if not science.exptime > 0:
        raise MissingDataError("the exposure time is not known", science.what, "the header needs EXPTIME or REXPTIME")
    own = replace(spectra.extraction.spectra, wave=drift.wave, medium=drift.medium)
    fibers = response.fibers
    own = replace(own, mask=own.mask | fibers.mask)
    counts = per_angstrom(own, fibers.flat if params.fiber_to_fiber else None)
    scale = FluxScale(science.exptime, params.area, params.of(exposure), response.amplitude)
    return to_flux(counts, curve.wave, curve.value, scale)


def make_sources(
    params: SourcesParams, ctx: JobContext, setup: ChannelSetup, flux: FiberSpectra, drift: WaveSolution,
    other: CommonSpectra | None = None,
) -> StartSources:  # fmt: skip
    """Where sources lie: looked for, or put there by hand; with the sky of another exposure that finds them."""
    if np.isfinite(params.x) and np.isfinite(params.y):
        middle, unknown = float(setup.grid[setup.grid.size // 2]), float("nan")
        one = SourceFit(params.x, params.y, 0.0, 0.0, SEEING, 0.0, BETA, unknown, middle, unknown, setup.refraction)
        return StartSources((one,), params.most)
    if other is not None:
        return StartSources(None, params.most)
    search = search_sources(
        flux, setup.lenslets, setup.refraction, setup.grid, lsf=_line_spread(drift),
        params=SeparateParams(sources=params.most), ctx=ctx,
    )  # fmt: skip
    return StartSources(None, params.most, search)


def _line_spread(drift: WaveSolution) -> NDArray[np.float64]:
    return np.asarray(np.where(np.isfinite(drift.lsf), drift.lsf, np.nanmedian(drift.lsf)))


def make_sky(
    params: SkyParams, ctx: JobContext, setup: ChannelSetup, flux: FiberSpectra, drift: WaveSolution,
    sources: StartSources, other: CommonSpectra | None = None,
) -> Separation:  # fmt: skip
    """Sky and sources, told apart together; with the sky of another exposure where that is given."""
    chosen = None
    if params.fibers:
        chosen = np.zeros(flux.nfiber, bool)
        chosen[[f for f in params.fibers if 0 <= f < flux.nfiber]] = True
    if other is not None:
        found = separate_borrowed(
            flux, other, setup.lenslets, setup.refraction, setup.grid, sky_fibers=chosen, sources=sources.given,
            search=sources.most > 0, surface=params.surface,
        )  # fmt: skip
    else:
        how = SeparateParams(
            sources=sources.most, surface=params.surface, lines=params.lines, single=params.single
        )  # fmt: skip
        usual = np.array([np.interp(setup.grid, one.wave, one.value) for one in setup.skies])
        found = separate(
            flux, setup.lenslets, setup.refraction, setup.grid, lsf=_line_spread(drift), sky_fibers=chosen,
            sources=sources.given, search=sources.search, params=how, expected=usual if len(usual) else None, ctx=ctx,
        )  # fmt: skip
    return with_components(flux, found, setup.grid, params.components) if params.components else found


def make_field(params: None, ctx: JobContext, setup: ChannelSetup, flux: FiberSpectra, sky: Separation) -> FieldSpectra:
    """All fibers on the common grid, with the sky and without it."""
    clean = replace(flux, flux=flux.flux - sky.sky.model, variance=flux.variance + sky.sky.variance)
    return FieldSpectra(
        rectify(flux, setup.grid),
        rectify(clean, setup.grid),
        rectify_values(sky.sky.model, flux.wave, setup.grid),
        clean,
    )


def make_spectrum(
    params: SpectrumParams, ctx: JobContext, setup: ChannelSetup, field: FieldSpectra, sky: Separation
) -> SourceSpectrum:
    """Spectrum of the most significant source; of one that fills the field the light within a circle.

    Raises
    ------
    MissingDataError
        There is no source.
    """
    found = _extracted(params, setup, field, sky)
    if not params.telluric or setup.air is None:
        return found
    return without_absorption(found, np.interp(found.wave, setup.air.wave, setup.air.value))[0]


def _extracted(
    params: SpectrumParams, setup: ChannelSetup, field: FieldSpectra, sky: Separation
) -> SourceSpectrum:  # fmt: skip
    """As it is below the atmosphere."""
    here = np.isfinite(params.x) and np.isfinite(params.y)
    source = sky.sources[0] if sky.sources else None
    if source is None and sky.extended is None and not here:
        raise MissingDataError("no source stands out of the sky", setup.camera, "put it at a place by hand")
    if here or source is None or params.radius > 0:
        middle = float(setup.grid[setup.grid.size // 2])
        center = source or sky.extended
        x, y = (params.x, params.y) if here or center is None else (center.x, center.y)
        wave = middle if here or source is None else source.wave
        circle = FieldAperture(x, y, params.radius or EXTENDED_RADIUS, wave, params.inner, params.outer)
        dar = setup.refraction if source is None else source.dar
        own = None if here else source
        return extract_aperture(
            field.subtracted, field.sky, circle, setup.lenslets, dar, source=own, whole=own is not None
        )
    degree = 0 if params.background else None
    return extract_points(field.subtracted, field.sky, sky.sources, setup.lenslets, degree=degree)[0]


def make_cubes(
    params: None, ctx: JobContext, setup: ChannelSetup, field: FieldSpectra, sky: Separation
) -> Mapping[str, SkyCube]:
    """Cubes of what was observed, of the sky, and of what is left without it."""
    dar = sky.sources[0].dar if sky.sources else setup.refraction
    lenslets, grid = setup.lenslets, field_grid(setup.lenslets)
    whole, clean = layered_cubes((field.observed, field.subtracted), lenslets, dar, grid, ctx=ctx)
    light = replace(
        whole, data=whole.data - clean.data, variance=np.maximum(clean.variance - whole.variance, np.float32(0))
    )
    return {"obs": whole, "sky": light, "skysub": clean}


def make_picture(
    params: PictureParams, ctx: JobContext, setup: ChannelSetup, cubes: Mapping[str, SkyCube]
) -> NDArray[np.float32]:
    """Light without sky of each spaxel within a range of wavelengths, (ny, nx): the median, NaN where nothing is known.

    Raises
    ------
    FitError
        The channel has none of these wavelengths.
    """
    cube = cubes["skysub"]
    center = params.center if np.isfinite(params.center) else float(setup.grid[setup.grid.size // 2])
    low, high = center - params.half, center + params.half
    if high < cube.wave[0] or low > cube.wave[-1]:
        raise FitError(f"the channel has no wavelengths within {params.half:g} A of {center:g} A", setup.camera)
    return collapse(cube, low, high)
