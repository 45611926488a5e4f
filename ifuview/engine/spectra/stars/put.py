"""A source put into spectra or into a cube: its light, as each fiber would catch it, without noise of its own.

A cube is restored as CLEAN does with its components (Hogbom 1974): known sources are taken off the fibers, what is left
is resampled, and they are put back as the seeing has them, without the width of a fiber. Where fibers leave gaps or are
lost, a source keeps its flux so, also in spaxels whose fibers are all lost, which stay masked; what fibers saw that is
no such source stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.field.lenslet import KeptShares, Lenslets, source_share
from ifuview.engine.spectra.field.mosaic import dithered_cube
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.source import CubeGrid, SkyCube, SourceFit
from ifuview.model.reduction.spectra import FiberSpectra

WINGS = 15.0  # arcsec, how far the light of a source reaches


def put_source(spectra: FiberSpectra, lenslets: Lenslets, source: SourceFit, wave: Array, flux: Array) -> FiberSpectra:
    """Return the spectra with a source added.

    Parameters
    ----------
    spectra : FiberSpectra
        On one grid.
    lenslets : Lenslets
        Dithers included.
    source : SourceFit
        Where it lies, how wide it is, how it is refracted.
    wave, flux : ndarray, shape (n,), Angstrom and the unit of the spectra
        All its light; none outside.
    """
    light = np.interp(spectra.wave, wave, flux, left=0.0, right=0.0)
    share = source_share(source, lenslets, np.asarray(spectra.wave))
    return replace(spectra, flux=spectra.flux + (share * light).astype(np.float32))


def add_light(flux: Array, shares: KeptShares, source: SourceFit, light: Array) -> None:
    """Add the light of a source (nwave,) to fibers, `flux` (nfiber, nwave) is changed; take it off where negative."""
    near = np.hypot(shares.lenslets.x - source.x, shares.lenslets.y - source.y) < WINGS
    flux[near] += shares.of(source, near) * light


def restored_cube(
    spectra: FiberSpectra, lenslets: Lenslets, dar: Array, grid: CubeGrid,
    sources: Sequence[tuple[SourceFit, Array]], *, ctx: JobContext = SILENT,
) -> SkyCube:  # fmt: skip
    """Resample the fibers of all exposures to a cube in which sources keep their light.

    Parameters
    ----------
    spectra, lenslets, dar, grid
        As in `dithered_cube`.
    sources : sequence of (SourceFit, ndarray)
        With all their light at the wavelengths of the spectra.
    """
    wave = np.asarray(spectra.wave)
    left = np.array(spectra.flux)
    shares = KeptShares(lenslets, wave)
    for source, light in sources:
        add_light(left, shares, source, -light)
    cube = dithered_cube(replace(spectra, flux=left), lenslets, dar, grid, ctx=ctx)
    x, y = (v.ravel() for v in np.meshgrid(grid.x, grid.y))
    spaxels, back = KeptShares(Lenslets(x, y, grid.step), wave), np.zeros(cube.data.shape, np.float32)
    for source, light in sources:
        still = replace(source, dar=source.dar * np.array([[1.0], [0], [0]]))
        add_light(back.reshape(wave.size, -1).T, spaxels, still, light)
    return replace(cube, data=np.where(cube.mask & int(ReductionBit.EDGE) == 0, cube.data + back, 0))
