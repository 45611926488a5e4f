"""A cube on a regular grid of the sky: the light of each lenslet shared among the spaxels that its face covers.

Every spaxel gets the mean brightness of what covers it times the area that lenslets cover of it, so that the sum over
spaxels is the sum over fibers (the flux) whatever the step, and a masked fiber is filled by its neighbors' overlap
only. Faces are taken as squares: the cells that tile the field. Fibers are moved back by refraction, wavelength by
wavelength. Several exposures are averaged with weights before the area is put to the mean brightness. The variance is
that of each spaxel; neighboring ones share fibers: their errors are correlated, which it does not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

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
PIECES = 3  # along each side of a face that is turned
UPRIGHT = 0.5  # deg: a smaller turn moves the corner of a face by less than a hundredth of a spaxel
EVEN = 1e-4  # that spaxels' gain differs by where it is the same
PLANES = 256  # of wavelength that are convolved at a time


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
    """Resample spectra on one grid of wavelengths to a cube; parameters as of `layered_cubes`."""
    return layered_cubes((spectra,), lenslets, dar, grid, reference=reference, smooth=smooth, ctx=ctx)[0]


def layered_cubes(
    layers: Sequence[FiberSpectra], lenslets: Lenslets, dar: Array, grid: CubeGrid | None = None, *,
    reference: float | None = None, smooth: float = SMOOTH, ctx: JobContext = SILENT,
) -> tuple[SkyCube, ...]:  # fmt: skip
    """Resample spectra on one grid of wavelengths to cubes, what faces cover being found once for all.

    Parameters
    ----------
    layers : sequence of FiberSpectra
        Of the same fibers and wavelengths, as with and without the sky; a sample counts where it is usable in all.
    lenslets : Lenslets
    dar : ndarray, shape (3, n)
        Refraction that is taken out.
    grid : CubeGrid, optional
        Default: `field_grid`.
    reference : float, Angstrom, optional
        Wavelength at which nothing moves. Default: the middle one.
    smooth : float, arcsec
        FWHM of a Gaussian that the cubes are convolved with, which quiets spaxels smaller than a lenslet; 0: none.
    """
    grid = grid or field_grid(lenslets)
    wave = np.asarray(layers[0].wave)
    dx, dy = displacement(dar, wave)
    zx, zy = displacement(dar, np.array([wave[wave.size // 2] if reference is None else reference]))
    side = lenslets.size if lenslets.face is Face.SQUARE else lenslets.area**0.5
    sums = CubeSums(wave.size, grid, smooth, len(layers))
    place = np.asarray(lenslets.x, np.float64), np.asarray(lenslets.y, np.float64)
    sums.add(layers, *place, dx - zx, dy - zy, side, np.ones(wave.size), ctx=ctx)
    light, variance, mask = sums.mean(ctx)
    return tuple(SkyCube(light[n], variance[n], mask, wave, grid, one.unit, one.medium) for n, one in enumerate(layers))


class CubeSums:
    """What faces cover of each spaxel, their light and its variance, summed over one exposure or several.

    Parameters
    ----------
    count : int
        Wavelengths.
    grid : CubeGrid
    smooth : float, arcsec
        FWHM of the Gaussian that the cube is convolved with; 0: none.
    layers : int
        Spectra of each fiber, as with and without the sky.
    """

    def __init__(self, count: int, grid: CubeGrid, smooth: float, layers: int = 1) -> None:
        shape = (count, grid.y.size, grid.x.size)
        self.area, self.whole, self.known = (np.zeros(shape, np.float32) for _ in range(3))
        self.total = np.zeros((layers, *shape), np.float32)
        self.grid, self.kernel = grid, _gaussian(smooth / grid.step)
        self.noise: list[tuple[slice, NDArray[np.float32], tuple[Any, ...]]] = []

    def add(
        self, layers: Sequence[FiberSpectra], x: Array, y: Array, dx: Array, dy: Array, side: float, weight: Array, *,
        turn: float = 0.0, first: int = 0, ctx: JobContext = SILENT,
    ) -> None:  # fmt: skip
        """Take the spectra of an exposure in.

        Parameters
        ----------
        layers : sequence of FiberSpectra
            On wavelengths of the cube, from that of number `first` on.
        x, y : ndarray, shape (nfiber,), arcsec
        dx, dy : ndarray, shape (nwave,), arcsec
            Refraction that is taken out.
        side : float, arcsec
            Of a face.
        weight : ndarray, shape (nwave,)
            Of this exposure in the mean.
        turn : float, deg
            Of the faces, which are then taken in pieces that stay upright.
        """
        usable = np.logical_and.reduce([one.usable() & (one.variance >= 0) for one in layers])
        light, known = np.stack([one.flux.T for one in layers]), np.ascontiguousarray(usable.T)
        across, up = _pieces(side, turn)
        place = x, y, dx, dy, across, up, side, float(self.grid.x[0]), float(self.grid.y[0]), self.grid.step
        where = *place, np.asarray(weight, np.float64)
        own = slice(first, first + weight.size)
        into = [*(v[own] for v in (self.area, self.whole, self.known)), self.total[:, own]]
        self.noise.append((own, np.stack([np.where(usable, one.variance, 0).T for one in layers]), where))
        spread(lambda part: _drizzle(light, known, *where, *part, *into), blocks(weight.size), ctx=ctx, text="cube")

    def mean(self, ctx: JobContext = SILENT) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint32]]:
        """Light and variance of the spaxels, (layers, nwave, ny, nx), and their mask; the sums are used up."""
        mask = np.zeros(self.area.shape, np.uint32)
        for start in range(0, mask.shape[0], PLANES):
            ctx.check()
            some = slice(start, start + PLANES)
            mask[some] = self._mean(some)
        del self.area, self.whole
        variance = np.zeros(self.total.shape, np.float32)
        for own, noise, where in self.noise:
            given: tuple[Any, ...] = noise, *where, self.kernel, self.known[own], variance[:, own]
            spread(partial(_spread_some, given), blocks(noise.shape[1]), ctx=ctx, text="errors of the cube")
        variance[:, mask != 0] = 0
        return self.total, variance, mask

    def _mean(self, some: slice) -> Array:
        """Put the mean over the area that is covered, convolved, into `total`, and into `known` what fibers' light is
        multiplied with before that is done. The light of the edge stays inside.
        """
        area, known = self.area[some], self.known[some]
        good = (known >= FILLED * self.whole[some]) & (known > 0)
        share = np.where(good, self._blur(good.astype(np.float32)), 1)  # of a spaxel's light that stays inside
        gain = np.where(good, area / np.where(good, known, 1) / share, 0)
        for total in self.total:
            total[some] = np.where(good, self._blur(gain * total[some]), 0)
        known[:] = gain
        return np.where(good, 0, np.where(area > 0, int(ReductionBit.NO_DATA), int(ReductionBit.EDGE)))

    def _blur(self, values: Array) -> Array:
        along = correlate1d(values, self.kernel, axis=1, mode="constant")
        return correlate1d(along, self.kernel, axis=2, mode="constant")


def _spread_some(given: tuple[Any, ...], part: tuple[int, int]) -> None:
    _spread(*(*given, *part))


def _pieces(side: float, turn: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centers of the pieces of a face that is turned about its own: a single one where it is upright."""
    count = 1 if abs((turn + 45) % 90 - 45) < UPRIGHT else PIECES
    along = side * ((np.arange(count) + 0.5) / count - 0.5)
    x, y = (v.ravel() for v in np.meshgrid(along, along))
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    return c * x - s * y, s * x + c * y


