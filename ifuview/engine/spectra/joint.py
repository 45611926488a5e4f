"""Joint optimal extraction with an empirical profile: all fibers of a column at once, wings and all.

Least squares of the fibers' measured profiles (Horne 1986, for many overlapping fibers), weighted by the variance that
the model itself predicts: weights from the noisy data would bias faint spectra. The covariance of neighbors is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.cores import spread, turned
from ifuview.engine.traces.profile.arrays import pixels, rising, transposed
from ifuview.engine.traces.profile.column import (
    LEAST_LIGHT,
    add_light,
    backward,
    bandwidth,
    blend,
    factor,
    forward,
    inverse_band,
    lay,
    normal_band,
    reject,
    restore,
)
from ifuview.engine.traces.profile.fiber_profile import FiberProfile
from ifuview.model.checks import Array

FLUX, VARIANCE, COVARIANCE, CHI2 = range(4)  # what the kernel fills
CHUNK = 32  # columns that a thread takes at a time
FIRST_ROUNDS = 1  # of model variance and solution, after the first with the variance without light
SMOOTH = 6.0  # columns, sigma of the kernel along dispersion of the fluxes that the variance is made of
KEPT_SIGMA = 2.0  # a flux so far from the smooth one is a line: what is beyond goes into the variance as it is
CLIP_ROUNDS = 6  # most rounds of leaving out pixels
CLIP_SHARE = 0.1  # of the peak nearby, that a pixel may lie off the model besides the noise
CHI2_ROWS = 3  # rows on each side of a fiber that its chi2 looks at


@dataclass(frozen=True, slots=True, eq=False)
class JointSpectra:
    """Spectra of all fibers on their own columns, with what is known about their errors.

    Parameters
    ----------
    flux : ndarray of float32, shape (nfiber, ncol), counts
        All light of a fiber in a column. NaN where it cannot be known.
    variance : ndarray of float32, shape (nfiber, ncol)
        With the covariance of the neighbors in it; inf where the flux is not known.
    covariance : ndarray of float32, shape (nfiber, ncol)
        With the next fiber in rising order of center, in the place of the lower one; 0 where there is none.
    chi2 : ndarray of float32, shape (nfiber, ncol)
        Per degree of freedom, of the pixels about the center of the fiber; NaN where there are none.
    model : ndarray of float32, shape (nrow, ncol), counts
        Light of all fibers, and the background.
    used : ndarray of bool, shape (nrow, ncol)
        Pixels that had a weight: those given, without those that stuck out.
    """

    flux: NDArray[np.float32]
    variance: NDArray[np.float32]
    covariance: NDArray[np.float32]
    chi2: NDArray[np.float32]
    model: NDArray[np.float32]
    used: NDArray[np.bool_]


def extract_joint(
    image: Array,
    variance: float | Array,
    center: Array,
    profile: FiberProfile,
    *,
    gain: float = 1.0,
    mask: Array | None = None,
    background: Array | None = None,
    clip: float = 0.0,
    light: Array | None = None,
    final: bool = True,
    ctx: JobContext = SILENT,
) -> JointSpectra:
    """Return the spectra of all fibers, solved together in every column.

    Parameters
    ----------
    image : ndarray, shape (nrow, ncol), counts
        Fibers run along axis 1. Pixels that are not finite are left out.
    variance : float or ndarray of shape (nrow, ncol), counts^2
        Of a pixel without light: read noise squared, and what else does not depend on the light. The light's own
        noise comes from the model.
    center : ndarray, shape (nfiber, ncol), px
        Of the light in this image, in any order; NaN where there is no fiber.
    profile : FiberProfile
        Of the same fibers, from `fit_profile` or `gaussian_profile`.
    gain : float
        Electrons per count; inf if `variance` has the noise of the light already.
    mask : ndarray of bool, shape (nrow, ncol), optional
        True where a pixel is not to be used.
    background : ndarray, shape (nrow, ncol), counts, optional
        Light that belongs to no fiber, as in a `FiberProfile`. Default: none.
    clip : float
        Leave out pixels farther from the model than so many sigma and a tenth of the peak nearby; 0: none.
    light : ndarray, shape (nfiber, ncol), counts, optional
        Of the fibers, from `expected_light`, where an extraction of the same image has told it: its noise is taken,
        and the pixels that stick out are those of `mask` alone.
    final : bool
        Extract again with the smooth light of the first look. A first look alone is enough to tell what sticks out.

    Returns
    -------
    JointSpectra
        The same to the last bit whatever the number of threads.
    """
    order = rising(center)
    known = None if light is None else transposed(np.asarray(light)[order], np.float32)
    out, model, used = _columns(
        image, variance, np.asarray(center)[order], order, profile, gain, mask, background, clip, known, final, ctx
    )
    back = np.argsort(order)
    flux, var, cov, chi2 = (np.ascontiguousarray(a.T[back]) for a in out)
    return JointSpectra(flux, var, cov, chi2, turned(model, np.float32), used)


def _columns(
    image: Array, variance: float | Array, center: Array, order: Array, profile: FiberProfile, gain: float,
    mask: Array | None, background: Array | None, clip: float, known: Array | None, final: bool, ctx: JobContext,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Flux, variance, covariance, chi2 (4, ncol, nfiber); the model (ncol, nrow); the pixels used (nrow, ncol)."""
    at = transposed(center + profile.offset[order], np.float64)
    width = transposed(profile.width[order], np.float64)
    group = np.ascontiguousarray(profile.group[order])
    data, floor = pixels(image, variance, mask)
    ground = np.zeros((1, 1), np.float32) if background is None else turned(np.asarray(background), np.float32)
    rows = 2 * profile.half_rows + 1
    nband = bandwidth(at.T, rows)
    ncol, nfiber = at.shape
    light = np.zeros((ncol, nfiber), np.float32) if known is None else known  # that the variance is made of
    out = np.zeros((4, ncol, nfiber), np.float32)
    model = np.zeros(data.shape, np.float32)
    tables, legendre = profile.tables(), profile.legendre()

    def work(x: int, first: bool) -> None:
        _extract(
            x, min(x + CHUNK, ncol), data, floor, ground, 1 / gain, at, width, tables, legendre, profile.reach,
            group, rows, nband, clip, first, light, out, model,
        )  # fmt: skip

    looks = ((True,) if known is None else ()) + ((False,) if final or known is not None else ())
    for first in looks:
        share = ctx.part(0, 0.6) if first else ctx.part(0.6, 1)
        spread(partial(work, first=first), range(0, ncol, CHUNK), ctx=share, text="Joint extraction")
        if first and len(looks) > 1:
            light = smooth_light(out[FLUX], out[VARIANCE])
    return out, model, np.isfinite(floor).T


