"""Scattered light: what is smooth over the detector, fitted together with the light of all fibers.

Between close fibers no pixel is dark, so that a fit of the gaps alone knows little inside a block. Here each bin of
columns is solved for the flux of every fiber and a smooth background at once; the fluxes are projected out (Golub &
Pereyra 1973) and the equations of all bins added, so that one background, a sum of products of Legendre polynomials,
follows from all pixels. A second kind of term is the light itself, blurred by a wide kernel that falls with distance
as scattering does: it follows a bright source that polynomials cannot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ifuview.engine.ccd.laid import Laid, laid_gaussians, laid_profile
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.traces.binning import plain_bins
from ifuview.engine.traces.profile.fiber_profile import FiberProfile
from ifuview.errors import FitError
from ifuview.model.checks import Array

BIN = 16  # columns
ACROSS, ALONG = 7, 5  # degrees, at most
SMOOTH = 280  # px that each degree stands for: scattered light is wide, and narrow terms are like errors of the profile
ROUNDS = 2  # the first with weights from the data, the others with weights and clipping from the model; one more
MORE = 1  # where light is blurred, as what is clipped late pulls at faint light most
CLIP, CLIP_SHARE = 5.0, 0.05  # sigma, and share of the model, that a bin may lie off
BLUR = (10.0, 40.0, 160.0)  # px, of the blurred light; what falls beside its fiber would pass for wider light
STEADY, LINE = 6.0, 3.0  # bins, of which light is a mean before it is blurred, and sigma of a line that stands out
USUAL = 0.01  # of all light, that each of these is, and the sigma of that: optics scatter some 3 % in all
PRIOR = 1e-4  # of the mean information: holds terms that nothing is known of
MIN_BINS = 8


@dataclass(frozen=True, slots=True, eq=False)
class ScatteredLight:
    """A smooth background.

    Parameters
    ----------
    image : ndarray of float32, shape (nrow, ncol), electrons
    share : float
        Of all light of the frame.
    chi2 : float
        Of the binned pixels, for each degree of freedom.
    """

    image: NDArray[np.float32]
    share: float
    chi2: float


def scattered_light(
    image: Array,
    center: Array,
    sigma: Array,
    read_noise: float,
    *,
    usable: Array | None = None,
    seams: Sequence[int] = (),
    profile: FiberProfile | None = None,
    blurred: bool = True,
    untraced: Array | None = None,
    full: Array | None = None,
    ctx: JobContext = SILENT,
) -> ScatteredLight:
    """Return the smooth light between and below the fibers.

    Parameters
    ----------
    image : ndarray of float32, shape (nrow, ncol), electrons
    center : ndarray, shape (nfiber, ncol), px
        Rising along fibers; NaN: no light.
    sigma : ndarray, shape (nfiber, ncol), px
        Width of the fibers.
    read_noise : float, electrons
    usable : ndarray of bool, shape (nrow, ncol), optional
    seams : sequence of int
        Rows where another amplifier begins: the background may have a step there, as what is left of a bias or dark.
    profile : FiberProfile, optional
        Of the fibers. Default: Gaussians; what a profile has beside them then passes for scattered light.
    blurred : bool
        With the terms of blurred light.
    untraced : ndarray of bool, shape (nrow,), optional
        Rows of fibers whose centers are not known: their light is scattered, too, but tells nothing of what is smooth.
    full : ndarray of bool, shape (nrow, ncol), optional
        Pixels with more light than can be told, likewise.

    Raises
    ------
    FitError
        The image is too narrow, or has no usable pixels.
    """
    nrow, ncol = image.shape
    width = min(BIN, max(4, ncol // MIN_BINS // 4 * 4))
    if ncol // width < MIN_BINS:
        raise FitError(f"an image of {nrow} x {ncol} pixels is too small to find scattered light in")
    binned = np.ascontiguousarray(plain_bins(image, usable, width).T)
    nbin = binned.shape[0]
    at = np.rint(np.arange(nbin) * width + (width - 1) / 2).astype(np.intp)
    path, spread = (np.ascontiguousarray(a[:, at].T, np.float64) for a in (center, sigma))
    laid = laid_gaussians(path, spread, nrow) if profile is None else laid_profile(path, profile, at, nrow)
    rows, columns = np.linspace(-1, 1, nrow), np.arange(ncol) * 2 / (ncol - 1) - 1
    across = np.polynomial.legendre.legvander(rows, min(ACROSS, max(2, round(nrow / SMOOTH))))
    along = np.polynomial.legendre.legvander(columns, min(ALONG, max(2, round(ncol / SMOOTH))))
    bright = _light(image, usable if full is None or usable is None else full | usable, binned)
    bright = _steady(bright, read_noise**2, width)
    reaches = BLUR if blurred else ()
    extra = np.concatenate([_steps(seams, nbin, nrow), _blurred(bright, width, reaches)])
    if untraced is not None:
        binned[:, untraced] = np.nan
    light = float(np.nansum(binned))
    level = np.zeros((nbin, nrow))
    rounds = ROUNDS + (MORE if reaches else 0)
    for turn in range(rounds):
        ctx.checkpoint(0.3 + 0.6 * turn / rounds, "Scattered light")
        parts, sides, chi2 = _equations(binned, laid, across, extra, level, read_noise**2, width, turn > 0)
        coeff, amount = _solved(parts, sides, along[at], extra.shape[0], len(reaches))
        level = along[at] @ coeff.T @ across.T + np.einsum("n,nbr->br", amount, extra)
    ground = across.astype(np.float32) @ (coeff @ along.T).astype(np.float32)
    if extra.shape[0]:
        ground += _everywhere(np.einsum("n,nbr->rb", amount, extra), at, ncol)
    return ScatteredLight(ground, float(level.sum() / light) if light > 0 else math.nan, chi2)


def _light(image: Array, usable: Array | None, binned: Array) -> NDArray[np.float64]:
    """Light of each bin and row, (nbin, nrow): where pixels are not usable that of the others, or of the bins beside.

    A bad pixel in a bright fiber takes away none of what that scatters.
    """
    out = np.array(binned, np.float64)
    bins, rows = np.nonzero(~np.isfinite(out))
    if not rows.size:
        return out
    width = image.shape[1] // out.shape[0]
    columns = bins[:, None] * width + np.arange(width)
    value = np.asarray(image[rows[:, None], columns], np.float64)
    good = np.isfinite(value) if usable is None else np.isfinite(value) & usable[rows[:, None], columns]
    count = good.sum(axis=1)
    out[bins, rows] = np.where(count > 0, np.where(good, value, 0).sum(axis=1) / np.maximum(count, 1), np.nan)
    for row in np.unique(rows[count == 0]):
        known = np.flatnonzero(np.isfinite(out[:, row]))
        out[:, row] = np.interp(np.arange(out.shape[0]), known, out[known, row]) if known.size else 0.0
    return out


def _steady(bright: Array, floor: float, width: int) -> NDArray[np.float64]:
    """The light of bins with little of its noise: smooth along columns, and lines where they stand out.

    Blurred with its noise it would agree with that of the image itself: a faint source then seems to scatter much.
    """
    mean = gaussian_filter1d(bright, STEADY, axis=0, mode="nearest")
    room = LINE * np.sqrt((floor + np.maximum(mean, 0)) / width)
    return np.asarray(mean + np.sign(bright - mean) * np.maximum(np.abs(bright - mean) - room, 0), np.float64)


def _everywhere(binned: Array, at: Array, ncol: int) -> NDArray[np.float32]:
    """Straight lines between the bins."""
    column = np.arange(ncol)
    left = np.clip(np.searchsorted(at, column, side="right") - 1, 0, at.size - 2)
    part = np.clip((column - at[left]) / (at[left + 1] - at[left]), 0, 1)
    flat, share = binned.astype(np.float32), part.astype(np.float32)
    return np.asarray(flat[:, left] * (1 - share) + flat[:, left + 1] * share, np.float32)


def _steps(seams: Sequence[int], nbin: int, nrow: int) -> NDArray[np.float64]:
    """A step at each seam, (nseam, nbin, nrow)."""
    out = np.full((len(seams), nbin, nrow), -0.5)
    for n, row in enumerate(seams):
        out[n, :, row:] = 0.5
    return out


def _blurred(binned: Array, width: int, reaches: tuple[float, ...]) -> NDArray[np.float64]:
    """Light spread by wide Gaussians, (nkernel, nbin, nrow)."""
    step = 8
    nbin, nrow = binned.shape
    coarse = binned[:, : nrow // step * step].reshape(nbin, nrow // step, step).mean(axis=2, dtype=np.float64)
    out = np.empty((len(reaches), nbin, nrow))
    for n, reach in enumerate(reaches):
        by_bin, by_row = _kernels(nbin, width, nrow, step, reach)
        out[n] = by_bin @ coarse @ by_row.T
    return out


@lru_cache(maxsize=len(BLUR))
def _kernels(nbin: int, width: int, nrow: int, step: int, reach: float) -> tuple[Array, Array]:
    """Weights along bins and along rows, the same for all images of a size."""
    along, middle = np.arange(nbin) * width, np.arange(nrow // step) * step + (step - 1) / 2
    return _gauss(along, along, reach) * width, _gauss(np.arange(nrow), middle, reach) * step


def _gauss(to: Array, origin: Array, sigma: float) -> NDArray[np.float64]:
    """Weights of a normalized Gaussian, (nto, norigin)."""
    return np.asarray(np.exp(-0.5 * ((to[:, None] - origin[None]) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi)))


def _solved(parts: Array, sides: Array, along: Array, nextra: int, nblurred: int) -> tuple[Array, Array]:
    """Coefficients (across, along) of the polynomials, and the amounts of the other terms, blurred light the last.

    A faint source does not tell how much of its light is scattered: that is then what is usual.
    """
    m = parts.shape[1] - nextra
    n = along.shape[1]
    size = m * n + nextra
    normal, right = np.zeros((size, size)), np.zeros(size)
    normal[: m * n, : m * n] = np.einsum("bij,bp,bq->ipjq", parts[:, :m, :m], along, along).reshape(m * n, m * n)
    cross = np.einsum("bij,bp->ipj", parts[:, :m, m:], along).reshape(m * n, nextra)
    normal[: m * n, m * n :], normal[m * n :, : m * n] = cross, cross.T
    normal[m * n :, m * n :] = parts[:, m:, m:].sum(axis=0)
    right[: m * n] = np.einsum("bi,bp->ip", sides[:, :m], along).ravel()
    right[m * n :] = sides[:, m:].sum(axis=0)
    last = np.arange(size - nblurred, size)
    normal[last, last] += USUAL**-2
    right[last] += 1 / USUAL
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    solved = np.linalg.solve(normal / np.outer(scale, scale) + PRIOR * np.eye(size), right / scale) / scale
    return solved[: m * n].reshape(m, n), solved[m * n :]


def _equations(
    binned: Array, laid: Laid, across: Array, extra: Array, level: Array, floor: float, width: int,
    clipped: bool,
) -> tuple[Array, Array, float]:  # fmt: skip
    """Equations of the background in each bin, the fluxes projected out."""
    nbin, npoly = binned.shape[0], across.shape[1]
    m = npoly + extra.shape[0]
    base = np.empty((nbin, across.shape[0], m))  # terms next to each other: loops over them vectorize
    base[:, :, :npoly], base[:, :, npoly:] = across, np.moveaxis(extra, 0, 2)
    known, weight = np.zeros(binned.shape), np.zeros(binned.shape)
    parts, sides, tally = np.zeros((nbin, m, m)), np.zeros((nbin, m)), np.zeros(2)
    _project(binned, *laid, base, level, floor, 1 / width, clipped, known, weight, parts, sides, tally)
    if tally[1] <= 0:
        raise FitError("no pixel can be used to find scattered light")
    heavy = np.swapaxes(base * weight[:, :, None], 1, 2)
    parts += np.swapaxes(np.tril(parts, -1), 1, 2) + heavy @ base
    return parts, sides + (heavy @ known[:, :, None])[:, :, 0], float(tally[0] / tally[1])


@njit(cache=True, nogil=True, error_model="numpy")
def _project(
    binned: Array, laid: Array, begin: Array, base: Array, level: Array, floor: float, shrink: float, clipped: bool,
    known: Array, weight: Array, parts: Array, sides: Array, tally: Array,
) -> None:  # fmt: skip
    """Fill data and weights of all pixels, and what the fluxes take off the equations (their lower half)."""
    nbin, nrow = binned.shape
    nfiber = laid.shape[1]
    m = parts.shape[1]
    pivot, link, right = np.empty(nfiber), np.empty(nfiber), np.empty((nfiber, m + 1))
    for b in range(nbin):
        clean, heavy, light, first = known[b], weight[b], laid[b], begin[b]
        for r in range(nrow):
            there = math.isfinite(binned[b, r])
            clean[r] = binned[b, r] - level[b, r] if there else 0.0
            heavy[r] = 1 / ((floor + max(binned[b, r], 0.0)) * shrink) if there else 0.0
            tally[1] += there
        if clipped:
            _couple(clean, heavy, base[b, :, :0], light, first, pivot, link, right)
            _model_weights(clean, level[b], light, first, right[:, 0], floor, shrink, heavy, tally)
        for r in range(nrow):
            clean[r] += level[b, r] if heavy[r] > 0 else 0.0
        _couple(clean, heavy, base[b], light, first, pivot, link, right)
        _take_off(heavy, base[b], light, first, right, parts[b], sides[b])


@njit(cache=True, nogil=True, error_model="numpy")
def _couple(
    data: Array, weight: Array, base: Array, light: Array, first: Array, pivot: Array, link: Array, right: Array
) -> None:
    """Solve the fluxes for the terms of the background and for the data: columns 0..m-1 and m of `right`."""
    nfiber, rows = light.shape
    m = base.shape[1]
    for k in range(nfiber):
        pivot[k], link[k] = 0.0, 0.0
        right[k, : m + 1] = 0.0
        for j in range(rows):
            wp = weight[first[k] + j] * light[k, j]
            if wp <= 0:
                continue
            pivot[k] += wp * light[k, j]
            for i in range(m):
                right[k, i] += wp * base[first[k] + j, i]
            right[k, m] += wp * data[first[k] + j]
            if k > 0 and 0 <= first[k] + j - first[k - 1] < rows:
                link[k] += wp * light[k - 1, first[k] + j - first[k - 1]]
    for k in range(1, nfiber):  # elimination of a tridiagonal matrix, then back
        if pivot[k - 1] > 0 and pivot[k] > 0:
            share = link[k] / pivot[k - 1]
            pivot[k] -= share * link[k]
            for i in range(m + 1):
                right[k, i] -= share * right[k - 1, i]
    for k in range(nfiber - 1, -1, -1):
        for i in range(m + 1):
            if pivot[k] > 0:
                if k + 1 < nfiber and pivot[k + 1] > 0:
                    right[k, i] -= link[k + 1] * right[k + 1, i]
                right[k, i] /= pivot[k]
            else:
                right[k, i] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _model_weights(
    clean: Array, level: Array, light: Array, first: Array, flux: Array, floor: float, shrink: float, weight: Array,
    tally: Array,
) -> None:  # fmt: skip
    """Weights from the model of the fibers and the background; what lies far off it has none."""
    model = np.zeros(clean.size)
    for k in range(first.size):
        for j in range(light.shape[1]):
            model[first[k] + j] += flux[k] * light[k, j]
    for r in range(clean.size):
        if weight[r] <= 0:
            continue
        expected = max(model[r] + level[r], 0.0)
        noise = (floor + expected) * shrink
        off = clean[r] - model[r]
        if abs(off) > CLIP * math.sqrt(noise) + CLIP_SHARE * expected:
            weight[r] = 0.0
            tally[1] -= 1
        else:
            weight[r] = 1 / noise
            tally[0] += off * off / noise


@njit(cache=True, nogil=True)
def _take_off(weight: Array, base: Array, light: Array, first: Array, right: Array, part: Array, side: Array) -> None:
    """Project the fluxes out."""
    m = base.shape[1]
    cross = np.empty(m)
    for k in range(first.size):
        cross[:] = 0.0
        for j in range(light.shape[1]):
            wp = weight[first[k] + j] * light[k, j]
            for i in range(m):
                cross[i] += wp * base[first[k] + j, i]
        for i in range(m):
            side[i] -= cross[i] * right[k, m]
            for j in range(i + 1):
                part[i, j] -= cross[i] * right[k, j]
