"""Spectra of regions of a cube: sum, mean or median of their spaxels, with errors.

Errors are those of independent spaxels; neighbors in a resampled cube are correlated, which no cube tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.cubes import kernels
from ifuview.engine.spectra.cubes.kernels import COUNT, FLUX, VARIANCE
from ifuview.engine.spectra.cubes.medians import COLUMNS, medians
from ifuview.engine.spectra.cubes.parts import Box, CubeParts, spread
from ifuview.model.checks import Array

ENOUGH = 0.5  # of the spaxels that must be known at a wavelength
WORTH = 0.7  # of the spaxels; where more than that come and go, all are summed anew


@dataclass(frozen=True, slots=True, eq=False)
class SpaxelSums:
    """What is summed at each wavelength.

    Parameters
    ----------
    inside : ndarray of bool, shape (ny, nx)
    sums : ndarray, shape (nwave, 3)
        Of the flux, of the variances, number of known spaxels (`kernels.FLUX`, `VARIANCE`, `COUNT`).
    errors : bool
        Whether there are variances.
    """

    inside: Array
    sums: Array
    errors: bool


@dataclass(frozen=True, slots=True, eq=False)
class RegionSpectrum:
    """A spectrum of many spaxels or fibers.

    Parameters
    ----------
    flux : ndarray, shape (nwave,)
    error : ndarray or None
        1 sigma; None where no variances are known.
    count : ndarray, shape (nwave,)
        How many were known.
    masked : ndarray of bool, shape (nwave,)
        Fewer than half were.
    total : int
        How many there are.
    """

    flux: Array
    error: Array | None
    count: Array
    masked: Array
    total: int


def spaxel_sums(
    parts: CubeParts, inside: Array, before: SpaxelSums | None = None, ctx: JobContext = SILENT
) -> SpaxelSums:
    """Sum spaxels at every wavelength.

    Parameters
    ----------
    parts : CubeParts
    inside : ndarray of bool, shape (ny, nx)
    before : SpaxelSums, optional
        Of the same cube: only the spaxels that have come or gone since are read. Its rounding (2e-16 of the largest
        sum a step) stays in the result, so that the last of many steps is to be done without it.
    """
    depth = parts.shape[0]
    sums, runs = np.zeros((depth, 3)), runs_of(inside)
    if before is not None and before.sums.shape == sums.shape:
        come, gone = inside & ~before.inside, before.inside & ~inside
        if np.count_nonzero(come) + np.count_nonzero(gone) < WORTH * np.count_nonzero(inside):
            sums, runs = before.sums.copy(), np.concatenate([runs_of(come), runs_of(gone, -1)])
    _over_runs(parts, runs, sums, kernels.add_runs, ctx)
    return SpaxelSums(inside, sums, parts.error is not None)


def spectrum_of(sums: SpaxelSums, how: str) -> RegionSpectrum:
    """The sum or the mean; a spaxel that is not known counts as the mean of the others in a sum."""
    total, count = int(np.count_nonzero(sums.inside)), sums.sums[:, COUNT]
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (1.0 if how == "mean" else total) / count
        flux = sums.sums[:, FLUX] * factor
        error = np.sqrt(np.maximum(sums.sums[:, VARIANCE], 0.0)) * factor if sums.errors else None
    return _spectrum(flux, error, count, total)


def spaxel_medians(
    parts: CubeParts, inside: Array, before: SpaxelSums | None = None, ctx: JobContext = SILENT
) -> SpaxelSums:
    """Medians of spaxels at every wavelength; near those of `before` they are found several times as fast.

    `sums` has the columns of `medians`.
    """
    near = before is not None and before.sums.shape == (parts.shape[0], COLUMNS)
    sums = before.sums.copy() if before is not None and near else np.full((parts.shape[0], COLUMNS), np.nan)
    _over_runs(parts, runs_of(inside), sums, medians, ctx)
    return SpaxelSums(inside, sums, parts.error is not None)


def median_of(found: SpaxelSums) -> RegionSpectrum:
    """The median, with the error of a median of Gaussian values about one level."""
    error = np.sqrt(found.sums[:, VARIANCE]) if found.errors else None
    return _spectrum(found.sums[:, FLUX], error, found.sums[:, COUNT], int(np.count_nonzero(found.inside)))


def _spectrum(flux: Array, error: Array | None, count: Array, total: int) -> RegionSpectrum:
    known = count > 0
    flux = np.where(known, flux, np.nan)
    error = None if error is None else np.where(known, error, np.inf)
    return RegionSpectrum(flux, error, count, count < max(ENOUGH * total, 1), total)


def runs_of(inside: Array, sign: int = 1) -> Array:
    """Runs of neighboring spaxels, shape (n, 4): row, first column, column behind the last, sign."""
    edges = np.diff(np.pad(inside.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    y, x0 = np.nonzero(edges == 1)
    x1 = np.nonzero(edges == -1)[1]
    return np.stack([y, x0, x1, np.full_like(y, sign)], axis=1).astype(np.int64)


def _over_runs(parts: CubeParts, runs: Array, sums: Array, kernel: object, ctx: JobContext) -> None:
    """Let a kernel go over the runs of all planes."""
    if not len(runs):
        return
    box: Box = (int(runs[:, 0].min()), int(runs[:, 0].max()) + 1, int(runs[:, 1].min()), int(runs[:, 2].max()))
    if parts.copied:
        runs = runs - np.array([box[0], box[2], box[2], 0])

    def work(first: int, last: int) -> None:
        kernel(*parts.stored(first, last, box), runs, sums[first:last])  # type: ignore[operator]

    spread(work, parts.pieces(0, parts.shape[0]), ctx)