def expected_light(found: JointSpectra, spoiled: Array) -> NDArray[np.float32]:
    """Light of the fibers with little of its own noise, (nfiber, ncol): what `light` of the extraction asks for.

    Parameters
    ----------
    found : JointSpectra
        Of the same image.
    spoiled : ndarray of bool, shape (nfiber, ncol)
        Samples that have more than light, as where a particle hit.
    """
    variance = np.where(spoiled, np.inf, found.variance)
    return np.ascontiguousarray(smooth_light(found.flux.T, variance.T).T)


def smooth_light(flux: Array, variance: Array) -> NDArray[np.float32]:
    """Return fluxes for the variance of the model, with little of their own noise.

    A variance that follows the noise of the flux gives low fluxes too small errors and high ones too large: the pulls
    of faint spectra then have a mean below 0. So the flux is averaged along dispersion, and only what lies more than
    `KEPT_SIGMA` off the average, a line, is kept beyond that.

    Parameters
    ----------
    flux, variance : ndarray, shape (ncol, nfiber)
        NaN and inf where not known.
    """
    from scipy.ndimage import gaussian_filter1d

    known = np.isfinite(flux) & np.isfinite(variance) & (variance > 0)
    weight = np.where(known, 1 / np.where(known, variance, 1), 0)
    below = gaussian_filter1d(weight, SMOOTH, axis=0, mode="nearest")
    above = gaussian_filter1d(np.where(known, flux, 0) * weight, SMOOTH, axis=0, mode="nearest")
    mean = np.where(below > 0, above / np.where(below > 0, below, 1), 0)
    beyond = np.where(known, flux, mean) - mean
    room = KEPT_SIGMA * np.sqrt(np.where(known, variance, 0))
    kept = np.sign(beyond) * np.maximum(np.abs(beyond) - room, 0)
    return np.asarray(np.maximum(mean + kept, 0), np.float32)


