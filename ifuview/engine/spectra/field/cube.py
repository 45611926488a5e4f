"""A cube on a regular grid of the sky: the light of each lenslet shared among the spaxels that its face covers.

Every spaxel gets the mean brightness of what covers it times the area that lenslets cover of it, so that the sum over
spaxels is the sum over fibers (the flux) whatever the step, and a masked fiber is filled by its neighbors' overlap
only. Faces are taken as squares: the cells that tile the field. Fibers are moved back by refraction, wavelength by
wavelength. Neighboring spaxels share fibers: their errors are correlated, which `variance` does not tell.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.cores import blocks, spread
from ifuview.engine.numeric.medians import median_along
from ifuview.engine.spectra.field.lenslet import Face, Lenslets, displacement
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import UNUSABLE, ReductionBit
from ifuview.model.reduction.source import CubeGrid, SkyCube
from ifuview.model.reduction.spectra import FiberSpectra

STEP, EDGE = 0.4, 0.4  # arcsec: of a spaxel, and around the outermost fibers
FWHM = 2.3548  # over sigma
SMOOTH = 1.2  # arcsec
REACH = 2.0  # sigma of a kernel
FILLED = 0.5  # of a spaxel's covered area that has to be usable: as much is filled as is left out


def field_grid(lenslets: Lenslets, step: float = STEP, edge: float = EDGE) -> CubeGrid:
    """Spaxels over the field: the first center `edge` outside of the first fiber, the last at most `edge` outside."""
    x, y = (
        v.min() - edge + step * np.arange(int((np.ptp(v) + 2 * edge) / step + 1e-6) + 1)
        for v in (lenslets.x, lenslets.y)
    )
    return CubeGrid(x, y, step)


def make_cube(
    spectra: FiberSpectra, lenslets: Lenslets, dar: Array, grid: CubeGrid | None = None, *,
    reference: float | None = None, smooth: float = SMOOTH, ctx: JobContext = SILENT,
) -> SkyCube:  # fmt: skip
    """Resample spectra on one grid of wavelengths to a cube.

    Parameters
    ----------
    spectra : FiberSpectra
    lenslets : Lenslets
    dar : ndarray, shape (3, n)
        Refraction that is taken out.
    grid : CubeGrid, optional
        Default: `field_grid`.
    reference : float, Angstrom, optional
        Wavelength at which nothing moves. Default: the middle one.
    smooth : float, arcsec
        FWHM of a Gaussian that the cube is convolved with, which quiets spaxels smaller than a lenslet; 0: none.
    """
    grid = grid or field_grid(lenslets)
    wave = np.asarray(spectra.wave)
    dx, dy = displacement(dar, wave)
    zx, zy = displacement(dar, np.array([wave[wave.size // 2] if reference is None else reference]))
    shape = (wave.size, grid.y.size, grid.x.size)
    data, variance, mask = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.uint32)
    side = lenslets.size if lenslets.face is Face.SQUARE else lenslets.area**0.5
    usable = spectra.usable() & (spectra.variance >= 0)
    light, square, known = (np.ascontiguousarray(a.T) for a in (spectra.flux, spectra.variance, usable))
    x, y = np.asarray(lenslets.x, np.float64), np.asarray(lenslets.y, np.float64)
    face = x, y, dx - zx, dy - zy, side, float(grid.x[0]), float(grid.y[0]), grid.step, FILLED
    bits = int(ReductionBit.EDGE), int(ReductionBit.NO_DATA)

    def some(part: tuple[int, int]) -> None:
        _drizzle(light, square, known, *face, *bits, *part, data, variance, mask)

    spread(some, blocks(wave.size), ctx=ctx, text="cube")
    if smooth > 0:
        data, variance = _smoothed(data, variance, mask == 0, smooth / grid.step)
    return SkyCube(data, variance, mask, wave, grid, spectra.unit, spectra.medium)


def _smoothed(
    data: Array, variance: Array, known: Array, fwhm: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Convolved with a Gaussian of `fwhm` spaxels within what is known: the light of its edge stays inside."""
    sigma = fwhm / FWHM
    offset = np.arange(-int(np.ceil(REACH * sigma)), int(np.ceil(REACH * sigma)) + 1)
    kernel = np.exp(-0.5 * (offset / sigma) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)

    def blur(values: Array, weights: Array) -> NDArray[np.float32]:
        along = correlate1d(values, weights, axis=1, mode="constant")
        return correlate1d(along, weights, axis=2, mode="constant")

    share = np.where(known, blur(known.astype(np.float32), kernel), 1.0)  # of a spaxel's light that stays inside
    out = np.where(known, blur(np.where(known, data / share, 0), kernel), 0)
    spread_out = np.where(known, blur(np.where(known, variance / share**2, 0), kernel**2), 0)
    return out.astype(np.float32), spread_out.astype(np.float32)


def usable_spaxels(cube: SkyCube) -> Array:
    """Spaxels that no bit of UNUSABLE takes out, bool of the cube's shape."""
    return (cube.mask & int(UNUSABLE)) == 0


def collapse(cube: SkyCube, low: float, high: float) -> NDArray[np.float32]:
    """Median over a range of wavelengths of what is usable, (ny, nx); NaN where nothing is."""
    inside = (cube.wave >= low) & (cube.wave <= high)
    values = np.where(usable_spaxels(cube)[inside], cube.data[inside], np.nan)
    return median_along(np.moveaxis(values, 0, -1)).astype(np.float32)


@njit(cache=True, nogil=True)
def _drizzle(
    flux: Array, variance: Array, usable: Array, x: Array, y: Array, dx: Array, dy: Array, side: float, x0: float,
    y0: float, step: float, filled: float, edge: int, empty: int, first: int, last: int, out: Array, spread: Array,
    mask: Array,
) -> None:  # fmt: skip
    """One wavelength after the other: overlap of each face with the spaxels."""
    _, ny, nx = out.shape
    face = side * side
    area, known, total, square = np.empty((ny, nx)), np.empty((ny, nx)), np.empty((ny, nx)), np.empty((ny, nx))
    for w in range(first, last):
        area[:] = 0
        known[:] = 0
        total[:] = 0
        square[:] = 0
        for k in range(x.size):
            left, low = (x[k] - dx[w] - side / 2 - x0) / step + 0.5, (y[k] - dy[w] - side / 2 - y0) / step + 0.5
            right, high = left + side / step, low + side / step
            for j in range(max(int(np.floor(low)), 0), min(int(np.floor(high)) + 1, ny)):
                tall = min(high, j + 1.0) - max(low, float(j))
                if tall <= 0:
                    continue
                for i in range(max(int(np.floor(left)), 0), min(int(np.floor(right)) + 1, nx)):
                    wide = min(right, i + 1.0) - max(left, float(i))
                    if wide <= 0:
                        continue
                    a = wide * tall * step * step / face
                    area[j, i] += a
                    if usable[w, k]:
                        known[j, i] += a
                        total[j, i] += a * flux[w, k]
                        square[j, i] += a * a * variance[w, k]
        for j in range(ny):
            for i in range(nx):
                if area[j, i] <= 0:
                    mask[w, j, i] = edge
                elif known[j, i] < filled * area[j, i]:
                    mask[w, j, i] = empty
                else:
                    f = area[j, i] / known[j, i]
                    out[w, j, i] = f * total[j, i]
                    spread[w, j, i] = f * f * square[j, i]
