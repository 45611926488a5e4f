"""The light of a field as matched filters see it: flux and inverse variance in the fibers' own pixels, point spread.

The noise of neighboring samples on a common grid is correlated; in the fibers' own pixels it is not, so all sums are
made there. What the errors do not say is measured: the scatter of all fibers of one read-out, and of all fibers at one
wavelength, over that expected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ifuview.engine.cores import blocks, spread
from ifuview.engine.numeric.medians import MAD_TO_SIGMA, median_along, robust_sigma
from ifuview.engine.spectra.detect.kernels import combine, filter_lines, source_shares
from ifuview.engine.spectra.field.lenslet import SEEING_POWER, Face, Lenslets, displacement, moffat_share
from ifuview.model.checks import Array
from ifuview.model.reduction.detection import FieldFibers, PointSpread

NODES = 12  # along the spectrum, between which the share of a fiber is a straight line
TABLE_STEP, TABLE_REACH = 0.02, 4.5  # arcsec; FWHM
CORE = 1.45  # FWHM, and half a fiber: fibers that tell a faint source
LATTICE = 0.32  # of the FWHM
LEAST_SCALE = 0.8  # of the scatter over the errors
QUIET = 7  # samples, of the median of the scatter along wavelength
LEAST_GROUP = 15  # fibers that tell a scatter
WHOLE = slice(None)
NOTHING = np.zeros((0, 0), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class SpreadTable:
    """Share of a point source's light in a fiber by distance, at nodes along the spectrum.

    Parameters
    ----------
    wave : ndarray, shape (nnode,), Angstrom
    dx, dy : ndarray, shape (nnode,), arcsec
        Refraction.
    table : ndarray, shape (nexposure, nnode, nradius)
    core : int
        Radii that tell a faint source.
    """

    wave: Array
    dx: Array
    dy: Array
    table: Array
    core: int

    @property
    def reach(self) -> float:
        """Distance (arcsec) beyond which no fiber tells a faint source."""
        return TABLE_STEP * (self.core - 1)

    def near(self, field: FieldFibers, x: float, y: float) -> NDArray[np.intp]:
        """Fibers that may tell a faint source at a place or a little beside."""
        far = self.reach + float(np.hypot(self.dx, self.dy).max()) + 1.0
        return np.flatnonzero(np.hypot(field.x - x, field.y - y) < far)

    def share(
        self, field: FieldFibers, x: float, y: float, wave: float, own: Array | slice = WHOLE
    ) -> NDArray[np.float64]:
        """Of a source in each fiber, or in its `own` ones, at one wavelength."""
        return self._at(field, x, y, np.array([wave]), own)[:, 0]

    def shares(self, field: FieldFibers, x: float, y: float, own: Array | slice = WHOLE) -> NDArray[np.float64]:
        """Of a source in each fiber at the nodes, shape (nfiber, nnode)."""
        return self._at(field, x, y, self.wave, own)

    def _at(self, field: FieldFibers, x: float, y: float, wave: Array, own: Array | slice) -> NDArray[np.float64]:
        number = field.exposure[own]
        out = np.empty((number.size, wave.size))
        at = field.x[own] - x, field.y[own] - y
        source_shares(self.table, self.wave, self.dx, self.dy, TABLE_STEP, *at, number, wave, out)
        return out


def spread_table(field: FieldFibers, seeing: PointSpread, grid: Array, nodes: int = NODES) -> SpreadTable:
    """Tabulate the share for the seeing of each exposure."""
    wave = np.linspace(grid[0], grid[-1], nodes)
    dx, dy = displacement(seeing.dar, wave)
    widest = max(seeing.fwhm) * max((wave[0] / seeing.wave) ** SEEING_POWER, 1.0)
    radius = np.arange(0.0, TABLE_REACH * widest + field.size / 2, TABLE_STEP)
    fiber = Lenslets(radius, np.zeros_like(radius), field.size, Face.CIRCLE)
    zero = np.zeros(nodes)
    table = [
        moffat_share(fiber, zero, zero, fwhm * (wave / seeing.wave) ** SEEING_POWER, seeing.beta)
        for fwhm in seeing.fwhm
    ]
    return SpreadTable(wave, dx, dy, np.stack(table), int((CORE * widest + field.size / 2) / TABLE_STEP) + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Places that are tried, and the grid of wavelengths with its nodes; `edge` are columns of the nodes."""

    x: Array
    y: Array
    grid: Array
    edge: Array

    @property
    def area(self) -> float:
        """Of the places, arcsec2."""
        return float(self.x.size * (self.x[1] - self.x[0]) ** 2)


def lattice_over(field: FieldFibers, seeing: PointSpread, grid: Array, nodes: int = NODES) -> Lattice:
    """Places over the field, to half a fiber around it."""
    step, edge = LATTICE * min(seeing.fwhm), field.size / 2
    x = np.arange(field.x.min() - edge, field.x.max() + edge + step, step)
    y = np.arange(field.y.min() - edge, field.y.max() + edge + step, step)
    px, py = (v.ravel() for v in np.meshgrid(x, y))
    edges = np.round(np.linspace(0, grid.size, nodes)).astype(np.intp)
    return Lattice(px, py, grid, edges)