def _gaussian(fwhm: float) -> NDArray[np.float32]:
    """Weights that sum to one; `fwhm` in spaxels, 0: a single one."""
    sigma = fwhm / FWHM
    reach = int(np.ceil(REACH * sigma))
    if reach < 1:
        return np.ones(1, np.float32)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return (kernel / kernel.sum()).astype(np.float32)


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
    flux: Array, usable: Array, x: Array, y: Array, dx: Array, dy: Array, across: Array, up: Array, side: float,
    x0: float, y0: float, step: float, weight: Array, first: int, last: int, area: Array, whole: Array, known: Array,
    total: Array,
) -> None:  # fmt: skip
    """One wavelength after the other: overlap of each face, or of its pieces, with the spaxels."""
    _, ny, nx = area.shape
    piece = side / np.sqrt(across.size) / step
    scale = step * step / (side * side)  # of a whole spaxel
    own = np.empty((ny, nx))
    for w in range(first, last):
        if weight[w] <= 0:
            continue
        own[:] = 0
        for k in range(x.size):
            for p in range(across.size):
                left = (x[k] - dx[w] + across[p] - x0) / step + 0.5 - piece / 2
                low = (y[k] - dy[w] + up[p] - y0) / step + 0.5 - piece / 2
                right, high = left + piece, low + piece
                for j in range(max(int(np.floor(low)), 0), min(int(np.floor(high)) + 1, ny)):
                    b = min(high, j + 1.0) - max(low, float(j))
                    for i in range(max(int(np.floor(left)), 0), min(int(np.floor(right)) + 1, nx)):
                        a = b * (min(right, i + 1.0) - max(left, float(i))) * scale
                        own[j, i] += a
                        if usable[w, k]:
                            known[w, j, i] += weight[w] * a
                            for n in range(total.shape[0]):
                                total[n, w, j, i] += weight[w] * a * flux[n, w, k]
        for j in range(ny):
            for i in range(nx):
                covers = own[j, i]
                if across.size > 1:  # pieces of turned faces leave gaps and overlap: whole, or not at all
                    covers = scale if covers > scale / 2 else 0.0
                area[w, j, i] = max(area[w, j, i], covers)
                whole[w, j, i] += weight[w] * own[j, i]


