"""Lines and continua of a field found blindly.

Filters of two widths over a lattice of places and all wavelengths; the most significant peak is measured, taken off
and looked below, until none is left above a threshold that noise alone passes `false` times in a field: the expected
number of maxima of a Gaussian random field (Adler & Hasofer 1976), here by its Euler characteristic.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.detect.continuum import TakenSource, find_continua, take_off
from ifuview.engine.spectra.detect.doubts import describe, doubt, is_hit
from ifuview.engine.spectra.detect.kernels import filter_lines, running_level
from ifuview.engine.spectra.detect.light import (
    NOTHING,
    FieldLight,
    combine_at,
    lattice_over,
    significance,
    spread_table,
)
from ifuview.engine.spectra.detect.measure import FLOOR, LineFit, blot, climb, put
from ifuview.model.checks import Array
from ifuview.model.reduction.detection import CONTINUUM, Detection, Doubt, FieldDetections, FieldFibers, PointSpread
from ifuview.model.reduction.params import param

WIDTHS = (1.08, 2.0)  # of an unresolved line, filters
LEVEL, CLIP = 100, 3.5  # samples to either side of the mean that is taken off a fiber; sigma
BELOW = 0.55  # of significance that a peak on the lattice may be lower than the best place beside it
GAINED = 1.5  # false maxima for each of one filter, of two
BLEND, FAINT = 3.0, 0.25  # arcsec, of the light: what is no source beside a brighter one at its wavelength
SAME_WAVE = 1.5  # widths
STAR, FIRST = 1.5, 25.0  # arcsec about a known source; significance of continua taken off before lines are sought
WINGS = 5.0  # arcsec about one, of lines on its light
MANY = 4  # lines about one star that are none
CLOSED_PLACE, CLOSED_WAVE = 1.0, 1.5  # arcsec, widths: about a peak that was no line


@dataclass(frozen=True, slots=True)
class DetectParams:
    """What counts as found."""

    false: float = param(0.1, "False lines in a field by noise alone", "", 1e-6, 100.0)
    continuum: float = param(5.5, "Significance of a continuum", "sigma", 3.0, 100.0)
    most: int = param(500, "Sources in a field at most", "", 1, 100000)


@dataclass(frozen=True, slots=True, eq=False)
class KnownSource:
    """A star of a catalogue: place (arcsec), spectrum and error on the common grid (0: nothing known)."""

    x: float
    y: float
    flux: Array
    error: Array


def threshold_of(false: float, area: float, span: float, place: float, width: float) -> float:
    """Significance that noise exceeds `false` times.

    Parameters
    ----------
    false : float
    area, span : float, arcsec2 and Angstrom
        Searched.
    place, width : float, arcsec and Angstrom
        Gaussian sigma of the filter.
    """
    cells = GAINED * area * span / (2**1.5 * place**2 * width) / (2 * np.pi) ** 2
    level = np.arange(3.0, 12.0, 0.01)
    expected = cells * (level**2 - 1) * np.exp(-(level**2) / 2)
    return float(level[int(np.argmax(expected < false))])


def detect(
    field: FieldFibers, seeing: PointSpread, grid: Array, known: tuple[KnownSource, ...] = (),
    params: DetectParams | None = None, ctx: JobContext = SILENT,
) -> FieldDetections:  # fmt: skip
    """Find lines and continua.

    Parameters
    ----------
    field : FieldFibers
    seeing : PointSpread
    grid : ndarray, shape (nwave,), Angstrom
        Common grid: of the wavelengths tried and of the spectra that are given.
    known : tuple of KnownSource
        Taken off first; not among the detections.
    params : DetectParams, optional
    ctx : JobContext
    """
    params = params or DetectParams()
    search = Search(field, seeing, np.asarray(grid, np.float64), params)
    search.prepare(known)
    fits = without_remains(search.lines(ctx), known, search.bright)
    return search.described(fits, known)


def without_remains(
    fits: list[LineFit], known: tuple[KnownSource, ...], bright: Sequence[TakenSource] = ()
) -> list[LineFit]:
    """Lines without those that stars have left: many about one star, whose own lines were taken off with it.

    Where stars are too close to be told apart, what one is given too little of is left at all wavelengths. A very
    bright one leaves some of its wings, too, where its light is most of the noise; so does one of `bright`, which no
    catalog has or whose middle is saturated: lines right on it are its own.
    """
    left: set[int] = set()
    stars: list[tuple[KnownSource | TakenSource, float]] = [(one, 0.0) for one in known if (one.error > 0).any()]
    stars += [(source, STAR) for source in bright]
    for one, own in stars:
        apart = [float(np.hypot(fit.theta[0] - one.x, fit.theta[1] - one.y)) for fit in fits]
        reach = [WINGS if fit.doubts & Doubt.NEAR_STAR else STAR for fit in fits]
        near = [n for n, (away, far) in enumerate(zip(apart, reach, strict=True)) if own <= away < far]
        left |= set(near) if len(near) >= MANY else set()
    return [fit for n, fit in enumerate(fits) if n not in left]


class Search:
    """One search: the light of the field, and what was taken off it."""

    def __init__(self, field: FieldFibers, seeing: PointSpread, grid: Array, params: DetectParams) -> None:
        self.field, self.grid, self.params = field, grid, params
        self.table = spread_table(field, seeing, grid)
        self.lattice = lattice_over(field, seeing, grid)
        self.light = FieldLight(field, self.table)
        self.sigma = tuple(width * field.lsf for width in WIDTHS)
        place = float(np.hypot(np.mean(seeing.fwhm), 0.68 * field.size) / 2.3548)
        self.limit = threshold_of(params.false, self.lattice.area, float(np.ptp(grid)), place, self.sigma[0])
        self.bright: list[TakenSource] = []
        self.base = self.light
        self.hits: list[LineFit] = []
        self.along = np.ones(grid.size)

    def copy(self) -> Search:
        """Another one, with light of its own."""
        out = copy(self)
        out.light = self.light.copy()
        return out

    def prepare(self, known: tuple[KnownSource, ...]) -> None:
        """Take off stars, and measure the noise."""
        stars = [TakenSource(one.x, one.y, np.inf, one.flux, one.error) for one in known]
        for one in known:
            take_off(self.light, one.x, one.y, self.grid, one.flux, one.error)
        self.bright = find_continua(self.light, self.lattice, FIRST, before=stars, even=True)
        flat = self.light.copy()
        _flatten(flat)
        self.along = flat.true_noise(self.grid, self.sigma[0])
        self.light.ivar, self.light.group_scale = flat.ivar, flat.group_scale
        self.base = self.light.copy()

    def lines(self, ctx: JobContext = SILENT) -> list[LineFit]:
        """Find and take off lines until none is left above the threshold; then measure each again."""
        light, lattice = self.light, self.lattice
        _flatten(light)
        sums = [light.sums(self.grid, sigma) for sigma in self.sigma]
        maps = [significance(light, one, lattice) for one in sums]
        best = np.maximum(maps[0], maps[1])
        found: list[LineFit] = []
        while len(found) < self.params.most:
            ctx.checkpoint(0.9 * len(found) / (len(found) + 10), "lines")
            place, column = np.unravel_index(int(np.argmax(best)), best.shape)
            if best[place, column] < self.limit - BELOW:
                break
            wide = int(maps[1][place, column] > maps[0][place, column])
            start = np.array([lattice.x[place], lattice.y[place], self.grid[column], np.log(self.sigma[wide])])
            fit = climb(light, start)
            if fit.snr < self.limit or self._part_of(fit, found):
                self._close(best, fit, start)
                continue
            put(light, fit, -fit.flux, FLOOR)
            found.append(fit)
            self._again(fit, sums, maps, best)
        return self._measured(found)

    def _part_of(self, fit: LineFit, found: list[LineFit]) -> bool:
        """Whether it is what the profile left of a brighter line."""
        return any(
            np.hypot(*(fit.theta[:2] - one.theta[:2])) < BLEND and fit.flux < FAINT * one.flux
            and abs(fit.theta[2] - one.theta[2]) < SAME_WAVE * 2.3548 * max(one.sigma, fit.sigma)
            for one in found
        )  # fmt: skip

    def _close(self, best: Array, fit: LineFit, start: Array) -> None:
        """Look no more around a peak."""
        for theta in (fit.theta, start):
            near = np.hypot(self.lattice.x - theta[0], self.lattice.y - theta[1]) < CLOSED_PLACE
            columns = np.abs(self.grid - theta[2]) < CLOSED_WAVE * fit.sigma
            best[np.ix_(near, columns)] = 0.0

    def _again(self, fit: LineFit, sums: list[tuple[Array, Array]], maps: list[Array], best: Array) -> None:
        """Bring the maps around a line that was taken off up to date."""
        light, lattice = self.light, self.lattice
        away = 8 * max(fit.sigma, self.sigma[1])
        low, high = (int(v) for v in np.searchsorted(self.grid, (fit.theta[2] - away, fit.theta[2] + away)))
        for sigma, one in zip(self.sigma, sums, strict=True):
            for k in fit.near:
                filter_lines(light.flux, light.ivar, light.wave, self.grid, sigma, k, k + 1, low, high, *one)
        reach = 2 * self.table.reach
        place = np.flatnonzero(np.hypot(lattice.x - fit.theta[0], lattice.y - fit.theta[1]) < reach)
        kept = best[place, low:high] == 0.0
        for one, snr in zip(sums, maps, strict=True):
            combine_at(light, one, lattice, place, low, high, snr, NOTHING)
        again = np.maximum(maps[0][place, low:high], maps[1][place, low:high])
        best[place, low:high] = np.where(kept, 0.0, again)

    def _measured(self, found: list[LineFit]) -> list[LineFit]:
        """Each line measured on what is left without the others, about a level that no line disturbs."""
        _flatten(self.light)
        out: list[LineFit] = []
        self.hits = []
        for fit in found:
            put(self.light, fit, fit.flux)
            again = climb(self.light, fit.theta, float(np.log(self.sigma[0])) if fit.snr < 10 else None)
            again = doubt(self.light, again, self.grid, self.along)
            put(self.light, fit, -fit.flux)
            if again.snr >= self.limit - 0.1:
                (self.hits if is_hit(again) else out).append(again)
        return sorted(out, key=lambda one: -one.snr)

    def described(self, fits: list[LineFit], known: tuple[KnownSource, ...]) -> FieldDetections:
        """Detections with their spectra and doubts; then the continua that lines have left."""
        stars = [TakenSource(one.x, one.y, np.inf, one.flux, one.error) for one in known]
        for fit in self.hits:
            blot(self.base, fit)
        out = []
        for fit in fits:
            put(self.light, fit, fit.flux)
            out.append(describe(self.light, self.base, fit, self.grid))
            put(self.light, fit, -fit.flux)
            put(self.base, fit, -fit.flux, FLOOR)
        faint = find_continua(
            self.base, self.lattice, self.params.continuum, before=(*stars, *self.bright), most=self.params.most
        )
        for source in (*self.bright, *faint):
            if all(np.hypot(source.x - one.x, source.y - one.y) > STAR for one in known):
                out.append(_continuum(source, self.grid))
        notes = []
        if self.hits:
            notes.append(f"{len(self.hits)} peaks of a single exposure or fiber are taken for cosmic rays")
        if len(fits) + len(self.hits) >= self.params.most:
            notes.append(f"the search ends at {self.params.most} lines; there may be more")
        return FieldDetections(tuple(out), self.significant, self.light.group_scale, tuple(notes))

    @property
    def significant(self) -> float:
        """Threshold of what is given as significance."""
        return LineFit(np.zeros(4), 0.0, self.limit, np.zeros(0, np.intp)).significance


def _flatten(light: FieldLight) -> None:
    """Take a smooth level off each fiber."""
    level = np.zeros_like(light.flux)
    running_level(light.flux, light.ivar, LEVEL, CLIP, level)
    light.flux -= level


def _continuum(source: TakenSource, grid: Array) -> Detection:
    """A source without a line."""
    known = source.error > 0
    nan = float("nan")
    mean = float(np.mean(source.flux[known])) if known.any() else nan
    return Detection(
        kind=CONTINUUM, x=source.x, y=source.y, wave=nan, flux=mean, sn=source.snr, chi2=nan, fwhm=nan,
        spectrum=source.flux.astype(np.float32), error=source.error.astype(np.float32),
        model=np.full(grid.size, mean, np.float32), flux_error=abs(mean) / max(source.snr, 1e-9),
    )  # fmt: skip
