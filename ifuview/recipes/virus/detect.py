"""Lines and continua of a head found blindly, and how many would be found."""

from __future__ import annotations

import numpy as np

from ifuview.engine.context import JobContext
from ifuview.engine.spectra.detect.completeness import completeness
from ifuview.engine.spectra.detect.continuum import steady
from ifuview.engine.spectra.detect.search import DetectParams, KnownSource, detect
from ifuview.engine.spectra.flux.scale import dispersion
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import UNUSABLE
from ifuview.model.reduction.detection import Completeness, FieldDetections, FieldFibers, PointSpread
from ifuview.model.reduction.shot import IfuSpectra
from ifuview.model.reduction.solution import CatalogSpectrum, ShotSolution
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.recipes.virus.shot_values import HeadFlux, ShotSetup

LSF = 2.4  # Angstrom, Gaussian sigma of an unresolved line where nothing is known of it
SEEN = 2.0  # median significance of a sample, of the stars that are taken off
LEAST = 0.1  # of a spectrum's samples that have to be known


def make_detections(
    params: DetectParams, ctx: JobContext, setup: ShotSetup, response: HeadFlux, fields: IfuSpectra,
    stars: tuple[CatalogSpectrum, ...], solution: ShotSolution,
) -> FieldDetections:  # fmt: skip
    """Lines and continua that are not in the catalog."""
    return detect(
        field_fibers(fields, line_width(response)), point_spread(fields, solution), setup.grid, known_sources(stars),
        params, ctx,
    )  # fmt: skip


def measure_completeness(
    params: object, ctx: JobContext, response: HeadFlux, fields: IfuSpectra, stars: tuple[CatalogSpectrum, ...],
    solution: ShotSolution, count: int, seed: int = 0,
) -> Completeness:  # fmt: skip
    """Share of simulated lines that would be found in the head; `params` of the step, None for the usual ones."""
    field = field_fibers(fields, line_width(response))
    return completeness(
        field, point_spread(fields, solution), np.asarray(fields.wave), known_sources(stars), count=count, seed=seed,
        params=params if isinstance(params, DetectParams) else None, ctx=ctx,
    )  # fmt: skip


def line_width(response: HeadFlux) -> float:
    """Median Gaussian sigma of an unresolved line, Angstrom."""
    found = [
        float(np.nanmedian(np.where(one.lsf > 0, one.lsf, np.nan) * dispersion(one.spectra.wave)))
        for one in response.exposures
        if one.lsf is not None and (one.lsf > 0).any()
    ]
    return float(np.median(found)) if found else LSF


def field_fibers(fields: IfuSpectra, lsf: float) -> FieldFibers:
    """All exposures of a head as one field, in the fibers' own pixels where these were kept."""
    count = len(fields.fields)
    parts = [one.native if one.native is not None else one.spectra for one in fields.fields]
    waves = [np.broadcast_to(one.wave, one.flux.shape) for one in parts]
    spectra = FiberSpectra(
        np.concatenate([one.flux for one in parts]), np.concatenate([one.variance for one in parts]),
        np.concatenate([one.mask for one in parts]), np.concatenate(waves), parts[0].unit, parts[0].medium,
    )  # fmt: skip
    group = np.zeros((count, fields.nfiber), np.intp)
    amplifiers = len(fields.fields[0].amplifiers)
    for n, one in enumerate(fields.fields):
        for k, state in enumerate(one.amplifiers):
            group[n, state.fibers] = n * amplifiers + k
    number = np.repeat(np.arange(count), fields.nfiber)
    return FieldFibers(spectra, fields.x, fields.y, number, group.ravel(), fields.size, lsf)


def point_spread(fields: IfuSpectra, solution: ShotSolution) -> PointSpread:
    """How a point source is seen in each exposure."""
    optics = solution.optics
    return PointSpread((optics.fwhm,) * len(fields.fields), optics.wave, optics.beta, np.asarray(optics.dar))


def known_sources(stars: tuple[CatalogSpectrum, ...]) -> tuple[KnownSource, ...]:
    """Sources of the catalog: those that are seen are taken off, none is found again."""
    out = []
    for star in stars:
        flux, error = star.spectrum.flux, _error(star)
        good = error > 0
        seen = good.mean() > LEAST and np.median(flux[good] / error[good]) > SEEN
        out.append(KnownSource(star.x, star.y, np.where(good, flux, 0.0), error if seen else np.zeros_like(error)))
    return tuple(out)


def _error(star: CatalogSpectrum) -> Array:
    """Errors of a spectrum, 0 where it is not known, or not by the fibers that tell it beside."""
    found = star.spectrum
    good = (found.variance > 0) & (found.mask & int(UNUSABLE) == 0)
    good &= steady(found.fraction)
    return np.where(good, np.sqrt(np.where(good, found.variance, 0.0)), 0.0)