@njit(cache=True, nogil=True)
def _spread(
    variance: Array, x: Array, y: Array, dx: Array, dy: Array, across: Array, up: Array, side: float, x0: float,
    y0: float, step: float, weight: Array, kernel: Array, gain: Array, out: Array, first: int, last: int,
) -> None:  # fmt: skip
    """Variance of the convolved cubes: what all of a fiber's light does to a spaxel is squared once."""
    count, _, ny, nx = out.shape
    noise = np.empty(count)
    n, piece, scale = kernel.size, side / np.sqrt(across.size) / step, step * step / (side * side)
    reach = n // 2
    most = int(np.ceil((1.5 if across.size > 1 else 1.0) * side / step)) + 1  # spaxels that a face covers
    width = most + n - 1
    face, rows, both = np.empty((most, most)), np.empty((most, width)), np.empty((width, width))
    wide, tall, square = np.empty(width), np.empty(width), np.empty(width, np.float32)
    for w in range(first, last):
        for k in range(x.size):
            for m in range(count):
                noise[m] = (weight[w] * scale) ** 2 * variance[m, w, k]
            if noise.max() <= 0:
                continue
            px, py = (x[k] - dx[w] - x0) / step + 0.5, (y[k] - dy[w] - y0) / step + 0.5
            left, low = across.min() / step - piece / 2, up.min() / step - piece / 2
            i0, j0 = int(np.floor(px + left)), int(np.floor(py + low))
            even = _even(gain[w], i0, j0, most, reach) if across.size == 1 else -1.0
            if even >= 0:  # as nearly everywhere: along x and y by themselves
                _part(px - piece / 2, piece, kernel, wide)
                _part(py - piece / 2, piece, kernel, tall)
                for i in range(wide.size):
                    square[i] = np.float32((even * wide[i]) ** 2)
                for m in range(count):
                    for j in range(tall.size):
                        b = np.float32(noise[m] * tall[j] ** 2)
                        line = out[m, w, j0 - reach + j, i0 - reach : i0 - reach + square.size]
                        for i in range(square.size):
                            line[i] += b * square[i]
                continue
            face[:] = 0
            for p in range(across.size):
                left, low = px + across[p] / step - piece / 2, py + up[p] / step - piece / 2
                for j in range(max(int(np.floor(low)), 0), min(int(np.floor(low + piece)) + 1, ny)):
                    b = min(low + piece, j + 1.0) - max(low, float(j))
                    for i in range(max(int(np.floor(left)), 0), min(int(np.floor(left + piece)) + 1, nx)):
                        a = min(left + piece, i + 1.0) - max(left, float(i))
                        face[j - j0, i - i0] += a * b * gain[w, j, i]
            rows[:] = 0
            for j in range(most):
                for i in range(most):
                    if face[j, i] != 0:
                        for m in range(n):
                            rows[j, i + m] += face[j, i] * kernel[m]
            both[:] = 0
            for r in range(most):
                for m in range(n):
                    for i in range(width):
                        both[r + m, i] += rows[r, i] * kernel[m]
            left_out, low_out = max(reach - i0, 0), max(reach - j0, 0)
            end = min(width, nx + reach - i0)
            for j in range(low_out, min(width, ny + reach - j0)):
                for m in range(count):
                    line = out[m, w, j0 - reach + j, i0 - reach + left_out : i0 - reach + end]
                    for i in range(end - left_out):
                        line[i] += np.float32(noise[m] * both[j, left_out + i] ** 2)


@njit(cache=True, nogil=True)
def _even(gain: Array, i0: int, j0: int, size: int, reach: int) -> float:
    """The gain of the spaxels about a face where it is the same in all of them, -1 elsewhere."""
    ny, nx = gain.shape
    if i0 < reach or j0 < reach or i0 + size + reach > nx or j0 + size + reach > ny:
        return -1.0
    low = high = gain[j0, i0]
    for j in range(j0, j0 + size):
        for i in range(i0, i0 + size):
            low, high = min(low, gain[j, i]), max(high, gain[j, i])
    return float(high) if high - low < EVEN * high else -1.0


@njit(cache=True, nogil=True)
def _part(left: float, size: float, kernel: Array, out: Array) -> None:
    """What a face that begins at `left` covers of the spaxels along an axis, convolved."""
    out[:] = 0
    first = int(np.floor(left))
    for i in range(first, int(np.floor(left + size)) + 1):
        a = min(left + size, i + 1.0) - max(left, float(i))
        for m in range(kernel.size):
            out[i - first + m] += a * kernel[m]
