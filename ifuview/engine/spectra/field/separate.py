"""Sky and sources of one exposure found together, from the fibers' own wavelengths.

Rounds of: sky from fibers without source; sources from what is left; then sky and spectra of the sources in one
least-squares fit, so that the wings of a source are not taken for sky, and fibers in the wings still help with it;
brightness of the sky over the field; errors of wavelength and line spread from the sky's own lines. What a profile does
not describe counts as error, so that bright fibers do not decide about the sky. Where light fills the field an
elliptical profile takes the place of the point, and the surface stays flat unless sky lines tell it.
"""

from __future__ import annotations

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.field.lenslet import Lenslets
from ifuview.engine.spectra.field.separation import SeparateParams, Separation
from ifuview.engine.spectra.field.together import SkyAndSources
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SourceFit
from ifuview.model.reduction.spectra import FiberSpectra


def separate(
    spectra: FiberSpectra, lenslets: Lenslets, dar: Array, grid: Array, *, lsf: Array | None = None,
    sky_fibers: Array | None = None, sources: tuple[SourceFit, ...] | None = None,
    params: SeparateParams | None = None, expected: Array | None = None, ctx: JobContext = SILENT,
) -> Separation:  # fmt: skip
    """Find sky and sources.

    Parameters
    ----------
    spectra : FiberSpectra
        A density (per Angstrom), response of the fibers removed, at native wavelengths.
    lenslets : Lenslets
        In the order of the fibers.
    dar : ndarray, shape (3, n)
        Wavelength, displacement in x and y (arcsec) of a source, against any place.
    grid : ndarray, shape (nwave,), Angstrom
        Common wavelengths, for finding sources; places and widths hold at its middle.
    lsf : ndarray, shape (nfiber, nwave), px, optional
        Gaussian sigma of an unresolved line. Default: the same for all fibers.
    sky_fibers : ndarray of bool, shape (nfiber,), optional
        Default: chosen by their brightness.
    sources : tuple of SourceFit, optional
        Where sources lie (at the middle of `grid`), instead of looking for them: empty for none. They are measured
        again from there.
    params : SeparateParams, optional
    expected : ndarray, shape (n, nwave), optional
        Mean skies on `grid`, of any level: one lies below emission lines of a source that fills the field.
    ctx : JobContext, optional

    Raises
    ------
    FitError
        Too few usable fibers.
    UsageError
        The given sky fibers are none that can be used.
    """
    work = SkyAndSources(spectra, lenslets, dar, grid, lsf, params or SeparateParams(), ctx)
    work.choose(sky_fibers)
    ctx.checkpoint(0.2, "sky")
    if sources is None:
        work.look_for_sources(ctx.part(0.2, 0.6))
    else:
        work.take_sources(sources)
    for turn in range(work.params.rounds):
        ctx.checkpoint(0.6 + 0.3 * turn / work.params.rounds, "sky and sources together")
        work.together()
        work.measure_surface()
        work.measure_sources()
    work.together()
    ctx.check()
    work.clear_emission(expected)
    ctx.check()
    if work.params.lines:
        work.correct_lines()
    return work.result()
