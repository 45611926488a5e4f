"""A cube from round fibers in dithered exposures, whose faces leave gaps: brightness, interpolated.

Each spaxel gets the mean surface brightness of the fibers around it, weighted with a Gaussian of their distance and
held to one, times its own area: the sum over spaxels is the flux, whatever the step. The pattern of fibers samples a
point spread of usual seeing well enough that what falls into the gaps comes back to a percent. Masked fibers are
filled by their neighbors. Refraction is taken out wavelength by wavelength. Neighboring spaxels share fibers: their
errors are correlated, which `variance` does not tell.

Without dithers the weights are wider, so that no gap stays empty, and the flux of many sources is right, that of one
is not: on an even pattern any linear cube sums to a constant times the sum of the fibers, and what these catch of a
point source depends on its place between them. How much by, `point_scatter` tells.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.spatial import KDTree

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.cores import blocks, spread
from ifuview.engine.spectra.field.lenslet import Lenslets, displacement, moffat_share
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.source import CubeGrid, SkyCube
from ifuview.model.reduction.spectra import FiberSpectra

FWHM = 2.3548  # over sigma
SMOOTH = 1.5  # arcsec, FWHM of the weights: the distance of dithered fibers; at least
GAP, MOST = 1.8, 70.0  # FWHM over the distance of most places (percent) to the next fiber: a gap has half of the weight
PLACES, EVENLY = 250, (0.7548776662, 0.5698402910)  # of a point source in the middle of a field; steps (Roberts 2018)
REACH = 2.6  # sigma
EDGE = 0.25  # of the highest weight, below which a spaxel lies outside
FILLED = 0.25  # of a spaxel's weight that has to be usable


def weights_width(lenslets: Lenslets) -> float:
    """FWHM of the weights in arcsec, by how far apart fibers lie."""
    sides = (np.arange(v.min(), v.max(), lenslets.size / 3) for v in (lenslets.x, lenslets.y))
    place = np.stack([v.ravel() for v in np.meshgrid(*sides)], axis=1)
    if not place.size:
        return SMOOTH
    apart = KDTree(np.stack([lenslets.x, lenslets.y], axis=1)).query(place)[0]
    return max(SMOOTH, GAP * float(np.percentile(apart, MOST)))


def point_scatter(lenslets: Lenslets, fwhm: float, beta: float) -> float:
    """Relative scatter of a point source's flux in a cube, by its place between the fibers.

    Parameters
    ----------
    lenslets : Lenslets
        Dithers included.
    fwhm, beta : float, arcsec and 1
        Of a Moffat profile.
    """
    across, up = (np.arange(PLACES) * step % 1 - 0.5 for step in EVENLY)
    x, y = lenslets.x.mean() + np.ptp(lenslets.x) * across / 2, lenslets.y.mean() + np.ptp(lenslets.y) * up / 2
    caught = moffat_share(lenslets, x, y, np.full(PLACES, fwhm), beta).sum(axis=1)
    return float(caught.std() / caught.mean())


def dithered_cube(
    spectra: FiberSpectra, lenslets: Lenslets, dar: Array, grid: CubeGrid, *, smooth: float | None = None,
    ctx: JobContext = SILENT,
) -> SkyCube:  # fmt: skip
    """Resample the fibers of all exposures to a cube.

    Parameters
    ----------
    spectra : FiberSpectra
        On one grid of wavelengths.
    lenslets : Lenslets
        Dithers included.
    dar : ndarray, shape (3, n)
        Refraction that is taken out.
    grid : CubeGrid
    smooth : float, arcsec, optional
        FWHM of the weights. Default: `weights_width`.
    """
    wave = np.asarray(spectra.wave)
    dx, dy = displacement(dar, wave)
    shape = (wave.size, grid.y.size, grid.x.size)
    data, variance, mask = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.uint32)
    usable = spectra.usable() & (spectra.variance > 0)
    light, square, known = (np.ascontiguousarray(a.T) for a in (spectra.flux, spectra.variance, usable))
    x, y = np.asarray(lenslets.x, np.float64), np.asarray(lenslets.y, np.float64)
    scale = grid.step**2 / lenslets.area
    width = weights_width(lenslets) if smooth is None else smooth
    place = x, y, dx, dy, float(grid.x[0]), float(grid.y[0]), grid.step, width / FWHM, scale
    bits = int(ReductionBit.EDGE), int(ReductionBit.NO_DATA)

    def some(part: tuple[int, int]) -> None:
        _shepard(light, square, known, *place, EDGE, FILLED, *bits, *part, data, variance, mask)

    spread(some, blocks(wave.size), ctx=ctx, text="cube")
    return SkyCube(data, variance, mask, wave, grid, spectra.unit, spectra.medium)


@njit(cache=True, nogil=True)
def _shepard(
    flux: Array, variance: Array, usable: Array, x: Array, y: Array, dx: Array, dy: Array, x0: float, y0: float,
    step: float, sigma: float, scale: float, least: float, filled: float, edge: int, empty: int, first: int,
    last: int, out: Array, spread: Array, mask: Array,
) -> None:  # fmt: skip
    """One wavelength after the other."""
    _, ny, nx = out.shape
    reach = REACH * sigma / step
    width = 2 * int(np.ceil(reach)) + 2
    across, up = np.empty(width), np.empty(width)
    area, known, total, square = np.empty((ny, nx)), np.empty((ny, nx)), np.empty((ny, nx)), np.empty((ny, nx))
    for w in range(first, last):
        area[:] = 0
        known[:] = 0
        total[:] = 0
        square[:] = 0
        for k in range(x.size):
            px, py = (x[k] - dx[w] - x0) / step, (y[k] - dy[w] - y0) / step
            left, low = int(np.ceil(px - reach)), int(np.ceil(py - reach))
            right, high = int(np.floor(px + reach)), int(np.floor(py + reach))
            for i in range(left, right + 1):
                across[i - left] = np.exp(-0.5 * ((i - px) * step / sigma) ** 2)
            for j in range(low, high + 1):
                up[j - low] = np.exp(-0.5 * ((j - py) * step / sigma) ** 2)
            for j in range(max(low, 0), min(high + 1, ny)):
                for i in range(max(left, 0), min(right + 1, nx)):
                    a = across[i - left] * up[j - low]
                    area[j, i] += a
                    if usable[w, k]:
                        known[j, i] += a
                        total[j, i] += a * flux[w, k]
                        square[j, i] += a * a * variance[w, k]
        usual = area.max()
        for j in range(ny):
            for i in range(nx):
                if area[j, i] < least * usual:
                    mask[w, j, i] = edge
                elif known[j, i] < filled * area[j, i]:
                    mask[w, j, i] = empty
                else:
                    out[w, j, i] = scale * total[j, i] / known[j, i]
                    spread[w, j, i] = (scale / known[j, i]) ** 2 * square[j, i]