@njit(cache=True, nogil=True, error_model="numpy")
def _extract(
    x0: int, x1: int, data: Array, floor: Array, ground: Array, per_count: float, center: Array, width: Array,
    tables: Array, legendre: Array, reach: float, group: Array, rows: int, nband: int, clip: float, initial: bool,
    smooth: Array, out: Array, model: Array,
) -> None:  # fmt: skip
    """Extract columns x0..x1-1; `out` holds flux, variance, covariance and chi2, (4, ncol, nfiber).

    First with the variance without light, then with that of the model, pixels that stick out left out (`initial`); the
    second time with the variance of the light `smooth`, (ncol, nfiber).
    """
    nfiber, nrow = center.shape[1], data.shape[1]
    light, first = np.zeros((nfiber, rows)), np.zeros(nfiber, np.int64)
    band, inverse = np.zeros((nfiber, nband + 1)), np.zeros((nfiber, nband + 1))
    pivot, flux, seen = np.zeros(nfiber), np.zeros(nfiber), np.zeros(nfiber)
    table = np.zeros((tables.shape[0], tables.shape[2], 2))
    level, clean, total, noise, weight = np.zeros((5, nrow))
    given = floor[0].copy()
    last = FIRST_ROUNDS if initial else 0
    for x in range(x0, x1):
        blend(tables, legendre[x], table)
        lay(center[x], width[x], table, reach, group, light, first)
        total[:] = 0
        if not initial:
            add_light(total, light, first, smooth[x])
        for r in range(nrow):
            level[r] = ground[x, r] if ground.shape[0] > 1 else 0.0
            clean[r] = data[x, r] - level[r]
            given[r] = floor[x, r]
        turn, left = 0, CLIP_ROUNDS
        while True:
            for r in range(nrow):
                noise[r] = floor[x, r]
                if turn > 0 or not initial:
                    noise[r] += per_count * max(total[r] + level[r], 0.0)
                weight[r] = 1 / noise[r]
            normal_band(clean, weight, light, first, band, flux, seen)
            factor(band, pivot)
            forward(band, flux, 0, nfiber)
            backward(band, pivot, flux)
            total[:] = 0
            add_light(total, light, first, flux)
            if clip > 0 and initial and turn > 0 and left > 0:
                left -= 1
                if reject(clean, total, floor[x], noise, total, clip, CLIP_SHARE) > 0:
                    continue
                left = 0
                for r in range(nrow):
                    noise[r] = per_count * max(total[r] + level[r], 0.0)
                if restore(clean, total, given, floor[x], noise, total, clip, CLIP_SHARE) > 0:
                    continue
            if turn == last:
                break
            turn += 1
        inverse_band(band, pivot, inverse)
        for k in range(nfiber):
            if seen[k] < LEAST_LIGHT or not pivot[k] < np.inf:
                out[FLUX, x, k], out[VARIANCE, x, k] = np.nan, np.inf
            else:
                out[FLUX, x, k], out[VARIANCE, x, k] = flux[k], inverse[k, 0]
                if nband > 0 and k + 1 < nfiber and seen[k + 1] >= LEAST_LIGHT:
                    out[COVARIANCE, x, k] = inverse[k, 1]
            out[CHI2, x, k] = _chi2(clean, total, weight, first[k] + rows // 2)
        for r in range(nrow):
            model[x, r] = total[r] + level[r]


@njit(nogil=True, error_model="numpy")
def _chi2(data: Array, total: Array, weight: Array, middle: int) -> float:
    """Chi2 per degree of freedom of the pixels about a row, one of which the flux takes; NaN if there is none."""
    left, count = 0.0, 0
    for r in range(max(0, middle - CHI2_ROWS), min(data.size, middle + CHI2_ROWS + 1)):
        if weight[r] > 0:
            left += weight[r] * (data[r] - total[r]) ** 2
            count += 1
    return left / (count - 1) if count > 1 else np.nan
