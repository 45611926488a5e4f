"""The rounds in which sky and sources of an exposure are found together; see `separate`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.field.blend import fit_blend, take_pictures
from ifuview.engine.spectra.field.extended import ExtendedFit
from ifuview.engine.spectra.field.lenslet import Lenslets, displacement, source_share
from ifuview.engine.spectra.field.point import TAIL, fit_point, measure_shares, steady
from ifuview.engine.spectra.field.separation import SeparateParams, Separation, SourceSearch
from ifuview.engine.spectra.flux.scale import dispersion
from ifuview.engine.spectra.sky.emission import emission_in_sky
from ifuview.engine.spectra.sky.fibers import SkyFibers, brightness, choose_fibers, even_weight
from ifuview.engine.spectra.sky.lines import LineErrors, fit_line_errors
from ifuview.engine.spectra.sky.spline import Samples, fit_common
from ifuview.engine.spectra.sky.surface import SkySurface, factors, fit_surface
from ifuview.errors import FitError, UsageError
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SkyModel, SourceFit
from ifuview.model.reduction.spectra import FiberSpectra

CHUNKS = 16  # of wavelength, for a source's place
FAINT = 0.01  # of the sky: fibers with less light of sources tell the surface
POINT_FLOOR, EXTENDED_FLOOR = 0.03, 0.15  # of a source's light, that its profile does not describe
CLIP = 6.0  # sigma
SINGLE = 0.002  # of the sky, that single fibers differ by
FAR = 0.003  # of a source's light: fibers with more tell nothing of the sky's surface
LIT = 0.002  # of a source's light: fibers with more help with its spectrum


class SkyAndSources:
    """What is known of sky and sources so far, and the steps that make it better."""

    def __init__(
        self, spectra: FiberSpectra, lenslets: Lenslets, dar: Array, grid: Array, lsf: Array | None,
        params: SeparateParams, ctx: JobContext = SILENT,
    ) -> None:  # fmt: skip
        self.ctx = ctx
        self.spectra, self.lenslets, self.grid, self.params = spectra, lenslets, grid, params
        self.wave = np.ascontiguousarray(np.broadcast_to(spectra.wave, spectra.flux.shape))
        self.middle = float(grid[grid.size // 2])
        dx, dy = displacement(dar, np.array([self.middle]))
        self.dar = np.stack([dar[0], dar[1] - dx[0], dar[2] - dy[0]])
        usable = spectra.usable() & (spectra.variance > 0)
        self.weight = even_weight(spectra.variance, usable)
        self.step = params.knots * float(np.median(dispersion(self.wave)))
        self.extra = self._extra(lsf)
        self.surface = SkySurface(np.ones(spectra.nfiber), np.ones(spectra.nfiber), 0, 0.0)
        self.sources: list[SourceFit] = []
        self.share = np.zeros((0, *spectra.flux.shape), np.float32)
        self.light = np.zeros(spectra.flux.shape, np.float32)
        self.each: list[NDArray[np.float32]] = []
        self.extended: ExtendedFit | None = None
        self.line_errors: LineErrors | None = None
        self.notes: list[str] = []
        self.given = False
        self.searched = False  # before, what single fibers have more may be a source

    def _extra(self, lsf: Array | None) -> NDArray[np.float32]:
        if lsf is None:
            return np.zeros(self.wave.shape, np.float32)
        square = (lsf * dispersion(self.wave)) ** 2
        out = (square - np.nanmean(square, axis=0)) / 2
        return np.nan_to_num(out).astype(np.float32)

    def choose(self, given: Array | None) -> None:
        """Sky fibers, and the sky with its gradient from them alone."""
        self.choice = choose_fibers(self.spectra) if given is None else self._by_hand(given)
        self.fit(self.weight * self.choice.chosen[:, None])
        if not self.choice.crowded:
            self.measure_surface(self.choice.chosen)
            self.fit(self.weight * self.choice.chosen[:, None])

    def _by_hand(self, given: Array) -> SkyFibers:
        chosen = np.asarray(given, bool) & (self.weight > 0).any(axis=1)
        if not chosen.any():
            raise UsageError("none of the given sky fibers can be used", todo="choose others")
        self.given = True
        return SkyFibers(chosen, brightness(self.spectra)[0], False)

    def go_on(self, search: SourceSearch, given: Array | None) -> None:
        """Begin with what was found; with sky fibers of one's own where they are given."""
        self.choice = search.choice if given is None else self._by_hand(given)
        self.surface, self.extended, self.notes = search.surface, search.extended, list(search.notes)
        if self.extended is not None:
            self.searched = True
            self._take_profile(self.extended.share)
        else:
            self.take_sources(search.sources)

    def fit(self, weight: Array) -> None:
        """Solve for the sky and all sources."""
        self.ctx.check()
        bright = self.surface.value * self.surface.fiber
        sky = np.broadcast_to(bright[:, None].astype(np.float32), self.wave.shape)[None]
        self.samples = Samples(self.wave, np.concatenate([sky, self.share]), self.extra)
        self.common = fit_common(self.samples, self.spectra.flux, weight.astype(np.float32), self.step)
        self.sky = self.common.values(self.samples)
        self.each = [self.common.values(self.samples, n + 1) for n in range(len(self.share))]
        self.light = np.sum(self.each, axis=0, dtype=np.float32) if self.each else np.zeros_like(self.sky)

    def take_sources(self, sources: tuple[SourceFit, ...]) -> None:
        """Begin with sources that are known."""
        self.searched = True
        self.sources = list(sources)
        self._renew_shares()
        self.fit(self._chosen(self.weight))

    def _blend(self) -> None:
        """Measure sources that may overlap together."""
        pictures = take_pictures(self.spectra.flux - self.sky, self.weight, self.wave, CHUNKS)
        self.sources = list(fit_blend(pictures, self.lenslets, self.dar, tuple(self.sources)))
        self._renew_shares()

    def _renew_shares(self) -> None:
        """Shares of all sources at the fibers' own wavelengths."""
        own = [source_share(s, self.lenslets, self.wave) for s in self.sources]
        self.share = np.stack(own).astype(np.float32) if own else self.share[:0]

    def _unexplained(self, factor: float = 1.0) -> NDArray[np.float32]:
        """Variance of what the profiles do not describe."""
        out = np.zeros(self.wave.shape, np.float32)
        floor = EXTENDED_FLOOR if self.extended else POINT_FLOOR
        for share, light in zip(self.share, self.each):
            top = max(float(np.median(share, axis=1).max()), 1e-9)
            out += (factor * light * (floor + TAIL * top / np.maximum(share, 1e-12))) ** 2
        return out

    def together(self) -> None:
        """Sky and sources with the errors of the profiles counted; samples far off left out."""
        if len(self.each) != len(self.share):
            self.fit(self._chosen(self.weight))
        weight = self.weight / (1 + self.weight * self._unexplained())
        pull = (self.spectra.flux - self.sky - self.light) * np.sqrt(weight)
        self.fit(self._chosen(np.where(np.abs(pull) < CLIP, weight, 0)))

    def _chosen(self, weight: Array) -> Array:
        """Only the sky fibers that were given, and those with light of sources."""
        if not self.given:
            return weight
        lit = self.share.max(axis=(0, 2)) > LIT if len(self.share) else np.zeros(weight.shape[0], bool)
        return weight * (self.choice.chosen | lit)[:, None]

    def measure_surface(self, use: Array | None = None) -> None:
        """Gradient over the field, and response of single fibers."""
        if not self.params.surface or self.extended is not None:
            return
        bright = self.surface.value * self.surface.fiber
        weight = self.weight / (1 + self.weight * self._unexplained())
        faint = np.median(self.light, axis=1) < FAINT * np.median(self.sky, axis=1)
        if self.sources:
            faint &= self.share.max(axis=(0, 2)) < FAR
        mean = self.sky / bright[:, None].astype(np.float32)
        factor, error = factors(self.spectra.flux - self.light, weight, mean)
        use = faint if use is None else use
        single = self.params.single and self.searched
        place = self.lenslets.x, self.lenslets.y
        self.surface = fit_surface(*place, factor, error, use, single, self.params.degree)

    def measure_sources(self) -> bool:
        """Places and widths from the light that is left without sky and the others; whether all are found."""
        if self.extended is not None:
            self._take_profile(self._gains(self.extended.share))
            return True
        if len(self.sources) > 1:
            self._blend()
            return True
        if not self.sources:
            return False
        spectrum = steady(self.common, 1, self.grid, self.wave)
        shares = measure_shares(self.spectra.flux - self.sky, self.weight, spectrum, self.wave, CHUNKS)
        uneven = SINGLE * float(np.median(self.sky)) / max(float(np.mean(spectrum)), 1e-30)
        shares = replace(shares, variance=shares.variance + uneven**2)
        try:
            fit = fit_point(shares, self.lenslets, self.dar, self.sources[0], refraction=self.params.refraction)
        except FitError:
            return False
        self.sources = [fit]
        self._renew_shares()
        return True

    def _take_profile(self, share: Array) -> None:
        self.share = np.broadcast_to(share[:, None], self.wave.shape).astype(np.float32)[None]
        self.together()

    def _gains(self, share: Array) -> NDArray[np.float64]:
        """Share of the source in each fiber by its spectrum, held near the profile as far as noise asks for it."""
        ones = Samples(self.wave, np.ones_like(self.samples.share), self.extra)
        spectrum = self.common.values(ones, 1)
        found, error = factors(self.spectra.flux - self.sky, self.weight, spectrum)
        prior = EXTENDED_FLOOR * share + TAIL * share.max()
        known = np.isfinite(found) & (error > 0)
        sigma = np.where(known, error, 1.0)
        off = np.where(known, np.where(known, found, 0.0) - share, 0.0)
        return share + off / (1 + sigma**2 / prior**2)

    def clear_emission(self, expected: Array | None = None) -> None:
        """Take lines of an extended source off the sky, which no fiber is free of; `expected` are mean skies."""
        if self.extended is None:
            return
        sky, (source, variance) = self.common.at(self.grid)[0], self.common.at(self.grid, 1)
        light, windows = emission_in_sky(sky, source, np.sqrt(variance), expected)
        if windows:
            bright = (self.surface.value * self.surface.fiber)[:, None]
            self.sky = self.sky - (bright * np.interp(self.wave, self.grid, light)).astype(np.float32)
            spans = ", ".join(f"{self.grid[a]:.0f}-{self.grid[b - 1]:.0f}" for a, b in windows)
            self.notes.append(f"under lines of the source the sky is as expected: {spans} A")

    def correct_lines(self) -> None:
        """Wavelength and line spread of the fibers from the sky's own lines."""
        weight = self.weight / (1 + self.weight * self._unexplained())
        left = self.spectra.flux - self.light - self.sky
        self.line_errors = fit_line_errors(left, weight, self.sky)
        if self.line_errors is not None:
            self.sky = self.sky + self.line_errors.correction

    def result(self) -> Separation:
        """All of it."""
        surface = self.surface
        variance = self.common.evaluate(self.samples)[1]
        many = f"{len(self.share)} extended" if self.extended else f"{len(self.share)}"
        method = f"B-spline, knots {self.step:.2f} A, with {many} source(s), surface of degree {surface.degree}"
        notes = tuple(filter(None, (self.choice.note, *self.notes)))
        model = SkyModel(self.sky, variance, self.choice.chosen, surface.value.astype(np.float32), method, notes)
        return Separation(model, tuple(self.sources), self.share, self.extended, self.common, surface, self.line_errors)