class FieldLight:
    """Flux and inverse variance of all fibers, which sources are taken off from, and sums of line filters.

    `taken` are places of sources whose whole spectrum was taken off.

    Parameters
    ----------
    field : FieldFibers
    table : SpreadTable
    """

    def __init__(self, field: FieldFibers, table: SpreadTable) -> None:
        spectra = field.spectra
        good = spectra.usable() & (spectra.variance > 0) & np.isfinite(spectra.flux)
        self.field, self.table = field, table
        self.flux = np.where(good, spectra.flux, 0.0).astype(np.float64)
        self.ivar = np.where(good, 1.0 / np.where(good, spectra.variance, 1.0), 0.0).astype(np.float64)
        self.wave = np.ascontiguousarray(np.broadcast_to(spectra.wave, self.flux.shape), np.float64)
        self.group_scale = np.ones(int(np.max(field.group)) + 1)
        self.weight = np.median(self.ivar, axis=1)  # of each fiber, before anything is taken off
        self.taken: tuple[tuple[float, float], ...] = ()

    def copy(self) -> FieldLight:
        """Another one that sources can be put into or taken off from."""
        out = object.__new__(FieldLight)
        out.field, out.table, out.wave = self.field, self.table, self.wave
        out.weight, out.taken = self.weight, self.taken
        out.flux, out.ivar, out.group_scale = self.flux.copy(), self.ivar.copy(), self.group_scale.copy()
        return out

    def share(self, x: float, y: float, wave: float, own: Array | slice = WHOLE) -> NDArray[np.float64]:
        """Of a source in each fiber, or in its `own` ones, without what sources beside were given of its light.

        The spectrum of a star, extracted by least squares with its profile, holds part of a line beside: as much as
        the least squares of that line's profile with the star's give.
        """
        out = self.table.share(self.field, x, y, wave, own)
        reach = self.table.reach
        near = [star for star in self.taken if np.hypot(star[0] - x, star[1] - y) < 2 * reach]
        if not near:
            return out
        apart = np.stack([np.hypot(self.field.x - a, self.field.y - b) for a, b in near])
        fibers = np.flatnonzero((apart.min(axis=0) < reach) & (self.weight > 0))
        root = np.sqrt(self.weight[fibers])
        stars = np.stack([self.table.share(self.field, a, b, wave, fibers) for a, b in near], axis=1)
        line = self.table.share(self.field, x, y, wave, fibers)
        given = np.linalg.lstsq(root[:, None] * stars, root * line, rcond=None)[0]
        return out - sum(
            by * self.table.share(self.field, a, b, wave, own) for by, (a, b) in zip(given, near, strict=True)
        )

    def sums(self, grid: Array, sigma: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Sums of a line of this width in each fiber at each wavelength, (nfiber, ngrid) twice."""
        shape = (self.flux.shape[0], grid.size)
        top, bottom = np.empty(shape, np.float32), np.empty(shape, np.float32)

        def some(part: tuple[int, int]) -> None:
            filter_lines(self.flux, self.ivar, self.wave, grid, sigma, *part, 0, grid.size, top, bottom)

        spread(some, blocks(shape[0]))
        return top, bottom

    def true_noise(self, grid: Array, sigma: float) -> NDArray[np.float64]:
        """Bring the inverse variance to the scatter that lines of this width have; the factors along `grid`."""
        top, bottom = self.sums(grid, sigma)
        pull = np.where(bottom > 0, top / np.sqrt(np.where(bottom > 0, bottom, 1.0)), np.nan)
        for group in np.unique(self.field.group):
            own = self.field.group == group
            scale = robust_sigma(pull[own], 0.0) if np.isfinite(pull[own]).any() else 1.0
            scale = max(scale, LEAST_SCALE) if own.sum() >= LEAST_GROUP else max(scale, 1.0)
            self.group_scale[group] = scale
            pull[own] /= scale
            self.ivar[own] /= scale**2
        along = MAD_TO_SIGMA * median_along(np.abs(pull.T))
        along = np.maximum(median_filter(np.where(np.isfinite(along), along, 1.0), QUIET, mode="nearest"), 1.0)
        self.ivar /= np.interp(self.wave, grid, along) ** 2
        return along


def significance(light: FieldLight, sums: tuple[Array, Array], lattice: Lattice) -> NDArray[np.float32]:
    """Significance at each place and wavelength, (nplace, ngrid)."""
    snr = np.zeros((lattice.x.size, lattice.grid.size), np.float32)

    def some(part: tuple[int, int]) -> None:
        combine_at(light, sums, lattice, np.arange(*part), 0, snr.shape[1], snr, NOTHING)

    spread(some, blocks(snr.shape[0], 16))
    return snr


def combine_at(
    light: FieldLight, sums: tuple[Array, Array], lattice: Lattice, place: Array, low: int, high: int, snr: Array,
    weight: Array,
) -> None:  # fmt: skip
    """Fill significance and, unless it is NOTHING, inverse variance of some places in columns low:high."""
    field, table = light.field, light.table
    order = np.argsort(field.y, kind="stable")
    combine(
        *sums, order, field.x[order], field.y[order], field.exposure[order], lattice.edge, table.dx, table.dy,
        np.ascontiguousarray(table.table[:, :, : table.core], np.float32), TABLE_STEP, lattice.x,
        lattice.y, place, low, high, snr, weight,
    )  # fmt: skip
