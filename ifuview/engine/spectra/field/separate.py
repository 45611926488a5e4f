"""Sky and sources of one exposure found together, from the fibers' own wavelengths.

Rounds of: sky from fibers without source; sources from what is left; then sky and spectra of the sources in one
least-squares fit, so that the wings of a source are not taken for sky, and fibers in the wings still help with it;
brightness of the sky over the field; errors of wavelength and line spread from the sky's own lines. What a profile does
not describe counts as error, so that bright fibers do not decide about the sky. Where light fills the field an
elliptical profile takes the place of the point, and the surface stays flat unless sky lines tell it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.field.extended import fit_extended, with_seeing
from ifuview.engine.spectra.field.find import FoundSource, find_source
from ifuview.engine.spectra.field.lenslet import Lenslets
from ifuview.engine.spectra.field.point import BETA
from ifuview.engine.spectra.field.separation import SeparateParams, Separation, SourceSearch
from ifuview.engine.spectra.field.together import SkyAndSources
from ifuview.engine.spectra.flux.rectify import rectify, rectify_values
from ifuview.engine.spectra.sky.fibers import brightness, darkest, misfit
from ifuview.engine.spectra.sky.surface import SkySurface
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SourceFit
from ifuview.model.reduction.spectra import FiberSpectra

SOUGHT = 0.6  # of the time
WIDE, MISFIT = 2.6, 1.25  # arcsec, chi2: no seeing, no point
SETTLED, TURNS = 0.003, 3  # arcsec that sources still move, turns of measuring several
HALF = 0.5  # of a width, and arcsec
BETTER, MUCH = 0.7, 0.5  # of what a point leaves: an extended source has to leave less, the second if as wide as seeing
SEEING = 2.0  # arcsec
OUTSIDE = 1.2  # arcsec, beyond the outermost fibers
SHARP = 0.9  # of a lenslet: what is sharper is one bad fiber
COVERED = 0.3  # of the light of a further source, that usable fibers hold: elsewhere the first one's wings decide
APART, ALIKE = 0.8, 1.6  # FWHM between sources, ratio of the widths of two


def search_sources(
    spectra: FiberSpectra, lenslets: Lenslets, dar: Array, grid: Array, *, lsf: Array | None = None,
    sky_fibers: Array | None = None, params: SeparateParams | None = None, ctx: JobContext = SILENT,
) -> SourceSearch:  # fmt: skip
    """Look for sources above a first sky; parameters as those of `separate`.

    Raises
    ------
    FitError
        Too few usable fibers.
    UsageError
        The given sky fibers are none that can be used.
    """
    work = _SourceHunt(spectra, lenslets, dar, grid, lsf, params or SeparateParams(), ctx)
    work.choose(sky_fibers)
    ctx.checkpoint(0.3, "sky")
    work.look_for_sources(ctx.part(0.3, 1.0))
    return work.found()


def separate(
    spectra: FiberSpectra, lenslets: Lenslets, dar: Array, grid: Array, *, lsf: Array | None = None,
    sky_fibers: Array | None = None, sources: tuple[SourceFit, ...] | None = None, search: SourceSearch | None = None,
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
    search : SourceSearch, optional
        Of `search_sources` with the same spectra: sources are measured again, looked for only where it found none and
        other sky fibers may show some.
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
    params = params or SeparateParams()
    work = SkyAndSources(spectra, lenslets, dar, grid, lsf, params, ctx)
    if sources is not None:
        work.choose(sky_fibers)
        work.take_sources(sources)
    else:
        if search is None or (sky_fibers is not None and not search.holds):
            search = search_sources(
                spectra, lenslets, dar, grid, lsf=lsf, sky_fibers=sky_fibers, params=params, ctx=ctx.part(0.0, SOUGHT)
            )
        work.go_on(search, sky_fibers)
    for turn in range(params.rounds):
        ctx.checkpoint(SOUGHT + (0.9 - SOUGHT) * turn / params.rounds, "sky and sources together")
        work.together()
        work.measure_surface()
        work.measure_sources()
    work.together()
    ctx.check()
    work.clear_emission(expected)
    ctx.check()
    if params.lines:
        work.correct_lines()
    return work.result()


class _SourceHunt(SkyAndSources):
    """One source after the other, each measured, and kept if it is one."""

    def look_for_sources(self, ctx: JobContext) -> None:
        """One source after the other, until none is left; an extended one if that describes the light better."""
        for turn in range(self.params.sources):
            ctx.checkpoint(turn / self.params.sources, "sources")
            misfit = max([1.0, *(one.chi2 for one in self.sources if np.isfinite(one.chi2))])
            variance = self.spectra.variance + self._unexplained(2.0 * float(np.sqrt(misfit)))
            left = replace(self.spectra, flux=self.spectra.flux - self.sky - self.light, variance=variance)
            sky = rectify_values(self.sky, self.wave, self.grid)
            self.ctx.check()
            found = find_source(rectify(left, self.grid), sky, self.lenslets, self.dar)
            if found is None or self._is_known(found) or not self._add(found):
                break
            if turn == 0 and not self.given and self._is_no_point():
                self._try_other_shapes()
                if self.extended is not None:
                    break
        self.searched = True
        self._order()

    def _order(self) -> None:
        """The brightest source first."""
        if len(self.sources) > 1:
            order = np.argsort([-float(np.median(each.sum(axis=0))) for each in self.each])
            self.sources = [self.sources[n] for n in order]
            self._renew_shares()
            self.together()

    def _try_other_shapes(self) -> None:
        """Two points close together, or an elliptical profile, if that describes the light much better than a point."""
        one, kept = self._miss(), (self.sources, self.share, self.surface)
        ask = BETTER if self.sources[0].fwhm > SEEING else MUCH
        self._split()
        two = self._miss() if len(self.sources) == 2 else np.full_like(one, np.inf)
        if not (two < BETTER * one).all():
            self.sources, self.share, self.surface = kept
            self.together()
        self._spread_out(ask * np.minimum(one, two))

    def _split(self) -> None:
        """Two sources in place of one, along the long axis of its light."""
        first = self.sources[0]
        near = np.hypot(self.lenslets.x - first.x, self.lenslets.y - first.y) < 2 * first.fwhm
        level = brightness(replace(self.spectra, flux=self.spectra.flux - self.sky))[0]
        level = np.where(near & np.isfinite(level), np.maximum(level, 0), 0)
        off = np.stack([self.lenslets.x - first.x, self.lenslets.y - first.y])
        spread, axes = np.linalg.eigh((level * off) @ off.T / max(float(level.sum()), 1e-300))
        apart = np.sqrt(max(float(spread[1] - spread[0]), 0.0)) * axes[:, 1]
        width = min(first.fwhm, HALF * first.fwhm + HALF)
        self.sources = [replace(first, x=first.x + s * apart[0], y=first.y + s * apart[1], fwhm=width, beta=BETA)
                        for s in (1.0, -1.0)]  # fmt: skip
        self._renew_shares()
        self.together()
        if not (self._settle() and self._plausible()):
            self.sources = [first]

    def _miss(self) -> NDArray[np.float64]:
        """Rms of what sky and sources leave of the fibers' brightness, in units of its error."""
        level, error = brightness(self.spectra)
        model = brightness(replace(self.spectra, flux=self.sky + self.light))[0]
        return misfit(level, error, model)

    def _add(self, found: FoundSource) -> bool:
        """Measure a source that was found; whether it is one."""
        start = SourceFit(
            found.x, found.y, np.nan, np.nan, found.fwhm, np.nan, BETA, found.snr, self.middle, np.nan, self.dar
        )
        before = (self.sources, self.share, self.surface)
        self.sources = [*self.sources, start]
        self._renew_shares()
        self.together()
        if self._settle() and self._plausible():
            return True
        self.notes.append(f"light at x {found.x:.1f}, y {found.y:.1f} arcsec (S/N {found.snr:.0f}) is no point source")
        self.sources, self.share, self.surface = before
        self.together()
        return False

    def _is_known(self, found: FoundSource) -> bool:
        """Whether it is what the profile of a source leaves in its core."""
        return any(np.hypot(found.x - s.x, found.y - s.y) < APART * s.fwhm for s in self.sources)

    def _settle(self) -> bool:
        """Measure all sources until none moves; whether all could be."""
        if len(self.sources) == 1:
            if self.measure_sources():
                self.together()
                return True
            return False
        for _ in range(TURNS):
            before = [(s.x, s.y) for s in self.sources]
            self._blend()
            self.together()
            if max(np.hypot(s.x - x, s.y - y) for s, (x, y) in zip(self.sources, before)) < SETTLED:
                break
        return True

    def _plausible(self) -> bool:
        """Whether the last fit is a source of its own: in the field and seen, as wide as seeing or as the first one."""
        fit, x, y = self.sources[-1], self.lenslets.x, self.lenslets.y
        off = max(x.min() - fit.x, fit.x - x.max(), y.min() - fit.y, fit.y - y.max())
        if off > OUTSIDE or not max(fit.x_error, fit.y_error) < fit.fwhm or fit.fwhm < SHARP * self.lenslets.size:
            return False
        if len(self.sources) == 1:
            return True
        light = self.share[-1].mean(axis=1)
        if light[(self.weight > 0).any(axis=1)].sum() < COVERED * light.sum():
            return False
        first = self.sources[0]
        apart = min(np.hypot(fit.x - s.x, fit.y - s.y) for s in self.sources[:-1])
        return bool(apart > APART * first.fwhm and fit.fwhm / first.fwhm < ALIKE and first.fwhm / fit.fwhm < ALIKE)

    def _is_no_point(self) -> bool:
        """Whether the first source asks for another profile."""
        first = self.sources[0]
        return first.fwhm > WIDE or first.chi2 > MISFIT

    def _spread_out(self, least: Array) -> None:
        """An elliptical profile with the sky under it as a plane, if it leaves less than `least`."""
        level, error = brightness(self.spectra)
        extended = fit_extended(level, error, self.lenslets)
        if (misfit(level, error, extended.amplitude * extended.share + extended.plane) > least).any():
            return
        extended = with_seeing(extended, level, error, self.lenslets, self.ctx)
        self.extended, self.sources, self.choice = extended, [], darkest(self.choice)
        self.notes.append("an extended source fills the field: sky and source are told apart by its profile")
        plane = extended.plane / extended.constant if self.params.surface else np.ones(level.size)
        self.surface = SkySurface(plane, np.ones(level.size), int(self.params.surface), 0.0)
        self._take_profile(extended.share)

    def found(self) -> SourceSearch:
        """What was found, to go on from."""
        return SourceSearch(tuple(self.sources), self.extended, self.surface, self.choice, tuple(self.notes))
